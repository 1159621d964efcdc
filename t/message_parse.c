/* Unit tests of lib/message/parse: records of whole messages. */
#include "message/parse.h"

#include "message/record.h"
#include "t/unit.h"

static struct buf record = BUF_INIT(MSGREC_MAX);

/* The record, made in one piece, in bytes and of the LF form: all the same. */
static struct slice
parsed(struct slice wire)
{
	struct buf other = BUF_INIT(MSGREC_MAX), lf = BUF_INIT(SIZE_MAX);
	struct msgparse_opts opts = { .form = MSGPARSE_LF };
	struct msgparse *p = msgparse_new(NULL);
	bool bare;

	buf_reset(&record);
	msgparse_all(wire, NULL, &record);
	CHECK(msgrec_check(buf_slice(&record)));
	CHECK_EQ(msgrec_wire_size(buf_slice(&record)), wire.n);
	for (size_t i = 0; i < wire.n; i++)
		msgparse_push(p, slice_sub(wire, i, i + 1));
	msgparse_finish(p, &other);
	msgparse_free(&p);
	CHECK(slice_eq(buf_slice(&record), buf_slice(&other)));
	bare = msgrec_flags(buf_slice(&record)) & MSGREC_BARE;
	for (size_t i = 0; i < wire.n; i++)
		if (wire.p[i] != '\r')
			buf_addc(&lf, wire.p[i]);
	buf_reset(&other);
	msgparse_all(buf_slice(&lf), &opts, &other);
	CHECK(bare || slice_eq(buf_slice(&record), buf_slice(&other)));
	buf_free(&other);
	buf_free(&lf);
	return buf_slice(&record);
}

/* BODY, much shorter than BODYSTRUCTURE; what differs is tested below. */
static void
check_body(struct slice wire, const char *want)
{
	struct buf b = BUF_INIT(MSGREC_MAX);

	msgrec_body(parsed(wire), &b);
	CHECK_SLICE(buf_slice(&b), slice_str(want));
	buf_free(&b);
}

#define TEXT "\"TEXT\" \"PLAIN\" (\"CHARSET\" \"us-ascii\") NIL NIL \"7BIT\""
#define MULTI "Content-Type: multipart/mixed; boundary="
#define MESSAGE "\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\""
#define NO_FIELDS "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"

