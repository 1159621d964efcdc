/* Unit tests of lib/dkim: verify and sign. */
#include "dkim/dkim.h"

#include <fcntl.h>

#include "base/file.h"
#include "dns/zone.h"
#include "t/unit.h"

#define ROWS(rows) (sizeof(rows) / sizeof((rows)[0]))

static struct arena *arena;

/* ---- whole messages ---- */

/* Verify a message given in pieces of n bytes. */
static void
verify(struct slice message, struct dns *dns, int64_t now_s, bool lenient,
    size_t n, struct dkim_results *results_r)
{
	struct dkim_stream *s = dkim_stream_new();
	struct clock clock;
	struct dkim_verify_opts opts = {
		.dns = dns, .clock = &clock, .lenient = lenient
	};
	struct dkim_verify *v;

	clock_fake(&clock, now_s * 1000000);
	v = dkim_verify_new(s, &opts);
	for (; message.n > 0; message = slice_skip(message, n))
		dkim_stream_push(s, slice_head(message, n));
	dkim_stream_end(s);
	dkim_verify_finish(v, arena, results_r);
	dkim_verify_free(&v);
	dkim_stream_free(&s);
}

static const char rfc8463_zone[] =
    "brisbane._domainkey.football.example.com TXT \"v=DKIM1; k=ed25519; "
    "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\"\n"
    "test._domainkey.football.example.com TXT \"v=DKIM1; k=rsa; "
    "p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3id"
    "Y6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC"
    "/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G"
    "+2kryOTIKT+l/K4w3QIDAQAB\"\n";

/* RFC 8463, A.3 */
static const char rfc8463_message[] =
    "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
    " d=football.example.com; i=@football.example.com;\r\n"
    " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
    " subject : date : message-id : from : subject : date;\r\n"
    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
    " b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n"
    " Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n"
    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"
    " d=football.example.com; i=@football.example.com;\r\n"
    " q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n"
    " date : message-id : from : subject : date;\r\n"
    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
    " b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\r\n"
    " DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\r\n"
    " dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\r\n"
    "From: Joe SixPack <joe@football.example.com>\r\n"
    "To: Suzie Q <suzie@shopping.example.net>\r\n"
    "Subject: Is dinner ready?\r\n"
    "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
    "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n"
    "\r\n"
    "Hi.\r\n"
    "\r\n"
    "We lost the game.  Are you hungry yet?\r\n"
    "\r\n"
    "Joe.\r\n";

static void
test_rfc8463(void)
{
	struct dns *dns = dns_zone_new(slice_str(rfc8463_zone), NULL);
	struct slice message = slice_str(rfc8463_message);
	struct dkim_results r;
	struct buf b = BUF_INIT(10000);

	for (size_t n = 1; n < message.n; n += 13) {
		verify(message, dns, 1528637909, false, n, &r);
		CHECK_EQ(r.n, 2);
		CHECK_EQ(r.v[0].status, DKIM_PASS);
		CHECK_EQ(r.v[1].status, DKIM_PASS);
		CHECK_SLICE(r.v[0].sig.selector, SLICE("brisbane"));
		CHECK_SLICE(r.v[1].sig.identity,
		    SLICE("@football.example.com"));
	}
	buf_add(&b, message);
	b.p[b.n - 5] = 'E';
	verify(buf_slice(&b), dns, 1528637909, false, 100, &r);
	CHECK_EQ(r.v[0].status, DKIM_FAIL);
	CHECK_SLICE(r.v[0].why, SLICE("body was changed"));
	/* From, Subject and Date are sealed, To is not. */
	buf_reset(&b);
	buf_addz(&b, "To: somebody@else.example\r\n");
	buf_add(&b, message);
	verify(buf_slice(&b), dns, 1528637909, false, 100, &r);
	CHECK_EQ(r.v[0].status, DKIM_PASS);
	buf_reset(&b);
	buf_addz(&b, "Subject: other\r\n");
	buf_add(&b, message);
	verify(buf_slice(&b), dns, 1528637909, false, 100, &r);
	CHECK_EQ(r.v[0].status, DKIM_FAIL);
	CHECK_EQ(r.v[1].status, DKIM_FAIL);
	buf_free(&b);
	dns_zone_free(&dns);
}

/* What a test signs with: sel is rsa, ed, ... of sign.example. */
static struct dkim_key *rsa_key, *ed_key;

