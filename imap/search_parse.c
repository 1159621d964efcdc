/* search_parse - search keys (RFC 9051, 6.4.4) to a tree. */
#include <stdlib.h>

#include "base/clock.h"
#include "imap/envelope.h"
#include "imap/search.h"
#include "imap/seqset.h"
#include "message/record.h"
#include "text/unicode.h"

struct parser {
	struct imap_session *s;
	struct imap_parse *p;
	struct search *search;
	unsigned depth;
	bool fuzzy; /* within a FUZZY key */
	bool loose; /* texts are taken word by word */
};

static bool search_key(struct parser *sp, struct search_key *parent);

static struct search_key *
add_key(struct parser *sp, struct search_key *parent, enum search_kind kind)
{
	struct arena *arena = sp->p->arena;
	struct search_key *key;

	if (sp->search->nkeys++ == SEARCH_KEYS_MAX) {
		imap_wrong(sp->p, "too many search keys");
		return NULL;
	}
	key = arena_alloc(arena, sizeof(*key));
	key->kind = kind;
	if (parent) {
		parent->keys = arena_grow(arena, parent->keys, parent->nkeys,
		    parent->nkeys + 1, sizeof(*parent->keys));
		parent->keys[parent->nkeys++] = key;
	}
	return key;
}

/* ---- arguments of keys ---- */

/* Text to look for, folded so that case does not count. */
static bool
needle(struct parser *sp, struct slice *text_r)
{
	struct buf folded = BUF_INIT(1 << 20);
	struct slice text;

	if (!imap_sp(sp->p) || !imap_astring(sp->p, &text))
		return false;
	if (!unicode_valid(text))
		return imap_wrong(sp->p, "search text is not UTF-8");
	unicode_fold(&folded, text);
	*text_r = arena_dup(sp->p->arena, buf_slice(&folded));
	buf_free(&folded);
	return true;
}

static bool
key_text(struct parser *sp, struct search_key *key)
{
	return needle(sp, &key->text);
}

static bool
key_day(struct parser *sp, struct search_key *key)
{
	return imap_sp(sp->p) && imap_date(sp->p, &key->day);
}

static bool
key_number(struct parser *sp, struct search_key *key)
{
	return imap_sp(sp->p) && imap_number64(sp->p, &key->number);
}

/* RFC 5032, 3: an interval in seconds, not 0. The moment is that of the
 * command, whatever time the search takes. */
static bool
key_interval(struct parser *sp, struct search_key *key)
{
	uint32_t seconds;
	int64_t now = clock_s(store_env_of(sp->s->store)->clock);

	if (!imap_sp(sp->p) || !imap_number(sp->p, &seconds))
		return false;
	if (seconds == 0)
		return imap_wrong(sp->p, "interval is 0");
	key->number = now > seconds ? (uint64_t)(now - seconds) : 0;
	return true;
}

/* RFC 8474, 5.2: an objectid of the client, which may be none of ours. */
static bool
objectid(struct parser *sp, struct slice *id_r)
{
	static const bool is_objectid[256] = { ['0' ... '9'] = 1,
		['A' ... 'Z'] = 1,
		['a' ... 'z'] = 1,
		['-'] = 1,
		['_'] = 1 };

	return imap_sp(sp->p) &&
	    ((scan_take(&sp->p->sc, is_objectid, id_r) && id_r->n <= 255) ||
		imap_wrong(sp->p, "expected object id"));
}

static bool
key_emailid(struct parser *sp, struct search_key *key)
{
	return objectid(sp, &key->name);
}

static bool
key_threadid(struct parser *sp, struct search_key *key)
{
	struct slice id;

	if (!objectid(sp, &id))
		return false;
	/* 0 is no thread: such an id matches nothing. */
	if (!imap_threadid(id, &key->number))
		key->number = 0;
	return true;
}

static bool
key_keyword(struct parser *sp, struct search_key *key)
{
	struct store_flags flags = { 0 };

	if (!imap_sp(sp->p) || !imap_flag(sp->p, &flags))
		return false;
	if (flags.flags) {
		key->kind = SEARCH_FLAGS;
		key->mask = key->value = flags.flags;
	} else
		key->name = flags.keywords[0];
	return true;
}

static bool
key_uids(struct parser *sp, struct search_key *key)
{
	if (!imap_sp(sp->p))
		return false;
	if (imap_peek(sp->p, '$'))
		sp->search->numbers = true;
	return imap_seqset(sp->s, sp->p, true, &key->uids);
}

