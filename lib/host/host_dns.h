/*
 * host_dns - whom this host asks, by its configuration and the environment.
 */
#ifndef HOST_HOST_DNS_H
#define HOST_HOST_DNS_H

#include "config/config.h"
#include "dns/resolver.h"
#include "host/host.h"

/* What mox.conf (NULL: there is none) and the environment say. Texts live in
 * the arena and in config. */
void host_dns_conf(const struct config *config, struct arena *arena,
    struct resolver_conf *conf_r);

/* When a service loads: a zone file that is all of the DNS. */
int host_dns_load(struct host *h, struct arena *arena, struct err *e);
/* The handle of a back, made at the first call: that zone, or the service's
 * resolver. NULL where the service has none (service.h, resolver_config). */
struct dns *host_dns(struct host *h, const struct service_client *client);

/*
 * mox.conf for a tool that can do without: that of the -config flag, which may
 * be NULL. NULL if none is named and none is where it is looked for; prints
 * errors in it and exits.
 */
struct config *host_config_if_any(const char *config_flag);

/* A handle for a tool, as that mox.conf says. NULL with e. arena: as above. */
struct dns *host_dns_open(const char *config_flag, struct arena *arena,
    struct err *e);

#endif
