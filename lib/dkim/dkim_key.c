/* dkim_key - keys that sign mail. */
#include "dkim/dkim_key.h"

#include <fcntl.h>
#include <stdlib.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/scan.h"
#include "net/tls.h"
#include "text/base64.h"

#define ED25519_SIZE 32
#define RSA_EXPONENT_MAX 64 /* bits; a longer one makes verifying slow */
#define SIGNATURE_MAX (DKIM_RSA_BITS_MAX / 8)
#define TXT_STRING 100 /* fits a line of a zone file */

struct dkim_key {
	EVP_PKEY *pkey;
	enum dkim_key_type type;
};

static void *
openssl_err(struct err *e, enum err_kind kind, const char *what)
{
	char text[160];

	err_set(e, kind, "dkim: %s: %s", what,
	    tls_error_text(text, sizeof(text)));
	ERR_clear_error();
	return NULL;
}

/* ---- getting keys ---- */

static bool
has_good_exponent(const EVP_PKEY *pkey)
{
	BIGNUM *exponent = NULL;
	bool ok;

	ok = EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &exponent) &&
	    BN_num_bits(exponent) <= RSA_EXPONENT_MAX;
	BN_free(exponent);
	return ok;
}

/* Takes pkey. */
static struct dkim_key *
key_of(EVP_PKEY *pkey, struct err *e)
{
	struct dkim_key *key = xcalloc(1, sizeof(*key));
	int bits = EVP_PKEY_get_bits(pkey);

	key->pkey = pkey;
	if (EVP_PKEY_get_base_id(pkey) == EVP_PKEY_ED25519) {
		key->type = DKIM_ED25519;
		return key;
	}
	if (EVP_PKEY_get_base_id(pkey) != EVP_PKEY_RSA)
		err_set(e, ERR_PERM, "dkim: key is neither RSA nor Ed25519");
	else if (bits > DKIM_RSA_BITS_MAX || !has_good_exponent(pkey))
		err_set(e, ERR_PERM,
		    "dkim: RSA key of %d bits is too large, at most %d", bits,
		    DKIM_RSA_BITS_MAX);
	else
		return key;
	dkim_key_free(&key);
	return NULL;
}

struct dkim_key *
dkim_key_new(enum dkim_key_type type, struct err *e)
{
	EVP_PKEY *pkey;

	if (type == DKIM_RSA)
		pkey = EVP_RSA_gen(DKIM_RSA_BITS);
	else
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	if (pkey == NULL)
		return openssl_err(e, ERR_TEMP, "making a key");
	return key_of(pkey, e);
}

/* No prompt for the password of an encrypted key. */
static int
no_password(char *p, int size, int writing, void *ctx)
{
	(void)p, (void)size, (void)writing, (void)ctx;
	return 0;
}

struct dkim_key *
dkim_key_parse(struct slice pem, struct err *e)
{
	EVP_PKEY *pkey = NULL;
	struct dkim_key *key;
	BIO *bio;

	if (pem.n > DKIM_PEM_MAX) {
		err_set(e, ERR_LIMIT, "dkim: key is longer than %d bytes",
		    DKIM_PEM_MAX);
		return NULL;
	}
	ERR_clear_error();
	bio = BIO_new_mem_buf(pem.n == 0 ? "" : pem.p, (int)pem.n);
	if (bio != NULL)
		pkey = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	BIO_free(bio);
	if (pkey == NULL)
		return openssl_err(e, ERR_SYNTAX, "no private key in PEM");
	key = key_of(pkey, e);
	if (key != NULL && key->type == DKIM_RSA &&
	    dkim_key_bits(key) < DKIM_RSA_BITS_MIN) {
		err_set(e, ERR_PERM, "dkim: RSA key of %u bits, at least %d",
		    dkim_key_bits(key), DKIM_RSA_BITS_MIN);
		dkim_key_free(&key);
	}
	return key;
}

