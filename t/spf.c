/* Unit test of lib/spf; the OpenSPF suite runs in t/spf.bats. */
#include "spf/spf.h"

#include "dns/zone.h"
#include "spf/spf_int.h"
#include "t/unit.h"

static struct arena *arena;

/* ---- records ---- */

/* What a record is written as; NULL: the same. "" is an error. */
static const struct {
	const char *text, *written;
} records[] = {
	/* RFC 7208, A.1 to A.4 and 5 */
	{ "v=spf1 +all", "v=spf1 all" },
	{ "v=spf1 a -all", NULL },
	{ "v=spf1 a:example.org -all", NULL },
	{ "v=spf1 mx -all", NULL },
	{ "v=spf1 mx:example.org -all", NULL },
	{ "v=spf1 mx mx:example.org -all", NULL },
	{ "v=spf1 mx/30 mx:example.org/30 -all", NULL },
	{ "v=spf1 ptr -all", NULL },
	{ "v=spf1 ip4:192.0.2.128/28 -all", NULL },
	{ "v=spf1 include:example.com include:example.net -all", NULL },
	{ "v=spf1 redirect=example.org", NULL },
	{ "v=spf1 mx -all exp=explain._spf.%{d}", NULL },
	{ "v=spf1 exists:%{ir}.%{l1r+-}._spf.%{d} -all", NULL },
	{ "v=spf1 -include:ip4._spf.%{d} +all",
	    "v=spf1 -include:ip4._spf.%{d} all" },
	{ "v=spf1 ?exists:_h.%{h}._l.%{l}._o.%{o}._i.%{i}._spf.%{d} ?all",
	    NULL },
	{ "v=spf1 a/24//64 ~all", NULL },
	{ "v=spf1 a//64 mx//0", NULL },
	{ "v=spf1 ip6:2001:db8::1/96 ip6:::ffff:192.0.2.1", NULL },
	/* order of modifiers, blanks, case */
	{ "V=SPF1  EXP=x.y  IP4:192.0.2.1/32 ",
	    "v=spf1 ip4:192.0.2.1 exp=x.y" },
	{ "v=spf1 moo.cow-far_out=man:dog/cat a",
	    "v=spf1 a moo.cow-far_out=man:dog/cat" },
	{ "v=spf1 x=%{c}%%", NULL },
	{ "v=spf1", NULL },
	{ "v=spf1 a:foo:bar/baz.example.com/8", NULL },
	{ "v=spf1 a:%{d}", NULL },
	{ "v=spf1 a:x.%{d2r-/+=}", NULL },
	{ "v=spf1 a:example.org.", NULL },
	/* what is wrong */
	{ "v=spf1a", "" },
	{ "v=spf10", "" },
	{ "v=spf1 foo", "" },
	{ "v=spf1 all:x.y", "" },
	{ "v=spf1 all/8", "" },
	{ "v=spf1 include", "" },
	{ "v=spf1 exists", "" },
	{ "v=spf1 a:", "" },
	{ "v=spf1 a:museum", "" },
	{ "v=spf1 a:a.123", "" },
	{ "v=spf1 a:a.b-", "" },
	{ "v=spf1 a:%{d", "" },
	{ "v=spf1 a:%{d0}", "" },
	{ "v=spf1 a:%{x}", "" },
	{ "v=spf1 a:%(d).x", "" },
	{ "v=spf1 a:%{c}", "" },
	{ "v=spf1 a/33", "" },
	{ "v=spf1 a/08", "" },
	{ "v=spf1 a//129", "" },
	{ "v=spf1 a/8/8", "" },
	{ "v=spf1 ip4:192.0.2.1/33", "" },
	{ "v=spf1 ip4:192.0.2", "" },
	{ "v=spf1 ip4:::1", "" },
	{ "v=spf1 ip4:::ffff:192.0.2.1", "" },
	{ "v=spf1 ip6:192.0.2.1", "" },
	{ "v=spf1 redirect=a.b redirect=a.b", "" },
	{ "v=spf1 exp=", "" },
	{ "v=spf1 redirect:a.b", "" },
	{ "v=spf1 -redirect=a.b", "" },
	{ "v=spf1 x=%", "" },
	{ "v=spf1 a\ta", "" },
	{ "v=spf1 a\xc3\xa4", "" },
	{ "v=spf1 =x", "" },
};

