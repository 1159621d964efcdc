/* client - a connection to an SMTP server: opening, answers, closing. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "smtp/client_int.h"

/* ---- names ---- */

const char *
smtp_outcome_name(enum smtp_outcome outcome)
{
	static const char *const names[] = {
		[SMTP_RES_NONE] = "none",
		[SMTP_RES_OK] = "ok",
		[SMTP_RES_AGAIN] = "again",
		[SMTP_RES_CONNECT] = "connect",
		[SMTP_RES_TLS] = "tls",
		[SMTP_RES_PROTOCOL] = "protocol",
		[SMTP_RES_LOST] = "lost",
		[SMTP_RES_UNKNOWN] = "unknown",
		[SMTP_RES_TEMP] = "temp",
		[SMTP_RES_PERM] = "perm",
	};

	return names[outcome];
}

const char *
smtp_step_name(enum smtp_step step)
{
	static const char *const names[] = {
		[SMTP_STEP_CONNECT] = "connect",
		[SMTP_STEP_TLS] = "TLS",
		[SMTP_STEP_GREETING] = "greeting",
		[SMTP_STEP_HELLO] = "EHLO",
		[SMTP_STEP_STARTTLS] = "STARTTLS",
		[SMTP_STEP_AUTH] = "AUTH",
		[SMTP_STEP_MAIL] = "MAIL FROM",
		[SMTP_STEP_RCPT] = "RCPT TO",
		[SMTP_STEP_DATA] = "DATA",
		[SMTP_STEP_END] = "end of message",
		[SMTP_STEP_RSET] = "RSET",
	};

	return names[step];
}

/* ---- results ---- */

int
client_fail(struct smtp_result *r, enum smtp_outcome outcome,
    enum smtp_step step, struct arena *arena, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	*r = (struct smtp_result){ .outcome = outcome, .step = step };
	r->why = arena_vprintf(arena, fmt, ap);
	va_end(ap);
	return -1;
}

int
client_refused(struct smtp_result *r, enum smtp_step step,
    const struct smtp_answer *answer, struct arena *arena)
{
	enum smtp_outcome outcome = SMTP_RES_PROTOCOL;

	if (answer->code >= 400)
		outcome = answer->code < 500 ? SMTP_RES_TEMP : SMTP_RES_PERM;
	client_fail(r, outcome, step, arena, "%s: %d%s%.*s %.*s",
	    smtp_step_name(step), answer->code, answer->enhanced.n ? " " : "",
	    SLICE_FMT(answer->enhanced),
	    SLICE_FMT(slice_head(answer->text, CLIENT_WHY_MAX)));
	r->answer = *answer;
	return -1;
}

/* ---- talking ---- */

bool
client_is_clean(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return false;
	return true;
}

void
client_command(struct smtp_client *c, enum log_level level, const char *fmt,
    ...)
{
	struct buf line = BUF_INIT(CLIENT_AUTH_LINE + 2);
	va_list ap;

	va_start(ap, fmt);
	buf_addv(&line, fmt, ap);
	va_end(ap);
	log_trace(CLIENT_TOPIC, level, '>', buf_slice(&line));
	buf_addz(&line, "\r\n");
	conn_write(c->conn, buf_slice(&line));
	buf_wipe(&line);
}

/* No answer came: why, and that the connection is of no use any more. */
static int
lost(struct smtp_client *c, enum smtp_step step, enum conn_status status,
    struct arena *arena, struct smtp_result *r)
{
	enum smtp_outcome outcome =
	    step == SMTP_STEP_END ? SMTP_RES_UNKNOWN : SMTP_RES_LOST;
	const char *name = smtp_step_name(step), *error = conn_error(c->conn);

