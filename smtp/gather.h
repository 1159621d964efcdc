/*
 * gather - where mail for a domain goes: its hosts, and their addresses
 * (RFC 5321, 5.1; RFC 7505; RFC 7672, 2.2).
 *
 * Says of each answer whether DNSSEC proved it: only then may DANE be used.
 * Reentrant; blocks for DNS. Depends on lib/base, lib/net and lib/dns.
 */
#ifndef SMTP_GATHER_H
#define SMTP_GATHER_H

#include "base/rand.h"
#include "dns/dns.h"

#define GATHER_CNAMES 16 /* of a recipient's domain */
#define GATHER_HOSTS 100 /* MX records that are looked at */
#define GATHER_IPS 16    /* addresses of a host */

enum gather_status {
	GATHER_OK,
	GATHER_TEMP, /* DNS gave no answer, or a bogus one */
	GATHER_PERM, /* nothing can be delivered there */
};

struct gather_host {
	struct slice
	    name; /* ASCII, lower case; or the domain itself, implicit */
	uint16_t preference;
};

struct gather {
	enum gather_status status;
	struct slice enhanced; /* "5.1.10" null MX, "5.1.2", "4.4.3", ... */
	struct slice why;      /* a sentence, unless OK */
	bool bogus;
	struct slice expanded; /* the domain behind its CNAMEs */
	bool expanded_secure;  /* those are proved, or there are none */
	bool mx;     /* there are MX records; else the domain itself */
	bool secure; /* MX records, or that there are none, proved */
	struct gather_host *hosts; /* by preference, random among equals */
	size_t n;
};

/* Set the first questions for a domain under way. */
void gather_start(struct dns *dns, struct slice domain);

/*
 * The hosts of a domain, ASCII. pedantic: names of hosts with an underscore are
 * passed over. rand: for the order of equals.
 * All in the arena.
 */
void gather_hosts(struct dns *dns, struct arena *arena, struct slice domain,
    bool pedantic, struct rand *rand, struct gather *g_r);

struct gather_addresses {
	enum gather_status
	    status; /* PERM: there are none, or the name is none */
	struct slice why;
	bool bogus;
	struct slice expanded; /* the host behind its CNAMEs */
	bool name_secure;      /* the first CNAME, if there is one, is proved */
	bool secure;           /* chain and addresses are */
	struct ip ips[GATHER_IPS];
	size_t n;
};

/* The addresses of a host of gather_hosts; also an address literal. */
void gather_addresses(struct dns *dns, struct arena *arena, struct slice host,
    struct gather_addresses *a_r);

/*
 * The order to dial in (not the family last used first; the second time
 * in a family, the same address first). last: the address of the attempt
 * before, or one of family 0; same: how often in a row its family was used.
 */
void gather_order(struct gather_addresses *a, const struct ip *last,
    unsigned same);

#endif
