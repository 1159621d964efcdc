/* Unit test of lib/store/index_line.c: lines of mox.log. */
#include "store/index.h"
#include "t/unit.h"

static void
test_lines(void)
{
	static const char *const rows[] = {
		"v 17 5 abcdefghijklmnopqrstuv",
		"v 17 4294967295 abcdefghijklmnopqrstuv",
		"n 4294967295 9",
		"a 1 2 -3 4 5 6 aaaaaaaaaabbbbbbbbbb 7 - 0 - - n%20x,S=5",
		("a 4294967294 2 3 4 5 6 aaaaaaaaaabbbbbbbbbb 7 "
		 "SRFTDPJNHM ffffffffffffffff 3.128 :SRFTDPaz name"),
		"f 5 + SF 1a 1:3,5",
		"f 5 - - 1 1",
		"f 5 = - 0 1",
		"x 9 1,3:4",
		"y 9 1",
		"u 1:4",
		"o 1",
		"d - 1:4",
		"d :Sa 1:4",
		"w : 1",
		"r 5 a%20b",
		"k 63 name",
		"l 25 $Junk",
		"c 4 1.16 99 1",
		"c 4 - 0 0",
		"s 4 1234 1",
		"m 17? - placed",
		"m - 18",
	};

	struct arena *arena = arena_new(0);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf b = BUF_INIT(1000);
		struct line l;

		ROW(rows[i]);
		CHECK(line_parse(slice_str(rows[i]), arena, &l));
		line_format(&l, &b);
		CHECK_SLICE(buf_slice(&b), slice_str(rows[i]));
		buf_free(&b);
	}
	arena_free(&arena);
}

static void
test_bad_lines(void)
{
	static const char *const rows[] = { "", "a", "z 1", "v 0 1 x",
		"v 17 5 short", "v 17 0 abcdefghijklmnopqrstuv", "n 7",
		"n 4294967296 1",
		"a 0 2 3 4 5 6 aaaaaaaaaabbbbbbbbbb 7 - 0 - - n",
		"a 4294967295 2 3 4 5 6 aaaaaaaaaabbbbbbbbbb 7 - 0 - - n",
		"a 1 2 3 4 5 6 short 7 - 0 - - n",
		"a 1 2 3 4 5 6 aaaaaaaaaabbbbbbbbbb 7 X 0 - - n",
		"a 1 2 3 4 5 6 aaaaaaaaaabbbbbbbbbb 7 - 0 1 - n",
		"a 1 2 3 4 5 6 aaaaaaaaaabbbbbbbbbb 7 - 0 - S n",
		"a 1 2 3 4 5 6 aaaaaaaaaabbbbbbbbbb 7 - 0 - :J n",
		"a 1 2 3 4 5 6 aaaaaaaaaabbbbbbbbbb 7 - 0 - -", "f 1 * - 0 1",
		"f 1 + - 0 0", "f 1 + - 0 ", "f 1 + - 0", "x 1 2:1", "x 1", "u",
		"d : ", "k 64 x", "l 26 x", "k 1", "r 1", "r 1 a%2Fb",
		"r 1 a%00b", "c 1 - 0", "s 0 1 0", "s 1 - 0", "m 0 -", "m x -",
		"m -" };

	struct arena *arena = arena_new(0);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct line l;

		ROW(rows[i]);
		CHECK(!line_parse(slice_str(rows[i]), arena, &l));
	}
	arena_free(&arena);
}

int
main(void)
{
	RUN(test_lines);
	RUN(test_bad_lines);
	return unit_done();
}
