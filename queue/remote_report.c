/* remote_report - what came of TLS with the hosts of a domain, for reports to
 * those who ask for them (RFC 8460). */
#include "base/log.h"
#include "queue/remote.h"
#include "tlsrpt/tlsrpt.h"

#define LINES_MAX 1000 /* of a policy */

/* ---- the policy ---- */

/* RFC 8460, 4.4: an array of its lines. */
static void
add_sts(struct remote *r, const struct mtasts_result *sts,
    struct tlsrpt_result *result)
{
	struct slice rest = sts->text, line;
	struct slice *lines =
	    arena_array(r->group.arena, LINES_MAX, sizeof(*lines));

	while (result->npolicy < LINES_MAX && slice_line(&rest, &line))
		if (line.n)
			lines[result->npolicy++] = line;
	result->policy = lines;
	result->mx = sts->policy.mx;
	result->nmx = sts->policy.nmx;
}

static void
add_tlsa(struct remote *r, const struct remote_host *h,
    struct tlsrpt_result *result)
{
	const struct dane_result *dane = &h->dane;
	struct slice *lines =
	    arena_array(r->group.arena, dane->nall, sizeof(*lines));

	for (size_t i = 0; i < dane->nall; i++)
		lines[i] = dane_text(r->group.arena, &dane->all[i]);
	result->policy = lines;
	result->npolicy = dane->nall;
	result->policy_domain = dane->base.n ? dane->base : h->name;
	result->is_host = !slice_eq(result->policy_domain, r->domain);
}

/* ---- notes ---- */

static void
note(struct remote *r, const struct remote_route *route,
    const struct remote_host *h, enum tlsrpt_policy type, const char *failure,
    struct slice reason)
{
	char from[IP_TEXT] = "", to[IP_TEXT] = "";
	struct err e = ERR_INIT;
	struct tlsrpt_result result = { .type = type,
		.policy_domain = r->domain,
		.rcpt_domain = r->domain,
		.failure = slice_str(failure),
		.reason = reason };

	/* RFC 8460, 5.3: reports are not reported about. Senders who will not
	 * have TLS are no news either. */
	if (route->item->m.report || r->domain.p[0] == '[' ||
	    route->item->m.requiretls == QUEUE_TLS_NO)
		return;
	if (type == TLSRPT_STS)
		add_sts(r, &route->sts, &result);
	if (type == TLSRPT_TLSA)
		add_tlsa(r, h, &result);
	if (h) {
		result.mx_host = h->name;
		result.sending_ip = slice_str(ip_text(&r->local, from));
		result.receiving_ip = slice_str(ip_text(&r->ip, to));
	}
	if (r->client)
		result.mx_helo = smtp_client_greeting(r->client);
	if (tlsrpt_note(r->tlsresults_fd, r->group.clock, &result, &e) < 0)
		log_line(QUEUE_TOPIC, LOG_ERROR, "no note of a TLS result",
		    LOG_S("domain", r->domain), LOG_E(&e));
}

void
remote_report_policy(struct remote *r, const struct remote_route *route)
{
	const struct mtasts_result *sts = &route->sts;
	char failure[64];

	if (sts->failure_type.n &&
	    slice_cstr(sts->failure_type, failure, sizeof(failure)))
		note(r, route, NULL, TLSRPT_STS, failure, sts->why);
}

void
remote_report_host(struct remote *r, const struct remote_route *route,
    const struct remote_host *h, bool tlsa, const char *failure,
    const char *reason)
{
	note(r, route, h, tlsa ? TLSRPT_TLSA : TLSRPT_STS, failure,
	    slice_str(reason));
}

/* RFC 8460, 4.3; NULL: the session is as it should be. */
static const char *
failure_of(const struct remote *r, const struct remote_plan *plan,
    const struct smtp_result *result)
{
	if (result->outcome == SMTP_RES_TLS)
		return tls_failure_name(result->tls);
	if (!smtp_client_tls(r->client))
		return tls_failure_name(TLS_FAILURE_STARTTLS);
	return plan->pkix ? tls_failure_name(smtp_client_tls_failure(r->client))
			  : "";
}

void
remote_report_session(struct remote *r, const struct remote_route *route,
    const struct remote_host *h, const struct remote_plan *plan,
    const struct smtp_result *result)
{
	enum tlsrpt_policy type = TLSRPT_NO_POLICY;
	const char *failure;

	if (result->outcome != SMTP_RES_OK && result->outcome != SMTP_RES_TLS)
		return; /* it did not come to that */
	if (h->dane.status == DANE_UNUSABLE)
		return; /* told before: that its records are no good */
	failure = failure_of(r, plan, result);
	if (h->dane.status == DANE_USABLE)
		type = TLSRPT_TLSA;
	else if (route->sts.status == MTASTS_OK) {
		type = TLSRPT_STS;
		if (!mtasts_matches(&route->sts.policy, h->name))
			return; /* told before */
	}
	note(r, route, h, type, failure, *failure ? result->why : SLICE_NULL);
}

/* ---- for the sender ---- */

void
remote_note_offers(struct remote *r, struct slice account)
{
	struct err e = ERR_INIT;

	if (account.n == 0 || slice_eq(account, r->noted) ||
	    r->domain.p[0] == '[')
		return;
	r->noted = arena_dup(r->session, account);
	if (rcpttls_note(r->rcpttls_fd, r->group.clock, account, r->domain,
		&r->offered, &e) < 0)
		log_line(QUEUE_TOPIC, LOG_ERROR, "no note of what was offered",
		    LOG_S("domain", r->domain), LOG_E(&e));
}