static void
add_key(struct buf *zone, const char *name, const char *tags,
    const struct dkim_key *key)
{
	struct buf record = BUF_INIT(4096);
	struct slice p;

	dkim_key_write_record(key, &record);
	p = buf_slice(&record);
	p = slice_skip(p, (size_t)slice_find(p, SLICE("p=")));
	buf_addf(zone, "%s TXT \"v=DKIM1;%s%s%.*s\"\n", name,
	    dkim_key_type(key) == DKIM_ED25519 ? "k=ed25519;" : "", tags,
	    SLICE_FMT(p));
	buf_free(&record);
}

static struct dns *
make_zone(void)
{
	struct buf zone = BUF_INIT(100000);
	struct dns *dns;
	struct err e = ERR_INIT;

	add_key(&zone, "rsa._domainkey.sign.example", "", rsa_key);
	add_key(&zone, "ed._domainkey.sign.example", "", ed_key);
	add_key(&zone, "other._domainkey.sign.example", "",
	    rsa_key); /* for Ed25519: of another type */
	add_key(&zone, "test._domainkey.sign.example", "t=y;", ed_key);
	add_key(&zone, "strict._domainkey.sign.example", "t=s;", ed_key);
	add_key(&zone, "sha1._domainkey.sign.example", "h=sha1;", ed_key);
	add_key(&zone, "chat._domainkey.sign.example", "s=chat;", ed_key);
	add_key(&zone, "two._domainkey.sign.example", "", ed_key);
	add_key(&zone, "two._domainkey.sign.example", "", ed_key);
	add_key(&zone, "ed._domainkey.xn--bcher-kva.example", "", ed_key);
	add_key(&zone, "ed._domainkey.co.uk", "", ed_key);
	buf_addz(&zone,
	    "revoked._domainkey.sign.example TXT \"v=DKIM1; p=\"\n"
	    "wrong._domainkey.sign.example TXT \"v=DKIM1; p=!\"\n"
	    "short._domainkey.sign.example TXT \"v=DKIM1;k=ed25519;p=YWJj\"\n"
	    "spf._domainkey.sign.example TXT \"v=spf1 -all\"\n"
	    "fail._domainkey.sign.example FAIL\n"
	    "rsa._domainkey.sign.example SECURE\n");
	dns = dns_zone_new(buf_slice(&zone), &e);
	CHECK_STR(e.text, "");
	buf_free(&zone);
	return dns;
}

static const char message_text[] = "From: a@sign.example\r\n"
				   "To: b@example.org,\r\n\tc@example.org\r\n"
				   "Received: from x\r\n"
				   "Subject:  hello \t  there\r\n"
				   "Received: from y\r\n"
				   "\r\n"
				   "Some  text \r\n\r\n.more\r\n\r\n\r\n";

/* Signatures of v, then the message, in out. */
static void
sign(struct slice message, const struct dkim_signer *v, size_t n, size_t piece,
    struct buf *out)
{
	struct dkim_stream *s = dkim_stream_new();
	struct clock clock;
	struct err e = ERR_INIT;
	struct dkim_sign *signing;
	struct slice rest = message;

	clock_fake(&clock, INT64_C(1700000000) * 1000000);
	signing = dkim_sign_new(s, v, n, &clock);
	for (; rest.n > 0; rest = slice_skip(rest, piece))
		dkim_stream_push(s, slice_head(rest, piece));
	dkim_stream_end(s);
	buf_reset(out);
	CHECK_EQ(dkim_sign_finish(signing, out, &e), 0);
	CHECK_STR(e.text, "");
	buf_add(out, message);
	dkim_sign_free(&signing);
	dkim_stream_free(&s);
}

static struct dkim_signer
signer_of(const char *selector)
{
	bool rsa = strcmp(selector, "rsa") == 0;

	return (struct dkim_signer){ .domain = SLICE("sign.example"),
		.selector = slice_str(selector),
		.key = rsa ? rsa_key : ed_key,
		.hash = SHA_256,
		.header_relaxed = true,
		.body_relaxed = true,
		.headers = dkim_default_headers,
		.headers_n = dkim_default_headers_n,
		.seal = true };
}

