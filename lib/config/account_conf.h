/*
 * account_conf - tables of domains.conf that have a file of their own.
 */
#ifndef CONFIG_ACCOUNT_CONF_H
#define CONFIG_ACCOUNT_CONF_H

#include "config/schema.h"

extern const struct schema conf_route_schema;       /* domains_conf.c */
extern const struct schema conf_web_handler_schema; /* web_conf.c */

#endif
