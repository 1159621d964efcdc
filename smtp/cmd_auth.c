/* AUTH (RFC 4954). */
#include "base/log.h"
#include "smtp/front.h"
#include "text/base64.h"

/* Challenge out, response in, for login_front_exchange. */
static int
ask(void *ctx, struct slice challenge, struct buf *message)
{
	struct smtp_front *f = ctx;
	struct buf line = BUF_INIT(2 * SASL_MESSAGE_MAX);
	enum conn_status status;
	struct slice got;

	base64_encode(&line, challenge);
	smtp_reply_line(f, 334, true, "%s", buf_cstr(&line));
	buf_free(&line);
	if (conn_flush(f->conn) != CONN_OK)
		return -1;
	status = conn_line(f->conn, SMTP_AUTH_LINE_MAX, &got, NULL);
	if (status != CONN_OK) {
		smtp_read_failed(f, status);
		return -1;
	}
	log_trace(SMTP_TOPIC, LOG_TRACEAUTH, '<', got);
	return !slice_is(got, "*") && base64_decode(message, got);
}

static void
refuse(struct smtp_front *f, const struct login_reply *r, struct slice text)
{
	switch (r->reason) {
	case SASL_NEEDTLS:
		smtp_reply(f, 538, "5.7.11", "TLS is needed for this");
		break;
	case SASL_BADCHANBIND:
		smtp_reply(f, 535, "5.7.7", "TLS is not end to end");
		break;
	case SASL_BADPROTOCOL:
	case SASL_ABORTED:
		smtp_reply(f, 501, "5.5.0", "authentication aborted");
		break;
	case SASL_TEMP:
		smtp_reply(f, 454, "4.7.0", "cannot check that now");
		break;
	case SASL_LOGINDISABLED:
		smtp_reply(f, 525, "5.7.13", "%.*s", SLICE_FMT(text));
		break;
	default:
		smtp_reply(f, 535, "5.7.8", "bad credentials");
	}
}

static void
result(struct smtp_front *f, const struct login_reply *r, struct slice text)
{
	if (r->status == SASL_OK) {
		f->authenticated = f->auth_done = true;
		conn_set_slow(f->conn, false);
		smtp_reply(f, 235, "2.7.0", "welcome");
		return;
	}
	refuse(f, r, text);
	if (r->failures >= LOGIN_SLOW_FAILURES)
		conn_set_slow(f->conn, true);
	if (r->close) {
		smtp_reply(f, 421, "4.7.0", "too many failed logins");
		f->done = true;
	}
}

/* "SP mechanism [SP initial-response]", "=" for an empty response. */
static bool
arguments(struct slice args, struct slice *mech_r, struct buf *initial,
    bool *has_initial_r)
{
	struct slice rest = slice_trim(args), text;

	slice_cut(rest, ' ', mech_r, &text);
	*has_initial_r = text.n > 0;
	return mech_r->n &&
	    (!text.n || slice_is(text, "=") || base64_decode(initial, text));
}

void
smtp_cmd_auth(struct smtp_front *f, struct slice args)
{
	struct buf message = BUF_INIT(SASL_MESSAGE_MAX);
	const struct sasl_mech *mech;
	struct slice name, initial, text;
	struct login_reply reply;
	struct err e = ERR_INIT;
	bool has_initial;
	int rc = 0;

	if (f->auth_done) /* RFC 4954, 4 */
		smtp_reply(f, 503, "5.5.1", "already authenticated");
	else if (f->mail)
		smtp_reply(f, 503, "5.5.1", "not during a transaction");
	else if (!arguments(args, &name, &message, &has_initial))
		smtp_reply(f, 501, "5.5.2", "syntax: AUTH mechanism [base64]");
	else if (!(mech = sasl_mech_find(name)))
		smtp_reply(f, 504, "5.5.4", "unknown mechanism");
	else {
		initial = buf_slice(&message);
		rc = login_front_exchange(&f->login, mech,
		    has_initial ? &initial : NULL, ask, f, &reply, &text, &e);
		if (rc == 0)
			result(f, &reply, text);
	}
	if (rc < 0)
		smtp_lost(f, &e);
	f->done |= rc != 0;
	buf_wipe(&message);
}
