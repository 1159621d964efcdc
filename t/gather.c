/* Unit test of smtp/gather: hosts and addresses of domains, from a zone. */
#include "smtp/gather.h"

#include "dns/zone.h"
#include "t/unit.h"

static const char zone_text[] =
    "example.org MX 20 MX2.example.org\n"
    "example.org MX 10 mx1.example.org\n"
    "example.org MX 20 mx3.example.org\n"
    "example.org MX 30 mx1.example.org\n"
    "example.org SECURE\n"
    "mx1.example.org A 192.0.2.1\n"
    "mx1.example.org A 192.0.2.2\n"
    "mx1.example.org AAAA 2001:db8::1\n"
    "null.example MX 0 .\n"
    "mixed.example MX 0 .\n"
    "mixed.example MX 5 mx.mixed.example\n"
    "plain.example A 192.0.2.9\n"
    "nothing.example TXT x\n"
    "under.example MX 1 mx_1.under.example\n"
    "under.example MX 2 mx2.under.example\n"
    "only.example MX 1 mx_1.under.example\n"
    /* CNAMEs: all proved; the second one not; without end; to nothing. */
    "alias.example.org CNAME example.org\n"
    "to-plain.example.org CNAME plain.example\n"
    "out.example.org CNAME in.example\n"
    "in.example CNAME example.org\n"
    "loop.example CNAME pool.example\n"
    "pool.example CNAME loop.example\n"
    "dangling.example CNAME gone.example\n"
    "fails.example FAIL\n"
    "to-fails.example CNAME fails.example\n"
    "bogus.example BOGUS\n"
    "half.example.org A 192.0.2.3\n"
    "half.example.org FAIL AAAA\n"
    "unsure.example.org CNAME plain.example\n"
    "unsure.example.org FAIL CNAME\n";

static struct dns *dns;
static struct arena *arena;
static struct rand repeatable;

static struct gather
hosts(const char *domain, bool pedantic)
{
	struct gather g;

	gather_start(dns, slice_str(domain));
	gather_hosts(dns, arena, slice_str(domain), pedantic, &repeatable, &g);
	return g;
}

static struct gather_addresses
addresses(const char *host)
{
	struct gather_addresses a;

	gather_addresses(dns, arena, slice_str(host), &a);
	return a;
}

