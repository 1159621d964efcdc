/* Unit tests of lib/message/dsn. */
#include "message/dsn.h"

#include "base/buf.h"
#include "message/header.h"
#include "message/parse.h"
#include "t/unit.h"

/* ---- reading ---- */

/* RFC 3464, Appendix E. */
static const char simple[] =
    "Date: Thu, 7 Jul 1994 17:16:05 -0400\r\n"
    "From: Mail Delivery Subsystem <MAILER-DAEMON@CS.UTK.EDU>\r\n"
    "Message-Id: <199407072116.RAA14128@CS.UTK.EDU>\r\n"
    "Subject: Returned mail: Cannot send message for 5 days\r\n"
    "To: <owner-info-mime@cs.utk.edu>\r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: multipart/report; report-type=delivery-status;\r\n"
    "      boundary=\"RAA14128.773615765/CS.UTK.EDU\"\r\n"
    "\r\n"
    "--RAA14128.773615765/CS.UTK.EDU\r\n"
    "\r\n"
    "The original message was received at Sat, 2 Jul 1994 17:10:28 -0400\r\n"
    "from root@localhost\r\n"
    "\r\n"
    "--RAA14128.773615765/CS.UTK.EDU\r\n"
    "content-type: message/delivery-status\r\n"
    "\r\n"
    "Reporting-MTA: dns; cs.utk.edu\r\n"
    "\r\n"
    "Original-Recipient: rfc822;louisl@larry.slip.umd.edu\r\n"
    "Final-Recipient: rfc822;louisl@larry.slip.umd.edu\r\n"
    "Action: failed\r\n"
    "Status: 4.0.0\r\n"
    "Diagnostic-Code: smtp; 426 connection timed out\r\n"
    "Last-Attempt-Date: Thu, 7 Jul 1994 17:15:49 -0400\r\n"
    "\r\n"
    "--RAA14128.773615765/CS.UTK.EDU\r\n"
    "content-type: message/rfc822\r\n"
    "\r\n"
    "Subject: original\r\n"
    "\r\n"
    "--RAA14128.773615765/CS.UTK.EDU--\r\n";

static int
parse_whole(struct arena *arena, struct slice message, struct dsn_status *s_r,
    struct err *e)
{
	struct buf record = BUF_INIT(MSGREC_MAX);
	uint32_t status, about;
	int rc;

	msgparse_all(message, NULL, &record);
	if (dsn_find(buf_slice(&record), &status, &about)) {
		CHECK(status != MSGREC_NONE);
		CHECK(about != MSGREC_NONE);
	}
	rc = dsn_parse_message(arena, buf_slice(&record), message, s_r, e);
	buf_free(&record);
	return rc;
}

static void
test_message(void)
{
	struct arena *arena = arena_new(0);
	struct err e = ERR_INIT;
	struct dsn_status s;
	const struct dsn_recipient *r;

	CHECK_EQ(parse_whole(arena, slice_str(simple), &s, &e), 0);
	CHECK_SLICE(s.reporting_mta.type, SLICE("dns"));
	CHECK_SLICE(s.reporting_mta.text, SLICE("cs.utk.edu"));
	CHECK_EQ(s.nrcpts, 1);
	r = &s.rcpts[0];
	CHECK_SLICE(r->final.text, SLICE("louisl@larry.slip.umd.edu"));
	CHECK_SLICE(r->original.text, SLICE("louisl@larry.slip.umd.edu"));
	CHECK_EQ(r->action, DSN_FAILED);
	CHECK_SLICE(r->status, SLICE("4.0.0"));
	CHECK_SLICE(r->diagnostic.text, SLICE("426 connection timed out"));
	CHECK_EQ(r->last_attempt, 773615749);
	CHECK_EQ(parse_whole(arena, SLICE("Subject: x\r\n\r\ny\r\n"), &s, &e),
	    -1);
	CHECK_EQ(e.kind, ERR_SYNTAX);
	arena_free(&arena);
}

