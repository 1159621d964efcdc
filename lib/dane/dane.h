/*
 * dane - what a host's TLSA records demand of its TLS (RFC 6698, 7672).
 *
 * Reentrant. Depends on lib/base, lib/net and lib/dns.
 */
#ifndef DANE_DANE_H
#define DANE_DANE_H

#include "dns/dns.h"
#include "net/tls_client.h"

enum dane_status {
	DANE_NONE,     /* not secure, or no records: no DANE */
	DANE_USABLE,   /* TLS, verified by a record of v */
	DANE_UNUSABLE, /* records, none of which can be used: TLS, unverified
	                * (RFC 7672, 2.2) */
	DANE_FAIL,     /* no answer, or a bogus one: the host is not to be used
	                * now (RFC 7672, 2.1.2) */
};

const char *dane_status_name(enum dane_status status); /* "usable" */

/* A host whose addresses were looked up: CNAMEs were followed. */
struct dane_host {
	struct slice name;     /* as the MX record, or whoever, says */
	struct slice expanded; /* behind its CNAMEs; name if there are none */
	bool name_secure;      /* its first CNAME, or its addresses, are */
	bool secure;           /* all of the chain, and the addresses */
};

struct dane_result {
	enum dane_status status;
	struct slice base;  /* the host of _port._tcp.HOST that has them */
	struct tls_tlsa *v; /* the usable ones, for tls_expect */
	size_t n;
	struct tls_tlsa *all; /* every one, for people */
	size_t nall;
	struct slice why; /* for FAIL, UNUSABLE: a sentence */
	bool bogus;       /* FAIL by DNSSEC: "dnssec-invalid" (RFC 8460) */
};

/* Those of SMTP: DANE-TA(2), DANE-EE(3); selectors and matching types that are
 * known, data of a length that fits (RFC 7672, 3.1). */
bool dane_usable(const struct tls_tlsa *tlsa);

/*
 * Set the question for what dane_lookup asks first under way (dns_start).
 */
void dane_start(struct dns *dns, const struct dane_host *host, uint16_t port);

/*
 * Look up the TLSA records of a host at a TCP port: at the expanded name if all
 * of it is secure, else, or where there are none, at the name, if that is
 * (RFC 7672, 2.2.3). Blocks for DNS; data lives in the arena.
 */
void dane_lookup(struct dns *dns, struct arena *arena,
    const struct dane_host *host, uint16_t port, struct dane_result *result_r);

/* ---- text ---- */

/* "3 1 1 0b9f...": as in a zone file. */
struct slice dane_text(struct arena *arena, const struct tls_tlsa *tlsa);
/* Numbers, or the names of RFC 7218 in any case: "dane-ee", "spki",
 * "sha2-256". False: none of them. */
bool dane_usage_parse(struct slice text, unsigned char *usage_r);
bool dane_selector_parse(struct slice text, unsigned char *selector_r);
bool dane_match_parse(struct slice text, unsigned char *match_r);

/* The record for a certificate, or (selector 1 only) a public key, both PEM. 0,
 * or -1 with e. Data in the arena. */
int dane_make(struct slice pem, unsigned char usage, unsigned char selector,
    unsigned char match, struct arena *arena, struct tls_tlsa *tlsa_r,
    struct err *e);

#endif
