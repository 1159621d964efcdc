/*
 * dnsbl - look up an address in a DNS block list (RFC 5782).
 *
 * Reentrant; keeps no state. Depends on lib/base, lib/net and lib/dns.
 */
#ifndef DNSBL_DNSBL_H
#define DNSBL_DNSBL_H

#include "base/arena.h"
#include "base/err.h"
#include "dns/dns.h"
#include "net/addr.h"

enum dnsbl_status { DNSBL_PASS, DNSBL_FAIL };

struct dnsbl_result {
	enum dnsbl_status status;
	struct ip code;   /* for FAIL: 127.0.0.2 or a code of the list's own */
	struct slice why; /* TXT text for FAIL, may be empty; in the arena */
};

/*
 * Ask zone (without trailing dot) about ip. Blocks for at most the
 * resolver's timeout. result_r->why lives as long as arena.
 * Returns 0 and fills *result_r, or -1 with e set: ERR_TEMP when DNS did not
 * answer, ERR_PERM when what it answered does not come from a list that works
 * for us. "Not listed" is a result, not an error.
 */
int dnsbl_lookup(struct dns *dns, struct arena *arena, struct slice zone,
    const struct ip *ip, struct dnsbl_result *result_r, struct err *e);

/*
 * Does the list work: is its test entry 127.0.0.2 there, and 127.0.0.1, which
 * must not be, not (RFC 5782, 5)? 0, or -1 with e as above.
 */
int dnsbl_health(struct dns *dns, struct arena *arena, struct slice zone,
    struct err *e);

#endif
