/* Unit test of lib/text/unicode.c. */
#include "text/unicode.h"
#include "t/unit.h"

#define BAD "\ufffd"

static void
test_utf8(void)
{
	static const struct {
		const char *name;
		struct slice input;
		const char *repaired; /* NULL: valid */
	} rows[] = {
		{ "empty", SLICE(""), NULL },
		{ "ascii", SLICE("abc\x7f 12345678"), NULL },
		{ "shortest", SLICE("\xc2\x80\u0800\U00010000"), NULL },
		{ "longest", SLICE("\u07ff\uffff\U0010ffff"), NULL },
		{ "around surrogates", SLICE("\ud7ff\ue000"), NULL },
		{ "after eight",
		    SLICE("12345678\u00e9"
			  "12345678"),
		    NULL },
		{ "U+FFFD itself", SLICE(BAD), NULL },
		/* Unicode 15.0, tables 3-8 to 3-11 */
		{ "overlong", SLICE("\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41"),
		    BAD BAD BAD BAD BAD BAD BAD BAD "A" },
		{ "surrogates", SLICE("\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41"),
		    BAD BAD BAD BAD BAD BAD BAD BAD "A" },
		{ "others", SLICE("\xf4\x91\x92\x93\xff\x41\x80\xbf\x42"),
		    BAD BAD BAD BAD BAD "A" BAD BAD "B" },
		{ "truncated", SLICE("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41"),
		    BAD BAD BAD BAD "A" },
		{ "cut off", SLICE("abcdefghi\xe2\x82"), "abcdefghi" BAD },
	};
	struct buf b = BUF_INIT(1000);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice rest = rows[i].input;
		uint32_t c;

		ROW(rows[i].name);
		CHECK_EQ(unicode_valid(rest), rows[i].repaired == NULL);
		buf_reset(&b);
		unicode_repair(&b, rest);
		CHECK_SLICE(buf_slice(&b),
		    rows[i].repaired == NULL ? rest
					     : slice_str(rows[i].repaired));
		buf_reset(&b);
		while (unicode_next(&rest, &c))
			unicode_put(&b, c);
		CHECK_SLICE(buf_slice(&b),
		    rows[i].repaired == NULL ? rows[i].input
					     : slice_str(rows[i].repaired));
	}
	ROW("put");
	buf_reset(&b);
	unicode_put(&b, 0xd800);
	unicode_put(&b, 0x110000);
	CHECK_STR(buf_cstr(&b), BAD BAD);
	buf_free(&b);
}

static void
test_counts(void)
{
	struct slice s = SLICE("a\u00e9\u20ac\U0001f600");

	CHECK_EQ(unicode_count(s), 4);
	CHECK_EQ(unicode_count(SLICE_NULL), 0);
	CHECK_SLICE(unicode_head(s, 2), SLICE("a\u00e9"));
	CHECK_SLICE(unicode_head(s, 9), s);
	CHECK_EQ(unicode_partial(SLICE("")), 0);
	CHECK_EQ(unicode_partial(SLICE("a")), 0);
	CHECK_EQ(unicode_partial(SLICE("a\xc3")), 1);
	CHECK_EQ(unicode_partial(SLICE("\u00e9")), 0);
	CHECK_EQ(unicode_partial(SLICE("\xe2\x82")), 2);
	CHECK_EQ(unicode_partial(SLICE("\u20ac")), 0);
	CHECK_EQ(unicode_partial(SLICE("\xf0\x9f\x98")), 3);
	CHECK_EQ(unicode_partial(SLICE("\xf0\x9f")), 2);
	CHECK_EQ(unicode_partial(SLICE("\U0001f600")), 0);
	CHECK_EQ(unicode_partial(SLICE("\xff")), 0);
	CHECK_EQ(unicode_partial(SLICE("\x80\x80")), 0);
	CHECK_EQ(unicode_partial(SLICE("\xed\xa0")), 0); /* hopeless */
	CHECK_EQ(unicode_partial(SLICE("\xe2\x82\xac\x82")), 0);
	CHECK(unicode_is_ascii(SLICE("abcdefghi")));
	CHECK(!unicode_is_ascii(SLICE("abcdefgh\x80")));
	CHECK_EQ(unicode_ascii_prefix(SLICE("abcdefghi\xc3")), 9);
}

static void
test_nfc(void)
{
	struct buf b = BUF_INIT(1000);

	CHECK(unicode_nfc(&b, SLICE("abc ")));
	CHECK(unicode_nfc(&b, SLICE("e\u0301 \u212b \u1112\u1161")));
	CHECK_STR(buf_cstr(&b), "abc \u00e9 \u00c5 \ud558");
	CHECK(!unicode_nfc(&b, SLICE("\xff")));
	CHECK(unicode_is_nfc(SLICE("\u00e9")) && unicode_is_nfc(SLICE("e")));
	CHECK(!unicode_is_nfc(SLICE("e\u0301")));
	CHECK(!unicode_is_nfc(SLICE("\xff")));
	buf_free(&b);
}

static void
test_fold(void)
{
	/* Each pair folds to the same. */
	static const char *const rows[][2] = {
		{ "abcdefghijklmnopqrstuvwxyz@[`{",
		    "ABCDEFGHIJKLMNOPQRSTUVWXYZ@[`{" },
		{ "\u00e9", "\u00c9" },
		{ "e\u0301", "\u00c9" },
		{ "\u03c3", "\u03c2" },
		{ "\u041f\u0440\u0438", "\u043f\u0420\u0418" },
		{ "\uff21", "a" },
		{ "\ufb01", "FI" },
		{ "\u212a", "k" },
		{ "\u00a0", " " },
		{ "\ud55c", "\u1112\u1161\u11ab" },
		{ "12345678\u00e9ABCDEFGHi", "12345678\u00c9abcdefghI" },
	};
	struct buf a = BUF_INIT(1000), b = BUF_INIT(1000);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ROW(rows[i][1]);
		buf_reset(&a);
		buf_reset(&b);
		unicode_fold(&a, slice_str(rows[i][0]));
		unicode_fold(&b, slice_str(rows[i][1]));
		CHECK_SLICE(buf_slice(&a), buf_slice(&b));
	}
	ROW("all of ASCII");
	for (int c = 0; c < 128; c++) {
		char text[8];

		memset(text, c, sizeof(text));
		buf_reset(&a);
		unicode_fold(&a, slice_of(text, 8));
		CHECK_EQ(a.p[3], c >= 'A' && c <= 'Z' ? c + 32 : c);
		CHECK_EQ(a.p[7], a.p[0]);
	}
	ROW("bytes");
	buf_reset(&a);
	unicode_fold(&a,
	    SLICE("\xff"
		  "A"));
	CHECK_STR(buf_cstr(&a), BAD "a");
	buf_free(&a);
	buf_free(&b);
}

int
main(void)
{
	RUN(test_utf8);
	RUN(test_counts);
	RUN(test_nfc);
	RUN(test_fold);
	return unit_done();
}
