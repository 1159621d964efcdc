/* sha - digests and HMAC over OpenSSL. */
#include "base/sha.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

#include "base/arena.h"

struct sha {
	EVP_MD_CTX *ctx;
};

static const EVP_MD *
md_of(enum sha_alg alg)
{
	switch (alg) {
	case SHA_MD5:
		return EVP_md5();
	case SHA_1:
		return EVP_sha1();
	case SHA_256:
		return EVP_sha256();
	case SHA_512:
		break;
	}
	return EVP_sha512();
}

/* These fail only without memory, or where the digest is forbidden: no
 * caller can go on then. */
static void
must(int ok)
{
	if (!ok)
		abort();
}

size_t
sha_size(enum sha_alg alg)
{
	return (size_t)EVP_MD_get_size(md_of(alg));
}

void
sha_digest(enum sha_alg alg, struct slice data, unsigned char *out)
{
	must(EVP_Digest(data.p, data.n, out, NULL, md_of(alg), NULL) == 1);
}

void
sha_hmac(enum sha_alg alg, struct slice key, struct slice data,
    unsigned char *out)
{
	/* A NULL key would mean the one of the last call. */
	must(HMAC(md_of(alg), key.n == 0 ? "" : key.p, (int)key.n,
		 (const unsigned char *)data.p, data.n, out, NULL) != NULL);
}

struct sha *
sha_new(enum sha_alg alg)
{
	struct sha *s = xmalloc(sizeof(*s));

	s->ctx = EVP_MD_CTX_new();
	must(s->ctx != NULL && EVP_DigestInit_ex(s->ctx, md_of(alg), NULL));
	return s;
}

void
sha_add(struct sha *s, struct slice data)
{
	must(EVP_DigestUpdate(s->ctx, data.p, data.n));
}

void
sha_end(struct sha **s, unsigned char *out)
{
	if (*s == NULL)
		return;
	if (out != NULL)
		must(EVP_DigestFinal_ex((*s)->ctx, out, NULL));
	EVP_MD_CTX_free((*s)->ctx);
	free(*s);
	*s = NULL;
}

void
sha_wipe(void *p, size_t n)
{
	OPENSSL_cleanse(p, n);
}
