/* tls - the server side of TLS. */
#include "net/tls.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rand.h>

#include "base/arena.h"
#include "base/rand.h"
#include "base/sha.h"

const char *
tls_error_text(char *text, size_t size)
{
	unsigned long code = ERR_get_error();

	if (code == 0)
		slice_cstr(SLICE("no reason given"), text, size);
	else if (ERR_SYSTEM_ERROR(code))
		slice_cstr(slice_str(strerrordesc_np(ERR_GET_REASON(code))),
		    text, size);
	else
		ERR_error_string_n(code, text, size);
	ERR_clear_error();
	return text;
}

static int
tls_err(struct err *e, const char *what)
{
	char text[160];

	return err_set(e, ERR_PERM, "%s: %s", what,
	    tls_error_text(text, sizeof(text)));
}

/* ---- session tickets (RFC 5077, 4; RFC 8446, 4.6.1) ---- */

#define TICKET_KEYS 8 /* one that issues, seven older ones */
#define TICKET_DAY 86400

struct ticket_key {
	unsigned char name[16];
	unsigned char cipher[32]; /* AES-256 */
	unsigned char mac[32];    /* HMAC-SHA-256 */
};

struct tls_tickets {
	struct ticket_key keys[TICKET_KEYS]; /* newest first */
	size_t n;
	int64_t day; /* when the newest was made */
};

struct tls_tickets *
tls_tickets_new(void)
{
	struct tls_tickets *t = xcalloc(1, sizeof(*t));

	rand_fill(NULL, &t->keys[0], sizeof(t->keys[0]));
	t->n = 1;
	return t;
}

void
tls_tickets_free(struct tls_tickets **t)
{
	if (*t != NULL)
		sha_wipe(*t, sizeof(**t));
	free(*t);
	*t = NULL;
}

void
tls_tickets_rotate(struct tls_tickets *t, int64_t now_s)
{
	if (t->day == 0)
		t->day = now_s;
	if (now_s - t->day < TICKET_DAY)
		return;
	t->day = now_s;
	memmove(&t->keys[1], &t->keys[0],
	    (TICKET_KEYS - 1) * sizeof(t->keys[0]));
	rand_fill(NULL, &t->keys[0], sizeof(t->keys[0]));
	if (t->n < TICKET_KEYS)
		t->n++;
}

/* RFC 5929, 4.1: the digest of the certificate's own signature, but SHA-256
 * in place of MD5 and SHA-1. Returns its length, 0 if there is none. */
static unsigned char
cert_digest(X509 *x, unsigned char digest[TLS_BINDING_MAX])
{
	const EVP_MD *md;
	unsigned n = 0;
	int nid;

	if (x == NULL ||
	    X509_get_signature_info(x, &nid, NULL, NULL, NULL) != 1)
		return 0;
	if (nid == NID_md5 || nid == NID_sha1)
		nid = NID_sha256;
	md = EVP_get_digestbynid(nid);
	if (md == NULL || EVP_MD_get_size(md) > TLS_BINDING_MAX ||
	    X509_digest(x, md, digest, &n) != 1)
		return 0;
	return (unsigned char)n;
}

/* OpenSSL's callback: a ticket keeps the digest of the certificate that its
 * session began with, which may be another one when it is resumed. */
static int
ticket_data(SSL *ssl, void *arg)
{
	unsigned char digest[TLS_BINDING_MAX];
	size_t n;

	(void)arg;
	if (SSL_session_reused(ssl))
		return 1; /* it is there already */
	n = cert_digest(SSL_get_certificate(ssl), digest);
	return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), digest, n);
}

static bool
start_mac(EVP_MAC_CTX *mac, struct ticket_key *key)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac,
		    sizeof(key->mac)),
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
		    (char *)"SHA256", 0),
		OSSL_PARAM_construct_end(),
	};

	return EVP_MAC_CTX_set_params(mac, params) == 1;
}

