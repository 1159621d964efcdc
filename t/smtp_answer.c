/* Unit test of smtp/answer.c. */
#include "smtp/answer.h"

#include "t/unit.h"

/* Lines separated by LF; "code|enhanced|text", or "bad" and where. */
static const struct {
	const char *lines, *want;
} rows[] = {
	/* RFC 5321, 4.2.1 and appendix D */
	{ "250-First line\n250-Second line\n250-234 Text beginning with numbers"
	  "\n250 The last line",
	    "250||First line\nSecond line\n234 Text beginning with numbers\n"
	    "The last line" },
	{ "220 foo.com Simple Mail Transfer Service Ready",
	    "220||foo.com Simple Mail Transfer Service Ready" },
	{ "250 OK", "250||OK" },
	{ "250", "250||" },
	{ "250 ", "250||" },
	{ "250-\n250", "250||" },
	/* RFC 2034, 4 */
	{ "550-5.1.1 Mailbox \"nosuchuser\" does not exist\n550 5.1.1 so",
	    "550|5.1.1|Mailbox \"nosuchuser\" does not exist\nso" },
	{ "451 4.3.0", "451|4.3.0|" },
	{ "550 5.7.999 x", "550|5.7.999|x" },
	{ "550-no code here\n550 5.1.0 but here",
	    "550|5.1.0|no code here\nbut here" },
	/* another class, or no code at all, is text */
	{ "550 4.1.1 x", "550||4.1.1 x" },
	{ "550 5.1.1000 x", "550||5.1.1000 x" },
	{ "550 5.1 x", "550||5.1 x" },
	{ "550 5.1.1.1 x", "550||5.1.1.1 x" },
	{ "550 5.1.1x", "550||5.1.1x" },
	{ "334 3.1.1 x", "334||3.1.1 x" },
	{ "250 a\rb", "250||a?b" },
	/* no replies */
	{ "", "bad 1" },
	{ "25", "bad 1" },
	{ "2500 x", "bad 1" },
	{ "250x", "bad 1" },
	{ "199 x", "bad 1" },
	{ "600 x", "bad 1" },
	{ "-250 x", "bad 1" },
	{ " 250 x", "bad 1" },
	{ "SSH-2.0-OpenSSH", "bad 1" },
	{ "250-a\n251 b", "bad 2" },
	{ "250-a\nb", "bad 2" },
	/* without an end */
	{ "250-a\n250-b", "more" },
};

static void
show(const char *lines, struct buf *got)
{
	struct smtp_answer_parse a = SMTP_ANSWER_INIT;
	struct slice rest = slice_str(lines), line = SLICE_NULL;
	unsigned n = 0;
	int rc = 0;

	do {
		slice_cut(rest, '\n', &line, &rest);
		n++;
		rc = smtp_answer_line(&a, line, NULL);
	} while (rc == 0 && rest.n > 0);
	if (rc < 0)
		buf_addf(got, "bad %u", n);
	else if (rc == 0)
		buf_addz(got, "more");
	else
		buf_addf(got, "%d|%s|%.*s", a.code, a.enhanced, (int)a.text.n,
		    a.text.n > 0 ? a.text.p : "");
	buf_free(&a.text);
}

static void
test_answers(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf got = BUF_INIT(10000);
		ROW(rows[i].lines);
		show(rows[i].lines, &got);
		CHECK_SLICE(buf_slice(&got), slice_str(rows[i].want));
		buf_free(&got);
	}
}

/* A NUL is no end; text and lines have limits. */
static void
test_limits(void)
{
	struct smtp_answer_parse a = SMTP_ANSWER_INIT;
	char big[2000];
	struct err e = ERR_INIT;
	unsigned n = 0;

	CHECK_EQ(smtp_answer_line(&a, slice_of("250-a\0b", 7), &e), 0);
	CHECK_SLICE(buf_slice(&a.text), SLICE("a?b"));
	memset(big, 'x', sizeof(big));
	memcpy(big, "250-", 4);
	while (smtp_answer_line(&a, slice_of(big, sizeof(big)), &e) == 0)
		n++;
	CHECK_EQ(n, SMTP_ANSWER_LINES - 1);
	CHECK_EQ(e.kind, ERR_LIMIT);
	CHECK(a.text.n <= SMTP_ANSWER_TEXT);
	CHECK(a.text.n > SMTP_ANSWER_TEXT - sizeof(big));
	buf_free(&a.text);
}

