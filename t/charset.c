/* Unit test of lib/text/charset.c. */
#include "text/charset.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "t/unit.h"

#define BAD "\ufffd"

static const struct {
	const char *charset;
	struct slice input;
	const char *expected;
} rows[] = {
	{ "utf-8", SLICE("a\xc3\xa9\xff\xe2\x82"), "a\u00e9" BAD BAD },
	{ "", SLICE("\xc3\xa9"), "\u00e9" },
	{ "US-ASCII", SLICE("x\x80"), "x" BAD },
	{ " ISO-8859-1 ", SLICE("caf\xe9 \x80\x93"), "caf\u00e9 \u20ac\u201c" },
	{ "latin1", SLICE("\xa0\xff\x81"), "\u00a0\u00ff" BAD },
	{ "iso-8859-2", SLICE("\xb1\x80\xe6"), "\u0105" BAD "\u0107" },
	{ "ISO-8859-15", SLICE("\xa4"), "\u20ac" },
	{ "windows-1251", SLICE("\xcf\xf0\xe8"), "\u041f\u0440\u0438" },
	{ "koi8-r", SLICE("\xf0\xd2\xc9"), "\u041f\u0440\u0438" },
	{ "koi8-u", SLICE("\xb4"), "\u0404" },
	{ "iso-8859-9", SLICE("\xfd\x80"), "\u0131\u20ac" },
	{ "cp437", SLICE("\x84\xff"), "\u00e4\u00a0" },
	{ "iso-8859-8-i", SLICE("\xf9"), "\u05e9" },
	{ "macintosh", SLICE("\x8e\xf0"), "\u00e9" BAD },
	{ "gb2312", SLICE("\xc4\xe3\xba\xc3"), "\u4f60\u597d" },
	{ "gb18030", SLICE("\x81\x30\x81\x30\x94\x39\xda\x33"),
	    "\xc2\x80\U0001f4a9" },
	{ "big5", SLICE("\xa7\x41\xa6\x6e"), "\u4f60\u597d" },
	{ "shift_jis", SLICE("\x93\xfa\x96\x7b\xb1"), "\u65e5\u672c\uff71" },
	{ "euc-jp", SLICE("\xc6\xfc\xcb\xdc"), "\u65e5\u672c" },
	{ "iso-2022-jp", SLICE("\x1b$BF|K\\\x1b(B!"), "\u65e5\u672c!" },
	{ "euc-kr", SLICE("\xbe\xc8\xb3\xe7"), "\uc548\ub155" },
	{ "ks_c_5601-1987", SLICE("\x8c\x63"), "\ub620" },
	{ "iso-2022-kr", SLICE("\x1b$)C\x0e>H\x0f."), "\uc548." },
	{ "utf-7", SLICE("Hi +Jjo-!"), "Hi \u263a!" },
	{ "utf-16", SLICE("\xfe\xff\x00\x41\x26\x3a"), "A\u263a" },
	{ "utf-16", SLICE("\xff\xfe\x41\x00\x3a\x26"), "A\u263a" },
	{ "utf-16le", SLICE("A\0\x3d\xd8\x00\xde!\0"), "A\U0001f600!" },
	{ "utf-16be", SLICE("\xdc\x00\0A\0"), BAD "A" BAD },
	{ "gb2312",
	    SLICE("a\xff"
		  "b\xc4"),
	    "a" BAD "b" BAD },
	{ "euc-jp",
	    SLICE("\xc6"
		  "A\xc6\xfc"),
	    BAD "A\u65e5" },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
test_decode(void)
{
	struct buf b = BUF_INIT(1000);

	for (size_t i = 0; i < ROWS; i++) {
		ROW(rows[i].charset);
		buf_reset(&b);
		CHECK(charset_known(slice_str(rows[i].charset)));
		CHECK(charset_decode(&b, slice_str(rows[i].charset),
		    rows[i].input));
		CHECK_STR(buf_cstr(&b), rows[i].expected);
	}
	buf_free(&b);
}

static void
test_stream(void)
{
	struct buf b = BUF_INIT(1000);

	for (size_t i = 0; i < ROWS; i++)
		for (size_t size = 1; size < 6; size++) {
			struct charset *c =
			    charset_new(slice_str(rows[i].charset));
			struct slice in = rows[i].input;

			ROW(rows[i].charset);
			buf_reset(&b);
			for (; in.n > 0; in = slice_skip(in, size))
				charset_push(c, slice_head(in, size), &b);
			charset_end(c, &b);
			CHECK_STR(buf_cstr(&b), rows[i].expected);
			charset_free(&c);
			CHECK(c == NULL);
			charset_free(&c);
		}
	buf_free(&b);
}

static void
test_unknown(void)
{
	static const char *const names[] = { "x", "utf-8 utf8", "utf-8//IGNORE",
		"IBM930", "ISO-2022-CN-EXT", "-", "utf", "8859", "utf-8\n8bit",
		"a-very-long-name-of-a-character-set-that-nobody-has" };
	struct buf b = BUF_INIT(1000);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		ROW(names[i]);
		CHECK(!charset_known(slice_str(names[i])));
		CHECK(charset_new(slice_str(names[i])) == NULL);
		CHECK(!charset_decode(&b, slice_str(names[i]), SLICE("x")));
	}
	CHECK_EQ(b.n, 0);
}

static void
test_limit(void)
{
	char data[3000];
	static const char *const names[] = { "utf-8", "latin1", "gb2312",
		"utf-16le" };

	memset(data, 'A', sizeof(data));
	for (size_t i = 0; i < 4; i++)
		for (size_t max = 0; max < 40; max++) {
			struct buf b = BUF_INIT(max);

			ROW(names[i]);
			CHECK(charset_decode(&b, slice_str(names[i]),
			    slice_of(data, sizeof(data))));
			CHECK(b.over && b.n <= max);
			buf_free(&b);
		}
	ROW("to the byte");
	struct buf b = BUF_INIT(6);
	CHECK(charset_decode(&b, SLICE("gb2312"), SLICE("\xc4\xe3\xba\xc3")));
	CHECK(!b.over && b.n == 6);
	buf_free(&b);
}

/* After charset_warm no file is opened. */
static void
test_warm(void)
{
	struct rlimit none = { 0, 0 };
	int status;
	pid_t pid;

	charset_warm();
	if ((pid = fork()) == 0) {
		struct buf b = BUF_INIT(1000);

		setrlimit(RLIMIT_NOFILE, &none);
		for (size_t i = 0; i < ROWS; i++)
			if (!charset_decode(&b, slice_str(rows[i].charset),
				rows[i].input))
				_exit(1);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	CHECK_EQ(status, 0);
}

int
main(void)
{
	RUN(test_warm);
	RUN(test_decode);
	RUN(test_stream);
	RUN(test_unknown);
	RUN(test_limit);
	return unit_done();
}