struct dkim_key *
dkim_key_load(const char *path, struct err *e)
{
	struct buf pem = BUF_INIT(DKIM_PEM_MAX);
	struct dkim_key *key = NULL;
	int rc = file_read(AT_FDCWD, path, &pem, e);

	if (rc == 0)
		err_set(e, ERR_PERM, "%s: no such file", path);
	if (rc == 1) {
		key = dkim_key_parse(buf_slice(&pem), e);
		if (key == NULL)
			err_prefix(e, "%s", path);
	}
	buf_wipe(&pem);
	return key;
}

/* The content of the DER element with this tag at the cursor. */
static bool
der_take(struct scan *sc, unsigned char tag, struct slice *content_r)
{
	struct scan start = *sc;
	struct slice head;
	size_t n, bytes;

	if (!scan_bytes(sc, 2, &head))
		return false;
	n = (unsigned char)head.p[1];
	if (n >= 0x80) { /* then it says how many bytes hold the length */
		bytes = n & 0x7f;
		n = 0;
		if (bytes == 0 || bytes > 2)
			goto wrong;
		for (; bytes > 0 && !scan_end(sc); bytes--)
			n = n << 8 | (unsigned char)*sc->p++;
	}
	if ((unsigned char)head.p[0] == tag && scan_bytes(sc, n, content_r))
		return true;
wrong:
	*sc = start;
	return false;
}

enum { DER_INTEGER = 2, DER_BITS = 3, DER_SEQUENCE = 0x30 };

/* RSAPublicKey (RFC 8017, A.1.1): modulus and exponent. */
static bool
rsa_numbers(struct slice der, struct slice *n_r, struct slice *e_r)
{
	struct scan sc = scan_of(der);
	struct slice key;

	if (!der_take(&sc, DER_SEQUENCE, &key) || !scan_end(&sc))
		return false;
	sc = scan_of(key);
	return der_take(&sc, DER_INTEGER, n_r) && n_r->n > 0 &&
	    der_take(&sc, DER_INTEGER, e_r) && e_r->n > 0 && scan_end(&sc);
}

/* What a SubjectPublicKeyInfo (RFC 5280, 4.1) of RSA has inside. */
static bool
rsa_unwrap(struct slice der, struct slice *key_r)
{
	static const struct slice rsa_encryption =
	    SLICE("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01");
	struct scan sc = scan_of(der);
	struct slice info, algorithm, bits;

	if (!der_take(&sc, DER_SEQUENCE, &info) || !scan_end(&sc))
		return false;
	sc = scan_of(info);
	if (!der_take(&sc, DER_SEQUENCE, &algorithm) ||
	    !slice_starts(algorithm, rsa_encryption) ||
	    !der_take(&sc, DER_BITS, &bits) || !scan_end(&sc))
		return false;
	*key_r = slice_skip(bits, 1); /* the number of bits left over: 0 */
	return bits.n > 0 && bits.p[0] == 0;
}

static EVP_PKEY *
rsa_from(const BIGNUM *n, const BIGNUM *e)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	EVP_PKEY *pkey = NULL;

	if (ctx != NULL && build != NULL &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) &&
	    (params = OSSL_PARAM_BLD_to_param(build)) != NULL &&
	    EVP_PKEY_fromdata_init(ctx) == 1 &&
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		pkey = NULL;
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

/*
 * RFC 6376, 3.6.1 says RSAPublicKey, its examples and everybody
 * SubjectPublicKeyInfo. Taken apart here, for OpenSSL's d2i_PUBKEY takes 230
 * us, ten times as long as verifying with the key.
 */
static EVP_PKEY *
rsa_public(struct slice der)
{
	EVP_PKEY *pkey = NULL;
	BIGNUM *modulus, *exponent;
	struct slice n, e;

	rsa_unwrap(der, &der);
	if (!rsa_numbers(der, &n, &e))
		return NULL;
	modulus = BN_bin2bn((const unsigned char *)n.p, (int)n.n, NULL);
	exponent = BN_bin2bn((const unsigned char *)e.p, (int)e.n, NULL);
	if (modulus != NULL && exponent != NULL)
		pkey = rsa_from(modulus, exponent);
	BN_free(modulus);
	BN_free(exponent);
	return pkey;
}

