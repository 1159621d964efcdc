/*
 * check - what must hold across fields of mox.conf and domains.conf.
 *
 * What one field alone must be is said in its table row. All problems are
 * reported to the files' errors, with the line they are about.
 */
#ifndef CONFIG_CHECK_H
#define CONFIG_CHECK_H

#include "config/config.h"

void check_mox_conf(struct config *config);
void check_domains_conf(const struct config *config,
    const struct sconf_file *file, const struct domains_conf *conf);

#endif