static void
test_records(void)
{
	struct buf out = BUF_INIT(1000);
	struct spf_record r;

	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
		const char *text = records[i].text;
		const char *want =
		    records[i].written ? records[i].written : text;
		struct err e = ERR_INIT;
		int rc = spf_parse(arena, slice_str(text), &r, &e);
		ROW(text);
		buf_reset(&out);
		CHECK_EQ(rc, *want == '\0' ? -1 : 0);
		CHECK_EQ(e.kind, *want == '\0' ? ERR_SYNTAX : ERR_NONE);
		if (rc == 0)
			spf_write(&out, &r);
		CHECK_SLICE(buf_slice(&out), slice_str(want));
	}
	ROW("fields");
	CHECK_EQ(spf_parse(arena, SLICE("v=spf1 ~a:x.y/8//9 b=c"), &r, NULL),
	    0);
	CHECK_EQ(r.ndirectives, 1);
	CHECK_EQ(r.directives[0].qualifier, '~');
	CHECK_EQ(r.directives[0].mechanism, SPF_A);
	CHECK_EQ(r.directives[0].bits4, 8);
	CHECK_EQ(r.directives[0].bits6, 9);
	CHECK_SLICE(r.directives[0].domain, SLICE("x.y"));
	CHECK_SLICE(r.directives[0].text, SLICE("~a:x.y/8//9"));
	CHECK_SLICE(r.others[0].name, SLICE("b"));
	buf_free(&out);
}

/* ---- macros ---- */

static struct slice
validated(void *ctx)
{
	(void)ctx;
	return SLICE("mx.example.org");
}

static void
test_macros(void)
{
	static const struct {
		const char *macros, *v4, *v6;
	} rows[] = {
		/* RFC 7208, 7.4 */
		{ "%{s}", "strong-bad@email.example.com", NULL },
		{ "%{o}", "email.example.com", NULL },
		{ "%{d}", "email.example.com", NULL },
		{ "%{d4}", "email.example.com", NULL },
		{ "%{d3}", "email.example.com", NULL },
		{ "%{d2}", "example.com", NULL },
		{ "%{d1}", "com", NULL },
		{ "%{dr}", "com.example.email", NULL },
		{ "%{d2r}", "example.email", NULL },
		{ "%{l}", "strong-bad", NULL },
		{ "%{l-}", "strong.bad", NULL },
		{ "%{lr}", "strong-bad", NULL },
		{ "%{lr-}", "bad.strong", NULL },
		{ "%{l1r-}", "strong", NULL },
		{ "%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com",
		    "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
		    "0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com" },
		{ "%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com",
		    NULL },
		{ "%{lr-}.lp.%{ir}.%{v}._spf.%{d2}",
		    "bad.strong.lp.3.2.0.192.in-addr._spf.example.com",
		    "bad.strong.lp.1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
		    "0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com" },
		{ "%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}",
		    "3.2.0.192.in-addr.strong.lp._spf.example.com",
		    "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
		    "8.b.d.0.1.0.0.2.ip6.strong.lp._spf.example.com" },
		{ "%{d2}.trusted-domains.example.net",
		    "example.com.trusted-domains.example.net", NULL },
		/* the others */
		{ "%{c}", "192.0.2.3", "2001:db8::cb01" },
		{ "%{p}", "mx.example.org", NULL },
		{ "%{h} %{r} %{t}", "helo.example us.example 1000000000",
		    NULL },
		{ "%%%_%-", "% %20", NULL },
		{ "%{S}", "strong-bad%40email.example.com", NULL },
		{ "%{d99999999999999999999}", "email.example.com", NULL },
		{ "%{D2R}", "example.email", NULL },
	};
	struct spf_args args = { .helo = SLICE("helo.example"),
		.receiver = SLICE("us.example"),
		.now_s = 1000000000 };
	const struct spf_macros m = { .args = &args,
		.local = SLICE("strong-bad"),
		.sender_domain = SLICE("email.example.com"),
		.domain = SLICE("email.example.com"),
		.validated = validated };
	struct buf out = BUF_INIT(1000);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice macros = slice_str(rows[i].macros);
		ROW(rows[i].macros);
		CHECK(spf_is_macro_string(macros, true));
		ip_parse(SLICE("192.0.2.3"), &args.ip);
		buf_reset(&out);
		spf_macro_expand(&out, macros, &m);
		CHECK_SLICE(buf_slice(&out), slice_str(rows[i].v4));
		ip_parse(SLICE("2001:db8::cb01"), &args.ip);
		buf_reset(&out);
		spf_macro_expand(&out, macros, &m);
		if (rows[i].v6 != NULL)
			CHECK_SLICE(buf_slice(&out), slice_str(rows[i].v6));
	}
	buf_free(&out);
}

