#include "imap/back.h"

#include "base/log.h"
#include "host/login.h"
#include "imap/box.h"
#include "imap/park.h"
#include "imap/request.h"

#define TOPIC "imapserver"
#define IDLE_MS (IMAP_LOGIN_READ_MS + 10000) /* the front's time-out is first */

struct back {
	struct login_back login; /* first: its handlers get this */
	bool handed_over;
	struct slice tag, command, unread;   /* from the hand-over */
	const struct service_parked *parked; /* NULL: it has just logged in */
};

int imap_park_ms = IMAP_PARK_MS;

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

int
imap_become_account(struct host *host, struct arena *arena,
    struct slice account, struct imap_session *s, struct err *e)
{
	if (host_open_store(host, arena, account, &s->store, e) < 0 ||
	    imap_boxes_load(s, host, arena, e) < 0 ||
	    imap_narrow(s, host->config, arena, e) < 0)
		return -1;
	auth_close(&host->auth);
	passcache_close(&host->passcache);
	return 0;
}

/* The same as a log-in does, and see what the account's settings say. */
static int
become_account(struct host *host, struct arena *arena, struct slice account,
    struct imap_session *s, struct err *e)
{
	const struct conf_account *settings;
	int rc = lookup_account(host->lookup, arena, account, &settings, e);

	if (rc <= 0)
		return rc < 0 ? -1 : err_set(e, ERR_TEMP, "account is gone");
	if (settings->login_disabled.n)
		return err_set(e, ERR_PERM, "logins are disabled");
	s->disabled = settings->imap_capabilities_disabled.v;
	s->ndisabled = settings->imap_capabilities_disabled.n;
	return imap_become_account(host, arena, account, s, e);
}

/* What the parked session says of itself; nothing if it was none. */
static int
read_state(const struct back *b, struct imap_parked *state_r, struct err *e)
{
	if (b->parked == NULL ||
	    imap_parked_read(state_r, b->parked->state, b->login.arena))
		return 0;
	return err_set(e, ERR_SYNTAX, "state of a parked session");
}

static int
run_session(struct back *b, struct conn *conn)
{
	struct login_back *l = &b->login;
	struct imap_session s = {
		.client = l->client,
		.park_ms = l->client ? imap_park_ms : 0,
		.user = l->login,
		.lookup = l->host->lookup,
	};
	struct imap_parked state;
	struct err e = ERR_INIT;

	conn_set_write_ms(conn, IMAP_WRITE_MS);
	/* In this order: a state comes from one who has its account only. */
	if (become_account(l->host, l->arena, l->account, &s, &e) < 0 ||
	    read_state(b, &state, &e) < 0) {
		log_line(TOPIC, LOG_ERROR, "opening account",
		    LOG_S("account", l->account), LOG_E(&e));
		conn_writez(conn, "* BYE account cannot be opened now\r\n");
		conn_flush(conn);
		conn_shutdown(conn);
		return 1;
	}
	if (b->parked == NULL)
		answer_login(b, &s, conn);
	imap_reader_init(&s.in, conn);
	imap_session_run(&s, b->parked ? &state : NULL,
	    b->parked ? b->parked->watch_fd : -1);
	log_line(TOPIC, LOG_INFO, "session ended", LOG_S("login", l->login),
	    LOG_U("in", s.bytes_in + conn_bytes_in(conn)),
	    LOG_U("out", s.bytes_out + conn_bytes_out(conn)));
	imap_reader_free(&s.in);
	conn_shutdown(conn);
	return 0;
}

/* The front has said who, or why not. */
static int
take_over(struct back *b)
{
	struct login_back *l = &b->login;
	struct err e = ERR_INIT;
	struct conn *conn = service_take_over(l->client, &l->split,
	    l->channel.tls && !l->relayed, b->unread, &e);
	int rc = 1;

	if (conn)
		rc = run_session(b, conn);
	else
		log_line(TOPIC, LOG_ERROR, "taking over", LOG_E(&e));
	conn_free(&conn);
	return rc;
}

static struct back
new_back(const struct service_client *client, struct split *split)
{
	return (struct back){
		.login = { .client = client,
		    .host = client->ctx,
		    .split = split,
		    .arena = arena_new(0),
		    .topic = TOPIC,
		    /* After STARTTLS the greeting is gone (RFC 9051, 7.1.4). */
		    .preauth = client->listener->kind->tls && !client->again },
	};
}

int
imap_back(const struct service_client *client, struct split *split)
{
	struct back b = new_back(client, split);
	struct err e = ERR_INIT;
	int rc;

	split_set_state(split, LOGIN_NEW);
	do
		rc = split_serve(split, ops, &b, IDLE_MS, &e);
	while (rc > 0 && !b.handed_over);
	login_back_end(&b.login);
	if (rc < 0)
		log_line(TOPIC, LOG_INFO, "connection ended", LOG_E(&e));
	rc = b.handed_over ? take_over(&b) : rc < 0;
	arena_free(&b.login.arena);
	return rc;
}

int
imap_resume(const struct service_client *client,
    const struct service_parked *parked)
{
	struct back b = new_back(client, NULL);
	struct conn *conn = conn_new(parked->fd, parked->fd);
	int rc = 1;

	b.parked = parked;
	conn_set_stop(conn, &service_stop);
	if (login_back_resume(&b.login))
		rc = run_session(&b, conn);
	conn_free(&conn);
	arena_free(&b.login.arena);
	return rc;
}

int
imap_serve_as(struct host *host, struct slice account, struct slice login,
    struct conn *conn)
{
	struct back b = {
		.login = { .host = host,
		    .arena = arena_new(0),
		    .topic = TOPIC,
		    .account = account,
		    .login = login },
	};
	int rc = run_session(&b, conn);

	arena_free(&b.login.arena);
	return rc;
}
