/* Unit tests of lib/dmarc. */
#include "dmarc/dmarc.h"

#include "dns/zone.h"
#include "t/unit.h"

#define ROWS(rows) (sizeof(rows) / sizeof((rows)[0]))

static struct arena *arena;

/* ---- records ---- */

static void
test_record(void)
{
	static const struct {
		const char *text;
		int rc;
		const char *again;
	} rows[] = {
		/* RFC 7489, B.2 */
		{ "v=DMARC1; p=none; rua=mailto:dmarc-feedback@example.com", 1,
		    "v=DMARC1;p=none;rua=mailto:dmarc-feedback@example.com" },
		{ "v=DMARC1; p=none; rua=mailto:dmarc-feedback@example.com; "
		  "ruf=mailto:auth-reports@example.com",
		    1,
		    "v=DMARC1;p=none;rua=mailto:dmarc-feedback@example.com;"
		    "ruf=mailto:auth-reports@example.com" },
		{ "v=DMARC1; p=quarantine; "
		  "rua=mailto:dmarc-feedback@example.com,"
		  "mailto:tld-test@thirdparty.example.net!10m; pct=25",
		    1,
		    "v=DMARC1;p=quarantine;"
		    "rua=mailto:dmarc-feedback@example.com,"
		    "mailto:tld-test@thirdparty.example.net!10485760;pct=25" },
		{ "v=DMARC1; p=Reject; sp=none; np=quarantine; adkim=s; "
		  "aspf=s; ri=3600; fo=1:d; rf=iodef; psd=y; t=y; x=y;",
		    1,
		    "v=DMARC1;p=reject;sp=none;np=quarantine;adkim=s;aspf=s;"
		    "ri=3600;fo=1:d;rf=iodef;psd=y;t=y" },
		{ "v=DMARC1;p=reject;adkim=r;aspf=r;ri=86400;pct=100;psd=n", 1,
		    "v=DMARC1;p=reject;psd=n" },
		/* 6.6.3, 6: only reports */
		{ "v=DMARC1; p=nothing; rua=mailto:a@b.example", 1,
		    "v=DMARC1;p=none;rua=mailto:a@b.example" },
		{ "v=DMARC1; p=reject; sp=x; rua=mailto:a@b.example", 1,
		    "v=DMARC1;p=none;rua=mailto:a@b.example" },
		{ "v=DMARC1; p=reject; np=x", 1, "v=DMARC1;p=reject" },
		{ "v=DMARC1; p=nothing", -1, NULL },
		{ "v=DMARC1", -1, NULL },
		{ "v=DMARC1; p=none; pct=101", -1, NULL },
		{ "v=DMARC1; p=none; p=none", -1, NULL },
		{ "v=DMARC1; p=none; adkim=x", -1, NULL },
		{ "v=DMARC1; p=none; ri=x", -1, NULL },
		{ "v=DMARC1; p=none; rua=a@b.example", -1, NULL },
		{ "v=DMARC1; p=none; rua=mailto:a@b.example!10x", -1, NULL },
		{ "v=DMARC1; p=none; rua=mailto:a@b.example!99999999t", -1,
		    NULL },
		{ "v=DMARC10; p=none", 0, NULL },
		{ "v=dmarc1; p=none", 0, NULL },
		{ "p=none; v=DMARC1", 0, NULL },
		{ "v=spf1 -all", 0, NULL },
		{ "", 0, NULL },
	};
	struct buf b = BUF_INIT(1000);

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct dmarc_record r;
		struct err e = ERR_INIT;

		ROW(rows[i].text);
		CHECK_EQ(dmarc_record_parse(arena, slice_str(rows[i].text), &r,
			     &e),
		    rows[i].rc);
		if (rows[i].rc != 1)
			continue;
		buf_reset(&b);
		dmarc_record_write(&r, &b);
		CHECK_STR(buf_cstr(&b), rows[i].again);
	}
	buf_free(&b);
}

static void
test_uri_address(void)
{
	static const struct {
		const char *uri, *local, *domain; /* NULL: none */
	} rows[] = {
		{ "mailto:a@b.example", "a", "b.example" },
		{ "MAILTO:a%21c@b.example?subject=x", "a!c", "b.example" },
		{ "https://b.example/", NULL, NULL },
		{ "mailto:b.example", NULL, NULL },
		{ "mailto:", NULL, NULL },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct slice local, domain;

		ROW(rows[i].uri);
		CHECK_EQ(dmarc_uri_address(arena, slice_str(rows[i].uri),
			     &local, &domain),
		    rows[i].local != NULL);
		if (rows[i].local == NULL)
			continue;
		CHECK_SLICE(local, slice_str(rows[i].local));
		CHECK_SLICE(domain, slice_str(rows[i].domain));
	}
}

