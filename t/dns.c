/* Unit test of lib/dns: names, answers from a zone. */
#include "dns/dns.h"

#include "dns/name.h"
#include "dns/orgdomain.h"
#include "dns/zone.h"
#include "t/unit.h"

static const char zone_text[] =
    "# a comment\n"
    "example.org MX 10 mail.example.org\n"
    "example.org MX 20 backup.example.net\n"
    "example.org TXT \"v=spf1 \" \"mx -all\"\n"
    "odd.example.org TXT \"a\\\"b\\\\\\000\" \"\\255\"\n"
    "mail.example.org A 192.0.2.1\n"
    "mail.example.org AAAA 2001:db8::1\n"
    "www.example.org CNAME mail.example.org\n"
    "loop.example.org CNAME loop.example.org\n"
    "_25._tcp.mail.example.org TLSA 3 1 1 00ff\n"
    "example.org CAA 128 issue \"ca.example; a=b\"\n"
    "_imaps._tcp.example.org SRV 0 1 993 mail.example.org\n"
    "1.2.0.192.in-addr.arpa PTR mail.example.org\n"
    "nomail.example MX 0 .\n"
    "\n"
    "example.org SECURE\n"
    "backup.example.net FAIL\n"
    "half.example.org A 192.0.2.3\n"
    "half.example.org FAIL AAAA\n"
    "half.example.org BOGUS MX\n"
    "other.example.org FAIL AAAA\n"
    "bogus.example BOGUS\n";

static struct dns *dns;
static struct arena *arena;

static void
test_names(void)
{
	static const struct {
		const char *name;
		bool valid, host;
	} rows[] = {
		{ "example.org", true, true },
		{ "_dmarc.example.org", true, false },
		{ "xn--bcher-kva.example", true, true },
		{ "a", true, true },
		{ "", false, false },
		{ ".", false, false },
		{ "a..b", false, false },
		{ "a.b.", false, false },
		{ ".a", false, false },
		{ "-a.b", true, false },
		{ "a-.b", true, false },
		{ "a b", false, false },
		{ "b\xc3\xbc"
		  "cher.example",
		    false, false },
	};
	char label[80];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice name = slice_str(rows[i].name);
		ROW(rows[i].name);
		CHECK_EQ(dns_name_valid(name), rows[i].valid);
		CHECK_EQ(dns_name_is_host(name), rows[i].host);
	}
	ROW("lengths");
	memset(label, 'a', sizeof(label));
	CHECK(dns_name_valid(slice_of(label, 63)));
	CHECK(!dns_name_valid(slice_of(label, 64)));
}

static void
test_relations(void)
{
	struct slice up;

	CHECK(dns_name_eq(SLICE("Example.ORG"), SLICE("example.org")));
	CHECK(dns_name_within(SLICE("a.Example.org"), SLICE("example.org")));
	CHECK(dns_name_within(SLICE("example.org"), SLICE("example.org")));
	CHECK(!dns_name_within(SLICE("badexample.org"), SLICE("example.org")));
	CHECK(!dns_name_within(SLICE("org"), SLICE("example.org")));
	CHECK(dns_name_parent(SLICE("a.b.c"), &up));
	CHECK_SLICE(up, SLICE("b.c"));
	CHECK(!dns_name_parent(SLICE("c"), &up));
	CHECK_EQ(dns_name_labels(SLICE("a.b.c")), 3);
	CHECK_EQ(dns_name_labels(SLICE("")), 0);
}

static void
test_answers(void)
{
	static const struct {
		const char *name;
		enum dns_type type;
		int rc;
		size_t n;
		bool secure, nxdomain;
	} rows[] = {
		{ "example.org", DNS_MX, 1, 2, true, false },
		{ "EXAMPLE.org", DNS_TXT, 1, 1, true, false },
		{ "www.example.org", DNS_A, 1, 1, true, false },
		{ "www.example.org", DNS_CNAME, 1, 1, true, false },
		{ "www.example.org", DNS_MX, 0, 0, true, false },
		{ "_tcp.mail.example.org", DNS_A, 0, 0, true, false },
		{ "none.example.org", DNS_A, 0, 0, true, true },
		{ "none.example", DNS_A, 0, 0, false, true },
		{ "nomail.example", DNS_MX, 1, 1, false, false },
		{ "backup.example.net", DNS_A, -1, 0, false, false },
		{ "bogus.example", DNS_A, -1, 0, false, false },
		{ "loop.example.org", DNS_A, -1, 0, false, false },
		{ "half.example.org", DNS_A, 1, 1, true, false },
		{ "half.example.org", DNS_AAAA, -1, 0, false, false },
		{ "no..name", DNS_A, -1, 0, false, false },
	};
	struct dns_answer a;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = ERR_INIT;
		ROW(rows[i].name);
		CHECK_EQ(dns_query(dns, arena, slice_str(rows[i].name),
			     rows[i].type, &a, &e),
		    rows[i].rc);
		CHECK_EQ(a.n, rows[i].n);
		if (rows[i].rc >= 0)
			CHECK_EQ(a.secure, rows[i].secure);
		CHECK_EQ(a.nxdomain, rows[i].nxdomain);
	}
	CHECK_EQ(a.bogus, false);
	dns_query(dns, arena, SLICE("bogus.example"), DNS_A, &a, NULL);
	CHECK(a.bogus);
}