struct dkim_key *
dkim_key_public(enum dkim_key_type type, struct slice der, struct err *e)
{
	struct dkim_key *key;
	EVP_PKEY *pkey = NULL;

	ERR_clear_error();
	if (der.n == 0 || der.n > DKIM_PEM_MAX) {
		err_set(e, ERR_SYNTAX, "dkim: public key of %zu bytes", der.n);
		return NULL;
	}
	if (type == DKIM_RSA)
		pkey = rsa_public(der);
	else if (der.n == ED25519_SIZE)
		pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL,
		    (const unsigned char *)der.p, der.n);
	ERR_clear_error();
	if (pkey == NULL) {
		err_set(e, ERR_SYNTAX, "dkim: p= has no %s public key",
		    type == DKIM_RSA ? "RSA" : "Ed25519");
		return NULL;
	}
	key = key_of(pkey, e);
	if (key != NULL && key->type != type) {
		err_set(e, ERR_SYNTAX, "dkim: public key is not what k= says");
		dkim_key_free(&key);
	}
	return key;
}

void
dkim_key_free(struct dkim_key **key)
{
	if (*key == NULL)
		return;
	EVP_PKEY_free((*key)->pkey);
	free(*key);
	*key = NULL;
}

enum dkim_key_type
dkim_key_type(const struct dkim_key *key)
{
	return key->type;
}

unsigned
dkim_key_bits(const struct dkim_key *key)
{
	return (unsigned)EVP_PKEY_get_bits(key->pkey);
}

/* ---- writing them ---- */

int
dkim_key_write_pem(const struct dkim_key *key, struct buf *out, struct err *e)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	char *p;
	long n;
	int rc = -1;

	if (bio != NULL &&
	    PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL,
		NULL)) {
		n = BIO_get_mem_data(bio, &p);
		buf_add(out, slice_of(p, (size_t)n));
		rc = 0;
	} else {
		openssl_err(e, ERR_PERM, "writing a key");
	}
	BIO_free(bio);
	return rc;
}

void
dkim_key_write_public(const struct dkim_key *key, struct buf *out)
{
	unsigned char raw[ED25519_SIZE], *der = NULL;
	size_t raw_n = sizeof(raw);
	int n;

	if (key->type == DKIM_ED25519) {
		if (EVP_PKEY_get_raw_public_key(key->pkey, raw, &raw_n))
			buf_add(out, slice_of((char *)raw, raw_n));
		return;
	}
	n = i2d_PUBKEY(key->pkey, &der);
	if (n > 0)
		buf_add(out, slice_of((char *)der, (size_t)n));
	OPENSSL_free(der);
}

void
dkim_key_write_record(const struct dkim_key *key, struct buf *out)
{
	struct buf public = BUF_INIT(DKIM_RECORD_MAX);

	buf_addz(out, "v=DKIM1;h=sha256;");
	if (key->type == DKIM_ED25519)
		buf_addz(out, "k=ed25519;");
	buf_addz(out, "p=");
	dkim_key_write_public(key, &public);
	base64_encode(out, buf_slice(&public));
	buf_free(&public);
}

/* RFC 1035, 5.1: quotes, backslashes and what is not printable. */
static void
add_quoted(struct slice text, struct buf *out)
{
	buf_addc(out, '"');
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c == '"' || c == '\\')
			buf_addf(out, "\\%c", c);
		else if (c < ' ' || c > '~')
			buf_addf(out, "\\%03u", c);
		else
			buf_addc(out, (char)c);
	}
	buf_addc(out, '"');
}

void
dkim_txt_split(struct slice text, struct buf *out)
{
	if (text.n <= TXT_STRING) {
		add_quoted(text, out);
		return;
	}
	buf_addz(out, "(\n");
	for (; text.n > 0; text = slice_skip(text, TXT_STRING)) {
		buf_addz(out, "\t\t");
		add_quoted(slice_head(text, TXT_STRING), out);
		buf_addc(out, '\n');
	}
	buf_addz(out, "\t)");
}

