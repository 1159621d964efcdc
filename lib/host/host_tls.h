/*
 * host_tls - whom this host trusts when it connects to others.
 */
#ifndef HOST_HOST_TLS_H
#define HOST_HOST_TLS_H

#include "config/config.h"
#include "net/tls_client.h"

/* With the trust anchors that TLS.CA of mox.conf names; without (or config
 * NULL) those of the system. NULL with e. */
struct tls_client *host_tls_client(const struct config *config, struct err *e);

/* The folders where those anchors really are, for a jail that is entered
 * before they are read. Returns how many, at most max. */
size_t host_tls_folders(const struct config *config, struct arena *arena,
    const char *folders[], size_t max);

#endif