/* All at once: eight ways of signing in one pass, and verified in one. */
static void
test_sign(void)
{
	struct dns *dns = make_zone();
	struct dkim_signer v[8];
	struct dkim_results r;
	struct buf b = BUF_INIT(100000);

	for (size_t i = 0; i < 8; i++) {
		v[i] = signer_of(i & 1 ? "rsa" : "ed");
		v[i].header_relaxed = i & 2;
		v[i].body_relaxed = i & 4;
		v[i].seal = i % 3;
		v[i].copy_headers = i & 2;
		v[i].expire_s = i & 4 ? 60 : 0;
		v[i].identity =
		    i == 7 ? SLICE("o=k;@sign.example") : SLICE_NULL;
	}
	for (size_t piece = 1; piece < 40; piece += 3) {
		sign(slice_str(message_text), v, 8, piece, &b);
		verify(buf_slice(&b), dns, 1700000060, false, 100 - piece, &r);
		CHECK_EQ(r.n, 8);
		for (size_t i = 0; i < r.n; i++) {
			CHECK_SLICE(r.v[i].why, SLICE_NULL);
			CHECK_EQ(r.v[i].status, DKIM_PASS);
			CHECK_EQ(r.v[i].secure, i & 1);
		}
	}
	CHECK_SLICE(r.v[7].sig.identity, v[7].identity);
	verify(buf_slice(&b), dns, 1700000061, false, 100, &r);
	CHECK_EQ(r.v[0].status, DKIM_PASS);
	CHECK_EQ(r.v[4].status, DKIM_PERMERROR);
	CHECK_SLICE(r.v[4].why, SLICE("signature is expired"));
	buf_free(&b);
	dns_zone_free(&dns);
}

/* RFC 8301 forbids it to signers; for those who have set it. */
static void
test_sha1(void)
{
	struct dns *dns = make_zone();
	struct dkim_signer signer = signer_of("rsa");
	struct dkim_results r;
	struct buf b = BUF_INIT(100000);

	signer.hash = SHA_1;
	sign(slice_str(message_text), &signer, 1, 1000, &b);
	CHECK(slice_find(buf_slice(&b), SLICE(" a=rsa-sha1;")) > 0);
	verify(buf_slice(&b), dns, 1700000000, false, 100, &r);
	CHECK_EQ(r.v[0].status, DKIM_PASS);
	buf_free(&b);
	dns_zone_free(&dns);
}

/* What the key, its record or the domain does to a right signature. */
static void
test_keys(void)
{
	static const struct {
		const char *selector, *domain;
		enum dkim_status status;
		const char *why;
	} rows[] = {
		{ "ed", "sign.example", DKIM_PASS, "" },
		{ "ed",
		    "b\xc3\xbc"
		    "cher.example",
		    DKIM_PASS, "" }, /* RFC 8616, 3 */
		{ "test", "sign.example", DKIM_PASS, "" },
		{ "strict", "sign.example", DKIM_PASS, "" },
		{ "other", "sign.example", DKIM_PERMERROR,
		    "key is of another type (k=)" },
		{ "sha1", "sign.example", DKIM_PERMERROR,
		    "key is not for this hash (h=)" },
		{ "chat", "sign.example", DKIM_PERMERROR,
		    "key is not for mail (s=)" },
		{ "two", "sign.example", DKIM_PERMERROR,
		    "dkim: several records at two._domainkey.sign.example" },
		{ "none", "sign.example", DKIM_PERMERROR,
		    "dkim: no record at none._domainkey.sign.example" },
		{ "spf", "sign.example", DKIM_PERMERROR,
		    "dkim: no record at spf._domainkey.sign.example" },
		{ "wrong", "sign.example", DKIM_PERMERROR,
		    "dkim record: p= is no base64" },
		{ "fail", "sign.example", DKIM_TEMPERROR,
		    "dns: no answer for fail._domainkey.sign.example" },
		{ "ed", "co.uk", DKIM_PERMERROR, "d= is a public suffix" },
	};
	struct dns *dns = make_zone();
	struct dkim_results r;
	struct buf b = BUF_INIT(100000);

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct dkim_signer signer = signer_of(rows[i].selector);

		ROW(rows[i].selector);
		signer.domain = slice_str(rows[i].domain);
		sign(slice_str(message_text), &signer, 1, 1000, &b);
		verify(buf_slice(&b), dns, 1700000000, false, 100, &r);
		CHECK_EQ(r.n, 1);
		CHECK_EQ(r.v[0].status, rows[i].status);
		CHECK_SLICE(r.v[0].why, slice_str(rows[i].why));
	}
	buf_free(&b);
	dns_zone_free(&dns);
}

