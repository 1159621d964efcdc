/* client_send - one transaction: MAIL, RCPT, DATA or BDAT. */
#include <inttypes.h>

#include "smtp/client_int.h"

/*
 * RFC 2920, 3.1: no more commands on the way than have their answers fit into
 * what the system buffers, or both ends wait for each other.
 */
#define PIPELINE 50

struct transaction {
	struct smtp_client *c;
	const struct smtp_client_mail *mail;
	struct smtp_client_rcpt *rcpts;
	size_t n;
	size_t accepted;
	struct smtp_source_facts facts;
	bool bdat;
	enum smtp_body body;
	struct arena *arena;
	struct smtp_result *r; /* of the transaction, once it is decided */
};

/* ---- may it be sent to this server? ---- */

static int
cannot(struct transaction *t, struct slice enhanced, const char *why)
{
	client_fail(t->r, SMTP_RES_PERM, SMTP_STEP_MAIL, t->arena, "%s", why);
	t->r->answer.enhanced = enhanced;
	return -1;
}

/* RFC 8689, 4.2.1: over TLS with the host that is meant. */
static bool
verified(const struct smtp_client *c)
{
	return smtp_client_tls(c) != NULL &&
	    c->tls_failure == TLS_FAILURE_NONE &&
	    (c->opts.tls_mode == SMTP_TLS_PKIX ||
		c->opts.tls_mode == SMTP_TLS_DANE);
}

static bool
addresses_clean(const struct transaction *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (!client_is_clean(t->rcpts[i].to) ||
		    !client_is_clean(t->rcpts[i].orcpt) ||
		    t->rcpts[i].to.n == 0)
			return false;
	return client_is_clean(t->mail->from) &&
	    client_is_clean(t->mail->envid);
}

static int
check_message(struct transaction *t)
{
	const struct smtp_offers *o = &t->c->offers;

	if (t->facts.bare && !(o->chunking && o->binarymime))
		return cannot(t, SLICE("5.6.0"),
		    "message has a CR or LF alone, and the server takes no "
		    "binary content");
	if (o->max_size > 0 && t->facts.wire_size > o->max_size) {
		client_fail(t->r, SMTP_RES_PERM, SMTP_STEP_MAIL, t->arena,
		    "message has %" PRIu64 " bytes, the server takes %" PRIu64,
		    t->facts.wire_size, o->max_size);
		t->r->answer.enhanced = SLICE("5.3.4");
		return -1;
	}
	if (t->facts.eightbit && t->mail->need_8bitmime && !o->eightbitmime)
		return cannot(t, SLICE("5.6.3"),
		    "message has 8-bit content, and the server does not offer "
		    "8BITMIME");
	return 0;
}

static int
check(struct transaction *t)
{
	const struct smtp_offers *o = &t->c->offers;
	struct err e = ERR_INIT;

	if (!addresses_clean(t))
		return cannot(t, SLICE("5.1.0"),
		    "an address is empty or has control characters");
	if (t->mail->smtputf8 && !o->smtputf8)
		return cannot(t, SLICE("5.6.7"),
		    "message needs SMTPUTF8, which the server does not offer");
	if (t->mail->requiretls && !verified(t->c))
		return cannot(t, SLICE("5.7.30"),
		    "message requires TLS with a verified server");
	if (t->mail->requiretls && !o->requiretls)
		return cannot(t, SLICE("5.7.30"),
		    "message needs REQUIRETLS, which the server does not "
		    "offer");
	if (smtp_source_scan(&t->mail->source, &t->facts, &e) < 0)
		return client_fail(t->r, SMTP_RES_TEMP, SMTP_STEP_MAIL,
		    t->arena, "%s", e.text);
	return check_message(t);
}

/* Which command carries the message, and what it is called. */
static void
choose(struct transaction *t)
{
	const struct smtp_offers *o = &t->c->offers;

	t->bdat = t->facts.bare || (o->chunking && !t->c->opts.no_chunking);
	if (t->facts.bare)
		t->body = SMTP_BODY_BINARYMIME;
	else if (t->facts.eightbit && o->eightbitmime)
		t->body = SMTP_BODY_8BITMIME;
}

