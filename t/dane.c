/* Unit test of lib/dane. */
#include "dane/dane.h"

#include "base/sha.h"
#include "dns/zone.h"
#include "net/cert.h"
#include "t/unit.h"

/* RFC 6698, 2.3: its digests. */
#define SHA256_HEX \
	"d2abde240d7cd3ee6b4b28c54df034b97983a1d16e8a410e4561cb106618e971"
#define SHA512_HEX \
	"92003ba34942dc74152e2f2c408d29eca5a520e7f2e06bb944f4dca346baf63c" \
	"1b177615d466f6c4b71c216a50292bd58c9ebdd2f74e38fe51ffd48c43326cbc"
/* The keys of RFC 8410, 10.1 and 10.3. */
#define SPKI_HEX \
	"302a300506032b6570032100" \
	"19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1"
#define SPKI_PEM \
	"-----BEGIN PUBLIC KEY-----\n" \
	"MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n" \
	"-----END PUBLIC KEY-----\n"
#define PRIVATE_PEM \
	"-----BEGIN PRIVATE KEY-----\n" \
	"MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n" \
	"-----END PRIVATE KEY-----\n"

static struct arena *arena;

/* ---- look-up ---- */

static const char zone_text[] =
    "example.com SECURE\n"
    "_25._tcp.mail.example.com TLSA 3 1 1 " SHA256_HEX "\n"
    /* RFC 7672, 3.1.3 and RFC 7671, 4: what cannot be used is passed over. */
    "_25._tcp.some.example.com TLSA 1 1 1 " SHA256_HEX "\n"
    "_25._tcp.some.example.com TLSA 2 0 1 " SHA256_HEX "\n"
    "_25._tcp.some.example.com TLSA 3 1 2 " SHA512_HEX "\n"
    "_25._tcp.some.example.com TLSA 3 1 2 " SHA256_HEX "\n"
    "_25._tcp.pkix.example.com TLSA 0 0 1 " SHA256_HEX "\n"
    "_25._tcp.pkix.example.com TLSA 1 1 2 " SHA512_HEX "\n"
    "_25._tcp.bad.example.com TLSA 3 1 1 00\n"
    "_25._tcp.fail.example.com FAIL\n"
    "_25._tcp.bogus.example.com BOGUS\n"
    "_25._tcp.alias.example.com CNAME _dane.example.com\n"
    "_dane.example.com TLSA 2 1 1 " SHA256_HEX "\n"
    "_25._tcp.out.example.com CNAME _25._tcp.mx.example.net\n"
    "_25._tcp.mx.example.net TLSA 3 1 1 " SHA256_HEX "\n"
    "_465._tcp.mail.example.com TLSA 3 0 1 " SHA256_HEX "\n";

static const struct {
	const char *row, *name, *expanded;
	bool name_secure, secure;
	enum dane_status status;
	const char *base;
	size_t n, all;
} rows[] = {
	{ "the usual", "mail.example.com", "mail.example.com", true, true,
	    DANE_USABLE, "mail.example.com", 1, 1 },
	{ "insecure addresses", "mail.example.com", "mail.example.com", false,
	    false, DANE_NONE, "", 0, 0 },
	{ "no records", "none.example.com", "none.example.com", true, true,
	    DANE_NONE, "", 0, 0 },
	{ "some usable", "some.example.com", "some.example.com", true, true,
	    DANE_USABLE, "some.example.com", 2, 4 },
	{ "PKIX only", "pkix.example.com", "pkix.example.com", true, true,
	    DANE_UNUSABLE, "pkix.example.com", 0, 2 },
	{ "malformed only", "bad.example.com", "bad.example.com", true, true,
	    DANE_UNUSABLE, "bad.example.com", 0, 1 },
	{ "no answer", "fail.example.com", "fail.example.com", true, true,
	    DANE_FAIL, "", 0, 0 },
	{ "bogus", "bogus.example.com", "bogus.example.com", true, true,
	    DANE_FAIL, "", 0, 0 },
	{ "record behind a CNAME", "alias.example.com", "alias.example.com",
	    true, true, DANE_USABLE, "alias.example.com", 1, 1 },
	{ "record behind a CNAME that leaves", "out.example.com",
	    "out.example.com", true, true, DANE_NONE, "", 0, 0 },
	/* RFC 7672, 2.2.2 */
	{ "host behind a CNAME", "www.example.com", "mail.example.com", true,
	    true, DANE_USABLE, "mail.example.com", 1, 1 },
	{ "the name, where the expanded has none", "mail.example.com",
	    "none.example.com", true, true, DANE_USABLE, "mail.example.com", 1,
	    1 },
	{ "the name, where the expanded is insecure", "mail.example.com",
	    "mx.example.net", true, false, DANE_USABLE, "mail.example.com", 1,
	    1 },
	{ "the expanded one first", "some.example.com", "mail.example.com",
	    true, true, DANE_USABLE, "mail.example.com", 1, 1 },
	{ "no answer at the first", "mail.example.com", "fail.example.com",
	    true, true, DANE_FAIL, "", 0, 0 },
	{ "unusable at the first", "mail.example.com", "pkix.example.com", true,
	    true, DANE_UNUSABLE, "pkix.example.com", 0, 2 },
	{ "an insecure CNAME", "mail.example.com", "mx.example.net", false,
	    false, DANE_NONE, "", 0, 0 },
	{ "other case", "MAIL.example.com", "mail.EXAMPLE.com", true, true,
	    DANE_USABLE, "mail.EXAMPLE.com", 1, 1 },
};

