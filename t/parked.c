/* Unit test of imap/park.c: the state of a session, as bytes and back. */
#include "imap/park.h"

#include <string.h>

#include "service/service.h"
#include "t/unit.h"

static struct arena *arena;

static void
fill(struct imap_parked *p)
{
	struct mailbox_known *k = &p->known;

	*p = (struct imap_parked){
		.enabled = IMAP_QRESYNC | IMAP_CONDSTORE,
		.idle = true,
		.readonly = true,
		.rights = 5,
		.indexed_uidnext = 9,
		.end_ms = 123456789012,
		.in = 10,
		.out = 20,
		.tag = SLICE("a1"),
		.watch = SLICE("0123456789abcdef"),
		.name = SLICE("Lists/one"),
		.known = { .uidvalidity = 7,
		    .uidnext = 100,
		    .modseq = 50,
		    .told = 49,
		    .count = 12,
		    .keywords = 3,
		    .gone = UIDSET_INIT(arena),
		    .changed = UIDSET_INIT(arena) },
		.saved = UIDSET_INIT(arena),
	};
	memset(k->id, 'M', sizeof(k->id));
	uidset_add(&k->gone, 3, 5);
	uidset_add(&k->gone, 99, 99);
	uidset_add(&p->saved, 1, UINT32_MAX);
}

static void
test_both_ways(void)
{
	struct buf b = BUF_INIT(SERVICE_STATE_MAX);
	struct imap_parked p, q;

	fill(&p);
	CHECK(imap_parked_write(&p, &b));
	CHECK(imap_parked_read(&q, buf_slice(&b), arena));
	CHECK_EQ(q.enabled, p.enabled);
	CHECK(q.idle && q.readonly && !q.searches_text);
	CHECK_EQ(q.rights, 5);
	CHECK_EQ(q.indexed_uidnext, 9);
	CHECK_EQ(q.end_ms, p.end_ms);
	CHECK_EQ(q.in, 10);
	CHECK_EQ(q.out, 20);
	CHECK_SLICE(q.tag, p.tag);
	CHECK_SLICE(q.watch, p.watch);
	CHECK_SLICE(q.name, p.name);
	CHECK_EQ(memcmp(q.known.id, p.known.id, sizeof(p.known.id)), 0);
	CHECK_EQ(q.known.uidvalidity, 7);
	CHECK_EQ(q.known.uidnext, 100);
	CHECK_EQ(q.known.modseq, 50);
	CHECK_EQ(q.known.told, 49);
	CHECK_EQ(q.known.count, 12);
	CHECK_EQ(q.known.keywords, 3);
	CHECK_EQ(q.known.gone.n, 2);
	CHECK_EQ(q.known.changed.n, 0);
	CHECK(uidset_has(&q.known.gone, 4) && uidset_has(&q.known.gone, 99));
	CHECK(uidset_has(&q.saved, UINT32_MAX));
	buf_free(&b);
}

/* Cut off anywhere, or with a byte too many, it is none. */
static void
test_lengths(void)
{
	struct buf b = BUF_INIT(SERVICE_STATE_MAX);
	struct imap_parked p, q;

	fill(&p);
	CHECK(imap_parked_write(&p, &b));
	for (size_t n = 0; n < b.n; n++)
		CHECK(!imap_parked_read(&q, slice_head(buf_slice(&b), n),
		    arena));
	buf_addc(&b, 0);
	CHECK(!imap_parked_read(&q, buf_slice(&b), arena));
	buf_free(&b);
}

/* More than the service takes: such a session is not parked. */
static void
test_too_large(void)
{
	struct buf b = BUF_INIT(SERVICE_STATE_MAX);
	struct imap_parked p;

	fill(&p);
	for (uint32_t uid = 1; uid < SERVICE_STATE_MAX; uid += 2)
		uidset_add(&p.known.changed, uid, uid);
	CHECK(!imap_parked_write(&p, &b));
	buf_free(&b);
}

/* Ranges that no set has. */
static void
test_sets(void)
{
	static const struct uidrange bad[][2] = {
		{ { 0, 1 }, { 5, 6 } }, /* 0 is no UID */
		{ { 3, 2 }, { 5, 6 } }, /* backwards */
		{ { 1, 3 }, { 3, 6 } }, /* overlapping */
		{ { 1, 3 }, { 4, 6 } }, /* one range */
		{ { 5, 6 }, { 1, 2 } }, /* not in order */
		{ { 1, UINT32_MAX }, { 1, 2 } },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct buf b = BUF_INIT(SERVICE_STATE_MAX);
		struct imap_parked p, q;
		struct uidrange v[2] = { bad[i][0], bad[i][1] };

		fill(&p);
		p.saved = (struct uidset){ NULL, v, 2, 2 };
		CHECK(imap_parked_write(&p, &b));
		CHECK(!imap_parked_read(&q, buf_slice(&b), arena));
		buf_free(&b);
	}
}

int
main(void)
{
	arena = arena_new(0);
	RUN(test_both_ways);
	RUN(test_lengths);
	RUN(test_too_large);
	RUN(test_sets);
	arena_free(&arena);
	return unit_done();
}
