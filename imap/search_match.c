/* search_match - does a message match a search program? */
#include "base/clock.h"
#include "imap/envelope.h"
#include "imap/search.h"
#include "message/date.h"
#include "message/encword.h"
#include "message/header.h"
#include "store/text.h"
#include "text/unicode.h"

#define DAY_S 86400
#define PIECE 65536
#define HEADER_MAX (16 << 20) /* header bytes looked through */

struct match {
	struct mailbox *mb;
	uint32_t seq;
	struct err *e;
	unsigned score, scores; /* sum and number, of FUZZY keys */
};

/* Looked up each time: reading may refresh the mailbox. */
static const struct store_msg *
msg_of(const struct match *x)
{
	return mailbox_msg(x->mb, x->seq);
}

static int match_key(struct match *x, const struct search_key *key);
static int header_contains(struct match *x, const struct search_key *key);
static bool value_contains(struct slice value, struct slice needle);

/* Folds text and looks for the needle; ASCII is what most headers are. */
static bool
text_contains(struct slice text, struct slice needle)
{
	struct buf folded = BUF_INIT(8 * text.n + 64);
	bool found;

	if (unicode_is_ascii(text))
		return slice_findi(text, needle) >= 0;
	unicode_fold(&folded, text);
	found = slice_find(buf_slice(&folded), needle) >= 0;
	buf_free(&folded);
	return found;
}

/* ---- the index and the record ---- */

/* The record; 0 if the message is gone. */
static int
record_of(struct match *x, struct slice *record_r)
{
	return mailbox_record(x->mb, msg_of(x), record_r, x->e);
}

/* RFC 9051, 6.4.4: the date as shown, time and zone disregarded. */
static bool
match_day(const struct search_key *key, int64_t at)
{
	at += clock_zone_s(at);
	switch (key->kind) {
	case SEARCH_BEFORE:
	case SEARCH_SAVEDBEFORE:
		return at < key->day;
	case SEARCH_ON:
	case SEARCH_SAVEDON:
		return at >= key->day && at < key->day + DAY_S;
	default:
		return at >= key->day;
	}
}

/*
 * The day of the Date field as it is written. The record has the moment in
 * UTC; only near the day's edges the zone matters, and then the ENVELOPE has
 * the text.
 */
static int64_t
sent_day(struct slice record, int64_t near)
{
	int64_t at = msgrec_date(record);
	struct slice text = msgrec_text(record, MSGREC_ENVELOPE);
	struct date date;
	struct tm tm = { 0 };

	if (at < near - DAY_S || at > near + 2 * DAY_S)
		return at;
	slice_cut(slice_skip(text, 2), '"', &text, &(struct slice){ 0 });
	if (!date_parse(text, &date))
		return at;
	tm.tm_year = date.year - 1900;
	tm.tm_mon = date.month - 1;
	tm.tm_mday = date.day;
	return timegm(&tm);
}

static int
match_sent(struct match *x, const struct search_key *key)
{
	struct slice record;
	int64_t day;
	int rc = record_of(x, &record);

	if (rc <= 0 || !(msgrec_flags(record) & MSGREC_DATE))
		return rc < 0 ? -1 : 0;
	day = sent_day(record, key->day);
	switch (key->kind) {
	case SEARCH_SENTBEFORE:
		return day < key->day;
	case SEARCH_SENTON:
		return day >= key->day && day < key->day + DAY_S;
	default:
		return day >= key->day;
	}
}

static int
match_field(struct match *x, const struct search_key *key)
{
	struct slice record;
	int rc = record_of(x, &record);

	if (rc <= 0)
		return rc;
	return text_contains(msgrec_text(record, (enum msgrec_text)key->field),
	    key->text);
}

/* Of a field that is there twice the last counts, as in FETCH ENVELOPE. One
 * that the record has not whole is read. */