	c->dead = true;
	switch (status) {
	case CONN_TOO_LONG:
		return client_fail(r, SMTP_RES_PROTOCOL, step, arena,
		    "%s: line of the answer is too long", name);
	case CONN_TIMEOUT:
		return client_fail(r, outcome, step, arena,
		    "%s: no answer in time", name);
	case CONN_STOP:
		return client_fail(r, outcome, step, arena,
		    "%s: told to stop before an answer came", name);
	default:
		return client_fail(r, outcome, step, arena,
		    "%s: connection lost: %s", name,
		    *error ? error : "no reason known");
	}
}

/* Lines into c->parse, until end_ms. conn_fill waits on when this process is
 * told to stop: a message whose fate is not known would be sent again. */
static int
read_lines(struct smtp_client *c, enum smtp_step step, int64_t end_ms,
    struct arena *arena, struct smtp_result *r)
{
	bool auth = step == SMTP_STEP_AUTH;
	struct err e = ERR_INIT;
	struct slice line;
	int rc;

	buf_reset(&c->parse.text);
	c->parse = (struct smtp_answer_parse){ .text = c->parse.text };
	do {
		int64_t left = end_ms - clock_mono_ms(NULL);
		enum conn_status status;
		conn_set_read_ms(c->conn, left < 0 ? 0 : (int)left);
		status =
		    step == SMTP_STEP_END ? conn_fill(c->conn, 1) : CONN_OK;
		if (status == CONN_OK)
			status = conn_line(c->conn,
			    auth ? CLIENT_AUTH_LINE : SMTP_ANSWER_LINE, &line,
			    NULL);
		if (status != CONN_OK)
			return lost(c, step, status, arena, r);
		log_trace(CLIENT_TOPIC, auth ? LOG_TRACEAUTH : LOG_TRACE, '<',
		    line);
		rc = smtp_answer_line(&c->parse, line, &e);
	} while (rc == 0);
	if (rc > 0)
		return 0;
	c->dead = true;
	return client_fail(r, SMTP_RES_PROTOCOL, step, arena, "%s: %s",
	    smtp_step_name(step), e.text);
}

int
client_answer(struct smtp_client *c, enum smtp_step step, int ms,
    struct arena *arena, struct smtp_answer *answer_r, struct smtp_result *r)
{
	enum conn_status status = conn_flush(c->conn);
	bool sent = status == CONN_OK;
	int64_t end_ms = clock_mono_ms(NULL) + (sent ? ms : 0);

	*answer_r = (struct smtp_answer){ 0 };
	/* A server that hung up may have said why. What was not sent whole was
	 * not taken: not UNKNOWN. */
	if (read_lines(c, step, end_ms, arena, r) < 0) {
		if (!sent && r->outcome == SMTP_RES_UNKNOWN)
			r->outcome = SMTP_RES_LOST;
		return -1;
	}
	answer_r->code = c->parse.code;
	answer_r->enhanced = arena_dup(arena, slice_str(c->parse.enhanced));
	answer_r->text = arena_dup(arena, buf_slice(&c->parse.text));
	if (sent && answer_r->code != 421)
		return 0;
	c->dead = true; /* RFC 5321, 3.8: it closes the connection */
	if (!sent && answer_r->code < 400)
		return client_fail(r, SMTP_RES_LOST, step, arena,
		    "%s: connection lost: %s", smtp_step_name(step),
		    conn_error(c->conn));
	return 0;
}

int
client_ask(struct smtp_client *c, enum smtp_step step, struct arena *arena,
    struct smtp_result *r, const char *fmt, ...)
{
	struct smtp_answer answer;
	struct slice line;
	va_list ap;

	va_start(ap, fmt);
	line = arena_vprintf(arena, fmt, ap);
	va_end(ap);
	client_command(c, LOG_TRACE, "%.*s", SLICE_FMT(line));
	if (client_answer(c, step, c->opts.step_ms, arena, &answer, r) < 0)
		return -1;
	return answer.code < 300 ? 0 : client_refused(r, step, &answer, arena);
}

/* ---- opening ---- */

