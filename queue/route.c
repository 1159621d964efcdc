/* route - local, or by which transport (domains.conf, Routes). */
#include "queue/runner.h"
#include "text/idna.h"

/* Domains may be written in either form. */
static struct slice
ascii(struct arena *arena, struct slice domain)
{
	struct slice a;

	return idna_ascii(arena, domain, &a, NULL) == 0 ? a : domain;
}

/* Does a domain match "example.org", ".example.org" (subdomains, too), or "."
 * as it is? No pattern matches all. */
static bool
matches(struct arena *arena, const struct conf_strings *patterns,
    struct slice domain)
{
	for (size_t i = 0; i < patterns->n; i++) {
		struct slice p = patterns->v[i];
		bool below = p.n > 1 && p.p[0] == '.';
		p = ascii(arena, slice_skip(p, below));
		if (slice_eqi(p, domain))
			return true;
		if (below && slice_endsi(domain, p) && domain.n > p.n &&
		    domain.p[domain.n - p.n - 1] == '.')
			return true;
	}
	return patterns->n == 0;
}

static const struct conf_route *
first_match(struct arena *arena, const struct conf_routes *routes,
    unsigned tries, struct slice from, struct slice to)
{
	for (size_t i = 0; i < routes->n; i++) {
		const struct conf_route *route = &routes->v[i];
		if (tries >= (unsigned)route->minimum_attempts &&
		    matches(arena, &route->from_domain, from) &&
		    matches(arena, &route->to_domain, to))
			return route;
	}
	return NULL;
}

/* Routes of the account, of the sender's domain, of all. */
static int
find_route(struct runner *r, const struct item *it, struct slice to,
    const struct conf_route **route_r, struct err *e)
{
	struct slice from = ascii(r->arena, queue_domain(it->m.from));
	const struct conf_account *account;
	const struct conf_domain *domain;
	const struct conf_routes *global;
	int rc =
	    lookup_account(r->lookup, r->arena, it->m.account, &account, e);

	*route_r = NULL;
	if (rc > 0)
		*route_r = first_match(r->arena, &account->routes, it->tries,
		    from, to);
	if (rc >= 0 && !*route_r) {
		rc = lookup_domain(r->lookup, r->arena, from, &domain, e);
		if (rc > 0)
			*route_r = first_match(r->arena, &domain->routes,
			    it->tries, from, to);
	}
	if (rc >= 0 && !*route_r) {
		rc = lookup_routes(r->lookup, r->arena, &global, e);
		if (rc > 0)
			*route_r =
			    first_match(r->arena, global, it->tries, from, to);
	}
	return rc < 0 ? -1 : 0;
}

static bool
goes_to_hosts(const struct runner *r, struct slice transport)
{
	const struct conf_transports *all = &r->config->mox.transports;
	const struct conf_transport *t;

	for (size_t i = 0; i < all->n; i++) {
		t = &all->v[i];
		if (slice_eq(t->name, transport))
			return !t->submissions && !t->submission && !t->smtp &&
			    !t->fail;
	}
	return false;
}

/* A transport with a server of its own is one destination; by others, and
 * without any, each domain is. */
static struct slice
key_of(struct runner *r, struct slice transport, struct slice domain)
{
	if (transport.n == 0)
		return arena_printf(r->arena, "mx %.*s", SLICE_FMT(domain));
	if (goes_to_hosts(r, transport))
		return arena_printf(r->arena, "mx %.*s %.*s", SLICE_FMT(domain),
		    SLICE_FMT(transport));
	return arena_printf(r->arena, "transport %.*s", SLICE_FMT(transport));
}

int
runner_route(struct runner *r, const struct item *it, struct slice *key_r,
    struct err *e)
{
	struct slice to = ascii(r->arena, queue_domain(it->rcpt.to));
	const struct conf_route *route = NULL;
	struct lookup_result found;

	if (it->m.transport.n == 0) {
		if (lookup_mailbox(r->lookup, r->arena, it->rcpt.to, &found,
			e) < 0)
			return -1;
		if (r->localserve || found.status != LOOKUP_NOT_LOCAL) {
			*key_r = SLICE("local");
			return 0;
		}
		if (find_route(r, it, to, &route, e) < 0)
			return -1;
	}
	*key_r = key_of(r, route ? route->transport : it->m.transport, to);
	return 0;
}