/* What is found in the status, a line for each recipient. */
static void
print(struct buf *b, const struct dsn_status *s)
{
	buf_addf(b, "%.*s;%.*s", SLICE_FMT(s->reporting_mta.type),
	    SLICE_FMT(s->reporting_mta.text));
	if (s->envid.n)
		buf_addf(b, " envid=%.*s", SLICE_FMT(s->envid));
	if (s->received_from.text.n)
		buf_addf(b, " from=%.*s", SLICE_FMT(s->received_from.text));
	for (size_t i = 0; i < s->nrcpts; i++) {
		const struct dsn_recipient *r = &s->rcpts[i];
		buf_addf(b, "\n%.*s|%.*s|%.*s|%s|%.*s|%.*s|%.*s",
		    SLICE_FMT(r->original.text), SLICE_FMT(r->final.type),
		    SLICE_FMT(r->final.text), dsn_action_name(r->action),
		    SLICE_FMT(r->status), SLICE_FMT(r->remote_mta.text),
		    SLICE_FMT(r->diagnostic.text));
	}
}

static const struct {
	const char *name, *text, *want; /* want: NULL for an error */
} statuses[] = {
	{ "RFC 3464, E: several recipients",
	    "Reporting-MTA: dns; cs.utk.edu\r\n"
	    "\r\n"
	    "Original-Recipient: rfc822;arathib@vnet.ibm.com\r\n"
	    "Final-Recipient: rfc822;arathib@vnet.ibm.com\r\n"
	    "Action: failed\r\n"
	    "Status: 5.0.0 (permanent failure)\r\n"
	    "Diagnostic-Code: smtp;\r\n"
	    " 550 'arathib@vnet.IBM.COM' is not a registered gateway "
	    "user\r\n"
	    "Remote-MTA: dns; vnet.ibm.com\r\n"
	    "\r\n"
	    "Original-Recipient: rfc822;johnh@hpnjld.njd.hp.com\r\n"
	    "Final-Recipient: rfc822;johnh@hpnjld.njd.hp.com\r\n"
	    "Action: delayed\r\n"
	    "Status: 4.0.0 (hpnjld.njd.jp.com: host name lookup "
	    "failure)\r\n",
	    "dns;cs.utk.edu\n"
	    "arathib@vnet.ibm.com|rfc822|arathib@vnet.ibm.com|failed|"
	    "5.0.0|vnet.ibm.com|550 'arathib@vnet.IBM.COM' is not a "
	    "registered gateway user\n"
	    "johnh@hpnjld.njd.hp.com|rfc822|johnh@hpnjld.njd.hp.com|"
	    "delayed|4.0.0||" },
	{ "RFC 3464, E: gateway",
	    "Reporting-MTA: mailbus; SYS30\r\n\r\n"
	    "Final-Recipient: unknown; nair_s\r\n"
	    "Action: failed\r\n"
	    "Status: 5.0.0 (unknown permanent failure)\r\n",
	    "mailbus;SYS30\n|unknown|nair_s|failed|5.0.0||" },
	{ "as Postfix writes it, with fields of its own",
	    "Reporting-MTA: dns; mail.example.org\n"
	    "X-Postfix-Queue-ID: 4D1F2C0A\n"
	    "X-Postfix-Sender: rfc822; anna@example.org\n"
	    "Arrival-Date: Mon, 30 Nov 2026 15:04:05 +0000 (UTC)\n\n"
	    "Final-Recipient: rfc822; bob@example.net\n"
	    "Original-Recipient: rfc822;robert@example.net\n"
	    "Action: failed\nStatus: 5.1.1\n"
	    "Remote-MTA: dns; mx.example.net\n"
	    "Diagnostic-Code: smtp; 550 5.1.1 <bob@example.net>: no\n"
	    "    such user\n",
	    "dns;mail.example.org\n"
	    "robert@example.net|rfc822|bob@example.net|failed|5.1.1|"
	    "mx.example.net|550 5.1.1 <bob@example.net>: no    such "
	    "user" },
	{ "LF, comments, other case, angle brackets, several empty "
	  "lines",
	    "reporting-mta: DNS; (us) a.example (1.2.3.4)\n"
	    "original-envelope-id: QQ 1\n"
	    "received-from-mta: dns; b.example\n\n\n"
	    "final-recipient: RFC822; <\"a b\"@c.example> x\n"
	    "action: Relayed (maybe)\nx-other: y\n\n\n",
	    "DNS;a.example envid=QQ 1 from=b.example\n"
	    "|RFC822|\"a b\"@c.example|relayed|||" },
	{ "one group for all",
	    "Reporting-MTA: dns; a\nFinal-Recipient: rfc822; b@c\n"
	    "Action: expanded\n",
	    "dns;a\n|rfc822|b@c|expanded|||" },
	{ "no Final-Recipient",
	    "Original-Recipient: rfc822; b@c\nAction: delivered\n",
	    ";\nb@c|rfc822|b@c|delivered|||" },
	{ "RFC 6533, 3: encoded",
	    "Final-Recipient: utf-8; j\\x{F6}rg\\x{2B}x@ex\\x{e4}.example"
	    "\nAction: failed\n",
	    ";\n|utf-8|jörg+x@exä.example|failed|||" },
	{ "RFC 6533, 3: raw",
	    "Final-Recipient: utf-8; jörg@ex.example\nAction: failed\n",
	    ";\n|utf-8|jörg@ex.example|failed|||" },
	{ "encoded controls",
	    "Final-Recipient: utf-8; a\\x{0D}\\x{0A}b@c\n"
	    "Action: failed\n",
	    ";\n|utf-8|a  b@c|failed|||" },
	{ "empty", "", NULL },
	{ "no recipient", "Reporting-MTA: dns; a\n\n", NULL },
	{ "no action", "Final-Recipient: rfc822; a@b\n", NULL },
	{ "unknown action", "Final-Recipient: rfc822; a@b\nAction: eaten\n",
	    NULL },
	{ "no address", "Action: failed\nStatus: 5.0.0\n", NULL },
};

