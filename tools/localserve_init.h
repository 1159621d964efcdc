/*
 * localserve_init - the folder of mox-localserve on its first run.
 */
#ifndef TOOLS_LOCALSERVE_INIT_H
#define TOOLS_LOCALSERVE_INIT_H

#include "base/err.h"

#define LOCALSERVE_PASSWORD "moxmoxmox"

/*
 * Make configuration, certificate and account in dir, which may exist but
 * must not have a mox.conf. mox.conf comes last, so a first run that was
 * interrupted is done again. ip: the address to listen on, NULL for 127.0.0.1
 * and ::1. Returns 1 made, 0 there was a mox.conf already, -1 with e set.
 */
int localserve_init(const char *dir, const char *ip, struct err *e);

#endif
