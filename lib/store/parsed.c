/*
 * parsed.c - what is known of a message from parsing it: from the cache, or else
 * parsed and remembered there.
 *
 * Messages that came by us are in the cache since. A Maildir of another server,
 * or a lost cache, is taken in as it is read: of a walk through it the next
 * messages are parsed too, twice as many each time, so that there is one lock,
 * one line and one write for many.
 */
#include "message/parse.h"
#include "message/record.h"
#include "store/index.h"

/* Parsed at once, but not many more bytes than that. */
#define AHEAD_MAX 128u
#define AHEAD_BYTES (256 * 1024)
#define PIECE (64 * 1024)

/* One that was parsed, as its record was before: parsing may take in changes. */
struct parsed {
	struct record old;
	struct slice text;
	bool mixed;
};

struct batch {
	struct mailbox *mb;
	struct arena *arena;
	struct parsed *v;
	size_t n, bytes;
};

/* Into mb->record. 1, 0 gone, -1. */
static int
parse(struct mailbox *mb, const struct store_msg *m, bool *mixed_r,
    struct err *e)
{
	struct mailbox_reader *r = NULL;
	struct msgparse *p;
	struct slice piece;
	int rc = mailbox_read_open(&r, mb, m, e);

	if (rc != 1)
		return rc;
	p = msgparse_new(NULL);
	while ((rc = mailbox_read(r, PIECE, &piece, e)) == 1)
		msgparse_push(p, piece);
	buf_reset(&mb->record);
	if (rc == 0)
		msgparse_finish(p, &mb->record);
	*mixed_r = message_read_mixed(r);
	msgparse_free(&p);
	mailbox_read_close(&r);
	return rc == 0 ? 1 : -1;
}

/* ---- remembering ---- */

/* Not that somebody else did since. */
static bool
unchanged(const struct mailbox *mb, const struct record *old)
{
	const struct record *r = index_get(&mb->ix, old->msg.uid);

	return r != NULL && r->cache.segment == old->cache.segment &&
	    r->cache.offset == old->cache.offset;
}

static void
assign_threads(struct batch *b)
{
	struct thread_asked *asked =
	    arena_array(b->arena, b->n, sizeof(*asked));
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++)
		if (b->v[i].old.msg.thread == 0)
			asked[n++] = (struct thread_asked){ b->v[i].text,
				b->v[i].old.msg.received, 0 };
	if (n > 0)
		threads_assign_all(b->mb->st, asked, n);
	for (size_t i = 0, k = 0; i < b->n; i++)
		if (b->v[i].old.msg.thread == 0)
			b->v[i].old.msg.thread = asked[k++].thread;
}

/* Who parses a message has measured it, too. */
static void
add_size(struct lines *ls, const struct parsed *p)
{
	struct line l = { .type = 's' };

	if (!record_unmeasured(&p->old))
		return;
	l.record.msg.uid = p->old.msg.uid;
	l.record.msg.wire_size = msgrec_wire_size(p->text);
	l.record.bits = p->mixed ? RECORD_MIXED : 0;
	lines_add(ls, &l);
}

static int
remember_locked(struct batch *b, struct err *e)
{
	struct cache_entry *entries =
	    arena_array(b->arena, b->n, sizeof(*entries));
	struct cache_place *places =
	    arena_array(b->arena, b->n, sizeof(*places));
	struct mailbox *mb = b->mb;
	struct lines ls = LINES_INIT;
	size_t n = 0;
	int rc;

	for (size_t i = 0; i < b->n; i++)
		if (unchanged(mb, &b->v[i].old)) {
			entries[n] = (struct cache_entry){ b->v[i].old.msg.uid,
				b->v[i].text };
			b->v[n++] = b->v[i];
		}
	if (n == 0)
		return 0;
	rc = cache_append(mb->cache, mb->ix.segment, entries, n, places, e);
	for (size_t i = 0; i < n; i++) {
		struct line l = { .type = 'c', .record = b->v[i].old };

		l.record.cache = places[i];
		l.record.bits = b->v[i].mixed ? RECORD_MIXED : 0;
		lines_add(&ls, &l);
		add_size(&ls, &b->v[i]);
	}
	if (rc == 0)
		rc = index_append(mb, &ls, e);
	lines_free(&ls);
	return rc;
}

/* Not synced; after -1 they are parsed again. */
static int
remember(struct batch *b, struct err *e)
{
	int rc;

	if (b->mb->readonly)
		return 0;
	assign_threads(b);
	if (index_lock(b->mb, e) != 0)
		return -1;
	rc = remember_locked(b, e);
	index_unlock(b->mb);
	return rc;
}

