/*
 * iprev - does the reverse name of an address lead back to it? (RFC 8601, 3)
 *
 * Reentrant; keeps no state. Depends on lib/base, lib/net and lib/dns.
 */
#ifndef IPREV_IPREV_H
#define IPREV_IPREV_H

#include "dns/dns.h"

/* Names of an address that are looked at; who has more hides something. */
#define IPREV_NAMES 10

enum iprev_status {
	IPREV_PASS,      /* a name has the address */
	IPREV_FAIL,      /* there are names, but none has it */
	IPREV_TEMPERROR, /* DNS did not answer */
	IPREV_PERMERROR, /* the address has no name */
};

struct iprev_result {
	enum iprev_status status;
	struct slice name; /* for PASS: the first that has the address */
	const struct slice
	    *names; /* all that were looked at, as DNS has them */
	size_t nnames;
	bool secure;          /* DNSSEC proved what the status says */
	struct slice problem; /* of TEMPERROR */
};

const char *iprev_status_name(enum iprev_status status); /* "permerror" */

/*
 * Check. Blocks for two DNS questions one after the other. There is always a
 * result; its slices live as long as arena.
 */
void iprev_check(struct dns *dns, struct arena *arena, const struct ip *ip,
    struct iprev_result *result_r);

#endif
