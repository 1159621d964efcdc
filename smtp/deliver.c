/*
 * deliver - a message's bytes into a spool, and from there into the mailboxes
 * of its recipients: durable in each before the client is told.
 */
#include "base/clock.h"
#include "base/log.h"
#include "smtp/back.h"
#include "smtp/front.h"

#define HOPS_MAX 100 /* Received fields: more is a loop (RFC 5321, 6.3) */

void
smtp_back_reset(struct smtp_back *b)
{
	spool_free(&b->spool);
	buf_free(&b->record);
	b->spool_err = (struct err)ERR_INIT;
	b->to = NULL;
	b->targets = NULL;
	b->nto = b->ntargets = 0;
	arena_reset(b->arena);
	if (split_state(b->login.split) & ~(unsigned)(LOGIN_NEW | LOGIN_READY |
		LOGIN_EXCHANGE | LOGIN_DONE))
		split_set_state(b->login.split,
		    b->login.account.n ? LOGIN_DONE : LOGIN_READY);
}

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

/* ---- checks ---- */

/* RFC 6409, 6.1; smtp.md 6: one From address, and it is the sender's. */
static int
check_from(struct smtp_back *b, struct err *e)
{
	struct slice record = buf_slice(&b->record);
	int rc;

	if (msgrec_froms(record) != 1)
		return smtp_verdict(b, 550, "5.6.0", e,
		    "From must hold one address");
	rc = lookup_may_send(b->login.host->lookup, b->login.account,
	    msgrec_text(record, MSGREC_FROM_LOCAL),
	    msgrec_text(record, MSGREC_FROM_DOMAIN), e);
	if (rc < 0)
		return -1;
	return rc ? 1 : smtp_verdict(b, 550, "5.7.1", e,
	    "From is not an address of your account");
}

static int
check_special(struct smtp_back *b, struct err *e)
{
	const char *enhanced;

	for (size_t i = 0; i < b->nto; i++) {
		int code = smtp_special(b, SPECIAL_DELIVER, b->to[i].local,
		    &enhanced);
		if (code)
			return smtp_verdict(b, code, enhanced, e,
			    "as you wish");
	}
	return 1;
}

/* 1: to be delivered; 0: answered. */
static int
check_message(struct smtp_back *b, struct err *e)
{
	struct slice record = buf_slice(&b->record);
	int rc;

	if (b->spool_err.kind == ERR_NONE)
		spool_end(b->spool, &b->spool_err);
	if (b->spool_err.kind == ERR_LIMIT)
		return smtp_verdict(b, 552, "5.3.4", e, "message too large");
	if (b->spool_err.kind != ERR_NONE) {
		log_line(SMTP_TOPIC, LOG_ERROR, "spooling",
		    LOG_E(&b->spool_err));
		return smtp_verdict(b, 451, "4.3.0", e,
		    "cannot be stored now");
	}
	/* DATA with one was refused by the front already; BDAT may say so. */
	if (spool_verbatim(b->spool) && b->mail.body != SMTP_BODY_BINARYMIME)
		return smtp_verdict(b, 554, "5.6.0", e,
		    "bare CR or LF needs BODY=BINARYMIME");
	if (!msgrec_check(record))
		return err_set(e, ERR_SYNTAX, "bad record");
	if (msgrec_received(record) > HOPS_MAX)
		return smtp_verdict(b, 550, "5.4.6", e, "mail loop");
	rc = check_special(b, e);
	if (rc > 0 && b->submission)
		rc = check_from(b, e);
	return rc;
}

/* ---- delivery ---- */

static void
log_delivered(const struct smtp_back *b, const struct smtp_target *t,
    uint32_t uid, uint64_t size, int64_t ms)
{
	log_line(SMTP_TOPIC, LOG_INFO, "delivered",
	    LOG_S("from", b->from_local), LOG_S("fromdomain", b->from_domain),
	    LOG_S("to", t->address), LOG_S("account", t->account),
	    LOG_S("mailbox", t->mailbox), LOG_U("uid", uid),
	    LOG_U("size", size), LOG_I("ms", ms));
}

static enum store_code
deliver_one(struct smtp_back *b, const struct smtp_deliver *d,
    const struct smtp_target *t, struct err *e)
{
	int64_t begin = clock_mono_ms(NULL);
	struct mailbox_new message = { .spool = b->spool,
		.record = buf_slice(&b->record),
		.received = clock_s(b->login.host->env.clock) };
	struct mailbox_new_result result;
	struct buf prefix = BUF_INIT(16384);
	struct smtp_open *open;
	enum store_code code;

	if (smtp_open_mailbox(b, t, &open, e) < 0)
		return STORE_FAILED;
	smtp_prefix(b, d, t, &prefix);
	message.prefix = buf_slice(&prefix);
	code = mailbox_add(open->mailbox, &message, 1, b->arena, &result, e);
	buf_free(&prefix);
	if (code == STORE_OK)
		log_delivered(b, t, result.uids[0],
		    spool_wire_size(b->spool), clock_mono_ms(NULL) - begin);
	return code;
}

/*
 * All or an error: when a later one fails, the client tries again for all, and
 * the earlier ones get it twice, which beats losing it.
 */
static int
deliver_all(struct smtp_back *b, const struct smtp_deliver *d, struct err *e)
{
	for (size_t i = 0; i < b->ntargets; i++) {
		struct err why = ERR_INIT;
		enum store_code code = deliver_one(b, d, &b->targets[i], &why);
		if (code == STORE_OK)
			continue;
		if (code == STORE_OVERQUOTA)
			return smtp_verdict(b, 452, "4.2.2", e,
			    "mailbox is full");
		log_line(SMTP_TOPIC, LOG_ERROR, "delivery failed",
		    LOG_S("account", b->targets[i].account), LOG_E(&why));
		return smtp_verdict(b, 451, "4.3.0", e,
		    "cannot be delivered now");
	}
	return smtp_verdict(b, 250, "2.0.0", e, "accepted (%s)", b->id);
}

int
smtp_on_deliver(void *ctx, const struct split_msg *msg, struct err *e)
{
	struct smtp_back *b = ctx;
	struct smtp_deliver d;
	int rc;

	if (!SPLIT_GET(msg->v[0], &d))
		return err_set(e, ERR_SYNTAX, "bad DELIVER");
	rc = check_message(b, e);
	if (rc > 0)
		rc = deliver_all(b, &d, e);
	smtp_back_reset(b);
	return rc;
}
