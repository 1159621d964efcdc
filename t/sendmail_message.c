/* Unit test of tools/sendmail_message.c. */
#include "tools/sendmail_message.h"

#include "base/buf.h"
#include "t/unit.h"

#define F "From: <me@x.example>\n"

/* want: header, then "|", recipients, "|", body; or an error. */
static const struct {
	const char *name, *rcpts, *head, *want;
	bool extract, tls_not_required;
} rows[] = {
	{ "as it is", "a@b", "To: a@b\nSubject: s\n\nbody\n",
	    F "To: a@b\nSubject: s\n\n|a@b|body\n", false, false },
	{ "From is replaced", "a@b",
	    "From: who <who@else>,\n two@else\nTo: a@b\nfrom : x\n\n",
	    F "To: a@b\n\n|a@b|", false, false },
	{ "To is added", "a@b c@d", "Subject: s\n\nb",
	    F "Subject: s\nTo: <a@b>,\n\t<c@d>\n\n|a@b c@d|b", false, false },
	{ "Cc is enough", "a@b", "Cc: c@d\n\nb", F "Cc: c@d\n\n|a@b|b", false,
	    false },
	{ "Bcc goes", "a@b", "To: a@b\nBcc: c@d\n\nb", F "To: a@b\n\n|a@b|b",
	    false, false },
	{ "-t", "", "To: A <a@b>, g: c@d, <e@f>;\nCc: h@i\nBcc: j@k\n\nb",
	    F "To: A <a@b>, g: c@d, <e@f>;\nCc: h@i\n\n|a@b c@d e@f h@i j@k|b",
	    true, false },
	{ "-t and others, each once", "x@y a@b", "To: a@b, a@b\n\nb",
	    F "To: a@b, a@b\n\n|x@y a@b|b", true, false },
	{ "-t, hidden only", "", "Bcc: j@k\n\nb",
	    F "To: undisclosed-recipients:;\n\n|j@k|b", true, false },
	{ "-t, nobody", "", "Subject: x\n\nb", "no recipient", true, false },
	{ "-t, empty To", "", "To: undisclosed-recipients:;\n\nb",
	    "no recipient", true, false },
	{ "a name without a domain", "root", "\nb",
	    F "To: <admin@x.example>\n\n|admin@x.example|b", false, false },
	{ "-t, a name without a domain", "", "To: root\n\nb",
	    F "To: root\n\n|admin@x.example|b", true, false },
	{ "commas and brackets", "a@b,<c@d>", "To: x\n\n",
	    F "To: x\n\n|a@b c@d|", false, false },
	{ "quoted", "\"a b\"@c", "To: x\n\n", F "To: x\n\n|\"a b\"@c|", false,
	    false },
	{ "TLS-Required", "a@b", "To: a@b\n\nb",
	    F "To: a@b\nTLS-Required: No\n\n|a@b|b", false, true },
	{ "no header", "a@b", "hello\nworld: x\n",
	    F "To: <a@b>\n\n|a@b|hello\nworld: x\n", false, false },
	{ "header, then no empty line", "a@b", "Subject: s\nhello\n",
	    F "Subject: s\nTo: <a@b>\n\n|a@b|hello\n", false, false },
	{ "header without an end", "a@b", "To: a@b", F "To: a@b\n\n|a@b|",
	    false, false },
	{ "nothing", "a@b", "", F "To: <a@b>\n\n|a@b|", false, false },
	{ "of an mbox", "a@b",
	    "From a@b Mon Jan  1 00:00:00 2024\nTo: c@d\n\nb",
	    F "To: c@d\n\n|a@b|b", false, false },
	{ "begins with a space", "a@b", " hello\n",
	    F "To: <a@b>\n\n|a@b| hello\n", false, false },
	{ "wrong", "a@b@c", "\n",
	    "recipient \"a@b@c\": text behind the address", false, false },
};

static void
make(size_t i, struct buf *got)
{
	struct arena *arena = arena_new(0);
	struct slice list[10], rest = slice_str(rows[i].rcpts);
	struct slice head = slice_str(rows[i].head);
	struct sendmail_wish wish = { .from = SLICE("me@x.example"),
		.default_rcpt = SLICE("admin@x.example"),
		.rcpts = list,
		.extract = rows[i].extract,
		.tls_not_required = rows[i].tls_not_required };
	struct sendmail_message m;
	struct err e = ERR_INIT;

	while (slice_next(&rest, ' ', &list[wish.n]))
		if (slice_starts(list[wish.n], SLICE("\"a"))) {
			list[wish.n++] = slice_str(rows[i].rcpts);
			break;
		} else {
			wish.n++;
		}
	if (sendmail_message_make(arena, head, &wish, &m, &e) < 0) {
		buf_addz(got, e.text);
	} else {
		buf_add(got, m.header);
		for (size_t k = 0; k < m.n; k++)
			buf_addf(got, "%c%.*s", k ? ' ' : '|',
			    SLICE_FMT(m.rcpts[k]));
		buf_addc(got, '|');
		buf_add(got, slice_skip(head, m.body));
		CHECK(!m.utf8 && !m.utf8_needed);
	}
	arena_free(&arena);
}

static void
test_rows(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf got = BUF_INIT(10000);
		ROW(rows[i].name);
		make(i, &got);
		CHECK_SLICE(buf_slice(&got), slice_str(rows[i].want));
		buf_free(&got);
	}
}

static void
test_utf8(void)
{
	struct arena *arena = arena_new(0);
	struct slice rcpt = SLICE("\xc3\xa4@b");
	struct sendmail_wish wish = {
		.from = SLICE("me@x.example"), .rcpts = &rcpt, .n = 1
	};
	struct sendmail_message m;
	struct err e = ERR_INIT;

	CHECK_EQ(sendmail_message_make(arena, SLICE("\n"), &wish, &m, &e), 0);
	CHECK(m.utf8 && m.utf8_needed);
	rcpt = SLICE("a@b");
	CHECK_EQ(sendmail_message_make(arena, SLICE("Subject: \xc3\xa4\n\n"),
		     &wish, &m, &e),
	    0);
	CHECK(m.utf8 && !m.utf8_needed);
	rcpt = SLICE("root");
	CHECK_EQ(sendmail_message_make(arena, SLICE("\n"), &wish, &m, &e), -1);
	CHECK_STR(e.text,
	    "recipient \"root\" has no domain, and there is no "
	    "DefaultDestination");
	arena_free(&arena);
}

static void
test_large(void)
{
	struct arena *arena = arena_new(0);
	struct slice rcpt = SLICE("a@b");
	struct sendmail_wish wish = {
		.from = SLICE("me@x.example"), .rcpts = &rcpt, .n = 1
	};
	struct buf b = BUF_INIT(2 * SENDMAIL_HEADER_MAX);
	struct sendmail_message m;
	struct err e = ERR_INIT;

	while (b.n < SENDMAIL_HEADER_MAX)
		buf_addz(&b, "X-Field: value\n");
	CHECK_EQ(sendmail_message_make(arena,
		     slice_head(buf_slice(&b), SENDMAIL_HEADER_MAX), &wish, &m,
		     &e),
	    -1);
	CHECK_STR(e.text, "header is too large");
	buf_free(&b);
	arena_free(&arena);
}

int
main(void)
{
	RUN(test_rows);
	RUN(test_utf8);
	RUN(test_large);
	return unit_done();
}
