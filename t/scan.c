/* Unit test of lib/base/scan.c. */
#include "base/scan.h"
#include "t/unit.h"

static void
test_take(void)
{
	struct scan sc = scan_of(SLICE("A1 FETCH (x)"));
	struct slice tag, word;

	CHECK_EQ(scan_peek(&sc), 'A');
	CHECK(scan_take(&sc, scan_alnum, &tag));
	CHECK_SLICE(tag, SLICE("A1"));
	CHECK(!scan_take(&sc, scan_alnum, &word));
	CHECK(!scan_char(&sc, 'x') && scan_char(&sc, ' '));
	CHECK(!scan_lit(&sc, SLICE("fetch")));
	CHECK(scan_liti(&sc, SLICE("fetch")));
	CHECK_EQ(scan_skip(&sc, scan_wsp), 1);
	CHECK_EQ(scan_skip(&sc, scan_wsp), 0);
	CHECK_SLICE(scan_until(&sc, ')'), SLICE("(x"));
	CHECK(scan_lit(&sc, SLICE(")")) && scan_end(&sc));
	CHECK_EQ(scan_peek(&sc), -1);
	CHECK(!scan_char(&sc, '\0') && !scan_lit(&sc, SLICE("x")));
	CHECK_SLICE(scan_until(&sc, 'x'), SLICE(""));
}

static void
test_bytes(void)
{
	struct scan sc = scan_of(SLICE("ab\xff"));
	struct slice taken;

	CHECK(!scan_bytes(&sc, 4, &taken));
	CHECK(scan_bytes(&sc, 2, &taken));
	CHECK_SLICE(taken, SLICE("ab"));
	CHECK_EQ(scan_peek(&sc), 0xff);
	CHECK_SLICE(scan_rest(&sc), SLICE("\xff"));
	CHECK_EQ(scan_skip(&sc, scan_print), 0);

	sc = scan_of(SLICE_NULL);
	CHECK(scan_end(&sc) && scan_peek(&sc) == -1);
	CHECK(scan_bytes(&sc, 0, &taken));
	CHECK_EQ(scan_rest(&sc).n, 0);
}

static void
test_numbers(void)
{
	struct scan sc = scan_of(SLICE("4294967296:12x"));
	const char *start = sc.p;
	uint32_t w;
	uint64_t u;
	unsigned v;

	CHECK(!scan_u32(&sc, &w) && sc.p == start);
	CHECK(scan_u64(&sc, &u) && u == 4294967296);
	CHECK(!scan_u64(&sc, &u));
	CHECK(scan_char(&sc, ':'));
	CHECK(!scan_digits(&sc, 3, &v) && scan_digits(&sc, 2, &v));
	CHECK_EQ(v, 12);
	CHECK(!scan_digits(&sc, 1, &v) && !scan_digits(&sc, 2, &v));
	sc = scan_of(SLICE("18446744073709551616"));
	start = sc.p;
	CHECK(!scan_u64(&sc, &u) && sc.p == start);
}

static void
test_classes(void)
{
	int digits = 0, hex = 0, alpha = 0, alnum = 0, wsp = 0, print = 0;

	for (int c = 0; c < 256; c++) {
		digits += scan_digit[c];
		hex += scan_hexdigit[c];
		alpha += scan_alpha[c];
		alnum += scan_alnum[c];
		wsp += scan_wsp[c];
		print += scan_print[c];
	}
	CHECK_EQ(digits, 10);
	CHECK_EQ(hex, 22);
	CHECK_EQ(alpha, 52);
	CHECK_EQ(alnum, 62);
	CHECK_EQ(wsp, 2);
	CHECK_EQ(print, 94);
}

int
main(void)
{
	RUN(test_take);
	RUN(test_bytes);
	RUN(test_numbers);
	RUN(test_classes);
	return unit_done();
}
