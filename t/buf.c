/* Unit test of lib/base/buf.c. */
#include "base/buf.h"
#include "t/unit.h"

static void
test_add(void)
{
	struct buf b = BUF_INIT(1000);

	CHECK_STR(buf_cstr(&b), "");
	CHECK(b.p == NULL);
	buf_add(&b, SLICE_NULL);
	CHECK(b.p == NULL);
	buf_addz(&b, "x=");
	buf_addf(&b, "%d;", -5);
	buf_addf(&b, "%s", "");
	buf_addu(&b, 0);
	buf_addc(&b, ' ');
	buf_addu(&b, UINT64_MAX);
	CHECK_STR(buf_cstr(&b), "x=-5;0 18446744073709551615");
	CHECK(!b.over);
	buf_consume(&b, 5);
	buf_consume(&b, 0);
	buf_cut(&b, 3);
	CHECK_SLICE(buf_slice(&b), SLICE("0 1"));
	buf_consume(&b, 3);
	CHECK_EQ(b.n, 0);
	buf_free(&b);
	buf_consume(&b, 0);
	CHECK(b.p == NULL && b.max == 1000);
}

static void
test_over(void)
{
	struct buf b = BUF_INIT(4);

	buf_addz(&b, "abc");
	buf_addz(&b, "de"); /* all or nothing */
	CHECK(b.over);
	buf_addc(&b, 'f'); /* would fit, but comes after what did not */
	CHECK_STR(buf_cstr(&b), "abc");
	CHECK(buf_space(&b, 1) == NULL);
	buf_reset(&b);
	CHECK(!b.over);
	buf_addf(&b, "%s", "1234"); /* its NUL does not count */
	CHECK(!b.over);
	CHECK_STR(buf_cstr(&b), "1234");
	buf_addf(&b, "5");
	CHECK(b.over);
	CHECK(buf_space(&b, SIZE_MAX) == NULL);
	buf_wipe(&b);
	CHECK(b.p == NULL && !b.over);
	buf_wipe(&b);
}

static void
test_grow(void)
{
	struct buf b = BUF_INIT(SIZE_MAX);
	char *p;

	for (unsigned i = 0; i < 100000; i++)
		buf_addc(&b, (char)i);
	CHECK_EQ(b.n, 100000);
	CHECK(b.p[99999] == (char)99999);
	p = buf_space(&b, 10);
	CHECK(p == b.p + b.n);
	memset(p, 'x', 10);
	b.n += 10;
	CHECK(slice_ends(buf_slice(&b), SLICE("xxxxxxxxxx")));
	buf_free(&b);
}

int
main(void)
{
	RUN(test_add);
	RUN(test_over);
	RUN(test_grow);
	return unit_done();
}
