/* login_back - the back's side: whose credentials are these? */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "host/login.h"

#define FREE_FAILURES 3 /* from the next on each costs a second more */

/* ---- TLS, client certificates ---- */

static void
set_channel(struct login_back *b)
{
	struct tls_facts *f = &b->facts;

	b->channel = (struct sasl_channel){
		.tls = f->version[0],
		.tls_required = host_tls_required(b->client->listener),
		.tls_exporter = slice_of((char *)f->exporter, f->exporter_n),
		.tls_unique = slice_of((char *)f->unique, f->unique_n),
		.tls_server_end_point =
		    slice_of((char *)f->end_point, f->end_point_n),
	};
}

/* Who has the key of the client certificate? An account that may log in. */
static int
find_key(struct login_back *b, struct err *e)
{
	const struct conf_account *account;
	int rc;

	b->key_known = false;
	if (!b->facts.client_spki[0])
		return 0;
	rc = auth_key_find(b->host->auth, b->arena,
	    slice_str(b->facts.client_spki), &b->key, e);
	if (rc <= 0)
		return rc;
	rc = lookup_account(b->host->lookup, b->arena, b->key.account, &account,
	    e);
	b->key_known = rc > 0 && account->login_disabled.n == 0;
	return rc;
}

/* ---- who logged in ---- */

/*
 * For the parent to keep: facts, length of the account's name, that and the
 * login. It comes back to a back of the same program, so it is no format.
 */
static void
authenticated(struct login_back *b)
{
	struct buf who = BUF_INIT(SERVICE_WHO_MAX);
	size_t n = b->account.n;

	buf_add(&who, SPLIT_OF(b->facts));
	buf_add(&who, SPLIT_OF(n));
	buf_add(&who, b->account);
	buf_add(&who, b->login);
	service_authenticated(b->client,
	    who.over ? SLICE_NULL : buf_slice(&who));
	buf_free(&who);
}

bool
login_facts(const struct service_client *client, struct tls_facts *facts_r)
{
	if (client->who.n < sizeof(*facts_r))
		return false;
	memcpy(facts_r, client->who.p, sizeof(*facts_r));
	if (facts_r->version[0])
		return true;
	memset(facts_r, 0, sizeof(*facts_r));
	return false;
}

bool
login_back_resume(struct login_back *b)
{
	struct slice rest = b->client->who;
	size_t n, fixed = sizeof(b->facts) + sizeof(n);

	if (rest.n < fixed)
		return false;
	memcpy(&b->facts, rest.p, sizeof(b->facts));
	memcpy(&n, rest.p + sizeof(b->facts), sizeof(n));
	rest = slice_skip(rest, fixed);
	if (n > rest.n)
		return false;
	b->account = slice_head(rest, n);
	b->login = slice_skip(rest, n);
	set_channel(b);
	return true;
}

/* ---- hello ---- */

int
login_on_hello(void *ctx, const struct split_msg *msg, struct err *e)
{
	struct login_back *b = ctx;
	struct login_hello hello = { 0 };
	struct slice reply = SPLIT_OF(hello);

	memset(&b->facts, 0, sizeof(b->facts));
	b->relayed = b->client->again && login_facts(b->client, &b->facts);
	if (!b->relayed && msg->v[0].n &&
	    (!SPLIT_GET(msg->v[0], &b->facts) || !tls_facts_valid(&b->facts)))
		return err_set(e, ERR_SYNTAX, "bad TLS facts");
	set_channel(b);
	if (find_key(b, e) < 0)
		return -1;
	hello.cert_known = b->key_known;
	hello.preauth = b->key_known && b->preauth &&
	    (b->auth_too || !b->key.no_imap_preauth);
	if (b->id)
		slice_cstr(slice_str(b->id), hello.id, sizeof(hello.id));
	split_set_state(b->split, LOGIN_READY);
	if (hello.preauth) {
		b->account = b->key.account;
		b->login = b->key.login;
		authenticated(b);
		if (!b->auth_too)
			split_set_state(b->split, LOGIN_DONE);
	}
	return split_reply(b->split, &reply, 1, e);
}

/* ---- exchanges ---- */

static void
log_attempt(const struct login_back *b, const struct sasl_result *r,
    const char *mechanism)
{
	log_line(b->topic, LOG_INFO, "login attempt",
	    LOG_Z("result", sasl_reason_name(r->reason)),
	    LOG_S("login", r->login), LOG_S("account", r->account),
	    LOG_Z("mech", mechanism), LOG_Z("tls", b->facts.version),
	    LOG_Z("err", r->err.text));
}

