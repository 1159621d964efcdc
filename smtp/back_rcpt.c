/* back_rcpt - MAIL and RCPT: who may send, and who gets it. */
#include "base/clock.h"
#include "base/log.h"
#include "smtp/back.h"
#include "smtp/front.h"

#define BAD_MAX 10 /* transactions that failed before a first good one */

static bool
is_literal(struct slice domain)
{
	return domain.n && domain.p[0] == '[';
}

/* ---- MAIL ---- */

static bool
take_mail(struct smtp_back *b, const struct split_msg *msg)
{
	b->helo = arena_dup(b->arena, msg->v[1]);
	b->from_local = arena_dup(b->arena, msg->v[2]);
	b->from_domain = arena_dup(b->arena, msg->v[3]);
	b->envid = arena_dup(b->arena, msg->v[4]);
	return SPLIT_GET(msg->v[0], &b->mail);
}

/* Of the account, or the null sender. 1, or answered. */
static int
check_submitter(struct smtp_back *b, struct err *e)
{
	if (!b->login.account.n)
		return smtp_verdict(b, 530, "5.7.0", e, "authenticate first");
	return b->mail.empty
	    ? 1
	    : smtp_may_send(b, b->from_local, b->from_domain, "sender", e);
}

static int
check_mail(struct smtp_back *b, struct err *e)
{
	const char *enhanced;
	int code = smtp_special(b, SPECIAL_MAIL, b->from_local, &enhanced);

	if (code)
		return smtp_verdict(b, code, enhanced, e, "as you wish");
	if (b->submission)
		return check_submitter(b, e);
	if (is_literal(b->from_domain))
		return smtp_verdict(b, 550, "5.7.0", e,
		    "sender domain must be a name");
	return smtp_check_mail(b, e);
}

int
smtp_on_mail(void *ctx, const struct split_msg *msg, struct err *e)
{
	struct smtp_back *b = ctx;
	int rc;

	smtp_back_reset(b);
	lookup_refresh(b->login.host->lookup, clock_mono_ms(NULL) * 1000000);
	if (!take_mail(b, msg))
		return err_set(e, ERR_SYNTAX, "bad MAIL");
	/* Whoever fails so often is guessing addresses. */
	if (b->bad > BAD_MAX && b->good == 0)
		return smtp_verdict_last(b, 550, "5.1.0", e,
		    "too many failures");
	b->bad++; /* until it is delivered */
	rc = check_mail(b, e);
	if (rc <= 0)
		return rc;
	b->rest = split_state(b->login.split);
	split_set_state(b->login.split, SMTP_ST_MAIL);
	return smtp_verdict(b, 250, "2.1.0", e, "ok");
}

/* ---- RCPT ---- */

/* The array with room for one more; in the arena. */
static void *
room(struct smtp_back *b, void *v, size_t n, size_t size)
{
	if (n & (n - 1))
		return v;
	return arena_grow(b->arena, v, n, n ? 2 * n : 1, size);
}

struct slice
smtp_address_text(struct smtp_back *b, struct slice local, struct slice domain)
{
	struct smtpaddr addr = { .local = local, .domain = domain };
	struct buf text = BUF_INIT(2048);
	struct slice s;

	smtpaddr_write(&text, &addr);
	s = arena_dup(b->arena, buf_slice(&text));
	buf_free(&text);
	return s;
}

/*
 * Who asks is not told which addresses there are, but when the message has
 * come. That answer is for all recipients, so one that is known
 * comes apart from those that are not.
 */
static int
route_unknown(struct smtp_back *b, struct err *e)
{
	if (b->submission || b->targets.n)
		return smtp_verdict(b, 550, "5.1.1", e, "no such user");
	b->unknown = true;
	return 1;
}

/* What the account wants said to authors who are not confirmed. */
static struct slice
confirm_of(const struct smtp_back *b, const struct lookup_result *r)
{
	if (b->submission || r->status != LOOKUP_ACCOUNT)
		return SLICE_NULL;
	return r->destination->message_auth_required_smtp_error;
}

/* The answer to a message is for all its recipients: those who want the author
 * confirmed, each with words of their own, come apart. */
static bool
is_apart(const struct smtp_back *b, const struct lookup_result *r)
{
	return b->nto > 0 && !slice_eq(confirm_of(b, r), b->to[0].confirm);
}

/* 1, or answered. */
static int
route_alias(struct smtp_back *b, const struct conf_alias *alias,
    struct slice address, struct err *e)
{
	struct err why = ERR_INIT;
	int rc = deliver_expand(b->login.host->lookup, b->arena, alias, address,
	    &b->targets, &why);

	if (rc > 0) {
		b->seals.wanted = b->checks.dns != NULL;
		return 1;
	}
	if (rc == 0)
		return smtp_verdict(b, 451, "4.3.0", e,
		    "alias has no members now");
	if (why.kind == ERR_LIMIT)
		return smtp_verdict(b, 452, "4.5.3", e, "%s", why.text);
	return err_set(e, why.kind, "%s", why.text);
}