static void
test_status(void)
{
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		struct arena *arena = arena_new(0);
		struct buf got = BUF_INIT(4096);
		struct err e = ERR_INIT;
		struct dsn_status s;
		int rc = dsn_parse(arena, slice_str(statuses[i].text), &s, &e);

		ROW(statuses[i].name);
		CHECK_EQ(rc, statuses[i].want ? 0 : -1);
		if (rc == 0) {
			print(&got, &s);
			CHECK_SLICE(buf_slice(&got),
			    slice_str(statuses[i].want));
		} else
			CHECK_EQ(e.kind, ERR_SYNTAX);
		buf_free(&got);
		arena_free(&arena);
	}
}

static void
test_limits(void)
{
	struct arena *arena = arena_new(0);
	struct buf text = BUF_INIT(1 << 20);
	struct err e = ERR_INIT;
	struct dsn_status s;

	for (int i = 0; i < DSN_RCPTS_MAX; i++)
		buf_addf(&text,
		    "Final-Recipient: rfc822; a%d@b\n"
		    "Action: failed\n\n",
		    i);
	CHECK_EQ(dsn_parse(arena, buf_slice(&text), &s, &e), 0);
	CHECK_EQ(s.nrcpts, DSN_RCPTS_MAX);
	CHECK_SLICE(s.rcpts[DSN_RCPTS_MAX - 1].final.text, SLICE("a999@b"));
	buf_addz(&text, "Final-Recipient: rfc822; a@b\nAction: failed\n");
	CHECK_EQ(dsn_parse(arena, buf_slice(&text), &s, &e), -1);
	CHECK_EQ(e.kind, ERR_LIMIT);
	buf_reset(&text);
	buf_addz(&text, "Final-Recipient: rfc822; a@b\nAction: failed\nX: ");
	while (text.n <= DSN_STATUS_MAX)
		buf_addc(&text, 'x');
	CHECK_EQ(dsn_parse(arena, buf_slice(&text), &s, &e), -1);
	CHECK_EQ(e.kind, ERR_LIMIT);
	buf_free(&text);
	arena_free(&arena);
}

/* ---- writing ---- */

static int
to_buf(void *ctx, struct slice wire, struct err *e)
{
	(void)e;
	buf_add(ctx, wire);
	return 0;
}

static int
fail(void *ctx, struct slice wire, struct err *e)
{
	(void)ctx, (void)wire;
	return err_set(e, ERR_TEMP, "full");
}

/* A letter about one recipient, to be changed by tests. */
static struct dsn_recipient rcpt;
static struct dsn_status status;
static struct dsn_letter letter;
static struct rand fake_rand;

