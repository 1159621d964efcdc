/* Unit test of lib/text/precis.c and lib/text/idna.c. */
#include "text/precis.h"

#include "text/idna.h"
#include "t/unit.h"

struct row {
	const char *name, *input, *expected; /* NULL: refused */
};

static void
check_rows(int (*prepare)(struct buf *, struct slice, struct err *),
    const struct row *rows, size_t n)
{
	struct buf b = BUF_INIT(PRECIS_MAX);
	struct err e = ERR_INIT;

	for (size_t i = 0; i < n; i++) {
		int rc;

		ROW(rows[i].name);
		buf_reset(&b);
		rc = prepare(&b, slice_str(rows[i].input), &e);
		CHECK_EQ(rc, rows[i].expected == NULL ? -1 : 0);
		if (rc < 0)
			CHECK(e.kind == ERR_SYNTAX && b.n == 0);
		else
			CHECK_STR(buf_cstr(&b), rows[i].expected);
	}
	buf_wipe(&b);
}

static void
test_password(void)
{
	static const struct row rows[] = {
		/* RFC 8265, 4.3, table 2 and 3 */
		{ "spaces", "correct horse battery staple",
		    "correct horse battery staple" },
		{ "case", "Correct Horse Battery Staple",
		    "Correct Horse Battery Staple" },
		{ "greek", "\u03c0\u00df\u00e5", "\u03c0\u00df\u00e5" },
		{ "symbol", "Jack of \u2666s", "Jack of \u2666s" },
		{ "other space", "foo\u1680bar", "foo bar" },
		{ "empty", "", NULL },
		{ "control",
		    "my cat is a \x09"
		    "by",
		    NULL },

		{ "composed", "e\u0301", "\u00e9" },
		{ "wide stays", "\uff21", "\uff21" },
		{ "emoji", "\U0001f600", "\U0001f600" },
		{ "no-break space", "a\u00a0b", "a b" },
		{ "line separator", "a\u2028b", NULL },
		{ "zero width space", "a\u200b", NULL },
		{ "soft hyphen", "a\u00ad", NULL },
		{ "not UTF-8", "a\xff", NULL },
		{ "private use", "\ue000", NULL },
		{ "no character", "\uffff", NULL },
		{ "jamo", "\u1100", NULL },
		{ "tatweel", "\u0640", NULL },
		{ "catalan", "l\u00b7l", "l\u00b7l" },
		{ "middle dot", "a\u00b7l", NULL },
		{ "keraia", "\u0375\u03b1", "\u0375\u03b1" },
		{ "keraia alone", "\u0375", NULL },
		{ "geresh", "\u05d0\u05f3", "\u05d0\u05f3" },
		{ "geresh alone", "\u05f3", NULL },
		{ "katakana dot", "\u30fb\u30a2", "\u30fb\u30a2" },
		{ "katakana dot alone", "a\u30fb", NULL },
		{ "arabic digits", "\u0660\u0661", "\u0660\u0661" },
		{ "digits mixed", "\u0660\u06f1", NULL },
		{ "joiner", "\u0915\u094d\u200d", "\u0915\u094d\u200d" },
		{ "joiner alone", "a\u200d", NULL },
		{ "non-joiner", "\u0628\u200c\u0628", "\u0628\u200c\u0628" },
		{ "non-joiner over marks", "\u0628\u064b\u200c\u064b\u0628",
		    "\u0628\u064b\u200c\u064b\u0628" },
		{ "non-joiner alone", "a\u200cb", NULL },
	};
	char text[PRECIS_MAX + 1];
	struct buf b = BUF_INIT(10000);

	check_rows(precis_password, rows, sizeof(rows) / sizeof(rows[0]));
	ROW("length");
	memset(text, 'x', sizeof(text));
	CHECK_EQ(precis_password(&b, slice_of(text, PRECIS_MAX), NULL), 0);
	CHECK_EQ(precis_password(&b, slice_of(text, PRECIS_MAX + 1), NULL), -1);
	buf_free(&b);
}

static void
test_login(void)
{
	static const struct row rows[] = {
		{ "address", "Mjl@Example.org", "Mjl@Example.org" },
		{ "composed", "e\u0301@x", "\u00e9@x" },
		{ "space", "a b@x", NULL },
		{ "control", "a\n@x", NULL },
		{ "bytes", "\xe9@x", NULL },
		{ "empty", "", NULL },
	};

	check_rows(precis_login, rows, sizeof(rows) / sizeof(rows[0]));
}

static void
test_idna(void)
{
	static const struct {
		const char *input, *ascii, *unicode; /* NULL: refused */
	} rows[] = {
		{ "Example.COM", "example.com", "example.com" },
		{ "m\u00fcnchen.de", "xn--mnchen-3ya.de", "m\u00fcnchen.de" },
		{ "XN--mnchen-3YA.de", "xn--mnchen-3ya.de", "m\u00fcnchen.de" },
		{ "fa\u00df.de", "xn--fa-hia.de", "fa\u00df.de" },
		{ "\u00d6BB.at", "xn--bb-eka.at", "\u00f6bb.at" },
		{ "u\u0308.de", "xn--tda.de", "\u00fc.de" },
		{ "b\u00fccher\u3002example", "xn--bcher-kva.example",
		    "b\u00fccher.example" },
		{ "\u65e5\u672c\u8a9e.jp", "xn--wgv71a119e.jp",
		    "\u65e5\u672c\u8a9e.jp" },
		{ "_dmarc.m\u00fcnchen.de", "_dmarc.xn--mnchen-3ya.de",
		    "_dmarc.m\u00fcnchen.de" },
		{ "localhost", "localhost", "localhost" },
		/* Not valid, but may be in DNS: shown as they are. */
		{ "xn--a.de", "xn--a.de", "xn--a.de" },
		{ "xn--ls8h.la", "xn--ls8h.la", "xn--ls8h.la" },
		{ "", NULL, NULL },
		{ ".", NULL, NULL },
		{ "a.", NULL, NULL },
		{ "a..b", NULL, NULL },
		{ "a b.de", NULL, NULL },
		{ "a\uff0fb.de", NULL, NULL },
		{ "\u2603.net", NULL, NULL },
		{ "\u00fc-.de", NULL, NULL },
		{ "\xff.de", NULL, NULL },
		{ "a@b", NULL, NULL },
		{ "123456789-123456789-123456789-123456789-123456789-123456789-"
		  "1234",
		    NULL, NULL },
	};
	struct arena *a = arena_new(0);
	struct err e = ERR_INIT;
	struct slice s;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice input = slice_str(rows[i].input);
		int want = rows[i].ascii == NULL ? -1 : 0;

		ROW(rows[i].input);
		CHECK_EQ(idna_ascii(a, input, &s, &e), want);
		if (want == 0)
			CHECK_SLICE(s, slice_str(rows[i].ascii));
		CHECK_EQ(idna_unicode(a, input, &s, &e), want);
		if (want == 0)
			CHECK_SLICE(s, slice_str(rows[i].unicode));
	}
	ROW("NUL");
	CHECK_EQ(idna_ascii(a, SLICE("a\0b"), &s, &e), -1);
	CHECK_EQ(e.kind, ERR_SYNTAX);
	arena_free(&a);
}

int
main(void)
{
	RUN(test_password);
	RUN(test_login);
	RUN(test_idna);
	return unit_done();
}
