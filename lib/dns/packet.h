/*
 * packet - answers as they come over the wire (RFC 1035, 4), made typed.
 *
 * Bytes from the network or another process: nothing in them is believed.
 * Pure; keeps no state.
 */
#ifndef DNS_PACKET_H
#define DNS_PACKET_H

#include "dns/dns.h"

enum { DNS_NOERROR = 0, DNS_SERVFAIL = 2, DNS_NXDOMAIN = 3 }; /* RCODE */

/* What a resolver has to say to a question. */
struct dns_reply {
	int rcode;
	bool secure, bogus, timeout;
	struct slice why;    /* for bogus and failures, may be empty */
	struct slice packet; /* with NOERROR and NXDOMAIN */
};

/*
 * The typed answer to a question about name and type: what dns_query returns.
 * Data is copied to the arena.
 */
int dns_reply_answer(const struct dns_reply *reply, struct arena *arena,
    struct slice name, enum dns_type type, struct dns_answer *answer_r,
    struct err *e);

/* For tests: the part of it that looks at the packet. 0, or -1: malformed. */
int dns_packet_parse(struct slice packet, struct arena *arena,
    enum dns_type type, struct dns_answer *answer_r);

#endif
