/* resolver_conf - whom to ask, by the environment. Needs no libunbound. */
#include <stdlib.h>

#include "dns/resolver.h"

/* A list with commas as the resolver_conf has it. */
static const char *const *
split_servers(struct slice list, struct arena *arena)
{
	const char **v = arena_array(arena, list.n + 2, sizeof(*v));
	struct slice one;
	size_t n = 0;

	while (slice_next(&list, ',', &one))
		v[n++] = arena_cstr(arena, slice_trim(one));
	return v;
}

void
resolver_conf_env(struct resolver_conf *conf, struct arena *arena)
{
	const char *anchor = getenv("MOX_TRUST_ANCHOR");
	const char *servers = getenv("MOX_RESOLVER");
	const char *zone = getenv("MOX_DNS_ZONE");

	if (anchor != NULL && *anchor != '\0')
		conf->trust_anchor = anchor;
	if (servers != NULL && *servers != '\0')
		conf->servers = split_servers(slice_str(servers), arena);
	if (zone != NULL && *zone != '\0')
		conf->zone = zone;
}