/* What the look-up says, as a target or an answer. 1, or answered. */
static int
route(struct smtp_back *b, struct slice local, struct slice domain,
    const struct lookup_result *r, struct err *e)
{
	struct slice address = smtp_address_text(b, local, domain);
	size_t first = b->targets.n;
	int rc = 1;

	switch (r->status) {
	case LOOKUP_ACCOUNT:
	case LOOKUP_ALIAS:
		if (b->unknown || is_apart(b, r))
			return smtp_verdict(b, 452, "4.5.3", e,
			    "recipient needs a transaction of its own");
		if (b->submission)
			return 1; /* the queue finds its way */
		if (r->status == LOOKUP_ALIAS)
			rc = route_alias(b, r->alias, address, e);
		else
			deliver_target_add(b->arena, &b->targets, r, address,
			    SLICE_NULL);
		return rc > 0 ? smtp_take_forwards(b, first, e) : rc;
	case LOOKUP_SMTP_ERROR:
		return smtp_verdict(b, r->smtp_code, r->smtp_enhanced, e,
		    "%.*s", SLICE_FMT(r->smtp_text));
	case LOOKUP_DOMAIN_DISABLED:
		return smtp_verdict(b, 450, "4.2.1", e,
		    "domain is disabled for now");
	case LOOKUP_UNKNOWN_USER:
		return route_unknown(b, e);
	case LOOKUP_NOT_LOCAL:
		break;
	}
	if (b->submission)
		return 1;
	return smtp_verdict(b, 550, "5.1.1", e, "no mail for that domain here");
}

/* localserve: mail to anybody is for its only account. */
static int
look_up(struct smtp_back *b, struct slice local, struct slice domain,
    struct lookup_result *r, struct err *e)
{
	struct lookup *lookup = b->login.host->lookup;

	if (lookup_address(lookup, b->arena, local, domain, r, e) < 0)
		return -1;
	if (b->d->localserve &&
	    (r->status == LOOKUP_UNKNOWN_USER || r->status == LOOKUP_NOT_LOCAL))
		return lookup_address(lookup, b->arena, SLICE("mox"),
		    SLICE("localhost"), r, e);
	return 0;
}

/* Refusals that need no look-up. 1: none. */
static int
check_rcpt(struct smtp_back *b, struct slice local, struct slice domain,
    struct err *e)
{
	const char *enhanced;
	int code = smtp_special(b, SPECIAL_RCPT, local, &enhanced);

	if (code)
		return smtp_verdict(b, code, enhanced, e, "as you wish");
	if (b->nto == SMTP_RCPT_MAX)
		return smtp_verdict(b, 452, "4.5.3", e, "at most %d recipients",
		    SMTP_RCPT_MAX);
	if (!b->submission && b->mail.empty && b->nto)
		/* RFC 5321, 6.1: notifications go to one. */
		return smtp_verdict(b, 452, "4.5.3", e,
		    "one recipient for the null sender");
	if (!b->submission && is_literal(domain))
		return smtp_verdict(b, 550, "5.1.1", e,
		    "no mail for addresses of hosts here");
	return 1;
}

/* Reports on TLS must get through where TLS fails (RFC 8460, 3). */
static bool
lacks_tls(const struct smtp_back *b, const struct lookup_result *r)
{
	return !b->submission && b->conf->smtp->require_starttls &&
	    !b->login.channel.tls && r->reports != LOOKUP_REPORTS_TLS &&
	    r->reports != LOOKUP_REPORTS_HOST_TLS;
}

static void
add_rcpt(struct smtp_back *b, const struct split_msg *msg,
    const struct smtp_rcpt *params, const struct lookup_result *r, size_t first)
{
	b->to = room(b, b->to, b->nto, sizeof(*b->to));
	b->to[b->nto++] = (struct smtp_to){
		.local = arena_dup(b->arena, msg->v[1]),
		.domain = arena_dup(b->arena, msg->v[2]),
		.params = *params,
		.orcpt = arena_dup(b->arena, msg->v[3]),
		.first = first,
		.n = b->targets.n - first,
		.alias = r->status == LOOKUP_ALIAS ? r->alias : NULL,
		.address = r->address,
		.reports = r->reports,
		.confirm = confirm_of(b, r),
	};
	split_set_state(b->login.split, SMTP_ST_RCPT);
}

int
smtp_on_rcpt(void *ctx, const struct split_msg *msg, struct err *e)
{
	struct smtp_back *b = ctx;
	struct slice local = msg->v[1], domain = msg->v[2];
	struct lookup_result r;
	size_t first = b->targets.n;
	struct smtp_rcpt params;
	bool taken = false;
	int rc;

	if (!SPLIT_GET(msg->v[0], &params))
		return err_set(e, ERR_SYNTAX, "bad RCPT");
	rc = check_rcpt(b, local, domain, e);
	if (rc <= 0)
		return rc;
	if (look_up(b, local, domain, &r, e) < 0)
		return -1;
	if (lacks_tls(b, &r))
		return smtp_verdict(b, 530, "5.7.0", e, "TLS is needed here");
	rc = smtp_check_second_rcpt(b, e);
	if (rc > 0 && !b->submission && r.status != LOOKUP_NOT_LOCAL &&
	    r.status != LOOKUP_DOMAIN_DISABLED)
		rc = smtp_route_back(b, local, domain, &taken, e);
	if (rc > 0 && !taken)
		rc = route(b, local, domain, &r, e);
	if (rc <= 0)
		return rc;
	add_rcpt(b, msg, &params, &r, first);
	return smtp_verdict(b, 250, "2.1.5", e, "ok");
}
