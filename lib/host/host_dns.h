/*
 * host_dns - whom this host asks, by its configuration and the environment.
 */
#ifndef HOST_HOST_DNS_H
#define HOST_HOST_DNS_H

#include "config/config.h"
#include "dns/resolver.h"

/* What mox.conf (NULL: there is none) and the environment say. Texts live in
 * the arena and in config. */
void host_dns_conf(const struct config *config, struct arena *arena,
    struct resolver_conf *conf_r);

/*
 * A handle for a tool. mox.conf is that of the -config flag, which may be NULL:
 * then a missing one is fine, for a tool needs nothing from it. Prints
 * errors in it and exits; NULL with e for others. arena: as above.
 */
struct dns *host_dns_open(const char *config_flag, struct arena *arena,
    struct err *e);

#endif