static void
test_lookup(void)
{
	struct err e = ERR_INIT;
	struct dns *dns = dns_zone_new(slice_str(zone_text), &e);

	CHECK_STR(e.text, "");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dane_host host = { slice_str(rows[i].name),
			slice_str(rows[i].expanded), rows[i].name_secure,
			rows[i].secure };
		struct dane_result r;

		ROW(rows[i].row);
		dane_lookup(dns, arena, &host, 25, &r);
		CHECK_STR(dane_status_name(r.status),
		    dane_status_name(rows[i].status));
		CHECK_SLICE(r.base, slice_str(rows[i].base));
		CHECK_EQ(r.n, rows[i].n);
		CHECK_EQ(r.nall, rows[i].all);
		CHECK_EQ(r.bogus, strcmp(rows[i].row, "bogus") == 0);
		CHECK_EQ(r.why.n == 0, r.status == DANE_USABLE);
	}
	dns_free(&dns);
}

static void
test_port(void)
{
	struct dns *dns = dns_zone_new(slice_str(zone_text), NULL);
	struct dane_host host = { SLICE("mail.example.com"),
		SLICE("mail.example.com"), true, true };
	struct dane_result r;

	dane_lookup(dns, arena, &host, 465, &r);
	CHECK_EQ(r.status, DANE_USABLE);
	CHECK_SLICE(dane_text(arena, &r.v[0]), SLICE("3 0 1 " SHA256_HEX));
	dane_lookup(dns, arena, &host, 587, &r);
	CHECK_EQ(r.status, DANE_NONE);
	CHECK_SLICE(r.why,
	    SLICE("no TLSA records at _587._tcp.mail.example.com"));
	dns_free(&dns);
}

/* A host of 253 bytes is one, but no TLSA record can be for it. */
static void
test_long(void)
{
	struct dns *dns = dns_zone_new(slice_str(zone_text), NULL);
	char name[253];
	struct dane_host host = { slice_of(name, sizeof(name)),
		slice_of(name, sizeof(name)), true, true };
	struct dane_result r;

	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = i % 50 == 49 ? '.' : 'a';
	dane_lookup(dns, arena, &host, 65535, &r);
	CHECK_EQ(r.status, DANE_NONE);
	dns_free(&dns);
}

/* ---- records ---- */

static const struct {
	const char *row;
	unsigned char usage, selector, match;
	const char *hex;
	bool well_formed, usable;
} records[] = {
	{ "DANE-EE, key, SHA2-256", 3, 1, 1, SHA256_HEX, true, true },
	{ "DANE-TA, certificate, SHA2-512", 2, 0, 2, SHA512_HEX, true, true },
	{ "PKIX-TA", 0, 0, 1, SHA256_HEX, true, false },
	{ "PKIX-EE", 1, 1, 2, SHA512_HEX, true, false },
	{ "a key in full", 3, 1, 0, SPKI_HEX, true, true },
	{ "bytes behind it", 3, 1, 0, SPKI_HEX "00", false, false },
	{ "cut short", 3, 1, 0, "302a300506032b6570032100", false, false },
	{ "no certificate", 2, 0, 0, SPKI_HEX, false, false },
	{ "no key", 2, 1, 0, SHA256_HEX, false, false },
	{ "nothing in full", 3, 0, 0, "", false, false },
	{ "digest too short", 3, 1, 1, "d2ab", false, false },
	{ "digest too long", 3, 1, 1, SHA512_HEX, false, false },
	{ "SHA2-512 too short", 3, 1, 2, SHA256_HEX, false, false },
	{ "no digest", 3, 1, 1, "", false, false },
	{ "usage 4", 4, 1, 1, SHA256_HEX, false, false },
	{ "PrivCert", 255, 1, 1, SHA256_HEX, false, false },
	{ "selector 2", 3, 2, 1, SHA256_HEX, false, false },
	{ "matching type 3", 3, 1, 3, SHA256_HEX, false, false },
	{ "PrivMatch", 3, 1, 255, SHA256_HEX, false, false },
};

static struct slice
unhex(const char *hex)
{
	size_t n = strlen(hex) / 2;
	char *p = arena_alloc(arena, n);
	uint64_t byte;

	for (size_t i = 0; i < n; i++) {
		CHECK(slice_hex64(slice_of(hex + 2 * i, 2), &byte));
		p[i] = (char)byte;
	}
	return slice_of(p, n);
}

