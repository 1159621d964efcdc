/* Unit test of lib/message/authres.c. */
#include "message/authres.h"

#include "message/header.h"
#include "t/unit.h"

#define ROWS(rows) (sizeof(rows) / sizeof((rows)[0]))

static struct arena *arena;

/* "id|method=result(comment)/reason type.name=value|..." */
static const char *
flat(const struct authres *a, struct buf *b)
{
	buf_reset(b);
	buf_add(b, a->id);
	for (size_t i = 0; i < a->n; i++) {
		const struct authres_method *m = &a->v[i];

		buf_addf(b, "|%.*s=%.*s", SLICE_FMT(m->method),
		    SLICE_FMT(m->result));
		if (m->comment.n > 0)
			buf_addf(b, "(%.*s)", SLICE_FMT(m->comment));
		if (m->reason.n > 0)
			buf_addf(b, "/%.*s", SLICE_FMT(m->reason));
		for (size_t j = 0; j < m->n; j++)
			buf_addf(b, " %.*s.%.*s=%.*s",
			    SLICE_FMT(m->props[j].type),
			    SLICE_FMT(m->props[j].name),
			    SLICE_FMT(m->props[j].value));
	}
	return buf_cstr(b);
}

static const struct {
	const char *text, *want; /* NULL: wrong */
} rows[] = {
	/* RFC 8601, B.2 to B.7 */
	{ "example.org 1; none", "example.org" },
	{ "example.com;\r\n spf=pass smtp.mailfrom=example.net",
	    "example.com|spf=pass smtp.mailfrom=example.net" },
	{ "example.com;\r\n auth=pass (cleartext) "
	  "smtp.auth=sender@example.net;\r\n"
	  " spf=pass smtp.mailfrom=example.net",
	    "example.com|auth=pass(cleartext) smtp.auth=sender@example.net"
	    "|spf=pass smtp.mailfrom=example.net" },
	{ "example.com;\r\n iprev=pass policy.iprev=192.0.2.200",
	    "example.com|iprev=pass policy.iprev=192.0.2.200" },
	{ "example.com;\r\n dkim=pass (good signature) "
	  "header.d=example.com",
	    "example.com|dkim=pass(good signature) header.d=example.com" },
	{ "example.com;\r\n dkim=pass reason=\"good signature\"\r\n"
	  "  header.i=@mail-router.example.net;\r\n"
	  " dkim=fail reason=\"bad signature\"\r\n"
	  "  header.i=@newyork.example.com",
	    "example.com|dkim=pass/good signature "
	    "header.i=@mail-router.example.net|dkim=fail/bad signature "
	    "header.i=@newyork.example.com" },
	{ "foo.example.net (foobar) 1 (baz);\r\n"
	  " dkim (Because I like it) / 1 (One yay) = (wait for it) fail\r\n"
	  "  policy (A dot can go here) . (like that) expired\r\n"
	  "  (this surprised me) = (as I wasn't expecting it) 1362471462",
	    "foo.example.net|dkim=fail policy.expired=1362471462" },
	/* as others write */
	{ "mx.google.com; dkim=pass header.b=ab/c+d=; spf=neutral "
	  "(x: y (z) \\) w) smtp.mailfrom=\"a b\"@c.example;",
	    "mx.google.com|dkim=pass header.b=ab/c+d=|spf=neutral(x: y (z) ) "
	    "w) smtp.mailfrom=\"a b\"@c.example" },
	{ "h; iprev=pass policy.iprev=2001:db8::1",
	    "h|iprev=pass policy.iprev=2001:db8::1" },
	{ "h; x=y a.b=\"q\\\"r\"", "h|x=y a.b=q\"r" },
	{ "\"\xff\"; x=y", "\xff|x=y" },
	{ "h", "h" },
	{ "h; none;", "h" },
	{ "", NULL },
	{ "h 2; none", NULL },
	{ "h; dkim", NULL },
	{ "h; dkim=", NULL },
	{ "h; dkim=pass header", NULL },
	{ "h; dkim=pass header.d", NULL },
	{ "h; dkim=pass; ; spf=pass", NULL },
	{ "h dkim=pass", NULL },
	{ "h; dkim/x=pass", NULL },
};

