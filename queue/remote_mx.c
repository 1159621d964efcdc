/* remote_mx - to the hosts of a domain, one after the other (RFC 5321, 5.1). */
#include "dns/name.h"
#include "queue/remote.h"

#define MESSAGE_MS (30 * 60 * 1000) /* for a message, at a host */

/* ---- loops ---- */

static bool
is_own(const struct remote *r, const struct remote_host *h)
{
	const struct gather_addresses *a = &h->addresses;

	if (dns_name_eq(h->name, r->config->hostname))
		return true;
	for (size_t i = 0; i < a->n; i++)
		for (size_t j = 0; j < r->nown; j++)
			if (ip_eq(&a->ips[i], &r->own[j]))
				return true;
	return false;
}

/* ---- hosts ---- */

static void
find_hosts(struct remote *r, struct remote_route *route)
{
	struct gather *g = &route->gather;

	gather_start(r->dns, r->domain);
	remote_policy_start(r);
	gather_hosts(r->dns, r->group.arena, r->domain, r->config->mox.pedantic,
	    NULL, g);
	if (g->status != GATHER_OK)
		return;
	remote_policy_get(r, route);
	route->hosts = arena_array(r->group.arena, g->n, sizeof(*route->hosts));
	route->n = g->n;
	for (size_t i = 0; i < g->n; i++) {
		route->hosts[i].name = g->hosts[i].name;
		route->hosts[i].preference = g->hosts[i].preference;
	}
}

/* Look up those that have the preference of the first. Returns how many there
 * are; 0: one of them is this host, and mail goes to better ones only (RFC
 * 5321, 5.1). */
static size_t
look_up_equals(struct remote *r, struct remote_host *v, size_t n)
{
	size_t same = 1;
	bool own = false;

	while (same < n && v[same].preference == v[0].preference)
		same++;
	for (size_t i = 0; i < same; i++)
		dns_start_addresses(r->dns, v[i].name);
	for (size_t i = 0; i < same; i++) {
		gather_addresses(r->dns, r->group.arena, v[i].name,
		    &v[i].addresses);
		own = own || is_own(r, &v[i]);
	}
	return own ? 0 : same;
}

/* ---- one message ---- */

struct attempt {
	struct remote *r;
	struct remote_route route;
	struct transfer *t;
	bool reached;   /* a host talked to us */
	char been[256]; /* the host that has had its turn already */
};

static void
use_connection(struct attempt *a)
{
	struct remote *r = a->r;

	a->reached = true;
	smtp_client_limit_ms(r->client, MESSAGE_MS);
	transfer_pass(r, a->t);
	remote_note_offers(r, a->route.item->m.account);
}

/* Might another message fare better, or was nobody there? */
static bool
is_by_message(const struct smtp_result *result)
{
	return result->outcome != SMTP_RES_CONNECT &&
	    result->outcome != SMTP_RES_LOST;
}

static void
try_host(struct attempt *a, struct remote_host *h)
{
	struct remote *r = a->r;
	struct transfer *t = a->t;
	struct smtp_result result;

	transfer_next(t);
	/* Once more where the connection ended behind other recipients. */
	while (t->now) {
		remote_close(r);
		if (remote_connect(r, &a->route, h, &result) < 0) {
			a->reached = a->reached || is_by_message(&result);
			transfer_put_off(r, t, &result);
		} else
			use_connection(a);
	}
}

/* Nobody is asked: it is clear without. */
static void
put_off_all(struct attempt *a, enum gather_status status, struct slice enhanced,
    struct slice why)
{
	struct smtp_result result = { .outcome = status == GATHER_PERM
		    ? SMTP_RES_PERM
		    : SMTP_RES_TEMP,
		.answer.enhanced = enhanced,
		.why = why };

	*a->r->host = '\0';
	a->r->ip = (struct ip){ 0 };
	transfer_next(a->t);
	transfer_put_off(a->r, a->t, &result);
}

static void
try_hosts(struct attempt *a)
{
	struct remote_route *route = &a->route;
	struct slice domain = a->r->domain;
	size_t i = 0, same;

	while (a->t->left && i < route->n) {
		struct remote_host *h = &route->hosts[i];
		same = look_up_equals(a->r, h, route->n - i);
		if (same == 0) {
			if (i == 0)
				put_off_all(a, GATHER_PERM, SLICE("5.4.6"),
				    arena_printf(a->r->group.arena,
					"mail for %.*s loops back to this "
					"host, which does not know the domain",
					SLICE_FMT(domain)));
			return;
		}
		for (size_t end = i + same; i < end && a->t->left; i++, h++)
			if (!slice_is(h->name, a->been))
				try_host(a, h);
	}
}

static void
look_for_hosts(struct attempt *a)
{
	const struct gather *g = &a->route.gather;
	const struct item *it = a->route.item;

	find_hosts(a->r, &a->route);
	if (g->status != GATHER_OK)
		put_off_all(a, g->status, g->enhanced, g->why);
	else if (a->route.sts.status == MTASTS_TEMP &&
	    it->m.requiretls != QUEUE_TLS_NO)
		put_off_all(a, GATHER_TEMP, SLICE("4.7.5"),
		    arena_printf(a->r->group.arena,
			"MTA-STS policy of %.*s: "
			"%.*s",
			SLICE_FMT(a->r->domain), SLICE_FMT(a->route.sts.why)));
	else
		try_hosts(a);
}

bool
remote_mx(struct remote *r, struct transfer *t)
{
	struct attempt a = {
		.r = r, .t = t, .route = { .t = t, .item = &t->items[0].it }
	};

	if (r->client && !remote_policy_suits(r, a.route.item))
		remote_close(r);
	if (r->client) {
		use_connection(&a);
		/* Not where it was only stale. */
		if (t->left && t->now < t->left)
			slice_cstr(slice_str(r->host), a.been, sizeof(a.been));
	}
	if (t->left)
		look_for_hosts(&a);
	transfer_end(r, t);
	return !a.reached;
}
