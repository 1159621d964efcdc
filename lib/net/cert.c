/* cert - certificates and keys in PEM files. */
#include "net/cert.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/rand.h"
#include "base/sha.h"
#include "net/addr.h"
#include "net/tls.h"

static int
openssl_err(struct err *e, enum err_kind kind, const char *what)
{
	char text[160];

	return err_set(e, kind, "%s: %s", what,
	    tls_error_text(text, sizeof(text)));
}

/* ---- loading ---- */

#define PEM_FILE_MAX (1 << 20)

/* The whole file behind a descriptor, wherever others have read to. */
static BIO *
read_descriptor(const struct cert_file *file, struct err *e)
{
	struct stat st;
	BIO *bio;
	char *p;

	if (fstat(file->fd, &st) < 0) {
		err_sys(e, "%s", file->path);
		return NULL;
	}
	if (st.st_size > PEM_FILE_MAX) {
		err_set(e, ERR_LIMIT, "%s: file too large", file->path);
		return NULL;
	}
	p = OPENSSL_zalloc((size_t)st.st_size + 1);
	bio = p == NULL ? NULL : BIO_new(BIO_s_mem());
	if (bio == NULL) {
		OPENSSL_free(p);
		openssl_err(e, ERR_TEMP, file->path);
		return NULL;
	}
	if (file_pread(file->fd, p, (size_t)st.st_size, 0, e) < 0) {
		err_prefix(e, "%s", file->path);
		BIO_free(bio);
		bio = NULL;
	} else
		BIO_write(bio, p, (int)st.st_size);
	OPENSSL_clear_free(p, (size_t)st.st_size + 1);
	return bio;
}

static BIO *
open_pem(const struct cert_file *file, struct err *e)
{
	BIO *bio;

	if (file->fd > 0)
		return read_descriptor(file, e);
	bio = BIO_new_file(file->path, "r");
	if (bio == NULL)
		openssl_err(e, ERR_PERM, file->path);
	return bio;
}

static int
load_chain(struct cert *c, const struct cert_file *file, struct err *e)
{
	const char *path = file->path;
	BIO *bio = open_pem(file, e);
	X509 *x;

	if (bio == NULL)
		return -1;
	c->x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	if (c->x509 == NULL) {
		BIO_free(bio);
		return openssl_err(e, ERR_SYNTAX, path);
	}
	while ((x = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
		sk_X509_push(c->chain, x);
	ERR_clear_error(); /* the end of the file is none */
	BIO_free(bio);
	return 0;
}

/* No prompt for the password of an encrypted key. */
static int
no_password(char *p, int size, int writing, void *ctx)
{
	(void)p, (void)size, (void)writing, (void)ctx;
	return 0;
}

static int
load_key(struct cert *c, const struct cert_file *file, struct err *e)
{
	const char *path = file->path;
	BIO *bio = open_pem(file, e);

	if (bio == NULL)
		return -1;
	c->key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	BIO_free(bio);
	if (c->key == NULL)
		return openssl_err(e, ERR_SYNTAX, path);
	if (X509_check_private_key(c->x509, c->key) != 1)
		return openssl_err(e, ERR_SYNTAX, path);
	return 0;
}

struct cert *
cert_load(struct cert_file cert, struct cert_file key, struct err *e)
{
	struct cert *c = xcalloc(1, sizeof(*c));

	ERR_clear_error();
	c->chain = sk_X509_new_null();
	if (load_chain(c, &cert, e) < 0 || load_key(c, &key, e) < 0)
		cert_free(&c);
	return c;
}

void
cert_free(struct cert **c)
{
	if (*c == NULL)
		return;
	X509_free((*c)->x509);
	sk_X509_pop_free((*c)->chain, X509_free);
	EVP_PKEY_free((*c)->key);
	free(*c);
	*c = NULL;
}

/* ---- facts ---- */

bool
cert_matches(const struct cert *c, const char *host)
{
	return X509_check_host(c->x509, host, 0, 0, NULL) == 1 ||
	    X509_check_ip_asc(c->x509, host, 0) == 1;
}

int64_t
cert_not_after(X509 *x509)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(X509_get0_notAfter(x509), &tm) != 1)
		return 0;
	return timegm(&tm);
}

/* RFC 4648, 5, without padding; EVP has the other alphabet. */
static void
base64_url(const unsigned char *p, size_t n, char *text)
{
	EVP_EncodeBlock((unsigned char *)text, p, (int)n);
	for (; *text != '\0'; text++) {
		if (*text == '+')
			*text = '-';
		else if (*text == '/')
			*text = '_';
		else if (*text == '=')
			*text = '\0';
	}
}

void
cert_spki(X509 *x509, char text[CERT_SPKI_TEXT])
{
	unsigned char *der = NULL, digest[SHA_MAX];
	char padded[CERT_SPKI_TEXT + 1];
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509), &der);

	text[0] = '\0';
	if (n < 0)
		return;
	sha_digest(SHA_256, slice_of((char *)der, (size_t)n), digest);
	OPENSSL_free(der);
	base64_url(digest, sha_size(SHA_256), padded);
	memcpy(text, padded, strlen(padded) + 1);
}

