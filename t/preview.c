/* Unit tests of lib/message/preview, as part of a record. */
#include "message/parse.h"
#include "message/record.h"
#include "t/unit.h"

#define A50 "aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa "
#define HTML "Content-Type: text/html\r\n"

static const struct {
	const char *name, *wire, *preview;
} rows[] = {
	{ "plain", "\r\nHello,\r\n\r\n  two  words \r\n",
	    "Hello,\ntwo  words\n" },
	{ "no line end", "\r\nx", "x\n" },
	{ "empty", "\r\n\r\n \r\n", "" },
	{ "controls",
	    "\r\na\x01"
	    "b\tc\x7f\r\n",
	    "a b c\n" },
	{ "not UTF-8", "\r\na\xff\r\n", "a\xef\xbf\xbd\n" },
	{ "invisible", "\r\n\xc2\xa0\xe2\x80\x8b x\xcd\x8f\r\n\xc2\xa0\r\n",
	    "x\n" },
	{ "quote", "\r\nyes\r\n> a\r\n> b\r\n>\r\nno\r\n", "yes\n[...]\nno\n" },
	{ "introduced", "\r\nyes\r\nOn 1 Jan, A wrote:\r\n\r\n> a\r\nno\r\n",
	    "yes\n[...]\nno\n" },
	{ "introduced first", "\r\nA wrote:\r\n> a\r\nno\r\n", "[...]\nno\n" },
	{ "introduced without digit", "\r\nx\r\nA wrote:\r\n> a\r\nno\r\n",
	    "x\nA wrote:\n[...]\nno\n" },
	{ "not introduced", "\r\nRule 1:\r\nbe\r\n", "Rule 1:\nbe\n" },
	{ "wrapped",
	    "\r\nOn Monday, 1 Jan, somebody\r\nwith a name wrote:\r\n"
	    "> a\r\nno\r\n",
	    "[...]\nno\n" },
	{ "snipped by hand", "\r\n[...]\r\n> a\r\nx\r\n", "[...]\nx\n" },
	{ "signature", "\r\nx\r\n-- \r\nName\r\nPhone\r\n\r\n", "x\n" },
	{ "long signature", "\r\nx\r\n--\r\n1\r\n2\r\n3\r\n4\r\n5\r\n",
	    "x\n--\n1\n2\n3\n4\n5\n" },
	{ "dashes inside", "\r\nx\r\n--\r\ny\r\n\r\nz\r\n", "x\n--\ny\nz\n" },
	{ "enough", "\r\n" A50 A50 A50 "\r\n" A50 A50 "\r\n" A50 "\r\n",
	    A50 A50
	    "aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa\n" A50
	    "aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa\naaaaaa" },
	{ "quoted-printable",
	    "Content-Transfer-Encoding: quoted-printable\r\n"
	    "Content-Type: text/plain; charset=iso-8859-1\r\n\r\nJ=FCr=\r\ngen",
	    "Jürgen\n" },
	{ "base64", "Content-Transfer-Encoding: base64\r\n\r\naGVs\r\nbG8=\r\n",
	    "hello\n" },
	{ "unknown encoding", "Content-Transfer-Encoding: x\r\n\r\naGVs", "" },
	{ "html",
	    HTML "\r\n<html><head><title>t</title><style>s</style></head>"
		 "<body><p>a &amp; <b>b</b><div>c\r\nd</div>",
	    "a & b\nc d\n" },
	{ "html padding", HTML "\r\n<p>a<p>&nbsp;&#8203;<p>b", "a\nb\n" },
	{ "html reference to LF", HTML "\r\n<p>a&#10;b&#7;", NULL },
	{ "plain before html",
	    "Content-Type: multipart/alternative; "
	    "boundary=b\r\n\r\n--b\r\n\r\nplain\r\n--b\r\n" HTML "\r\nhtml\r\n",
	    "plain\n" },
	{ "empty plain",
	    "Content-Type: multipart/alternative; "
	    "boundary=b\r\n\r\n--b\r\n\r\n\r\n--b\r\n" HTML "\r\nhtml\r\n",
	    "html\n" },
	{ "attachment",
	    "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
	    "--b\r\nContent-Disposition: attachment\r\n\r\na\r\n--b\r\n\r\nb\r\n",
	    "b\n" },
	{ "signed",
	    "Content-Type: multipart/signed; boundary=b\r\n\r\n"
	    "--b\r\nContent-Type: a/b\r\n\r\na\r\n--b\r\n\r\nb\r\n",
	    "" },
	{ "signed, first part",
	    "Content-Type: multipart/signed; boundary=b\r\n"
	    "\r\n--b\r\n\r\na\r\n--b\r\n\r\nb\r\n",
	    "a\n" },
	{ "encrypted",
	    "Content-Type: multipart/encrypted; boundary=b\r\n\r\n"
	    "--b\r\n\r\na\r\n--b\r\n\r\nb\r\n",
	    "" },
	{ "forwarded", "Content-Type: message/rfc822\r\n\r\n\r\na\r\n", "" },
};

static void
test_rules(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf b = BUF_INIT(MSGREC_MAX);

		ROW(rows[i].name);
		msgparse_all(slice_str(rows[i].wire), NULL, &b);
		CHECK(msgrec_check(buf_slice(&b)));
		if (rows[i].preview != NULL)
			CHECK_SLICE(msgrec_text(buf_slice(&b), MSGREC_PREVIEW),
			    slice_str(rows[i].preview));
		buf_free(&b);
	}
}

static void
test_long(void)
{
	struct buf m = BUF_INIT(SIZE_MAX), b = BUF_INIT(MSGREC_MAX);
	struct msgparse_opts none = { .no_preview = true };

	/* One line of three-byte characters. */
	buf_addz(&m, "\r\n");
	for (int i = 0; i < 100000; i++)
		buf_addz(&m, "\xe2\x82\xac");
	msgparse_all(buf_slice(&m), NULL, &b);
	CHECK(msgrec_check(buf_slice(&b)));
	CHECK_EQ(msgrec_text(buf_slice(&b), MSGREC_PREVIEW).n, 3 * 256);
	buf_reset(&b);
	msgparse_all(buf_slice(&m), &none, &b);
	CHECK_EQ(msgrec_text(buf_slice(&b), MSGREC_PREVIEW).n, 0);
	/* Only quoted. */
	buf_reset(&b);
	buf_reset(&m);
	buf_addz(&m, "\r\n");
	for (int i = 0; i < 100000; i++)
		buf_addz(&m, "> quoted\r\n");
	msgparse_all(buf_slice(&m), NULL, &b);
	CHECK_SLICE(msgrec_text(buf_slice(&b), MSGREC_PREVIEW),
	    SLICE("[...]\n"));
	buf_free(&m);
	buf_free(&b);
}

int
main(void)
{
	RUN(test_rules);
	RUN(test_long);
	return unit_done();
}
