/* gather - where mail for a domain goes. */
#include "smtp/gather.h"

#include "dns/name.h"

/* ---- text ---- */

static struct slice
lower(struct arena *arena, struct slice s)
{
	char *p = arena_cstr(arena, s);

	for (size_t i = 0; i < s.n; i++)
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] = (char)(p[i] - 'A' + 'a');
	return slice_of(p, s.n);
}

/* RFC 5321, 4.1.3: "[192.0.2.1]", "[IPv6:2001:db8::1]". */
static bool
is_literal(struct slice s, struct ip *ip_r)
{
	struct slice in = slice_sub(s, 1, s.n > 0 ? s.n - 1 : 0), v6;

	if (s.n < 2 || s.p[0] != '[' || s.p[s.n - 1] != ']')
		return false;
	v6 = slice_startsi(in, SLICE("IPv6:")) ? slice_skip(in, 5) : SLICE_NULL;
	return ip_parse(v6.n ? v6 : in, ip_r) &&
	    (v6.n > 0) == (ip_r->family == 6);
}

/* ---- CNAMEs ---- */

/*
 * Look at them one by one, which says of each if it is proved. Returns how many
 * there are, more than GATHER_CNAMES if they do not end, or -1 if DNS does not
 * answer. secure_r: all of those looked at are.
 */
static int
count_aliases(struct dns *dns, struct arena *arena, struct slice name, int max,
    bool *secure_r)
{
	struct dns_answer a;
	int n = 0, rc;

	*secure_r = true;
	for (; n < max; n++) {
		rc = dns_query(dns, arena, name, DNS_CNAME, &a, NULL);
		if (rc < 0)
			return -1;
		if (rc == 0)
			break;
		*secure_r = *secure_r && a.secure;
		name = a.v[0].host;
	}
	return n;
}

/* ---- hosts ---- */

void
gather_start(struct dns *dns, struct slice domain)
{
	dns_start(dns, domain, DNS_MX);
}

static void
refuse(struct gather *g, enum gather_status status, const char *enhanced,
    struct slice why)
{
	g->status = status;
	g->enhanced = slice_str(enhanced);
	g->why = why;
}

/* No answer: perhaps since CNAMEs lead in a circle, which no waiting ends. */
static void
no_answer(struct dns *dns, struct arena *arena, struct slice domain,
    const struct dns_answer *a, const struct err *e, struct gather *g)
{
	bool secure;

	g->bogus = a->bogus;
	if (!a->bogus &&
	    count_aliases(dns, arena, domain, GATHER_CNAMES + 1, &secure) >
		GATHER_CNAMES)
		refuse(g, GATHER_PERM, "5.4.6",
		    arena_printf(arena, "%.*s: CNAME records without end",
			SLICE_FMT(domain)));
	else
		refuse(g, GATHER_TEMP, "4.4.3",
		    arena_printf(arena, "MX of %.*s: %s", SLICE_FMT(domain),
			e->text));
}

/* One record; names that mail cannot go to, and second ones, are passed over. */
static void
add_host(struct gather *g, struct arena *arena, bool pedantic,
    const struct dns_record *r)
{
	struct slice name = r->mx.host;

	if (!dns_name_valid(name) || (pedantic && !dns_name_is_host(name)))
		return;
	for (size_t i = 0; i < g->n; i++)
		if (dns_name_eq(g->hosts[i].name, name)) {
			if (r->mx.preference < g->hosts[i].preference)
				g->hosts[i].preference = r->mx.preference;
			return;
		}
	g->hosts[g->n++] =
	    (struct gather_host){ lower(arena, name), r->mx.preference };
}

static void
swap(struct gather_host *a, struct gather_host *b)
{
	struct gather_host t = *a;

	*a = *b;
	*b = t;
}

/* RFC 5321, 5.1: the lowest first, at random among equals. */
static void
sort_hosts(struct gather *g, struct rand *rand)
{
	struct gather_host *h = g->hosts;

	for (size_t i = g->n; i > 1; i--)
		swap(&h[i - 1], &h[rand_below(rand, i)]);
	for (size_t i = 1; i < g->n; i++)
		for (size_t j = i;
		     j > 0 && h[j].preference < h[j - 1].preference; j--)
			swap(&h[j], &h[j - 1]);
}

static void
take_records(struct gather *g, struct arena *arena, struct slice domain,
    const struct dns_answer *a, bool pedantic, struct rand *rand)
{
	size_t n = a->n < GATHER_HOSTS ? a->n : GATHER_HOSTS;

	g->mx = true;
	g->hosts = arena_array(arena, n, sizeof(*g->hosts));
	for (size_t i = 0; i < n; i++)
		add_host(g, arena, pedantic, &a->v[i]);
	sort_hosts(g, rand);
	if (g->n > 0)
		return;
	/* RFC 7505, 3: it says that it takes none. */
	if (a->n == 1 && a->v[0].mx.host.n == 0)
		refuse(g, GATHER_PERM, "5.1.10",
		    arena_printf(arena, "%.*s takes no mail (null MX)",
			SLICE_FMT(domain)));
	else
		refuse(g, GATHER_PERM, "5.4.4",
		    arena_printf(arena, "no MX record of %.*s names a host",
			SLICE_FMT(domain)));
}

