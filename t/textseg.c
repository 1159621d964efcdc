/* Unit test of lib/store/textseg: what is written is read; damage is noticed. */
#include "store/textseg.h"

#include "base/arena.h"
#include "base/rand.h"
#include "t/scratch.h"

#define DOCS 3000
#define LISTS 500

static struct rand rnd;
static uint32_t uids[DOCS];
static unsigned char any[DOCS / 8];
static uint32_t *lists[LISTS], counts[LISTS], trigrams[LISTS];

/* Some lists have all documents, some one, some are in between. */
static void
make_lists(void)
{
	uint32_t trigram = 0;

	rand_fake(&rnd, 1);
	for (uint32_t i = 0; i < DOCS; i++)
		uids[i] = 10 + 3 * i;
	any[7] = 4;
	for (uint32_t k = 0; k < LISTS; k++) {
		uint64_t share = 1 + rand_below(&rnd, k % 7 ? 1000 : 2);
		trigram +=
		    1 + (uint32_t)rand_below(&rnd, k == LISTS - 1 ? 1 : 30000);
		trigrams[k] = trigram;
		lists[k] = xcalloc(DOCS, sizeof(uint32_t));
		counts[k] = 0;
		for (uint32_t d = 0; d < DOCS; d++)
			if (rand_below(&rnd, share) == 0)
				lists[k][counts[k]++] = d;
		if (counts[k] == 0)
			lists[k][counts[k]++] = k;
	}
}

static void
write_segment(const char *name)
{
	struct textseg_scope scope = { 77, 5, 20000, DOCS, uids, any };
	struct textseg_writer w;
	struct err e = ERR_INIT;

	CHECK_EQ(textseg_write_begin(&w, scratch_fd, name, 0600, &scope, &e),
	    0);
	for (uint32_t k = 0; k < LISTS; k++)
		textseg_write_add(&w, trigrams[k], lists[k], counts[k]);
	CHECK_EQ(textseg_write_end(&w, name, &e), 0);
	textseg_write_free(&w);
}

static void
test_find(void)
{
	unsigned char docs[DOCS / 8 + 1], want[DOCS / 8 + 1];
	struct textseg s;
	struct err e = ERR_INIT;
	uint64_t n;

	CHECK_EQ(textseg_open(&s, scratch_fd, "none", &e), 0);
	CHECK_EQ(textseg_open(&s, scratch_fd, "seg", &e), 1);
	CHECK_EQ(s.scope.uidvalidity, 77);
	CHECK_EQ(s.scope.first, 5);
	CHECK_EQ(s.scope.last, 20000);
	CHECK_EQ(s.scope.ndocs, DOCS);
	CHECK(memcmp(s.scope.uids, uids, sizeof(uids)) == 0);
	CHECK(memcmp(s.scope.any, any, sizeof(any)) == 0);
	for (uint32_t k = 0; k < LISTS; k++) {
		memset(docs, 0, sizeof(docs));
		memset(want, 0, sizeof(want));
		for (uint32_t i = 0; i < counts[k]; i++)
			want[lists[k][i] / 8] |=
			    (unsigned char)(1u << lists[k][i] % 8);
		CHECK_EQ(textseg_find(&s, trigrams[k], trigrams[k], docs, &n),
		    0);
		CHECK_EQ(n, counts[k]);
		CHECK(memcmp(docs, want, sizeof(docs)) == 0);
		CHECK_EQ(textseg_find(&s, trigrams[k] - 1, trigrams[k] - 1,
			     docs, &n),
		    0);
		CHECK(n == 0 || (k > 0 && trigrams[k - 1] == trigrams[k] - 1));
	}
	/* A range is all lists in it. */
	memset(docs, 0, sizeof(docs));
	CHECK_EQ(textseg_find(&s, trigrams[3], trigrams[5], docs, &n), 0);
	CHECK_EQ(n, counts[3] + counts[4] + counts[5]);
	CHECK_EQ(textseg_find(&s, trigrams[LISTS - 1] + 1, TEXTSEG_TRIGRAMS - 1,
		     docs, &n),
	    0);
	CHECK_EQ(n, 0);
	textseg_close(&s);
}

