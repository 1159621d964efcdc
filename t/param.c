/* Unit tests of lib/message/param. */
#include "message/param.h"

#include "t/unit.h"

static const struct {
	const char *field;
	const char *want; /* value, then "; name=value" */
} rows[] = {
	{ "text/plain; charset=us-ascii (Plain text)",
	    "text/plain; charset=us-ascii" },
	{ "text/plain; charset=\"us-ascii\"", "text/plain; charset=us-ascii" },
	{ "text/plain", "text/plain" },
	{ " text / plain ;\r\n\tCharSet = utf-8 ; x=\"a;b\"",
	    "text / plain; charset=utf-8; x=a;b" },
	/* RFC 2231, 3 */
	{ "message/external-body; access-type=URL;\r\n URL*0=\"ftp://\";\r\n"
	  " URL*1=\"cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar\"",
	    "message/external-body; access-type=URL; "
	    "url=ftp://cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar" },
	/* RFC 2231, 4 */
	{ "application/x-stuff; title*=us-ascii'en-us'This%20is%20%2A%2A%2A"
	  "fun%2A%2A%2A",
	    "application/x-stuff; "
	    "title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A" },
	/* RFC 2231, 4.1 */
	{ "application/x-stuff;\r\n title*0*=us-ascii'en'This%20is%20even%20"
	  "more%20;\r\n title*1*=%2A%2A%2Afun%2A%2A%2A%20;\r\n"
	  " title*2=\"isn't it!\"",
	    "application/x-stuff; title*=us-ascii'en'This%20is%20even%20more"
	    "%20%2A%2A%2Afun%2A%2A%2A%20isn%27t%20it!" },
	/* out of order, a gap, no first piece */
	{ "a; n*1=b; n*0=a; n*3=d", "a; n=ab" },
	{ "a; n*1=b", "a" },
	{ "a; n*0*=x; m=1; n*1=' '", "a; n*=x%27; m=1" },
	{ "a; n*99=x; n*100=y; n*01=z; n*x=1; *0=2",
	    "a; n*100=y; n*x=1; *0=2" },
	/* broken */
	{ "text/plain; charset", "text/plain" },
	{ "text/plain; charset=; x=y", "text/plain; x=y" },
	{ "text/plain; =x; a=b", "text/plain; a=b" },
	{ "text/plain; name=a b c; x=y", "text/plain; name=a; x=y" },
	{ "multipart/mixed; boundary=----=_x/y:z?",
	    "multipart/mixed; "
	    "boundary=----=_x/y:z?" },
	{ "a; n=\"b", "a; n=b" },
	{ "a; n=\"b\\", "a; n=b\\" },
	{ "a; n=\"C:\\T\\x\"", "a; n=C:Tx" },
	{ "a; n=\"b\r\n c\"", "a; n=b c" },
	{ "a; n=\xe4; m=(x)y", "a; n=\xe4; m=y" },
	{ ";;; a=b", "; a=b" },
	{ "", "" },
};

static void
test_parse(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct arena *arena = arena_new(0);
		struct buf b = BUF_INIT(10000);
		struct param_field f;

		ROW(rows[i].field);
		param_parse(arena, slice_str(rows[i].field), &f);
		buf_add(&b, f.value);
		for (size_t k = 0; k < f.n; k++) {
			buf_addz(&b, "; ");
			buf_add(&b, f.v[k].name);
			buf_addc(&b, '=');
			buf_add(&b, f.v[k].value);
		}
		CHECK_SLICE(buf_slice(&b), slice_str(rows[i].want));
		arena_free(&arena);
		buf_free(&b);
	}
}

static void
test_text(void)
{
	static const struct {
		const char *field, *want;
	} texts[] = {
		{ "a; n*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A",
		    "This is ***fun***" },
		{ "a; n*=iso-8859-1''J%FCrgen", "Jürgen" },
		{ "a; n*0*=utf-8''%C3; n*1*=%A4", "ä" },
		{ "a; n*=x-none''%41", "A" },
		{ "a; n*=%41%4", "A%4" },
		{ "a; n==?utf-8?q?=C3=A4?=", "ä" },
		{ "a; n=plain; n*=utf-8''rich", "rich" },
		{ "a; n*=utf-8''%0D%0A", "  " },
		{ "a; m=1", NULL },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct arena *arena = arena_new(0);
		struct buf b = BUF_INIT(1000);
		struct param_field f;

		ROW(texts[i].field);
		param_parse(arena, slice_str(texts[i].field), &f);
		CHECK_EQ(param_text(&f, "n", &b), texts[i].want != NULL);
		CHECK_SLICE(buf_slice(&b), slice_str(texts[i].want));
		arena_free(&arena);
		buf_free(&b);
	}
}

static void
test_media_type(void)
{
	struct arena *arena = arena_new(0);
	struct slice type, subtype;

	CHECK(param_media_type(arena, SLICE("Text/HTML"), &type, &subtype));
	CHECK_SLICE(type, SLICE("text"));
	CHECK_SLICE(subtype, SLICE("html"));
	CHECK(param_media_type(arena, SLICE(" a (x)/ b "), &type, &subtype));
	CHECK(!param_media_type(arena, SLICE("text"), &type, &subtype));
	CHECK(!param_media_type(arena, SLICE("text/"), &type, &subtype));
	CHECK(!param_media_type(arena, SLICE(""), &type, &subtype));
	arena_free(&arena);
}

static void
test_many(void)
{
	struct arena *arena = arena_new(0);
	struct buf b = BUF_INIT(SIZE_MAX);
	struct param_field f;

	buf_addz(&b, "a/b");
	for (int i = 0; i < 100000; i++)
		buf_addf(&b, ";n*%d=x", i % 200);
	param_parse(arena, buf_slice(&b), &f);
	CHECK_EQ(f.n, 1);
	CHECK_EQ(param_get(&f, "n").n, PARAM_MAX);
	buf_free(&b);
	arena_free(&arena);
}

static void
test_write(void)
{
	struct buf b = BUF_INIT(1000);

	param_write(&b, "a", SLICE("token"));
	param_write(&b, "b", SLICE("two \"words\\\r\n"));
	param_write(&b, "c", SLICE("ä b"));
	param_write(&b, "d", SLICE(""));
	CHECK_SLICE(buf_slice(&b),
	    SLICE("; a=token; b=\"two \\\"words\\\\  \"; "
		  "c*=utf-8''%C3%A4%20b; d=\"\""));
	buf_free(&b);
}

int
main(void)
{
	RUN(test_parse);
	RUN(test_text);
	RUN(test_media_type);
	RUN(test_many);
	RUN(test_write);
	return unit_done();
}
