/*
 * resolver - libunbound: as a handle in a process of its own, and as the
 * process that answers for others (dns/ask.h).
 *
 * Answers are validated by DNSSEC from the trust anchor down, whoever gives
 * them. Nothing is loaded, and no socket opened, before the first question.
 * Programs that call none of this are not linked with libunbound. Depends on
 * lib/base and lib/net.
 */
#ifndef DNS_RESOLVER_H
#define DNS_RESOLVER_H

#include "dns/dns.h"

/* Of Debian's dns-root-data, which is kept up to date. */
#define RESOLVER_ANCHOR "/usr/share/dns/root.key"
#define RESOLVER_MS 20000 /* for a question: RFC 7208, 4.6.4 wants 20 s */

struct resolver_conf {
	/* File with DS or DNSKEY records to trust. NULL: RESOLVER_ANCHOR;
	 * "none": nothing is validated, every answer is insecure. */
	const char *trust_anchor;
	/* Whom to ask: "192.0.2.1" or "192.0.2.1@5353"; NULL at the end. NULL:
	 * those of /etc/resolv.conf, and without it the name servers of the
	 * Internet themselves, from the root down. */
	const char *const *servers;
	/* A zone text (dns/zone.h) that is the whole DNS: nobody is asked. */
	const char *zone;
	int timeout_ms; /* of a question; 0: RESOLVER_MS */
};

/*
 * What the environment says goes before what is there: MOX_TRUST_ANCHOR (a
 * file, or none), MOX_RESOLVER (an address, or several with commas),
 * MOX_DNS_ZONE (a file). Texts live in the environment or the arena.
 */
void resolver_conf_env(struct resolver_conf *conf, struct arena *arena);

/*
 * A handle for this process. Files are looked at here, so that a wrong name is
 * told. NULL with e. conf is copied as far as it is needed.
 */
struct dns *resolver_new(const struct resolver_conf *conf, struct err *e);

/*
 * Answer the questions of all whose socket comes through door (dns/ask.h
 * sends them), until all of them and all other ends of door are closed.
 * enter (may be NULL) is called once everything is open that needs rights.
 * 0, or -1 with e.
 */
int resolver_serve(const struct resolver_conf *conf, int door,
    int (*enter)(void *ctx, struct err *e), void *ctx, struct err *e);

#endif
