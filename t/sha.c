/* Unit test of lib/base/sha.c. */
#include "base/sha.h"
#include "t/unit.h"

static const char *
hex(enum sha_alg alg, const unsigned char *digest)
{
	static char text[2 * SHA_MAX + 1];

	for (size_t i = 0; i < sha_size(alg); i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	return text;
}

static void
test_digest(void)
{
	static const struct {
		enum sha_alg alg;
		const char *input, *digest;
	} rows[] = {
		/* RFC 1321, A.5 */
		{ SHA_MD5, "", "d41d8cd98f00b204e9800998ecf8427e" },
		{ SHA_MD5, "abc", "900150983cd24fb0d6963f7d28e17f72" },
		/* RFC 6234, 8.5 */
		{ SHA_1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d" },
		{ SHA_256, "abc",
		    "ba7816bf8f01cfea414140de5dae2223"
		    "b00361a396177a9cb410ff61f20015ad" },
		{ SHA_512, "abc",
		    "ddaf35a193617abacc417349ae204131"
		    "12e6fa4e89a97ea20a9eeee64b55d39a"
		    "2192992a274fc1a836ba3c23a3feebbd"
		    "454d4423643ce80e2a9ac94fa54ca49f" },
	};
	unsigned char out[SHA_MAX];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice input = slice_str(rows[i].input);
		struct sha *s = sha_new(rows[i].alg);

		sha_digest(rows[i].alg, input, out);
		CHECK_STR(hex(rows[i].alg, out), rows[i].digest);
		sha_add(s, slice_head(input, 1));
		sha_add(s, slice_skip(input, 1));
		sha_end(&s, out);
		CHECK_STR(hex(rows[i].alg, out), rows[i].digest);
		CHECK(s == NULL);
	}
}

static void
test_hmac(void)
{
	unsigned char out[SHA_MAX];
	struct sha *s = sha_new(SHA_1);

	/* RFC 2202, 2 test case 2 */
	sha_hmac(SHA_MD5, SLICE("Jefe"), SLICE("what do ya want for nothing?"),
	    out);
	CHECK_STR(hex(SHA_MD5, out), "750c783e6ab0b503eaa86e310a5db738");
	/* RFC 4231, 4.3 */
	sha_hmac(SHA_256, SLICE("Jefe"), SLICE("what do ya want for nothing?"),
	    out);
	CHECK_STR(hex(SHA_256, out),
	    "5bdcc146bf60754e6a042426089575c7"
	    "5a003f089d2739839dec58b964ec3843");
	sha_hmac(SHA_256, SLICE_NULL, SLICE_NULL, out);
	CHECK_STR(hex(SHA_256, out),
	    "b613679a0814d9ec772f95d778c35fc5"
	    "ff1697c493715653c6c712144292c5ad");
	sha_end(&s, NULL);
	sha_end(&s, NULL);
	sha_wipe(out, sizeof(out));
	CHECK(out[0] == 0 && out[31] == 0);
}

int
main(void)
{
	RUN(test_digest);
	RUN(test_hmac);
	return unit_done();
}
