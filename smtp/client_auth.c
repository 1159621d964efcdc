/* client_auth - logging in to an SMTP server (RFC 4954). */
#include "sasl/sasl.h"
#include "smtp/client_int.h"
#include "text/base64.h"

#define ROUNDS 10       /* SCRAM takes 3 */
#define INITIAL_MAX 400 /* in base64: the line stays below 512 bytes */

static const struct slice preferred[] = {
	{ "EXTERNAL", 8 },
	{ "SCRAM-SHA-256-PLUS", 18 },
	{ "SCRAM-SHA-256", 13 },
	{ "SCRAM-SHA-1-PLUS", 16 },
	{ "SCRAM-SHA-1", 11 },
	{ "CRAM-MD5", 8 },
};

static struct sasl_channel
channel_of(const struct smtp_client *c, const struct smtp_login *login)
{
	const struct tls_facts *f = smtp_client_tls(c);
	struct sasl_channel ch = { .tls = f != NULL,
		.tls_required = !login->plain_without_tls };

	if (f == NULL)
		return ch;
	ch.tls_exporter = slice_of((const char *)f->exporter, f->exporter_n);
	ch.tls_unique = slice_of((const char *)f->unique, f->unique_n);
	ch.tls_server_end_point =
	    slice_of((const char *)f->end_point, f->end_point_n);
	return ch;
}

/* The first one of the list that is offered and can be used. */
static const struct sasl_mech *
pick(struct slice offered, const struct smtp_login *login,
    struct sasl_client_opts *opts)
{
	const struct slice *list = login->mechanisms;
	size_t n = login->nmechanisms;
	const struct sasl_mech *mech = NULL;
	struct sasl_client_opts one = *opts;

	if (n == 0) {
		list = preferred;
		n = sizeof(preferred) / sizeof(preferred[0]);
	}
	sasl_client_pick(offered, opts); /* for plus_announced */
	for (size_t i = 0; i < n && mech == NULL; i++) {
		struct slice rest = offered, name;
		while (mech == NULL && slice_next(&rest, ' ', &name))
			if (slice_eqi(name, list[i]))
				mech = sasl_client_pick(name, &one);
	}
	return mech;
}

/* ---- the exchange ---- */

struct exchange {
	struct smtp_client *c;
	const struct sasl_mech *mech;
	struct sasl_client *sasl;
	enum sasl_status status;
	struct buf out; /* the next response in base64 */
	bool waiting;   /* out is for the next challenge, which is empty */
	struct arena *arena;
	struct smtp_result *r;
};

/* The next response into x->out. */
static int
step(struct exchange *x, const struct slice *challenge, struct err *e)
{
	struct slice response;

	x->status = sasl_client_step(x->sasl, challenge, &response, e);
	if (x->status == SASL_FAIL)
		return -1;
	buf_reset(&x->out);
	base64_encode(&x->out, response);
	return x->out.over ? err_set(e, ERR_LIMIT, "response too long") : 0;
}

/* AUTH, with the first response where there is one and it is short. */
static int
begin(struct exchange *x)
{
	const char *name = sasl_mech_name(x->mech);
	struct err e = ERR_INIT;

	x->waiting = sasl_mech_client_first(x->mech);
	if (x->waiting && step(x, NULL, &e) < 0)
		return client_fail(x->r, SMTP_RES_PERM, SMTP_STEP_AUTH,
		    x->arena, "AUTH %s: %s", name, e.text);
	if (x->waiting && x->out.n <= INITIAL_MAX) {
		x->waiting = false;
		client_command(x->c, LOG_TRACEAUTH, "AUTH %s %s", name,
		    x->out.n > 0 ? buf_cstr(&x->out) : "=");
	} else {
		client_command(x->c, LOG_TRACE, "AUTH %s", name);
	}
	return 0;
}

/* Answer a challenge, or end the exchange for what is wrong with it. */
static int
respond(struct exchange *x, struct slice text, struct err *e)
{
	struct buf bytes = BUF_INIT(CLIENT_AUTH_LINE);
	struct slice challenge;
	int rc = 0;

	if (x->waiting) {
		x->waiting = false;
	} else if (!base64_decode(&bytes, text)) {
		rc = err_set(e, ERR_SYNTAX, "challenge is no base64");
	} else {
		challenge = buf_slice(&bytes);
		rc = step(x, &challenge, e);
	}
	client_command(x->c, LOG_TRACEAUTH, "%s",
	    rc == 0 ? buf_cstr(&x->out) : "*");
	buf_wipe(&bytes);
	return rc;
}

/*
 * A server that says that all is well before it has proved to know the
 * password is somebody else (RFC 5802, 5).
 */
static int
finish(struct exchange *x, const struct smtp_answer *answer,
    const struct err *e)
{
	const char *name = sasl_mech_name(x->mech);

	if (e->kind != ERR_NONE)
		return client_fail(x->r, SMTP_RES_PERM, SMTP_STEP_AUTH,
		    x->arena, "AUTH %s: %s", name, e->text);
	if (answer->code >= 300)
		return client_refused(x->r, SMTP_STEP_AUTH, answer, x->arena);
	if (x->status == SASL_OK && !x->waiting)
		return 0;
	x->c->dead = true;
	return client_fail(x->r, SMTP_RES_PROTOCOL, SMTP_STEP_AUTH, x->arena,
	    "AUTH %s: the server did not prove that it knows the password",
	    name);
}

static int
run(struct exchange *x)
{
	struct err e = ERR_INIT;
	struct smtp_answer answer;

	if (begin(x) < 0)
		return -1;
	for (int i = 0; i < ROUNDS; i++) {
		if (client_answer(x->c, SMTP_STEP_AUTH, x->c->opts.step_ms,
			x->arena, &answer, x->r) < 0)
			return -1;
		if (answer.code != 334)
			return finish(x, &answer, &e);
		respond(x, answer.text, &e);
	}
	x->c->dead = true;
	return client_fail(x->r, SMTP_RES_PROTOCOL, SMTP_STEP_AUTH, x->arena,
	    "AUTH %s: challenges without end", sasl_mech_name(x->mech));
}

int
smtp_client_auth(struct smtp_client *c, const struct smtp_login *login,
    const char **mechanism_r, struct arena *arena, struct smtp_result *result_r)
{
	struct sasl_client_opts opts = { .login = login->login,
		.password = login->password,
		.channel = channel_of(c, login) };
	struct exchange x = { .c = c,
		.out = BUF_INIT(CLIENT_AUTH_LINE),
		.arena = arena,
		.r = result_r };
	int rc;

	*result_r = (struct smtp_result){ .outcome = SMTP_RES_OK,
		.step = SMTP_STEP_AUTH };
	x.mech = pick(c->offers.auth, login, &opts);
	if (mechanism_r != NULL)
		*mechanism_r = x.mech != NULL ? sasl_mech_name(x.mech) : NULL;
	if (x.mech == NULL) {
		client_fail(result_r, SMTP_RES_PERM, SMTP_STEP_AUTH, arena,
		    "AUTH: no mechanism in common with the server, which "
		    "offers \"%.*s\"",
		    SLICE_FMT(slice_head(c->offers.auth, CLIENT_WHY_MAX)));
		result_r->answer.enhanced = SLICE("5.7.4");
		return -1;
	}
	x.sasl = sasl_client_new(x.mech, &opts);
	rc = run(&x);
	sasl_client_free(&x.sasl);
	buf_wipe(&x.out);
	return rc;
}