/* OpenSSL's callback: 1 use, 2 use and issue anew, 0 unknown, -1 error. */
static int
ticket_key(SSL *ssl, unsigned char *name, unsigned char *iv,
    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int encrypt)
{
	struct tls_tickets *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	size_t i = 0;

	if (encrypt) {
		memcpy(name, t->keys[0].name, sizeof(t->keys[0].name));
		if (RAND_bytes(iv, EVP_MAX_IV_LENGTH) != 1)
			return -1;
	}
	while (memcmp(name, t->keys[i].name, sizeof(t->keys[i].name)) != 0)
		if (++i == t->n)
			return 0;
	if (EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL,
		t->keys[i].cipher, iv, encrypt) != 1 ||
	    !start_mac(mac, &t->keys[i]))
		return -1;
	return i == 0 ? 1 : 2;
}

/* ---- a server ---- */

/* What tells that a file was replaced or changed. */
struct stamp {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime;
};

struct pair {
	char *cert_file, *key_file;
	struct stamp stamps[2];
	struct cert *cert;
};

struct tls_server {
	struct pair *pairs; /* the first is the fallback */
	size_t n;
	int min_version;
	bool no_client_cert;
	struct tls_tickets *tickets;
	SSL_CTX *ctx;
};

static bool
use_cert(SSL *ssl, const struct cert *c)
{
	return SSL_use_cert_and_key(ssl, c->x509, c->key, c->chain, 0) == 1;
}

/*
 * OpenSSL's callback: every certificate for the name the client asks for, at
 * most one of each key type, in the order of the configuration; of the first
 * one if none is for it.
 */
static int
choose_cert(SSL *ssl, void *arg)
{
	const struct tls_server *t = arg;
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	bool any = false;

	for (size_t i = 0; i < t->n && name != NULL; i++)
		if (cert_matches(t->pairs[i].cert, name))
			any |= use_cert(ssl, t->pairs[i].cert);
	ERR_clear_error(); /* a second one of the same type is refused */
	return any || use_cert(ssl, t->pairs[0].cert);
}

/* A client's certificate says who it is by its key alone. */
static int
accept_any(X509_STORE_CTX *store, void *arg)
{
	(void)store, (void)arg;
	return 1;
}

