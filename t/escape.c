/* Unit test of lib/db/escape.c. */
#include "db/escape.h"

#include "t/unit.h"

static const struct {
	const char *name, *raw, *escaped;
} rows[] = {
	{ "plain", "a-B_9+@=~:,", "a-B_9+@=~:," },
	{ "empty", "", "%" },
	{ "percent", "%", "%25" },
	{ "spaces", " a b ", "%20a%20b%20" },
	{ "control", "\t\n\177", "%09%0A%7F" },
	{ "slash", "lists/qmail", "lists%2Fqmail" },
	{ "dot first", ".a.b", "%2Ea.b" },
	{ "at first", "@a@b", "%40a@b" },
	{ "utf-8", "b\303\274ro", "b\303\274ro" },
};

static void
test_both_ways(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf b = BUF_INIT(100), back = BUF_INIT(100);

		ROW(rows[i].name);
		db_escape(&b, slice_str(rows[i].raw));
		CHECK_SLICE(buf_slice(&b), slice_str(rows[i].escaped));
		CHECK(db_unescape(&back, buf_slice(&b)));
		CHECK_SLICE(buf_slice(&back), slice_str(rows[i].raw));
		buf_free(&b);
		buf_free(&back);
	}
}

static void
test_all_bytes(void)
{
	struct buf b = BUF_INIT(1000), back = BUF_INIT(1000);
	char all[256];

	for (int i = 0; i < 256; i++)
		all[i] = (char)i;
	db_escape(&b, slice_of(all, 256));
	CHECK(slice_chr(buf_slice(&b), '\n') < 0);
	CHECK(slice_chr(buf_slice(&b), '\0') < 0);
	CHECK(db_unescape(&back, buf_slice(&b)));
	CHECK_SLICE(buf_slice(&back), slice_of(all, 256));
	buf_free(&b);
	buf_free(&back);
}

static void
test_lower(void)
{
	struct buf b = BUF_INIT(100);

	db_escape_lower(&b, SLICE(".Mail.EXAMPLE/[Z"));
	CHECK_SLICE(buf_slice(&b), SLICE("%2Email.example%2F[z"));
	buf_free(&b);
}

static void
test_malformed(void)
{
	static const char *const bad[] = { "", "a%", "%4", "%zz", "%%", "%+1" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct buf b = BUF_INIT(100);

		ROW(bad[i]);
		CHECK(!db_unescape(&b, slice_str(bad[i])));
		buf_free(&b);
	}
}

int
main(void)
{
	RUN(test_both_ways);
	RUN(test_all_bytes);
	RUN(test_lower);
	RUN(test_malformed);
	return unit_done();
}