static int
match_id(struct match *x, const struct search_key *key)
{
	struct slice record, text;
	struct arena *arena;
	int rc = record_of(x, &record);

	if (rc <= 0)
		return rc;
	if (msgrec_flags(record) & MSGREC_CUT)
		return header_contains(x, key);
	arena = arena_new(0);
	rc = imap_envelope_text(arena, msgrec_text(record, MSGREC_ENVELOPE),
		 (enum envelope_field)key->field, &text) &&
	    value_contains(text, key->text);
	arena_free(&arena);
	return rc;
}

static bool
match_keyword(const struct match *x, const struct search_key *key)
{
	int bit = mailbox_keyword(x->mb, key->name);

	return bit >= 0 && msg_of(x)->keywords & UINT64_C(1) << bit;
}

/* ---- the file ---- */

static int
read_header(struct match *x, const struct msgrec_part *part, struct buf *block)
{
	uint64_t left = part->body.off - part->header.off;
	struct mailbox_reader *reader = NULL;
	struct slice piece;
	int rc = mailbox_read_open(&reader, x->mb, msg_of(x), x->e);

	if (rc <= 0)
		return rc;
	if (mailbox_read_seek(reader, part->header.off, part->header.breaks,
		x->e) < 0)
		rc = -1;
	while (rc > 0 && left > 0 && !block->over) {
		rc = mailbox_read(reader, left < PIECE ? (size_t)left : PIECE,
		    &piece, x->e);
		if (rc <= 0)
			break;
		left -= piece.n;
		buf_add(block, piece);
	}
	mailbox_read_close(&reader);
	return rc < 0 ? -1 : 1;
}

static bool
value_contains(struct slice value, struct slice needle)
{
	struct buf flat = BUF_INIT(HEADER_MAX), text = BUF_INIT(HEADER_MAX);
	bool found;

	/* Neither to be unfolded nor decoded. */
	if (!encword_needed(value))
		return text_contains(value, needle);
	header_unfold(&flat, value);
	encword_decode(&text, buf_slice(&flat));
	found = text_contains(buf_slice(&text), needle);
	buf_free(&flat);
	buf_free(&text);
	return found;
}

/* Any field named name with the text in it. */
static bool
block_contains(struct slice block, const struct search_key *key)
{
	struct header_field field;

	while (header_next(&block, &field))
		if (slice_eqi(field.name, key->name) &&
		    value_contains(field.value, key->text))
			return true;
	return false;
}

static int
header_contains(struct match *x, const struct search_key *key)
{
	struct buf block = BUF_INIT(HEADER_MAX);
	struct msgrec_part part;
	struct slice record;
	int rc = record_of(x, &record);

	if (rc > 0) {
		msgrec_part(record, 0, &part);
		rc = read_header(x, &part, &block);
	}
	if (rc > 0)
		rc = block_contains(buf_slice(&block), key);
	buf_free(&block);
	return rc;
}

/* ---- text ---- */

/* What the text index says: without the text for sure? */
static bool
ruled_out(const struct match *x, const struct search_key *key)
{
	return key->narrowed && !uidset_has(&key->may, msg_of(x)->uid);
}

static int
match_text(struct match *x, const struct search_key *key)
{
	if (key->text.n == 0)
		return 1;
	if (ruled_out(x, key))
		return 0;
	return mailbox_text_contains(x->mb, msg_of(x),
	    key->kind == SEARCH_TEXT ? MAILBOX_TEXT_ALL : MAILBOX_TEXT_BODY,
	    key->text, x->e);
}

static int
match_header(struct match *x, const struct search_key *key)
{
	return ruled_out(x, key) ? 0 : header_contains(x, key);
}

/* ---- the tree ---- */

static int
match_all(struct match *x, const struct search_key *key)
{
	for (size_t i = 0; i < key->nkeys; i++) {
		int rc = match_key(x, key->keys[i]);
		if (rc <= 0)
			return rc;
	}
	return 1;
}

