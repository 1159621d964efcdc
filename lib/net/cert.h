/*
 * cert - certificates and keys in PEM files: load, names, fingerprints, and
 * self-signed ones for trying out.
 *
 * Depends on lib/base and OpenSSL.
 */
#ifndef NET_CERT_H
#define NET_CERT_H

#include <openssl/x509.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

struct cert {
	X509 *x509;
	STACK_OF(X509) * chain; /* what follows in the file, may be empty */
	EVP_PKEY *key;
};

#define CERT_SPKI_TEXT 44 /* raw base64url of a SHA-256, with the NUL */

/* A PEM file: its name, and a descriptor of it for who may not open the name;
 * 0: none. */
struct cert_file {
	const char *path;
	int fd;
};

/* Certificate, chain and key, checked to belong together. NULL with e. */
struct cert *cert_load(struct cert_file cert, struct cert_file key,
    struct err *e);
/* Of an Ed25519 key given by its seed, with as little in the certificate as
 * there can be: for clients that are known by their key. NULL with e. */
#define CERT_SEED 32
struct cert *cert_of_seed(const unsigned char seed[CERT_SEED], struct err *e);
void cert_free(struct cert **c);

/* Is the certificate for this host name (RFC 6125: wildcards)? */
bool cert_matches(const struct cert *c, const char *host);
/* Seconds since 1970. */
int64_t cert_not_after(X509 *x509);

/* SHA-256 of the SubjectPublicKeyInfo, raw base64url. */
void cert_spki(X509 *x509, char text[CERT_SPKI_TEXT]);

/*
 * Make a P-256 key and a certificate signed by itself, for names (host names
 * and IP addresses) until days from now, appended as PEM. With something in
 * key_pem that key is used. For localserve and quickstart.
 */
int cert_self_signed(const struct slice *names, size_t n, int days,
    struct buf *cert_pem, struct buf *key_pem, struct err *e);

#endif
