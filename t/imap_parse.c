/* Unit tests of imap/parse and imap/months: arguments of commands. */
#include "imap/parse.h"

#include "imap/months.h"
#include "unit.h"

static struct arena *arena;

static struct imap_parse
parse(const char *text)
{
	return (struct imap_parse){ .sc = scan_of(slice_str(text)),
		.arena = arena };
}

static const struct {
	const char *in, *out; /* out NULL: refused */
} astrings[] = {
	{ "abc", "abc" },
	{ "a]b", "a]b" },
	{ "\"a b\"", "a b" },
	{ "\"a\\\"b\\\\\"", "a\"b\\" },
	{ "\"\"", "" },
	{ "{3}\r\nabc", "abc" },
	{ "{3+}\r\na\"\r", "a\"\r" },
	{ "~{2}\r\nab", NULL }, /* RFC 9051, 9: not a literal8 */
	{ "{0}\r\n", "" },
	{ "\"abc", NULL },
	{ "\"a\\b\"", NULL },
	{ "{4}\r\nabc", NULL },
	{ "{3}abc", NULL },
	{ "(", NULL },
	{ "", NULL },
};

static void
test_astring(void)
{
	for (size_t i = 0; i < sizeof(astrings) / sizeof(*astrings); i++) {
		struct imap_parse p = parse(astrings[i].in);
		struct slice s = SLICE_NULL;
		bool ok = imap_astring(&p, &s) && imap_end(&p);
		ROW(astrings[i].in);
		CHECK_EQ(ok, astrings[i].out != NULL);
		if (ok)
			CHECK_SLICE(s, slice_str(astrings[i].out));
	}
}

static const struct {
	const char *in, *out;
	bool utf8;
} mailboxes[] = {
	{ "INBOX", "Inbox", false },
	{ "inbox/sub", "Inbox/sub", false },
	{ "Sent", "Sent", false },
	{ "\"a b\"", "a b", false },
	{ "&AOk-t&AOk-", "\xc3\xa9t\xc3\xa9", false }, /* été */
	{ "a&-b", "a&b", false },
	{ "a&-b", "a&-b", true },
	{ "\"\xc3\xa9\"", "\xc3\xa9", true },
	{ "Lists/", "Lists", false },
	{ "&AOk", NULL, false },
	{ "a//b", NULL, false },
	{ "../x", NULL, false },
	{ "\"\xc3\"", NULL, true },
};

static void
test_mailbox(void)
{
	for (size_t i = 0; i < sizeof(mailboxes) / sizeof(*mailboxes); i++) {
		struct imap_parse p = parse(mailboxes[i].in);
		struct slice s = SLICE_NULL;
		bool ok;
		p.utf8 = mailboxes[i].utf8;
		ok = imap_mailbox(&p, &s) && imap_end(&p);
		ROW(mailboxes[i].in);
		CHECK_EQ(ok, mailboxes[i].out != NULL);
		if (ok)
			CHECK_SLICE(s, slice_str(mailboxes[i].out));
	}
}

static void
test_words(void)
{
	struct imap_parse p = parse("BODY.PEEK[TEXT]");

	CHECK(!imap_word(&p, "BOD"));
	CHECK(imap_word(&p, "body.peek"));
	CHECK(imap_char(&p, '['));
	CHECK(imap_word(&p, "TEXT"));
	p = parse("UIDNEXT");
	CHECK(!imap_word(&p, "UID"));
}

static void
test_flags(void)
{
	struct imap_parse p = parse("(\\Seen $junk word WORD \\draft)");
	struct store_flags f;

	CHECK(imap_flags(&p, false, &f));
	CHECK_EQ(f.flags, STORE_SEEN | STORE_JUNK | STORE_DRAFT);
	CHECK_EQ(f.nkeywords, 1);
	CHECK_SLICE(f.keywords[0], SLICE("word"));
	p = parse("()");
	CHECK(imap_flags(&p, false, &f) && f.flags == 0 && f.nkeywords == 0);
	/* As Dovecot's imapc appends; not more than that. */
	p = parse("( $junk word)");
	CHECK(imap_flags(&p, false, &f));
	CHECK_EQ(f.flags, STORE_JUNK);
	CHECK_EQ(f.nkeywords, 1);
	p = parse("(  word)");
	CHECK(!imap_flags(&p, false, &f));
	p = parse("(word )");
	CHECK(!imap_flags(&p, false, &f));
	p = parse("\\Deleted \\Flagged");
	CHECK(imap_flags(&p, true, &f));
	CHECK_EQ(f.flags, STORE_DELETED | STORE_FLAGGED);
	p = parse("\\Deleted");
	CHECK(!imap_flags(&p, false, &f));
	p = parse("(\\Recent)");
	CHECK(!imap_flags(&p, false, &f));
	p = parse("(a");
	CHECK(!imap_flags(&p, false, &f));
}

static const struct {
	const char *in;
	long long out; /* -1: refused */
} dates[] = {
	{ "\"21-Nov-2026 07:00:00 +0000\"", 1795244400 },
	{ "\" 1-Nov-2026 07:00:00 +0000\"", 1793516400 },
	{ "\"21-nov-2026 08:00:00 +0100\"", 1795244400 },
	{ "\"20-Nov-2026 23:30:00 -0730\"", 1795244400 },
	{ "\"31-Feb-2026 07:00:00 +0000\"", -1 },
	{ "\"21-Nov-2026 25:00:00 +0000\"", -1 },
	{ "\"21-Nov-2026 07:00:00\"", -1 },
	{ "21-Nov-2026 07:00:00 +0000", -1 },
};

static void
test_dates(void)
{
	int64_t s;
	struct imap_parse p;

	for (size_t i = 0; i < sizeof(dates) / sizeof(*dates); i++) {
		p = parse(dates[i].in);
		ROW(dates[i].in);
		CHECK_EQ(imap_date_time(&p, &s) ? s : -1, dates[i].out);
	}
	p = parse("\"1-Feb-1994\"");
	CHECK(imap_date(&p, &s));
	CHECK_EQ(s, 760060800);
	p = parse("01-Feb-1994");
	CHECK(imap_date(&p, &s));
	p = parse("1-Foo-1994");
	CHECK(!imap_date(&p, &s));
}

static void
test_format(void)
{
	char text[IMAP_DATE_TIME];
	size_t n;

	setenv("TZ", "UTC0", 1);
	tzset();
	n = imap_format_date_time(text, 1793516400);
	CHECK_SLICE(slice_of(text, n), SLICE(" 1-Nov-2026 07:00:00 +0000"));
	setenv("TZ", "XST3:30", 1);
	tzset();
	n = imap_format_date_time(text, 1793516400);
	CHECK_SLICE(slice_of(text, n), SLICE(" 1-Nov-2026 03:30:00 -0330"));
}

int
main(void)
{
	arena = arena_new(0);
	RUN(test_astring);
	RUN(test_mailbox);
	RUN(test_words);
	RUN(test_flags);
	RUN(test_dates);
	RUN(test_format);
	arena_free(&arena);
	return unit_done();
}
