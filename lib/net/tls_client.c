/* tls_client - the client side of TLS. */
#include "net/tls_client.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/arena.h"
#include "base/file.h"
#include "net/addr.h"
#include "net/tls.h"

#define NAME_MAX_LEN 255 /* RFC 1035, 2.3.4 */

/* A file of trust anchors, and what it was when it was read. */
struct trust_file {
	struct trust_file *next;
	struct stat st;
	char path[];
};

struct tls_client {
	SSL_CTX *ctx;
	struct trust_file *files;
};

static int
tls_err(struct err *e, const char *what)
{
	char text[160];

	return err_set(e, ERR_PERM, "%s: %s", what,
	    tls_error_text(text, sizeof(text)));
}

/* ---- trust ---- */

/* Where systems keep their trust anchors in one file. OpenSSL's own default is
 * a folder that it reads while it verifies, which no jail allows. */
static const char *const bundles[] = {
	"/etc/ssl/certs/ca-certificates.crt", /* Debian, Arch, Alpine */
	"/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora */
	"/etc/ssl/ca-bundle.pem",             /* SUSE */
	"/etc/ssl/cert.pem",                  /* BSD, macOS */
};

const char *
tls_client_bundle(void)
{
	const char *named = secure_getenv(X509_get_default_cert_file_env());

	if (named != NULL && *named != '\0')
		return named;
	for (size_t i = 0; i < sizeof(bundles) / sizeof(bundles[0]); i++)
		if (access(bundles[i], R_OK) == 0)
			return bundles[i];
	return NULL;
}

static int
load_file(struct tls_client *t, const char *path, struct err *e)
{
	size_t n = strlen(path) + 1;
	struct trust_file *f = xcalloc(1, sizeof(*f) + n);

	memcpy(f->path, path, n);
	f->next = t->files;
	t->files = f;
	if (stat(path, &f->st) < 0)
		return err_sys(e, "%s", path);
	return SSL_CTX_load_verify_file(t->ctx, path) == 1 ? 0
							   : tls_err(e, path);
}

static int
load_trust(struct tls_client *t, const struct tls_client_opts *opts,
    struct err *e)
{
	const char *file =
	    opts->ca_file != NULL ? opts->ca_file : tls_client_bundle();
	const char *const *more = opts->more_ca_files;

	if (file == NULL)
		return err_set(e, ERR_PERM,
		    "tls: no file of trusted certificates found: install "
		    "ca-certificates, or set %s",
		    X509_get_default_cert_file_env());
	if (*file != '\0' && load_file(t, file, e) < 0)
		return -1;
	for (; more != NULL && *more != NULL; more++)
		if (load_file(t, *more, e) < 0)
			return -1;
	return 0;
}

/* ---- the context ---- */