/* UIDAFTER and UIDBEFORE (RFC 9738). */
static bool
uid_beside(struct parser *sp, struct search_key *key, uint32_t *uid_r)
{
	key->uids = (struct uidset)UIDSET_INIT(sp->p->arena);
	return imap_sp(sp->p) && imap_number(sp->p, uid_r) &&
	    (*uid_r || imap_wrong(sp->p, "0 is no UID"));
}

static bool
key_after(struct parser *sp, struct search_key *key)
{
	uint32_t uid;

	if (!uid_beside(sp, key, &uid))
		return false;
	if (uid < UINT32_MAX)
		uidset_add(&key->uids, uid + 1, UINT32_MAX);
	return true;
}

static bool
key_before(struct parser *sp, struct search_key *key)
{
	uint32_t uid;

	if (!uid_beside(sp, key, &uid))
		return false;
	if (uid > 1)
		uidset_add(&key->uids, 1, uid - 1);
	return true;
}

static const struct {
	const char *name;
	enum search_kind kind;
	int field;
} record_fields[] = {
	{ "From", SEARCH_FIELD, MSGREC_FROM },
	{ "To", SEARCH_FIELD, MSGREC_TO },
	{ "Cc", SEARCH_FIELD, MSGREC_CC },
	{ "Bcc", SEARCH_FIELD, MSGREC_BCC },
	{ "Subject", SEARCH_FIELD, MSGREC_SUBJECT },
	{ "Message-ID", SEARCH_ID, ENVELOPE_MESSAGE_ID },
	{ "In-Reply-To", SEARCH_ID, ENVELOPE_IN_REPLY_TO },
};

#define RECORD_FIELDS (sizeof(record_fields) / sizeof(*record_fields))

static bool
key_header(struct parser *sp, struct search_key *key)
{
	if (!imap_sp(sp->p) || !imap_astring(sp->p, &key->name) ||
	    !needle(sp, &key->text))
		return false;
	/* With an empty text it is asked whether the field is there at all,
	 * which the record does not say. */
	for (size_t i = 0; key->text.n && i < RECORD_FIELDS; i++)
		if (slice_isi(key->name, record_fields[i].name)) {
			key->kind = record_fields[i].kind;
			key->field = record_fields[i].field;
		}
	return true;
}

/* "MODSEQ 5", or with an entry of RFC 7162, 3.1.5, which we have one of. */
static bool
key_modseq(struct parser *sp, struct search_key *key)
{
	struct slice entry;

	sp->search->modseq = true;
	if (!imap_sp(sp->p))
		return false;
	if (imap_peek(sp->p, '"')) {
		if (!imap_string(sp->p, &entry) || !imap_sp(sp->p) ||
		    (!imap_word(sp->p, "all") && !imap_word(sp->p, "shared") &&
			!imap_word(sp->p, "priv")) ||
		    !imap_sp(sp->p))
			return imap_wrong(sp->p, "bad MODSEQ entry");
	}
	return imap_number64(sp->p, &key->number);
}

static bool
key_or(struct parser *sp, struct search_key *key)
{
	return imap_sp(sp->p) && search_key(sp, key) && imap_sp(sp->p) &&
	    search_key(sp, key);
}

/* NOT is an AND of one, negated. */
static bool
key_not(struct parser *sp, struct search_key *key)
{
	key->not = true;
	return imap_sp(sp->p) && search_key(sp, key);
}

/* ---- FUZZY ---- */

static bool
has_text(const struct search_key *key)
{
	return key->kind == SEARCH_FIELD || key->kind == SEARCH_ID ||
	    key->kind == SEARCH_HEADER || key->kind == SEARCH_BODY ||
	    key->kind == SEARCH_TEXT;
}

/* The key becomes one of all its words, wherever they stand. */
static bool
split_words(struct parser *sp, struct search_key *key)
{
	struct search_key like = *key, *one;
	struct slice rest = key->text, word;

	if (slice_chr(rest, ' ') < 0)
		return true;
	key->kind = SEARCH_AND;
	while (slice_next(&rest, ' ', &word)) {
		if (word.n == 0)
			continue;
		one = add_key(sp, key, like.kind);
		if (!one)
			return false;
		one->field = like.field;
		one->name = like.name;
		one->text = word;
	}
	return true;
}

/*
 * RFC 6203, 3: what a fuzzy match is, is ours to say. The key is parsed twice:
 * as it is, for the score, and loosely. FUZZY within FUZZY says nothing new.
 */
