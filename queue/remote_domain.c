/* remote_domain - how the hosts of a domain are reached: from where, through
 * what, and whom to ask for them. */
#include <errno.h>
#include <ifaddrs.h>
#include <stdlib.h>
#include <string.h>

#include "dns/ask.h"
#include "dns/zone.h"
#include "host/host_dns.h"
#include "queue/remote.h"
#include "service/door.h"
#include "text/idna.h"

#define SMTP_PORT 25
#define OWN_MAX 1000 /* addresses of ours that are looked at */

/* ---- DNS ---- */

/* Programs for this process alone, which are started when it asks. */
static int
keep_alone(const struct remote *r, int *fd_r, const char *program,
    const char *command, struct err *e)
{
	struct door door = { .program = program,
		.self = program_invocation_name };
	size_t n = 0;

	if (*fd_r >= 0)
		return 0;
	if (command)
		door.args[n++] = command;
	door.args[n++] = "-config";
	door.args[n++] = r->config->path;
	if (door_keep_alone(&door, e) < 0)
		return -1;
	*fd_r = door.ask;
	return 0;
}

static int
open_dns(struct remote *r, struct arena *arena, struct err *e)
{
	struct resolver_conf conf;

	host_dns_conf(r->config, arena, &conf);
	if (conf.zone) {
		r->dns = dns_zone_load(conf.zone, e);
		return r->dns ? 0 : -1;
	}
	if (keep_alone(r, &r->dns_door, "mox-resolver", NULL, e) < 0)
		return -1;
	r->dns = ask_new(r->dns_door);
	return 0;
}

/* ---- addresses of ours ---- */

static void
add_own(struct remote *r, const struct ip *ip)
{
	for (size_t i = 0; i < r->nown; i++)
		if (ip_eq(&r->own[i], ip))
			return;
	if (r->nown < OWN_MAX)
		r->own[r->nown++] = *ip;
}

/* A listener on all addresses: which ones are those? */
static void
add_interfaces(struct remote *r)
{
	struct ifaddrs *all;
	uint16_t port;
	struct ip ip;

	if (getifaddrs(&all) < 0)
		return;
	for (const struct ifaddrs *a = all; a; a = a->ifa_next)
		if (a->ifa_addr && ip_from_sockaddr(a->ifa_addr, &ip, &port))
			add_own(r, &ip);
	freeifaddrs(all);
}

/* Mail may come from an address if it is the only one of its family that a
 * listener has: others know it, as it is the one that DNS has. */
static void
add_source(struct ip *source, const struct ip *ip)
{
	if (source->family == 0)
		*source = *ip;
	else if (!ip_eq(source, ip))
		source->family = 255; /* more than one */
}

static void
take_ips(struct remote *r, const struct conf_strings *ips, bool bound)
{
	struct dial_opts *d = &r->source;
	struct ip ip;

	for (size_t i = 0; i < ips->n; i++) {
		if (!ip_parse(ips->v[i], &ip))
			continue;
		if (ip_is_unspecified(&ip)) {
			add_interfaces(r);
			continue;
		}
		add_own(r, &ip);
		if (bound)
			add_source(ip.family == 4 ? &d->local4 : &d->local6,
			    &ip);
	}
}

static void
find_own(struct remote *r, struct arena *arena)
{
	const struct conf_listeners *all = &r->config->mox.listeners;

	r->own = arena_array(arena, OWN_MAX, sizeof(*r->own));
	for (size_t i = 0; i < all->n; i++)
		if (all->v[i].smtp && all->v[i].smtp->enabled) {
			take_ips(r, &all->v[i].ips, true);
			take_ips(r, &all->v[i].nat_ips, false);
		}
}

/* ---- transports ---- */

static int
use_socks(struct remote *r, const struct conf_transport_socks *s,
    struct arena *arena, struct err *e)
{
	ssize_t colon = slice_rchr(s->address, ':');
	struct slice host =
	    slice_head(s->address, colon < 0 ? 0 : (size_t)colon);
	struct dial_opts *proxy;
	uint32_t port;
	ssize_t n;

	if (host.n > 2 && host.p[0] == '[')
		host = slice_sub(host, 1, host.n - 1);
	if (host.n == 0 ||
	    !slice_u32(slice_skip(s->address, (size_t)colon + 1), &port))
		return err_set(e, ERR_SYNTAX, "Socks: no host and port: %.*s",
		    SLICE_FMT(s->address));
	proxy = arena_alloc(arena, sizeof(*proxy));
	n = net_resolve(arena_cstr(arena, host), r->proxy, REMOTE_IPS,
	    &r->resolve);
	*proxy = (struct dial_opts){ .ips = r->proxy,
		.n = n < 0 ? 0 : (size_t)n,
		.port = (uint16_t)port };
	r->source = (struct dial_opts){ .socks = proxy };
	if (idna_ascii(arena, s->remote_hostname, &r->hello, NULL) < 0)
		r->hello = s->remote_hostname;
	return 0;
}

/* For tests, where no program may listen on port 25. */
static uint16_t
port(void)
{
	const char *text = getenv("MOX_SMTP_PORT");
	uint32_t n;

	return text && slice_u32(slice_str(text), &n) && n > 0 && n < 65536
	    ? (uint16_t)n
	    : SMTP_PORT;
}

int
remote_init_domain(struct remote *r, struct arena *arena, struct err *e)
{
	struct slice given = arena_dup(arena, r->domain);

	if (given.p[0] == '[' || idna_ascii(arena, given, &r->domain, NULL) < 0)
		r->domain = given; /* what is no domain is told then */
	r->port = port();
	r->hello = r->config->hostname;
	find_own(r, arena);
	if (r->transport && r->transport->socks &&
	    use_socks(r, r->transport->socks, arena, e) < 0)
		return -1;
	if (keep_alone(r, &r->mtasts_door, "mox-mtasts", "serve", e) < 0)
		return -1;
	return open_dns(r, arena, e);
}
