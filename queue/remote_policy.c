/* remote_policy - what TLS a host must have: MTA-STS (RFC 8461), DANE (RFC
 * 7672), REQUIRETLS and "TLS-Required: No" (RFC 8689). */
#include "queue/remote.h"

#define PORT 25 /* of _25._tcp.HOST, whatever tests connect to */

/* ---- of the domain ---- */

static bool
is_literal(const struct remote *r)
{
	return r->domain.p[0] == '[';
}

void
remote_policy_start(struct remote *r)
{
	if (!is_literal(r))
		mtasts_start(r->dns, r->group.arena, r->domain);
}

void
remote_policy_get(struct remote *r, struct remote_route *route)
{
	const struct mtasts_fetcher fetcher = { mtasts_ask, &r->mtasts_door };

	route->sts = (struct mtasts_result){ .status = MTASTS_NONE };
	if (!is_literal(r))
		mtasts_get(r->dns, r->mtasts_fd, &fetcher, r->group.clock,
		    r->group.arena, r->domain, &route->sts);
	remote_report_policy(r, route);
}

bool
remote_policy_suits(const struct remote *r, const struct item *it)
{
	switch (it->m.requiretls) {
	case QUEUE_TLS_YES:
		return r->verified;
	case QUEUE_TLS_NO:
		return true;
	default:
		return !r->relaxed && !(r->fallback && it->m.report);
	}
}

static bool
has_sts(const struct remote_route *route, enum mtasts_mode mode)
{
	return route->sts.status == MTASTS_OK && route->sts.policy.mode == mode;
}

/* ---- of a host: DANE ---- */

/* Names that the certificate may be for (RFC 7672, 3.2.2): of the host and of
 * the domain, as far as DNSSEC proves what leads from one to the other. */
static void
add_names(struct remote *r, const struct remote_route *route,
    const struct remote_host *h, struct remote_plan *plan)
{
	const struct gather *g = &route->gather;
	struct arena *arena = r->session;
	size_t n = 0;

	plan->names = arena_array(arena, 4, sizeof(*plan->names));
	plan->names[n++] = arena_dup(arena, h->name);
	if (plan->mode == SMTP_TLS_DANE) {
		if (h->addresses.secure)
			plan->names[n++] =
			    arena_dup(arena, h->addresses.expanded);
		plan->names[n++] = arena_dup(arena, r->domain);
		if (g->expanded_secure)
			plan->names[n++] = arena_dup(arena, g->expanded);
	}
	plan->expect.names = plan->names;
	plan->expect.nnames = n;
}

static void
copy_records(struct remote *r, const struct dane_result *dane,
    struct remote_plan *plan)
{
	struct tls_tlsa *v = arena_array(r->session, dane->n, sizeof(*v));

	for (size_t i = 0; i < dane->n; i++) {
		v[i] = dane->v[i];
		v[i].data = arena_dup(r->session, v[i].data);
	}
	plan->expect.tlsa = v;
	plan->expect.ntlsa = dane->n;
	/* RFC 7672, 8.1 */
	plan->expect.sni = arena_dup(r->session, dane->base);
}

/* RFC 7672, 2.2.1: records count if the way to the host is proved. */
static void
look_up_dane(struct remote *r, const struct remote_route *route,
    struct remote_host *h)
{
	const struct gather_addresses *a = &h->addresses;
	const struct dane_host host = { .name = h->name,
		.expanded = a->expanded,
		.name_secure = a->name_secure,
		.secure = a->secure };

	h->dane = (struct dane_result){ .status = DANE_NONE };
	if (route->gather.secure && route->gather.expanded_secure)
		dane_lookup(r->dns, r->group.arena, &host, PORT, &h->dane);
	if (h->dane.status == DANE_FAIL)
		remote_report_host(r, route, h, true,
		    h->dane.bogus ? "dnssec-invalid" : "validation-failure",
		    "tlsa-lookup");
	if (h->dane.status == DANE_UNUSABLE)
		remote_report_host(r, route, h, true, "tlsa-invalid",
		    "none-usable");
}

/* ---- of a host: all of it ---- */

/* False: the policy does not name the host. */
static bool
check_sts_host(struct remote *r, const struct remote_route *route,
    const struct remote_host *h)
{
	if (route->sts.status != MTASTS_OK ||
	    mtasts_matches(&route->sts.policy, h->name))
		return true;
	remote_report_host(r, route, h, false, "validation-failure",
	    "mx-mismatch");
	return has_sts(route, MTASTS_MODE_TESTING);
}

static void
choose_mode(const struct remote_route *route, const struct remote_host *h,
    struct remote_plan *plan)
{
	bool enforce = has_sts(route, MTASTS_MODE_ENFORCE);

	/* Where there is both, DANE decides: it is the stronger one, and RFC
	 * 8461, 2 has MTA-STS not override it. */
	if (h->dane.status == DANE_USABLE)
		plan->mode = SMTP_TLS_DANE;
	else if (enforce)
		plan->mode = SMTP_TLS_PKIX;
	else if (h->dane.status == DANE_UNUSABLE)
		plan->mode = SMTP_TLS_REQUIRED;
	else
		plan->mode = SMTP_TLS_OPPORTUNISTIC;
	plan->verified =
	    plan->mode == SMTP_TLS_DANE || plan->mode == SMTP_TLS_PKIX;
	/* RFC 7435: what may be read by all may be sent to all; but not
	 * reports, which tell who gets mail from whom. */
	plan->clear =
	    plan->mode == SMTP_TLS_OPPORTUNISTIC && !route->item->m.report;
	plan->pkix = plan->mode == SMTP_TLS_PKIX ||
	    (plan->clear && has_sts(route, MTASTS_MODE_TESTING));
}

/* RFC 8689, 5: the sender would rather have it read than lost. */
static void
ignore_policies(struct remote_plan *plan)
{
	plan->mode = SMTP_TLS_OPPORTUNISTIC;
	plan->relaxed = plan->clear = true;
}

int
remote_policy_plan(struct remote *r, struct remote_route *route,
    struct remote_host *h, struct remote_plan *plan, struct smtp_result *result)
{
	bool ignore = route->item->m.requiretls == QUEUE_TLS_NO, named;

	*plan = (struct remote_plan){ .expect.sni =
					  arena_dup(r->session, h->name) };
	if (ignore) {
		ignore_policies(plan);
		return 0;
	}
	named = check_sts_host(r, route, h);
	look_up_dane(r, route, h);
	if (!named)
		return remote_fail(r, result, SMTP_RES_TEMP, "4.7.5",
		    "the MTA-STS policy of %.*s does not name this host",
		    SLICE_FMT(r->domain));
	if (h->dane.status == DANE_FAIL)
		return remote_fail(r, result, SMTP_RES_TEMP, "4.7.5", "%.*s",
		    SLICE_FMT(h->dane.why));
	choose_mode(route, h, plan);
	if (plan->mode == SMTP_TLS_DANE)
		copy_records(r, &h->dane, plan);
	add_names(r, route, h, plan);
	if (route->item->m.requiretls == QUEUE_TLS_YES && !plan->verified)
		return remote_fail(r, result, SMTP_RES_PERM, "5.7.30",
		    "the message requires TLS with a verified server, and "
		    "neither DANE nor MTA-STS says how to verify this one");
	return 0;
}
