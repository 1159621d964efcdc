/* Unit test of lib/dkim/dkim_key.c. */
#include "dkim/dkim_key.h"

#include "base/arena.h"
#include "t/scratch.h"
#include "text/base64.h"

/* RFC 8463, A.2 */
static const char ed25519_pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n";
static const char ed25519_record[] =
    "v=DKIM1;h=sha256;k=ed25519;"
    "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

static const char p256_pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgu9XjddkhzygnsD9N\n"
    "lHamIfuUKvSuS1t19icfglZHAqahRANCAASIItfPvtf6gO+PyiRIf+m0/SPUhMHb\n"
    "iBb0y0sRAJdwoOmH8IW/iLIeWWQOcasGsrW/fXMFIF6S7u4PbFzFAurI\n"
    "-----END PRIVATE KEY-----\n";

static const char *
record_of(const struct dkim_key *key, struct buf *b)
{
	buf_reset(b);
	dkim_key_write_record(key, b);
	return buf_cstr(b);
}

static void
test_rfc8463(void)
{
	struct err e = ERR_INIT;
	struct dkim_key *key = dkim_key_parse(slice_str(ed25519_pem), &e);
	struct buf b = BUF_INIT(DKIM_PEM_MAX);

	CHECK(key != NULL);
	if (key == NULL)
		return;
	CHECK_EQ(dkim_key_type(key), DKIM_ED25519);
	CHECK_STR(record_of(key, &b), ed25519_record);
	buf_reset(&b);
	CHECK_EQ(dkim_key_write_pem(key, &b, &e), 0);
	CHECK_STR(buf_cstr(&b), ed25519_pem);
	buf_free(&b);
	dkim_key_free(&key);
	CHECK(key == NULL);
}

/* Made, written, read again; signs, and what it signed verifies. */
static void
round_trip(enum dkim_key_type type, unsigned bits, size_t signature_n)
{
	struct err e = ERR_INIT;
	struct dkim_key *made = dkim_key_new(type, &e), *key, *public;
	struct buf pem = BUF_INIT(DKIM_PEM_MAX), der = BUF_INIT(4096);
	struct buf sig = BUF_INIT(4096), b = BUF_INIT(4096);
	struct slice digest = SLICE("0123456789abcdef0123456789abcdef");
	struct slice other = SLICE("0123456789abcdef0123456789abcdeF");

	CHECK(made != NULL);
	CHECK_EQ(dkim_key_write_pem(made, &pem, &e), 0);
	key = dkim_key_parse(buf_slice(&pem), &e);
	CHECK(key != NULL);
	CHECK_EQ(dkim_key_type(key), type);
	CHECK_EQ(dkim_key_bits(key), bits);
	dkim_key_write_public(key, &der);
	public = dkim_key_public(type, buf_slice(&der), &e);
	CHECK(public != NULL);
	CHECK_EQ(dkim_key_sign(key, SHA_256, digest, &sig, &e), 0);
	CHECK_EQ(sig.n, signature_n);
	CHECK(dkim_key_verify(public, SHA_256, digest, buf_slice(&sig)));
	CHECK(!dkim_key_verify(public, SHA_256, other, buf_slice(&sig)));
	CHECK(!dkim_key_verify(public, SHA_256, digest,
	    slice_head(buf_slice(&sig), sig.n - 1)));
	CHECK(!dkim_key_verify(public, SHA_256, digest, SLICE_NULL));
	CHECK_EQ(dkim_key_sign(public, SHA_256, digest, &b, &e), -1);
	CHECK(dkim_key_public(type == DKIM_RSA ? DKIM_ED25519 : DKIM_RSA,
		  buf_slice(&der), &e) == NULL);
	CHECK_EQ(e.kind, ERR_SYNTAX);
	dkim_key_free(&made);
	dkim_key_free(&key);
	dkim_key_free(&public);
	buf_free(&pem);
	buf_free(&der);
	buf_free(&sig);
	buf_free(&b);
}

static void
test_round_trip(void)
{
	round_trip(DKIM_RSA, 2048, 256);
	round_trip(DKIM_ED25519, 256, 64);
}

/* RFC 6376, 3.6.1 names RSAPublicKey: the key without its algorithm. */
static void
test_pkcs1_public(void)
{
	struct err e = ERR_INIT;
	struct dkim_key *key = dkim_key_new(DKIM_RSA, &e), *public;
	struct buf der = BUF_INIT(4096);

	dkim_key_write_public(key, &der);
	/* SubjectPublicKeyInfo of RSA-2048: 24 bytes come before it. */
	public = dkim_key_public(DKIM_RSA, slice_skip(buf_slice(&der), 24), &e);
	CHECK(public != NULL);
	dkim_key_free(&public);
	buf_addc(&der, 'x');
	CHECK(dkim_key_public(DKIM_RSA, buf_slice(&der), &e) == NULL);
	dkim_key_free(&key);
	buf_free(&der);
}

