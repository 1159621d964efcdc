/* search_run - go through the selected mailbox, for as long as it takes. */
#include "base/log.h"
#include "imap/search.h"
#include "service/service.h"
#include "store/text.h"
#include "text/unicode.h"

/* Messages between two looks at the clock: below a millisecond by the index,
 * and as many opened files take some. */
#define LOOK_EVERY 64

struct finding {
	struct imap_session *s;
	const struct search *search;
	struct search_found *found;
	uint32_t size;
};

static void
note(struct finding *f, uint32_t seq, uint8_t score)
{
	struct search_found *found = f->found;
	uint32_t n = found->count;

	if (n == f->size) {
		f->size = n ? 2 * n : 64;
		found->seqs = arena_grow(f->s->arena, found->seqs, n, f->size,
		    sizeof(*found->seqs));
		if (f->search->fuzzy)
			found->scores = arena_grow(f->s->arena, found->scores,
			    n, f->size, 1);
	}
	if (f->search->fuzzy)
		found->scores[n] = score;
	found->seqs[found->count++] = seq;
}

/* ---- the text index ---- */

/* Does the key read messages, which the index can tell from others? */
static bool
narrows(const struct search_key *key)
{
	return key->kind == SEARCH_HEADER ||
	    ((key->kind == SEARCH_BODY || key->kind == SEARCH_TEXT) &&
		key->text.n >= TEXT_NEEDLE_MIN);
}

static bool
some_narrow(const struct search_key *key)
{
	bool reads = narrows(key);

	for (size_t i = 0; !reads && i < key->nkeys; i++)
		reads = some_narrow(key->keys[i]);
	return reads;
}

/* How many messages does the index leave to be read? */
static uint32_t
undecided(struct mailbox *mb, const struct search *search)
{
	uint32_t count = mailbox_count(mb), n = 0;

	for (uint32_t seq = 1; seq <= count; seq++)
		n += imap_search_by_index(mb, search, seq) != 0;
	return n;
}

struct building {
	struct imap_session *s;
	uint32_t before; /* messages to be indexed, known when it begins */
	struct err *e;
	bool stopped;
};

static bool
building_goes_on(void *ctx, uint32_t done, uint32_t total)
{
	struct building *b = ctx;

	if (total > 0)
		b->before = total;
	else
		done = b->before;
	b->stopped = imap_progress(b->s, done,
			 b->before + mailbox_count(b->s->mb), b->e) < 0;
	return !b->stopped;
}

/* What cannot be indexed is read, so that is no reason to fail. Messages that
 * were indexed first go to *before_r. */
static int
update_index(struct imap_session *s, uint32_t *before_r, struct err *e)
{
	struct building b = { s, 0, e, false };
	struct err why = ERR_INIT;

	if (mailbox_text_update(s->mb, true, building_goes_on, &b, &why) < 0)
		log_line("imapserver", LOG_ERROR, "text index",
		    LOG_S("mailbox", mailbox_name(s->mb)), LOG_E(&why));
	*before_r = b.before;
	return b.stopped ? -1 : 0;
}

static void
narrow(struct imap_session *s, struct search_key *key)
{
	struct buf name = BUF_INIT(1 << 20);
	struct slice needles[2] = { key->text };

	for (size_t i = 0; i < key->nkeys; i++)
		narrow(s, key->keys[i]);
	if (!narrows(key))
		return;
	key->may = (struct uidset)UIDSET_INIT(s->arena);
	unicode_fold(&name, key->name);
	needles[1] = buf_slice(&name);
	mailbox_text_may(s->mb, needles, 2, &key->may);
	buf_free(&name);
	key->narrowed = true;
}

/*
 * Few messages are read sooner than the index is asked. Many are indexed first,
 * if they are not, unless that would take in many more than are asked for, or it
 * is the first search: then while nobody waits.
 */
static int
prepare(struct imap_session *s, const struct search *search, uint32_t *before_r,
    struct err *e)
{
	uint32_t n;

	*before_r = 0;
	if (!some_narrow(search->program))
		return 0;
	n = undecided(s->mb, search);
	if (n < TEXT_UPDATE_MESSAGES)
		return 0;
	s->searches_text = true;
	s->indexed_uidnext = 0;
	if (mailbox_text_searched(s->mb) && n >= mailbox_count(s->mb) / 4 &&
	    update_index(s, before_r, e) < 0)
		return -1;
	narrow(s, search->program);
	return 0;
}

struct waiting {
	struct imap_session *s;
	int watch;
};

static bool
nobody_waits(void *ctx, uint32_t done, uint32_t total)
{
	const struct waiting *w = ctx;

	(void)done, (void)total;
	return !service_stop &&
	    imap_reader_wait(&w->s->in, w->watch, -1, 0) == 0;
}

void
imap_search_idle(struct imap_session *s, int watch)
{
	struct waiting w = { s, watch };
	int rc;

	if (!s->mb || s->indexed_uidnext == mailbox_uidnext(s->mb))
		return;
	rc = mailbox_text_update(s->mb, s->searches_text, nobody_waits, &w,
	    NULL);
	if (rc != 0)
		s->indexed_uidnext = mailbox_uidnext(s->mb);
}

/* ---- all messages ---- */

/* Flags that a message must have and must not have, as far as these are keys by
 * themselves: others are never looked at. */
static void
flags_wanted(const struct search *search, uint16_t *mask_r, uint16_t *value_r)
{
	const struct search_key *program = search->program;

	*mask_r = *value_r = 0;
	for (size_t i = 0; i < program->nkeys; i++) {
		const struct search_key *key = program->keys[i];

		/* Of several flags only one need be different. */
		if (key->kind != SEARCH_FLAGS ||
		    (key->not &&(key->mask & (key->mask - 1))))
			continue;
		*mask_r |= key->mask;
		*value_r |= key->not ? key->mask & ~key->value : key->value;
	}
}

static int
search_all(struct imap_session *s, const struct search *search, uint32_t before,
    struct search_found *found, struct err *e)
{
	struct finding f = { s, search, found, 0 };
	uint32_t count = mailbox_count(s->mb), looked = 0;
	uint16_t mask, value;
	uint8_t score;
	int rc = 0;

	flags_wanted(search, &mask, &value);
	for (uint32_t seq = 1; rc >= 0; seq++) {
		if (mask)
			seq = mailbox_flagged(s->mb, seq, count, mask, value);
		if (seq > count)
			break;
		rc = imap_search_match(s->mb, search, seq, &score, e);
		if (rc > 0)
			note(&f, seq, score);
		if (rc >= 0 && ++looked % LOOK_EVERY == 0)
			rc = imap_progress(s, before + seq, before + count, e);
	}
	return rc < 0 ? -1 : 0;
}

int
imap_search_run(struct imap_session *s, struct slice tag,
    const struct search *search, struct search_found *found_r, struct err *e)
{
	uint32_t before;
	int rc;

	*found_r = (struct search_found){ .seqs = NULL };
	imap_progress_begin(s, tag);
	rc = prepare(s, search, &before, e);
	if (rc == 0)
		rc = search_all(s, search, before, found_r, e);
	imap_progress_end(s);
	return rc;
}