static int
reply_auth(struct login_back *b, enum sasl_status status,
    enum sasl_reason reason, struct slice text, bool close, struct err *e)
{
	struct login_reply reply = { status, reason, b->failures, close };
	struct slice v[2] = { SPLIT_OF(reply), text };

	return split_reply(b->split, v, 2, e);
}

/* Which of login and password was wrong is not even the front's to know. */
static enum sasl_reason
told_reason(enum sasl_reason reason)
{
	return reason == SASL_BADUSER || reason == SASL_BADPASSWORD
	    ? SASL_BADCREDS
	    : reason;
}

/* The exchange is over, well or not. */
static int
finish(struct login_back *b, const struct sasl_result *r, const char *mechanism,
    struct err *e)
{
	bool ok = r->reason == SASL_SUCCESS, close = false;

	log_attempt(b, r, mechanism);
	if (ok) {
		b->account = arena_dup(b->arena, r->account);
		b->login = arena_dup(b->arena, r->login);
		authenticated(b);
		b->failures = 0;
		split_set_state(b->split, LOGIN_DONE);
	} else {
		b->failures++;
		close = !service_auth_failed(b->client);
		split_set_state(b->split, LOGIN_READY);
	}
	return reply_auth(b, ok ? SASL_OK : SASL_FAIL, told_reason(r->reason),
	    r->text, close, e);
}

static struct sasl_server_opts
sasl_opts(struct login_back *b)
{
	struct sasl_server_opts opts = {
		.backend = auth_backend(b->host->auth),
		.channel = b->channel,
		.hostname = b->host->config->hostname,
		.arena = b->arena,
		.clock = b->host->env.clock,
		.rand = b->host->env.rand,
	};

	if (b->key_known) {
		opts.cert_account = b->key.account;
		opts.cert_login = b->key.login;
	}
	return opts;
}

/*
 * May another guess be made? If so it is made slower the more there were: the
 * back's own count, whatever the front says. 1, 0 answered already, -1.
 */
static int
admit(struct login_back *b, struct err *e)
{
	if (!service_auth_allowed(b->client))
		return reply_auth(b, SASL_FAIL, SASL_TEMP,
		    SLICE("too many failed logins"), true, e);
	if (b->failures > FREE_FAILURES)
		clock_sleep_ms((b->failures - FREE_FAILURES) * 1000);
	return 1;
}

static int
step(struct login_back *b, const struct slice *in, struct err *e)
{
	struct slice challenge;
	enum sasl_status status = sasl_server_step(b->sasl, in, &challenge);
	int rc;

	if (status == SASL_CONTINUE) {
		split_set_state(b->split, LOGIN_EXCHANGE);
		return reply_auth(b, status, SASL_RUNNING, challenge, false, e);
	}
	rc = finish(b, sasl_server_result(b->sasl), sasl_mech_name(b->mech), e);
	sasl_server_free(&b->sasl);
	return rc;
}

int
login_on_auth(void *ctx, const struct split_msg *msg, struct err *e)
{
	struct login_back *b = ctx;
	struct sasl_server_opts opts = sasl_opts(b);
	int rc;

	b->mech = sasl_mech_find(msg->v[0]);
	if (!b->mech)
		return err_set(e, ERR_SYNTAX, "unknown mechanism");
	rc = admit(b, e);
	if (rc <= 0)
		return rc;
	b->sasl = sasl_server_new(b->mech, &opts);
	return step(b, msg->n > 1 ? &msg->v[1] : NULL, e);
}

int
login_on_step(void *ctx, const struct split_msg *msg, struct err *e)
{
	return step(ctx, &msg->v[0], e);
}

int
login_on_abort(void *ctx, const struct split_msg *msg, struct err *e)
{
	struct login_back *b = ctx;
	int rc;

	(void)msg;
	sasl_server_abort(b->sasl);
	rc = finish(b, sasl_server_result(b->sasl), sasl_mech_name(b->mech), e);
	sasl_server_free(&b->sasl);
	return rc;
}

int
login_on_plain(void *ctx, const struct split_msg *msg, struct err *e)
{
	struct login_back *b = ctx;
	struct sasl_server_opts opts = sasl_opts(b);
	struct sasl_result result;
	int rc = admit(b, e);

	if (rc <= 0)
		return rc;
	sasl_password_login(&opts, msg->v[0], msg->v[1], &result);
	return finish(b, &result, "LOGIN", e);
}

void
login_back_end(struct login_back *b)
{
	sasl_server_free(&b->sasl);
}
