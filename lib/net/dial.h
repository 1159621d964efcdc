/*
 * dial - connect to an address.
 */
#ifndef NET_DIAL_H
#define NET_DIAL_H

#include "base/err.h"
#include "net/addr.h"

/*
 * Connect over TCP for at most ms; from a local address if from is not NULL.
 * Returns a non-blocking descriptor with TCP_NODELAY, or -1 with e set.
 */
int dial_tcp(const struct ip *ip, uint16_t port, const struct ip *from, int ms,
    struct err *e);

#endif