/* ---- parsing ---- */

/* What is in mb->record. */
static void
keep(struct batch *b, const struct record *old, bool mixed)
{
	b->v[b->n++] = (struct parsed){ *old,
		arena_dup(b->arena, buf_slice(&b->mb->record)), mixed };
	b->bytes += b->mb->record.n;
}

/* Those behind a position that are not in the cache either, up to one that is
 * or cannot be read. */
static void
parse_ahead(struct batch *b, uint32_t pos, uint32_t max)
{
	struct mailbox *mb = b->mb;
	bool mixed;

	while (b->n < max && b->bytes < AHEAD_BYTES &&
	    pos < index_end(&mb->ix)) {
		const struct record *r = index_at(&mb->ix, pos++);
		struct record old = *r;

		if (!record_live(r))
			continue;
		if (r->cache.segment != 0 ||
		    parse(mb, &old.msg, &mixed, NULL) != 1)
			break;
		keep(b, &old, mixed);
	}
}

/* How many at once: more in a walk. */
static uint32_t
how_many(struct mailbox *mb, uint32_t pos)
{
	return mb->readonly ? 1 : walk_step(&mb->parsed, pos, AHEAD_MAX);
}

static int
parse_some(struct batch *b, const struct record *first, struct err *e)
{
	struct mailbox *mb = b->mb;
	struct record old = *first;
	uint32_t pos = index_from(&mb->ix, old.msg.uid);
	uint32_t max = how_many(mb, pos);
	bool mixed;
	int rc = parse(mb, &old.msg, &mixed, e);

	if (rc != 1)
		return rc;
	b->v = arena_array(b->arena, max, sizeof(*b->v));
	if (record_live(&old)) {
		keep(b, &old, mixed);
		parse_ahead(b, index_from(&mb->ix, old.msg.uid) + 1, max);
		mb->parsed.to =
		    1 + index_from(&mb->ix, b->v[b->n - 1].old.msg.uid);
		/* Who asked gets the first, cached or not. */
		buf_reset(&mb->record);
		buf_add(&mb->record, b->v[0].text);
		remember(b, NULL);
	}
	return 1;
}

/* ---- asking ---- */

bool
message_cached(struct mailbox *mb, const struct record *r)
{
	struct slice record;

	return r->cache.segment != 0 &&
	    cache_get(mb->cache, r->cache, r->msg.uid, &record) &&
	    msgrec_check(record) &&
	    msgrec_wire_size(record) == r->msg.wire_size;
}

int
message_reparse(struct mailbox *mb, uint32_t uid, struct err *e)
{
	const struct record *r = index_get(&mb->ix, uid);
	struct batch b = { .mb = mb };
	struct parsed one;
	struct record old;
	struct slice record;
	bool mixed;
	int rc;

	if (r == NULL)
		return 0;
	old = *r; /* parsing may take in changes */
	rc = parse(mb, &old.msg, &mixed, e);
	if (rc != 1)
		return rc;
	if (old.cache.segment != 0 &&
	    cache_get(mb->cache, old.cache, uid, &record) &&
	    slice_eq(record, buf_slice(&mb->record)) &&
	    old.bits == (mixed ? RECORD_MIXED : 0))
		return 0;
	b.arena = arena_new(0);
	b.v = &one;
	keep(&b, &old, mixed);
	rc = remember(&b, e) == 0 ? 1 : -1;
	arena_free(&b.arena);
	return rc;
}

bool
mailbox_record_cached(struct mailbox *mb, const struct store_msg *m,
    struct slice *record_r)
{
	const struct record *r = record_of_msg(mb, m);

	return r && r->cache.segment != 0 &&
	    cache_get(mb->cache, r->cache, r->msg.uid, record_r);
}

int
mailbox_record(struct mailbox *mb, const struct store_msg *m,
    struct slice *record_r, struct err *e)
{
	const struct record *r = record_of_msg(mb, m);
	struct batch b = { .mb = mb };
	int rc;

	if (!r)
		return 0;
	if (r->cache.segment != 0 &&
	    cache_get(mb->cache, r->cache, r->msg.uid, record_r))
		return 1;
	b.arena = arena_new(0);
	rc = parse_some(&b, r, e);
	arena_free(&b.arena);
	if (rc == 1)
		*record_r = buf_slice(&mb->record);
	return rc;
}
