/*
 * submit - a message from a user of ours: what it may not be, what it lacks,
 * and into the queue (RFC 6409).
 */
#include "base/clock.h"
#include "base/log.h"
#include "message/compose.h"
#include "queue/queue.h"
#include "smtp/back.h"
#include "smtp/front.h"
#include "store/sent.h"
#include "text/base64.h"

#define FROMID_BYTES 16
#define PREFIX_MAX (64 * 1024)

/* ---- checks: 1, or 0 when the client was answered, -1 ---- */

static int
check_fields(struct smtp_back *b, const struct smtp_fields *fields,
    struct err *e)
{
	if (fields->too_long)
		return smtp_verdict(b, 554, "5.6.0", e,
		    "header is too long for X-Mox-Extra fields");
	if (fields->twice)
		return smtp_verdict(b, 554, "5.6.0", e,
		    "X-Mox-Extra field given twice");
	if (fields->return_path && b->login.host->config->mox.pedantic)
		return smtp_verdict(b, 550, "5.6.0", e,
		    "Return-Path is not for submission");
	return 1;
}

/* The account's store stays open over the connection. */
static int
open_sent(struct smtp_back *b, struct err *e)
{
	if (!b->store &&
	    host_open_store(b->login.host, b->arena, b->login.account,
		&b->store, e) < 0)
		return -1;
	if (!b->sent)
		b->sent = sent_open(b->store, e);
	return b->sent ? 0 : -1;
}

static int
check_limits(struct smtp_back *b, const struct queue_rcpt *rcpts, struct err *e)
{
	struct slice *to = arena_array(b->arena, b->nto, sizeof(*to));
	const struct conf_account *account;
	struct sent_limits limits;
	struct err why = ERR_INIT;
	int rc = lookup_account(b->login.host->lookup, b->arena,
	    b->login.account, &account, &why);

	if (rc <= 0 || open_sent(b, &why) < 0) {
		log_line(SMTP_TOPIC, LOG_ERROR, "limits of account",
		    LOG_S("account", b->login.account), LOG_E(&why));
		return smtp_verdict(b, 451, "4.3.0", e, "not now");
	}
	limits = (struct sent_limits){ account->max_outgoing_messages_per_day,
		account->max_first_time_recipients_per_day };
	for (size_t i = 0; i < b->nto; i++)
		to[i] = rcpts[i].to;
	switch (sent_take(b->sent, to, b->nto, &limits, &why)) {
	case SENT_OK:
		return 1;
	case SENT_MESSAGES:
		return smtp_verdict(b, 451, "4.7.1", e,
		    "more than %lld recipients in 24 hours",
		    (long long)limits.messages);
	case SENT_FIRST_TIME:
		return smtp_verdict(b, 451, "4.7.1", e,
		    "more than %lld recipients for the first time in 24 hours",
		    (long long)limits.first_time);
	default:
		log_line(SMTP_TOPIC, LOG_ERROR, "limits of account",
		    LOG_S("account", b->login.account), LOG_E(&why));
		return smtp_verdict(b, 451, "4.3.0", e, "not now");
	}
}

/* ---- MAIL FROM that tells which message a bounce is about ---- */

/* Does this login get unique addresses? */
static bool
wants_fromid(struct smtp_back *b)
{
	struct lookup *lookup = b->login.host->lookup;
	const struct conf_account *account;
	struct lookup_result login, one;

	if (b->mail.empty ||
	    lookup_account(lookup, b->arena, b->login.account, &account,
		NULL) <= 0 ||
	    account->from_id_login_addresses.n == 0 ||
	    lookup_login(lookup, b->arena, b->login.login, &login, NULL) < 0)
		return false;
	for (size_t i = 0; i < account->from_id_login_addresses.n; i++)
		if (lookup_login(lookup, b->arena,
			account->from_id_login_addresses.v[i], &one,
			NULL) == 0 &&
		    one.address.n && slice_eq(one.address, login.address))
			return true;
	return false;
}

/* The first separator of the sender's domain; empty: it has none. */
static struct slice
separator(struct smtp_back *b)
{
	const struct conf_domain *domain;

	if (lookup_domain(b->login.host->lookup, b->arena, b->from_domain,
		&domain, NULL) <= 0)
		return SLICE_NULL;
	return domain->localpart_catchall_separators.n
	    ? domain->localpart_catchall_separators.v[0]
	    : domain->localpart_catchall_separator;
}

static struct slice
new_fromid(struct smtp_back *b)
{
	unsigned char random[FROMID_BYTES];
	struct buf text = BUF_INIT(64);
	struct slice id;

	rand_fill(b->login.host->env.rand, random, sizeof(random));
	base64_encode_url(&text, slice_of((char *)random, sizeof(random)));
	id = arena_dup(b->arena, buf_slice(&text));
	buf_free(&text);
	return id;
}

/* base SEPARATOR id @domain; the id the client gave is taken, for one
 * recipient. */
static int
set_fromid(struct smtp_back *b, struct slice sep, struct queue_rcpt *rcpt,
    struct slice *from_r, struct err *e)
{
	ssize_t at = slice_find(b->from_local, sep);
	struct slice base =
	    at < 0 ? b->from_local : slice_head(b->from_local, (size_t)at);

