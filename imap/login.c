/*
 * login - the front of an IMAP connection: all that a client may say before it
 * is logged in, over TLS or not. Knows no file and no password file.
 */
#include <stdarg.h>

#include "base/log.h"
#include "host/host.h"
#include "imap/back.h"
#include "imap/imap.h"
#include "imap/request.h"
#include "text/base64.h"

#define TOPIC "imapserver"
#define TLS_MS 60000

struct front {
	const struct service_client *client;
	struct conn *conn;
	struct login_front login;
	struct imap_reader in;
	struct arena *arena; /* of the command */
	struct slice tag, name;
	struct imap_parse p;
	bool spoke_imap; /* some command was understood */
	bool done;       /* the connection ends, or was handed over */
};

/* ---- answering ---- */

static void __attribute__((format(printf, 3, 4)))
answer(struct front *f, const char *word, const char *fmt, ...)
{
	struct slice text;
	va_list ap;

	va_start(ap, fmt);
	text = arena_vprintf(f->arena, fmt, ap);
	va_end(ap);
	conn_write(f->conn, f->tag);
	conn_writef(f->conn, " %s ", word);
	conn_write(f->conn, text);
	conn_writez(f->conn, "\r\n");
}

static void
bad_arguments(struct front *f)
{
	answer(f, "BAD", "%.*s unrecognized syntax/command: %s",
	    SLICE_FMT(f->name), f->p.wrong ? f->p.wrong : "bad arguments");
}

/* Those of commands.c, and those that depend on TLS (RFC 9051, 6.1.1). */
static void
capabilities(struct front *f, struct buf *b)
{
	imap_capabilities(b, NULL);
	if (!f->login.channel.tls && f->client->listener->tls)
		buf_addz(b, " STARTTLS");
	sasl_announce(b, &f->login.channel, f->login.hello.cert_known,
	    " AUTH=");
	if (f->login.channel.tls_required && !f->login.channel.tls)
		buf_addz(b, " LOGINDISABLED");
}

static void
greet(struct front *f)
{
	struct buf b = BUF_INIT(4096);

	buf_addz(&b, "* OK [CAPABILITY ");
	capabilities(f, &b);
	buf_addz(&b, "] mox imap\r\n");
	conn_write(f->conn, buf_slice(&b));
	buf_free(&b);
}

/* ---- the back ---- */

/* The back does not answer: nothing can be done for this client. */
static void
lost(struct front *f, const struct err *e)
{
	log_line(TOPIC, LOG_ERROR, "back does not answer", LOG_E(e));
	conn_writez(f->conn, "* BYE internal error\r\n");
	f->done = true;
}

static bool
say_hello(struct front *f)
{
	struct err e = ERR_INIT;

	if (login_front_hello(&f->login, &e) == 0)
		return true;
	lost(f, &e);
	return false;
}

static void
hand_over(struct front *f)
{
	struct slice v[] = { f->tag, f->name };
	struct err e = ERR_INIT;

	f->done = true;
	if (conn_flush(f->conn) != CONN_OK)
		return;
	if (service_hand_over(f->conn, &f->login.split, IMAP_REQ_SESSION, v, 2,
		&e) < 0)
		log_line(TOPIC, LOG_ERROR, "handing over", LOG_E(&e));
}

/* ---- commands ---- */

static void
cmd_capability(struct front *f)
{
	struct buf b = BUF_INIT(4096);

	if (!imap_end(&f->p)) {
		bad_arguments(f);
		return;
	}
	capabilities(f, &b);
	conn_writez(f->conn, "* CAPABILITY ");
	conn_write(f->conn, buf_slice(&b));
	conn_writez(f->conn, "\r\n");
	buf_free(&b);
	answer(f, "OK", "%.*s done", SLICE_FMT(f->name));
}

static void
cmd_noop(struct front *f)
{
	if (imap_end(&f->p))
		answer(f, "OK", "%.*s done", SLICE_FMT(f->name));
	else
		bad_arguments(f);
}

static void
cmd_logout(struct front *f)
{
	if (!imap_end(&f->p)) {
		bad_arguments(f);
		return;
	}
	conn_writez(f->conn, "* BYE thanks\r\n");
	answer(f, "OK", "%.*s done", SLICE_FMT(f->name));
	f->done = true;
}

/* No version before login: strangers need not know it. */
static void
cmd_id(struct front *f)
{
	struct slice text = scan_rest(&f->p.sc);

	if (!imap_id(&f->p) || !imap_end(&f->p)) {
		bad_arguments(f);
		return;
	}
	log_line(TOPIC, LOG_DEBUG, "client", LOG_S("id", text));
	conn_writez(f->conn, "* ID (\"name\" \"mox\")\r\n");
	answer(f, "OK", "%.*s done", SLICE_FMT(f->name));
}

/* RFC 9051, 6.2.1. What came behind the command in the clear is refused by
 * conn_tls_accept: it must not be taken as sent under TLS. */
