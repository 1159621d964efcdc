/*
 * deliver - a message's bytes into a spool, and from there into the mailboxes
 * of its recipients: durable in each before the client is told.
 */
#include "base/clock.h"
#include "base/log.h"
#include "smtp/back.h"
#include "smtp/front.h"

#define HOPS_MAX 100 /* Received fields: more is a loop (RFC 5321, 6.3) */

/* ---- taking it in ---- */

int
smtp_on_data(void *ctx, const struct split_msg *msg, struct err *e)
{
	struct smtp_back *b = ctx;

	(void)msg;
	b->spool = spool_new(&b->login.host->env,
	    (uint64_t)b->conf->smtp_max_message_size);
	split_set_state(b->login.split, SMTP_ST_DATA);
	return smtp_verdict(b, 354, "", e, "go on");
}

/* What goes wrong is said at DELIVER: the client is still sending. */
int
smtp_on_chunk(void *ctx, const struct split_msg *msg, struct err *e)
{
	struct smtp_back *b = ctx;

	(void)e;
	if (b->spool_err.kind == ERR_NONE)
		spool_add(b->spool, msg->v[0], &b->spool_err);
	return 0;
}

int
smtp_on_record(void *ctx, const struct split_msg *msg, struct err *e)
{
	struct smtp_back *b = ctx;

	buf_add(&b->record, msg->v[0]);
	return b->record.over ? err_set(e, ERR_LIMIT, "record too large") : 0;
}

/* ---- checks: 1, or 0 when the client was answered, -1 ---- */

static int
check_spool(struct smtp_back *b, struct err *e)
{
	if (b->spool_err.kind == ERR_NONE)
		spool_end(b->spool, &b->spool_err);
	if (b->spool_err.kind == ERR_LIMIT)
		return smtp_verdict(b, 552, "5.3.4", e, "message too large");
	if (b->spool_err.kind != ERR_NONE) {
		log_line(SMTP_TOPIC, LOG_ERROR, "spooling",
		    LOG_E(&b->spool_err));
		return smtp_verdict(b, 451, "4.3.0", e, "cannot be stored now");
	}
	/* In DATA the front refuses it; in BDAT nothing is smuggled by it. */
	if (spool_verbatim(b->spool) && b->mail.body != SMTP_BODY_BINARYMIME)
		return smtp_verdict(b, 554, "5.6.0", e,
		    "bare CR or LF needs BODY=BINARYMIME");
	return 1;
}

/* RFC 6409, 6.1: one From address, and it is the sender's. */
static int
check_from(struct smtp_back *b, struct err *e)
{
	struct slice record = buf_slice(&b->record);

	if (msgrec_froms(record) != 1 ||
	    !msgrec_text(record, MSGREC_FROM_DOMAIN).n)
		return smtp_verdict(b, 550, "5.6.0", e,
		    "From must hold one address");
	return smtp_may_send(b, msgrec_text(record, MSGREC_FROM_LOCAL),
	    msgrec_text(record, MSGREC_FROM_DOMAIN), "From", e);
}

static int
check_special(struct smtp_back *b, struct err *e)
{
	const char *enhanced;

	for (size_t i = 0; i < b->nto; i++) {
		int code =
		    smtp_special(b, SPECIAL_DELIVER, b->to[i].local, &enhanced);
		if (code)
			return smtp_verdict(b, code, enhanced, e,
			    "as you wish");
	}
	return 1;
}

/* May the author write to the aliases among the recipients? */
static int
check_author(struct smtp_back *b, struct err *e)
{
	struct lookup *lookup = b->login.host->lookup;
	struct slice record = buf_slice(&b->record);

	if (lookup_address(lookup, b->arena,
		msgrec_text(record, MSGREC_FROM_LOCAL),
		msgrec_text(record, MSGREC_FROM_DOMAIN), &b->author, e) < 0)
		return -1;
	for (size_t i = 0; i < b->nto; i++) {
		const struct smtp_to *to = &b->to[i];
		int rc = to->alias ? deliver_may_post(lookup, b->arena,
					 to->alias, to->address, &b->author, e)
				   : 1;
		if (rc < 0)
			return -1;
		if (rc == 0)
			return smtp_verdict(b, 550, "5.7.2", e,
			    "not allowed to post to this address");
	}
	return 1;
}

static int
check_message(struct smtp_back *b, struct err *e)
{
	struct slice record = buf_slice(&b->record);
	int rc = check_spool(b, e);

	if (rc <= 0)
		return rc;
	if (!msgrec_check(record))
		return err_set(e, ERR_SYNTAX, "bad record");
	if (msgrec_received(record) > HOPS_MAX)
		return smtp_verdict(b, 550, "5.4.6", e, "mail loop");
	if (b->unknown)
		return smtp_verdict(b, 550, "5.1.1", e, "no such user");
	/* What the queue delivers is looked at there. */
	if (b->submission)
		return check_from(b, e);
	rc = check_special(b, e);
	if (rc > 0)
		rc = check_author(b, e);
	return rc > 0 ? smtp_check_sender(b, e) : rc;
}

/* A full mailbox among several is better found before the others have it. */
static int
check_quotas(struct smtp_back *b, struct err *e)
{
	for (size_t i = 0; i < b->targets.n && b->targets.n > 1; i++) {
		struct err why = ERR_INIT;
		if (b->targets.v[i].forward.keep &&
		    deliver_check_quota(b->deliver, &b->targets.v[i],
			spool_stored_size(b->spool), &why) == STORE_OVERQUOTA)
			return smtp_verdict(b, 452, "4.2.2", e,
			    "mailbox of a recipient is full");
	}
	return 1;
}