static void
test_data(void)
{
	struct dns_answer a;
	char text[IP_TEXT];

	dns_query(dns, arena, SLICE("example.org"), DNS_MX, &a, NULL);
	CHECK_EQ(a.v[1].mx.preference, 20);
	CHECK_SLICE(a.v[1].mx.host, SLICE("backup.example.net"));
	dns_query(dns, arena, SLICE("example.org"), DNS_TXT, &a, NULL);
	CHECK_SLICE(a.v[0].text, SLICE("v=spf1 mx -all"));
	dns_query(dns, arena, SLICE("odd.example.org"), DNS_TXT, &a, NULL);
	CHECK_SLICE(a.v[0].text, slice_of("a\"b\\\0\xff", 6));
	dns_query(dns, arena, SLICE("nomail.example"), DNS_MX, &a, NULL);
	CHECK_EQ(a.v[0].mx.host.n, 0);
	dns_query(dns, arena, SLICE("_25._tcp.mail.example.org"), DNS_TLSA, &a,
	    NULL);
	CHECK_EQ(a.v[0].tlsa.usage, 3);
	CHECK_SLICE(a.v[0].tlsa.data, slice_of("\0\xff", 2));
	dns_query(dns, arena, SLICE("example.org"), DNS_CAA, &a, NULL);
	CHECK_EQ(a.v[0].caa.flags, 128);
	CHECK_SLICE(a.v[0].caa.tag, SLICE("issue"));
	CHECK_SLICE(a.v[0].caa.value, SLICE("ca.example; a=b"));
	dns_query(dns, arena, SLICE("_imaps._tcp.example.org"), DNS_SRV, &a,
	    NULL);
	CHECK_EQ(a.v[0].srv.port, 993);
	CHECK_EQ(dns_addresses(dns, arena, SLICE("www.example.org"), &a, NULL),
	    1);
	CHECK_EQ(a.n, 2);
	CHECK_SLICE(a.name, SLICE("mail.example.org"));
	CHECK_STR(ip_text(&a.v[1].ip, text), "2001:db8::1");
	/* Half an answer is no less secure than it is. */
	CHECK_EQ(dns_addresses(dns, arena, SLICE("half.example.org"), &a, NULL),
	    1);
	CHECK(a.secure && a.n == 1);
	CHECK_EQ(dns_addresses(dns, arena, SLICE("other.example.org"), &a,
		     NULL),
	    -1);
	CHECK_EQ(dns_query(dns, arena, SLICE("half.example.org"), DNS_MX, &a,
		     NULL),
	    -1);
	CHECK(a.bogus);
	CHECK_EQ(dns_reverse(dns, arena, &(struct ip){ 4, { 192, 0, 2, 1 } },
		     &a, NULL),
	    1);
	CHECK_SLICE(a.v[0].host, SLICE("mail.example.org"));
}

static void
test_bad_zones(void)
{
	static const char *const rows[] = { "a", "a A", "a A x", "a A ::1",
		"a MX 70000 b", "a MX b", "a TLSA 3 1 1 0", "a TLSA 3 1 1 zz",
		"a NOSUCH b", "a CAA 256 issue x", "a CAA 0",
		"a A 192.0.2.1 more", "a TXT \"open", "a TXT \"\\256\"",
		"a TXT \"\\1\"", "a FAIL NOSUCH", "a BOGUS A AAAA" };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = ERR_INIT;
		ROW(rows[i]);
		CHECK(dns_zone_new(slice_str(rows[i]), &e) == NULL);
		CHECK_STR(e.text, "zone: line 1 is wrong");
	}
}

static void
test_orgdomain(void)
{
	static const struct {
		const char *name, *org;
		bool suffix;
	} rows[] = {
		{ "example.com", "example.com", false },
		{ "a.b.Example.COM", "Example.COM", false },
		{ "mail.example.co.uk", "example.co.uk", false },
		{ "co.uk", "co.uk", true },
		{ "com", "com", true },
		{ "localhost", "localhost", true },
		{ "a.b.c.kobe.jp", "b.c.kobe.jp", false },     /* *.kobe.jp */
		{ "www.city.kobe.jp", "city.kobe.jp", false }, /* !city */
		{ "x.user.github.io", "user.github.io", false },
		{ "www.xn--85x722f.xn--55qx5d.cn", "xn--85x722f.xn--55qx5d.cn",
		    false },
		{ "a..b", "a..b", false },
		{ "", "", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice name = slice_str(rows[i].name);
		ROW(rows[i].name);
		CHECK_SLICE(dns_orgdomain(name), slice_str(rows[i].org));
		CHECK_EQ(dns_is_public_suffix(name), rows[i].suffix);
	}
	ROW("same");
	CHECK(dns_same_org(SLICE("a.example.org"), SLICE("B.Example.org")));
	CHECK(!dns_same_org(SLICE("a.co.uk"), SLICE("b.co.uk")));
}

int
main(void)
{
	struct err e = ERR_INIT;

	arena = arena_new(0);
	dns = dns_zone_new(slice_str(zone_text), &e);
	if (dns == NULL) {
		fprintf(stderr, "%s\n", e.text);
		return 1;
	}
	RUN(test_names);
	RUN(test_relations);
	RUN(test_answers);
	RUN(test_data);
	RUN(test_bad_zones);
	RUN(test_orgdomain);
	dns_zone_free(&dns);
	arena_free(&arena);
	return unit_done();
}
