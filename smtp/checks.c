/*
 * checks - who sent this? Asked when it is needed, started before.
 */
#include "base/clock.h"
#include "base/log.h"
#include "dns/name.h"
#include "host/host_dns.h"
#include "smtp/back.h"
#include "smtp/front.h"
#include "text/idna.h"

/* ---- the connection ---- */

void
smtp_checks_begin(struct smtp_back *b)
{
	struct smtp_checks *c = &b->checks;

	c->arena = arena_new(0);
	if (b->submission || !b->d->ask_dns || b->login.client->ip.family == 0)
		return;
	c->dns = host_dns(b->login.host, b->login.client);
	if (c->dns != NULL)
		dns_start_reverse(c->dns, &b->login.client->ip);
}

void
smtp_checks_end(struct smtp_back *b)
{
	if (b->checks.dns != NULL)
		dns_forget(b->checks.dns);
	arena_free(&b->checks.arena);
}

void
smtp_checks_reset(struct smtp_back *b)
{
	struct smtp_checks *c = &b->checks;

	*c = (struct smtp_checks){ .dns = c->dns,
		.arena = c->arena,
		.has_iprev = c->has_iprev,
		.iprev = c->iprev };
}

/* For one check: all answers come within SMTP_CHECK_MS. */
static struct dns *
begin_check(struct smtp_checks *c)
{
	c->dns->until_ms = clock_mono_ms(NULL) + SMTP_CHECK_MS;
	return c->dns;
}

static void
end_check(struct smtp_checks *c)
{
	c->dns->until_ms = 0;
}

/* ---- HELO ---- */

/* 1: some address, or that cannot be known now; 0: none. */
static int
has_address(struct smtp_back *b, struct slice name)
{
	struct dns_answer a;
	struct err e = ERR_INIT;
	int rc = dns_addresses(begin_check(&b->checks), b->checks.arena, name,
	    &a, &e);

	end_check(&b->checks);
	return rc < 0 && e.kind == ERR_TEMP ? 1 : rc > 0;
}

int
smtp_on_helo(void *ctx, const struct split_msg *msg, struct err *e)
{
	struct smtp_back *b = ctx;
	struct slice name = msg->v[0], ascii;

	if (b->checks.dns != NULL && name.n > 0 && name.p[0] != '[' &&
	    (idna_ascii(b->checks.arena, name, &ascii, NULL) < 0 ||
		!has_address(b, ascii)))
		return smtp_verdict(b, 550, "5.5.0", e,
		    "your host name is not in DNS");
	return smtp_verdict(b, 250, "", e, "ok");
}

/* ---- MAIL ---- */

static void
set_spf_args(struct smtp_back *b)
{
	struct smtp_checks *c = &b->checks;
	struct spf_args *args = &c->spf_args;

	*args = (struct spf_args){
		.ip = b->login.client->ip,
		.helo = b->helo,
		.local = b->from_local,
		.domain = b->from_domain,
		.receiver = config_listener_hostname(b->login.host->config,
		    b->conf, b->arena),
		.now_s = clock_s(b->login.host->env.clock),
	};
	/* What has no form for DNS has no record either. */
	idna_ascii(b->arena, b->helo, &args->helo, NULL);
	idna_ascii(b->arena, b->from_domain, &args->domain, NULL);
}

/*
 * Could an answer be sent to this domain? 1; 0 no; -1 that is not known now.
 * RFC 5321, 5.1; RFC 7505 for the null MX.
 */
static int
takes_mail(struct smtp_back *b, struct slice domain)
{
	struct dns *dns = b->checks.dns;
	struct err e = ERR_INIT;
	struct dns_answer a;
	int rc;

	dns_start(dns, domain, DNS_MX);
	dns_start_addresses(dns, domain);
	rc = dns_query(dns, b->arena, domain, DNS_MX, &a, &e);
	if (rc > 0)
		return a.n != 1 || a.v[0].mx.host.n > 0;
	if (rc == 0)
		rc = dns_addresses(dns, b->arena, domain, &a, &e);
	return rc < 0 && e.kind != ERR_TEMP ? 0 : rc;
}

