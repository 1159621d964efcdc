/* back - the loop, and what its files share. */
#include "smtp/back.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "smtp/front.h"

/* The front gives up on a client after SMTP_WAIT_MS, or SMTP_DATA_MS at most
 * within a message. */
#define IDLE_MS (SMTP_DATA_MS + 60000)

/* ---- answers ---- */

static int
answer(struct smtp_back *b, const struct smtp_verdict *v, struct slice text,
    struct err *e)
{
	struct slice out[2] = { SPLIT_OF(*v), text };

	if (v->code >= 400)
		log_line(SMTP_TOPIC, LOG_INFO, "refused",
		    LOG_I("code", v->code), LOG_Z("enhanced", v->enhanced),
		    LOG_S("text", text), LOG_S("from", b->from_local),
		    LOG_S("fromdomain", b->from_domain));
	return split_reply(b->login.split, out, 2, e);
}

int
smtp_verdict(struct smtp_back *b, int code, const char *enhanced, struct err *e,
    const char *fmt, ...)
{
	struct smtp_verdict v = { .code = code,
		.verify = b->checks.dns != NULL,
		.seal = b->seals.wanted,
		.pass = b->passes };
	struct buf text = BUF_INIT(2048);
	va_list ap;
	int rc;

	slice_cstr(slice_str(enhanced), v.enhanced, sizeof(v.enhanced));
	va_start(ap, fmt);
	buf_addv(&text, fmt, ap);
	va_end(ap);
	rc = answer(b, &v, buf_slice(&text), e);
	buf_free(&text);
	return rc;
}

int
smtp_verdict_last(struct smtp_back *b, int code, const char *enhanced,
    struct err *e, const char *text)
{
	struct smtp_verdict v = { .code = code, .close = true };

	slice_cstr(slice_str(enhanced), v.enhanced, sizeof(v.enhanced));
	return answer(b, &v, slice_str(text), e);
}

void
smtp_count(struct smtp_back *b, const char *fmt, ...)
{
	char name[METRICS_NAME] = "mox_smtpserver_";
	size_t n = sizeof("mox_smtpserver_") - 1;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(name + n, sizeof(name) - n, fmt, ap);
	va_end(ap);
	metrics_add(metrics_get(b->login.client->metrics, name), 1);
}

/* ---- the transaction ---- */

void
smtp_back_reset(struct smtp_back *b)
{
	spool_free(&b->spool);
	buf_free(&b->record);
	b->spool_err = (struct err)ERR_INIT;
	b->from_local = b->from_domain = SLICE_NULL;
	b->to = NULL;
	b->nto = 0;
	b->targets = (struct deliver_targets){ NULL, 0 };
	b->delivered = NULL;
	b->ndelivered = 0;
	b->unknown = b->passes = false;
	b->pass_back = SLICE_NULL;
	smtp_checks_reset(b);
	smtp_seals_reset(&b->seals);
	arena_reset(b->arena);
	if (split_state(b->login.split) >= SMTP_ST_MAIL)
		split_set_state(b->login.split, b->rest);
}

static int
on_rset(void *ctx, const struct split_msg *msg, struct err *e)
{
	(void)msg, (void)e;
	smtp_back_reset(ctx);
	return 0;
}

int
smtp_may_send(struct smtp_back *b, struct slice local, struct slice domain,
    const char *what, struct err *e)
{
	struct lookup *lookup = b->login.host->lookup;
	struct lookup_result r;
	int rc = lookup_may_send(lookup, b->login.account, local, domain, e);

	if (rc < 0)
		return -1;
	if (rc == 0)
		return smtp_verdict(b, 550, "5.7.1", e,
		    "%s is not an address of your account", what);
	if (lookup_address(lookup, b->arena, local, domain, &r, e) < 0)
		return -1;
	if (r.status == LOOKUP_DOMAIN_DISABLED)
		return smtp_verdict(b, 451, "4.3.0", e,
		    "domain of %s is disabled for now", what);
	return 1;
}

int
smtp_special(const struct smtp_back *b, enum special_when when,
    struct slice local, const char **enhanced_r)
{
	return b->d->localserve ? special_code(when, local, enhanced_r) : 0;
}

/* ---- the loop ---- */

#define AT_REST (LOGIN_READY | LOGIN_DONE)
#define IN_TRANSACTION (SMTP_ST_MAIL | SMTP_ST_RCPT | SMTP_ST_DATA)

