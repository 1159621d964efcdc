/* dane - one TLSA record: is it one, as text, from a certificate. */
#include "dane/dane.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/sha.h"

enum { SELECT_CERT, SELECT_SPKI };                   /* RFC 6698, 7.3 */
enum { MATCH_FULL, MATCH_SHA2_256, MATCH_SHA2_512 }; /* RFC 6698, 7.4 */

struct tls_tlsa
dane_record(const struct dns_record *r)
{
	return (struct tls_tlsa){ r->tlsa.usage, r->tlsa.selector,
		r->tlsa.matching, r->tlsa.data };
}

/* ---- well-formed ---- */

static bool
is_cert(struct slice der)
{
	const unsigned char *p = (const unsigned char *)der.p;
	X509 *x = der.n > LONG_MAX ? NULL : d2i_X509(NULL, &p, (long)der.n);
	bool ok = x != NULL && p == (const unsigned char *)der.p + der.n &&
	    X509_get0_pubkey(x) != NULL;

	X509_free(x);
	return ok;
}

static bool
is_spki(struct slice der)
{
	const unsigned char *p = (const unsigned char *)der.p;
	EVP_PKEY *key =
	    der.n > LONG_MAX ? NULL : d2i_PUBKEY(NULL, &p, (long)der.n);
	bool ok = key != NULL && p == (const unsigned char *)der.p + der.n;

	EVP_PKEY_free(key);
	return ok;
}

bool
dane_well_formed(const struct tls_tlsa *t)
{
	bool ok;

	if (t->usage > DANE_EE || t->selector > SELECT_SPKI)
		return false;
	switch (t->match) {
	case MATCH_FULL:
		ok = t->selector == SELECT_CERT ? is_cert(t->data)
						: is_spki(t->data);
		ERR_clear_error();
		return ok;
	case MATCH_SHA2_256:
		return t->data.n == sha_size(SHA_256);
	case MATCH_SHA2_512:
		return t->data.n == sha_size(SHA_512);
	default:
		return false;
	}
}

bool
dane_usable(const struct tls_tlsa *t)
{
	return (t->usage == DANE_TA || t->usage == DANE_EE) &&
	    dane_well_formed(t);
}

/* ---- text ---- */

struct slice
dane_text(struct arena *arena, const struct tls_tlsa *t)
{
	struct buf b = BUF_INIT(SIZE_MAX);
	struct slice text;

	buf_addf(&b, "%u %u %u ", t->usage, t->selector, t->match);
	for (size_t i = 0; i < t->data.n; i++)
		buf_addf(&b, "%02x", (unsigned char)t->data.p[i]);
	text = arena_dup(arena, buf_slice(&b));
	buf_free(&b);
	return text;
}

/* RFC 7218, 2. */
static const char *const usages[] = { "pkix-ta", "pkix-ee", "dane-ta",
	"dane-ee", NULL };
static const char *const selectors[] = { "cert", "spki", NULL };
static const char *const matches[] = { "full", "sha2-256", "sha2-512", NULL };

static const char *
name_of(unsigned value, const char *const *names)
{
	for (unsigned i = 0; names[i] != NULL; i++)
		if (i == value)
			return names[i];
	return "unknown";
}

const char *
dane_usage_name(unsigned usage)
{
	return name_of(usage, usages);
}

const char *
dane_selector_name(unsigned selector)
{
	return name_of(selector, selectors);
}

const char *
dane_match_name(unsigned match)
{
	return name_of(match, matches);
}

static bool
parse(struct slice text, const char *const *names, unsigned char *value_r)
{
	for (unsigned char i = 0; names[i] != NULL; i++)
		if (slice_isi(text, names[i]) ||
		    (text.n == 1 && text.p[0] == '0' + i)) {
			*value_r = i;
			return true;
		}
	return false;
}

bool
dane_usage_parse(struct slice text, unsigned char *usage_r)
{
	return parse(text, usages, usage_r);
}

bool
dane_selector_parse(struct slice text, unsigned char *selector_r)
{
	return parse(text, selectors, selector_r);
}

bool
dane_match_parse(struct slice text, unsigned char *match_r)
{
	return parse(text, matches, match_r);
}

/* ---- making one ---- */

static int
no_password(char *p, int size, int writing, void *ctx)
{
	(void)p, (void)size, (void)writing, (void)ctx;
	return 0;
}

static BIO *
bio_of(struct slice pem)
{
	return BIO_new_mem_buf(pem.p != NULL ? pem.p : "",
	    pem.n > INT_MAX ? INT_MAX : (int)pem.n);
}

static X509 *
read_cert(struct slice pem)
{
	BIO *bio = bio_of(pem);
	X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	BIO_free(bio);
	return x;
}

/* A public key, or the public part of a private one. */
static EVP_PKEY *
read_key(struct slice pem)
{
	BIO *bio = bio_of(pem);
	EVP_PKEY *key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);

	BIO_free(bio);
	if (key != NULL)
		return key;
	bio = bio_of(pem);
	key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	BIO_free(bio);
	return key;
}

/* What the selector is about, DER; OPENSSL_free it. */
static int
selected(struct slice pem, unsigned char selector, unsigned char **der_r,
    struct err *e)
{
	X509 *x = read_cert(pem);
	EVP_PKEY *key = x != NULL ? NULL : read_key(pem);
	int n = -1;

	*der_r = NULL;
	if (x == NULL && key == NULL)
		err_set(e, ERR_SYNTAX,
		    "no certificate and no key in PEM format, or a key with a "
		    "password");
	else if (selector == SELECT_CERT && x == NULL)
		err_set(e, ERR_SYNTAX,
		    "a key, but selector cert (0) needs a certificate");
	else if ((n = selector == SELECT_CERT
			 ? i2d_X509(x, der_r)
			 : i2d_PUBKEY(x != NULL ? X509_get0_pubkey(x) : key,
			       der_r)) <= 0)
		err_set(e, ERR_SYNTAX, "the key is of no known kind");
	X509_free(x);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return n > 0 ? n : -1;
}

int
dane_make(struct slice pem, unsigned char usage, unsigned char selector,
    unsigned char match, struct arena *arena, struct tls_tlsa *tlsa_r,
    struct err *e)
{
	enum sha_alg alg = match == MATCH_SHA2_256 ? SHA_256 : SHA_512;
	unsigned char digest[SHA_MAX], *der;
	int n;

	if (usage > DANE_EE || selector > SELECT_SPKI || match > MATCH_SHA2_512)
		return err_set(e, ERR_SYNTAX,
		    "no usage, selector or matching type");
	n = selected(pem, selector, &der, e);
	if (n < 0)
		return -1;
	*tlsa_r = (struct tls_tlsa){ usage, selector, match,
		slice_of((const char *)der, (size_t)n) };
	if (match != MATCH_FULL) {
		sha_digest(alg, tlsa_r->data, digest);
		tlsa_r->data = slice_of((const char *)digest, sha_size(alg));
	}
	tlsa_r->data = arena_dup(arena, tlsa_r->data);
	OPENSSL_free(der);
	return 0;
}
