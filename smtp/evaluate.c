/*
 * evaluate - what the policy of From's domain was applied to, for the report
 * its owner asks for (RFC 7489, 7.2). Done once the client has its answer.
 */
#include "base/clock.h"
#include "base/log.h"
#include "dmarc/dmarc_eval.h"
#include "dns/orgdomain.h"
#include "smtp/back.h"
#include "smtp/front.h"
#include "text/idna.h"

/* Has mail that was this domain's been taken before, and its user not called
 * it junk? Who sends forgeries of domains nobody here knows is to cause no
 * mail to them. Accounts of one recipient stand for all. */
static bool
is_known(struct smtp_back *b, struct slice from)
{
	struct history_key key = { HISTORY_FROM_ORG, true, dns_orgdomain(from),
		SLICE_NULL };
	struct history *history;
	struct history_entry *v;
	size_t n;

	if (b->targets.n == 0)
		return false;
	history =
	    deliver_history(b->deliver, &b->targets.v[0], &key.mailbox, NULL);
	if (!history || history_list(history, &key, b->arena, &v, &n, NULL) < 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (v[i].verdict != HISTORY_JUNK)
			return true;
	return false;
}

static bool
is_report(const struct smtp_back *b)
{
	for (size_t i = 0; i < b->nto; i++)
		if (b->to[i].reports != LOOKUP_REPORTS_NONE)
			return true;
	return false;
}

static void
add_dkim(const struct smtp_back *b, struct dmarc_eval *ev)
{
	const struct dkim_results *all = &b->checks.dkim;

	for (size_t i = 0; i < all->n && i < DMARC_EVAL_DKIM; i++)
		ev->dkim[ev->ndkim++] =
		    (struct dmarc_eval_dkim){ all->v[i].sig.domain,
			    all->v[i].sig.selector, all->v[i].status };
}

static void
set_evaluation(struct smtp_back *b, bool rejected, struct dmarc_eval *ev)
{
	const struct smtp_checks *c = &b->checks;

	*ev = (struct dmarc_eval){
		.time = clock_s(b->login.host->env.clock),
		.rejected = rejected,
		.dkim_aligned = c->dmarc.dkim_aligned,
		.spf_aligned = c->dmarc.spf_aligned,
		.ip = b->login.client->ip,
		.from = c->from_domain,
		.mail_from = c->spf_args.domain,
		.rcpt = b->nto ? b->to[0].domain : SLICE_NULL,
		.record = c->dmarc.found.record.text,
		.spf = c->spf.status,
		.spf_helo = c->spf.helo,
		.spf_domain = c->spf.domain,
	};
	idna_ascii(b->arena, c->from_domain, &ev->from, NULL);
	if (c->dmarc.spared && !rejected)
		ev->override = SLICE("sampled_out");
	ev->optional = rejected ? !is_known(b, ev->from) : is_report(b);
	add_dkim(b, ev);
}

void
smtp_evaluate(struct smtp_back *b, bool rejected)
{
	const struct dmarc_found *found = &b->checks.dmarc.found;
	struct dmarc_eval ev;
	struct err e = ERR_INIT;

	if (!b->checks.has_dmarc || found->status != DMARC_PASS ||
	    found->record.rua.n == 0 ||
	    b->login.host->config->mox.no_outgoing_dmarc_reports)
		return;
	set_evaluation(b, rejected, &ev);
	if (dmarc_eval_add(b->login.host->env.data_fd, found->domain, &ev, &e) <
	    0)
		log_line(SMTP_TOPIC, LOG_ERROR, "evaluation not kept",
		    LOG_S("domain", found->domain), LOG_E(&e));
}
