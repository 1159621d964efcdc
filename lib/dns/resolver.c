/* resolver - libunbound as a handle of this process. */
#include "dns/resolver.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "dns/slots.h"
#include "dns/unbound.h"
#include "dns/zone.h"

struct resolver {
	struct dns_slots slots; /* first: a handle is one */
	struct resolver_conf conf;
	struct event_base *base; /* NULL before the first question */
	struct event *timer;
	struct unbound *unbound;
};

/* Who waits for an answer; freed with it. */
struct waiting {
	struct dns_slots *slots;
	uint32_t id;
};

/* ---- the handle ---- */

static void
nothing(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	(void)ctx;
}

static int
load(struct resolver *r, struct err *e)
{
	if (r->unbound != NULL)
		return 0;
	if (r->base == NULL) {
		r->base = event_base_new();
		r->timer = r->base == NULL
		    ? NULL
		    : evtimer_new(r->base, nothing, NULL);
	}
	if (r->timer == NULL)
		return err_set(e, ERR_TEMP, "dns: no event loop");
	r->unbound = unbound_new(&r->conf, r->base, e);
	return r->unbound == NULL ? -1 : 0;
}

static void
answered(void *ctx, const struct dns_reply *reply)
{
	struct waiting *w = ctx;

	dns_slots_put(w->slots, w->id, reply);
	free(w);
}

static int
resolver_send(struct dns_slots *s, const struct dns_slot *slot, int ms,
    struct err *e)
{
	struct resolver *r = (struct resolver *)s;
	struct waiting *w;

	(void)ms; /* dns/slots.c waits no longer than that */
	if (load(r, e) < 0)
		return -1;
	w = xcalloc(1, sizeof(*w));
	*w = (struct waiting){ s, slot->id };
	if (unbound_ask(r->unbound, slot->name, slot->type, answered, w, e) ==
	    0)
		return 0;
	free(w);
	return -1;
}

static int
resolver_wait(struct dns_slots *s, int ms, struct err *e)
{
	struct resolver *r = (struct resolver *)s;
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	if (event_add(r->timer, &tv) < 0 ||
	    event_base_loop(r->base, EVLOOP_ONCE) < 0)
		return err_set(e, ERR_TEMP, "dns: event loop failed");
	event_del(r->timer);
	return 0;
}

static void
free_servers(const struct resolver_conf *conf)
{
	for (size_t i = 0; conf->servers != NULL && conf->servers[i] != NULL;
	     i++)
		free((char *)conf->servers[i]);
	free((void *)conf->servers);
	free((char *)conf->trust_anchor);
}

static void
resolver_close(struct dns_slots *s)
{
	struct resolver *r = (struct resolver *)s;

	unbound_free(&r->unbound);
	if (r->timer != NULL)
		event_free(r->timer);
	if (r->base != NULL)
		event_base_free(r->base);
	free_servers(&r->conf);
	free(r);
}

static void
copy_conf(struct resolver_conf *to, const struct resolver_conf *from)
{
	const char **servers;
	size_t n = 0;

	if (from->trust_anchor != NULL)
		to->trust_anchor = xstrdup(from->trust_anchor);
	while (from->servers != NULL && from->servers[n] != NULL)
		n++;
	servers = xcalloc(n + 1, sizeof(*servers));
	for (size_t i = 0; i < n; i++)
		servers[i] = xstrdup(from->servers[i]);
	to->servers = servers;
}

struct dns *
resolver_new(const struct resolver_conf *conf, struct err *e)
{
	struct resolver *r;

	if (conf->zone != NULL)
		return dns_zone_load(conf->zone, e);
	if (unbound_check(conf, e) < 0)
		return NULL;
	r = xcalloc(1, sizeof(*r));
	dns_slots_init(&r->slots,
	    conf->timeout_ms > 0 ? conf->timeout_ms : RESOLVER_MS);
	r->slots.send = resolver_send;
	r->slots.wait = resolver_wait;
	r->slots.close = resolver_close;
	copy_conf(&r->conf, conf);
	return &r->slots.dns;
}