static void
test_testing_and_revoked(void)
{
	struct dns *dns = make_zone();
	struct dkim_signer signer = signer_of("test");
	struct dkim_results r;
	struct buf b = BUF_INIT(100000);

	sign(slice_str(message_text), &signer, 1, 1000, &b);
	b.p[b.n - 10] = 'M';
	verify(buf_slice(&b), dns, 1700000000, false, 100, &r);
	CHECK_EQ(r.v[0].status, DKIM_NONE);
	CHECK(r.v[0].testing);
	CHECK_SLICE(r.v[0].why, SLICE("body was changed"));
	signer = signer_of("rsa");
	signer.selector = SLICE("revoked");
	sign(slice_str(message_text), &signer, 1, 1000, &b);
	verify(buf_slice(&b), dns, 1700000000, false, 100, &r);
	CHECK_EQ(r.v[0].status, DKIM_PERMERROR);
	CHECK_SLICE(r.v[0].why, SLICE("key is revoked"));
	signer = signer_of("short");
	sign(slice_str(message_text), &signer, 1, 1000, &b);
	verify(buf_slice(&b), dns, 1700000000, false, 100, &r);
	CHECK_EQ(r.v[0].status, DKIM_PERMERROR);
	CHECK_SLICE(r.v[0].why, SLICE("dkim: p= has no Ed25519 public key"));
	buf_free(&b);
	dns_zone_free(&dns);
}

/* What the field says, before the key matters. */
static void
test_policy(void)
{
	static const struct slice no_subject[] = { SLICE("From"), SLICE("To") };
	static const struct slice no_from[] = { SLICE("To"), SLICE("Subject") };
	struct dns *dns = make_zone();
	struct dkim_signer signer = signer_of("ed");
	struct dkim_results r;
	struct buf b = BUF_INIT(100000);

	signer.headers = no_subject;
	signer.headers_n = 2;
	sign(slice_str(message_text), &signer, 1, 1000, &b);
	verify(buf_slice(&b), dns, 1700000000, false, 100, &r);
	CHECK_EQ(r.v[0].status, DKIM_POLICY);
	CHECK_SLICE(r.v[0].why, SLICE("Subject is not signed"));
	verify(buf_slice(&b), dns, 1700000000, true, 100, &r);
	CHECK_EQ(r.v[0].status, DKIM_PASS);
	signer.headers = no_from;
	sign(slice_str(message_text), &signer, 1, 1000, &b);
	verify(buf_slice(&b), dns, 1700000000, true, 100, &r);
	CHECK_EQ(r.v[0].status, DKIM_PERMERROR);
	CHECK_SLICE(r.v[0].why, SLICE("From is not signed"));
	signer = signer_of("ed");
	signer.identity = SLICE("a@example");
	sign(slice_str(message_text), &signer, 1, 1000, &b);
	verify(buf_slice(&b), dns, 1700000000, false, 100, &r);
	CHECK_SLICE(r.v[0].why, SLICE("domain of i= is not within d="));
	signer.identity = SLICE("a@x.sign.example");
	sign(slice_str(message_text), &signer, 1, 1000, &b);
	verify(buf_slice(&b), dns, 1700000000, false, 100, &r);
	CHECK_EQ(r.v[0].status, DKIM_PASS);
	signer.selector = SLICE("strict");
	sign(slice_str(message_text), &signer, 1, 1000, &b);
	verify(buf_slice(&b), dns, 1700000000, false, 100, &r);
	CHECK_SLICE(r.v[0].why,
	    SLICE("key does not allow a subdomain in i= (t=s)"));
	buf_free(&b);
	dns_zone_free(&dns);
}