/* ---- results ---- */

static const char zone_text[] =
    /* RFC 7208, A.1 and A.2; B's cases are in the suite */
    "example.com TXT \"v=spf1 +mx a:colo.example.com/28 -all\"\n"
    "example.com MX 10 mail-a.example.com\n"
    "mail-a.example.com A 192.0.2.129\n"
    "colo.example.com A 203.0.113.1\n"
    "amy.example.com TXT \"v=spf1 ip4:192.0.2.65 ~all exp=why.example.com\"\n"
    "no.example.com TXT \"v=spf1 -ip4:192.0.2.0/24 exp=why.example.com\"\n"
    "why.example.com TXT \"%{i} is not %{d}, says %{r}\"\n"
    "two.example.com TXT \"v=spf1 a\"\n"
    "two.example.com TXT \"v=spf1 mx\"\n"
    "down.example.com FAIL\n"
    "bogus.example.com BOGUS\n"
    "empty.example.com TXT \"v=spf1 a:no1.example.org a:no2.example.org "
    "a:no3.example.org +all\"\n"
    "bad.example.com TXT \"v=spf1 ip4:x\"\n"
    "chain.example.com TXT \"v=spf1 include:chain.example.com\"\n"
    "many.example.com TXT \"v=spf1 mx ?all\"\n"
    "helo.example.com TXT \"v=spf1 ip4:192.0.2.1 -all\"\n"
    "signed.example TXT \"v=spf1 a:host.signed.example -all\"\n"
    "host.signed.example A 192.0.2.1\n"
    "half.signed.example TXT \"v=spf1 a:colo.example.com ?all\"\n"
    "signed.example SECURE\n";

static const struct {
	const char *domain, *ip;
	enum spf_status status;
	const char *mechanism, *explanation;
	const char *problem; /* part of it */
	bool secure;
} checks[] = {
	{ "example.com", "192.0.2.129", SPF_PASS, "+mx", "", "", false },
	{ "example.com", "203.0.113.9", SPF_PASS, "a:colo.example.com/28", "",
	    "", false },
	{ "example.com", "203.0.113.99", SPF_FAIL, "-all", "", "", false },
	{ "amy.example.com", "192.0.2.1", SPF_SOFTFAIL, "~all", "", "", false },
	{ "no.example.com", "192.0.2.1", SPF_FAIL, "-ip4:192.0.2.0/24",
	    "192.0.2.1 is not no.example.com, says us.example", "", false },
	{ "no.example.com", "198.51.100.1", SPF_NEUTRAL, "default", "", "",
	    false },
	{ "mail-a.example.com", "192.0.2.1", SPF_NONE, "", "", "", false },
	{ "gone.example.com", "192.0.2.1", SPF_NONE, "", "", "", false },
	{ "two.example.com", "192.0.2.1", SPF_PERMERROR, "", "",
	    "more than one", false },
	{ "down.example.com", "192.0.2.1", SPF_TEMPERROR, "", "", "no answer",
	    false },
	{ "bogus.example.com", "192.0.2.1", SPF_TEMPERROR, "", "", "bogus",
	    false },
	{ "empty.example.com", "192.0.2.1", SPF_PERMERROR, "a:no3.example.org",
	    "", "without an answer", false },
	{ "bad.example.com", "192.0.2.1", SPF_PERMERROR, "", "", "\"ip4:x\"",
	    false },
	{ "chain.example.com", "192.0.2.1", SPF_PERMERROR,
	    "include:chain.example.com", "", "too many", false },
	{ "many.example.com", "192.0.2.1", SPF_PERMERROR, "mx", "",
	    "too many MX", false },
	{ "", "192.0.2.1", SPF_PASS, "ip4:192.0.2.1", "", "", false },
	{ "signed.example", "192.0.2.1", SPF_PASS, "a:host.signed.example", "",
	    "", true },
	{ "half.signed.example", "192.0.2.1", SPF_NEUTRAL, "?all", "", "",
	    false },
	{ "none.signed.example", "192.0.2.1", SPF_NONE, "", "", "", false },
};