static int
start_tls(struct smtp_client *c, struct arena *arena, struct smtp_result *r)
{
	struct tls_expect expect = c->opts.expect;
	char text[200];

	expect.verify = TLS_VERIFY_NONE;
	if (c->opts.tls_mode == SMTP_TLS_PKIX)
		expect.verify = TLS_VERIFY_PKIX;
	if (c->opts.tls_mode == SMTP_TLS_DANE)
		expect.verify = TLS_VERIFY_DANE;
	if (conn_tls_connect(c->conn, c->opts.tls, &expect, CLIENT_TLS_MS) ==
	    CONN_OK) {
		c->tls_failure = conn_tls_failure(c->conn, text, sizeof(text));
		return 0;
	}
	c->dead = true;
	c->tls_failure = conn_tls_failure(c->conn, text, sizeof(text));
	/* The peer was as expected, and it ended all the same. */
	if (c->tls_failure == TLS_FAILURE_NONE)
		c->tls_failure = TLS_FAILURE_VALIDATION;
	client_fail(r, SMTP_RES_TLS, SMTP_STEP_TLS, arena, "TLS: %s", text);
	r->tls = c->tls_failure;
	return -1;
}

static int
read_greeting(struct smtp_client *c, struct arena *arena, struct smtp_result *r)
{
	struct smtp_answer answer;
	struct slice name, rest;

	if (client_answer(c, SMTP_STEP_GREETING, c->opts.step_ms, arena,
		&answer, r) < 0)
		return -1;
	if (answer.code != 220)
		return client_refused(r, SMTP_STEP_GREETING, &answer, arena);
	slice_cut(answer.text, ' ', &name, &rest);
	slice_cut(name, '\n', &name, &rest);
	slice_cstr(slice_head(name, sizeof(c->greeting) - 1), c->greeting,
	    sizeof(c->greeting));
	return 0;
}

/* EHLO, or HELO for a server that does not know it (RFC 5321, 3.2). */
static int
hello(struct smtp_client *c, struct arena *arena, struct smtp_result *r)
{
	struct slice name = c->opts.hello;
	struct smtp_answer answer;

	if (!client_is_clean(name) || name.n == 0)
		return client_fail(r, SMTP_RES_PERM, SMTP_STEP_HELLO, arena,
		    "EHLO: own name is missing or has control characters");
	client_command(c, LOG_TRACE, "EHLO %.*s", SLICE_FMT(name));
	if (client_answer(c, SMTP_STEP_HELLO, c->opts.step_ms, arena, &answer,
		r) < 0)
		return -1;
	if (answer.code == 250) {
		smtp_offers_parse(answer.text, &c->auth, &c->offers);
		c->had_starttls |= c->offers.starttls;
		return 0;
	}
	if (answer.code < 500 || answer.code > 504)
		return client_refused(r, SMTP_STEP_HELLO, &answer, arena);
	c->offers = (struct smtp_offers){ 0 };
	return client_ask(c, SMTP_STEP_HELLO, arena, r, "HELO %.*s",
	    SLICE_FMT(name));
}

/* RFC 3207. 0 also where it is not offered and need not be. */
static int
upgrade(struct smtp_client *c, struct arena *arena, struct smtp_result *r)
{
	struct smtp_result refused;
	struct smtp_answer answer;

	if (!c->offers.starttls && !c->opts.starttls_unoffered) {
		if (c->opts.tls_mode == SMTP_TLS_OPPORTUNISTIC)
			return 0;
		client_fail(r, SMTP_RES_TLS, SMTP_STEP_STARTTLS, arena,
		    "STARTTLS is required and not offered");
		r->tls = c->tls_failure = TLS_FAILURE_STARTTLS;
		return -1;
	}
	client_command(c, LOG_TRACE, "STARTTLS");
	if (client_answer(c, SMTP_STEP_STARTTLS, c->opts.step_ms, arena,
		&answer, r) < 0)
		return -1;
	if (answer.code != 220) {
		client_refused(&refused, SMTP_STEP_STARTTLS, &answer, arena);
		*r = refused;
		r->outcome = SMTP_RES_TLS;
		r->tls = c->tls_failure = TLS_FAILURE_STARTTLS;
		return -1;
	}
	/* RFC 3207, 4.2: what was offered in the clear is forgotten. */
	c->offers = (struct smtp_offers){ 0 };
	if (start_tls(c, arena, r) < 0)
		return -1;
	return hello(c, arena, r);
}