/* ---- commands ---- */

static void
say_mail(struct transaction *t)
{
	const struct smtp_client_mail *m = t->mail;
	const struct smtp_offers *o = &t->c->offers;
	static const char *const bodies[] = { "", " BODY=8BITMIME",
		" BODY=BINARYMIME" };
	static const char *const rets[] = { "", " RET=FULL", " RET=HDRS" };
	struct buf line = BUF_INIT(CLIENT_AUTH_LINE);

	buf_addf(&line, "MAIL FROM:<%.*s>", SLICE_FMT(m->from));
	if (o->size)
		buf_addf(&line, " SIZE=%" PRIu64, t->facts.wire_size);
	buf_addz(&line, bodies[t->body]);
	buf_addz(&line, m->smtputf8 ? " SMTPUTF8" : "");
	buf_addz(&line, m->requiretls ? " REQUIRETLS" : "");
	if (o->dsn) {
		buf_addz(&line, rets[m->ret]);
		if (m->envid.n > 0)
			buf_addf(&line, " ENVID=%.*s", SLICE_FMT(m->envid));
	}
	client_command(t->c, LOG_TRACE, "%s", buf_cstr(&line));
	buf_free(&line);
}

/* RFC 3461, 4.1. */
static void
add_notify(struct buf *line, unsigned notify)
{
	static const struct {
		unsigned bit;
		const char *name;
	} names[] = {
		{ SMTP_NOTIFY_NEVER, "NEVER" },
		{ SMTP_NOTIFY_SUCCESS, "SUCCESS" },
		{ SMTP_NOTIFY_FAILURE, "FAILURE" },
		{ SMTP_NOTIFY_DELAY, "DELAY" },
	};
	const char *before = " NOTIFY=";

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!(notify & names[i].bit))
			continue;
		buf_addf(line, "%s%s", before, names[i].name);
		before = ",";
	}
}

static void
say_rcpt(struct transaction *t, const struct smtp_client_rcpt *rcpt)
{
	struct buf line = BUF_INIT(CLIENT_AUTH_LINE);

	buf_addf(&line, "RCPT TO:<%.*s>", SLICE_FMT(rcpt->to));
	if (t->c->offers.dsn) {
		add_notify(&line, rcpt->notify);
		if (rcpt->orcpt.n > 0)
			buf_addf(&line, " ORCPT=%.*s", SLICE_FMT(rcpt->orcpt));
	}
	client_command(t->c, LOG_TRACE, "%s", buf_cstr(&line));
	buf_free(&line);
}

/* ---- answers ---- */

static int
answer_to(struct transaction *t, enum smtp_step step,
    struct smtp_answer *answer_r, struct smtp_result *r)
{
	return client_answer(t->c, step, t->c->opts.step_ms, t->arena, answer_r,
	    r);
}

/* The first failure of a transaction decides it. */
static void
decide(struct transaction *t, const struct smtp_result *r)
{
	if (t->r->outcome == SMTP_RES_NONE)
		*t->r = *r;
}

static int
hear_mail(struct transaction *t)
{
	struct smtp_answer answer;
	struct smtp_result r;

	if (answer_to(t, SMTP_STEP_MAIL, &answer, &r) == 0) {
		if (answer.code < 300)
			return 0;
		client_refused(&r, SMTP_STEP_MAIL, &answer, t->arena);
	}
	decide(t, &r);
	return -1;
}

