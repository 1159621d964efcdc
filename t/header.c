/* Unit tests of lib/message/header and section_fields. */
#include "message/header.h"

#include "message/section.h"
#include "t/unit.h"

/* "name=value" of each field, "|" between, then "#" and the body. */
static const struct {
	const char *block, *want;
} rows[] = {
	{ "A: 1\r\nB: 2\r\n\r\nbody", "A=1|B=2#body" },
	{ "A: 1\nB: 2\n\nbody", "A=1|B=2#body" },
	{ "A:1\r\n 2\r\n\t3\r\nB:4", "A=1\r\n 2\r\n\t3|B=4#" },
	{ "A : 1\r\n", "A=1#" },
	{ "A:\r\n\r\n", "A=#" },
	{ "A:\r\n 1\r\n", "A=1#" },
	{ "From x@y Mon Jan 1 00:00:00 2001\r\nA: 1\r\n", "A=1#" },
	{ "junk\r\n more\r\nA: 1\r\n", "A=1#" },
	{ " first\r\nA: 1\r\n", "A=1#" },
	{ ": x\r\nA: 1\r\n", "A=1#" },
	{ "\xc3\xa4: x\r\nA: 1\r\n", "A=1#" },
	{ "A: 1\r\n \r\n\r\nx", "A=1#x" },
	{ "A: a:b\r\n", "A=a:b#" },
	{ "\r\nA: 1\r\n", "#A: 1\r\n" },
	{ "A: 1\r\n\rB: 2\r\n", "A=1#" },
	{ "", "#" },
};

static void
test_next(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct slice rest = slice_str(rows[i].block);
		struct header_field f;
		struct buf b = BUF_INIT(1000);

		ROW(rows[i].block);
		while (header_next(&rest, &f)) {
			if (b.n > 0)
				buf_addc(&b, '|');
			buf_add(&b, f.name);
			buf_addc(&b, '=');
			buf_add(&b, f.value);
		}
		buf_addc(&b, '#');
		buf_add(&b, rest);
		CHECK_SLICE(buf_slice(&b), slice_str(rows[i].want));
		buf_free(&b);
	}
}

static void
test_find(void)
{
	struct slice block = SLICE("A: 1\r\nB: 2\r\na: 3\r\n\r\nb: 4\r\n");
	struct header_field f;

	CHECK(header_find(block, "b", &f));
	CHECK_SLICE(f.value, SLICE("2"));
	CHECK_SLICE(f.raw, SLICE("B: 2\r\n"));
	CHECK(!header_find(block, "c", &f));
	CHECK_EQ(header_size(block), 20);
	CHECK_EQ(header_size(SLICE("A: 1\n\nx")), 6);
	CHECK_EQ(header_size(SLICE("A: 1")), 4);
	CHECK_EQ(header_size(SLICE("")), 0);
}

static void
test_unfold(void)
{
	struct buf b = BUF_INIT(100);

	header_unfold(&b, SLICE("a\r\n b\n\tc \r\n  d"));
	CHECK_SLICE(buf_slice(&b), SLICE("a b c   d"));
	buf_free(&b);
}

static void
test_valid(void)
{
	CHECK(header_valid(SLICE("X-A"), SLICE("b c")));
	CHECK(header_valid(SLICE("X-A"), SLICE("b\r\n c")));
	CHECK(header_valid(SLICE("X-A"), SLICE("")));
	CHECK(!header_valid(SLICE(""), SLICE("b")));
	CHECK(!header_valid(SLICE("X A"), SLICE("b")));
	CHECK(!header_valid(SLICE("X:"), SLICE("b")));
	CHECK(!header_valid(SLICE("X"), SLICE("b\r\nc")));
	CHECK(!header_valid(SLICE("X"), SLICE("b\r\n")));
	CHECK(!header_valid(SLICE("X"), SLICE("b\n c")));
	CHECK(!header_valid(SLICE("X"), SLICE("b\r c")));
	CHECK(!header_valid(SLICE("X"), SLICE("b\0c")));
}

static void
test_fields(void)
{
	struct slice block = SLICE("A: 1\n 2\nB: 3\nnone\na: 4\n\nbody");
	struct slice names[] = { SLICE("a"), SLICE("x") };
	struct buf b = BUF_INIT(1000);

	section_fields(block, names, 2, false, &b);
	CHECK_SLICE(buf_slice(&b), SLICE("A: 1\r\n 2\r\na: 4\r\n\r\n"));
	buf_reset(&b);
	section_fields(block, names, 2, true, &b);
	CHECK_SLICE(buf_slice(&b), SLICE("B: 3\r\n\r\n"));
	buf_reset(&b);
	section_fields(SLICE("A: 1"), names, 2, false, &b);
	CHECK_SLICE(buf_slice(&b), SLICE("A: 1\r\n\r\n"));
	buf_free(&b);
}

int
main(void)
{
	RUN(test_next);
	RUN(test_find);
	RUN(test_unfold);
	RUN(test_valid);
	RUN(test_fields);
	return unit_done();
}