/* ---- using them ---- */

static const EVP_MD *
md_of(enum sha_alg alg)
{
	return alg == SHA_1 ? EVP_sha1() : EVP_sha256();
}

/* A context to sign or verify a digest with RSASSA-PKCS1-v1_5. */
static EVP_PKEY_CTX *
rsa_context(const struct dkim_key *key, enum sha_alg alg,
    int (*init)(EVP_PKEY_CTX *ctx))
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key->pkey, NULL);

	if (ctx != NULL &&
	    (init(ctx) != 1 ||
		EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) != 1 ||
		EVP_PKEY_CTX_set_signature_md(ctx, md_of(alg)) != 1)) {
		EVP_PKEY_CTX_free(ctx);
		ctx = NULL;
	}
	return ctx;
}

static bool
sign_rsa(const struct dkim_key *key, enum sha_alg alg, struct slice digest,
    unsigned char *out, size_t *n)
{
	EVP_PKEY_CTX *ctx = rsa_context(key, alg, EVP_PKEY_sign_init);
	bool ok;

	ok = ctx != NULL &&
	    EVP_PKEY_sign(ctx, out, n, (const unsigned char *)digest.p,
		digest.n) == 1;
	EVP_PKEY_CTX_free(ctx);
	return ok;
}

static bool
sign_ed25519(const struct dkim_key *key, struct slice digest,
    unsigned char *out, size_t *n)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok;

	ok = ctx != NULL &&
	    EVP_DigestSignInit(ctx, NULL, NULL, NULL, key->pkey) == 1 &&
	    EVP_DigestSign(ctx, out, n, (const unsigned char *)digest.p,
		digest.n) == 1;
	EVP_MD_CTX_free(ctx);
	return ok;
}

int
dkim_key_sign(const struct dkim_key *key, enum sha_alg alg, struct slice digest,
    struct buf *out, struct err *e)
{
	unsigned char signature[SIGNATURE_MAX];
	size_t n = sizeof(signature);
	bool ok;

	ERR_clear_error();
	if (key->type == DKIM_RSA)
		ok = sign_rsa(key, alg, digest, signature, &n);
	else
		ok = sign_ed25519(key, digest, signature, &n);
	if (!ok) {
		openssl_err(e, ERR_PERM, "signing");
		return -1;
	}
	buf_add(out, slice_of((char *)signature, n));
	return 0;
}

static bool
verify_rsa(const struct dkim_key *key, enum sha_alg alg, struct slice digest,
    struct slice signature)
{
	EVP_PKEY_CTX *ctx = rsa_context(key, alg, EVP_PKEY_verify_init);
	bool ok;

	ok = ctx != NULL &&
	    EVP_PKEY_verify(ctx, (const unsigned char *)signature.p,
		signature.n, (const unsigned char *)digest.p, digest.n) == 1;
	EVP_PKEY_CTX_free(ctx);
	return ok;
}

static bool
verify_ed25519(const struct dkim_key *key, struct slice digest,
    struct slice signature)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok;

	ok = ctx != NULL &&
	    EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key->pkey) == 1 &&
	    EVP_DigestVerify(ctx, (const unsigned char *)signature.p,
		signature.n, (const unsigned char *)digest.p, digest.n) == 1;
	EVP_MD_CTX_free(ctx);
	return ok;
}

bool
dkim_key_verify(const struct dkim_key *key, enum sha_alg alg,
    struct slice digest, struct slice signature)
{
	bool ok;

	if (signature.n == 0)
		return false;
	if (key->type == DKIM_RSA)
		ok = verify_rsa(key, alg, digest, signature);
	else
		ok = verify_ed25519(key, digest, signature);
	ERR_clear_error(); /* a wrong signature is a result */
	return ok;
}
