/*
 * sha - digests and HMAC over OpenSSL, by name; wiping of secrets.
 */
#ifndef BASE_SHA_H
#define BASE_SHA_H

#include "base/slice.h"

enum sha_alg { SHA_MD5, SHA_1, SHA_256, SHA_512 };

#define SHA_MAX 64 /* bytes of the longest digest */

size_t sha_size(enum sha_alg alg);
/* out has room for sha_size(alg) bytes. */
void sha_digest(enum sha_alg alg, struct slice data, unsigned char *out);
void sha_hmac(enum sha_alg alg, struct slice key, struct slice data,
    unsigned char *out);

struct sha; /* a running digest */
struct sha *sha_new(enum sha_alg alg);
void sha_add(struct sha *s, struct slice data);
void sha_end(struct sha **s, unsigned char *out); /* frees; out may be NULL */

/* Overwrite a secret in a way the compiler keeps. */
void sha_wipe(void *p, size_t n);

#endif
