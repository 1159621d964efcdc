/* host_dns - whom this host asks. */
#include "host/host_dns.h"

#include <stdlib.h>
#include <unistd.h>

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

struct dns *
host_dns_open(const char *config_flag, struct arena *arena, struct err *e)
{
	struct config *config = NULL;
	struct resolver_conf conf;
	struct dns *dns;

	if ((config_flag != NULL && *config_flag != '\0') ||
	    getenv("MOXCONF") != NULL || access(config_path(NULL), F_OK) == 0)
		config = config_load_or_exit(config_flag);
	host_dns_conf(config, arena, &conf);
	dns = resolver_new(&conf, e);
	config_free(&config);
	return dns;
}
