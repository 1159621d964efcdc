/* back - the loop, and small requests. */
#include "smtp/back.h"

#include <stdarg.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "smtp/front.h"

/* The front gives up on a client after SMTP_WAIT_MS, or SMTP_DATA_MS at most
 * within a message. */
#define IDLE_MS (SMTP_DATA_MS + 60000)

int
smtp_verdict_full(struct smtp_back *b, const struct smtp_verdict *v,
    struct slice text, struct err *e)
{
	struct slice out[2] = { SPLIT_OF(*v), text };

	return split_reply(b->login.split, out, 2, e);
}

int
smtp_verdict(struct smtp_back *b, int code, const char *enhanced,
    struct err *e, const char *fmt, ...)
{
	struct smtp_verdict v = { .code = code };
	struct buf text = BUF_INIT(2048);
	va_list ap;
	int rc;

	slice_cstr(slice_str(enhanced), v.enhanced, sizeof(v.enhanced));
	va_start(ap, fmt);
	buf_addv(&text, fmt, ap);
	va_end(ap);
	if (code >= 400)
		log_line(SMTP_TOPIC, LOG_INFO, "refused",
		    LOG_I("code", code), LOG_Z("enhanced", enhanced),
		    LOG_S("text", buf_slice(&text)));
	rc = smtp_verdict_full(b, &v, buf_slice(&text), e);
	buf_free(&text);
	return rc;
}

static int
on_rset(void *ctx, const struct split_msg *msg, struct err *e)
{
	(void)msg, (void)e;
	smtp_back_reset(ctx);
	return 0;
}

#define AT_REST (LOGIN_READY | LOGIN_DONE)
#define IN_TRANSACTION (SMTP_ST_MAIL | SMTP_ST_RCPT | SMTP_ST_DATA)

static const struct split_op ops[] = {
	LOGIN_OPS,
	{ SMTP_REQ_MAIL, AT_REST, 5, 5, SMTP_LINE_MAX, smtp_on_mail },
	{ SMTP_REQ_RCPT, SMTP_ST_MAIL | SMTP_ST_RCPT, 4, 4, SMTP_LINE_MAX,
	    smtp_on_rcpt },
	{ SMTP_REQ_DATA, SMTP_ST_RCPT, 0, 0, 0, smtp_on_data },
	{ SMTP_REQ_CHUNK, SMTP_ST_DATA, 1, 1, SMTP_CHUNK_MAX, smtp_on_chunk },
	{ SMTP_REQ_RECORD, SMTP_ST_DATA, 1, 1, SMTP_CHUNK_MAX,
	    smtp_on_record },
	{ SMTP_REQ_DELIVER, SMTP_ST_DATA, 1, 1, sizeof(struct smtp_deliver),
	    smtp_on_deliver },
	{ SMTP_REQ_RSET, AT_REST | IN_TRANSACTION, 0, 0, 0, on_rset },
	{ 0, 0, 0, 0, 0, NULL },
};

int
smtp_back(const struct service_client *client, struct split *split)
{
	struct smtpd *d = client->ctx;
	struct smtp_back b = {
		.login = { .client = client, .host = &d->host, .split = split,
			.arena = arena_new(0), .topic = SMTP_TOPIC },
		.d = d,
		.conf = client->listener->config,
		.submission = client->listener->kind->id != SMTP_KIND_SMTP,
		.arena = arena_new(0),
		.record = BUF_INIT(MSGREC_MAX),
	};
	struct err e = ERR_INIT;
	int rc;

	receivedid_encode(&d->receivedid, client->cid, b.id);
	b.login.id = b.id;
	b.login.preauth = b.submission;
	split_set_state(split, LOGIN_NEW);
	while ((rc = split_serve(split, ops, &b, IDLE_MS, &e)) > 0)
		smtp_tidy(&b);
	if (rc < 0)
		log_line(SMTP_TOPIC, LOG_INFO, "connection ended", LOG_E(&e));
	smtp_back_reset(&b);
	smtp_close_all(&b);
	login_back_end(&b.login);
	arena_free(&b.arena);
	arena_free(&b.login.arena);
	return rc < 0;
}
