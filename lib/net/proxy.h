/*
 * proxy - the header of the PROXY protocol, versions 1 and 2, by which a
 * trusted proxy says for whom it connects.
 *
 * Which peers are trusted to say it is the caller's. Pure; keeps no state.
 */
#ifndef NET_PROXY_H
#define NET_PROXY_H

#include "base/err.h"
#include "net/addr.h"

/* Longest header taken: version 1 has up to 107 bytes, version 2 carries
 * fields of the proxy's choice behind the addresses. */
#define PROXY_MAX 4096

struct proxy {
	bool local; /* LOCAL or UNKNOWN: the connection's own ends count */
	struct ip source, destination;
	uint16_t source_port, destination_port;
};

/*
 * Parse a header from the first bytes of a connection. Returns 0 and fills
 * *proxy_r when bytes is a whole header; the number of bytes that are at least
 * missing when it is the start of one (reading no more than that never reads
 * past the header); -1 with e when it is none (ERR_SYNTAX) or too long
 * (ERR_LIMIT).
 */
int proxy_parse(struct slice bytes, struct proxy *proxy_r, struct err *e);

#endif