/* ---- looking them up ---- */

static const char zone[] =
    "_dmarc.example.com TXT \"v=DMARC1; p=reject; sp=quarantine\"\n"
    "mail.sub.example.com A 192.0.2.1\n"
    "_dmarc.own.example.com TXT \"v=DMARC1; p=none\"\n"
    "_dmarc.two.example.com TXT \"v=DMARC1; p=none\"\n"
    "_dmarc.two.example.com TXT \"v=DMARC1; p=reject\"\n"
    "_dmarc.wrong.example.com TXT \"v=DMARC1; p=x\"\n"
    "_dmarc.fail.example.com FAIL\n"
    "_dmarc.other.example.com TXT \"v=spf1 -all\"\n"
    "example.com SECURE\n"
    "_dmarc.strict.org TXT \"v=DMARC1; p=quarantine; aspf=s; adkim=s\"\n"
    "_dmarc.half.org TXT \"v=DMARC1; p=reject; pct=50\"\n"
    "_dmarc.none.org TXT \"v=DMARC1; p=none\"\n"
    "_dmarc.xn--bcher-kva.org TXT \"v=DMARC1; p=reject\"\n"
    /* for the tree walk */
    "_dmarc.bank TXT \"v=DMARC1; p=none; np=reject; psd=y\"\n"
    "_dmarc.a.bank TXT \"v=DMARC1; p=reject\"\n"
    "mail.b.bank A 192.0.2.1\n"
    "_dmarc.n.a.bank TXT \"v=DMARC1; p=quarantine; psd=n\"\n"
    "_dmarc.test.org TXT \"v=DMARC1; p=reject; t=y\"\n"
    "_dmarc.g.deep.org TXT \"v=DMARC1; p=none\"\n"
    "_dmarc.x.a.b.c.d.e.f.g.deep.org TXT \"v=DMARC1; p=x\"\n"
    "example.com._report._dmarc.thirdparty.net TXT \"v=DMARC1\"\n"
    "wrong.org._report._dmarc.thirdparty.net TXT \"v=DMARC1; pct=x\"\n"
    "fail.org._report._dmarc.thirdparty.net FAIL\n"
    "moved.org._report._dmarc.thirdparty.net TXT "
    "\"v=DMARC1; rua=mailto:new@thirdparty.net\"\n";

static struct dns *
make_dns(void)
{
	struct err e = ERR_INIT;
	struct dns *dns = dns_zone_new(slice_str(zone), &e);

	CHECK_STR(e.text, "");
	return dns;
}

static void
test_lookup(void)
{
	static const struct {
		const char *domain;
		bool walk;
		enum dmarc_status status;
		const char *at;
		bool secure;
	} rows[] = {
		{ "example.com", false, DMARC_PASS, "example.com", true },
		{ "sub.example.com", false, DMARC_PASS, "example.com", true },
		{ "own.example.com", false, DMARC_PASS, "own.example.com",
		    true },
		{ "x.own.example.com", false, DMARC_PASS, "example.com", true },
		{ "x.own.example.com", true, DMARC_PASS, "example.com", true },
		{ "two.example.com", false, DMARC_NONE, "two.example.com",
		    true },
		{ "two.example.com", true, DMARC_PASS, "example.com", true },
		{ "wrong.example.com", false, DMARC_PERMERROR,
		    "wrong.example.com", true },
		{ "fail.example.com", false, DMARC_TEMPERROR,
		    "fail.example.com", false },
		{ "fail.example.com", true, DMARC_TEMPERROR, "fail.example.com",
		    false },
		{ "other.example.com", false, DMARC_PASS, "example.com", true },
		{ "example.net", false, DMARC_NONE, "example.net", false },
		{ "example.net", true, DMARC_NONE, "net", false },
		{ "b\xc3\xbc"
		  "cher.org",
		    false, DMARC_PASS, "xn--bcher-kva.org", false },
		{ "a..b", false, DMARC_PERMERROR, "a..b", false },
		{ "mail.b.bank", true, DMARC_PASS, "bank", false },
		{ "x.n.a.bank", true, DMARC_PASS, "n.a.bank", false },
		/* 8 questions: the name, then from 7 labels up */
		{ "y.x.a.b.c.d.e.f.g.deep.org", true, DMARC_PASS, "g.deep.org",
		    false },
	};
	struct dns *dns = make_dns();

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct dmarc_found f;

		ROW(rows[i].domain);
		dmarc_start(dns, arena, slice_str(rows[i].domain));
		dmarc_lookup(dns, arena, slice_str(rows[i].domain),
		    rows[i].walk, &f);
		CHECK_EQ(f.status, rows[i].status);
		CHECK_SLICE(f.domain, slice_str(rows[i].at));
		CHECK_EQ(f.secure, rows[i].secure);
		CHECK_EQ(f.why.n == 0, f.status == DMARC_PASS);
	}
	dns_free(&dns);
}

