/* Unit tests of lib/message/compose. */
#include "message/compose.h"

#include "message/encword.h"
#include "message/header.h"
#include "t/unit.h"

static void
check(struct buf *b, const char *want)
{
	CHECK_SLICE(buf_slice(b), slice_str(want));
	buf_reset(b);
}

static void
test_text(void)
{
	struct buf b = BUF_INIT(100000);

	compose_text(&b, "Subject", SLICE("hello"), false);
	check(&b, "Subject: hello\r\n");
	compose_text(&b, "Subject", SLICE(""), false);
	check(&b, "Subject:\r\n");
	compose_text(&b, "Subject", SLICE(" two  words "), false);
	check(&b, "Subject: two  words\r\n");
	compose_text(&b, "Subject", SLICE("a\r\nBcc: x"), true);
	check(&b, "Subject: a  Bcc: x\r\n");
	compose_text(&b, "Subject", SLICE("Größe"), false);
	check(&b, "Subject: =?utf-8?b?R3LDtsOfZQ==?=\r\n");
	compose_text(&b, "Subject", SLICE("Größe"), true);
	check(&b, "Subject: Größe\r\n");
	compose_text(&b, "Subject", SLICE("=?utf-8?q?a?="), false);
	check(&b, "Subject: =?utf-8?b?PT91dGYtOD9xP2E/PQ==?=\r\n");
	compose_folded(&b, "X",
	    SLICE("aaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbb "
		  "cccccccccccccccccccc ddddddddddd eeee"));
	check(&b,
	    "X: aaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbb "
	    "cccccccccccccccccccc\r\n ddddddddddd eeee\r\n");
	buf_free(&b);
}

/* Lines are short, and the text comes back. */
static void
test_long(void)
{
	struct buf b = BUF_INIT(1000000), text = BUF_INIT(100000);
	struct buf back = BUF_INIT(100000), one = BUF_INIT(100000);
	struct slice rest, line;
	struct header_field f;

	for (int i = 0; i < 500; i++)
		buf_addz(&text, i % 7 == 0 ? "wörd " : "word ");
	buf_cut(&text, text.n - 1);
	compose_text(&b, "Subject", buf_slice(&text), false);
	for (rest = buf_slice(&b); slice_line(&rest, &line);)
		CHECK(line.n <= 76); /* RFC 2047, 2 */
	rest = buf_slice(&b);
	CHECK(header_next(&rest, &f));
	header_unfold(&one, f.value);
	encword_decode(&back, buf_slice(&one));
	CHECK_SLICE(buf_slice(&back), buf_slice(&text));

	buf_reset(&b);
	buf_reset(&text);
	for (int i = 0; i < 2000; i++)
		buf_addc(&text, 'x');
	compose_text(&b, "Subject", buf_slice(&text), true);
	for (rest = buf_slice(&b); slice_line(&rest, &line);)
		CHECK(line.n <= 998); /* RFC 5322, 2.1.1 */
	buf_free(&b);
	buf_free(&text);
	buf_free(&back);
	buf_free(&one);
}

static void
test_addresses(void)
{
	const struct address v[] = {
		{ .local = SLICE("a"), .domain = SLICE("b.c") },
		{ .name = SLICE("A B"),
		    .local = SLICE("a b"),
		    .domain = SLICE("b.c") },
		{ .name = SLICE("B, \"C\" \\"),
		    .local = SLICE("d"),
		    .domain = SLICE("e") },
		{ .kind = ADDRESS_GROUP, .name = SLICE("G") },
		{ .name = SLICE("Jürgen"),
		    .local = SLICE("j"),
		    .domain = SLICE("x") },
		{ .local = SLICE("k"), .domain = SLICE("x") },
		{ .kind = ADDRESS_END },
		{ .name = SLICE("J. R."),
		    .local = SLICE("l"),
		    .domain = SLICE("x") },
		{ .name = SLICE("Evil\r\nBcc: <x@y>"),
		    .local = SLICE("m"),
		    .domain = SLICE("x\r\nBcc: z") },
	};
	struct buf b = BUF_INIT(10000);

	compose_addresses(&b, "To", v, 9, false);
	check(&b,
	    "To: a@b.c, A B <\"a b\"@b.c>, \"B, \\\"C\\\" \\\\\" <d@e>, "
	    "G: =?utf-8?q?J=C3=BCrgen?=\r\n <j@x>, k@x;, \"J. R.\" <l@x>, "
	    "\"Evil  Bcc: <x@y>\" <m@x  Bcc: z>\r\n");
	compose_addresses(&b, "To", v + 4, 1, true);
	check(&b, "To: Jürgen <j@x>\r\n");
	compose_addresses(&b, "To", v, 0, true);
	check(&b, "");
	buf_free(&b);
}

static void
test_others(void)
{
	const struct slice ids[] = { SLICE("a@b"), SLICE("c@d\r\n") };
	struct buf b = BUF_INIT(10000);

	compose_ids(&b, "References", ids, 2);
	check(&b, "References: <a@b> <c@d  >\r\n");
	compose_date(&b, "Date", 880127706, -21600);
	check(&b, "Date: Fri, 21 Nov 1997 09:55:06 -0600\r\n");
	compose_delivered_to(&b, SLICE("a@b"));
	check(&b, "Delivered-To: a@b\r\n");
	compose_return_path(&b, SLICE(""));
	check(&b, "Return-Path: <>\r\n");
	compose_return_path(&b, SLICE("a@b"));
	check(&b, "Return-Path: <a@b>\r\n");
	buf_free(&b);
}

static void
test_received(void)
{
	struct compose_received r = {
		.helo = SLICE("mx.example.org"),
		.from_name = SLICE("out.example.org"),
		.from_ip = SLICE("2001:db8::1"),
		.by = SLICE("mail.example.net"),
		.by_ip = SLICE("192.0.2.2"),
		.with = SLICE("ESMTPS"),
		.requiretls = true,
		.id = SLICE("abc-DEF_1"),
		.tls = SLICE("TLS1.3 TLS_AES_128_GCM_SHA256"),
		.rcpt = SLICE("user@example.net"),
		.s = 880127706,
		.zone_s = 3600,
	};
	struct buf b = BUF_INIT(10000);

	compose_received(&b, &r);
	check(&b,
	    "Received: from mx.example.org (out.example.org "
	    "[IPv6:2001:db8::1]) by\r\n mail.example.net ([192.0.2.2]) via tcp "
	    "with ESMTPS (requiretls) id\r\n abc-DEF_1 (TLS1.3 "
	    "TLS_AES_128_GCM_SHA256) for <user@example.net>; Fri, 21\r\n Nov "
	    "1997 16:55:06 +0100\r\n");
	r = (struct compose_received){ .helo = SLICE("a)\r\nX: (b;c"),
		.by = SLICE("h"),
		.with = SLICE("SMTP"),
		.id = SLICE("i") };
	compose_received(&b, &r);
	check(&b,
	    "Received: from a???X:??b?c by h via tcp with SMTP id i; Thu, 1 "
	    "Jan 1970\r\n 00:00:00 +0000\r\n");
	buf_free(&b);
}

int
main(void)
{
	RUN(test_text);
	RUN(test_long);
	RUN(test_addresses);
	RUN(test_others);
	RUN(test_received);
	return unit_done();
}