int
smtp_client_open(struct smtp_client *c, struct arena *arena,
    struct smtp_result *result_r)
{
	struct smtp_result *r = result_r;
	bool starttls =
	    c->opts.tls_mode != SMTP_TLS_NONE && !c->opts.tls_immediate;

	*r = (struct smtp_result){ .outcome = SMTP_RES_OK };
	if ((!c->opts.tls_immediate || start_tls(c, arena, r) == 0) &&
	    read_greeting(c, arena, r) == 0 && hello(c, arena, r) == 0 &&
	    (!starttls || upgrade(c, arena, r) == 0))
		c->open = true;
	return c->open ? 0 : -1;
}

/* ---- the rest ---- */

struct smtp_client *
smtp_client_new(int fd, const struct smtp_client_opts *opts)
{
	struct smtp_client *c = xcalloc(1, sizeof(*c));

	c->opts = *opts;
	if (c->opts.step_ms == 0)
		c->opts.step_ms = CLIENT_STEP_MS;
	if (c->opts.end_ms == 0)
		c->opts.end_ms = CLIENT_END_MS;
	c->fd = fd;
	c->conn = conn_new(fd, fd);
	conn_set_write_ms(c->conn, c->opts.step_ms);
	conn_set_stop(c->conn, c->opts.stop);
	c->auth = (struct buf)BUF_INIT(0); /* smtp_offers_parse has a limit */
	c->parse = (struct smtp_answer_parse)SMTP_ANSWER_INIT;
	return c;
}

void
smtp_client_free(struct smtp_client **c)
{
	if (*c == NULL)
		return;
	conn_free(&(*c)->conn);
	close((*c)->fd);
	buf_free(&(*c)->auth);
	buf_free(&(*c)->parse.text);
	free(*c);
	*c = NULL;
}

void
smtp_client_limit_ms(struct smtp_client *c, int64_t ms)
{
	conn_set_end_ms(c->conn, ms > 0 ? clock_mono_ms(NULL) + ms : 0);
}

void
smtp_client_quit(struct smtp_client *c)
{
	struct arena *arena;
	struct smtp_answer answer;
	struct smtp_result r;

	if (c->dead)
		return;
	arena = arena_new(0);
	conn_set_write_ms(c->conn, CLIENT_QUIT_MS);
	client_command(c, LOG_TRACE, "QUIT");
	client_answer(c, SMTP_STEP_RSET, CLIENT_QUIT_MS, arena, &answer, &r);
	c->dead = true;
	conn_shutdown(c->conn);
	arena_free(&arena);
}

const struct smtp_offers *
smtp_client_offers(const struct smtp_client *c)
{
	return &c->offers;
}

bool
smtp_client_had_starttls(const struct smtp_client *c)
{
	return c->had_starttls;
}

const struct tls_facts *
smtp_client_tls(const struct smtp_client *c)
{
	return conn_tls_facts(c->conn);
}

enum tls_failure
smtp_client_tls_failure(const struct smtp_client *c)
{
	return c->tls_failure;
}

struct slice
smtp_client_greeting(const struct smtp_client *c)
{
	return slice_str(c->greeting);
}

struct conn *
smtp_client_conn(struct smtp_client *c)
{
	return c->conn;
}

bool
smtp_client_usable(const struct smtp_client *c)
{
	return c->open && !c->dead &&
	    (c->offers.mail_max == 0 || c->sent < c->offers.mail_max);
}
