/*
 * Credentials: derive, check, make up.
 */
/* The MD5 state between two blocks is what CRAM-MD5 stores; only the old
 * interface shows it. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/evp.h>
#include <openssl/md5.h>
#include <stdlib.h>
#include <string.h>

#include "sasl/sasl_int.h"
#include "text/precis.h"

size_t
sasl_hash_size(enum sasl_hash hash)
{
	return sha_size(sasl_hash_alg(hash));
}

enum sha_alg
sasl_hash_alg(enum sasl_hash hash)
{
	return hash == SASL_SHA1 ? SHA_1 : SHA_256;
}

void
sasl_prepare_password(struct slice typed, struct buf *prepared)
{
	/* Room for all at once, so that growing leaves no copy behind. */
	buf_space(prepared, 2 * typed.n);
	if (precis_password(prepared, typed, NULL) < 0)
		buf_add(prepared, typed);
}

/* ---- SCRAM ---- */

void
sasl_scram_salted(const struct sasl_scram *s, enum sasl_hash hash,
    struct slice password, unsigned char salted[32])
{
	const EVP_MD *md = hash == SASL_SHA1 ? EVP_sha1() : EVP_sha256();

	/* Hi() of RFC 5802, 2.2. It fails only for want of memory. */
	if (PKCS5_PBKDF2_HMAC(password.n ? password.p : "", (int)password.n,
		s->salt, (int)s->salt_n, (int)s->iterations, md,
		(int)sasl_hash_size(hash), salted) != 1)
		abort();
}

void
sasl_scram_derive(struct sasl_scram *s, enum sasl_hash hash,
    struct slice password)
{
	enum sha_alg alg = sasl_hash_alg(hash);
	size_t n = sasl_hash_size(hash);
	unsigned char salted[32], client_key[32];
	struct slice key = slice_of((char *)salted, n);

	/* RFC 5802, 3 */
	sasl_scram_salted(s, hash, password, salted);
	sha_hmac(alg, key, SLICE("Client Key"), client_key);
	sha_digest(alg, slice_of((char *)client_key, n), s->stored_key);
	sha_hmac(alg, key, SLICE("Server Key"), s->server_key);
	sha_wipe(salted, sizeof(salted));
	sha_wipe(client_key, sizeof(client_key));
}

/* ---- CRAM-MD5 ---- */

#define MD5_BLOCK 64

static void
put_words(unsigned char out[16], const MD5_LONG w[4])
{
	for (int i = 0; i < 16; i++)
		out[i] = (unsigned char)(w[i / 4] >> 8 * (i % 4));
}

static MD5_LONG
get_word(const unsigned char *p)
{
	return (MD5_LONG)p[0] | (MD5_LONG)p[1] << 8 | (MD5_LONG)p[2] << 16 |
	    (MD5_LONG)p[3] << 24;
}

/* The state after a block that is the key xor pad, as RFC 1321 writes it. */
static void
md5_after_key(const unsigned char key[MD5_BLOCK], unsigned char pad,
    unsigned char state[16])
{
	unsigned char block[MD5_BLOCK];
	MD5_CTX ctx;

	for (int i = 0; i < MD5_BLOCK; i++)
		block[i] = key[i] ^ pad;
	MD5_Init(&ctx);
	MD5_Transform(&ctx, block);
	put_words(state, (MD5_LONG[]){ ctx.A, ctx.B, ctx.C, ctx.D });
	sha_wipe(block, sizeof(block));
	sha_wipe(&ctx, sizeof(ctx));
}

/* Go on from a state after one block, to the digest. */
static void
md5_finish(const unsigned char state[16], struct slice data,
    unsigned char digest[16])
{
	MD5_CTX ctx;

	MD5_Init(&ctx);
	ctx.A = get_word(state);
	ctx.B = get_word(state + 4);
	ctx.C = get_word(state + 8);
	ctx.D = get_word(state + 12);
	ctx.Nl = MD5_BLOCK * 8; /* bits so far */
	MD5_Update(&ctx, data.p, data.n);
	MD5_Final(digest, &ctx);
	sha_wipe(&ctx, sizeof(ctx));
}

void
sasl_cram_derive(struct sasl_cram *c, struct slice password)
{
	unsigned char key[MD5_BLOCK] = { 0 };

	/* RFC 2104, 2: a longer key is hashed first. */
	if (password.n > MD5_BLOCK)
		sha_digest(SHA_MD5, password, key);
	else if (password.n > 0)
		memcpy(key, password.p, password.n);
	md5_after_key(key, 0x36, c->inner);
	md5_after_key(key, 0x5c, c->outer);
	sha_wipe(key, sizeof(key));
}

void
sasl_cram_digest(const struct sasl_cram *c, struct slice challenge,
    char hex[33])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char d[16];

	md5_finish(c->inner, challenge, d);
	md5_finish(c->outer, slice_of((char *)d, sizeof(d)), d);
	for (int i = 0; i < 16; i++) {
		hex[2 * i] = digits[d[i] >> 4];
		hex[2 * i + 1] = digits[d[i] & 15];
	}
	hex[32] = '\0';
	sha_wipe(d, sizeof(d));
}

/* ---- what nobody has ---- */

/* 32 bytes that look random, the same for the same secret, use and name. */
static void
made_up(struct slice secret, char use, struct slice name, unsigned char out[32])
{
	unsigned char text[33];

	text[0] = (unsigned char)use;
	sha_digest(SHA_256, name, text + 1);
	sha_hmac(SHA_256, secret, slice_of((char *)text, sizeof(text)), out);
}

static void
fake_scram(struct sasl_scram *s, uint32_t iterations, struct slice secret,
    char use, struct slice name)
{
	unsigned char bytes[32];

	made_up(secret, use, name, bytes);
	s->iterations = iterations;
	s->salt_n = 16;
	memcpy(s->salt, bytes, s->salt_n);
	memcpy(s->stored_key, bytes, sizeof(bytes));
	memcpy(s->server_key, bytes, sizeof(bytes));
}

void
sasl_creds_fake(struct sasl_creds *creds, struct slice secret,
    struct slice name)
{
	unsigned char bytes[32];
	struct sasl_scram made[2];

	/* All is made, needed or not, so that it takes the same time. */
	fake_scram(&made[SASL_SHA1], SASL_ITERATIONS_SHA1, secret, '1', name);
	fake_scram(&made[SASL_SHA256], SASL_ITERATIONS_SHA256, secret, '2',
	    name);
	made_up(secret, 'c', name, bytes);
	for (int i = 0; i < 2; i++)
		if (!creds->has.scram[i])
			creds->scram[i] = made[i];
	if (!creds->has.cram) {
		memcpy(creds->cram.outer, bytes, 16);
		memcpy(creds->cram.inner, bytes + 16, 16);
	}
}

bool
sasl_creds_check(const struct sasl_creds *creds, struct slice password)
{
	enum sasl_hash hash = SASL_SHA256;
	struct sasl_scram try;
	bool same;

	if (!creds->has.scram[SASL_SHA256] && creds->has.scram[SASL_SHA1])
		hash = SASL_SHA1;
	try = creds->scram[hash];
	sasl_scram_derive(&try, hash, password);
	same = slice_eq_secret(slice_of((char *)try.stored_key,
				   sasl_hash_size(hash)),
	    slice_of((const char *)creds->scram[hash].stored_key,
		sasl_hash_size(hash)));
	sha_wipe(&try, sizeof(try));
	return same && creds->has.scram[hash];
}