static void
cmd_starttls(struct front *f)
{
	if (!imap_end(&f->p)) {
		bad_arguments(f);
		return;
	}
	if (f->login.channel.tls || !f->client->listener->tls) {
		answer(f, "BAD", "%.*s not available now", SLICE_FMT(f->name));
		return;
	}
	if (conn_buffered(f->conn).n) {
		log_line(TOPIC, LOG_WARN, "bytes behind STARTTLS");
		conn_writez(f->conn, "* BYE bytes behind STARTTLS\r\n");
		f->done = true;
		return;
	}
	answer(f, "OK", "%.*s begin TLS", SLICE_FMT(f->name));
	if (conn_flush(f->conn) != CONN_OK ||
	    conn_tls_accept(f->conn, f->client->listener->tls, TLS_MS) !=
		CONN_OK) {
		log_line(TOPIC, LOG_INFO, "TLS handshake failed",
		    LOG_Z("err", conn_error(f->conn)));
		f->done = true;
		return;
	}
	say_hello(f);
}

/* What a failed login is answered with (RFC 5530, 3). */
static void
answer_failure(struct front *f, const struct login_reply *auth,
    struct slice text)
{
	const char *code = "[AUTHENTICATIONFAILED] bad credentials";

	switch (auth->reason) {
	case SASL_BADAUTHZID:
		code = "[AUTHORIZATIONFAILED] cannot act as another";
		break;
	case SASL_NEEDTLS:
		code = "[PRIVACYREQUIRED] use TLS first";
		break;
	case SASL_TEMP:
		code = "[UNAVAILABLE] cannot check that now";
		break;
	case SASL_BADCHANBIND:
		code = "[AUTHENTICATIONFAILED] TLS is not end to end";
		break;
	case SASL_BADPROTOCOL:
	case SASL_ABORTED:
		answer(f, "BAD", "%.*s aborted", SLICE_FMT(f->name));
		return;
	default:
		break;
	}
	if (auth->reason == SASL_LOGINDISABLED)
		answer(f, "NO", "%.*s %.*s", SLICE_FMT(f->name),
		    SLICE_FMT(text));
	else
		answer(f, "NO", "%s", code);
}

/* The end of an exchange: over to the session, or an answer. */
static void
login_result(struct front *f, const struct login_reply *auth, struct slice text)
{
	if (auth->status == SASL_OK) {
		hand_over(f);
		return;
	}
	answer_failure(f, auth, text);
	if (auth->failures >= LOGIN_SLOW_FAILURES)
		conn_set_slow(f->conn, true);
	if (auth->close) {
		conn_writez(f->conn, "* BYE too many failed logins\r\n");
		f->done = true;
	}
}

static void
cmd_login(struct front *f)
{
	struct slice v[2], text;
	struct login_reply auth;
	struct err e = ERR_INIT;

	if (!imap_sp(&f->p) || !imap_astring(&f->p, &v[0]) || !imap_sp(&f->p) ||
	    !imap_astring(&f->p, &v[1]) || !imap_end(&f->p)) {
		bad_arguments(f);
		return;
	}
	if (v[0].n > SASL_LOGIN_MAX || v[1].n > SASL_PASSWORD_MAX) {
		answer(f, "NO", "[AUTHENTICATIONFAILED] bad credentials");
		return;
	}
	if (login_front_call(&f->login, LOGIN_PLAIN, v, 2, &auth, &text, &e) <
	    0)
		lost(f, &e);
	else
		login_result(f, &auth, text);
}

/* One challenge and its response, for login_front_exchange. */
static int
ask(void *ctx, struct slice challenge, struct buf *message)
{
	struct front *f = ctx;
	struct buf line = BUF_INIT(2 * SASL_MESSAGE_MAX);
	struct slice got;

	buf_addz(&line, "+ ");
	base64_encode(&line, challenge);
	buf_addz(&line, "\r\n");
	conn_write(f->conn, buf_slice(&line));
	buf_free(&line);
	if (imap_reader_line(&f->in, &got) != IMAP_READ_OK)
		return -1;
	return !slice_is(got, "*") && base64_decode(message, got);
}

/* RFC 9051, 6.2.2; initial response by SASL-IR, "=" for an empty one. */
static bool
auth_arguments(struct front *f, const struct sasl_mech **mech_r,
    struct buf *initial, bool *has_initial_r)
{
	struct slice name, text;

	if (!imap_sp(&f->p) || !imap_atom(&f->p, &name))
		return imap_wrong(&f->p, "expected mechanism");
	*mech_r = sasl_mech_find(name);
	*has_initial_r = imap_char(&f->p, ' ');
	if (!*has_initial_r)
		return imap_end(&f->p);
	text = scan_rest(&f->p.sc);
	return slice_is(text, "=") || base64_decode(initial, text) ||
	    imap_wrong(&f->p, "initial response is not base64");
}