static void
begin(void)
{
	rand_fake(&fake_rand, 7);
	rcpt = (struct dsn_recipient){
		.final = { SLICE_NULL, SLICE("bob@example.org") },
		.action = DSN_FAILED,
		.status = SLICE("5.1.1"),
		.remote_mta = { SLICE_NULL, SLICE("mx.example.org") },
		.diagnostic = { SLICE_NULL, SLICE("550 5.1.1 no such user") },
		.last_attempt = 1764514953,
	};
	status = (struct dsn_status){
		.envid = SLICE("QQ1"),
		.reporting_mta = { SLICE_NULL, SLICE("mail.example.com") },
		.received_from = { SLICE_NULL, SLICE("client.example.com") },
		.arrival = 1764514800,
		.rcpts = &rcpt,
		.nrcpts = 1,
	};
	letter = (struct dsn_letter){
		.status = &status,
		.from = SLICE("postmaster@mail.example.com"),
		.to = SLICE("anna@example.com"),
		.msgid = SLICE("new@mail.example.com"),
		.about_msgid = SLICE("old@example.com"),
		.date = 1764515000,
		.zone_s = 3600,
		.header = SLICE("Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n"
				"To: bob@example.org\n\nnot this\n"),
		.rand = &fake_rand,
	};
}

static void
test_write(void)
{
	struct buf out = BUF_INIT(1 << 20);
	struct err e = ERR_INIT;
	struct buf want = BUF_INIT(1 << 20);
	char boundary[33];
	struct rand r;

	begin();
	rand_fake(&r, 7);
	rand_text(&r, boundary, 32);
	CHECK_EQ(dsn_write(&letter, to_buf, &out, &e), 0);
	buf_addf(&want,
	    "From: postmaster@mail.example.com\r\n"
	    "To: anna@example.com\r\n"
	    "Subject: mail delivery failed\r\n"
	    "Date: Sun, 30 Nov 2025 16:03:20 +0100\r\n"
	    "Message-Id: <new@mail.example.com>\r\n"
	    "In-Reply-To: <old@example.com>\r\n"
	    "References: <old@example.com>\r\n"
	    "Auto-Submitted: auto-replied\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: multipart/report; "
	    "report-type=\"delivery-status\";\r\n"
	    " boundary=\"%s\"\r\n"
	    "\r\n--%s\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: quoted-printable\r\n"
	    "\r\n"
	    "This is the mail server mail.example.com.\r\n"
	    "\r\n"
	    "Your message could not be delivered to:\r\n"
	    "\r\n"
	    "    bob@example.org\r\n"
	    "        mx.example.org said: 550 5.1.1 no such user\r\n"
	    "\r\n"
	    "It will not be tried again.\r\n"
	    "\r\n"
	    "The message:\r\n"
	    "\r\n"
	    "    Subject: Gr=C3=BC=C3=9Fe\r\n"
	    "    To: bob@example.org\r\n"
	    "\r\n"
	    "Its header is attached.\r\n"
	    "\r\n--%s\r\n"
	    "Content-Type: message/delivery-status\r\n"
	    "\r\n"
	    "Original-Envelope-Id: QQ1\r\n"
	    "Reporting-MTA: dns; mail.example.com\r\n"
	    "Received-From-MTA: dns; client.example.com\r\n"
	    "Arrival-Date: Sun, 30 Nov 2025 16:00:00 +0100\r\n"
	    "\r\n"
	    "Final-Recipient: rfc822; bob@example.org\r\n"
	    "Action: failed\r\n"
	    "Status: 5.1.1\r\n"
	    "Remote-MTA: dns; mx.example.org\r\n"
	    "Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n"
	    "Last-Attempt-Date: Sun, 30 Nov 2025 16:02:33 +0100\r\n"
	    "\r\n--%s\r\n"
	    "Content-Type: text/rfc822-headers\r\n"
	    "\r\n"
	    "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
	    "To: bob@example.org\r\n"
	    "\r\n--%s--\r\n",
	    boundary, boundary, boundary, boundary, boundary);
	CHECK_SLICE(buf_slice(&out), buf_slice(&want));
	CHECK_EQ(dsn_write(&letter, fail, NULL, &e), -1);
	CHECK_EQ(e.kind, ERR_TEMP);
	buf_free(&out);
	buf_free(&want);
}

static bool
has(const struct buf *b, const char *text)
{
	return slice_find(buf_slice(b), slice_str(text)) >= 0;
}