static struct dns *
new_zone(void)
{
	struct buf b = BUF_INIT(10000);
	struct err e = ERR_INIT;
	struct dns *dns;

	buf_addz(&b, zone_text);
	for (int i = 0; i < 11; i++)
		buf_addf(&b, "many.example.com MX 1 mail-%d.example.com\n", i);
	dns = dns_zone_new(buf_slice(&b), &e);
	CHECK(dns != NULL);
	buf_free(&b);
	return dns;
}

static void
test_checks(void)
{
	struct dns *dns = new_zone();
	struct spf_args args = { .helo = SLICE("helo.example.com"),
		.local = SLICE("joe"),
		.receiver = SLICE("us.example") };
	struct spf_result r;

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		ROW(checks[i].domain);
		args.domain = slice_str(checks[i].domain);
		ip_parse(slice_str(checks[i].ip), &args.ip);
		spf_start(dns, &args);
		spf_verify(dns, arena, &args, &r);
		CHECK_STR(spf_status_name(r.status),
		    spf_status_name(checks[i].status));
		CHECK_SLICE(r.mechanism, slice_str(checks[i].mechanism));
		CHECK_SLICE(r.explanation, slice_str(checks[i].explanation));
		CHECK(slice_find(r.problem, slice_str(checks[i].problem)) >= 0);
		CHECK_EQ(r.problem.n > 0, checks[i].problem[0] != '\0');
		CHECK_EQ(r.secure, checks[i].secure);
		CHECK_EQ(r.helo, args.domain.n == 0);
		CHECK(r.lookups <= 11 && r.voids <= 3);
	}
	dns_free(&dns);
}

/* ---- the field ---- */

static void
test_received(void)
{
	struct spf_args args = { .ip = { 4, { 192, 0, 2, 1 } },
		.helo = SLICE("foo.example.com"),
		.local = SLICE("myname"),
		.domain = SLICE("example.com"),
		.receiver = SLICE("mybox.example.org") };
	struct spf_result r = { .status = SPF_PASS,
		.mechanism = SLICE("ip4:192.0.2.0/24") };
	struct buf out = BUF_INIT(4000);

	spf_received(&out, &args, &r);
	CHECK_SLICE(buf_slice(&out),
	    SLICE("Received-SPF: pass (mybox.example.org: domain of "
		  "example.com designates\r\n"
		  " 192.0.2.1 as permitted sender) client-ip=192.0.2.1;\r\n"
		  " envelope-from=\"myname@example.com\"; "
		  "helo=foo.example.com;\r\n"
		  " identity=mailfrom; mechanism=\"ip4:192.0.2.0/24\"; "
		  "receiver=mybox.example.org\r\n"));
	/* Nothing foreign gets out of its place. */
	args.helo = SLICE("a)\r\nX: y (\"\\");
	args.domain = SLICE("");
	r = (struct spf_result){ .status = SPF_TEMPERROR,
		.helo = true,
		.problem = SLICE("no \"answer\"\r\n") };
	buf_reset(&out);
	spf_received(&out, &args, &r);
	CHECK_SLICE(buf_slice(&out),
	    SLICE("Received-SPF: temperror (mybox.example.org: domain of "
		  "a\\)\?\?X: y \\(\"\\\\: no\r\n"
		  " answer from DNS) client-ip=192.0.2.1; "
		  "helo=\"a)\?\?X: y (\\\"\\\\\"; identity=helo;\r\n"
		  " problem=\"no \\\"answer\\\"\?\?\"; "
		  "receiver=mybox.example.org\r\n"));
	buf_free(&out);
}

int
main(void)
{
	arena = arena_new(0);
	RUN(test_records);
	RUN(test_macros);
	RUN(test_checks);
	RUN(test_received);
	arena_free(&arena);
	return unit_done();
}