/* ---- offers ---- */

static const struct {
	const char *text, *want;
} offers[] = {
	{ "foo", "esmtp" },
	/* the first line is a name */
	{ "SIZE 5\nPIPELINING", "esmtp pipelining" },
	{ "h\nsize 1000\nPipelining\n8bitmime\nSMTPUTF8\nDSN\nCHUNKING\n"
	  "BINARYMIME\nREQUIRETLS\nSTARTTLS\nENHANCEDSTATUSCODES",
	    "esmtp pipelining starttls 8bitmime smtputf8 enhanced dsn chunking "
	    "binarymime requiretls size=1000" },
	{ "h\nSIZE", "esmtp size=0" },
	{ "h\nSIZE x", "esmtp size=0" },
	{ "h\nSIZE 99999999999999999999999", "esmtp size=0" },
	{ "h\nAUTH PLAIN LOGIN", "esmtp auth=PLAIN LOGIN" },
	{ "h\nAUTH=LOGIN\nAUTH  PLAIN ", "esmtp auth=LOGIN PLAIN" },
	{ "h\nAUTH", "esmtp" },
	{ "h\nLIMITS RCPTMAX=1000 MAILMAX=7 RCPTDOMAINMAX=1",
	    "esmtp rcptmax=1000 mailmax=7" },
	{ "h\nLIMITS RCPTMAX=0 RCPTMAX= RCPTMAX MAILMAX=-1", "esmtp" },
	{ "h\nPIPELINING2\nXPIPELINING\n\n \nVRFY", "esmtp" },
	{ "h\n PIPELINING ", "esmtp pipelining" },
};

static void
show_offers(const struct smtp_offers *o, struct buf *b)
{
	buf_addz(b, o->esmtp ? "esmtp" : "");
	buf_addz(b, o->pipelining ? " pipelining" : "");
	buf_addz(b, o->starttls ? " starttls" : "");
	buf_addz(b, o->eightbitmime ? " 8bitmime" : "");
	buf_addz(b, o->smtputf8 ? " smtputf8" : "");
	buf_addz(b, o->enhanced ? " enhanced" : "");
	buf_addz(b, o->dsn ? " dsn" : "");
	buf_addz(b, o->chunking ? " chunking" : "");
	buf_addz(b, o->binarymime ? " binarymime" : "");
	buf_addz(b, o->requiretls ? " requiretls" : "");
	if (o->size)
		buf_addf(b, " size=%" PRIu64, o->max_size);
	if (o->rcpt_max)
		buf_addf(b, " rcptmax=%" PRIu32, o->rcpt_max);
	if (o->mail_max)
		buf_addf(b, " mailmax=%" PRIu32, o->mail_max);
	if (o->auth.n > 0)
		buf_addf(b, " auth=%.*s", SLICE_FMT(o->auth));
}

static void
test_offers(void)
{
	struct buf auth = BUF_INIT(0);

	for (size_t i = 0; i < sizeof(offers) / sizeof(offers[0]); i++) {
		struct smtp_offers o;
		struct buf got = BUF_INIT(1000);
		ROW(offers[i].text);
		smtp_offers_parse(slice_str(offers[i].text), &auth, &o);
		show_offers(&o, &got);
		CHECK_SLICE(buf_slice(&got), slice_str(offers[i].want));
		buf_free(&got);
	}
	buf_free(&auth);
}

int
main(void)
{
	RUN(test_answers);
	RUN(test_limits);
	RUN(test_offers);
	return unit_done();
}
