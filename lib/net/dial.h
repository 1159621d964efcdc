/*
 * dial - connect to one of a list of addresses within a deadline.
 *
 * Addresses are tried in the order given; each gets its share of the time
 * that is left. Blocks for at most the deadline. Depends on lib/base and
 * net/addr.
 */
#ifndef NET_DIAL_H
#define NET_DIAL_H

#include <signal.h>

#include "base/err.h"
#include "net/addr.h"

#define DIAL_MS 30000 /* what mox allows for all addresses of a host */

struct dial_opts {
	const struct ip *ips;
	size_t n;
	uint16_t port;
	/* Source addresses of each family; none: the kernel's choice. */
	struct ip local4, local6;
	int ms; /* for all of them; 0: DIAL_MS */
	/* Connect through this SOCKS5 server (RFC 1928), which is asked for
	 * the addresses above, without authentication. NULL: directly. */
	const struct dial_opts *socks;
	/* Not 0: this process is to end. May be NULL. */
	const volatile sig_atomic_t *stop;
};

/*
 * A connected stream socket, non-blocking and close-on-exec, with TCP_NODELAY;
 * *which_r (may be NULL) is the index of the address. -1 with e (ERR_TEMP, of
 * the last address tried) and *which_r its index: nobody answered.
 */
int net_dial(const struct dial_opts *opts, size_t *which_r, struct err *e);

/*
 * The addresses of a host name, or of an address in text form, by the system's
 * resolver: for programs without a jail that talk to a configured server.
 * Returns how many (at most max) were stored; -1 with e.
 */
ssize_t net_resolve(const char *host, struct ip *ips, size_t max,
    struct err *e);

#endif