static const struct {
	const char *name, *wire, *body;
} rows[] = {
	{ "empty", "", "(" TEXT " 0 0)" },
	{ "only a header", "A: b\r\n", "(" TEXT " 0 0)" },
	{ "only a body", "\r\nx\r\n", "(" TEXT " 3 1)" },
	{ "no last line end", "\r\nx\r\ny", "(" TEXT " 4 1)" },
	{ "two parts",
	    MULTI "b\r\n\r\npre\r\n--b\r\n\r\none\r\n--b\r\n\r\n"
		  "two\r\n\r\n--b--\r\nepilogue\r\n--b\r\nno part\r\n",
	    "((" TEXT " 3 0)(" TEXT " 5 1) \"MIXED\")" },
	{ "no last boundary", MULTI "b\r\n\r\n--b\r\n\r\none\r\n",
	    "((" TEXT " 5 1) \"MIXED\")" },
	{ "boundary at the very end", MULTI "b\r\n\r\n--b\r\n\r\none\r\n--b--",
	    "((" TEXT " 3 0) \"MIXED\")" },
	{ "a part begins at the very end", MULTI "b\r\n\r\n--b",
	    "((" TEXT " 0 0) \"MIXED\")" },
	{ "no part at all", MULTI "b\r\n\r\nx\r\n",
	    "((" TEXT " 0 0) \"MIXED\")" },
	{ "no boundary named", "Content-Type: multipart/mixed\r\n\r\n--\r\nx",
	    "((" TEXT " 0 0) \"MIXED\")" },
	{ "empty boundary", MULTI "\"\"\r\n\r\n--\r\n\r\nx",
	    "((" TEXT " 0 0) \"MIXED\")" },
	{ "text behind the boundary",
	    MULTI "b\r\n\r\n--b \t\r\n\r\nx\r\n--b-- x",
	    "((" TEXT " 1 0) \"MIXED\")" },
	{ "not at the begin of a line", MULTI "b\r\n\r\n--b\r\n\r\nx --b\r\n",
	    "((" TEXT " 7 1) \"MIXED\")" },
	{ "boundary that ends in a space", MULTI "\"b \"\r\n\r\n--b\r\n\r\nx",
	    "((" TEXT " 1 0) \"MIXED\")" },
	{ "nested",
	    MULTI "a\r\n\r\n--a\r\n" MULTI "b\r\n\r\n--b\r\n\r\none\r\n"
		  "--b--\r\n--a\r\n\r\ntwo\r\n--a--\r\n",
	    "(((" TEXT " 3 0) \"MIXED\")(" TEXT " 3 0) \"MIXED\")" },
	{ "outer ends inner",
	    MULTI "a\r\n\r\n--a\r\n" MULTI "b\r\n\r\n--b\r\n"
		  "\r\none\r\n--a\r\n\r\ntwo\r\n--a--\r\n",
	    "(((" TEXT " 3 0) \"MIXED\")(" TEXT " 3 0) \"MIXED\")" },
	{ "one is a prefix of the other",
	    MULTI
	    "a\r\n\r\n--a\r\n" MULTI
	    "ab\r\n\r\n--ab\r\n\r\none\r\n--ab--\r\n--ab\r\n--a\r\n\r\ntwo\r\n",
	    "(((" TEXT " 3 0) \"MIXED\")(" TEXT " 5 1) \"MIXED\")" },
	{ "the same twice",
	    MULTI "a\r\n\r\n--a\r\n" MULTI "a\r\n\r\n--a\r\n"
		  "\r\none\r\n--a--\r\n--a\r\n",
	    "(((" TEXT " 3 0) \"MIXED\") \"MIXED\")" },
	{ "a boundary ends a header",
	    MULTI "a\r\n\r\n--a\r\nX: y\r\n--a\r\n"
		  "Content-Type: text/html\r\n--a--",
	    "((" TEXT " 0 0)(\"TEXT\" \"HTML\" (\"CHARSET\" \"us-ascii\") NIL "
	    "NIL \"7BIT\" 0 0) \"MIXED\")" },
	{ "boundaries in a row", MULTI "a\r\n\r\n--a\r\n--a\r\n--a--",
	    "((" TEXT " 0 0)(" TEXT " 0 0) \"MIXED\")" },
	{ "message",
	    MULTI "a\r\n\r\n--a\r\nContent-Type: Message/RFC822\r\n\r\n"
		  "Subject: s\r\n\r\nx\r\n--a--\r\n",
	    "((" MESSAGE
	    " 15 (NIL \"s\" NIL NIL NIL NIL NIL NIL NIL NIL) (" TEXT
	    " 1 0) 2) \"MIXED\")" },
	{ "message cut by a boundary",
	    MULTI "a\r\n\r\n--a\r\n"
		  "Content-Type: message/rfc822\r\n--a--\r\n",
	    "((" MESSAGE " 0 " NO_FIELDS " (" TEXT " 0 0) 0) \"MIXED\")" },
	{ "message cut in its header",
	    MULTI "a\r\n\r\n--a\r\n"
		  "Content-Type: message/rfc822\r\n\r\nX: y\r\n--a--\r\n",
	    "((" MESSAGE " 4 " NO_FIELDS " (" TEXT " 0 0) 0) \"MIXED\")" },
	{ "message in a message",
	    "Content-Type: message/global\r\n\r\n"
	    "Content-Type: message/rfc822\r\n\r\nSubject: s\r\n\r\nx\r\n",
	    "(\"MESSAGE\" \"GLOBAL\" NIL NIL NIL \"7BIT\" 49 " NO_FIELDS
	    " (" MESSAGE
	    " 17 (NIL \"s\" NIL NIL NIL NIL NIL NIL NIL NIL) (" TEXT
	    " 3 1) 3) 5)" },
	{ "digest",
	    "Content-Type: multipart/digest; boundary=a\r\n\r\n--a\r\n"
	    "\r\nSubject: s\r\n\r\nx\r\n--a\r\nContent-Type: text/plain\r\n\r\n"
	    "y\r\n--a--\r\n",
	    "((" MESSAGE
	    " 15 (NIL \"s\" NIL NIL NIL NIL NIL NIL NIL NIL) (" TEXT
	    " 1 0) 2)(" TEXT " 1 0) \"DIGEST\")" },
	{ "MIME fields",
	    "Content-Type: image/png; name=\"a b\"\r\n"
	    "Content-Transfer-Encoding: base64\r\nContent-ID: <i@d>\r\n"
	    "Content-Description: a\r\n picture\r\n\r\nAAAA\r\n",
	    "(\"IMAGE\" \"PNG\" (\"NAME\" \"a b\") \"<i@d>\" \"a picture\" "
	    "\"BASE64\" 6)" },
	{ "type that is none", "Content-Type: text\r\n\r\nx",
	    "(" TEXT " 1 0)" },
	{ "two types", "Content-Type: a/b\r\nContent-Type: c/d\r\n\r\nx",
	    "(\"A\" \"B\" NIL NIL NIL \"7BIT\" 1)" },
	{ "encoding that is none",
	    "Content-Transfer-Encoding: quoted printable"
	    "\r\n\r\nx",
	    "(" TEXT " 1 0)" },
	{ "strings that need a literal",
	    "Content-Description: \xc3\xa4\"\r\n"
	    "Content-Type: a/b; c=\"\\\"\\\\\"\r\n\r\n",
	    "(\"A\" \"B\" (\"C\" \"\\\"\\\\\") NIL {3}\r\n\xc3\xa4\" \"7BIT\" "
	    "0)" },
	{ "not a field", "junk\r\nContent-Type: a/b\r\n\r\nx",
	    "(\"A\" \"B\" NIL NIL NIL \"7BIT\" 1)" },
	{ "bare LF", MULTI "b\n\n--b\n\none\n\n--b--\n",
	    "((" TEXT " 4 1) \"MIXED\")" },
	{ "bare CR", "\r\na\rb\r\n", "(" TEXT " 5 1)" },
};

