/* host_dns - whom this host asks. */
#include "host/host_dns.h"

#include "dns/ask.h"
#include "dns/zone.h"

static const char *const *
cstrs(struct arena *arena, const struct conf_strings *strings)
{
	const char **v = arena_array(arena, strings->n + 1, sizeof(*v));

	for (size_t i = 0; i < strings->n; i++)
		v[i] = arena_cstr(arena, strings->v[i]);
	return v;
}

void
host_dns_conf(const struct config *config, struct arena *arena,
    struct resolver_conf *conf_r)
{
	const struct conf_dns *dns = config == NULL ? NULL : config->mox.dns;

	*conf_r = (struct resolver_conf){ 0 };
	if (dns != NULL) {
		conf_r->servers = cstrs(arena, &dns->resolvers);
		if (slice_is(dns->trust_anchor, "none"))
			conf_r->trust_anchor = "none";
		else if (dns->trust_anchor.n > 0)
			conf_r->trust_anchor =
			    config_file(config, arena, dns->trust_anchor);
		if (dns->zone_file.n > 0)
			conf_r->zone =
			    config_file(config, arena, dns->zone_file);
	}
	resolver_conf_env(conf_r, arena);
}

int
host_dns_load(struct host *h, struct arena *arena, struct err *e)
{
	struct resolver_conf conf;

	host_dns_conf(h->config, arena, &conf);
	if (conf.zone != NULL)
		h->dns = dns_zone_load(conf.zone, e);
	return conf.zone != NULL && h->dns == NULL ? -1 : 0;
}

struct dns *
host_dns(struct host *h, const struct service_client *client)
{
	if (h->dns == NULL && client->door >= 0)
		h->dns = ask_new(client->door);
	return h->dns;
}