static const struct split_op ops[] = {
	LOGIN_OPS,
	{ SMTP_REQ_HELO, AT_REST, 1, 1, SMTP_LINE_MAX, smtp_on_helo },
	{ SMTP_REQ_MAIL, AT_REST, 5, 5, SMTP_LINE_MAX, smtp_on_mail },
	{ SMTP_REQ_RCPT, SMTP_ST_MAIL | SMTP_ST_RCPT, 4, 4, SMTP_LINE_MAX,
	    smtp_on_rcpt },
	{ SMTP_REQ_DATA, SMTP_ST_RCPT, 0, 0, 0, smtp_on_data },
	{ SMTP_REQ_CHUNK, SMTP_ST_DATA, 1, 1, SMTP_CHUNK_MAX, smtp_on_chunk },
	{ SMTP_REQ_RECORD, SMTP_ST_DATA, 1, 1, SMTP_CHUNK_MAX, smtp_on_record },
	{ SMTP_REQ_START, SMTP_ST_DATA, 1, 1, SMTP_RESULT_MAX, smtp_on_start },
	{ SMTP_REQ_ASK, SMTP_ST_DATA, 1, 1, SMTP_RESULT_MAX, smtp_on_ask },
	{ SMTP_REQ_DKIM, SMTP_ST_DATA, 7, 7, SMTP_RESULT_MAX, smtp_on_dkim },
	{ SMTP_REQ_ARC, SMTP_ST_DATA, 3, 3, SMTP_RESULT_MAX, smtp_on_arc },
	{ SMTP_REQ_SEAL_HEADER, SMTP_ST_DATA, 1, 1, SMTP_CHUNK_MAX,
	    smtp_on_seal_header },
	{ SMTP_REQ_SEAL_CHAIN, SMTP_ST_DATA, 1, 1, SMTP_CHUNK_MAX,
	    smtp_on_seal_chain },
	{ SMTP_REQ_SEAL, SMTP_ST_DATA, 1, 1, SMTP_RESULT_MAX, smtp_on_seal },
	{ SMTP_REQ_DELIVER, SMTP_ST_DATA, 0, 2, SMTP_EXTRAS_MAX,
	    smtp_on_deliver },
	{ SMTP_REQ_RSET, AT_REST | IN_TRANSACTION, 0, 0, 0, on_rset },
	{ 0, 0, 0, 0, 0, NULL },
};

static void
log_begin(struct smtp_back *b, const struct service_client *client)
{
	char ip[IP_TEXT];

	receivedid_encode(&b->d->receivedid, client->cid, b->id);
	log_line(SMTP_TOPIC, LOG_INFO, "connection",
	    LOG_Z("kind", client->listener->kind->name),
	    LOG_S("listener", client->listener->name),
	    LOG_Z("ip", ip_text(&client->ip, ip)), LOG_Z("id", b->id));
	smtp_count(b, "connection_total{kind=\"%s\"}",
	    client->listener->kind->name);
}

int
smtp_back(const struct service_client *client, struct split *split)
{
	struct smtpd *d = client->ctx;
	struct smtp_back b = {
		.login = { .client = client,
		    .host = &d->host,
		    .split = split,
		    .arena = arena_new(0),
		    .topic = SMTP_TOPIC,
		    .id = b.id },
		.d = d,
		.conf = client->listener->config,
		.submission = client->listener->kind->id != SMTP_KIND_SMTP,
		.arena = arena_new(0),
		.record = BUF_INIT(MSGREC_MAX),
		.seals = SMTP_SEALS_INIT,
	};
	struct err e = ERR_INIT;
	int rc;

	/* The client is the front's alone. */
	if (client->read_fd >= 0)
		close(client->read_fd);
	if (client->write_fd != client->read_fd)
		close(client->write_fd);
	b.deliver = d->deliver ? d->deliver : deliver_new(&d->host);
	d->deliver = NULL;
	/* AUTH may follow a client certificate. */
	b.login.preauth = b.login.auth_too = b.submission;
	log_begin(&b, client);
	smtp_checks_begin(&b);
	split_set_state(split, LOGIN_NEW);
	while ((rc = split_serve(split, ops, &b, IDLE_MS, &e)) > 0)
		deliver_tidy(b.deliver);
	log_line(SMTP_TOPIC, LOG_INFO, "connection ended",
	    LOG_U("messages", b.good), LOG_E(&e));
	if (b.sent)
		sent_tidy(b.sent);
	sent_close(&b.sent);
	smtp_signing_free(&b.signing);
	store_close(&b.store);
	smtp_back_reset(&b);
	if (client->shared)
		d->deliver = b.deliver; /* with its mailboxes still open */
	else
		deliver_free(&b.deliver);
	smtp_checks_end(&b);
	login_back_end(&b.login);
	arena_free(&b.arena);
	arena_free(&b.login.arena);
	return rc < 0;
}