/* ---- verdicts ---- */

/* DKIM results: status of d=, up to two; domain NULL ends. */
struct signed_by {
	enum dkim_status status;
	const char *domain;
};

static const struct {
	const char *from;
	bool walk;
	bool spf_pass, spf_temperror;
	const char *spf_domain;
	struct signed_by dkim[2];
	enum dmarc_status status;
	bool reject;
	enum dmarc_policy policy;
} verdicts[] = {
	/* RFC 7489, B.1.1: SPF */
	{ "example.com", false, true, false, "example.com", { { 0, NULL } },
	    DMARC_PASS, false, DMARC_POLICY_REJECT },
	{ "example.com", false, true, false, "child.example.com",
	    { { 0, NULL } }, DMARC_PASS, false, DMARC_POLICY_REJECT },
	{ "child.example.com", false, true, false, "example.com",
	    { { 0, NULL } }, DMARC_PASS, false, DMARC_POLICY_QUARANTINE },
	{ "example.com", false, true, false, "example.net", { { 0, NULL } },
	    DMARC_FAIL, true, DMARC_POLICY_REJECT },
	/* B.1.2: DKIM */
	{ "example.com", false, false, false, "",
	    { { DKIM_PASS, "example.com" } }, DMARC_PASS, false,
	    DMARC_POLICY_REJECT },
	{ "child.example.com", false, false, false, "",
	    { { DKIM_PASS, "example.com" } }, DMARC_PASS, false,
	    DMARC_POLICY_QUARANTINE },
	{ "child.example.com", false, false, false, "",
	    { { DKIM_PASS, "sample.net" } }, DMARC_FAIL, true,
	    DMARC_POLICY_QUARANTINE },
	{ "example.com", false, false, false, "example.com",
	    { { DKIM_FAIL, "example.com" }, { DKIM_PASS, "Example.COM" } },
	    DMARC_PASS, false, DMARC_POLICY_REJECT },
	{ "example.com", false, false, false, "",
	    { { DKIM_FAIL, "example.com" } }, DMARC_FAIL, true,
	    DMARC_POLICY_REJECT },
	/* what failed might have passed */
	{ "example.com", false, false, true, "example.com", { { 0, NULL } },
	    DMARC_TEMPERROR, false, DMARC_POLICY_REJECT },
	{ "example.com", false, false, false, "",
	    { { DKIM_TEMPERROR, "example.com" } }, DMARC_TEMPERROR, false,
	    DMARC_POLICY_REJECT },
	{ "example.com", false, true, false, "example.com",
	    { { DKIM_TEMPERROR, "example.com" } }, DMARC_PASS, false,
	    DMARC_POLICY_REJECT },
	/* but not if it is another's */
	{ "example.com", false, false, true, "example.net",
	    { { DKIM_TEMPERROR, "example.net" } }, DMARC_FAIL, true,
	    DMARC_POLICY_REJECT },
	/* strict */
	{ "strict.org", false, true, false, "a.strict.org",
	    { { DKIM_PASS, "b.strict.org" } }, DMARC_FAIL, true,
	    DMARC_POLICY_QUARANTINE },
	{ "strict.org", false, true, false, "strict.org", { { 0, NULL } },
	    DMARC_PASS, false, DMARC_POLICY_QUARANTINE },
	{ "strict.org", false, false, false, "",
	    { { DKIM_PASS, "strict.org" } }, DMARC_PASS, false,
	    DMARC_POLICY_QUARANTINE },
	/* nothing wanted, nothing there */
	{ "none.org", false, false, false, "", { { 0, NULL } }, DMARC_FAIL,
	    false, DMARC_POLICY_NONE },
	{ "example.net", false, false, false, "", { { 0, NULL } }, DMARC_NONE,
	    false, DMARC_POLICY_UNSET },
	{ "wrong.example.com", false, false, false, "", { { 0, NULL } },
	    DMARC_PERMERROR, false, DMARC_POLICY_UNSET },
	{ "fail.example.com", false, false, false, "", { { 0, NULL } },
	    DMARC_TEMPERROR, false, DMARC_POLICY_UNSET },
	{ "b\xc3\xbc"
	  "cher.org",
	    false, true, false, "mail.xn--bcher-kva.org", { { 0, NULL } },
	    DMARC_PASS, false, DMARC_POLICY_REJECT },
	/* the tree walk */
	{ "a.bank", true, true, false, "mail.a.bank", { { 0, NULL } },
	    DMARC_PASS, false, DMARC_POLICY_REJECT },
	{ "a.bank", true, true, false, "c.bank", { { 0, NULL } }, DMARC_FAIL,
	    true, DMARC_POLICY_REJECT },
	{ "mail.b.bank", true, false, false, "", { { 0, NULL } }, DMARC_FAIL,
	    false, DMARC_POLICY_NONE },
	{ "none.b.bank", true, false, false, "", { { 0, NULL } }, DMARC_FAIL,
	    true, DMARC_POLICY_REJECT },
	{ "x.n.a.bank", true, true, false, "a.bank", { { 0, NULL } },
	    DMARC_FAIL, true, DMARC_POLICY_QUARANTINE },
	{ "x.n.a.bank", true, true, false, "y.n.a.bank", { { 0, NULL } },
	    DMARC_PASS, false, DMARC_POLICY_QUARANTINE },
	{ "test.org", true, false, false, "", { { 0, NULL } }, DMARC_FAIL,
	    false, DMARC_POLICY_REJECT },
};

