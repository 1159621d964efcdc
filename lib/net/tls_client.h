/*
 * tls_client - the client side of TLS: whom to trust, whom to expect.
 *
 * A tls_client holds trust anchors and perhaps a certificate of one's own: made
 * once, before a jail, used for many connections. What is checked is said for
 * each connection (struct tls_expect). Reentrant; keeps no sessions. Depends on
 * lib/base, net/cert and OpenSSL.
 */
#ifndef NET_TLS_CLIENT_H
#define NET_TLS_CLIENT_H

#include <openssl/ssl.h>

#include "base/err.h"
#include "base/slice.h"
#include "net/cert.h"

struct tls_client_opts {
	/* PEM file: NULL is what the system trusts, "" nobody. The system's
	 * takes 30 ms to read: only where PKIX is looked at. */
	const char *ca_file;
	const char *const *more_ca_files; /* besides; NULL at the end */
	struct slice min_version;         /* "TLSv1.2" if empty; as mox.conf */
	struct cert *cert;                /* to show when asked; NULL: none */
};

/* The file of what the system trusts, for jails; NULL: none was found. */
const char *tls_client_bundle(void);

struct tls_client;

/* Everything is read here, so that a jail may follow. cert may be freed
 * afterwards. NULL with e. */
struct tls_client *tls_client_new(const struct tls_client_opts *opts,
    struct err *e);
void tls_client_free(struct tls_client **t);
/* Has a file of trust anchors changed since, or become unreadable? */
bool tls_client_stale(const struct tls_client *t);
/* What sessions are made of: for tools that try out what OpenSSL can, and
 * libraries that make their own connections, with the same trust. */
SSL_CTX *tls_client_context(struct tls_client *t);

/* ---- a connection ---- */

enum tls_verify {
	TLS_VERIFY_NONE, /* whoever it is; facts say if PKIX would have held */
	TLS_VERIFY_PKIX, /* RFC 5280, and a name of `names` (RFC 6125) */
	TLS_VERIFY_DANE, /* a record of `tlsa` (RFC 6698, 7672) */
};

/* RFC 6698, 2.1. */
struct tls_tlsa {
	unsigned char usage, selector, match;
	struct slice data;
};

struct tls_expect {
	enum tls_verify verify;
	struct slice sni; /* host name to ask for; empty or an address: none */
	/* The certificate is to be for one of these: host names, or an IP
	 * address alone. For DANE: names allowed besides sni, with DANE-TA. */
	const struct slice *names;
	size_t nnames;
	const struct tls_tlsa *tlsa;
	size_t ntlsa;
	bool pkix_usages; /* PKIX-TA and PKIX-EE count, too: not for SMTP */
};

/* Why there is no verified TLS. In the order of RFC 8460, 4.3. */
enum tls_failure {
	TLS_FAILURE_NONE,
	TLS_FAILURE_STARTTLS,    /* not offered, or refused */
	TLS_FAILURE_MISMATCH,    /* certificate for other names */
	TLS_FAILURE_EXPIRED,     /* or not valid yet */
	TLS_FAILURE_NOT_TRUSTED, /* by any root */
	TLS_FAILURE_VALIDATION,  /* the handshake failed, and all else */
	TLS_FAILURE_TLSA,        /* no record matches */
};

/* "certificate-expired", as in TLS reports; "" for none. */
const char *tls_failure_name(enum tls_failure failure);

/*
 * A session to connect with, over descriptors the caller sets; NULL with e if
 * TLSA records are unusable (ERR_SYNTAX: none of RFC 7672, 3.1) or names are.
 */
SSL *tls_client_session(struct tls_client *t, const struct tls_expect *expect,
    struct err *e);

/* After a handshake with TLS_VERIFY_DANE: the record that the peer was verified
 * by. False: none. Data lives as long as ssl. */
bool tls_client_match(SSL *ssl, struct tls_tlsa *tlsa_r);

/*
 * What was found wrong with the peer, finished or not; text is a sentence for
 * the log, "" for TLS_FAILURE_NONE. With TLS_VERIFY_NONE the handshake goes
 * on all the same.
 */
enum tls_failure tls_client_failure(SSL *ssl, char *text, size_t size);

#endif