/* ---- delivery ---- */

static void
log_delivered(struct smtp_back *b, const struct deliver_target *t,
    const struct mailbox_new *message, uint32_t uid, int64_t begin_ms)
{
	log_line(SMTP_TOPIC, LOG_INFO, "delivered",
	    LOG_S("from", b->from_local), LOG_S("fromdomain", b->from_domain),
	    LOG_S("to", t->address), LOG_S("account", t->account),
	    LOG_S("mailbox", t->mailbox), LOG_U("uid", uid),
	    LOG_U("size", message->prefix.n + spool_wire_size(b->spool)),
	    LOG_S("msgid", msgrec_text(message->record, MSGREC_MSGID)),
	    LOG_I("ms", clock_mono_ms(NULL) - begin_ms));
}

static enum store_code
deliver_one(struct smtp_back *b, const struct deliver_target *t, struct err *e)
{
	int64_t begin_ms = clock_mono_ms(NULL);
	struct mailbox_new message = { .spool = b->spool,
		.record = buf_slice(&b->record),
		.received = clock_s(b->login.host->env.clock) };
	struct buf prefix = BUF_INIT(16384 + SMTP_SEAL_MAX);
	struct smtp_delivered *done = &b->delivered[b->ndelivered];
	enum store_code code;

	smtp_prefix(b, t, &prefix);
	message.prefix = buf_slice(&prefix);
	code = deliver_add(b->deliver, t, &message, &done->what, e);
	if (code == STORE_OK) {
		log_delivered(b, t, &message, done->what.uid, begin_ms);
		done->target = t;
		b->ndelivered++;
	}
	buf_free(&prefix);
	return code;
}

/* What the front says of the header, for what is passed on. */
struct header_facts {
	struct smtp_fields fields;
	struct slice lines;
};

/* Into the mailbox, and on, as the account wants it. */
static enum store_code
deliver_target(struct smtp_back *b, const struct smtp_to *to,
    const struct deliver_target *t, const struct header_facts *header,
    struct err *e)
{
	enum store_code code = STORE_OK;

	if (deliver_is_own(t, &b->author))
		return STORE_OK;
	if (t->forward.keep)
		code = deliver_one(b, t, e);
	if (code == STORE_OK && t->forward.n > 0 &&
	    smtp_pass_on(b, to, t, &header->fields, header->lines, e) < 0)
		code = STORE_FAILED;
	return code;
}

/*
 * All or an error: when a later one fails, the client tries again for all, and
 * the earlier ones get it twice, which beats losing it. 1, or answered.
 */
static int
deliver_to(struct smtp_back *b, const struct smtp_to *to,
    const struct header_facts *header, struct err *e)
{
	for (size_t i = to->first; i < to->first + to->n; i++) {
		const struct deliver_target *t = &b->targets.v[i];
		struct err why = ERR_INIT;
		enum store_code code = deliver_target(b, to, t, header, &why);

		if (code == STORE_OK)
			continue;
		if (code == STORE_OVERQUOTA)
			return smtp_verdict(b, 452, "4.2.2", e,
			    "mailbox is full");
		log_line(SMTP_TOPIC, LOG_ERROR, "delivery failed",
		    LOG_S("account", t->account), LOG_E(&why));
		return smtp_verdict(b, 451, "4.3.0", e,
		    "cannot be delivered now");
	}
	return 1;
}

static int
deliver_all(struct smtp_back *b, const struct header_facts *header,
    struct err *e)
{
	struct err why = ERR_INIT;
	int rc = smtp_check_pass(b, &header->fields, header->lines, e);

	b->delivered =
	    arena_array(b->arena, b->targets.n, sizeof(*b->delivered));
	if (rc > 0)
		rc = check_quotas(b, e);
	for (size_t i = 0; i < b->nto && rc > 0; i++)
		rc = deliver_to(b, &b->to[i], header, e);
	if (rc > 0)
		smtp_notify(b, &header->fields);
	if (rc <= 0 || !b->pass_back.n || smtp_pass_back(b, &why) == 0)
		return rc;
	log_line(SMTP_TOPIC, LOG_ERROR, "cannot be queued", LOG_E(&why));
	return smtp_verdict(b, 451, "4.3.0", e, "cannot be passed on now");
}

int
smtp_on_deliver(void *ctx, const struct split_msg *msg, struct err *e)
{
	struct smtp_back *b = ctx;
	struct header_facts header = { .lines = SLICE_NULL };
	int rc;

	if (b->submission || b->passes) {
		if (msg->n != 2 || !SPLIT_GET(msg->v[0], &header.fields))
			return err_set(e, ERR_SYNTAX, "bad DELIVER");
		header.lines = msg->v[1];
	}
	rc = check_message(b, e);
	if (rc > 0 && b->submission)
		rc = smtp_submit(b, &header.fields, header.lines, e);
	else if (rc > 0)
		rc = deliver_all(b, &header, e);
	smtp_count(b, "%s_total{result=\"%s\"}",
	    b->submission ? "submission" : "delivery",
	    rc > 0        ? "delivered"
		: rc == 0 ? "refused"
			  : "error");
	if (rc > 0) {
		b->good++;
		b->bad--;
		rc = smtp_verdict(b, 250, "2.0.0", e, "accepted (%s)", b->id);
		smtp_evaluate(b, false);
		smtp_remember(b);
	} else if (rc == 0 && b->checks.refused)
		smtp_evaluate(b, true);
	smtp_back_reset(b);
	return rc;
}