static void
test_body(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		ROW(rows[i].name);
		check_body(slice_str(rows[i].wire), rows[i].body);
	}
}

static void
check_text(enum msgrec_text which, const char *want)
{
	CHECK_SLICE(msgrec_text(buf_slice(&record), which), slice_str(want));
}

static void
test_extension(void)
{
	parsed(SLICE("Content-Type: text/plain; charset*=utf-8''x\r\n"
		     "Content-MD5: Q2hlY2s=\r\n"
		     "Content-Disposition: Attachment; filename=\"a b\"\r\n"
		     "Content-Language: en, de (x)\r\n"
		     "Content-Location: http://x/\r\n\r\n"));
	check_text(MSGREC_STRUCTURE,
	    "(\"TEXT\" \"PLAIN\" (\"CHARSET*\" \"utf-8''x\") NIL NIL \"7BIT\" "
	    "0 0 \"Q2hlY2s=\" (\"ATTACHMENT\" (\"FILENAME\" \"a b\")) (\"en\" "
	    "\"de\") \"http://x/\")");
	CHECK(msgrec_flags(buf_slice(&record)) & MSGREC_ATTACHMENT);
	parsed(SLICE(MULTI "b\r\nContent-Disposition: inline\r\n\r\n--b\r\n"
			   "Content-Disposition: =?x?=\r\n"));
	check_text(MSGREC_STRUCTURE,
	    "((" TEXT " 0 0 NIL NIL NIL NIL) \"MIXED\" (\"BOUNDARY\" \"b\") "
	    "(\"INLINE\" NIL) NIL NIL)");
}