static void
test_usable(void)
{
	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
		struct tls_tlsa t = { records[i].usage, records[i].selector,
			records[i].match, unhex(records[i].hex) };

		ROW(records[i].row);
		CHECK_EQ(dane_well_formed(&t), records[i].well_formed);
		CHECK_EQ(dane_usable(&t), records[i].usable);
		CHECK_SLICE(dane_text(arena, &t),
		    arena_printf(arena, "%u %u %u %s", records[i].usage,
			records[i].selector, records[i].match, records[i].hex));
	}
}

static void
test_names(void)
{
	unsigned char v = 9;

	CHECK(dane_usage_parse(SLICE("DANE-EE"), &v) && v == 3);
	CHECK(dane_usage_parse(SLICE("pkix-ta"), &v) && v == 0);
	CHECK(dane_usage_parse(SLICE("2"), &v) && v == 2);
	CHECK(!dane_usage_parse(SLICE("4"), &v));
	CHECK(!dane_usage_parse(SLICE("03"), &v));
	CHECK(!dane_usage_parse(SLICE(""), &v));
	CHECK(dane_selector_parse(SLICE("SPKI"), &v) && v == 1);
	CHECK(dane_selector_parse(SLICE("cert"), &v) && v == 0);
	CHECK(!dane_selector_parse(SLICE("2"), &v));
	CHECK(dane_match_parse(SLICE("SHA2-512"), &v) && v == 2);
	CHECK(dane_match_parse(SLICE("full"), &v) && v == 0);
	CHECK(!dane_match_parse(SLICE("sha256"), &v));
	CHECK_STR(dane_usage_name(3), "dane-ee");
	CHECK_STR(dane_selector_name(1), "spki");
	CHECK_STR(dane_match_name(1), "sha2-256");
	CHECK_STR(dane_match_name(7), "unknown");
}

/* ---- making ---- */

static struct slice
made(struct slice pem, unsigned char usage, unsigned char selector,
    unsigned char match)
{
	struct tls_tlsa t;
	struct err e = ERR_INIT;

	if (dane_make(pem, usage, selector, match, arena, &t, &e) < 0)
		return arena_dup(arena, slice_str(e.text));
	CHECK(dane_well_formed(&t));
	return dane_text(arena, &t);
}

static void
test_make_key(void)
{
	CHECK_SLICE(made(SLICE(SPKI_PEM), 3, 1, 0), SLICE("3 1 0 " SPKI_HEX));
	CHECK_SLICE(made(SLICE(PRIVATE_PEM), 3, 1, 0),
	    SLICE("3 1 0 " SPKI_HEX));
	CHECK_SLICE(made(SLICE(SPKI_PEM), 2, 1, 1),
	    SLICE("2 1 1 a1e9156054e04fac899ae9f275132cdc"
		  "07a5dbc4ea2c2ad3a1ffc6e0d253681f"));
	CHECK_SLICE(made(SLICE(SPKI_PEM), 3, 0, 1),
	    SLICE("a key, but selector cert (0) needs a certificate"));
	CHECK_SLICE(made(SLICE("hello\n"), 3, 1, 1),
	    SLICE("no certificate and no key in PEM format, or a key with a "
		  "password"));
	CHECK_SLICE(made(SLICE_NULL, 3, 1, 1),
	    SLICE("no certificate and no key in PEM format, or a key with a "
		  "password"));
	CHECK_SLICE(made(SLICE(SPKI_PEM), 4, 1, 1),
	    SLICE("no usage, selector or matching type"));
}

static void
test_make_cert(void)
{
	struct slice names[] = { SLICE("mx.example") }, text;
	struct buf cert = BUF_INIT(100000), key = BUF_INIT(100000);
	struct tls_tlsa t;
	unsigned char digest[SHA_MAX];

	CHECK_EQ(cert_self_signed(names, 1, 2, &cert, &key, NULL), 0);
	/* Key and certificate in one file: the certificate counts. */
	buf_add(&key, buf_slice(&cert));
	CHECK_SLICE(made(buf_slice(&key), 3, 0, 1),
	    made(buf_slice(&cert), 3, 0, 1));
	CHECK_SLICE(made(buf_slice(&key), 3, 1, 2),
	    made(buf_slice(&cert), 3, 1, 2));
	CHECK_EQ(dane_make(buf_slice(&cert), 3, 0, 0, arena, &t, NULL), 0);
	CHECK(dane_usable(&t));
	text = made(buf_slice(&cert), 3, 0, 2);
	sha_digest(SHA_512, t.data, digest);
	t = (struct tls_tlsa){ 3, 0, 2, slice_of((char *)digest, 64) };
	CHECK_SLICE(text, dane_text(arena, &t));
	buf_free(&cert);
	buf_free(&key);
}

int
main(void)
{
	arena = arena_new(0);
	RUN(test_lookup);
	RUN(test_port);
	RUN(test_long);
	RUN(test_usable);
	RUN(test_names);
	RUN(test_make_key);
	RUN(test_make_cert);
	arena_free(&arena);
	return unit_done();
}