static bool
key_fuzzy(struct parser *sp, struct search_key *key)
{
	struct scan start;
	bool ok;

	if (!imap_sp(sp->p))
		return false;
	if (sp->fuzzy) {
		key->kind = SEARCH_AND;
		return search_key(sp, key);
	}
	sp->search->fuzzy = sp->fuzzy = true;
	start = sp->p->sc;
	ok = search_key(sp, key);
	sp->p->sc = start;
	sp->loose = true;
	ok = ok && search_key(sp, key);
	sp->fuzzy = sp->loose = false;
	return ok;
}

/* ---- the table ---- */

#define FLAG(name, flag) \
	{ \
		name, SEARCH_FLAGS, flag, flag, 0, NULL \
	}
#define NO_FLAG(name, flag) \
	{ \
		name, SEARCH_FLAGS, flag, 0, 0, NULL \
	}
#define FIELD(name, field) \
	{ \
		name, SEARCH_FIELD, 0, 0, field, key_text \
	}

static const struct {
	const char *name;
	enum search_kind kind;
	uint16_t mask, value;
	int field;
	bool (*argument)(struct parser *sp, struct search_key *key);
} keys[] = {
	{ "ALL", SEARCH_ALL, 0, 0, 0, NULL },
	FLAG("ANSWERED", STORE_ANSWERED),
	FLAG("DELETED", STORE_DELETED),
	FLAG("DRAFT", STORE_DRAFT),
	FLAG("FLAGGED", STORE_FLAGGED),
	FLAG("SEEN", STORE_SEEN),
	NO_FLAG("UNANSWERED", STORE_ANSWERED),
	NO_FLAG("UNDELETED", STORE_DELETED),
	NO_FLAG("UNDRAFT", STORE_DRAFT),
	NO_FLAG("UNFLAGGED", STORE_FLAGGED),
	NO_FLAG("UNSEEN", STORE_SEEN),
	/* \Recent is never set (RFC 9051, appendix E): mask 0 is not 1. */
	{ "NEW", SEARCH_FLAGS, 0, 1, 0, NULL },
	{ "RECENT", SEARCH_FLAGS, 0, 1, 0, NULL },
	{ "OLD", SEARCH_ALL, 0, 0, 0, NULL },
	{ "BEFORE", SEARCH_BEFORE, 0, 0, 0, key_day },
	{ "ON", SEARCH_ON, 0, 0, 0, key_day },
	{ "SINCE", SEARCH_SINCE, 0, 0, 0, key_day },
	{ "OLDER", SEARCH_OLDER, 0, 0, 0, key_interval },
	{ "YOUNGER", SEARCH_YOUNGER, 0, 0, 0, key_interval },
	{ "SAVEDBEFORE", SEARCH_SAVEDBEFORE, 0, 0, 0, key_day },
	{ "SAVEDON", SEARCH_SAVEDON, 0, 0, 0, key_day },
	{ "SAVEDSINCE", SEARCH_SAVEDSINCE, 0, 0, 0, key_day },
	{ "SAVEDATESUPPORTED", SEARCH_ALL, 0, 0, 0, NULL },
	{ "EMAILID", SEARCH_EMAILID, 0, 0, 0, key_emailid },
	{ "THREADID", SEARCH_THREADID, 0, 0, 0, key_threadid },
	{ "SENTBEFORE", SEARCH_SENTBEFORE, 0, 0, 0, key_day },
	{ "SENTON", SEARCH_SENTON, 0, 0, 0, key_day },
	{ "SENTSINCE", SEARCH_SENTSINCE, 0, 0, 0, key_day },
	FIELD("BCC", MSGREC_BCC),
	FIELD("CC", MSGREC_CC),
	FIELD("FROM", MSGREC_FROM),
	FIELD("SUBJECT", MSGREC_SUBJECT),
	FIELD("TO", MSGREC_TO),
	{ "BODY", SEARCH_BODY, 0, 0, 0, key_text },
	{ "TEXT", SEARCH_TEXT, 0, 0, 0, key_text },
	{ "HEADER", SEARCH_HEADER, 0, 0, 0, key_header },
	{ "KEYWORD", SEARCH_KEYWORD, 0, 0, 0, key_keyword },
	{ "LARGER", SEARCH_LARGER, 0, 0, 0, key_number },
	{ "SMALLER", SEARCH_SMALLER, 0, 0, 0, key_number },
	{ "MODSEQ", SEARCH_MODSEQ, 0, 0, 0, key_modseq },
	{ "UID", SEARCH_UIDS, 0, 0, 0, key_uids },
	{ "UIDAFTER", SEARCH_UIDS, 0, 0, 0, key_after },
	{ "UIDBEFORE", SEARCH_UIDS, 0, 0, 0, key_before },
	{ "OR", SEARCH_OR, 0, 0, 0, key_or },
	{ "NOT", SEARCH_AND, 0, 0, 0, key_not },
	{ "FUZZY", SEARCH_FUZZY, 0, 0, 0, key_fuzzy },
};