static SSL_CTX *
make_ctx(struct tls_server *t)
{
	static const unsigned char id[] = "mox";
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (ctx == NULL)
		return NULL;
	SSL_CTX_set_min_proto_version(ctx, t->min_version);
	if (t->min_version < TLS1_2_VERSION) /* needs SHA-1 signatures */
		SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_options(ctx,
	    SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
		SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
	SSL_CTX_set_mode(ctx,
	    SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_read_ahead(ctx, 1); /* a record by one read */
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_session_id_context(ctx, id, sizeof(id));
	SSL_CTX_set_timeout(ctx, TICKET_DAY);
	if (t->tickets != NULL) {
		SSL_CTX_set_app_data(ctx, t->tickets);
		SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, ticket_key);
		SSL_CTX_set_session_ticket_cb(ctx, ticket_data, NULL, NULL);
		SSL_CTX_set_num_tickets(ctx, 1);
	} else {
		SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
		SSL_CTX_set_num_tickets(ctx, 0);
	}
	if (!t->no_client_cert) {
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
		SSL_CTX_set_cert_verify_callback(ctx, accept_any, NULL);
	}
	SSL_CTX_set_cert_cb(ctx, choose_cert, t);
	return ctx;
}

static struct stamp
stamp_of(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return (struct stamp){ .size = -1 };
	return (struct stamp){ st.st_dev, st.st_ino, st.st_size, st.st_mtim };
}

static bool
stamp_eq(const struct stamp *a, const struct stamp *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	    a->mtime.tv_sec == b->mtime.tv_sec &&
	    a->mtime.tv_nsec == b->mtime.tv_nsec;
}

/* Take the stamps of a pair's files; true if they are others than before. */
static bool
look_at(struct pair *p)
{
	struct stamp now[2] = { stamp_of(p->cert_file), stamp_of(p->key_file) };
	bool changed = !stamp_eq(&now[0], &p->stamps[0]) ||
	    !stamp_eq(&now[1], &p->stamps[1]);

	memcpy(p->stamps, now, sizeof(now));
	return changed;
}

static const struct {
	const char *name;
	int version;
} versions[] = {
	{ "", TLS1_2_VERSION }, /* RFC 8996: older ones are not to be used */
	{ "TLSv1.0", TLS1_VERSION },
	{ "TLSv1.1", TLS1_1_VERSION },
	{ "TLSv1.2", TLS1_2_VERSION },
	{ "TLSv1.3", TLS1_3_VERSION },
};

int
tls_version(struct slice name, struct err *e)
{
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
		if (slice_is(name, versions[i].name))
			return versions[i].version;
	return err_set(e, ERR_SYNTAX, "tls: unknown version \"%.*s\"",
	    SLICE_FMT(name));
}

static int
load_pair(struct pair *p, const struct tls_files *files, struct err *e)
{
	p->cert_file = xstrdup(files->cert);
	p->key_file = xstrdup(files->key);
	look_at(p);
	p->cert = cert_load((struct cert_file){ p->cert_file, files->cert_fd },
	    (struct cert_file){ p->key_file, files->key_fd }, e);
	return p->cert != NULL ? 0 : -1;
}

static int
load_all(struct tls_server *t, const struct tls_opts *opts, struct err *e)
{
	t->min_version = tls_version(opts->min_version, e);
	if (t->min_version < 0)
		return -1;
	if (opts->nfiles == 0)
		return err_set(e, ERR_SYNTAX, "tls: no certificate");
	t->pairs = xcalloc(opts->nfiles, sizeof(*t->pairs));
	for (t->n = 0; t->n < opts->nfiles; t->n++)
		if (load_pair(&t->pairs[t->n], &opts->files[t->n], e) < 0) {
			t->n++; /* to be freed as well */
			return -1;
		}
	t->ctx = make_ctx(t);
	return t->ctx != NULL ? 0 : tls_err(e, "tls");
}

struct tls_server *
tls_server_new(const struct tls_opts *opts, struct err *e)
{
	struct tls_server *t = xcalloc(1, sizeof(*t));

	t->no_client_cert = opts->no_client_cert;
	t->tickets = opts->tickets;
	if (load_all(t, opts, e) < 0)
		tls_server_free(&t);
	return t;
}

void
tls_server_free(struct tls_server **t)
{
	if (*t == NULL)
		return;
	for (size_t i = 0; i < (*t)->n; i++) {
		free((*t)->pairs[i].cert_file);
		free((*t)->pairs[i].key_file);
		cert_free(&(*t)->pairs[i].cert);
	}
	free((*t)->pairs);
	SSL_CTX_free((*t)->ctx);
	free(*t);
	*t = NULL;
}

int
tls_server_reload(struct tls_server *t, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < t->n; i++) {
		struct pair *p = &t->pairs[i];
		struct cert *c;
		if (!look_at(p))
			continue;
		c = cert_load((struct cert_file){ p->cert_file, 0 },
		    (struct cert_file){ p->key_file, 0 }, e);
		if (c == NULL) {
			rc = -1;
			continue;
		}
		cert_free(&p->cert);
		p->cert = c;
		rc = rc < 0 ? -1 : 1;
	}
	return rc;
}

SSL *
tls_server_session(struct tls_server *t)
{
	SSL *ssl = SSL_new(t->ctx);

	if (ssl != NULL)
		SSL_set_accept_state(ssl);
	return ssl;
}

/* ---- warming ---- */

/* One side's turn; true when it is done or waits for the other. */
static bool
turn(SSL *ssl)
{
	int rc = SSL_do_handshake(ssl);

	return rc == 1 || SSL_get_error(ssl, rc) == SSL_ERROR_WANT_READ;
}

static bool
handshake(SSL *server, SSL *client)
{
	BIO *a, *b;

	if (BIO_new_bio_pair(&a, 0, &b, 0) != 1)
		return false;
	SSL_set_bio(server, a, a);
	SSL_set_bio(client, b, b);
	SSL_set_connect_state(client);
	for (int i = 0; i < 10; i++) { /* 3 is what it takes */
		if (!turn(client) || !turn(server))
			return false;
		if (SSL_is_init_finished(client) &&
		    SSL_is_init_finished(server))
			return true;
	}
	return false;
}