static void
cmd_authenticate(struct front *f)
{
	struct buf message = BUF_INIT(SASL_MESSAGE_MAX);
	const struct sasl_mech *mech = NULL;
	struct slice initial, text;
	struct login_reply auth;
	struct err e = ERR_INIT;
	bool has_initial = false;

	if (!auth_arguments(f, &mech, &message, &has_initial)) {
		bad_arguments(f);
		goto out;
	}
	if (!mech) {
		answer(f, "NO", "[CANNOT] unknown mechanism");
		goto out;
	}
	initial = buf_slice(&message);
	switch (login_front_exchange(&f->login, mech,
	    has_initial ? &initial : NULL, ask, f, &auth, &text, &e)) {
	case 0:
		login_result(f, &auth, text);
		break;
	case 1:
		f->done = true;
		break;
	default:
		lost(f, &e);
	}
out:
	buf_wipe(&message);
}

/* ---- the loop ---- */

static const struct {
	const char *name;
	void (*run)(struct front *f);
} commands[] = {
	{ "CAPABILITY", cmd_capability },
	{ "NOOP", cmd_noop },
	{ "LOGOUT", cmd_logout },
	{ "ID", cmd_id },
	{ "STARTTLS", cmd_starttls },
	{ "LOGIN", cmd_login },
	{ "AUTHENTICATE", cmd_authenticate },
};

/* Not IMAP: scanners, HTTP, SMTP on the wrong port. */
static void
not_imap(struct front *f)
{
	conn_writez(f->conn, "* BYE please try again speaking imap\r\n");
	f->done = true;
}

static void
execute(struct front *f, struct slice text)
{
	f->p = (struct imap_parse){ .sc = scan_of(text), .arena = f->arena };
	if (!imap_tag(&f->p.sc, &f->tag) || !imap_sp(&f->p) ||
	    !imap_atom(&f->p, &f->name)) {
		if (!f->spoke_imap) {
			not_imap(f);
			return;
		}
		answer(f, "BAD", "expected tag and command");
		return;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		if (!slice_isi(f->name, commands[i].name))
			continue;
		f->spoke_imap = true;
		commands[i].run(f);
		return;
	}
	if (!imap_find_command(f->name)) {
		if (f->spoke_imap)
			answer(f, "BAD", "%.*s unknown command",
			    SLICE_FMT(slice_head(f->name, 100)));
		else
			not_imap(f);
		return;
	}
	f->spoke_imap = true;
	answer(f, "NO", "%.*s not allowed before login", SLICE_FMT(f->name));
}

static void
read_failed(struct front *f, enum imap_read rc)
{
	struct scan sc;

	switch (rc) {
	case IMAP_READ_TOOBIG:
		sc = scan_of(buf_slice(&f->in.text));
		imap_tag(&sc, &f->tag);
		answer(f, "BAD", "[TOOBIG] literal too large");
		return;
	case IMAP_READ_LONG:
		conn_writez(f->conn, "* BYE line too long\r\n");
		break;
	case IMAP_READ_TIMEOUT:
		conn_writez(f->conn, "* BYE inactive\r\n");
		break;
	case IMAP_READ_STOP:
		conn_writez(f->conn, "* BYE shutting down\r\n");
		break;
	default:
		break;
	}
	f->done = true;
}

/* After UNAUTHENTICATE: its answer, and no greeting (RFC 8437, 2). */
static bool
begin_again(struct front *f)
{
	f->spoke_imap = true;
	if (!conn_unread(f->conn, f->client->unread) || !say_hello(f))
		return false;
	conn_write(f->conn, f->client->text);
	return true;
}

static bool
begin(struct front *f)
{
	if (f->client->again)
		return begin_again(f);
	if (f->client->listener->kind->tls &&
	    conn_tls_accept(f->conn, f->client->listener->tls, TLS_MS) !=
		CONN_OK) {
		log_line(TOPIC, LOG_INFO, "TLS handshake failed",
		    LOG_Z("err", conn_error(f->conn)));
		return false;
	}
	if (!say_hello(f))
		return false;
	if (f->login.hello.preauth)
		hand_over(f);
	else
		greet(f);
	return true;
}

int
imap_front(const struct service_client *client, struct conn *conn,
    struct split *split)
{
	struct front f = { .client = client,
		.conn = conn,
		.login = { .client = client, .conn = conn, .split = split },
		.arena = arena_new(0) };
	struct slice text;
	enum imap_read rc;

	imap_reader_init(&f.in, conn);
	f.in.timeout_ms = IMAP_LOGIN_READ_MS;
	if (!begin(&f))
		f.done = true;
	while (!f.done && !f.in.must_close) {
		arena_reset(f.arena);
		rc = imap_reader_command(&f.in, &text);
		if (rc == IMAP_READ_OK)
			execute(&f, text);
		else
			read_failed(&f, rc);
	}
	if (f.login.split) {
		conn_flush(conn);
		conn_shutdown(conn);
	}
	imap_reader_free(&f.in);
	arena_free(&f.arena);
	return 0;
}
