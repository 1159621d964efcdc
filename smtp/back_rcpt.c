/* back_rcpt - MAIL and RCPT: who may send, and who gets it. */
#include "base/clock.h"
#include "base/log.h"
#include "smtp/back.h"
#include "smtp/front.h"

static int64_t
mono_ns(void)
{
	return clock_mono_ms(NULL) * 1000000;
}

static bool
is_literal(struct slice domain)
{
	return domain.n && domain.p[0] == '[';
}

/* ---- MAIL ---- */

static bool
take_mail(struct smtp_back *b, const struct split_msg *msg)
{
	if (!SPLIT_GET(msg->v[0], &b->mail))
		return false;
	b->helo = arena_dup(b->arena, msg->v[1]);
	b->from_local = arena_dup(b->arena, msg->v[2]);
	b->from_domain = arena_dup(b->arena, msg->v[3]);
	b->envid = arena_dup(b->arena, msg->v[4]);
	return true;
}

/* Submission: an address of the account, or an alias it may use. */
static int
check_sender(struct smtp_back *b, struct err *e)
{
	struct lookup *lookup = b->login.host->lookup;
	struct lookup_result r;
	int rc;

	if (!b->login.account.n)
		return smtp_verdict(b, 530, "5.7.0", e, "authenticate first");
	if (b->mail.empty)
		return 1;
	rc = lookup_may_send(lookup, b->login.account, b->from_local,
	    b->from_domain, e);
	if (rc < 0)
		return -1;
	if (rc == 0)
		return smtp_verdict(b, 550, "5.7.1", e,
		    "not an address of your account");
	if (lookup_address(lookup, b->arena, b->from_local, b->from_domain, &r,
		e) < 0)
		return -1;
	if (r.status == LOOKUP_DOMAIN_DISABLED)
		return smtp_verdict(b, 451, "4.3.0", e,
		    "domain is disabled for now");
	return 1;
}

int
smtp_on_mail(void *ctx, const struct split_msg *msg, struct err *e)
{
	struct smtp_back *b = ctx;
	const char *enhanced;
	int rc;

	smtp_back_reset(b);
	lookup_refresh(b->login.host->lookup, mono_ns());
	if (!take_mail(b, msg))
		return err_set(e, ERR_SYNTAX, "bad MAIL");
	rc = smtp_special(b, SPECIAL_MAIL, b->from_local, &enhanced);
	if (rc)
		return smtp_verdict(b, rc, enhanced, e, "as you wish");
	if (b->mail.hold_until)
		return smtp_verdict(b, 451, "4.3.0", e,
		    "holding messages is not in effect yet");
	if (b->submission) {
		rc = check_sender(b, e);
		if (rc <= 0)
			return rc;
	} else if (is_literal(b->from_domain))
		return smtp_verdict(b, 550, "5.7.0", e,
		    "sender domain must be a name");
	split_set_state(b->login.split, SMTP_ST_MAIL);
	return smtp_verdict(b, 250, "2.1.0", e, "ok");
}

/* ---- RCPT ---- */

/* Each mailbox gets a message once, however many addresses lead to it. */
static void
add_target(struct smtp_back *b, struct slice account, struct slice mailbox,
    struct slice address)
{
	struct smtp_target *t;

	for (size_t i = 0; i < b->ntargets; i++)
		if (slice_eq(b->targets[i].account, account) &&
		    slice_eq(b->targets[i].mailbox, mailbox))
			return;
	b->targets = arena_grow(b->arena, b->targets, b->ntargets,
	    b->ntargets + 1, sizeof(*b->targets));
	t = &b->targets[b->ntargets++];
	t->account = account;
	t->mailbox = mailbox;
	t->address = address;
}

static struct slice
address_text(struct smtp_back *b, struct slice local, struct slice domain)
{
	struct smtpaddr addr = { .local = local, .domain = domain };
	struct buf text = BUF_INIT(2048);
	struct slice s;

	smtpaddr_write(&text, &addr);
	s = arena_dup(b->arena, buf_slice(&text));
	buf_free(&text);
	return s;
}

/* Members of an alias; those that are gone meanwhile are left out. */
static int
add_members(struct smtp_back *b, const struct conf_alias *alias,
    struct slice address, struct err *e)
{
	struct lookup_result r;