static void
test_outcomes(void)
{
	static const struct {
		const char *domain;
		enum gather_status status;
		const char *enhanced;
		bool pedantic, bogus;
		size_t n;
		const char *first;
	} rows[] = {
		{ "example.org", GATHER_OK, "", 0, 0, 3, "mx1.example.org" },
		{ "EXAMPLE.org", GATHER_OK, "", 0, 0, 3, "mx1.example.org" },
		{ "null.example", GATHER_PERM, "5.1.10", 0, 0, 0, "" },
		{ "mixed.example", GATHER_OK, "", 0, 0, 1, "mx.mixed.example" },
		{ "plain.example", GATHER_OK, "", 0, 0, 1, "plain.example" },
		{ "Plain.Example", GATHER_OK, "", 0, 0, 1, "plain.example" },
		{ "nothing.example", GATHER_OK, "", 0, 0, 1,
		    "nothing.example" },
		{ "no.example", GATHER_PERM, "5.1.2", 0, 0, 0, "" },
		{ "dangling.example", GATHER_PERM, "5.1.2", 0, 0, 0, "" },
		{ "under.example", GATHER_OK, "", 0, 0, 2,
		    "mx_1.under.example" },
		{ "under.example", GATHER_OK, "", 1, 0, 1,
		    "mx2.under.example" },
		{ "only.example", GATHER_PERM, "5.4.4", 1, 0, 0, "" },
		{ "loop.example", GATHER_PERM, "5.4.6", 0, 0, 0, "" },
		{ "fails.example", GATHER_TEMP, "4.4.3", 0, 0, 0, "" },
		{ "to-fails.example", GATHER_TEMP, "4.4.3", 0, 0, 0, "" },
		{ "bogus.example", GATHER_TEMP, "4.4.3", 0, 1, 0, "" },
		{ "to-plain.example.org", GATHER_OK, "", 0, 0, 1,
		    "to-plain.example.org" },
		{ "[192.0.2.7]", GATHER_OK, "", 0, 0, 1, "[192.0.2.7]" },
		{ "[IPv6:2001:db8::7]", GATHER_OK, "", 0, 0, 1,
		    "[ipv6:2001:db8::7]" },
		{ "[2001:db8::7]", GATHER_PERM, "5.1.2", 0, 0, 0, "" },
		{ "[IPv6:192.0.2.7]", GATHER_PERM, "5.1.2", 0, 0, 0, "" },
		{ "a..b", GATHER_PERM, "5.1.2", 0, 0, 0, "" },
		{ "", GATHER_PERM, "5.1.2", 0, 0, 0, "" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct gather g = hosts(rows[i].domain, rows[i].pedantic);
		ROW(rows[i].domain);
		CHECK_EQ(g.status, rows[i].status);
		CHECK_SLICE(g.enhanced, slice_str(rows[i].enhanced));
		CHECK_EQ(g.why.n > 0, g.status != GATHER_OK);
		CHECK_EQ(g.bogus, rows[i].bogus);
		CHECK_EQ(g.n, rows[i].n);
		if (g.n > 0)
			CHECK_SLICE(g.hosts[0].name, slice_str(rows[i].first));
	}
}

static void
test_secure(void)
{
	static const struct {
		const char *domain, *expanded;
		bool mx, secure, expanded_secure;
	} rows[] = {
		{ "example.org", "example.org", 1, 1, 1 },
		{ "alias.example.org", "example.org", 1, 1, 1 },
		{ "plain.example", "plain.example", 0, 0, 1 },
		{ "to-plain.example.org", "plain.example", 0, 0, 1 },
		{ "out.example.org", "example.org", 1, 0, 0 },
		{ "in.example", "example.org", 1, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct gather g = hosts(rows[i].domain, false);
		ROW(rows[i].domain);
		CHECK_EQ(g.status, GATHER_OK);
		CHECK_SLICE(g.expanded, slice_str(rows[i].expanded));
		CHECK_EQ(g.mx, rows[i].mx);
		CHECK_EQ(g.secure, rows[i].secure);
		CHECK_EQ(g.expanded_secure, rows[i].expanded_secure);
	}
}

/* Equals come in any order, the others in theirs; each host once. */
static void
test_order_of_hosts(void)
{
	int first[2] = { 0, 0 };

	for (int i = 0; i < 200; i++) {
		struct gather g = hosts("example.org", false);
		CHECK_EQ(g.n, 3);
		CHECK_EQ(g.hosts[0].preference, 10);
		CHECK_SLICE(g.hosts[0].name, SLICE("mx1.example.org"));
		first[slice_is(g.hosts[1].name, "mx2.example.org")]++;
		CHECK(!slice_eq(g.hosts[1].name, g.hosts[2].name));
	}
	CHECK(first[0] > 50 && first[1] > 50);
}

static void
test_addresses(void)
{
	struct gather_addresses a = addresses("mx1.example.org");

	CHECK_EQ(a.status, GATHER_OK);
	CHECK_EQ(a.n, 3);
	CHECK_EQ(a.ips[0].family, 6);
	CHECK_EQ(a.ips[1].family, 4);
	CHECK_EQ(a.ips[2].b[3], 2);
	CHECK(a.secure && a.name_secure);
	a = addresses("[IPv6:2001:db8::7]");
	CHECK_EQ(a.status, GATHER_OK);
	CHECK(a.n == 1 && a.ips[0].family == 6 && a.ips[0].b[15] == 7);
	CHECK(!a.secure);
	a = addresses("to-plain.example.org");
	CHECK_EQ(a.n, 1);
	CHECK_SLICE(a.expanded, SLICE("plain.example"));
	CHECK(!a.secure && a.name_secure);
	CHECK(!addresses("plain.example").name_secure);
	CHECK_EQ(addresses("nothing.example").status, GATHER_PERM);
	CHECK_EQ(addresses("no.example").status, GATHER_PERM);
	CHECK_EQ(addresses("a..b").status, GATHER_PERM);
	CHECK_EQ(addresses("fails.example").status, GATHER_TEMP);
	CHECK(addresses("bogus.example").bogus);
	/* What was not answered does not take DANE away. */
	CHECK(addresses("half.example.org").secure);
	CHECK_EQ(addresses("half.example.org").status, GATHER_OK);
	CHECK_EQ(addresses("unsure.example.org").status, GATHER_TEMP);
	CHECK(addresses("bogus.example").why.n > 0);
}

static void
test_many_addresses(void)
{
	struct buf b = BUF_INIT(65536);
	struct gather_addresses a;
	struct err e = ERR_INIT;
	struct dns *many;
	size_t v4 = 0;

	for (int i = 1; i <= 40; i++)
		buf_addf(&b, "a.example A 192.0.2.%d\n", i);
	for (int i = 1; i <= 4; i++)
		buf_addf(&b, "a.example AAAA 2001:db8::%d\n", i);
	many = dns_zone_new(buf_slice(&b), &e);
	gather_addresses(many, arena, SLICE("a.example"), &a);
	CHECK_EQ(a.n, GATHER_IPS);
	for (size_t i = 0; i < a.n; i++)
		v4 += a.ips[i].family == 4;
	CHECK_EQ(v4, GATHER_IPS - 4);
	dns_free(&many);
	buf_free(&b);
}

/* The other family; in the same, the last address once more, then others. */
static void
test_order_of_addresses(void)
{
	static const struct {
		const char *last;
		unsigned same;
		const char *want;
	} rows[] = {
		{ "", 0, "2001:db8::1 192.0.2.1 192.0.2.2 " },
		{ "2001:db8::1", 1, "192.0.2.1 192.0.2.2 2001:db8::1 " },
		{ "192.0.2.2", 1, "2001:db8::1 192.0.2.2 192.0.2.1 " },
		{ "192.0.2.2", 2, "2001:db8::1 192.0.2.1 192.0.2.2 " },
		{ "198.51.100.1", 1, "2001:db8::1 192.0.2.1 192.0.2.2 " },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct gather_addresses a = addresses("mx1.example.org");
		struct buf got = BUF_INIT(1000);
		struct ip last = { 0 };
		char text[IP_TEXT];
		ROW(rows[i].last);
		ip_parse(slice_str(rows[i].last), &last);
		gather_order(&a, &last, rows[i].same);
		for (size_t j = 0; j < a.n; j++)
			buf_addf(&got, "%s ", ip_text(&a.ips[j], text));
		CHECK_SLICE(buf_slice(&got), slice_str(rows[i].want));
		buf_free(&got);
	}
}

/* What resolvers follow is fine; more than GATHER_CNAMES is a circle. */
static void
test_long_chain(void)
{
	struct buf b = BUF_INIT(65536);
	struct err e = ERR_INIT;
	struct dns *chain;
	struct gather g;

	for (int i = 0; i < 20; i++)
		buf_addf(&b, "c%d.example CNAME c%d.example\n", i, i + 1);
	buf_addz(&b, "c20.example MX 1 mx.example\n");
	chain = dns_zone_new(buf_slice(&b), &e);
	gather_hosts(chain, arena, SLICE("c0.example"), false, &repeatable, &g);
	CHECK_EQ(g.status, GATHER_PERM);
	CHECK_SLICE(g.enhanced, SLICE("5.4.6"));
	gather_hosts(chain, arena, SLICE("c16.example"), false, &repeatable,
	    &g);
	CHECK_EQ(g.status, GATHER_OK);
	CHECK_SLICE(g.expanded, SLICE("c20.example"));
	dns_free(&chain);
	buf_free(&b);
}

int
main(void)
{
	struct err e = ERR_INIT;

	rand_fake(&repeatable, 1);
	arena = arena_new(0);
	dns = dns_zone_new(slice_str(zone_text), &e);
	if (dns == NULL) {
		fprintf(stderr, "%s\n", e.text);
		return 1;
	}
	RUN(test_outcomes);
	RUN(test_secure);
	RUN(test_order_of_hosts);
	RUN(test_addresses);
	RUN(test_many_addresses);
	RUN(test_order_of_addresses);
	RUN(test_long_chain);
	dns_free(&dns);
	arena_free(&arena);
	return unit_done();
}
