/*
 * Fuzz both ends of every mechanism of lib/sasl.
 *
 * Input: a byte for the mechanism, a byte of options, then messages, each a
 * byte for its length (times 4) and that many bytes. Nobody gets in: the
 * credentials match no password.
 */
#include <stdlib.h>

#include "sasl/sasl.h"

static const char *const names[] = { "SCRAM-SHA-256-PLUS", "SCRAM-SHA-256",
	"SCRAM-SHA-1-PLUS", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN",
	"EXTERNAL" };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static int
look_up(void *ctx, struct arena *arena, struct slice login,
    struct sasl_creds *c, struct err *e)
{
	(void)ctx, (void)arena, (void)e;
	*c = (struct sasl_creds){ .known = login.n % 2 };
	sasl_creds_fake(c, SLICE("secret"), login);
	c->has.scram[0] = c->has.scram[1] = c->has.cram = true;
	c->account = SLICE("a");
	return c->known;
}

/* Cheap, so that the fuzzer gets somewhere. */
static bool
check(void *ctx, const struct sasl_creds *c, struct slice password)
{
	(void)ctx, (void)c, (void)password;
	return false;
}

/* A slice on its own block, so that reading past it is seen. */
static struct slice
next_message(struct slice *rest, char **block_r)
{
	size_t n = rest->n ? 4u * (unsigned char)rest->p[0] : 0;
	struct slice m;

	*rest = slice_skip(*rest, 1);
	m = slice_head(*rest, n);
	*rest = slice_skip(*rest, n);
	*block_r = malloc(m.n ? m.n : 1);
	for (size_t i = 0; i < m.n; i++)
		(*block_r)[i] = m.p[i];
	return slice_of(*block_r, m.n);
}

static void
serve(const struct sasl_mech *mech, const struct sasl_channel *channel,
    struct slice rest, bool prompt)
{
	struct sasl_server_opts opts = {
		.backend = { NULL, look_up, check },
		.channel = *channel,
		.hostname = SLICE("host"),
		.arena = arena_new(0),
		.nonce = SLICE("nonce"),
	};
	struct sasl_server *s = sasl_server_new(mech, &opts);
	enum sasl_status st = SASL_CONTINUE;
	struct slice out;

	if (prompt)
		st = sasl_server_step(s, NULL, &out);
	for (int i = 0; i < 5 && st == SASL_CONTINUE; i++) {
		char *block;
		struct slice m = next_message(&rest, &block);

		st = sasl_server_step(s, &m, &out);
		free(block);
	}
	if (st == SASL_OK)
		abort();
	sasl_server_free(&s);
	arena_free(&opts.arena);
}

static void
ask(const struct sasl_mech *mech, const struct sasl_channel *channel,
    struct slice rest, bool prompt)
{
	struct sasl_client_opts opts = { .login = SLICE("u=,"),
		.authzid = SLICE("z"),
		.password = SLICE("pw"),
		.channel = *channel,
		.nonce = SLICE("nonce") };
	struct sasl_client *c = sasl_client_new(mech, &opts);
	enum sasl_status st = SASL_CONTINUE;
	struct slice out;

	if (prompt && sasl_mech_client_first(mech))
		st = sasl_client_step(c, NULL, &out, NULL);
	for (int i = 0; i < 3 && st == SASL_CONTINUE; i++) {
		char *block;
		struct slice m = next_message(&rest, &block);

		st = sasl_client_step(c, &m, &out, NULL);
		free(block);
	}
	if (st == SASL_OK &&
	    slice_starts(slice_str(sasl_mech_name(mech)), SLICE("SCRAM")))
		abort();
	sasl_client_free(&c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct slice rest;
	const struct sasl_mech *mech;
	struct sasl_channel channel = { .tls = true };

	if (n < 2)
		return 0;
	rest = slice_of((const char *)data + 2, n - 2);
	mech = sasl_mech_find(slice_str(names[data[0] % 8]));
	if (data[0] & 8 ||
	    slice_ends(slice_str(sasl_mech_name(mech)), SLICE("PLUS")))
		channel.tls_exporter = SLICE("binding");
	if (data[1] & 1)
		serve(mech, &channel, rest, data[1] & 2);
	else
		ask(mech, &channel, rest, data[1] & 2);
	return 0;
}
