/* host_dns_tool - a handle for tools, which asks by itself. */
#include <stdlib.h>
#include <unistd.h>

#include "host/host_dns.h"

struct config *
host_config_if_any(const char *config_flag)
{
	if ((config_flag != NULL && *config_flag != '\0') ||
	    getenv("MOXCONF") != NULL || access(config_path(NULL), F_OK) == 0)
		return config_load_or_exit(config_flag);
	return NULL;
}

struct dns *
host_dns_open(const char *config_flag, struct arena *arena, struct err *e)
{
	struct config *config = host_config_if_any(config_flag);
	struct resolver_conf conf;
	struct dns *dns;

	host_dns_conf(config, arena, &conf);
	dns = resolver_new(&conf, e);
	config_free(&config);
	return dns;
}