static int
match_any(struct match *x, const struct search_key *key)
{
	for (size_t i = 0; i < key->nkeys; i++) {
		int rc = match_key(x, key->keys[i]);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static int
match_size(struct match *x, const struct search_key *key)
{
	uint64_t size;
	int rc = mailbox_wire_size(x->mb, msg_of(x), &size, x->e);

	if (rc <= 0)
		return rc;
	return key->kind == SEARCH_LARGER ? size > key->number
					  : size < key->number;
}

/* What the index decides alone. */
static bool
match_index(const struct match *x, const struct search_key *key)
{
	const struct store_msg *m = msg_of(x);

	switch (key->kind) {
	case SEARCH_UIDS:
		return uidset_has(&key->uids, m->uid);
	case SEARCH_FLAGS:
		return (m->flags & key->mask) == key->value;
	case SEARCH_KEYWORD:
		return match_keyword(x, key);
	case SEARCH_MODSEQ:
		return m->modseq >= key->number;
	case SEARCH_OLDER:
		return m->received <= (int64_t)key->number;
	case SEARCH_YOUNGER:
		return m->received >= (int64_t)key->number;
	case SEARCH_EMAILID:
		return slice_eq(key->name, slice_of(m->emailid, STORE_EMAILID));
	case SEARCH_THREADID:
		return key->number && m->thread == key->number;
	case SEARCH_SAVEDBEFORE:
	case SEARCH_SAVEDON:
	case SEARCH_SAVEDSINCE:
		return match_day(key, m->saved);
	case SEARCH_BEFORE:
	case SEARCH_ON:
	case SEARCH_SINCE:
		return match_day(key, m->received);
	default:
		return key->kind == SEARCH_ALL;
	}
}

#define SCORE_EXACT 100
#define SCORE_WORDS 50

static int
match_fuzzy(struct match *x, const struct search_key *key)
{
	int rc = match_key(x, key->keys[0]);
	unsigned score = SCORE_EXACT;

	if (rc == 0) {
		rc = match_key(x, key->keys[1]);
		score = SCORE_WORDS;
	}
	if (rc > 0) {
		x->score += score;
		x->scores++;
	}
	return rc;
}

static int
match_plain(struct match *x, const struct search_key *key)
{
	switch (key->kind) {
	case SEARCH_SENTBEFORE:
	case SEARCH_SENTON:
	case SEARCH_SENTSINCE:
		return match_sent(x, key);
	case SEARCH_FIELD:
		return match_field(x, key);
	case SEARCH_LARGER:
	case SEARCH_SMALLER:
		return match_size(x, key);
	case SEARCH_ID:
		return match_id(x, key);
	case SEARCH_HEADER:
		return match_header(x, key);
	case SEARCH_BODY:
	case SEARCH_TEXT:
		return match_text(x, key);
	case SEARCH_AND:
		return match_all(x, key);
	case SEARCH_OR:
		return match_any(x, key);
	case SEARCH_FUZZY:
		return match_fuzzy(x, key);
	default:
		return match_index(x, key);
	}
}

/* Depth is bounded by SEARCH_DEPTH_MAX. */
static int
match_key(struct match *x, const struct search_key *key)
{
	int rc = match_plain(x, key);

	return rc >= 0 && key->not ? !rc : rc;
}

int
imap_search_match(struct mailbox *mb, const struct search *search, uint32_t seq,
    uint8_t *score_r, struct err *e)
{
	struct match x = { .mb = mb, .seq = seq, .e = e };
	int rc = match_key(&x, search->program);

	if (score_r)
		*score_r = (uint8_t)(x.scores ? x.score / x.scores : 1);
	return rc;
}

/* Keys are in order of cost, so those of the index come first. */
int
imap_search_by_index(struct mailbox *mb, const struct search *search,
    uint32_t seq)
{
	const struct search_key *program = search->program;
	struct match x = { .mb = mb, .seq = seq };

	for (size_t i = 0; i < program->nkeys; i++) {
		const struct search_key *key = program->keys[i];
		int rc;

		if (key->kind >= SEARCH_SENTBEFORE)
			return -1;
		rc = match_plain(&x, key);
		if (rc < 0)
			return -1;
		if (rc == key->not )
			return 0;
	}
	return 1;
}
