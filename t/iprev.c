/* Unit test of lib/iprev. */
#include "iprev/iprev.h"

#include "dns/zone.h"
#include "t/unit.h"

static const char zone_text[] =
    "1.2.0.192.in-addr.arpa PTR other.example\n"
    "1.2.0.192.in-addr.arpa PTR mail.example.org\n"
    "2.2.0.192.in-addr.arpa PTR mail.example.org\n"
    "3.2.0.192.in-addr.arpa PTR gone.example.org\n"
    "4.2.0.192.in-addr.arpa PTR down.example.org\n"
    "5.2.0.192.in-addr.arpa FAIL\n"
    "6.2.0.192.in-addr.arpa BOGUS\n"
    "8.2.0.192.in-addr.arpa PTR down.example.org\n"
    "8.2.0.192.in-addr.arpa PTR eight.example.org\n"
    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
    " PTR mail.example.org\n"
    "other.example A 192.0.2.99\n"
    "mail.example.org A 192.0.2.1\n"
    "mail.example.org AAAA 2001:db8::1\n"
    "eight.example.org A 192.0.2.8\n"
    "down.example.org FAIL\n"
    "example.org SECURE\n"
    "8.b.d.0.1.0.0.2.ip6.arpa SECURE\n";

static const struct {
	const char *ip;
	enum iprev_status status;
	const char *name;
	size_t names;
	bool secure;
} rows[] = {
	{ "192.0.2.1", IPREV_PASS, "mail.example.org", 2, false },
	{ "2001:db8::1", IPREV_PASS, "mail.example.org", 1, true },
	{ "192.0.2.2", IPREV_FAIL, "", 1, false },
	{ "192.0.2.3", IPREV_FAIL, "", 1, false },
	{ "192.0.2.4", IPREV_TEMPERROR, "", 1, false },
	{ "192.0.2.5", IPREV_TEMPERROR, "", 0, false },
	{ "192.0.2.6", IPREV_TEMPERROR, "", 0, false },
	{ "192.0.2.7", IPREV_PERMERROR, "", 0, false },
	{ "2001:db8::2", IPREV_PERMERROR, "", 0, true },
	{ "192.0.2.8", IPREV_PASS, "eight.example.org", 2, false },
};

static void
test_check(void)
{
	struct arena *arena = arena_new(0);
	struct err e = ERR_INIT;
	struct dns *dns = dns_zone_new(slice_str(zone_text), &e);
	struct iprev_result r;
	struct ip ip;

	CHECK_STR(e.text, "");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ROW(rows[i].ip);
		CHECK(ip_parse(slice_str(rows[i].ip), &ip));
		iprev_check(dns, arena, &ip, &r);
		CHECK_STR(iprev_status_name(r.status),
		    iprev_status_name(rows[i].status));
		CHECK_SLICE(r.name, slice_str(rows[i].name));
		CHECK_EQ(r.nnames, rows[i].names);
		CHECK_EQ(r.secure, rows[i].secure);
		CHECK_EQ(r.problem.n > 0, r.status == IPREV_TEMPERROR);
	}
	dns_free(&dns);
	arena_free(&arena);
}

int
main(void)
{
	RUN(test_check);
	return unit_done();
}
