/*
 * session - the life of an SMTP connection in its front: greeting, command
 * loop, time-outs.
 */
#include "base/clock.h"
#include "base/log.h"
#include "smtp/front.h"
#include "smtp/smtpd.h"

#define BAD_MAX 10 /* failed transactions before a good one */

/* ---- the back ---- */

void
smtp_lost(struct smtp_front *f, const struct err *e)
{
	log_line(SMTP_TOPIC, LOG_ERROR, "back does not answer", LOG_E(e));
	smtp_reply(f, 421, "4.3.0", "internal error, try again later");
	f->done = true;
}

bool
smtp_ask(struct smtp_front *f, enum smtp_request type, const struct slice *v,
    size_t n, struct smtp_verdict *verdict_r, struct slice *text_r)
{
	struct split_msg reply;
	struct err e = ERR_INIT;

	if (split_call(f->login.split, type, v, n, SMTP_REQUEST_MS, &reply,
		&e) < 0) {
		smtp_lost(f, &e);
		return false;
	}
	if (reply.n != 2 || !SPLIT_GET(reply.v[0], verdict_r)) {
		err_set(&e, ERR_SYNTAX, "bad reply");
		smtp_lost(f, &e);
		return false;
	}
	*text_r = reply.v[1];
	return true;
}

bool
smtp_tell(struct smtp_front *f, enum smtp_request type, const struct slice *v,
    size_t n)
{
	struct err e = ERR_INIT;

	if (split_send(f->login.split, type, v, n, &e) == 0)
		return true;
	smtp_lost(f, &e);
	return false;
}

/* ---- the transaction ---- */

void
smtp_reset(struct smtp_front *f)
{
	f->mail = f->bdat = false;
	f->rcpts = 0;
	f->size = 0;
	msgparse_free(&f->parse);
	buf_free(&f->header);
	f->header_done = false;
}

void
smtp_reset_all(struct smtp_front *f)
{
	if (f->mail)
		smtp_tell(f, SMTP_REQ_RSET, NULL, 0);
	smtp_reset(f);
}

void
smtp_count(struct smtp_front *f, bool good)
{
	if (good)
		f->good++;
	else
		f->bad++;
}

struct smtp_offer
smtp_offer_of(const struct smtp_front *f)
{
	return (struct smtp_offer){
		.esmtp = f->esmtp,
		.pedantic = f->pedantic,
		.submission = f->submission,
		.requiretls = f->login.channel.tls &&
		    !(f->conf->smtp && f->conf->smtp->no_require_tls),
		.tls = f->login.channel.tls,
		.now_s = clock_s(clock_program()),
		.max_size = f->max_size,
	};
}

/* ---- the loop ---- */

void
smtp_read_failed(struct smtp_front *f, enum conn_status status)
{
	switch (status) {
	case CONN_TOO_LONG:
		smtp_reply(f, 500, "5.5.0", "line too long");
		break;
	case CONN_TIMEOUT:
		smtp_reply(f, 421, "4.4.2", "no command in time");
		break;
	case CONN_STOP:
		smtp_reply(f, 421, "4.3.2", "shutting down");
		break;
	default:
		break; /* nobody is there */
	}
	f->done = true;
}

static void
execute(struct smtp_front *f, struct slice line)
{
	const struct smtp_command *c;
	struct slice name, args;

	slice_cut(line, ' ', &name, &args);
	args = slice_skip(line, name.n); /* with its space: MAIL looks at it */
	log_trace(SMTP_TOPIC, slice_isi(name, "AUTH") ? LOG_TRACEAUTH
						       : LOG_TRACE, '<', line);
	c = smtp_find_command(name);
	if (!c && !f->spoke_smtp) {
		smtp_reply(f, 500, "5.5.2", "please try again speaking smtp");
		f->done = true;
		return;
	}
	if (!c) {
		smtp_reply(f, 500, "5.5.1", "unknown command");
		return;
	}
	f->spoke_smtp = true;
	if (c->flags & SMTP_NO_ARGS && slice_trim(args).n)
		smtp_reply(f, 501, "5.5.4", "%s takes no argument", c->name);
	else if (c->flags & SMTP_SUBMISSION && !f->submission)
		smtp_reply(f, 503, "5.5.1", "not offered here");
	else if (c->flags & SMTP_GREETED && !f->helo.n)
		smtp_reply(f, 503, "5.5.1", "say EHLO first");
	else if (c->flags & SMTP_NOT_IN_BDAT && f->bdat)
		smtp_reply(f, 503, "5.5.1", "BDAT LAST is missing");
	else
		c->run(f, args);
}

static void
one_command(struct smtp_front *f)
{
	enum conn_status status;
	struct slice line;
	bool bare;

	/* Answers to pipelined commands go out together (RFC 2920, 3.2). */
	if (!conn_has_line(f->conn) && conn_flush(f->conn) != CONN_OK) {
		f->done = true;
		return;
	}
	arena_reset(f->arena);
	conn_set_read_ms(f->conn, SMTP_WAIT_MS);
	status = conn_line(f->conn, SMTP_LINE_MAX, &line, &bare);
	if (status != CONN_OK) {
		smtp_read_failed(f, status);
		return;
	}
	execute(f, line);
	if (f->bad > BAD_MAX && f->good == 0 && !f->done) {
		smtp_reply(f, 550, "5.1.0", "too many failures");
		f->done = true;
	}
}

static bool
begin(struct smtp_front *f)
{
	struct err e = ERR_INIT;

	if (f->client->listener->kind->tls &&
	    conn_tls_accept(f->conn, f->client->listener->tls, SMTP_TLS_MS) !=
		CONN_OK) {
		log_line(SMTP_TOPIC, LOG_INFO, "TLS handshake failed",
		    LOG_Z("err", conn_error(f->conn)));
		return false;
	}
	if (login_front_hello(&f->login, &e) < 0) {
		smtp_lost(f, &e);
		return false;
	}
	f->authenticated = f->login.hello.preauth;
	smtp_reply(f, 220, NULL, "%.*s ESMTP mox", SLICE_FMT(f->hostname));
	return true;
}

int
smtp_front_run(const struct service_client *client, struct conn *conn,
    struct split *split)
{
	const struct smtpd *d = client->ctx;
	struct smtp_front f = {
		.client = client,
		.conf = client->listener->config,
		.conn = conn,
		.login = { .client = client, .conn = conn, .split = split },
		.arena = arena_new(0),
		.helo_arena = arena_new(0),
		.pedantic = d->host.config->mox.pedantic,
		.submission = client->listener->kind->id != SMTP_KIND_SMTP,
		.header = BUF_INIT(SMTP_HEADER_LOOK),
	};

	f.max_size = (uint64_t)f.conf->smtp_max_message_size;
	f.hostname = config_listener_hostname(d->host.config, f.conf,
	    f.helo_arena);
	f.hostname = arena_dup(f.helo_arena, f.hostname);
	f.done = !begin(&f);
	while (!f.done)
		one_command(&f);
	conn_flush(conn);
	conn_shutdown(conn);
	smtp_reset(&f);
	arena_free(&f.arena);
	arena_free(&f.helo_arena);
	return 0;
}
