/*
 * Files that the configuration names: are they there, and what they must be?
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <pwd.h>

#include "base/file.h"
#include "config/check.h"

#define PEM_FILE_MAX \
	(1 << 20)         /* a bundle of all public authorities is 220 KB */
#define RSA_BITS_MIN 1024 /* RFC 8301, 3.2 */

/* A file that is being checked: which field names it, in which file. */
struct named {
	const struct config *config;
	const struct sconf_file *file;
	struct slice name;
	const char *field;
	struct arena *arena;
};

static void
wrong(const struct named *n, const char *what)
{
	sconf_error(n->file, n->name, "%s: \"%.*s\" %s", n->field,
	    SLICE_FMT(n->name), what);
}

/* A memory BIO of the content, or NULL with the problem reported. */
static BIO *
open_named(const struct named *n)
{
	const char *path = config_file(n->config, n->arena, n->name);
	struct buf content = BUF_INIT(PEM_FILE_MAX);
	struct err e = ERR_INIT;
	BIO *bio = NULL;
	int rc;

	if (n->name.n == 0)
		return NULL; /* the table's check told */
	rc = file_read(AT_FDCWD, path, &content, &e);
	if (rc > 0) {
		bio = BIO_new(BIO_s_mem());
		BIO_write(bio, content.p, (int)content.n);
	} else if (rc < 0 && errno == EACCES)
		sconf_warning(n->file, n->name,
		    "%s: \"%s\" cannot be read by this user, not checked",
		    n->field, path);
	else
		sconf_error(n->file, n->name, "%s: \"%s\": %s", n->field, path,
		    rc == 0 ? "no such file" : e.text);
	buf_wipe(&content);
	return bio;
}

/* Keys are not encrypted: who should be asked for a password? */
static int
no_password(char *dst, int size, int writing, void *ctx)
{
	(void)dst, (void)size, (void)writing, (void)ctx;
	return -1;
}

static EVP_PKEY *
read_key(const struct named *n)
{
	BIO *bio = open_named(n);
	EVP_PKEY *key;

	if (!bio)
		return NULL;
	key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	BIO_free(bio);
	if (!key)
		wrong(n, "holds no private key in PEM without password");
	return key;
}

static X509 *
read_cert(const struct named *n)
{
	BIO *bio = open_named(n);
	X509 *cert;

	if (!bio)
		return NULL;
	cert = PEM_read_bio_X509(bio, NULL, no_password, NULL);
	BIO_free(bio);
	if (!cert)
		wrong(n, "holds no certificate in PEM");
	return cert;
}

static void
check_key_cert(struct named n, const struct conf_key_cert *key_cert)
{
	X509 *cert;
	EVP_PKEY *key;

	n.name = key_cert->cert_file;
	n.field = "CertFile";
	cert = read_cert(&n);
	n.name = key_cert->key_file;
	n.field = "KeyFile";
	key = read_key(&n);
	if (cert && key && X509_check_private_key(cert, key) != 1)
		wrong(&n, "is not the key of the certificate");
	X509_free(cert);
	EVP_PKEY_free(key);
}

static void
check_dkim_key(struct named n, const struct conf_selector *selector)
{
	EVP_PKEY *key;

	n.name = selector->private_key_file;
	n.field = "PrivateKeyFile";
	key = read_key(&n);
	if (!key)
		return;
	if (EVP_PKEY_is_a(key, "RSA")) {
		if (EVP_PKEY_get_bits(key) < RSA_BITS_MIN)
			wrong(&n, "has an RSA key of less than 1024 bits");
	} else if (!EVP_PKEY_is_a(key, "ED25519"))
		wrong(&n, "is neither an RSA nor an ed25519 key");
	else if (!slice_is(selector->hash, "sha256")) /* RFC 8463, 3 */
		sconf_error(n.file, selector->hash,
		    "Hash: must be sha256 for an ed25519 key");
	EVP_PKEY_free(key);
}

static void
check_readable(struct named n, struct slice name, const char *field)
{
	n.name = name;
	n.field = field;
	BIO_free(open_named(&n));
}

static void
check_tls_files(struct named n, const struct conf_tls *tls)
{
	for (size_t i = 0; i < tls->key_certs.n; i++)
		check_key_cert(n, &tls->key_certs.v[i]);
	n.field = "HostPrivateKeyFiles";
	for (size_t i = 0; i < tls->host_private_key_files.n; i++) {
		n.name = tls->host_private_key_files.v[i];
		EVP_PKEY_free(read_key(&n));
	}
}

static void
check_mox_files(struct named n)
{
	const struct mox_conf *mox = &n.config->mox;
	struct conf_strings ca = { NULL, 0 };

	if (mox->tls && mox->tls->ca)
		ca = mox->tls->ca->cert_files;
	for (size_t i = 0; i < ca.n; i++) {
		n.name = ca.v[i];
		n.field = "CertFiles";
		X509_free(read_cert(&n));
	}
	for (size_t i = 0; i < mox->acme.n; i++)
		if (mox->acme.v[i].external_account_binding)
			check_readable(n,
			    mox->acme.v[i].external_account_binding->key_file,
			    "KeyFile");
	for (size_t i = 0; i < mox->listeners.n; i++)
		if (mox->listeners.v[i].tls)
			check_tls_files(n, mox->listeners.v[i].tls);
	if (mox->admin_password_file.n > 0)
		check_readable(n, mox->admin_password_file,
		    "AdminPasswordFile");
}

/* A name, or what is no name but a number. */
static void
check_user(const struct named *n)
{
	struct slice user = n->config->mox.user;
	uint32_t id;

	if (!getpwnam(arena_cstr(n->arena, user)) && !slice_u32(user, &id))
		sconf_error(n->file, user,
		    "User: there is no user \"%.*s\" on this host",
		    SLICE_FMT(user));
}

void
check_files(const struct config *config, const struct sconf_file *file,
    const struct domains_conf *conf)
{
	struct arena *arena = arena_new(0);
	struct sconf_file mox_file = config->file;
	struct named n = { config, &mox_file, SLICE_NULL, NULL, arena };

	mox_file.errors = file->errors;
	check_user(&n);
	check_mox_files(n);
	n.file = file;
	for (size_t i = 0; i < conf->domains.n; i++) {
		const struct conf_dkim *dkim = conf->domains.v[i].dkim;

		for (size_t j = 0; dkim && j < dkim->selectors.n; j++)
			check_dkim_key(n, &dkim->selectors.v[j]);
	}
	ERR_clear_error();
	arena_free(&arena);
}