int
tls_server_warm(struct tls_server *t, struct err *e)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *client = ctx == NULL ? NULL : SSL_new(ctx);
	SSL *server = tls_server_session(t);
	int rc = 0;

	if (client == NULL || server == NULL || !handshake(server, client))
		rc = tls_err(e, "tls: handshake with itself");
	SSL_free(client);
	SSL_free(server);
	SSL_CTX_free(ctx);
	return rc;
}

/* ---- facts ---- */

/* NUL within the array, and only what may stand in a log line or reply. */
static bool
is_text(const char *p, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (p[i] == '\0')
			return true;
		if (p[i] <= ' ' || p[i] > '~')
			return false;
	}
	return false;
}

static void
copy(char *dst, size_t size, const char *text)
{
	if (text == NULL || !slice_cstr(slice_str(text), dst, size) ||
	    !is_text(dst, size))
		dst[0] = '\0';
}

/* RFC 5929, 4.1: of the certificate of the first handshake. */
static void
end_point(SSL *ssl, struct tls_facts *f)
{
	bool server = SSL_is_server(ssl);
	void *kept;
	size_t n;

	if (!server || !SSL_session_reused(ssl)) {
		f->end_point_n =
		    cert_digest(server ? SSL_get_certificate(ssl)
				       : SSL_get0_peer_certificate(ssl),
			f->end_point);
	} else if (SSL_SESSION_get0_ticket_appdata(SSL_get_session(ssl), &kept,
		       &n) == 1 &&
	    n <= TLS_BINDING_MAX) {
		memcpy(f->end_point, kept, n);
		f->end_point_n = (unsigned char)n;
	}
}

/* RFC 5929, 3: the first Finished message, which is the client's, or the
 * server's when the session is resumed. */
static void
unique(SSL *ssl, struct tls_facts *f)
{
	bool own = SSL_is_server(ssl) == SSL_session_reused(ssl);
	size_t n = own ? SSL_get_finished(ssl, f->unique, TLS_BINDING_MAX)
		       : SSL_get_peer_finished(ssl, f->unique, TLS_BINDING_MAX);

	f->unique_n = (unsigned char)(n <= TLS_BINDING_MAX ? n : 0);
}

void
tls_facts_of(SSL *ssl, struct tls_facts *facts_r)
{
	static const char label[] = "EXPORTER-Channel-Binding";
	struct tls_facts *f = facts_r;
	X509 *peer = SSL_get0_peer_certificate(ssl);

	*f = (struct tls_facts){ .resumed = SSL_session_reused(ssl) };
	copy(f->version, sizeof(f->version), SSL_get_version(ssl));
	copy(f->cipher, sizeof(f->cipher), SSL_get_cipher_name(ssl));
	copy(f->server_name, sizeof(f->server_name),
	    SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));
	if (peer != NULL)
		cert_spki(peer, f->client_spki);
	/* RFC 9266, 4.2: before 1.3 only with an extended master secret. */
	if ((SSL_version(ssl) >= TLS1_3_VERSION ||
		SSL_get_extms_support(ssl) == 1) &&
	    SSL_export_keying_material(ssl, f->exporter, sizeof(f->exporter),
		label, sizeof(label) - 1, NULL, 0, 1) == 1)
		f->exporter_n = sizeof(f->exporter);
	if (SSL_version(ssl) < TLS1_3_VERSION)
		unique(ssl, f);
	end_point(ssl, f);
	ERR_clear_error();
}

bool
tls_facts_valid(const struct tls_facts *facts)
{
	const struct tls_facts *f = facts;

	return is_text(f->version, sizeof(f->version)) &&
	    is_text(f->cipher, sizeof(f->cipher)) &&
	    is_text(f->server_name, sizeof(f->server_name)) &&
	    is_text(f->client_spki, sizeof(f->client_spki)) &&
	    f->exporter_n <= sizeof(f->exporter) &&
	    f->unique_n <= sizeof(f->unique) &&
	    f->end_point_n <= sizeof(f->end_point);
}
