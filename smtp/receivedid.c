/* receivedid - the connection id as others see it, see receivedid.h. */
#include "smtp/receivedid.h"

#include <endian.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "db/secret.h"
#include "text/base64.h"

#define BLOCK 16

int
receivedid_load(int dir_fd, const char *name, struct rand *rand,
    struct receivedid *rid_r, struct err *e)
{
	return db_secret(dir_fd, name, rand, rid_r, sizeof(*rid_r), e);
}

static void
crypt_block(const struct receivedid *rid, int encrypt,
    const unsigned char in[BLOCK], unsigned char out[BLOCK])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n;

	/* One block of AES cannot fail but for want of memory. */
	if (ctx == NULL ||
	    !EVP_CipherInit_ex(ctx, EVP_aes_128_ecb(), NULL, rid->key, NULL,
		encrypt) ||
	    !EVP_CIPHER_CTX_set_padding(ctx, 0) ||
	    !EVP_CipherUpdate(ctx, out, &n, in, BLOCK) || n != BLOCK)
		abort();
	EVP_CIPHER_CTX_free(ctx);
}

void
receivedid_encode(const struct receivedid *rid, uint64_t cid,
    char text[RECEIVEDID_TEXT])
{
	unsigned char block[BLOCK];
	struct buf b = BUF_INIT(2 * BLOCK);

	cid = htobe64(cid);
	memcpy(block, rid->prefix, sizeof(rid->prefix));
	memcpy(block + sizeof(rid->prefix), &cid, sizeof(cid));
	crypt_block(rid, 1, block, block);
	base64_encode_url(&b, slice_of((char *)block, sizeof(block)));
	slice_cstr(buf_slice(&b), text, RECEIVEDID_TEXT);
	buf_free(&b);
}

bool
receivedid_decode(const struct receivedid *rid, struct slice text,
    uint64_t *cid_r)
{
	unsigned char block[BLOCK];
	struct buf b = BUF_INIT(2 * BLOCK);
	uint64_t cid;
	bool ours;

	ours = base64_decode_url(&b, text) && b.n == BLOCK;
	if (ours) {
		crypt_block(rid, 0, (unsigned char *)b.p, block);
		ours = memcmp(block, rid->prefix, sizeof(rid->prefix)) == 0;
		memcpy(&cid, block + sizeof(rid->prefix), sizeof(cid));
		*cid_r = be64toh(cid);
	}
	buf_free(&b);
	return ours;
}
