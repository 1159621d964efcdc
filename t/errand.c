/* Unit test of imap/errand.c: requests as bytes and back. */
#include "imap/errand.h"

#include <string.h>

#include "t/unit.h"

static void
test_both_ways(void)
{
	const struct imap_errand rows[] = {
		{ IMAP_ERRAND_URL, IMAP_WANTS, SLICE("imap://joe@x/"),
		    SLICE_NULL },
		{ IMAP_ERRAND_CREATE, 0, SLICE("a"), SLICE_NULL },
		{ IMAP_ERRAND_DELETE, 0, SLICE("a/b"), SLICE_NULL },
		{ IMAP_ERRAND_RENAME, 0, SLICE("a/b"), SLICE("c") },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf b = BUF_INIT(1000);
		struct imap_errand got;

		imap_errand_write(&rows[i], &b);
		CHECK(imap_errand_read(&got, buf_slice(&b)));
		CHECK_EQ(got.op, rows[i].op);
		CHECK_EQ(got.wants, rows[i].wants);
		CHECK(slice_eq(got.a, rows[i].a));
		CHECK(slice_eq(got.b, rows[i].b));
		/* Cut anywhere, or longer, it is none. */
		for (size_t n = 0; n < b.n; n++)
			CHECK(!imap_errand_read(&got,
			    slice_head(buf_slice(&b), n)));
		buf_addc(&b, 'x');
		CHECK(!imap_errand_read(&got, buf_slice(&b)));
		buf_free(&b);
	}
}

static void
test_wrong(void)
{
	const struct {
		uint32_t head[4];
		const char *rest;
	} rows[] = {
		{ { 0, 0, 1, 0 }, "a" },
		{ { IMAP_ERRAND_OPS, 0, 1, 0 }, "a" },
		{ { IMAP_ERRAND_URL, 8, 1, 0 }, "a" },
		{ { IMAP_ERRAND_URL, 0, 0, 0 }, "" },
		{ { IMAP_ERRAND_URL, 0, 0, 1 }, "a" },
		{ { IMAP_ERRAND_URL, 0, 1, 1 }, "ab" },
		{ { IMAP_ERRAND_CREATE, 1, 1, 0 }, "a" },
		{ { IMAP_ERRAND_RENAME, 0, 2, 0 }, "ab" },
		{ { IMAP_ERRAND_RENAME, 0, UINT32_MAX, 3 }, "ab" },
		{ { IMAP_ERRAND_RENAME, 0, 1, UINT32_MAX }, "ab" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf b = BUF_INIT(1000);
		struct imap_errand got;

		buf_add(&b,
		    slice_of((const char *)rows[i].head, sizeof(rows[i].head)));
		buf_addz(&b, rows[i].rest);
		CHECK(!imap_errand_read(&got, buf_slice(&b)));
		buf_free(&b);
	}
}

int
main(void)
{
	RUN(test_both_ways);
	RUN(test_wrong);
	return unit_done();
}
