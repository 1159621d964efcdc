/* Unit test of lib/store/uidset.c. */
#include "base/rand.h"
#include "store/uidset.h"
#include "t/unit.h"

/* Operations "+a:b" and "-a:b" on an empty set, then its text. */
static const struct {
	const char *ops, *want;
	uint64_t count;
} rows[] = {
	{ "", "", 0 },
	{ "+5", "5", 1 },
	{ "+1 +2 +3", "1:3", 3 },
	{ "+3 +2 +1", "1:3", 3 },
	{ "+1 +3 +2", "1:3", 3 },
	{ "+1 +3 +5", "1,3,5", 3 },
	{ "+5 +3 +1", "1,3,5", 3 },
	{ "+1:10 +3:4", "1:10", 10 },
	{ "+3:4 +1:10", "1:10", 10 },
	{ "+1:2 +5:6 +9:10 +2:9", "1:10", 10 },
	{ "+1:2 +5:6 +9:10 +3:4", "1:6,9:10", 8 },
	{ "+1:2 +5:6 +9:10 +7", "1:2,5:7,9:10", 7 },
	{ "+1:4294967295", "1:4294967295", 4294967295 },
	{ "+4294967295 +1", "1,4294967295", 2 },
	{ "+4294967294 +4294967295 +4294967295", "4294967294:4294967295", 2 },
	{ "+1:10 -1", "2:10", 9 },
	{ "+1:10 -10", "1:9", 9 },
	{ "+1:10 -5", "1:4,6:10", 9 },
	{ "+1:10 -1:10", "", 0 },
	{ "+1:3 +5:7 +9:11 -2:10", "1,11", 2 },
	{ "+1:3 +5:7 +9:11 -4", "1:3,5:7,9:11", 9 },
	{ "+1:3 +5:7 +9:11 -4:8", "1:3,9:11", 6 },
	{ "+1:3 -7:9", "1:3", 3 },
	{ "-1:4294967295", "", 0 },
	{ "+1:4294967295 -4294967295", "1:4294967294", 4294967294 },
};

static void
test_rows(void)
{
	struct arena *arena = arena_new(0);
	struct buf text = BUF_INIT(1000);
	struct uidset s, back;
	struct slice ops, op, a, b;
	uint32_t first = 0, last = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ROW(rows[i].ops);
		s = (struct uidset)UIDSET_INIT(arena);
		ops = slice_str(rows[i].ops);
		while (slice_next(&ops, ' ', &op)) {
			if (!slice_cut(slice_skip(op, 1), ':', &a, &b))
				b = a;
			CHECK(slice_u32(a, &first) && slice_u32(b, &last));
			if (op.p[0] == '+')
				uidset_add(&s, first, last);
			else
				uidset_remove(&s, first, last);
		}
		buf_reset(&text);
		uidset_format(&s, &text);
		CHECK_SLICE(buf_slice(&text), slice_str(rows[i].want));
		CHECK_EQ(uidset_count(&s), rows[i].count);
		back = (struct uidset)UIDSET_INIT(arena);
		CHECK_EQ(uidset_parse(&back, buf_slice(&text), 10, NULL), 0);
		CHECK_EQ(uidset_count(&back), rows[i].count);
	}
	buf_free(&text);
	arena_free(&arena);
}

/* Against a plain array of bools. */
static void
test_random(void)
{
	struct arena *arena = arena_new(0);
	struct uidset s = UIDSET_INIT(arena);
	struct uidwalk w;
	struct rand r;
	bool have[102] = { false }, add;
	uint32_t a, b, uid, n;

	rand_fake(&r, 7);
	for (int round = 0; round < 5000; round++) {
		a = 1 + (uint32_t)rand_below(&r, 100);
		b = a + (uint32_t)rand_below(&r, 101 - a);
		add = rand_below(&r, 2) != 0;
		if (add)
			uidset_add(&s, a, b);
		else
			uidset_remove(&s, a, b);
		for (uid = a; uid <= b; uid++)
			have[uid] = add;
		n = 0;
		for (uid = 1; uid <= 100; uid++) {
			CHECK_EQ(uidset_has(&s, uid), have[uid]);
			n += have[uid];
		}
		CHECK_EQ(uidset_count(&s), n);
		w = uidset_walk(&s);
		for (uint32_t last = 0; uidset_step(&w, &uid); last = uid, n--)
			CHECK(have[uid] && uid > last);
		CHECK_EQ(n, 0);
		for (size_t i = 1; i < s.n; i++)
			CHECK(s.v[i].first > s.v[i - 1].last + 1);
	}
	arena_free(&arena);
}

static void
test_parse(void)
{
	static const char *const bad[] = { "0", "1:", ":1", "5:4", "1,", ",1",
		"1,,2", "*", "1:*", "4294967296", "1 2", "a", "1:2:3" };
	struct arena *arena = arena_new(0);
	struct uidset s = UIDSET_INIT(arena);
	struct err e = ERR_INIT;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ROW(bad[i]);
		CHECK_EQ(uidset_parse(&s, slice_str(bad[i]), 10, &e), -1);
		CHECK_EQ(e.kind, ERR_SYNTAX);
	}
	ROW("");
	s = (struct uidset)UIDSET_INIT(arena);
	CHECK_EQ(uidset_parse(&s, SLICE("1,3,5"), 2, &e), -1);
	CHECK_EQ(e.kind, ERR_LIMIT);
	s = (struct uidset)UIDSET_INIT(arena);
	CHECK_EQ(uidset_parse(&s, SLICE("9,1:3,2:5,8"), 3, &e), 0);
	CHECK_EQ(uidset_count(&s), 7);
	arena_free(&arena);
}

static void
test_walk_end(void)
{
	struct arena *arena = arena_new(0);
	struct uidset s = UIDSET_INIT(arena), t = UIDSET_INIT(arena);
	struct uidwalk w;
	uint32_t uid;

	uidset_add(&s, UINT32_MAX - 1, UINT32_MAX);
	uidset_add(&t, 7, 7);
	uidset_add_set(&s, &t);
	w = uidset_walk(&s);
	CHECK(uidset_step(&w, &uid) && uid == 7);
	CHECK(uidset_step(&w, &uid) && uid == UINT32_MAX - 1);
	CHECK(uidset_step(&w, &uid) && uid == UINT32_MAX);
	CHECK(!uidset_step(&w, &uid));
	arena_free(&arena);
}

int
main(void)
{
	RUN(test_rows);
	RUN(test_random);
	RUN(test_parse);
	RUN(test_walk_end);
	return unit_done();
}