int
smtp_check_mail(struct smtp_back *b, struct err *e)
{
	int rc = 1;

	if (b->checks.dns == NULL)
		return 1;
	set_spf_args(b);
	spf_start(b->checks.dns, &b->checks.spf_args);
	if (!b->mail.empty) {
		begin_check(&b->checks);
		rc = takes_mail(b, b->checks.spf_args.domain);
		end_check(&b->checks);
	}
	if (rc < 0)
		return smtp_verdict(b, 451, "4.4.0", e,
		    "sender domain cannot be looked up now");
	if (rc == 0)
		return smtp_verdict(b, 550, "5.7.27", e,
		    "sender domain takes no mail");
	return 1;
}

/* ---- RCPT ---- */

static void
check_spf(struct smtp_back *b)
{
	struct smtp_checks *c = &b->checks;

	if (c->has_spf)
		return;
	spf_verify(begin_check(c), b->arena, &c->spf_args, &c->spf);
	end_check(c);
	c->has_spf = true;
	log_line(SMTP_TOPIC, LOG_DEBUG, "spf",
	    LOG_Z("result", spf_status_name(c->spf.status)),
	    LOG_S("domain", c->spf.domain), LOG_S("problem", c->spf.problem));
}

/* A message for many is taken from those only who may send for the domain. */
int
smtp_check_second_rcpt(struct smtp_back *b, struct err *e)
{
	if (b->checks.dns == NULL || b->nto == 0)
		return 1;
	check_spf(b);
	if (b->checks.spf.status == SPF_PASS)
		return 1;
	return smtp_verdict(b, 452, "4.5.3", e,
	    "one recipient at a time without SPF pass");
}

/* ---- the message ---- */

static void
check_iprev(struct smtp_back *b)
{
	struct smtp_checks *c = &b->checks;

	if (c->has_iprev)
		return;
	iprev_check(begin_check(c), c->arena, &b->login.client->ip, &c->iprev);
	end_check(c);
	c->has_iprev = true;
	log_line(SMTP_TOPIC, LOG_DEBUG, "iprev",
	    LOG_Z("result", iprev_status_name(c->iprev.status)),
	    LOG_S("name", c->iprev.name));
}

static void
check_dmarc(struct smtp_back *b)
{
	struct smtp_checks *c = &b->checks;
	struct dmarc_args args = {
		.from_domain = c->from_domain,
		.spf_pass = c->spf.status == SPF_PASS,
		.spf_temperror = c->spf.status == SPF_TEMPERROR,
		.spf_domain = c->spf.domain,
		.dkim = &c->dkim,
		.rand = b->login.host->env.rand,
	};

	if (c->from_domain.n == 0) /* nobody's policy */
		return;
	dmarc_verify(begin_check(c), b->arena, &args, &c->dmarc);
	end_check(c);
	c->has_dmarc = true;
	log_line(SMTP_TOPIC, LOG_INFO, "dmarc",
	    LOG_Z("result", dmarc_status_name(c->dmarc.status)),
	    LOG_Z("policy", dmarc_policy_name(c->dmarc.policy)),
	    LOG_S("domain", c->from_domain), LOG_S("why", c->dmarc.found.why));
}

/* MessageAuthRequiredSMTPError: whoever DNS could not say anything about may
 * try again. */
static int
check_confirmed(struct smtp_back *b, struct err *e)
{
	const struct smtp_checks *c = &b->checks;
	struct slice text = b->nto ? b->to[0].confirm : SLICE_NULL;

	if (text.n == 0 || history_is_validated(smtp_from_validation(b)))
		return 1;
	if (c->has_dmarc && c->dmarc.status == DMARC_TEMPERROR)
		return smtp_verdict(b, 451, "4.7.26", e,
		    "cannot be verified now: %.*s", SLICE_FMT(text));
	return smtp_verdict(b, 550, "5.7.26", e, "%.*s", SLICE_FMT(text));
}

int
smtp_check_sender(struct smtp_back *b, struct err *e)
{
	struct smtp_checks *c = &b->checks;

	if (c->dns == NULL)
		return 1;
	if (!c->has_arc)
		return err_set(e, ERR_SYNTAX, "results of DKIM are missing");
	c->from_domain = msgrec_text(buf_slice(&b->record), MSGREC_FROM_DOMAIN);
	check_iprev(b);
	check_spf(b);
	check_dmarc(b);
	if (!c->has_dmarc || !c->dmarc.reject)
		return check_confirmed(b, e);
	c->refused = true;
	return smtp_verdict(b, 550, "5.7.26", e,
	    "%.*s does not want this: neither SPF nor DKIM is its own (DMARC)",
	    SLICE_FMT(slice_head(c->from_domain, DNS_NAME_MAX)));
}