static void
test_walk(void)
{
	static uint32_t docs[DOCS];
	struct textseg_cursor c;
	struct textseg s;
	uint32_t k = 0;

	CHECK_EQ(textseg_open(&s, scratch_fd, "seg", NULL), 1);
	for (textseg_first(&c, &s); textseg_next(&c) && k < LISTS; k++) {
		CHECK_EQ(c.trigram, trigrams[k]);
		CHECK_EQ(c.n, counts[k]);
		CHECK(textseg_docs(&c, docs));
		CHECK(memcmp(docs, lists[k], 4 * counts[k]) == 0);
	}
	CHECK_EQ(k, LISTS);
	CHECK(!c.damaged);
	textseg_close(&s);
}

/* 1: no change of the file is left unnoticed; all that is read is read whole. */
static bool
is_noticed(void)
{
	unsigned char docs[DOCS / 8 + 1];
	struct textseg_cursor c;
	struct textseg s;
	struct err e = ERR_INIT;
	bool noticed = false;
	uint64_t n;
	int rc = textseg_open(&s, scratch_fd, "bad", &e);

	if (rc < 0) {
		CHECK_EQ(e.kind, ERR_SYNTAX);
		return true;
	}
	for (textseg_first(&c, &s); textseg_next(&c);)
		;
	noticed = c.damaged;
	noticed |= textseg_find(&s, 0, TEXTSEG_TRIGRAMS - 1, docs, &n) < 0;
	textseg_close(&s);
	return noticed;
}

static void
test_damage(void)
{
	struct buf b = BUF_INIT(1 << 24);
	struct slice all = scratch_get("seg", &b);

	CHECK(all.n > 10000);
	for (size_t i = 0; i < all.n; i += 1 + i / 50) {
		/* Padding before the tables is not looked at. */
		b.p[i] ^= 0x20;
		scratch_put("bad", all);
		b.p[i] ^= 0x20;
		if (!is_noticed() && b.p[i] != 0)
			UNIT_FAIL("byte %zu of %zu", i, all.n);
	}
	for (size_t i = 0; i < all.n; i += 1 + i / 20) {
		scratch_put("bad", slice_head(all, i));
		if (!is_noticed())
			UNIT_FAIL("cut off at %zu of %zu", i, all.n);
	}
	buf_free(&b);
}

/* Of one message, and of none. */
static void
test_small(void)
{
	struct textseg_scope scope = { 1, 1, 1, 0, uids, any };
	unsigned char docs[2] = { 0 };
	struct textseg_writer w;
	struct textseg s;
	uint64_t n;

	CHECK_EQ(textseg_write_begin(&w, scratch_fd, "s", 0600, &scope, NULL),
	    0);
	CHECK_EQ(textseg_write_end(&w, "s", NULL), 0);
	textseg_write_free(&w);
	CHECK_EQ(textseg_open(&s, scratch_fd, "s", NULL), 1);
	CHECK_EQ(textseg_find(&s, 0, TEXTSEG_TRIGRAMS - 1, docs, &n), 0);
	CHECK_EQ(n, 0);
	textseg_close(&s);
	scope.first = scope.last = 10;
	scope.ndocs = 1;
	CHECK_EQ(textseg_write_begin(&w, scratch_fd, "s", 0600, &scope, NULL),
	    0);
	textseg_write_add(&w, TEXTSEG_TRIGRAMS - 1, (uint32_t[]){ 0 }, 1);
	CHECK_EQ(textseg_write_end(&w, "s", NULL), 0);
	textseg_write_free(&w);
	CHECK_EQ(textseg_open(&s, scratch_fd, "s", NULL), 1);
	CHECK_EQ(textseg_find(&s, 0, TEXTSEG_TRIGRAMS - 1, docs, &n), 0);
	CHECK_EQ(n, 1);
	CHECK_EQ(docs[0], 1);
	textseg_close(&s);
}

int
main(void)
{
	scratch_begin();
	make_lists();
	write_segment("seg");
	RUN(test_find);
	RUN(test_walk);
	RUN(test_damage);
	RUN(test_small);
	for (int k = 0; k < LISTS; k++)
		free(lists[k]);
	scratch_end();
	return unit_done();
}