/* Write, and read it again. */
static void
round_trip(struct arena *arena, struct buf *out, struct dsn_status *s_r)
{
	struct err e = ERR_INIT;

	buf_reset(out);
	CHECK_EQ(dsn_write(&letter, to_buf, out, &e), 0);
	CHECK_EQ(parse_whole(arena, buf_slice(out), s_r, &e), 0);
	CHECK_EQ(s_r->nrcpts, status.nrcpts);
}

static void
test_actions(void)
{
	struct arena *arena = arena_new(0);
	struct buf out = BUF_INIT(1 << 20);
	struct dsn_recipient all[DSN_ACTIONS];
	struct dsn_status s;

	begin();
	for (int i = 0; i < DSN_ACTIONS; i++) {
		all[i] = rcpt;
		/* The worst last: it is said first. */
		all[i].action = (enum dsn_action)(DSN_ACTIONS - 1 - i);
		all[i].will_retry_until = 1764600000;
		all[i].status = SLICE_NULL;
	}
	status.rcpts = all;
	status.nrcpts = DSN_ACTIONS;
	round_trip(arena, &out, &s);
	CHECK(has(&out, "Subject: mail delivery failed\r\n"));
	for (int i = 0; i < DSN_ACTIONS && s.nrcpts == DSN_ACTIONS; i++) {
		CHECK_EQ(s.rcpts[i].action, i);
		CHECK_EQ(s.rcpts[i].will_retry_until,
		    i == DSN_DELAYED ? 1764600000 : 0);
		CHECK_SLICE(s.rcpts[i].status,
		    i == DSN_FAILED        ? SLICE("5.0.0")
			: i == DSN_DELAYED ? SLICE("4.0.0")
					   : SLICE("2.0.0"));
	}
	CHECK(has(&out, "It is tried again until Mon, 1 Dec 2025"));
	status.nrcpts = DSN_ACTIONS - 1; /* no failure */
	round_trip(arena, &out, &s);
	CHECK(has(&out, "Subject: mail delivery delayed\r\n"));
	status.nrcpts = 1;
	round_trip(arena, &out, &s);
	CHECK(has(&out, "Subject: mail passed on\r\n"));
	letter.subject = SLICE("mail delivery failure");
	round_trip(arena, &out, &s);
	CHECK(has(&out, "Subject: mail delivery failure\r\n"));
	buf_free(&out);
	arena_free(&arena);
}

static void
test_utf8(void)
{
	struct arena *arena = arena_new(0);
	struct buf out = BUF_INIT(1 << 20);
	struct dsn_status s;

	begin();
	rcpt.final.text = SLICE("j\xc3\xb6rg+x=y@b\xc3\xbc.example");
	rcpt.original =
	    (struct dsn_typed){ SLICE("rfc822"), SLICE("joerg@example.org") };
	letter.header = SLICE("Subject: Gr\xc3\xbc\xc3\x9f"
			      "e\r\n\r\n");
	round_trip(arena, &out, &s);
	CHECK_SLICE(s.rcpts[0].final.text, rcpt.final.text);
	CHECK(has(&out, "Content-Type: message/global-delivery-status\r\n"));
	CHECK(has(&out, "Content-Type: message/global-headers\r\n"));
	CHECK(has(&out,
	    "\r\nFinal-Recipient: utf-8; j\xc3\xb6rg\\x{2B}x\\x{3D}y@"));
	CHECK(has(&out, "\r\nOriginal-Recipient: rfc822; joerg@"));

	/* Where addresses are ASCII the rest is made so. */
	begin();
	rcpt.diagnostic.text = SLICE("550 gibt\xc3\xb6 es\xff nicht");
	round_trip(arena, &out, &s);
	CHECK(has(&out, "Content-Type: message/delivery-status\r\n"));
	CHECK_SLICE(s.rcpts[0].diagnostic.text, SLICE("550 gibt? es? nicht"));
	buf_free(&out);
	arena_free(&arena);
}

