#include "imap/back.h"

#include "base/log.h"
#include "host/login.h"
#include "imap/imap.h"
#include "imap/request.h"

#define TOPIC "imapserver"
#define IDLE_MS (IMAP_LOGIN_READ_MS + 10000) /* the front's time-out is first */

struct back {
	struct login_back login; /* first: its handlers get this */
	bool handed_over;
	struct slice tag, command, unread; /* from the hand-over */
};

static int
on_session(void *ctx, const struct split_msg *msg, struct err *e)
{
	struct back *b = ctx;

	(void)e;
	b->tag = arena_dup(b->login.arena, msg->v[0]);
	b->command = arena_dup(b->login.arena, msg->v[1]);
	b->unread = arena_dup(b->login.arena, msg->v[2]);
	b->handed_over = true;
	return 0;
}

static const struct split_op ops[] = {
	LOGIN_OPS,
	{ IMAP_REQ_SESSION, LOGIN_DONE, 3, 3, CONN_BUFFER, on_session },
	{ 0, 0, 0, 0, 0, NULL },
};

/* ---- becoming the session ---- */

/* The answer to the login, or the greeting of one logged in already. */
static void
answer_login(struct back *b, const struct imap_session *s, struct conn *conn)
{
	struct buf text = BUF_INIT(4096);

	if (b->tag.n) {
		buf_add(&text, b->tag);
		buf_addz(&text, " OK [CAPABILITY ");
	} else
		buf_addz(&text, "* PREAUTH [CAPABILITY ");
	imap_capabilities(&text, s);
	if (b->tag.n)
		buf_addf(&text, "] %.*s done\r\n", SLICE_FMT(b->command));
	else
		buf_addf(&text, "] mox imap welcomes %.*s\r\n",
		    SLICE_FMT(b->login.login));
	conn_write(conn, buf_slice(&text));
	buf_free(&text);
}

/* From here on only what this account may reach. */
static int
narrow(const struct host *host, struct arena *arena, struct slice account,
    struct err *e)
{
	const struct config *config = host->config;
	struct sandbox_path paths[] = {
		{ arena_printf(arena, "%s/accounts/%.*s", config->data_dir,
		      SLICE_FMT(account))
			.p,
		    SANDBOX_READ | SANDBOX_WRITE },
		{ config_data(config, arena, "tmp"),
		    SANDBOX_READ | SANDBOX_WRITE },
		{ arena_printf(arena, "%s/../run/watch", config->data_dir).p,
		    SANDBOX_READ | SANDBOX_WRITE },
	};

	return sandbox_narrow(paths, 3, e);
}

/*
 * Open the account, see what its settings say, and have neither credentials nor
 * other accounts from here on. Everybody who becomes a session comes through
 * here. arena: of the connection.
 */
static int
become_account(struct host *host, struct arena *arena, struct slice account,
    struct imap_session *s, struct err *e)
{
	const struct conf_account *settings;
	int rc;

	if (host_open_store(host, arena, account, &s->store, e) < 0)
		return -1;
	rc = lookup_account(host->lookup, arena, account, &settings, e);
	if (rc <= 0)
		return rc < 0 ? -1 : err_set(e, ERR_TEMP, "account is gone");
	s->disabled = settings->imap_capabilities_disabled.v;
	s->ndisabled = settings->imap_capabilities_disabled.n;
	if (narrow(host, arena, account, e) < 0)
		return -1;
	auth_close(&host->auth);
	passcache_close(&host->passcache);
	return 0;
}

static int
run_session(struct back *b)
{
	struct login_back *l = &b->login;
	struct imap_session s = { 0 };
	struct err e = ERR_INIT;
	struct conn *conn = service_take_over(l->client, &l->split,
	    l->channel.tls, b->unread, &e);

	if (!conn) {
		log_line(TOPIC, LOG_ERROR, "taking over", LOG_E(&e));
		return 1;
	}
	conn_set_write_ms(conn, IMAP_WRITE_MS);
	if (become_account(l->host, l->arena, l->account, &s, &e) < 0) {
		log_line(TOPIC, LOG_ERROR, "opening account",
		    LOG_S("account", l->account), LOG_E(&e));
		conn_writez(conn, "* BYE account cannot be opened now\r\n");
		conn_flush(conn);
		conn_free(&conn);
		return 1;
	}
	answer_login(b, &s, conn);
	imap_reader_init(&s.in, conn);
	s.user = l->login;
	s.lookup = l->host->lookup;
	imap_session_run(&s);
	log_line(TOPIC, LOG_INFO, "session ended", LOG_S("login", l->login),
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
	struct back b = {
		.login = { .client = client,
		    .host = client->ctx,
		    .split = split,
		    .arena = arena_new(0),
		    .topic = TOPIC,
		    /* After STARTTLS the greeting is gone (RFC 9051, 7.1.4). */
		    .preauth = client->listener->kind->tls }
	};
	struct err e = ERR_INIT;
	int rc;

	split_set_state(split, LOGIN_NEW);
	do
		rc = split_serve(split, ops, &b, IDLE_MS, &e);
	while (rc > 0 && !b.handed_over);
	login_back_end(&b.login);
	if (rc < 0)
		log_line(TOPIC, LOG_INFO, "connection ended", LOG_E(&e));
	rc = b.handed_over ? run_session(&b) : rc < 0;
	arena_free(&b.login.arena);
	return rc;
}
