/* Unit test of lib/text/html.c. */
#include "text/html.h"
#include "t/unit.h"

static const struct {
	const char *name, *input, *text;
	const char *words; /* of HTML_WORDS; NULL: the same */
} rows[] = {
	{ "nothing", "", "", NULL },
	{ "plain", "a  b\n c ", "a b c\n", NULL },
	{ "inline", "<b>a</b>b <i>c</i>", "ab c\n", NULL },
	{ "blocks", "<p>a</p><p>b<br>c<div>d</div>", "a\nb\nc\nd\n", NULL },
	{ "no empty lines", "<p><br><br>a<p><p>", "a\n", NULL },
	{ "cells", "<table><tr><td>a<td>b</tr><tr><td>c", "a b\nc\n", NULL },
	{ "page",
	    "<!DOCTYPE html><html><head><title>t</title><meta x=y>"
	    "<style>p > a {}</style></head><body>a</body></html>",
	    "a\n", "t\na\n" },
	{ "head not closed", "<head><title>t</title><p>a", "a\n", "t\na\n" },
	{ "title alone", "<title>t</title>a", "a\n", "ta\n" },
	{ "script", "a<script>if (x < y) '</p>'</script>b", "ab\n", NULL },
	{ "script, case", "a<SCRIPT>x</Script >b", "ab\n", NULL },
	{ "script with its name", "a<script></scripty></script>b", "ab\n",
	    NULL },
	{ "script not closed", "a<script>b</p>", "a\n", NULL },
	{ "script twice", "a<script>x<</script>b<script>y</script>c", "abc\n",
	    NULL },
	{ "svg", "a<svg><text>x</text><svg>y</svg>z</svg>b", "ab\n", NULL },
	{ "svg closed at once", "a<svg/>b", "ab\n", NULL },
	{ "hidden", "a<map>b</map><math>c</math><dialog>d</dialog>e", "a\ne\n",
	    "abc\nd\ne\n" },
	{ "nested template", "<template>a<template>b</template>c</template>d",
	    "d\n", "abcd\n" },
	{ "comment", "a<!-- > <p> -->b<!---->c<!-->d<!--->e", "abcde\n", NULL },
	{ "comment with dashes", "a<!-- x -- y --->b", "ab\n", NULL },
	{ "conditional", "<!--[if mso]>x<![endif]-->a<![if y]>b<![endif]>",
	    "ab\n", NULL },
	{ "processing", "<?xml x?>a</>b</ x>c", "abc\n", NULL },
	{ "less", "1 < 2 <3 <", "1 < 2 <3 <\n", NULL },
	{ "attributes", "<a href='>' title=\"<p>\" x = y>b</a>c", "bc\n",
	    NULL },
	{ "unquoted", "<a href=x/y>b</a>", "b\n", NULL },
	{ "long names",
	    "<averyveryverylongname attributeattributeattribute=x>a", "a\n",
	    NULL },
	{ "alt", "a<img src=x alt=\"b &amp; &lt;c\">d<IMG ALT=e>", "ad\n",
	    "a b & <c d e\n" },
	{ "other alt", "<a alt=x>a</a><img alt>b<img alt=>c", "abc\n",
	    "a b c\n" },
	{ "references", "&lt;&amp;&gt;&quot;&apos;&#65;&#x42;&#X43;",
	    "<&>\"'ABC\n", NULL },
	{ "latin", "&eacute;&Auml;&yuml;&euro;&hellip;&Alpha;&zeta;",
	    "\u00e9\u00c4\u00ff\u20ac\u2026\u0391\u03b6\n", NULL },
	{ "windows", "&#146;&#128;&#129;", "\u2019\u20ac\xc2\x81\n", NULL },
	{ "no semicolon", "&amp b &ltb &copy", "& b &ltb \u00a9\n", NULL },
	{ "not known", "&nosuch; & &; &averyverylongname; a&b=c&#; &#x;",
	    "&nosuch; & &; &averyverylongname; a&b=c&#; &#x;\n", NULL },
	{ "bad numbers", "&#0;&#xd800;&#x110000;&#99999999;",
	    "\ufffd\ufffd\ufffd\ufffd\n", NULL },
	{ "white references", "a&nbsp;&#10;&#9;b&nbsp;", "a b\n", NULL },
	{ "padding", "a&zwnj;&#8203;&shy;&#847;b", "ab\n", NULL },
	{ "in a tag", "<p", "", NULL },
	{ "quote", "a<blockquote>b<p>c<blockquote>d</blockquote></blockquote>e",
	    "a\n> b\n> c\n> > d\ne\n", NULL },
	{ "bytes", "\xc3\xa9\xff\x01x", "\xc3\xa9\xff x\n", NULL },
};

static void
test_text(void)
{
	struct buf b = BUF_INIT(1000);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *words = rows[i].words;

		ROW(rows[i].name);
		buf_reset(&b);
		html_text(&b, slice_str(rows[i].input), HTML_TEXT);
		CHECK_STR(buf_cstr(&b), rows[i].text);
		buf_reset(&b);
		html_text(&b, slice_str(rows[i].input), HTML_WORDS);
		CHECK_STR(buf_cstr(&b), words == NULL ? rows[i].text : words);
	}
	buf_free(&b);
}

static void
test_stream(void)
{
	struct buf b = BUF_INIT(1000);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice in = slice_str(rows[i].input);
		struct html *h = html_new(HTML_TEXT);

		ROW(rows[i].name);
		buf_reset(&b);
		for (; in.n > 0; in = slice_skip(in, 1))
			html_push(h, slice_head(in, 1), &b);
		html_end(h, &b);
		CHECK_STR(buf_cstr(&b), rows[i].text);
		html_free(&h);
		html_free(&h);
	}
	buf_free(&b);
}

static void
test_bounded(void)
{
	struct buf b = BUF_INIT(3);
	struct html *h = html_new(HTML_WORDS);

	html_text(&b, SLICE("abcdef"), HTML_TEXT);
	CHECK(b.over);
	buf_free(&b);
	html_push(h, SLICE("<img alt='"), &b);
	for (int i = 0; i < 10000; i++)
		html_push(h, SLICE("x"), &b);
	html_push(h, SLICE("'>"), &b);
	CHECK(b.over);
	html_free(&h);
	buf_free(&b);
}

int
main(void)
{
	RUN(test_text);
	RUN(test_stream);
	RUN(test_bounded);
	return unit_done();
}
