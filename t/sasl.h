/*
 * sasl - what the tests of lib/sasl share: users, and whole exchanges between
 * its two ends.
 */
#ifndef T_SASL_H
#define T_SASL_H

#include "base/arena.h"
#include "sasl/sasl.h"
#include "t/unit.h"

#define EACH(i, array) \
	(size_t i = 0; i < sizeof(array) / sizeof((array)[0]); i++)

/* ---- who may log in ---- */

static struct arena *arena;

static const struct user {
	const char *login, *password, *account, *disabled;
} users[] = {
	{ "user", "pencil", "user", NULL },
	{ "tim", "tanstaaftanstaaf", "tim", NULL },
	{ "o=o,o@example.org", "a,b=c d\xc3\xa9", "odd", NULL },
	{ "tim@example.org", "tanstaaftanstaaf", "tim", NULL },
	{ "gone", "pencil", "gone", "has left" },
	{ "new", "", "new", NULL }, /* without credentials */
};

static const unsigned char salt_sha1[] = "\x41\x25\xc2\x47\xe4\x3a\xb1\xe9"
					 "\x3c\x6d\xff\x76";
static const unsigned char salt_sha256[] =
    "\x5b\x6d\x99\x68\x9d\x12\x35\x8e\xec\xa0\x4b\x14\x12\x36\xfa\x81";

static inline void
derive(struct sasl_creds *c, enum sasl_hash hash, const void *salt, size_t n,
    struct slice password)
{
	c->scram[hash].iterations = 4096;
	c->scram[hash].salt_n = n;
	memcpy(c->scram[hash].salt, salt, n);
	sasl_scram_derive(&c->scram[hash], hash, password);
	c->has.scram[hash] = true;
}

static struct sasl_creds derived[sizeof(users) / sizeof(users[0])];

static inline void
derive_all(void)
{
	for
		EACH(i, users)
		{
			struct slice password = slice_str(users[i].password);
			struct sasl_creds *c = &derived[i];

			c->known = true;
			c->account = slice_str(users[i].account);
			c->disabled = slice_str(users[i].disabled);
			if (password.n == 0)
				continue;
			derive(c, SASL_SHA1, salt_sha1, 12, password);
			derive(c, SASL_SHA256, salt_sha256, 16, password);
			sasl_cram_derive(&c->cram, password);
			c->has.cram = true;
		}
}

static inline int
look_up(void *ctx, struct arena *a, struct slice login, struct sasl_creds *c,
    struct err *e)
{
	(void)ctx, (void)a;
	*c = (struct sasl_creds){ 0 };
	if (slice_is(login, "later"))
		return err_set(e, ERR_TEMP, "not now");
	for
		EACH(i, users)
	if (slice_is(login, users[i].login))
		*c = derived[i];
	sasl_creds_fake(c, SLICE("secret"), login);
	return c->known;
}

static inline struct sasl_server_opts
server_opts(void)
{
	return (struct sasl_server_opts){
		.backend = { NULL, look_up, NULL },
		.hostname = SLICE("mx.example.org"),
		.arena = arena,
	};
}

static inline const struct sasl_mech *
mech(const char *name)
{
	return sasl_mech_find(slice_str(name));
}

/* ---- both ends against each other ---- */

/* Changes one byte of a message on its way. The client's messages have even
 * numbers, what the server says before the first of them is -1. */
struct tamper {
	int message;
	size_t offset;
	bool done;
};

struct outcome {
	enum sasl_status server, client;
	struct sasl_result result;
};

static inline struct slice
pass_on(struct slice m, int number, struct tamper *t)
{
	char *copy = arena_cstr(arena, m);

	if (t == NULL || t->message != number)
		return slice_of(copy, m.n);
	if (m.n == 0 && number % 2 == 0) {
		t->done = true;
		return SLICE("A");
	}
	if (t->offset < m.n) {
		copy[t->offset] = copy[t->offset] == 'A' ? 'B' : 'A';
		t->done = true;
	}
	return slice_of(copy, m.n);
}

/* One exchange; prompt: without initial response. */
static inline struct outcome
run(const char *name, const struct sasl_server_opts *so,
    const struct sasl_client_opts *co, bool prompt, struct tamper *t)
{
	struct sasl_server *s = sasl_server_new(mech(name), so);
	struct sasl_client *c = sasl_client_new(mech(name), co);
	struct outcome o = { SASL_CONTINUE, SASL_CONTINUE, { 0 } };
	struct slice m = SLICE_NULL;
	struct err e = ERR_INIT;

	if (prompt || !sasl_mech_client_first(mech(name))) {
		o.server = sasl_server_step(s, NULL, &m);
		m = pass_on(m, -1, t);
	}
	for (int n = 0; o.server == SASL_CONTINUE && n < 8; n += 2) {
		o.client = sasl_client_step(c, &m, &m, &e);
		if (o.client == SASL_FAIL) {
			sasl_server_abort(s);
			o.server = SASL_FAIL;
			break;
		}
		m = pass_on(m, n, t);
		o.server = sasl_server_step(s, &m, &m);
		m = pass_on(m, n + 1, t);
	}
	o.result = *sasl_server_result(s);
	sasl_server_free(&s);
	sasl_client_free(&c);
	return o;
}

static inline struct sasl_channel
channel_tls13(void)
{
	return (struct sasl_channel){ .tls = true,
		.tls_required = true,
		.tls_exporter = SLICE("0123456789abcdef0123456789abcdef") };
}

static const char *const all[] = { "SCRAM-SHA-256-PLUS", "SCRAM-SHA-256",
	"SCRAM-SHA-1-PLUS", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN" };

#endif
