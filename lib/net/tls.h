/*
 * tls - the server side of TLS: certificates by name, session tickets, and
 * what a session is.
 *
 * A tls_server is one listener's: made and reloaded in the accepting parent,
 * used in the children it forks. Tickets work across those: their keys are in
 * the parent's memory. Depends on lib/base, net/cert and OpenSSL.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <openssl/ssl.h>

#include "base/err.h"
#include "base/slice.h"
#include "net/cert.h"

/* OpenSSL's number of a version as mox.conf names it: "TLSv1.2", which is also
 * what "" means. -1 with e. */
int tls_version(struct slice name, struct err *e);

/* ---- session ticket keys ---- */

/*
 * Made at the start of a service, in memory only. The newest key issues, and
 * it and 7 older ones are understood; a new one is made every day. NULL in
 * place of tickets means that none are issued.
 */
struct tls_tickets;
struct tls_tickets *tls_tickets_new(void);
void tls_tickets_free(struct tls_tickets **t);
/* Make a new key if a day has passed. now in seconds, monotonic or not. */
void tls_tickets_rotate(struct tls_tickets *t, int64_t now_s);

/* ---- servers ---- */

struct tls_files {
	const char *cert; /* PEM: certificate, then its chain */
	const char *key;  /* PEM */
	/* Of the same files, for the first time only: root opened them for a
	 * process that may not. 0: none. */
	int cert_fd, key_fd;
};

struct tls_opts {
	const struct tls_files *files; /* the first one is the fallback, for */
	size_t nfiles;                 /* clients that name none, or another */
	struct slice min_version;      /* "TLSv1.2" if empty; as mox.conf */
	bool no_client_cert;           /* do not ask the client for one */
	struct tls_tickets *tickets;   /* NULL: no tickets */
};

struct tls_server;

/* Load the files. Strings of opts are copied, tickets must outlive it. NULL
 * with e naming the file that is wrong. */
struct tls_server *tls_server_new(const struct tls_opts *opts, struct err *e);
void tls_server_free(struct tls_server **t);
/*
 * Load again if a file changed (inode, mtime, size). Returns 1 if so, 0 if
 * nothing changed, -1 with e if what is there now is wrong (what was loaded
 * stays in use; said once for each change).
 */
int tls_server_reload(struct tls_server *t, struct err *e);
/* One handshake with itself, so that the children share what OpenSSL keeps. */
int tls_server_warm(struct tls_server *t, struct err *e);

/*
 * A session to accept on, over BIOs or descriptors the caller sets. The only
 * place where keys meet connections: a key holder would be called from here.
 */
SSL *tls_server_session(struct tls_server *t);

/* ---- facts of a session ---- */

#define TLS_BINDING_MAX 64 /* tls-server-end-point of SHA-512 */

/* Flat, so that it can go to another process as it is. */
struct tls_facts {
	char version[16];      /* "TLSv1.3" */
	char cipher[48];       /* "TLS_AES_128_GCM_SHA256" */
	char server_name[256]; /* SNI, "" if the client named none */
	unsigned char resumed; /* not bool: any byte may come in */
	/* SHA-256 of the client certificate's SPKI as raw base64url; "" if it
	 * gave none. Its key was proved, nothing else about it was checked. */
	char client_spki[CERT_SPKI_TEXT];
	/* Channel bindings; a length of 0: there is none. */
	unsigned char exporter[32]; /* RFC 9266; TLS 1.3, or 1.2 with */
	unsigned char exporter_n;   /* extended master secret */
	unsigned char unique[TLS_BINDING_MAX]; /* RFC 5929, 3; TLS 1.2 only */
	unsigned char unique_n;
	unsigned char end_point[TLS_BINDING_MAX]; /* RFC 5929, 4 */
	unsigned char end_point_n;
};

/* Of a finished handshake, either side. */
void tls_facts_of(SSL *ssl, struct tls_facts *facts_r);
/* Strings end within their arrays, lengths fit, characters are harmless: for
 * facts that another process sent. */
bool tls_facts_valid(const struct tls_facts *facts);

/* Take OpenSSL's oldest error of this thread, and clear the others. */
const char *tls_error_text(char *text, size_t size);

#endif