/* l= as others write it: made by hand, for we never do. */
static void
sign_length(uint64_t length, struct buf *out)
{
	struct dkim_stream *s = dkim_stream_new();
	struct slice headers[] = { SLICE("From"), SLICE("Subject") };
	struct dkim_sig sig = { .algorithm = SLICE("ed25519-sha256"),
		.hash = SHA_256,
		.body_relaxed = true,
		.domain = SLICE("sign.example"),
		.selector = SLICE("ed"),
		.headers = headers,
		.headers_n = 2,
		.has_length = true,
		.length = length };
	struct buf field = BUF_INIT(10000), signature = BUF_INIT(100);
	unsigned char digest[SHA_MAX], body[SHA_MAX];

	sha_digest(SHA_256,
	    slice_head(SLICE("Some text\r\n\r\n.more\r\n"), (size_t)length),
	    body);
	dkim_stream_push(s, slice_str(message_text));
	sig.body_hash = slice_of((char *)body, 32);
	dkim_sig_write(&sig, &field);
	dkim_stream_header_digest(s, headers, 2, buf_slice(&field), false,
	    SHA_256, digest);
	CHECK_EQ(dkim_key_sign(ed_key, SHA_256, slice_of((char *)digest, 32),
		     &signature, NULL),
	    0);
	sig.signature = buf_slice(&signature);
	buf_reset(out);
	dkim_sig_write(&sig, out);
	buf_addf(out, "\r\n%s", message_text);
	buf_free(&field);
	buf_free(&signature);
	dkim_stream_free(&s);
}

static void
test_length(void)
{
	struct dns *dns = make_zone();
	struct dkim_results r;
	struct buf b = BUF_INIT(100000);

	sign_length(15, &b);
	verify(buf_slice(&b), dns, 1700000000, false, 7, &r);
	CHECK_EQ(r.v[0].status, DKIM_POLICY);
	verify(buf_slice(&b), dns, 1700000000, true, 7, &r);
	CHECK_EQ(r.v[0].status, DKIM_PASS);
	buf_addz(&b, "and more\r\n");
	verify(buf_slice(&b), dns, 1700000000, true, 7, &r);
	CHECK_EQ(r.v[0].status, DKIM_PASS);
	sign_length(20, &b);
	verify(buf_slice(&b), dns, 1700000000, true, 7, &r);
	CHECK_EQ(r.v[0].status, DKIM_PASS);
	sign_length(21, &b);
	verify(buf_slice(&b), dns, 1700000000, true, 7, &r);
	CHECK_EQ(r.v[0].status, DKIM_FAIL);
	CHECK_SLICE(r.v[0].why, SLICE("body is shorter than l="));
	buf_free(&b);
	dns_zone_free(&dns);
}

