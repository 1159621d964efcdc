/*
 * session - the life of an SMTP connection in its front: greeting, command
 * loop, time-outs.
 */
#include "base/clock.h"
#include "base/log.h"
#include "smtp/front.h"
#include "smtp/smtpd.h"

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
	int rc =
	    split_call(f->login.split, type, v, n, SMTP_REQUEST_MS, &reply, &e);

	if (rc == 0 && (reply.n != 2 || !SPLIT_GET(reply.v[0], verdict_r)))
		rc = err_set(&e, ERR_SYNTAX, "bad reply of the back");
	if (rc < 0)
		smtp_lost(f, &e);
	else
		*text_r = reply.v[1];
	return rc == 0;
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
	msgparse_free(&f->parse);
	buf_free(&f->head);
	smtp_verify_free(&f->verify);
}

void
smtp_reset_all(struct smtp_front *f)
{
	if (f->mail)
		smtp_tell(f, SMTP_REQ_RSET, NULL, 0);
	smtp_reset(f);
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
		smtp_reply(f, 421, "4.4.2", "nothing came in time");
		break;
	case CONN_STOP:
		if (service_stop_reason() == SERVICE_TOO_MANY)
			smtp_reply(f, 421, "4.7.0",
			    "too many open connections");
		else
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
	log_trace(SMTP_TOPIC,
	    slice_isi(name, "AUTH") ? LOG_TRACEAUTH : LOG_TRACE, '<', line);
	c = smtp_find_command(name);
	if (!c && !f->spoke_smtp) {
		smtp_reply(f, 500, "5.5.2", "please try again speaking smtp");
		f->done = true;
		return;
	}
	f->spoke_smtp = true;
	if (!c)
		smtp_reply(f, 500, "5.5.1", "unknown command");
	else if (c->flags & SMTP_NO_ARGS && slice_trim(args).n)
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

	/* Answers to pipelined commands go out together (RFC 2920, 3.2). */
	if (!conn_has_line(f->conn) && conn_flush(f->conn) != CONN_OK) {
		f->done = true;
		return;
	}
	arena_reset(f->arena);
	status = conn_line(f->conn, SMTP_LINE_MAX, &line, NULL);
	if (status == CONN_OK)
		execute(f, line);
	else
		smtp_read_failed(f, status);
}

bool
smtp_hello(struct smtp_front *f, bool tls)
{
	struct err e = ERR_INIT;

	if (tls &&
	    conn_tls_accept(f->conn, f->client->listener->tls, SMTP_TLS_MS) !=
		CONN_OK) {
		log_line(SMTP_TOPIC, LOG_INFO, "TLS handshake failed",
		    LOG_Z("err", conn_error(f->conn)));
		f->done = true;
	} else if (login_front_hello(&f->login, &e) < 0)
		smtp_lost(f, &e);
	f->authenticated = f->login.hello.preauth;
	return !f->done;
}

int
smtp_front_run(const struct service_client *client, struct conn *conn,
    struct split *split)
{
	const struct config *config =
	    ((const struct smtpd *)client->ctx)->host.config;
	const struct conf_listener *conf = client->listener->config;
	struct arena *arena = arena_new(0);
	struct smtp_front f = {
		.client = client,
		.conf = conf,
		.conn = conn,
		.login = { .client = client, .conn = conn, .split = split },
		.hostname = config_listener_hostname(config, conf, arena),
		.pedantic = config->mox.pedantic,
		.submission = client->listener->kind->id != SMTP_KIND_SMTP,
		.max_size = (uint64_t)conf->smtp_max_message_size,
		.arena = arena_new(0),
	};

	f.starttls =
	    client->listener->tls && (f.submission || !conf->smtp->no_starttls);
	conn_set_read_ms(conn, SMTP_WAIT_MS);
	if (smtp_hello(&f, client->listener->kind->tls))
		smtp_reply(&f, 220, NULL, "%.*s ESMTP mox",
		    SLICE_FMT(f.hostname));
	while (!f.done)
		one_command(&f);
	conn_flush(conn);
	conn_shutdown(conn);
	smtp_reset(&f);
	arena_free(&f.arena);
	arena_free(&arena);
	return 0;
}
