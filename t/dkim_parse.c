/* Unit tests of lib/dkim: tags, records, signatures, canonical forms. */
#include "dkim/dkim.h"
#include "dkim/dkim_canon.h"
#include "t/unit.h"

#define ROWS(rows) (sizeof(rows) / sizeof((rows)[0]))

static struct arena *arena;

/* ---- canonical forms ---- */

static void
test_canon_field(void)
{
	static const struct {
		bool relaxed;
		const char *in, *want;
	} rows[] = {
		/* RFC 6376, 3.4.5 */
		{ true, "A: X\r\n", "a:X\r\n" },
		{ true, "B : Y\t\r\n\tZ  \r\n", "b:Y Z\r\n" },
		{ false, "A: X\r\n", "A: X\r\n" },
		{ false, "B : Y\t\r\n\tZ  \r\n", "B : Y\t\r\n\tZ  \r\n" },
		{ true, "SUBJect:\r\n\r\n", "subject:\r\n" },
		{ true, "a:\t b \t c", "a:b c\r\n" },
		{ false, "a: b", "a: b\r\n" },
		{ true, "a:b:c", "a:b:c\r\n" },
	};
	struct buf b = BUF_INIT(1000);

	for (size_t i = 0; i < ROWS(rows); i++) {
		ROW(rows[i].in);
		buf_reset(&b);
		dkim_canon_field(slice_str(rows[i].in), rows[i].relaxed, &b);
		CHECK_STR(buf_cstr(&b), rows[i].want);
	}
	buf_free(&b);
}

/* The digest of the body pushed in pieces of n bytes. */
static void
digest_body(const char *body, bool relaxed, uint64_t limit, size_t n,
    unsigned char digest[SHA_MAX])
{
	struct dkim_canon *c = dkim_canon_new(relaxed, SHA_256, limit);
	struct slice rest = slice_str(body);

	for (; rest.n > 0; rest = slice_skip(rest, n))
		dkim_canon_push(c, slice_head(rest, n));
	dkim_canon_end(c, digest);
	dkim_canon_free(&c);
}

static void
test_canon_body(void)
{
	static const struct {
		bool relaxed;
		uint64_t limit;
		const char *in, *want;
	} rows[] = {
		/* RFC 6376, 3.4.5 */
		{ true, DKIM_NO_LIMIT, " C \r\nD \t E\r\n\r\n\r\n",
		    " C\r\nD E\r\n" },
		{ false, DKIM_NO_LIMIT, " C \r\nD \t E\r\n\r\n\r\n",
		    " C \r\nD \t E\r\n" },
		/* 3.4.3, 3.4.4: no body, no line end */
		{ false, DKIM_NO_LIMIT, "", "\r\n" },
		{ true, DKIM_NO_LIMIT, "", "" },
		{ false, DKIM_NO_LIMIT, "\r\n\r\n", "\r\n" },
		{ true, DKIM_NO_LIMIT, " \r\n\t\r\n", "" },
		{ false, DKIM_NO_LIMIT, "a", "a\r\n" },
		{ true, DKIM_NO_LIMIT, "a \t", "a\r\n" },
		{ true, DKIM_NO_LIMIT, "\r\n\r\na\r\n \r\nb\r\n",
		    "\r\n\r\na\r\n\r\nb\r\n" },
		/* bare CR and LF are bytes as others */
		{ true, DKIM_NO_LIMIT, "a\rb\r\r\n\r\n", "a\rb\r\r\n" },
		{ false, DKIM_NO_LIMIT, "a\rb\r\r\n\r\n", "a\rb\r\r\n" },
		{ true, DKIM_NO_LIMIT, "a\nb \r", "a\nb \r\r\n" },
		{ false, DKIM_NO_LIMIT, "a\nb \r", "a\nb \r\r\n" },
		{ false, 3, "abcdef\r\n", "abc" },
		{ true, 4, "a  b  c\r\n", "a b " },
		{ true, 0, "abc\r\n", "" },
	};
	unsigned char want[SHA_MAX], got[SHA_MAX];

	for (size_t i = 0; i < ROWS(rows); i++)
		for (size_t n = 1; n < 20; n++) {
			ROW(rows[i].in);
			sha_digest(SHA_256, slice_str(rows[i].want), want);
			digest_body(rows[i].in, rows[i].relaxed, rows[i].limit,
			    n, got);
			CHECK(memcmp(got, want, 32) == 0);
		}
}

/* ---- records and signatures ---- */