/* Read, and read the same when written. */
static void
test_parse(void)
{
	struct buf b = BUF_INIT(10000), field = BUF_INIT(10000);

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct header_field f;
		struct slice rest;
		struct authres a;
		struct err e = ERR_INIT;

		ROW(rows[i].text);
		CHECK_EQ(authres_parse(arena, slice_str(rows[i].text), &a, &e),
		    rows[i].want == NULL ? -1 : 0);
		CHECK_EQ(e.kind == ERR_NONE, rows[i].want != NULL);
		if (rows[i].want == NULL)
			continue;
		CHECK_STR(flat(&a, &b), rows[i].want);
		buf_reset(&field);
		authres_write(&field, "Authentication-Results:", &a);
		rest = buf_slice(&field);
		CHECK(header_next(&rest, &f) && rest.n == 0);
		CHECK_EQ(authres_parse(arena, f.value, &a, &e), 0);
		CHECK_STR(e.text, "");
		CHECK_STR(flat(&a, &b), rows[i].want);
	}
	buf_free(&b);
	buf_free(&field);
}

static void
test_write(void)
{
	struct authres a = { .id = SLICE("mx.example") };
	struct buf b = BUF_INIT(10000);
	struct authres_method *m;

	m = authres_add(arena, &a, "iprev", "pass");
	m->comment = SLICE("without dnssec");
	authres_add_prop(arena, m, "policy", "iprev", SLICE("2001:db8::1"));
	m = authres_add(arena, &a, "dkim", "pass");
	authres_add_prop(arena, m, "header", "d", SLICE("example.org"));
	authres_add_prop(arena, m, "header", "s", SLICE_NULL);
	authres_add_prop(arena, m, "header", "b", SLICE("ab/c+d=="));
	m = authres_add(arena, &a, "spf", "fail");
	m->comment = SLICE("a (b) \\ c\r\nX: y");
	m->reason = SLICE("say \"no\"");
	authres_add_prop(arena, m, "smtp", "mailfrom",
	    SLICE("\"odd local\"@a-quite-long-name-of-a-domain.example"));
	authres_write(&b, "Authentication-Results:", &a);
	CHECK_STR(buf_cstr(&b),
	    "Authentication-Results: mx.example;\r\n"
	    "\tiprev=pass (without dnssec) policy.iprev=\"2001:db8::1\";\r\n"
	    "\tdkim=pass header.d=example.org header.b=\"ab/c+d==\";\r\n"
	    "\tspf=fail (a \\(b\\) \\\\ c  X: y) reason=\"say \\\"no\\\"\"\r\n"
	    "\t\tsmtp.mailfrom=\"odd local\"@a-quite-long-name-of-a-domain."
	    "example\r\n");
	CHECK_SLICE(authres_prop(&a.v[1], "header", "B"), SLICE("ab/c+d=="));
	CHECK_SLICE(authres_prop(&a.v[1], "header", "x"), SLICE_NULL);
	a.n = 0;
	buf_reset(&b);
	authres_write(&b, "ARC-Authentication-Results: i=1;", &a);
	CHECK_STR(buf_cstr(&b),
	    "ARC-Authentication-Results: i=1; mx.example; none\r\n");
	buf_free(&b);
}

static void
test_limits(void)
{
	struct buf b = BUF_INIT(100000);
	struct authres a;
	struct err e = ERR_INIT;

	buf_addz(&b, "h");
	for (int i = 0; i < AUTHRES_METHODS_MAX; i++)
		buf_addz(&b, "; a=b");
	CHECK_EQ(authres_parse(arena, buf_slice(&b), &a, &e), 0);
	CHECK_EQ(a.n, AUTHRES_METHODS_MAX);
	buf_addz(&b, "; a=b");
	CHECK_EQ(authres_parse(arena, buf_slice(&b), &a, &e), -1);
	CHECK_EQ(e.kind, ERR_LIMIT);
	buf_reset(&b);
	buf_addz(&b, "h; a=b");
	for (int i = 0; i <= AUTHRES_PROPS_MAX; i++)
		buf_addz(&b, " c.d=e");
	CHECK_EQ(authres_parse(arena, buf_slice(&b), &a, &e), -1);
	CHECK_EQ(e.kind, ERR_LIMIT);
	buf_free(&b);
}

int
main(void)
{
	arena = arena_new(0);
	RUN(test_parse);
	RUN(test_write);
	RUN(test_limits);
	arena_free(&arena);
	return unit_done();
}