/* Nothing that comes from outside makes a line of its own, or a long one. */
static void
test_hostile(void)
{
	static const char evil[] =
	    "x\r\nBcc: evil@example.org\r\n\r\n--y\r\nAction: delivered";
	struct arena *arena = arena_new(0);
	struct buf out = BUF_INIT(1 << 20), longs = BUF_INIT(100000);
	struct slice rest, line;
	struct dsn_status s;

	begin();
	rcpt.final.text = status.envid = rcpt.diagnostic.text =
	    rcpt.remote_mta.text = status.reporting_mta.text = rcpt.status =
		letter.from = letter.to = letter.msgid = letter.about_msgid =
		    rcpt.original.text = status.future_release =
			rcpt.final.type = slice_str(evil);
	letter.header = SLICE("Subject: a\r\rBcc: evil\r\n\r\n");
	round_trip(arena, &out, &s);
	CHECK_EQ(s.rcpts[0].action, DSN_FAILED);
	CHECK(!has(&out, "\nBcc:"));
	CHECK(!has(&out, "\rBcc:"));
	CHECK(!has(&out, "\n--y"));

	begin();
	for (int i = 0; i < 50000; i++)
		buf_addz(&longs, "\xc3\xa4");
	rcpt.diagnostic.text = rcpt.final.text = buf_slice(&longs);
	letter.header = buf_slice(&longs);
	round_trip(arena, &out, &s);
	CHECK(s.rcpts[0].final.text.n <= DSN_TEXT_MAX);
	buf_reset(&longs);
	buf_addz(&longs, "Subject: x");
	while (longs.n < 50000)
		buf_addz(&longs, "\xc3\xa4");
	buf_addz(&longs, "\r\nTo: y\r\n");
	letter.header = buf_slice(&longs);
	round_trip(arena, &out, &s);
	CHECK(has(&out, "\r\nTo: y\r\n"));
	for (rest = buf_slice(&out); slice_line(&rest, &line);)
		CHECK(line.n <= 998);
	buf_free(&out);
	buf_free(&longs);
	arena_free(&arena);
}

static int
one_piece(void *ctx, struct slice *wire_r, struct err *e)
{
	int *left = ctx;

	(void)e;
	*wire_r = SLICE("Subject: all\r\n\r\nof it\r\n");
	return (*left)-- > 0;
}

static void
test_full(void)
{
	struct arena *arena = arena_new(0);
	struct buf out = BUF_INIT(1 << 20);
	struct dsn_status s;
	int left = 1;

	begin();
	letter.read = one_piece;
	letter.ctx = &left;
	letter.is_8bit = true;
	round_trip(arena, &out, &s);
	CHECK(has(&out,
	    "Content-Type: message/rfc822\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n\r\n"
	    "Subject: all\r\n\r\nof it\r\n\r\n--"));
	CHECK(has(&out, "It is attached."));
	buf_free(&out);
	arena_free(&arena);
}

/* ---- parameters ---- */

static void
test_params(void)
{
	static const struct {
		const char *orcpt, *type, *text;
	} rows[] = {
		{ "rfc822;bob@example.org", "rfc822", "bob@example.org" },
		{ "rfc822;Bob+2Bx@ex+20y", "rfc822", "Bob+x@ex y" },
		{ "rfc822;a+2", "rfc822", "a+2" },
		{ "rfc822;a+zz@b", "rfc822", "a+zz@b" },
		{ "utf-8;j\\x{F6}rg@b\\x{10FFFF}", "utf-8",
		    "j\xc3\xb6rg@b\xf4\x8f\xbf\xbf" },
		{ "utf-8;a\\x{}b\\x{1234567}\\x{zz", "utf-8",
		    "a\\x{}b\\x{1234567}\\x{zz" },
		{ "bob@example.org", "", "" },
	};
	struct arena *arena = arena_new(0);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dsn_typed t = dsn_orcpt(arena, slice_str(rows[i].orcpt));
		ROW(rows[i].orcpt);
		CHECK_SLICE(t.type, slice_str(rows[i].type));
		CHECK_SLICE(t.text, slice_str(rows[i].text));
	}
	CHECK_SLICE(dsn_envid(arena, SLICE("QQ+2B1")), SLICE("QQ+1"));
	arena_free(&arena);
}

int
main(void)
{
	RUN(test_message);
	RUN(test_status);
	RUN(test_limits);
	RUN(test_write);
	RUN(test_actions);
	RUN(test_utf8);
	RUN(test_hostile);
	RUN(test_full);
	RUN(test_params);
	return unit_done();
}