static int
set_up(struct tls_client *t, const struct tls_client_opts *opts, struct err *e)
{
	SSL_CTX *ctx = t->ctx;
	const struct cert *own = opts->cert;
	int min = tls_version(opts->min_version, e);

	if (min < 0)
		return -1;
	SSL_CTX_set_min_proto_version(ctx, min);
	if (min < TLS1_2_VERSION) /* needs SHA-1 signatures */
		SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_options(ctx,
	    SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
	SSL_CTX_set_mode(ctx,
	    SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	/* RFC 7672, 3.1.1: the name says nothing where DANE-EE matches. */
	if (SSL_CTX_dane_enable(ctx) != 1)
		return tls_err(e, "tls: DANE");
	SSL_CTX_dane_set_flags(ctx, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
	if (own != NULL &&
	    SSL_CTX_use_cert_and_key(ctx, own->x509, own->key, own->chain, 1) !=
		1)
		return tls_err(e, "tls: client certificate");
	return load_trust(t, opts, e);
}

struct tls_client *
tls_client_new(const struct tls_client_opts *opts, struct err *e)
{
	struct tls_client *t = xcalloc(1, sizeof(*t));

	ERR_clear_error();
	t->ctx = SSL_CTX_new(TLS_client_method());
	if (t->ctx == NULL)
		tls_err(e, "tls");
	if (t->ctx == NULL || set_up(t, opts, e) < 0)
		tls_client_free(&t);
	ERR_clear_error();
	return t;
}

void
tls_client_free(struct tls_client **t)
{
	struct trust_file *f, *next;

	if (*t == NULL)
		return;
	for (f = (*t)->files; f != NULL; f = next) {
		next = f->next;
		free(f);
	}
	SSL_CTX_free((*t)->ctx);
	free(*t);
	*t = NULL;
}

bool
tls_client_stale(const struct tls_client *t)
{
	struct stat st;

	for (const struct trust_file *f = t->files; f != NULL; f = f->next)
		if (stat(f->path, &st) < 0 || !file_same(&st, &f->st))
			return true;
	return false;
}

SSL_CTX *
tls_client_context(struct tls_client *t)
{
	return t->ctx;
}

/* ---- whom to expect ---- */

static int
name_of(struct slice name, char text[NAME_MAX_LEN + 1], struct err *e)
{
	if (name.n > 0 && slice_cstr(name, text, NAME_MAX_LEN + 1))
		return 0;
	return err_set(e, ERR_SYNTAX, "tls: \"%.*s\" is no host name",
	    (int)(name.n > 64 ? 64 : name.n), name.p ? name.p : "");
}

/* One more name that the certificate may be for. */
static int
add_name(SSL *ssl, struct slice name, struct err *e)
{
	char text[NAME_MAX_LEN + 1];
	struct ip ip;

	if (name_of(name, text, e) < 0)
		return -1;
	if (ip_parse(name, &ip))
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl),
			   text) == 1
		    ? 0
		    : tls_err(e, "tls: address");
	return SSL_add1_host(ssl, text) == 1 ? 0 : tls_err(e, "tls: name");
}

static int
add_names(SSL *ssl, const struct tls_expect *x, struct err *e)
{
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	for (size_t i = 0; i < x->nnames; i++)
		if (add_name(ssl, x->names[i], e) < 0)
			return -1;
	return 0;
}

/* RFC 7672, 3.1: DANE-TA(2) and DANE-EE(3) are for SMTP, others unusable. */
static bool
usage_counts(const struct tls_expect *x, const struct tls_tlsa *r)
{
	return r->usage == 2 || r->usage == 3 ||
	    (x->pkix_usages && r->usage < 2);
}

static int
add_tlsa(SSL *ssl, const struct tls_expect *x, struct err *e)
{
	size_t usable = 0;

	for (size_t i = 0; i < x->ntlsa; i++) {
		const struct tls_tlsa *r = &x->tlsa[i];
		if (usage_counts(x, r))
			usable +=
			    SSL_dane_tlsa_add(ssl, r->usage, r->selector,
				r->match, (const unsigned char *)r->data.p,
				r->data.n) > 0;
	}
	ERR_clear_error();
	if (usable == 0)
		return err_set(e, ERR_SYNTAX, "tls: no usable TLSA record");
	return 0;
}

static int
set_sni(SSL *ssl, struct slice sni, bool dane, struct err *e)
{
	char text[NAME_MAX_LEN + 1];
	struct ip ip;

	if (!dane && (sni.n == 0 || ip_parse(sni, &ip)))
		return 0;
	if (name_of(sni, text, e) < 0)
		return -1;
	if (dane ? SSL_dane_enable(ssl, text) > 0
		 : SSL_set_tlsext_host_name(ssl, text) == 1)
		return 0;
	return tls_err(e, "tls: server name");
}

static int
expect(SSL *ssl, const struct tls_expect *x, struct err *e)
{
	bool dane = x->verify == TLS_VERIFY_DANE;

	if (x->verify == TLS_VERIFY_PKIX && x->nnames == 0)
		return err_set(e, ERR_SYNTAX, "tls: no name to verify");
	if (set_sni(ssl, x->sni, dane, e) < 0 || add_names(ssl, x, e) < 0)
		return -1;
	SSL_set_verify(ssl,
	    x->verify == TLS_VERIFY_NONE ? SSL_VERIFY_NONE : SSL_VERIFY_PEER,
	    NULL);
	return dane ? add_tlsa(ssl, x, e) : 0;
}

SSL *
tls_client_session(struct tls_client *t, const struct tls_expect *x,
    struct err *e)
{
	SSL *ssl = SSL_new(t->ctx);

	ERR_clear_error();
	if (ssl == NULL) {
		tls_err(e, "tls");
		return NULL;
	}
	SSL_set_connect_state(ssl);
	if (expect(ssl, x, e) < 0) {
		SSL_free(ssl);
		return NULL;
	}
	return ssl;
}

bool
tls_client_match(SSL *ssl, struct tls_tlsa *r)
{
	const unsigned char *p = NULL;
	size_t n = 0;

	*r = (struct tls_tlsa){ 0 };
	if (SSL_get0_dane_tlsa(ssl, &r->usage, &r->selector, &r->match, &p,
		&n) < 0)
		return false;
	r->data = slice_of((const char *)p, n);
	return true;
}

/* ---- what was wrong ---- */

const char *
tls_failure_name(enum tls_failure failure)
{
	static const char *const names[] = {
		[TLS_FAILURE_NONE] = "",
		[TLS_FAILURE_STARTTLS] = "starttls-not-supported",
		[TLS_FAILURE_MISMATCH] = "certificate-host-mismatch",
		[TLS_FAILURE_EXPIRED] = "certificate-expired",
		[TLS_FAILURE_NOT_TRUSTED] = "certificate-not-trusted",
		[TLS_FAILURE_VALIDATION] = "validation-failure",
		[TLS_FAILURE_TLSA] = "tlsa-invalid",
	};

	return names[failure];
}

static enum tls_failure
failure_of(long result)
{
	switch (result) {
	case X509_V_OK:
		return TLS_FAILURE_NONE;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return TLS_FAILURE_MISMATCH;
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return TLS_FAILURE_EXPIRED;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_CERT_UNTRUSTED:
		return TLS_FAILURE_NOT_TRUSTED;
	case X509_V_ERR_DANE_NO_MATCH:
		return TLS_FAILURE_TLSA;
	default:
		return TLS_FAILURE_VALIDATION;
	}
}

enum tls_failure
tls_client_failure(SSL *ssl, char *text, size_t size)
{
	long result = SSL_get_verify_result(ssl);
	enum tls_failure failure = failure_of(result);

	if (failure == TLS_FAILURE_NONE && !SSL_is_init_finished(ssl))
		failure = TLS_FAILURE_VALIDATION;
	slice_cstr(slice_str(result == X509_V_OK
			   ? ""
			   : X509_verify_cert_error_string(result)),
	    text, size);
	return failure;
}