static void
test_limits(void)
{
	struct dns *dns = make_zone();
	struct dkim_signer signer[12];
	struct dkim_results r;
	struct buf b = BUF_INIT(3 * DKIM_HEADER_MAX);

	for (size_t i = 0; i < 12; i++)
		signer[i] = signer_of("ed");
	sign(slice_str(message_text), signer, 12, 1000, &b);
	verify(buf_slice(&b), dns, 1700000000, false, 100, &r);
	CHECK_EQ(r.n, 12);
	CHECK_EQ(r.v[DKIM_VERIFY_MAX - 1].status, DKIM_PASS);
	CHECK_EQ(r.v[DKIM_VERIFY_MAX].status, DKIM_NEUTRAL);
	buf_reset(&b);
	for (size_t i = 0; i < 300; i++)
		buf_addz(&b, "DKIM-Signature: x\r\n");
	verify(buf_slice(&b), dns, 1700000000, false, 100, &r);
	CHECK_EQ(r.n, DKIM_RESULTS_MAX);
	CHECK_EQ(r.v[0].status, DKIM_PERMERROR);
	for (size_t i = 0; i < DKIM_FIELDS_MAX; i++)
		buf_addz(&b, "X: x\r\n");
	verify(buf_slice(&b), dns, 1700000000, false, 1000, &r);
	CHECK_EQ(r.n, 1);
	CHECK_SLICE(r.v[0].why, SLICE("header is too long"));
	buf_reset(&b);
	buf_addz(&b, "X: x");
	while (b.n <= DKIM_HEADER_MAX)
		buf_addz(&b, "\r\n xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
	verify(buf_slice(&b), dns, 1700000000, false, 1000, &r);
	CHECK_EQ(r.n, 1);
	CHECK_SLICE(r.v[0].why, SLICE("header is too long"));
	verify(SLICE("From: a@b\r\n\r\n"), dns, 1700000000, false, 9, &r);
	CHECK_EQ(r.n, 0);
	verify(SLICE("\r\nbody"), dns, 1700000000, false, 1, &r);
	CHECK_EQ(r.n, 0);
	buf_free(&b);
	dns_zone_free(&dns);
}

static void
test_cannot_sign(void)
{
	struct dkim_stream *s = dkim_stream_new();
	struct dkim_signer signer = signer_of("ed");
	struct dkim_sign *signing = dkim_sign_new(s, &signer, 1, NULL);
	struct buf b = BUF_INIT(1000);
	struct err e = ERR_INIT;

	dkim_stream_push(s, SLICE("Subject: x\r\n\r\n"));
	dkim_stream_end(s);
	CHECK_EQ(dkim_sign_finish(signing, &b, &e), -1);
	CHECK_STR(e.text, "dkim: message has no From");
	CHECK_EQ(b.n, 0);
	dkim_sign_free(&signing);
	dkim_stream_free(&s);
	buf_free(&b);
}

/* ---- messages of others ---- */

/* keys.yml: "name:" and "- TXT: text" lines. */
static struct dns *
corpus_keys(const char *dir)
{
	struct buf in = BUF_INIT(1 << 20), zone = BUF_INIT(1 << 20);
	struct slice rest, line, name = SLICE_NULL, text;
	struct err e = ERR_INIT;
	struct dns *dns;
	char path[4096];

	snprintf(path, sizeof(path), "%s/keys.yml", dir);
	CHECK_EQ(file_read(AT_FDCWD, path, &in, &e), 1);
	rest = buf_slice(&in);
	while (slice_line(&rest, &line)) {
		if (slice_starts(line, SLICE("- TXT: "))) {
			text = slice_trim(slice_skip(line, 7));
			buf_addf(&zone, "%.*s TXT \"%.*s\"\n", SLICE_FMT(name),
			    SLICE_FMT(text));
		} else {
			slice_cut(line, ':', &name, &text);
		}
	}
	dns = dns_zone_new(buf_slice(&zone), &e);
	CHECK_STR(e.text, "");
	buf_free(&in);
	buf_free(&zone);
	return dns;
}

/* pass-* have a signature that passes, fail-* have none. */
static void
test_corpus(void)
{
	const char *data = getenv("MOX_TEST_DATA");
	unsigned pass = 0, fail = 0;
	struct slice *names;
	struct dns *dns;
	char dir[2048], path[4096];
	size_t n;

	if (data == NULL) {
		fprintf(stderr, "dkim: MOX_TEST_DATA is not set: skipped\n");
		return;
	}
	snprintf(dir, sizeof(dir), "%s/dkim", data);
	dns = corpus_keys(dir);
	CHECK_EQ(file_list(AT_FDCWD, dir, arena, &names, &n, NULL), 1);
	for (size_t i = 0; i < n; i++) {
		struct buf b = BUF_INIT(1 << 20);
		struct dkim_results r;
		bool passed = false;

		if (!slice_ends(names[i], SLICE(".eml")))
			continue;
		snprintf(path, sizeof(path), "%s/%.*s", dir,
		    SLICE_FMT(names[i]));
		ROW(path);
		CHECK_EQ(file_read(AT_FDCWD, path, &b, NULL), 1);
		verify(buf_slice(&b), dns, 1667592145, true, 1000, &r);
		for (size_t j = 0; j < r.n; j++)
			passed = passed || r.v[j].status == DKIM_PASS;
		CHECK_EQ(passed, slice_starts(names[i], SLICE("pass-")));
		pass += passed;
		fail += !passed;
		buf_free(&b);
	}
	CHECK(pass > 0 && fail > 0);
	fprintf(stderr, "dkim: of the messages of others %u pass, %u do not\n",
	    pass, fail);
	dns_zone_free(&dns);
}

int
main(void)
{
	arena = arena_new(0);
	rsa_key = dkim_key_new(DKIM_RSA, NULL);
	ed_key = dkim_key_new(DKIM_ED25519, NULL);
	RUN(test_rfc8463);
	RUN(test_sign);
	RUN(test_sha1);
	RUN(test_keys);
	RUN(test_testing_and_revoked);
	RUN(test_policy);
	RUN(test_length);
	RUN(test_limits);
	RUN(test_cannot_sign);
	RUN(test_corpus);
	dkim_key_free(&rsa_key);
	dkim_key_free(&ed_key);
	arena_free(&arena);
	return unit_done();
}
