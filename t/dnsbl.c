/* Unit test of lib/dnsbl: RFC 5782, 2.1, 2.4 and 5. */
#include "dnsbl/dnsbl.h"

#include "dns/zone.h"
#include "t/unit.h"

static const char zone_text[] =
    "2.0.0.127.bl.example A 127.0.0.2\n"
    "99.2.0.192.bl.example A 127.0.0.3\n"
    "99.2.0.192.bl.example TXT \"Dynamic address\"\n"
    "b.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2"
    ".bl.example A 127.0.0.2\n"
    "2.0.0.127.all.example A 127.0.0.2\n"
    "1.0.0.127.all.example A 127.0.0.2\n"
    "1.2.0.192.parked.example A 198.51.100.1\n"
    "1.2.0.192.closed.example A 127.255.255.254\n"
    "1.2.0.192.down.example FAIL\n"
    "2.0.0.127.down.example FAIL\n";

static struct dns *dns;
static struct arena *arena;

static void
test_lookup(void)
{
	static const struct {
		const char *zone, *ip;
		int rc;
		enum dnsbl_status status;
		const char *code, *why;
		enum err_kind kind;
	} rows[] = {
		{ "bl.example", "192.0.2.99", 0, DNSBL_FAIL, "127.0.0.3",
		    "Dynamic address", ERR_NONE },
		{ "bl.example", "192.0.2.98", 0, DNSBL_PASS, "", "", ERR_NONE },
		{ "bl.example", "2001:db8::1b", 0, DNSBL_FAIL, "127.0.0.2", "",
		    ERR_NONE },
		{ "bl.example", "2001:db8::1c", 0, DNSBL_PASS, "", "",
		    ERR_NONE },
		{ "parked.example", "192.0.2.1", -1, DNSBL_PASS, "", "",
		    ERR_PERM },
		{ "closed.example", "192.0.2.1", -1, DNSBL_PASS, "", "",
		    ERR_PERM },
		{ "down.example", "192.0.2.1", -1, DNSBL_PASS, "", "",
		    ERR_TEMP },
		{ "bad..example", "192.0.2.1", -1, DNSBL_PASS, "", "",
		    ERR_SYNTAX },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = ERR_INIT;
		struct dnsbl_result r;
		struct ip ip;
		char text[IP_TEXT];
		ROW(rows[i].zone);
		CHECK(ip_parse(slice_str(rows[i].ip), &ip));
		CHECK_EQ(dnsbl_lookup(dns, arena, slice_str(rows[i].zone), &ip,
			     &r, &e),
		    rows[i].rc);
		CHECK_EQ(e.kind, rows[i].kind);
		CHECK_EQ(r.status, rows[i].status);
		CHECK_STR(ip_text(&r.code, text), rows[i].code);
		CHECK_SLICE(r.why, slice_str(rows[i].why));
	}
}

static void
test_long_zone(void)
{
	static const struct ip ip = { 6, { 0x20, 1 } };
	struct err e = ERR_INIT;
	struct dnsbl_result r;
	char zone[220];

	memset(zone, 'a', sizeof(zone));
	CHECK_EQ(dnsbl_lookup(dns, arena, slice_of(zone, sizeof(zone)), &ip, &r,
		     &e),
	    -1);
	CHECK_STR(e.text, "dnsbl: zone name too long");
}

static void
test_health(void)
{
	static const struct {
		const char *zone;
		enum err_kind kind;
		const char *text;
	} rows[] = {
		{ "bl.example", ERR_NONE, "" },
		{ "all.example", ERR_PERM, "lists 127.0.0.1" },
		{ "none.example", ERR_PERM, "does not list" },
		{ "down.example", ERR_TEMP, "no answer" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = ERR_INIT;
		ROW(rows[i].zone);
		CHECK_EQ(dnsbl_health(dns, arena, slice_str(rows[i].zone), &e),
		    rows[i].kind == ERR_NONE ? 0 : -1);
		CHECK_EQ(e.kind, rows[i].kind);
		CHECK(strstr(e.text, rows[i].text) != NULL);
	}
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
	RUN(test_lookup);
	RUN(test_long_zone);
	RUN(test_health);
	dns_free(&dns);
	arena_free(&arena);
	return unit_done();
}
