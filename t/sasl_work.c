/* Tests of lib/sasl: the same work for everybody, known or not, so that the time
 * an answer takes says nothing. */
#include <dlfcn.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "t/sasl.h"

/* ---- counting the work, in front of libcrypto ---- */

static int pbkdf2_rounds, hmacs, digests;

int
PKCS5_PBKDF2_HMAC(const char *pass, int passlen, const unsigned char *salt,
    int saltlen, int iter, const EVP_MD *digest, int keylen, unsigned char *out)
{
	int (*real)(const char *, int, const unsigned char *, int, int,
	    const EVP_MD *, int, unsigned char *);

	*(void **)&real = dlsym(RTLD_NEXT, "PKCS5_PBKDF2_HMAC");
	pbkdf2_rounds += iter;
	return real(pass, passlen, salt, saltlen, iter, digest, keylen, out);
}

unsigned char *
HMAC(const EVP_MD *md, const void *key, int key_len, const unsigned char *d,
    size_t n, unsigned char *out, unsigned int *out_len)
{
	unsigned char *(*real)(const EVP_MD *, const void *, int,
	    const unsigned char *, size_t, unsigned char *, unsigned int *);

	*(void **)&real = dlsym(RTLD_NEXT, "HMAC");
	hmacs++;
	return real(md, key, key_len, d, n, out, out_len);
}

int
EVP_Digest(const void *data, size_t count, unsigned char *md,
    unsigned int *size, const EVP_MD *type, ENGINE *impl)
{
	int (*real)(const void *, size_t, unsigned char *, unsigned int *,
	    const EVP_MD *, ENGINE *);

	*(void **)&real = dlsym(RTLD_NEXT, "EVP_Digest");
	digests++;
	return real(data, count, md, size, type, impl);
}

static int
counted_look_up(void *ctx, struct arena *a, struct slice login,
    struct sasl_creds *c, struct err *e)
{
	pbkdf2_rounds = hmacs = digests = 0;
	return look_up(ctx, a, login, c, e);
}

/* ---- the same work for everybody ---- */

static void
test_same_work(void)
{
	static const char *const logins[] = { "user", "nobody", "new" };

	for
		EACH(j, all)
		{
			int rounds[3], macs[3], hashes[3];
		for
			EACH(i, logins)
			{
				struct sasl_server_opts so = server_opts();
				struct sasl_client_opts co = {
					.login = slice_str(logins[i]),
					.password = SLICE("wrong one"),
					.channel = channel_tls13(),
				};
				so.backend.lookup = counted_look_up;
				so.channel = co.channel;
				co.plus_announced = true;
				run(all[j], &so, &co, false, NULL);
				/* client's included */
				rounds[i] = pbkdf2_rounds;
				macs[i] = hmacs;
				hashes[i] = digests;
			}
		for (int i = 1; i < 3; i++) {
			ROW(all[j]);
			CHECK_EQ(macs[i], macs[0]);
			CHECK_EQ(hashes[i], hashes[0]);
			/* SHA-1 of users here has 4096, made up 8192 */
			if (strstr(all[j], "SHA-1") == NULL)
				CHECK_EQ(rounds[i], rounds[0]);
		}
		if (j >= 5)
			CHECK_EQ(rounds[0], 4096);
		}
}

static void
test_fake(void)
{
	struct sasl_creds a = { 0 }, b = { 0 }, c = { 0 };

	sasl_creds_fake(&a, SLICE("secret"), SLICE("x"));
	sasl_creds_fake(&b, SLICE("secret"), SLICE("x"));
	sasl_creds_fake(&c, SLICE("secret"), SLICE("y"));
	for (int i = 0; i < 2; i++) {
		CHECK(memcmp(a.scram[i].salt, b.scram[i].salt, 16) == 0);
		CHECK(memcmp(a.scram[i].salt, c.scram[i].salt, 16) != 0);
	}
	CHECK(memcmp(a.scram[0].salt, a.scram[1].salt, 16) != 0);
	sasl_creds_fake(&c, SLICE("other"), SLICE("x"));
	CHECK(!sasl_creds_check(&a, SLICE("")));
	a.has.scram[SASL_SHA1] = true;
	sasl_scram_derive(&a.scram[SASL_SHA1], SASL_SHA1, SLICE("pw"));
	CHECK(sasl_creds_check(&a, SLICE("pw")));
	CHECK(!sasl_creds_check(&a, SLICE("pW")));
}

int
main(void)
{
	arena = arena_new(0);
	derive_all();
	RUN(test_same_work);
	RUN(test_fake);
	arena_free(&arena);
	return unit_done();
}