static bool
named_key(struct parser *sp, struct search_key *parent)
{
	struct imap_parse *p = sp->p;
	bool unkeyword = imap_word(p, "UNKEYWORD");
	struct search_key *key;

	if (unkeyword) {
		key = add_key(sp, parent, SEARCH_KEYWORD);
		if (!key || !key_keyword(sp, key))
			return false;
		key->not = true;
		return true;
	}
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		if (!imap_word(p, keys[i].name))
			continue;
		key = add_key(sp, parent, keys[i].kind);
		if (!key)
			return false;
		key->mask = keys[i].mask;
		key->value = keys[i].value;
		key->field = keys[i].field;
		return (!keys[i].argument || keys[i].argument(sp, key)) &&
		    (!sp->loose || !has_text(key) || split_words(sp, key));
	}
	return imap_wrong(p, "unknown search key");
}

static bool
group(struct parser *sp, struct search_key *parent)
{
	struct search_key *key = add_key(sp, parent, SEARCH_AND);

	if (!key)
		return false;
	do {
		if (!search_key(sp, key))
			return false;
	} while (imap_char(sp->p, ' '));
	return imap_char(sp->p, ')') || imap_wrong(sp->p, "expected )");
}

static bool
search_key(struct parser *sp, struct search_key *parent)
{
	int c = scan_peek(&sp->p->sc);
	struct search_key *key;
	bool ok;

	if (++sp->depth > SEARCH_DEPTH_MAX)
		return imap_wrong(sp->p, "search nested too deep");
	if (imap_char(sp->p, '('))
		ok = group(sp, parent);
	else if ((c >= '0' && c <= '9') || c == '*' || c == '$') {
		sp->search->numbers = true;
		key = add_key(sp, parent, SEARCH_UIDS);
		ok = key && imap_seqset(sp->s, sp->p, false, &key->uids);
	} else
		ok = named_key(sp, parent);
	sp->depth--;
	return ok;
}

/* Cheap keys first: most messages are decided by the index alone. */
static int
cost(const struct search_key *key)
{
	int most = (int)key->kind;

	if (key->kind < SEARCH_AND)
		return most;
	most = 0;
	for (size_t i = 0; i < key->nkeys; i++)
		if (cost(key->keys[i]) > most)
			most = cost(key->keys[i]);
	return most;
}

static int
by_cost(const void *a, const void *b)
{
	return cost(*(struct search_key *const *)a) -
	    cost(*(struct search_key *const *)b);
}

static void
sort_keys(struct search_key *key)
{
	for (size_t i = 0; i < key->nkeys; i++)
		sort_keys(key->keys[i]);
	if (key->nkeys > 1 && key->kind != SEARCH_FUZZY)
		qsort(key->keys, key->nkeys, sizeof(*key->keys), by_cost);
}

static bool
charset_known(struct imap_parse *p)
{
	struct slice name;

	if (!imap_astring(p, &name))
		return false;
	if (slice_isi(name, "UTF-8") || slice_isi(name, "US-ASCII"))
		return true;
	p->code = "BADCHARSET (US-ASCII UTF-8)";
	return imap_wrong(p, "charset not supported");
}

static bool
charset(const struct imap_session *s, struct imap_parse *p)
{
	if (!imap_word(p, "CHARSET"))
		return true;
	if (s->enabled & IMAP_UTF8) /* RFC 6855, 3 */
		return imap_wrong(p, "CHARSET with UTF8=ACCEPT");
	return imap_sp(p) && charset_known(p) && imap_sp(p);
}

static bool
program(struct imap_session *s, struct imap_parse *p, struct search *search_r)
{
	struct parser sp = { .s = s, .p = p, .search = search_r };

	search_r->program = add_key(&sp, NULL, SEARCH_AND);
	do {
		if (!search_key(&sp, search_r->program))
			return false;
	} while (imap_char(p, ' '));
	if (!imap_end(p))
		return false;
	sort_keys(search_r->program);
	return true;
}

bool
imap_search_program(struct imap_session *s, struct imap_parse *p,
    struct search *search_r)
{
	*search_r = (struct search){ 0 };
	return charset(s, p) && program(s, p, search_r);
}

bool
imap_search_criteria(struct imap_session *s, struct imap_parse *p,
    struct search *search_r)
{
	*search_r = (struct search){ 0 };
	return charset_known(p) && imap_sp(p) && program(s, p, search_r);
}