static void
test_envelope(void)
{
	parsed(SLICE("Date: Fri, 21 Nov 1997 09:55:06 -0600\r\n"
		     "Subject: =?utf-8?q?J=C3=BC?=\r\n =?utf-8?q?rg?= \"x\"\r\n"
		     "From: A <a@b>\r\nReply-To: c\r\nSender: \r\n"
		     "To: g: d@e;\r\nTo: f@g\r\nCc: \"N, M\" <@r:n@m>\r\n"
		     "In-Reply-To: <1@x>\r\nMessage-ID: <2@Y>\r\n\r\n"));
	check_text(MSGREC_ENVELOPE,
	    "(\"Fri, 21 Nov 1997 09:55:06 -0600\" \"=?utf-8?q?J=C3=BC?= "
	    "=?utf-8?q?rg?= \\\"x\\\"\" ((\"A\" NIL \"a\" \"b\")) ((\"A\" NIL "
	    "\"a\" \"b\")) ((NIL NIL \"c\" \"MISSING_DOMAIN\")) ((NIL NIL "
	    "\"g\" NIL)(NIL NIL \"d\" \"e\")(NIL NIL NIL NIL)(NIL NIL \"f\" "
	    "\"g\")) ((\"N, M\" \"@r\" \"n\" \"m\")) NIL \"<1@x>\" \"<2@Y>\")");
	check_text(MSGREC_SUBJECT, "Jürg \"x\"");
	check_text(MSGREC_SUBJECT_BASE, "ju\xcc\x88rg \"x\"");
	check_text(MSGREC_FROM, "A <a@b>");
	check_text(MSGREC_TO, "g: d@e;, f@g");
	check_text(MSGREC_CC, "\"N, M\" <@r:n@m>");
	check_text(MSGREC_BCC, "");
	check_text(MSGREC_MSGID, "2@y");
	check_text(MSGREC_REFERENCES, "1@x");
	check_text(MSGREC_FROM_LOCAL, "a");
	check_text(MSGREC_FROM_DOMAIN, "b");
	CHECK_EQ(msgrec_date(buf_slice(&record)), 880127706);
	CHECK_EQ(msgrec_flags(buf_slice(&record)), MSGREC_DATE);

	parsed(SLICE("Subject: a\r\nSubject: b\r\nSUBJECT : \xe4\0\r\n"
		     "From: \"\xc3\xa4\" <x>, y@z\r\n\r\n"));
	check_text(MSGREC_ENVELOPE,
	    "(NIL {1}\r\n\xe4 (({2}\r\n\xc3\xa4 NIL \"x\" \"MISSING_DOMAIN\")"
	    "(NIL NIL \"y\" \"z\")) (({2}\r\n\xc3\xa4 NIL \"x\" "
	    "\"MISSING_DOMAIN\")(NIL NIL \"y\" \"z\")) (({2}\r\n\xc3\xa4 NIL "
	    "\"x\" \"MISSING_DOMAIN\")(NIL NIL \"y\" \"z\")) NIL NIL NIL NIL "
	    "NIL)");
	check_text(MSGREC_SUBJECT, "\xef\xbf\xbd ");
	CHECK_EQ(msgrec_froms(buf_slice(&record)), 2);
}

static void
test_flags(void)
{
	static const struct {
		const char *wire;
		unsigned flags, received;
	} flags[] = {
		{ "A: b\r\n\r\nc\r\n", 0, 0 },
		{ "A: \xe4\r\n\r\nc\r\n", MSGREC_8BIT_HEADER, 0 },
		{ "A: b\r\n\r\n\xe4\r\n", MSGREC_8BIT_BODY, 0 },
		{ "A: b\n\r\n", MSGREC_BARE, 0 },
		{ "A: b\r\n\r\nxxxxxxxxxxxxxxx\ryyyyyyyyy\r\n", MSGREC_BARE,
		    0 },
		{ "A: b\r\n\r\nxxxxxxx\r\nyyyyyyyyy\r\n", 0, 0 },
		{ "A: b\r\n\r\nx\r\r\n", MSGREC_BARE, 0 },
		{ "A: b\r\n\r\nx\r", MSGREC_BARE, 0 },
		{ "Subject: Re: x\r\n\r\n", MSGREC_REPLY, 0 },
		{ "List-Id: x\r\n\r\n", MSGREC_LIST, 0 },
		{ "Received: x\r\nreceived : y\r\n z\r\n\r\nReceived: no\r\n",
		    0, 2 },
		{ "Content-Type: multipart/report; report-type=Delivery-Status;"
		  " boundary=x\r\n\r\n",
		    MSGREC_DSN, 0 },
		{ "Date: 31 Feb 2001 00:00:00 +0000\r\n\r\n", 0, 0 },
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		struct slice r;

		ROW(flags[i].wire);
		r = parsed(slice_str(flags[i].wire));
		CHECK_EQ(msgrec_flags(r), flags[i].flags);
		CHECK_EQ(msgrec_received(r), flags[i].received);
	}
	CHECK_EQ(msgrec_flags(parsed(SLICE("\r\n1234567\0"))), MSGREC_NUL);
}

static void
test_references(void)
{
	struct buf b = BUF_INIT(100000);

	parsed(SLICE("References: <A@b> junk <\"c d\"@e>\r\n <f@g\r\n"
		     "In-Reply-To: <x@y>\r\nMessage-ID: no <brackets\r\n\r\n"));
	check_text(MSGREC_REFERENCES, "a@b cd@e");
	check_text(MSGREC_MSGID, "no<brackets");
	buf_addz(&b, "References:");
	for (int i = 0; i < 60; i++)
		buf_addf(&b, "\r\n <%d@x>", i);
	buf_addz(&b, "\r\n\r\n");
	parsed(buf_slice(&b));
	CHECK(slice_starts(msgrec_text(buf_slice(&record), MSGREC_REFERENCES),
	    SLICE("10@x 11@x ")));
	CHECK(slice_ends(msgrec_text(buf_slice(&record), MSGREC_REFERENCES),
	    SLICE(" 59@x")));
	buf_free(&b);
}