/* RFC 5321, 4.5.3.1.10: too many recipients are told by 452, or 552. */
static int
hear_rcpt(struct transaction *t, struct smtp_client_rcpt *rcpt)
{
	struct smtp_answer answer;
	struct smtp_result *r = &rcpt->result;

	if (answer_to(t, SMTP_STEP_RCPT, &answer, r) < 0) {
		decide(t, r);
		*r = (struct smtp_result){ 0 };
		return -1;
	}
	if (answer.code < 300) {
		t->accepted++;
		r->outcome = SMTP_RES_OK;
		r->step = SMTP_STEP_RCPT;
		r->answer = answer;
		return 0;
	}
	client_refused(r, SMTP_STEP_RCPT, &answer, t->arena);
	if (t->c->dead) /* 421: for all */
		decide(t, r);
	if (t->accepted > 0 && (answer.code == 452 || answer.code == 552))
		r->outcome = SMTP_RES_AGAIN;
	return 0;
}

/* 354 and nothing else. Without recipients their answers say more. */
static int
hear_data(struct transaction *t)
{
	struct smtp_answer answer;
	struct smtp_result r;

	if (answer_to(t, SMTP_STEP_DATA, &answer, &r) == 0) {
		if (answer.code == 354)
			return 0;
		client_refused(&r, SMTP_STEP_DATA, &answer, t->arena);
		/* RFC 5321, 4.2.1: a 250 here leaves us without a common
		 * understanding. */
		t->c->dead |= answer.code < 400;
	}
	if (t->accepted > 0)
		decide(t, &r);
	return -1;
}

/* ---- the envelope ---- */

/* MAIL, RCPT, and DATA unless BDAT is used, one after the other. 0 when the
 * message is to follow. */
static int
envelope_in_turn(struct transaction *t)
{
	say_mail(t);
	if (hear_mail(t) < 0)
		return -1;
	for (size_t i = 0; i < t->n; i++) {
		say_rcpt(t, &t->rcpts[i]);
		if (hear_rcpt(t, &t->rcpts[i]) < 0 || t->c->dead)
			return -1;
	}
	if (t->accepted == 0 || t->bdat)
		return t->accepted > 0 ? 0 : -1;
	client_command(t->c, LOG_TRACE, "DATA");
	return hear_data(t);
}

/* What was said of recipients behind a MAIL that was refused is not theirs. */
static void
forget_rcpts(struct transaction *t)
{
	t->accepted = 0;
	for (size_t i = 0; i < t->n; i++)
		t->rcpts[i].result = (struct smtp_result){ 0 };
}

/* The same in groups (RFC 2920). 0 also when DATA was taken for nobody. */
static int
envelope_in_groups(struct transaction *t)
{
	int mail = 0;

	say_mail(t);
	for (size_t i = 0, end; i < t->n && mail == 0; i = end) {
		end = t->n - i > PIPELINE ? i + PIPELINE : t->n;
		for (size_t k = i; k < end; k++)
			say_rcpt(t, &t->rcpts[k]);
		if (end == t->n && !t->bdat)
			client_command(t->c, LOG_TRACE, "DATA");
		if (i == 0)
			mail = hear_mail(t);
		for (size_t k = i; k < end && !t->c->dead; k++)
			hear_rcpt(t, &t->rcpts[k]);
		if (mail < 0)
			forget_rcpts(t);
		if (t->c->dead || (mail < 0 && (t->bdat || end < t->n)))
			return -1;
	}
	if (t->bdat)
		return t->accepted > 0 ? 0 : -1;
	return hear_data(t);
}

/* ---- the message ---- */

/* The server waits for a message that nobody is to get (RFC 2920, 3.1). */
static void
send_nothing(struct transaction *t)
{
	struct smtp_answer answer;
	struct smtp_result r;

	conn_writez(t->c->conn, ".\r\n");
	answer_to(t, SMTP_STEP_DATA, &answer, &r);
}