/* ---- making ---- */

#define CN_MAX 64 /* RFC 5280, A.1: ub-common-name */

static bool
add_extension(X509 *x, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;
	bool ok;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ok = ext != NULL && X509_add_ext(x, ext, -1) == 1;
	X509_EXTENSION_free(ext);
	return ok;
}

/* "DNS:a,IP:b" for the subjectAltName; false if a name could smuggle in
 * something else. */
static bool
alt_names(const struct slice *names, size_t n, struct buf *out)
{
	struct ip ip;

	for (size_t i = 0; i < n; i++) {
		if (names[i].n == 0 || slice_chr(names[i], ',') >= 0)
			return false;
		buf_addf(out, "%s%s:%.*s", i > 0 ? "," : "",
		    ip_parse(names[i], &ip) ? "IP" : "DNS",
		    SLICE_FMT(names[i]));
	}
	return n > 0 && !out->over;
}

static bool
fill(X509 *x, EVP_PKEY *key, const struct slice *names, size_t n, int days)
{
	struct buf alt = BUF_INIT(64 * 1024);
	X509_NAME *subject = X509_get_subject_name(x);
	uint64_t serial;
	bool ok;

	rand_fill(NULL, &serial, sizeof(serial));
	ok = alt_names(names, n, &alt) && X509_set_version(x, 2) == 1 &&
	    ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), serial >> 1) &&
	    X509_gmtime_adj(X509_getm_notBefore(x), -3600) != NULL &&
	    X509_time_adj_ex(X509_getm_notAfter(x), days, 0, NULL) != NULL &&
	    (names[0].n > CN_MAX ||
		X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
		    (const unsigned char *)names[0].p, (int)names[0].n, -1,
		    0)) &&
	    X509_set_issuer_name(x, subject) && X509_set_pubkey(x, key) &&
	    add_extension(x, NID_subject_alt_name, buf_cstr(&alt)) &&
	    add_extension(x, NID_basic_constraints, "critical,CA:FALSE") &&
	    add_extension(x, NID_key_usage, "critical,digitalSignature") &&
	    add_extension(x, NID_ext_key_usage, "serverAuth") &&
	    X509_sign(x, key, EVP_sha256()) > 0;
	buf_free(&alt);
	return ok;
}

static void
add_bio(struct buf *out, BIO *bio)
{
	char *p;
	long n = BIO_get_mem_data(bio, &p);

	buf_add(out, slice_of(p, (size_t)n));
}

/* The key in pem; if that is empty a new one, which is put there. */
static EVP_PKEY *
given_or_new_key(struct buf *pem)
{
	BIO *bio = pem->n > 0 ? BIO_new_mem_buf(pem->p, (int)pem->n)
			      : BIO_new(BIO_s_mem());
	EVP_PKEY *key;

	if (bio == NULL)
		return NULL;
	if (pem->n > 0) {
		key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	} else {
		key = EVP_EC_gen("P-256");
		if (key != NULL &&
		    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL,
			NULL))
			add_bio(pem, bio);
	}
	BIO_free(bio);
	return key;
}

int
cert_self_signed(const struct slice *names, size_t n, int days,
    struct buf *cert_pem, struct buf *key_pem, struct err *e)
{
	EVP_PKEY *key;
	X509 *x = X509_new();
	BIO *cert_bio = BIO_new(BIO_s_mem());
	int rc = 0;

	ERR_clear_error();
	key = given_or_new_key(key_pem);
	if (key != NULL && x != NULL && fill(x, key, names, n, days) &&
	    PEM_write_bio_X509(cert_bio, x) == 1)
		add_bio(cert_pem, cert_bio);
	else
		rc = openssl_err(e, ERR_PERM, "making a certificate");
	BIO_free(cert_bio);
	X509_free(x);
	EVP_PKEY_free(key);
	return rc;
}

/* ---- a certificate around a key ---- */

static bool
fill_minimal(X509 *x, EVP_PKEY *key)
{
	X509_NAME *subject = X509_get_subject_name(x);
	uint64_t serial;

	rand_fill(NULL, &serial, sizeof(serial));
	return X509_set_version(x, 2) == 1 &&
	    ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), serial >> 1) &&
	    X509_gmtime_adj(X509_getm_notBefore(x), -3600) != NULL &&
	    X509_gmtime_adj(X509_getm_notAfter(x), 24 * 3600) != NULL &&
	    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
		(const unsigned char *)"mox", -1, -1, 0) == 1 &&
	    X509_set_issuer_name(x, subject) == 1 &&
	    X509_set_pubkey(x, key) == 1 && X509_sign(x, key, NULL) > 0;
}

struct cert *
cert_of_seed(const unsigned char seed[CERT_SEED], struct err *e)
{
	struct cert *c = xcalloc(1, sizeof(*c));

	ERR_clear_error();
	c->chain = sk_X509_new_null();
	c->key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed,
	    CERT_SEED);
	c->x509 = X509_new();
	if (c->key == NULL || c->x509 == NULL ||
	    !fill_minimal(c->x509, c->key)) {
		openssl_err(e, ERR_PERM, "making a certificate");
		cert_free(&c);
	}
	return c;
}
