/*
 * The client side: choose a mechanism, run it.
 */
#include <stdlib.h>

#include "sasl/sasl_int.h"

static bool
announced(struct slice list, const char *name)
{
	struct slice token;

	while (slice_next(&list, ' ', &token))
		if (slice_isi(token, name))
			return true;
	return false;
}

const struct sasl_mech *
sasl_client_pick(struct slice list, struct sasl_client_opts *opts)
{
	bool cert_only = opts->password.n == 0;

	opts->plus_announced = announced(list, "SCRAM-SHA-256-PLUS") ||
	    announced(list, "SCRAM-SHA-1-PLUS");
	for (const struct sasl_mech *m = sasl_mechs; m->name != NULL; m++)
		if (cert_only == !!(m->flags & SASL_CERT) &&
		    announced(list, m->name) &&
		    sasl_mech_usable(m, &opts->channel, cert_only))
			return m;
	return NULL;
}

struct sasl_client *
sasl_client_new(const struct sasl_mech *mech,
    const struct sasl_client_opts *opts)
{
	struct sasl_client *c = xcalloc(1, sizeof(*c));

	c->mech = mech;
	c->opts = *opts;
	c->next = mech->client;
	c->out = (struct buf)BUF_INIT(4 * SASL_MESSAGE_MAX);
	c->password = (struct buf)BUF_INIT(2 * SASL_MESSAGE_MAX);
	scram_init(&c->scram);
	sasl_prepare_password(opts->password, &c->password);
	return c;
}

void
sasl_client_free(struct sasl_client **c)
{
	if (*c == NULL)
		return;
	buf_wipe(&(*c)->out);
	buf_wipe(&(*c)->password);
	scram_wipe(&(*c)->scram);
	sha_wipe(*c, sizeof(**c));
	free(*c);
	*c = NULL;
}

/* After the client's last word the server has none either. */
static enum sasl_status
after_end(struct sasl_client *c, struct slice challenge, struct err *e)
{
	(void)challenge;
	err_set(e, ERR_SYNTAX, "%s: one challenge too many", c->mech->name);
	return SASL_FAIL;
}

static enum sasl_status
step(struct sasl_client *c, const struct slice *challenge, struct err *e)
{
	enum sasl_status st;

	if (challenge != NULL && challenge->n > SASL_MESSAGE_MAX) {
		err_set(e, ERR_LIMIT, "%s: challenge too long", c->mech->name);
		return SASL_FAIL;
	}
	st = c->next(c, challenge == NULL ? SLICE_NULL : *challenge, e);
	if (st != SASL_CONTINUE)
		c->next = after_end;
	if (st != SASL_FAIL && (c->out.over || c->password.over)) {
		err_set(e, ERR_LIMIT, "%s: name or password too long",
		    c->mech->name);
		st = SASL_FAIL;
	}
	return st;
}

enum sasl_status
sasl_client_step(struct sasl_client *c, const struct slice *challenge,
    struct slice *response_r, struct err *e)
{
	enum sasl_status st;

	buf_reset(&c->out);
	st = step(c, challenge, e);
	*response_r = st == SASL_FAIL ? SLICE_NULL : buf_slice(&c->out);
	return st;
}
