/*
 * Fuzz the files of lib/auth: the first byte says which, and what parses is
 * written and parsed again to the same.
 */
#include <stdlib.h>
#include <string.h>

#include "auth/auth_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
fuzz_creds(struct slice text)
{
	struct sasl_creds c, again;
	struct buf b = BUF_INIT(AUTH_FILE_MAX);

	if (auth_parse_creds(text, &c, NULL) == 0) {
		auth_format_creds(&b, &c);
		if (auth_parse_creds(buf_slice(&b), &again, NULL) < 0 ||
		    memcmp(&c.has, &again.has, sizeof(c.has)) != 0 ||
		    (c.has.cram &&
			memcmp(&c.cram, &again.cram, sizeof(c.cram)) != 0))
			abort();
		for (int i = 0; i < 2; i++)
			if (c.has.scram[i] &&
			    (c.scram[i].iterations !=
				    again.scram[i].iterations ||
				memcmp(c.scram[i].stored_key,
				    again.scram[i].stored_key, 20) != 0))
				abort();
	}
	buf_free(&b);
}

static void
fuzz_key(struct slice text)
{
	struct arena *arena = arena_new(0);
	struct auth_key k, again;
	struct buf b = BUF_INIT(4 * AUTH_KEY_FILE_MAX);

	if (auth_parse_key(text, arena, &k, NULL) == 0) {
		auth_format_key(&b, &k);
		if (auth_parse_key(buf_slice(&b), arena, &again, NULL) < 0 ||
		    !slice_eq(k.account, again.account) ||
		    !slice_eq(k.login, again.login) ||
		    !slice_eq(k.name, again.name) ||
		    !slice_eq(k.cert, again.cert) ||
		    k.created != again.created ||
		    k.no_imap_preauth != again.no_imap_preauth)
			abort();
	}
	buf_free(&b);
	arena_free(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct slice text;

	if (n == 0 || n > AUTH_KEY_FILE_MAX)
		return 0;
	text = slice_of((const char *)data + 1, n - 1);
	if (data[0] == 'k')
		fuzz_key(text);
	else
		fuzz_creds(text);
	return 0;
}
