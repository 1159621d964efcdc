/*
 * dane - what a host's TLSA records demand of its TLS (RFC 6698, 7671, 7672).
 *
 * Reentrant. Depends on lib/base, lib/net, lib/dns and OpenSSL.
 */
#ifndef DANE_DANE_H
#define DANE_DANE_H

#include "dns/dns.h"
#include "net/tls_client.h"

/* ---- a host's records ---- */

enum dane_status {
	DANE_NONE,     /* not secure, or no records: no DANE */
	DANE_USABLE,   /* TLS, verified by a record of v */
	DANE_UNUSABLE, /* records, none of which can be used: TLS, unverified
	                * (RFC 7672, 2.2) */
	DANE_FAIL,     /* no answer, or a bogus one: the host is not to be used
	                * now (RFC 7672, 2.1.2) */
};

const char *dane_status_name(enum dane_status status); /* "usable" */

/* A host whose addresses were looked up: CNAMEs were followed. ASCII. */
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
	struct slice why; /* a sentence, of all but USABLE */
	bool bogus;       /* FAIL by DNSSEC: "dnssec-invalid" (RFC 8460) */
};

/*
 * Look up the TLSA records of a host at a TCP port: at the expanded name if all
 * of it is secure, else, or where there are none, at the name, if that is
 * (RFC 7672, 2.2.2). Records that DNSSEC does not prove are none. Blocks for
 * DNS; data lives in the arena.
 */
void dane_lookup(struct dns *dns, struct arena *arena,
    const struct dane_host *host, uint16_t port, struct dane_result *result_r);

/* ---- a record ---- */

enum dane_usage { /* RFC 6698, 7.2, with the names of RFC 7218 */
	DANE_PKIX_TA,
	DANE_PKIX_EE,
	DANE_TA,
	DANE_EE,
};

/* As DNS has it; data stays the answer's. */
struct tls_tlsa dane_record(const struct dns_record *record);

/* Usage, selector and matching type are known, and data is what they say: a
 * digest by its length, else a certificate or a public key. */
bool dane_well_formed(const struct tls_tlsa *tlsa);
/* ... and it is one of those of SMTP: DANE-TA, DANE-EE (RFC 7672, 3.1). */
bool dane_usable(const struct tls_tlsa *tlsa);

/* "3 1 1 0b9f...": as in a zone file. */
struct slice dane_text(struct arena *arena, const struct tls_tlsa *tlsa);
/* "dane-ee", "spki", "sha2-256" (RFC 7218, 2); "unknown". */
const char *dane_usage_name(unsigned usage);
const char *dane_selector_name(unsigned selector);
const char *dane_match_name(unsigned match);
/* Those names in any case, or the numbers. False: none of them. */
bool dane_usage_parse(struct slice text, unsigned char *usage_r);
bool dane_selector_parse(struct slice text, unsigned char *selector_r);
bool dane_match_parse(struct slice text, unsigned char *match_r);

/*
 * The record for the first certificate in a PEM text, or for the first public
 * or private key, which selector 0 cannot be about. 0, or -1 with e
 * (ERR_SYNTAX). Data in the arena.
 */
int dane_make(struct slice pem, unsigned char usage, unsigned char selector,
    unsigned char match, struct arena *arena, struct tls_tlsa *tlsa_r,
    struct err *e);

#endif