	if (at >= 0 && b->nto > 1)
		return smtp_verdict(b, 554, "5.5.3", e,
		    "a from id is for one recipient");
	rcpt->fromid = at < 0 ? new_fromid(b)
			      : slice_skip(b->from_local, (size_t)at + sep.n);
	*from_r = smtp_address_text(b,
	    arena_printf(b->arena, "%.*s%.*s%.*s", SLICE_FMT(base),
		SLICE_FMT(sep), SLICE_FMT(rcpt->fromid)),
	    b->from_domain);
	return 1;
}

/* ---- into the queue ---- */

void
smtp_queue_message(const struct smtp_back *b, const struct smtp_fields *fields,
    struct queue_message *m_r)
{
	struct slice record = buf_slice(&b->record);

	*m_r = (struct queue_message){
		.utf8 = smtp_is_utf8(b),
		.eightbit = msgrec_flags(record) &
		    (MSGREC_8BIT_HEADER | MSGREC_8BIT_BODY),
		.requiretls = b->mail.requiretls ? QUEUE_TLS_YES
		    : fields->tls_required_no    ? QUEUE_TLS_NO
						 : QUEUE_TLS_DEFAULT,
		.ret = (enum queue_ret)b->mail.ret,
		.envid = b->envid,
		.msgid = msgrec_text(record, MSGREC_MSGID),
		.subject =
		    slice_head(msgrec_text(record, MSGREC_SUBJECT), 1000),
	};
}

static void
set_message(struct smtp_back *b, const struct smtp_fields *fields,
    struct slice extras, struct queue_message *m)
{
	struct queue_pair *extra = NULL;
	struct slice line;
	size_t n = 0;

	smtp_queue_message(b, fields, m);
	m->account = b->login.account;
	if (!b->mail.empty)
		m->from = smtp_address_text(b, b->from_local, b->from_domain);
	m->until_us = b->mail.hold_until * INT64_C(1000000);
	while (slice_next(&extras, '\n', &line)) {
		extra = arena_grow(b->arena, extra, n, n + 1, sizeof(*extra));
		slice_cut(line, ' ', &extra[n].key, &extra[n].value);
		n++;
	}
	m->extra = extra;
	m->nextra = n;
}

static struct queue_rcpt *
recipients(struct smtp_back *b)
{
	struct queue_rcpt *v = arena_array(b->arena, b->nto, sizeof(*v));

	for (size_t i = 0; i < b->nto; i++)
		v[i] = (struct queue_rcpt){
			.to = smtp_address_text(b, b->to[i].local,
			    b->to[i].domain),
			.notify = b->to[i].params.notify,
			.orcpt = b->to[i].orcpt,
		};
	return v;
}

/* 1, or answered. */
static int
add(struct smtp_back *b, const struct queue_message *m, struct slice prefix,
    struct err *e)
{
	struct err why = ERR_INIT;
	char id[QUEUE_ID + 1];

	if (queue_add(&b->d->queue, m, b->spool, prefix, id, &why) < 0) {
		log_line(SMTP_TOPIC, LOG_ERROR, "cannot be queued",
		    LOG_E(&why));
		return why.kind == ERR_LIMIT
		    ? smtp_verdict(b, 452, "4.5.3", e, "%s", why.text)
		    : smtp_verdict(b, 451, "4.3.0", e, "cannot be queued now");
	}
	log_line(SMTP_TOPIC, LOG_INFO, "queued", LOG_Z("queueid", id),
	    LOG_S("account", m->account), LOG_S("from", m->from),
	    LOG_S("to", m->rcpts[0].to), LOG_U("recipients", m->nrcpts),
	    LOG_U("size", prefix.n + spool_wire_size(b->spool)),
	    LOG_S("msgid", m->msgid));
	return 1;
}

/* Each recipient with a sender of its own. */
static int
add_each(struct smtp_back *b, struct queue_message *m, struct queue_rcpt *rcpts,
    struct slice sep, struct slice prefix, struct err *e)
{
	int rc = 1;

	for (size_t i = 0; i < b->nto && rc > 0; i++) {
		rc = set_fromid(b, sep, &rcpts[i], &m->from, e);
		m->rcpts = &rcpts[i];
		m->nrcpts = 1;
		if (rc > 0)
			rc = add(b, m, prefix, e);
	}
	return rc;
}

int
smtp_submit(struct smtp_back *b, const struct smtp_fields *fields,
    struct slice extras, struct err *e)
{
	struct queue_rcpt *rcpts = recipients(b);
	struct buf prefix = BUF_INIT(PREFIX_MAX), head = BUF_INIT(PREFIX_MAX);
	struct queue_message m;
	struct slice sep;
	int rc = check_fields(b, fields, e);

	if (rc > 0)
		rc = check_limits(b, rcpts, e);
	if (rc > 0) {
		smtp_submit_prefix(b, &prefix);
		rc = smtp_sign(b, buf_slice(&prefix), &head, e);
		buf_add(&head, buf_slice(&prefix));
	}
	if (rc > 0) {
		set_message(b, fields, extras, &m);
		sep = wants_fromid(b) ? separator(b) : SLICE_NULL;
		m.rcpts = rcpts;
		m.nrcpts = b->nto;
		rc = sep.n ? add_each(b, &m, rcpts, sep, buf_slice(&head), e)
			   : add(b, &m, buf_slice(&head), e);
	}
	buf_free(&prefix);
	buf_free(&head);
	return rc;
}
