#include "imap/back.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "host/host.h"
#include "imap/imap.h"
#include "imap/request.h"

#define TOPIC "imapserver"
#define IDLE_MS (IMAP_LOGIN_READ_MS + 10000) /* the front's time-out is first */
#define FREE_FAILURES 3 /* from the next on each costs a second more */

/* States of the exchange with the front, bits. */
enum { ST_NEW = 1, ST_READY = 2, ST_EXCHANGE = 4, ST_DONE = 8 };

struct back {
	const struct service_client *client;
	struct host *host;
	struct split *split;
	struct arena *arena;
	struct tls_facts facts;
	struct sasl_channel channel;
	struct auth_key key;       /* of the client certificate */
	bool key_known;
	struct sasl_server *sasl;
	const struct sasl_mech *mech;
	unsigned failures;
	struct slice account, login;
	/* From the hand-over: */
	bool handed_over;
	struct slice tag, command, unread;
};

/* ---- TLS, client certificates ---- */

static void
set_channel(struct back *b)
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
find_key(struct back *b, struct err *e)
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
	rc = lookup_account(b->host->lookup, b->arena, b->key.account,
	    &account, e);
	b->key_known = rc > 0 && account->login_disabled.n == 0;
	return rc;
}

static int
on_hello(void *ctx, const struct split_msg *msg, struct err *e)
{
	struct back *b = ctx;
	struct imap_hello hello = { 0 };
	struct slice reply = SPLIT_OF(hello);

	memset(&b->facts, 0, sizeof(b->facts));
	if (msg->v[0].n && (!SPLIT_GET(msg->v[0], &b->facts) ||
		!tls_facts_valid(&b->facts)))
		return err_set(e, ERR_SYNTAX, "bad TLS facts");
	set_channel(b);
	if (find_key(b, e) < 0)
		return -1;
	hello.cert_known = b->key_known;
	/* By the handshake alone only where TLS comes first: after STARTTLS the
	 * greeting is gone (RFC 9051, 7.1.4). */
	hello.preauth = b->key_known && !b->key.no_imap_preauth &&
	    b->client->listener->kind->tls;
	split_set_state(b->split, ST_READY);
	if (hello.preauth) {
		b->account = b->key.account;
		b->login = b->key.login;
		split_set_state(b->split, ST_DONE);
	}
	return split_reply(b->split, &reply, 1, e);
}

/* ---- exchanges ---- */

static void
log_attempt(const struct back *b, const struct sasl_result *r,
    const char *mechanism)
{
	log_line(TOPIC, LOG_INFO, "login attempt",
	    LOG_Z("result", sasl_reason_name(r->reason)),
	    LOG_S("login", r->login), LOG_S("account", r->account),
	    LOG_Z("mech", mechanism), LOG_Z("tls", b->facts.version),
	    LOG_Z("err", r->err.text));
}

static int
reply_auth(struct back *b, enum sasl_status status, enum sasl_reason reason,
    struct slice text, bool close, struct err *e)
{
	struct imap_auth auth = { status, reason, b->failures, close };
	struct slice v[2] = { SPLIT_OF(auth), text };

	return split_reply(b->split, v, 2, e);
}

/* The exchange is over, well or not. */
static int
finish(struct back *b, const struct sasl_result *r, const char *mechanism,
    struct err *e)
{
	bool ok = r->reason == SASL_SUCCESS, close = false;

	log_attempt(b, r, mechanism);
	if (ok) {
		b->account = arena_dup(b->arena, r->account);
		b->login = arena_dup(b->arena, r->login);
		service_authenticated(b->client);
		b->failures = 0;
		split_set_state(b->split, ST_DONE);
	} else {
		b->failures++;
		close = !service_auth_failed(b->client);
		split_set_state(b->split, ST_READY);
	}
	return reply_auth(b, ok ? SASL_OK : SASL_FAIL, r->reason, r->text,
	    close, e);
}

static struct sasl_server_opts
sasl_opts(struct back *b)
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

/* Guessing gets slower: the back's own count, whatever the front says. */
static void
delay(const struct back *b)
{
	if (b->failures > FREE_FAILURES)
		clock_sleep_ms((b->failures - FREE_FAILURES) * 1000);
}

static int
step(struct back *b, const struct slice *in, struct err *e)
{
	struct slice challenge;
	enum sasl_status status = sasl_server_step(b->sasl, in, &challenge);
	int rc;

	if (status == SASL_CONTINUE) {
		split_set_state(b->split, ST_EXCHANGE);
		return reply_auth(b, status, SASL_RUNNING, challenge, false, e);
	}
	rc = finish(b, sasl_server_result(b->sasl), sasl_mech_name(b->mech), e);
	sasl_server_free(&b->sasl);
	return rc;
}

static int
on_auth(void *ctx, const struct split_msg *msg, struct err *e)
{
	struct back *b = ctx;
	struct sasl_server_opts opts = sasl_opts(b);

	b->mech = sasl_mech_find(msg->v[0]);
	if (!b->mech)
		return err_set(e, ERR_SYNTAX, "unknown mechanism");
	if (!service_auth_allowed(b->client))
		return reply_auth(b, SASL_FAIL, SASL_TEMP,
		    SLICE("too many failed logins"), true, e);
	delay(b);
	b->sasl = sasl_server_new(b->mech, &opts);
	return step(b, msg->n > 1 ? &msg->v[1] : NULL, e);
}

static int
on_step(void *ctx, const struct split_msg *msg, struct err *e)
{
	return step(ctx, &msg->v[0], e);
}