/* Public keys that are none: what is cut, too long, or of another kind. */
static void
test_public_refused(void)
{
	static const struct slice rows[] = {
		SLICE("\x30"),
		SLICE("\x30\x00"),
		SLICE("\x30\x80"),
		SLICE("\x30\x03\x02\x01\x03"),
		SLICE("\x30\x81"),
		SLICE("\x30\x82\x01"),
		SLICE("\x30\x83\x00\x00\x06\x02\x01\x05\x02\x01\x03"),
		SLICE("\x30\x06\x02\x00\x02\x02\x01\x03"),
		SLICE("\x30\x07\x02\x01\x05\x02\x01\x03"),
		SLICE("\x30\x09\x02\x01\x05\x02\x01\x03\x02\x01\x03"),
	};
	struct err e = ERR_INIT;
	struct dkim_key *key = dkim_key_new(DKIM_RSA, &e), *public;
	struct buf der = BUF_INIT(4096);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK(dkim_key_public(DKIM_RSA, rows[i], &e) == NULL);
	dkim_key_write_public(key, &der);
	for (size_t n = 0; n < der.n; n++) {
		public = dkim_key_public(DKIM_RSA,
		    slice_head(buf_slice(&der), n), &e);
		CHECK(public == NULL);
	}
	der.p[15] = 2; /* in the name of the algorithm */
	CHECK(dkim_key_public(DKIM_RSA, buf_slice(&der), &e) == NULL);
	dkim_key_free(&key);
	buf_free(&der);
}

/* Numbers that take too long: an exponent of more than 64 bits. */
static void
test_large_exponent(void)
{
	struct slice small = SLICE("\x30\x10\x02\x03\x01\x00\x01\x02\x09"
				   "\x00\xff\xff\xff\xff\xff\xff\xff\xff");
	struct slice large = SLICE("\x30\x11\x02\x03\x01\x00\x01\x02\x0a"
				   "\x01\x00\xff\xff\xff\xff\xff\xff\xff"
				   "\xff");
	struct err e = ERR_INIT;
	struct dkim_key *key = dkim_key_public(DKIM_RSA, small, &e);

	CHECK(key != NULL);
	CHECK_STR(e.text, "");
	dkim_key_free(&key);
	CHECK(dkim_key_public(DKIM_RSA, large, &e) == NULL);
	CHECK_EQ(e.kind, ERR_PERM);
}

static void
test_refused(void)
{
	static const struct {
		const char *name, *pem;
		enum err_kind kind;
	} rows[] = {
		{ "nothing", "", ERR_SYNTAX },
		{ "no PEM", "hello\n", ERR_SYNTAX },
		{ "other type", p256_pem, ERR_PERM },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = ERR_INIT;

		ROW(rows[i].name);
		CHECK(dkim_key_parse(slice_str(rows[i].pem), &e) == NULL);
		CHECK_EQ(e.kind, rows[i].kind);
	}
}

static void
test_load(void)
{
	struct err e = ERR_INIT;
	struct dkim_key *key;
	char path[300];

	scratch_begin();
	scratch_put("key.pem", slice_str(ed25519_pem));
	snprintf(path, sizeof(path), "%s/key.pem", scratch_path);
	key = dkim_key_load(path, &e);
	CHECK(key != NULL);
	dkim_key_free(&key);
	snprintf(path, sizeof(path), "%s/none.pem", scratch_path);
	CHECK(dkim_key_load(path, &e) == NULL);
	CHECK_EQ(e.kind, ERR_PERM);
	scratch_end();
}

static void
test_txt_split(void)
{
	struct buf b = BUF_INIT(4096);
	char text[151];

	dkim_txt_split(SLICE("v=\"\\\n"), &b);
	CHECK_STR(buf_cstr(&b), "\"v=\\\"\\\\\\010\"");
	memset(text, 'a', 150);
	text[150] = '\0';
	text[100] = 'b';
	buf_reset(&b);
	dkim_txt_split(slice_str(text), &b);
	CHECK_EQ(b.n, 2 + 2 + 102 + 1 + 2 + 52 + 1 + 2);
	CHECK_EQ(slice_find(buf_slice(&b), SLICE("a\"\n\t\t\"ba")), 104);
	buf_free(&b);
}

int
main(void)
{
	RUN(test_rfc8463);
	RUN(test_round_trip);
	RUN(test_pkcs1_public);
	RUN(test_public_refused);
	RUN(test_large_exponent);
	RUN(test_refused);
	RUN(test_load);
	RUN(test_txt_split);
	return unit_done();
}