/* The domain is its own host (RFC 5321, 5.1), or an address. */
static void
take_itself(struct gather *g, struct arena *arena, struct slice domain)
{
	g->hosts = arena_alloc(arena, sizeof(*g->hosts));
	g->hosts[0] = (struct gather_host){ domain, 0 };
	g->n = 1;
}

void
gather_hosts(struct dns *dns, struct arena *arena, struct slice domain,
    bool pedantic, struct rand *rand, struct gather *g)
{
	struct err e = ERR_INIT;
	struct dns_answer a;
	struct ip ip;
	int rc;

	domain = lower(arena, domain);
	*g = (struct gather){ .expanded = domain };
	if (is_literal(domain, &ip)) {
		take_itself(g, arena, domain);
		return;
	}
	if (!dns_name_valid(domain)) {
		refuse(g, GATHER_PERM, "5.1.2",
		    arena_printf(arena, "\"%.*s\" is no domain",
			SLICE_FMT(slice_head(domain, DNS_NAME_MAX))));
		return;
	}
	rc = dns_query(dns, arena, domain, DNS_MX, &a, &e);
	g->secure = a.secure;
	if (rc < 0) {
		no_answer(dns, arena, domain, &a, &e, g);
		return;
	}
	g->expanded = lower(arena, a.name);
	g->expanded_secure = a.secure || dns_name_eq(a.name, domain) ||
	    (count_aliases(dns, arena, domain, GATHER_CNAMES,
		 &g->expanded_secure) >= 0 &&
		g->expanded_secure);
	if (rc > 0)
		take_records(g, arena, domain, &a, pedantic, rand);
	else if (a.nxdomain)
		refuse(g, GATHER_PERM, "5.1.2",
		    arena_printf(arena, "%.*s does not exist",
			SLICE_FMT(a.name)));
	else
		take_itself(g, arena, domain);
}

/* ---- addresses ---- */

/* IPv6 and IPv4 in turn (RFC 8305, 4): when one of them is dead, the other is
 * not long in coming, and each has its share of the room. */
static void
interleave(const struct dns_answer *answer, struct gather_addresses *a)
{
	size_t at[2] = { 0, 0 }; /* of each family: IPv6, IPv4 */

	for (size_t turn = 0; a->n < GATHER_IPS; turn++) {
		unsigned family = turn % 2 ? 4 : 6;
		size_t *i = &at[turn % 2];
		while (*i < answer->n && answer->v[*i].ip.family != family)
			(*i)++;
		if (*i < answer->n)
			a->ips[a->n++] = answer->v[(*i)++].ip;
		else if (turn > 0 && at[0] >= answer->n && at[1] >= answer->n)
			break;
	}
}

void
gather_addresses(struct dns *dns, struct arena *arena, struct slice host,
    struct gather_addresses *r)
{
	struct err e = ERR_INIT;
	struct dns_answer a;
	bool first;
	int rc, aliases = 0;

	*r = (struct gather_addresses){ .expanded = host };
	if (is_literal(host, &r->ips[0])) {
		r->n = 1;
		return;
	}
	rc = dns_addresses(dns, arena, host, &a, &e);
	r->bogus = a.bogus && rc < 0;
	if (rc <= 0) {
		r->status =
		    rc == 0 || e.kind == ERR_SYNTAX ? GATHER_PERM : GATHER_TEMP;
		r->why = rc < 0 ? arena_printf(arena, "addresses of %.*s: %s",
				      SLICE_FMT(host), e.text)
				: arena_printf(arena, "%.*s has no address",
				      SLICE_FMT(host));
		return;
	}
	r->expanded = lower(arena, a.name);
	r->secure = a.secure;
	/* RFC 7672, 2.1.2: what may decide over DANE must have an answer. */
	if (!a.secure && !dns_name_eq(a.name, host))
		aliases = count_aliases(dns, arena, host, 1, &first);
	if (aliases < 0) {
		r->status = GATHER_TEMP;
		r->why = arena_printf(arena, "CNAME of %.*s: no answer",
		    SLICE_FMT(host));
		return;
	}
	r->name_secure = a.secure || (aliases == 1 && first);
	interleave(&a, r);
}

/* ---- order ---- */

/* Lower goes first. */
static int
rank(const struct ip *ip, const struct ip *last, unsigned same)
{
	if (ip->family != last->family)
		return 0;
	return same == 1 && ip_eq(ip, last) ? 1 : 2;
}

void
gather_order(struct gather_addresses *a, const struct ip *last, unsigned same)
{
	if (last->family == 0)
		return;
	for (size_t i = 1; i < a->n; i++)
		for (size_t j = i; j > 0 &&
		     rank(&a->ips[j], last, same) <
			 rank(&a->ips[j - 1], last, same);
		     j--) {
			struct ip t = a->ips[j];
			a->ips[j] = a->ips[j - 1];
			a->ips[j - 1] = t;
		}
}