/* ---- limits ---- */

static void
test_deep(void)
{
	struct buf b = BUF_INIT(SIZE_MAX);
	struct msgrec_part part;
	struct slice r;

	for (int i = 0; i < 10000; i++)
		buf_addf(&b, MULTI "b%05d\r\n\r\n--b%05d\r\n", i, i);
	r = parsed(buf_slice(&b));
	CHECK_EQ(msgrec_parts(r), MSGREC_DEPTH_MAX + 1);
	CHECK(msgrec_flags(r) & MSGREC_CUT);
	msgrec_part(r, MSGREC_DEPTH_MAX, &part);
	CHECK_SLICE(part.type, SLICE("application/octet-stream"));
	buf_reset(&b);
	for (int i = 0; i < 10000; i++)
		buf_addz(&b, "Content-Type: message/rfc822\r\n\r\n");
	CHECK_EQ(msgrec_parts(parsed(buf_slice(&b))), MSGREC_DEPTH_MAX + 1);
	buf_free(&b);
}

static void
test_many(void)
{
	struct buf b = BUF_INIT(SIZE_MAX);
	struct slice r;

	buf_addz(&b, MULTI "b\r\n\r\n");
	for (int i = 0; i < 50000; i++)
		buf_addz(&b, "--b\r\nContent-Type: multipart/x\r\n\r\n");
	r = parsed(buf_slice(&b));
	CHECK(msgrec_parts(r) <= MSGREC_PARTS_MAX);
	CHECK(msgrec_parts(r) > MSGREC_PARTS_MAX - 2 * MSGREC_DEPTH_MAX);
	CHECK(msgrec_flags(r) & MSGREC_CUT);
	buf_reset(&b);
	for (int i = 0; i < 100000; i++)
		buf_addz(&b, "To: a, b; c:d;\r\n");
	CHECK(msgrec_flags(parsed(buf_slice(&b))) & MSGREC_CUT);
	buf_reset(&b);
	buf_addz(&b, "Content-Type: a/b");
	for (int i = 0; i < 100000; i++)
		buf_addf(&b, "; n%d=\"\\\"\\\"\\\"\"", i);
	parsed(buf_slice(&b));
	buf_free(&b);
}

/* Large texts of many parts: all parts are there, if without their texts. */
static void
test_texts(void)
{
	struct buf b = BUF_INIT(SIZE_MAX);

	buf_addz(&b, MULTI "b\r\n\r\n");
	for (int i = 0; i < 300; i++) {
		buf_addz(&b, "--b\r\nContent-Description: ");
		for (int k = 0; k < 20000; k++)
			buf_addc(&b, '"');
		buf_addz(&b, "\r\nContent-Type: message/rfc822\r\n\r\nTo: ");
		for (int k = 0; k < 2000; k++)
			buf_addz(&b, "a,");
		buf_addz(&b, "\r\n\r\n");
	}
	CHECK(msgrec_parts(parsed(buf_slice(&b))) > 300);
	CHECK(msgrec_flags(buf_slice(&record)) & MSGREC_CUT);
	buf_free(&b);
}

/* A line of a megabyte, as field, as boundary, as text. */
static void
test_long_lines(void)
{
	struct buf b = BUF_INIT(SIZE_MAX), line = BUF_INIT(SIZE_MAX);

	for (int i = 0; i < 100000; i++)
		buf_addz(&line, "0123456789");
	buf_addz(&b, "Subject: ");
	buf_add(&b, buf_slice(&line));
	buf_addz(&b, "\r\n");
	buf_add(&b, buf_slice(&line));
	buf_addz(&b, ": no name\r\n" MULTI);
	buf_add(&b, buf_slice(&line));
	buf_addz(&b, "\r\n\r\n--");
	buf_add(&b, buf_slice(&line));
	parsed(buf_slice(&b));
	CHECK(msgrec_flags(buf_slice(&record)) & MSGREC_CUT);
	CHECK_EQ(msgrec_parts(buf_slice(&record)), 2);
	buf_free(&b);
	buf_free(&line);
}

int
main(void)
{
	RUN(test_body);
	RUN(test_extension);
	RUN(test_envelope);
	RUN(test_flags);
	RUN(test_references);
	RUN(test_deep);
	RUN(test_many);
	RUN(test_texts);
	RUN(test_long_lines);
	buf_free(&record);
	return unit_done();
}