	for (size_t i = 0; i < alias->addresses.n; i++) {
		if (lookup_mailbox(b->login.host->lookup, b->arena,
			alias->addresses.v[i], &r, e) < 0)
			return -1;
		if (r.status == LOOKUP_ACCOUNT)
			add_target(b, r.account, r.destination->mailbox,
			    address);
		else
			log_line(SMTP_TOPIC, LOG_WARN, "alias member ignored",
			    LOG_S("alias", address),
			    LOG_S("member", alias->addresses.v[i]));
	}
	return 0;
}

static int
accept_rcpt(struct smtp_back *b, const struct split_msg *msg,
    const struct smtp_rcpt *params, struct err *e)
{
	struct smtp_to *to;

	b->to = arena_grow(b->arena, b->to, b->nto, b->nto + 1,
	    sizeof(*b->to));
	to = &b->to[b->nto++];
	to->local = arena_dup(b->arena, msg->v[1]);
	to->domain = arena_dup(b->arena, msg->v[2]);
	to->params = *params;
	to->orcpt = arena_dup(b->arena, msg->v[3]);
	split_set_state(b->login.split, SMTP_ST_RCPT);
	return smtp_verdict(b, 250, "2.1.5", e, "ok");
}

/* What the look-up said, as an answer or a target. 1: go on. */
static int
route(struct smtp_back *b, struct slice local, struct slice domain,
    const struct lookup_result *r, struct err *e)
{
	struct slice address = address_text(b, local, domain);

	switch (r->status) {
	case LOOKUP_ACCOUNT:
		add_target(b, r->account, r->destination->mailbox, address);
		return 1;
	case LOOKUP_ALIAS:
		return add_members(b, r->alias, address, e) < 0 ? -1 : 1;
	case LOOKUP_SMTP_ERROR:
		return smtp_verdict(b, r->smtp_code, r->smtp_enhanced, e,
		    "%.*s", SLICE_FMT(r->smtp_text));
	case LOOKUP_DOMAIN_DISABLED:
		return smtp_verdict(b, 450, "4.2.1", e,
		    "domain is disabled for now");
	case LOOKUP_UNKNOWN_USER:
		return smtp_verdict(b, 550, "5.1.1", e, "no such user");
	case LOOKUP_NOT_LOCAL:
		break;
	}
	if (b->submission)
		return smtp_verdict(b, 451, "4.3.0", e,
		    "delivery to other hosts is not in effect yet");
	return smtp_verdict(b, 550, "5.1.1", e, "no mail for that domain here");
}

/* localserve: mail to anybody is for its only account. */
static int
route_localserve(struct smtp_back *b, struct slice local, struct slice domain,
    struct lookup_result *r, struct err *e)
{
	if (r->status == LOOKUP_UNKNOWN_USER || r->status == LOOKUP_NOT_LOCAL) {
		if (lookup_address(b->login.host->lookup, b->arena,
			SLICE("mox"), SLICE("localhost"), r, e) < 0)
			return -1;
	}
	return route(b, local, domain, r, e);
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
	if (b->nto >= SMTP_RCPT_MAX)
		return smtp_verdict(b, 452, "4.5.3", e,
		    "too many recipients");
	if (!b->submission && b->mail.empty && b->nto)
		/* RFC 5321, 6.1: notifications go to one. */
		return smtp_verdict(b, 452, "4.5.3", e,
		    "one recipient for the null sender");
	if (!b->submission && is_literal(domain))
		return smtp_verdict(b, 550, "5.1.1", e,
		    "no mail for addresses here");
	return 1;
}

int
smtp_on_rcpt(void *ctx, const struct split_msg *msg, struct err *e)
{
	struct smtp_back *b = ctx;
	struct slice local = msg->v[1], domain = msg->v[2];
	struct lookup_result r;
	struct smtp_rcpt params;
	int rc;

	if (!SPLIT_GET(msg->v[0], &params))
		return err_set(e, ERR_SYNTAX, "bad RCPT");
	rc = check_rcpt(b, local, domain, e);
	if (rc <= 0)
		return rc;
	if (lookup_address(b->login.host->lookup, b->arena, local, domain, &r,
		e) < 0)
		return -1;
	/* Reports on TLS must get through where TLS fails (RFC 8460, 3). */
	if (!b->submission && b->conf->smtp->require_starttls &&
	    !b->login.channel.tls && r.reports != LOOKUP_REPORTS_TLS &&
	    r.reports != LOOKUP_REPORTS_HOST_TLS)
		return smtp_verdict(b, 530, "5.7.0", e, "TLS is needed here");
	rc = b->d->localserve ? route_localserve(b, local, domain, &r, e)
			      : route(b, local, domain, &r, e);
	return rc <= 0 ? rc : accept_rcpt(b, msg, &params, e);
}
