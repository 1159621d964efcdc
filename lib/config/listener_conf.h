/*
 * listener_conf - the table of a listener in mox.conf.
 */
#ifndef CONFIG_LISTENER_CONF_H
#define CONFIG_LISTENER_CONF_H

#include "config/schema.h"

extern const struct schema conf_listener_schema; /* struct conf_listener */

#endif