static int
on_abort(void *ctx, const struct split_msg *msg, struct err *e)
{
	struct back *b = ctx;
	int rc;

	(void)msg;
	sasl_server_abort(b->sasl);
	rc = finish(b, sasl_server_result(b->sasl), sasl_mech_name(b->mech), e);
	sasl_server_free(&b->sasl);
	return rc;
}

static int
on_login(void *ctx, const struct split_msg *msg, struct err *e)
{
	struct back *b = ctx;
	struct sasl_server_opts opts = sasl_opts(b);
	struct sasl_result result;

	if (!service_auth_allowed(b->client))
		return reply_auth(b, SASL_FAIL, SASL_TEMP,
		    SLICE("too many failed logins"), true, e);
	delay(b);
	sasl_password_login(&opts, msg->v[0], msg->v[1], &result);
	return finish(b, &result, "LOGIN", e);
}

static int
on_session(void *ctx, const struct split_msg *msg, struct err *e)
{
	struct back *b = ctx;

	(void)e;
	b->tag = arena_dup(b->arena, msg->v[0]);
	b->command = arena_dup(b->arena, msg->v[1]);
	b->unread = arena_dup(b->arena, msg->v[2]);
	b->handed_over = true;
	return 0;
}

static const struct split_op ops[] = {
	{ IMAP_REQ_HELLO, ST_NEW | ST_READY, 1, 1, sizeof(struct tls_facts),
	    on_hello },
	{ IMAP_REQ_AUTH, ST_READY, 1, 2, SASL_MESSAGE_MAX, on_auth },
	{ IMAP_REQ_STEP, ST_EXCHANGE, 1, 1, SASL_MESSAGE_MAX, on_step },
	{ IMAP_REQ_ABORT, ST_EXCHANGE, 0, 0, 0, on_abort },
	{ IMAP_REQ_LOGIN, ST_READY, 2, 2, SASL_MESSAGE_MAX, on_login },
	{ IMAP_REQ_SESSION, ST_DONE, 3, 3, CONN_BUFFER, on_session },
	{ 0, 0, 0, 0, 0, NULL },
};

/* ---- becoming the session ---- */

/* From here on only this account's files. */
static int
narrow(struct back *b, struct err *e)
{
	const struct config *config = b->host->config;
	struct arena *arena = b->arena;
	struct sandbox_path paths[] = {
		{ arena_printf(arena, "%s/accounts/%.*s", config->data_dir,
		      SLICE_FMT(b->account)).p,
		    SANDBOX_READ | SANDBOX_WRITE },
		{ config_data(config, arena, "tmp"),
		    SANDBOX_READ | SANDBOX_WRITE },
		{ arena_printf(arena, "%s/../run/watch",
		      config->data_dir).p, SANDBOX_READ | SANDBOX_WRITE },
	};

	return sandbox_narrow(paths, 3, e);
}

/* The answer to the login, or the greeting of one logged in already. */
static void
answer_login(struct back *b, struct conn *conn)
{
	struct buf text = BUF_INIT(4096);

	if (b->tag.n) {
		buf_add(&text, b->tag);
		buf_addz(&text, " OK [CAPABILITY ");
	} else
		buf_addz(&text, "* PREAUTH [CAPABILITY ");
	imap_capabilities(&text);
	if (b->tag.n)
		buf_addf(&text, "] %.*s done\r\n", SLICE_FMT(b->command));
	else
		buf_addf(&text, "] mox imap welcomes %.*s\r\n",
		    SLICE_FMT(b->login));
	conn_write(conn, buf_slice(&text));
	buf_free(&text);
}

static int
run_session(struct back *b)
{
	struct imap_session s = { 0 };
	bool tls = b->facts.version[0];
	struct err e = ERR_INIT;
	struct conn *conn = service_take_over(b->client, &b->split, tls,
	    b->unread, &e);

	if (!conn) {
		log_line(TOPIC, LOG_ERROR, "taking over", LOG_E(&e));
		return 1;
	}
	conn_set_write_ms(conn, 5 * 60 * 1000);
	if (host_open_store(b->host, b->arena, b->account, &s.store, &e) < 0 ||
	    narrow(b, &e) < 0) {
		log_line(TOPIC, LOG_ERROR, "opening account",
		    LOG_S("account", b->account), LOG_E(&e));
		conn_writez(conn, "* BYE account cannot be opened now\r\n");
		conn_flush(conn);
		conn_free(&conn);
		return 1;
	}
	/* Neither credentials nor other accounts from here on. */
	auth_close(&b->host->auth);
	passcache_close(&b->host->passcache);
	answer_login(b, conn);
	imap_reader_init(&s.in, conn);
	s.user = b->login;
	imap_session_run(&s);
	log_line(TOPIC, LOG_INFO, "session ended",
	    LOG_S("login", b->login),
	    LOG_U("in", conn_bytes_in(conn)),
	    LOG_U("out", conn_bytes_out(conn)));
	imap_reader_free(&s.in);
	conn_shutdown(conn);
	conn_free(&conn);
	return 0;
}

int
imap_back(const struct service_client *client, struct split *split)
{
	struct back b = { .client = client, .host = client->ctx,
		.split = split, .arena = arena_new(0) };
	struct err e = ERR_INIT;
	int rc;

	split_set_state(split, ST_NEW);
	do
		rc = split_serve(split, ops, &b, IDLE_MS, &e);
	while (rc > 0 && !b.handed_over);
	sasl_server_free(&b.sasl);
	if (rc < 0)
		log_line(TOPIC, LOG_INFO, "connection ended", LOG_E(&e));
	rc = b.handed_over ? run_session(&b) : rc < 0;
	arena_free(&b.arena);
	return rc;
}