static void
test_record_parse(void)
{
	static const struct {
		const char *text;
		int rc;
		const char *again; /* as we write it */
	} rows[] = {
		{ "v=DKIM1; k=rsa; p=YWJj", 1, "v=DKIM1;p=YWJj" },
		{ "p=Y W\tJj;", 1, "v=DKIM1;p=YWJj" },
		{ "v=DKIM1; p=", 1, "v=DKIM1;p=" },
		{ "v=DKIM1; h=sha1 : sha256; k=ed25519; n=a=20b; s=email; "
		  "t=y:s:other; x=unknown; p=YWJj",
		    1,
		    "v=DKIM1;h=sha1 : sha256;k=ed25519;n=a=20b;s=email;t=y:s;"
		    "p=YWJj" },
		{ "v=DKIM1", -1, NULL },
		{ "v=DKIM1; p=YWJ", -1, NULL },
		{ "v=DKIM1; p=YWJj; p=YWJj", -1, NULL },
		{ "v=DKIM1; k=dsa; p=YWJj", -1, NULL },
		{ "k=rsa; v=DKIM1; p=YWJj", -1, NULL },
		{ "k=rsa; t; p=YWJj", -1, NULL },
		{ "v=DKIM2; p=YWJj", 0, NULL },
		{ "v=spf1 -all", 0, NULL },
		{ "google-site-verification=abc", 0, NULL },
		{ "hello", 0, NULL },
		{ "", 0, NULL },
	};
	struct buf b = BUF_INIT(1000);

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct dkim_record r;
		struct err e = ERR_INIT;

		ROW(rows[i].text);
		CHECK_EQ(dkim_record_parse(arena, slice_str(rows[i].text), &r,
			     &e),
		    rows[i].rc);
		CHECK_EQ(e.kind, rows[i].rc < 0 ? ERR_SYNTAX : ERR_NONE);
		if (rows[i].rc != 1)
			continue;
		buf_reset(&b);
		dkim_record_write(&r, &b);
		CHECK_STR(buf_cstr(&b), rows[i].again);
	}
	buf_free(&b);
}

#define BH "bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="
#define GOOD "v=1;a=rsa-sha256;d=a.example;s=s;h=from:to;" BH ";b=YWJj"

static void
test_sig_parse(void)
{
	static const struct {
		const char *text, *error; /* NULL: right */
	} rows[] = {
		{ GOOD, NULL },
		{ GOOD ";", NULL },
		{ " " GOOD " ; \r\n", NULL },
		{ GOOD ";c=relaxed;q=dns/txt;i=@b.a.example;l=12;t=5;x=6;"
		       "z=From:=20x|To:y;unknown=1",
		    NULL },
		{ GOOD ";c=relaxed/simple;i=a=3Bb@a.example", NULL },
		{ GOOD ";d=b.example", "tag d is there twice" },
		{ GOOD ";c=strict", "unknown canonicalisation c=strict" },
		{ GOOD ";q=http", "q= has no dns/txt" },
		{ GOOD ";i=a.example", "i= has no domain" },
		{ GOOD ";i=a=b@a.example", "i= is wrongly encoded" },
		{ GOOD ";t=6;x=6", "x= is not after t=" },
		{ GOOD ";l=-1", "l= is no number" },
		{ GOOD ";l=99999999999999999999", "l= is no number" },
		{ GOOD ";;", "no name of a tag at \"\"" },
		{ GOOD ";t", "tag t has no value" },
		{ GOOD ";n=\x01", "control characters in the value of n" },
		{ "v=2;a=rsa-sha256;d=a.example;s=s;h=from;" BH ";b=YWJj",
		    "v= is not 1" },
		{ "v=1;a=dsa-sha1;d=a.example;s=s;h=from;" BH ";b=YWJj",
		    "unknown algorithm a=dsa-sha1" },
		{ "v=1;a=rsa-sha1;d=a.example;s=s;h=from;" BH ";b=YWJj",
		    "bh= has 32 bytes, not 20" },
		{ "v=1;a=rsa-sha256;d=a..b;s=s;h=from;" BH ";b=YWJj",
		    "d= or s= is no domain name" },
		{ "v=1;a=rsa-sha256;d=a.example;s=s;h=from::to;" BH ";b=YWJj",
		    "wrong name in h=" },
		{ "v=1;a=rsa-sha256;d=a.example;s=s;h=from;bh=YQ;b=YWJj",
		    "bh= is no base64" },
		{ "v=1;a=rsa-sha256;d=a.example;s=s;h=from;" BH ";b=!",
		    "b= is no base64" },
		{ "v=1;a=rsa-sha256;d=a.example;h=from;" BH ";b=YWJj",
		    "no s=" },
		{ "", "no name of a tag at \"\"" },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct dkim_sig sig;
		struct err e = ERR_INIT;
		int rc;

		ROW(rows[i].text);
		rc = dkim_sig_parse(arena, slice_str(rows[i].text), &sig, &e);
		CHECK_EQ(rc, rows[i].error == NULL ? 0 : -1);
		CHECK_STR(e.text, rows[i].error == NULL ? "" : rows[i].error);
	}
}

static void
test_sig_strip(void)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
		{ "D: a=1; b= x\r\n y ; c=2\r\n", "D: a=1; b=; c=2\r\n" },
		{ "D: bh=1; b=x\r\n y \r\n", "D: bh=1; b=\r\n" },
		{ "D: b =x;a=1", "D: b =;a=1" },
		{ "D: no tags\r\n", "D: no tags\r\n" },
	};
	struct buf b = BUF_INIT(1000);

	for (size_t i = 0; i < ROWS(rows); i++) {
		ROW(rows[i].in);
		buf_reset(&b);
		dkim_sig_strip(slice_str(rows[i].in), &b);
		CHECK_STR(buf_cstr(&b), rows[i].want);
	}
	buf_free(&b);
}

int
main(void)
{
	arena = arena_new(0);
	RUN(test_canon_field);
	RUN(test_canon_body);
	RUN(test_record_parse);
	RUN(test_sig_parse);
	RUN(test_sig_strip);
	arena_free(&arena);
	return unit_done();
}