static void
test_verify(void)
{
	struct dns *dns = make_dns();

	for (size_t i = 0; i < ROWS(verdicts); i++) {
		struct dkim_result v[2] = { 0 };
		struct dkim_results dkim = { v, 0 };
		struct dmarc_args args = { .from_domain =
					       slice_str(verdicts[i].from),
			.spf_pass = verdicts[i].spf_pass,
			.spf_temperror = verdicts[i].spf_temperror,
			.spf_domain = slice_str(verdicts[i].spf_domain),
			.dkim = &dkim,
			.tree_walk = verdicts[i].walk };
		struct dmarc_result r;
		char row[80];

		for (; dkim.n < 2; dkim.n++) {
			const struct signed_by *s = &verdicts[i].dkim[dkim.n];

			if (s->domain == NULL)
				break;
			v[dkim.n].status = s->status;
			v[dkim.n].sig.domain = slice_str(s->domain);
		}
		snprintf(row, sizeof(row), "%zu %s", i, verdicts[i].from);
		ROW(row);
		dmarc_verify(dns, arena, &args, &r);
		CHECK_EQ(r.status, verdicts[i].status);
		CHECK_EQ(r.reject, verdicts[i].reject);
		CHECK_EQ(r.policy, verdicts[i].policy);
	}
	dns_free(&dns);
}

/* Half are spared. */
static void
test_percent(void)
{
	struct dns *dns = make_dns();
	struct rand rand;
	struct dmarc_args args = { .from_domain = SLICE("half.org"),
		.rand = &rand };
	unsigned rejected = 0;
	struct dmarc_result r;

	rand_fake(&rand, 1);
	for (int i = 0; i < 1000; i++) {
		dmarc_verify(dns, arena, &args, &r);
		CHECK_EQ(r.status, DMARC_FAIL);
		CHECK_EQ(r.reject, !r.spared);
		rejected += r.reject;
	}
	CHECK(rejected > 400 && rejected < 600);
	args.all = true;
	dmarc_verify(dns, arena, &args, &r);
	CHECK(r.reject);
	dns_free(&dns);
}

static void
test_report_accepted(void)
{
	static const struct {
		const char *domain, *to;
		enum dmarc_status status;
		bool internal;
		size_t rua;
	} rows[] = {
		{ "example.com", "mail.example.com", DMARC_PASS, true, 0 },
		/* RFC 7489, 7.1 */
		{ "example.com", "thirdparty.net", DMARC_PASS, false, 0 },
		{ "moved.org", "thirdparty.net", DMARC_PASS, false, 1 },
		{ "other.org", "thirdparty.net", DMARC_FAIL, false, 0 },
		{ "wrong.org", "thirdparty.net", DMARC_PERMERROR, false, 0 },
		{ "fail.org", "thirdparty.net", DMARC_TEMPERROR, false, 0 },
		{ "a..b", "thirdparty.net", DMARC_PERMERROR, false, 0 },
	};
	struct dns *dns = make_dns();

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct dmarc_report_check c;

		ROW(rows[i].domain);
		dmarc_report_accepted(dns, arena, slice_str(rows[i].domain),
		    slice_str(rows[i].to), &c);
		CHECK_EQ(c.status, rows[i].status);
		CHECK_EQ(c.internal, rows[i].internal);
		CHECK_EQ(c.rua.n, rows[i].rua);
		CHECK_EQ(c.why.n == 0, c.status == DMARC_PASS);
	}
	dns_free(&dns);
}

int
main(void)
{
	arena = arena_new(0);
	RUN(test_record);
	RUN(test_uri_address);
	RUN(test_lookup);
	RUN(test_verify);
	RUN(test_percent);
	RUN(test_report_accepted);
	arena_free(&arena);
	return unit_done();
}