static int
send_message(struct transaction *t)
{
	struct smtp_client *c = t->c;
	struct smtp_answer answer;
	struct smtp_result r;
	struct err e = ERR_INIT;

	if (t->bdat)
		client_command(c, LOG_TRACE, "BDAT %" PRIu64 " LAST",
		    t->facts.wire_size);
	if (client_write_source(c, &t->mail->source, &t->facts, !t->bdat,
		t->facts.bare, &e) < 0) {
		c->dead = true; /* so that the rest is not taken for it */
		return client_fail(t->r, SMTP_RES_TEMP, SMTP_STEP_DATA,
		    t->arena, "%s", e.text);
	}
	if (client_answer(c, SMTP_STEP_END, c->opts.end_ms, t->arena, &answer,
		&r) < 0) {
		decide(t, &r);
		return -1;
	}
	if (answer.code < 300) {
		r = (struct smtp_result){ .outcome = SMTP_RES_OK,
			.step = SMTP_STEP_END,
			.answer = answer };
		decide(t, &r);
		return 0;
	}
	client_refused(&r, SMTP_STEP_END, &answer, t->arena);
	decide(t, &r);
	return -1;
}

static int
run(struct transaction *t)
{
	int rc;

	choose(t);
	t->c->begun = true;
	t->c->sent++;
	rc = t->c->offers.pipelining && !t->c->opts.no_pipelining
	    ? envelope_in_groups(t)
	    : envelope_in_turn(t);
	if (rc < 0)
		return -1;
	if (t->accepted == 0) {
		send_nothing(t);
		return -1;
	}
	rc = send_message(t);
	t->c->begun = rc < 0;
	return rc;
}

/* ---- results ---- */

/* Who was taken, or not asked, shares the fate of the message. Nobody is told
 * to come again on a connection that is gone, where nothing was sent for
 * him. */
static void
settle_rcpt(const struct transaction *t, struct smtp_result *r)
{
	if (r->outcome == SMTP_RES_OK || r->outcome == SMTP_RES_NONE) {
		*r = *t->r;
	} else if (r->outcome == SMTP_RES_AGAIN && t->c->dead) {
		*r = *t->r;
		if (r->outcome == SMTP_RES_OK || r->outcome == SMTP_RES_UNKNOWN)
			r->outcome = SMTP_RES_LOST;
	}
}

/* Where nothing was decided for all, all recipients were refused. */
static void
settle(struct transaction *t, size_t n)
{
	for (size_t i = 0; i < n; i++)
		settle_rcpt(t, &t->rcpts[i].result);
	for (size_t i = 0; i < n; i++)
		if (t->rcpts[i].result.outcome > SMTP_RES_AGAIN)
			decide(t, &t->rcpts[i].result);
	if (t->r->outcome == SMTP_RES_NONE)
		client_fail(t->r, SMTP_RES_PERM, SMTP_STEP_RCPT, t->arena,
		    "no recipient");
}

int
smtp_client_send(struct smtp_client *c, const struct smtp_client_mail *mail,
    struct smtp_client_rcpt *rcpts, size_t n, struct arena *arena,
    struct smtp_result *result_r)
{
	size_t max = c->offers.rcpt_max;
	struct transaction t = { .c = c,
		.mail = mail,
		.rcpts = rcpts,
		.n = max > 0 && n > max ? max : n,
		.arena = arena,
		.r = result_r };
	int rc;

	*result_r = (struct smtp_result){ 0 };
	for (size_t i = 0; i < t.n; i++)
		rcpts[i].result = (struct smtp_result){ 0 };
	for (size_t i = t.n; i < n; i++)
		client_fail(&rcpts[i].result, SMTP_RES_AGAIN, SMTP_STEP_RCPT,
		    arena, "the server takes %zu recipients at a time", max);
	if (c->dead || !c->open) {
		client_fail(result_r, SMTP_RES_LOST, SMTP_STEP_MAIL, arena,
		    "connection is not open");
		rc = -1;
	} else {
		rc = check(&t);
	}
	if (rc == 0 && c->begun)
		rc = client_ask(c, SMTP_STEP_RSET, arena, result_r, "RSET");
	if (rc == 0) {
		c->begun = false;
		rc = run(&t);
	}
	settle(&t, n);
	return rc;
}
