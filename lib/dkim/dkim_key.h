/*
 * dkim_key - keys that sign mail: make them, read and write them as PEM, sign
 * and verify with them (RFC 6376, 3.3; RFC 8463; RFC 8301).
 *
 * Depends on lib/base, lib/text, lib/net and OpenSSL; knows no DNS. What DNS
 * says of a key is dkim_record.h's.
 */
#ifndef DKIM_DKIM_KEY_H
#define DKIM_DKIM_KEY_H

#include "base/buf.h"
#include "base/err.h"
#include "base/sha.h"

enum dkim_key_type { DKIM_RSA, DKIM_ED25519 };

#define DKIM_RSA_BITS 2048     /* of keys we make */
#define DKIM_RSA_BITS_MIN 1024 /* RFC 8301, 3.2 */
#define DKIM_RSA_BITS_MAX 8192 /* more would cost too long to verify */
#define DKIM_PEM_MAX (64 * 1024)
#define DKIM_RECORD_MAX 4096 /* of a record we write; RSA-8192 has 1400 */

struct dkim_key; /* a private key, or only its public half */

/* A new private key, of DKIM_RSA_BITS if RSA (takes tens to hundreds of
 * milliseconds). NULL with e only if the random generator fails. */
struct dkim_key *dkim_key_new(enum dkim_key_type type, struct err *e);

/* A private key from PEM text: PKCS#8, and for RSA also PKCS#1; not encrypted.
 * NULL with e: ERR_SYNTAX, ERR_PERM for a type or size that cannot be used. */
struct dkim_key *dkim_key_parse(struct slice pem, struct err *e);
/* The same from a file. */
struct dkim_key *dkim_key_load(const char *path, struct err *e);

/* A public key as DER, as in p= of a record: SubjectPublicKeyInfo or
 * RSAPublicKey for RSA, 32 bytes for Ed25519. RSA keys of any size up to
 * DKIM_RSA_BITS_MAX: who verifies decides whether it is large enough. */
struct dkim_key *dkim_key_public(enum dkim_key_type type, struct slice der,
    struct err *e);

void dkim_key_free(struct dkim_key **key);

enum dkim_key_type dkim_key_type(const struct dkim_key *key);
unsigned dkim_key_bits(const struct dkim_key *key);

/* Append the private key as PKCS#8 PEM. */
int dkim_key_write_pem(const struct dkim_key *key, struct buf *out,
    struct err *e);
/* Append the public half in binary, as it goes into p= (RSA:
 * SubjectPublicKeyInfo). */
void dkim_key_write_public(const struct dkim_key *key, struct buf *out);

/*
 * Append the text of the DNS record for the key, one string:
 * "v=DKIM1;h=sha256;p=...", for Ed25519 with k=ed25519.
 */
void dkim_key_write_record(const struct dkim_key *key, struct buf *out);

/*
 * Append text as the data of a TXT record in a zone file: quoted strings of
 * at most 100 bytes; if more than one, in parentheses, each on a line of its
 * own. For any TXT record, not only keys.
 */
void dkim_txt_split(struct slice text, struct buf *out);

/*
 * Append the signature of a digest, binary. RSASSA-PKCS1-v1_5 of it, which
 * needs alg; Ed25519 signs the digest as its message (RFC 8463, 3). -1 with e
 * if the key has no private half or is too small for the digest.
 */
int dkim_key_sign(const struct dkim_key *key, enum sha_alg alg,
    struct slice digest, struct buf *out, struct err *e);
bool dkim_key_verify(const struct dkim_key *key, enum sha_alg alg,
    struct slice digest, struct slice signature);

#endif
