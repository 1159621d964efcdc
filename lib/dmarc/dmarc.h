/*
 * dmarc - is the domain in From behind this message, and what is to be done
 * if not? (RFC 7489; with the tree walk of DMARCbis as an option)
 *
 * Takes what SPF and DKIM found out. Reentrant. Depends on lib/base, lib/dns,
 * lib/message and lib/dkim.
 */
#ifndef DMARC_DMARC_H
#define DMARC_DMARC_H

#include "base/rand.h"
#include "dkim/dkim.h"
#include "dmarc/dmarc_record.h"
#include "dns/dns.h"

enum dmarc_status { /* RFC 7489, 11.2 */
	DMARC_NONE,
	DMARC_PASS,
	DMARC_FAIL,
	DMARC_TEMPERROR,
	DMARC_PERMERROR,
};
const char *dmarc_status_name(enum dmarc_status status);

struct dmarc_found {
	/* NONE: no record, or several; PASS: there is one; or an error. */
	enum dmarc_status status;
	struct dmarc_record record;
	struct slice domain; /* where it is: the domain or one above it */
	bool secure;         /* DNSSEC proved all answers on the way */
	struct slice why;    /* if there is none */
};

/*
 * The record for mail with domain (any form) in From: its own, or that of its
 * organizational domain (RFC 7489, 6.6.3), which tree_walk finds without the
 * public suffix list. Blocks as dns_query does, for 2 questions, with
 * tree_walk for up to 8. Results are in the arena.
 */
void dmarc_lookup(struct dns *dns, struct arena *arena, struct slice domain,
    bool tree_walk, struct dmarc_found *found_r);

/* Set the questions of dmarc_lookup under way. */
void dmarc_start(struct dns *dns, struct arena *arena, struct slice domain);

struct dmarc_args {
	struct slice from_domain; /* of the one address in From */
	bool spf_pass, spf_temperror;
	struct slice spf_domain; /* that SPF was asked about */
	const struct dkim_results *dkim;
	/* Draws who is spared by pct=; see spared. */
	struct rand *rand;
	bool all; /* pct= is 100 */
	bool tree_walk;
};

struct dmarc_result {
	enum dmarc_status status;
	/* Is the domain's wish that this message is refused? Quarantine is
	 * taken as such (no one reads it). Only if status is FAIL. */
	bool reject;
	bool spared;                    /* would be, but for pct= */
	bool spf_aligned, dkim_aligned; /* pass and are the domain's own */
	enum dmarc_policy policy;       /* of the record for this domain */
	struct dmarc_found found;
};

/* There is always a result. Blocks as dmarc_lookup. */
void dmarc_verify(struct dns *dns, struct arena *arena,
    const struct dmarc_args *args, struct dmarc_result *result_r);

struct dmarc_report_check {
	enum dmarc_status status; /* PASS: send reports there; FAIL: do not */
	bool internal;            /* same organizational domain: no question */
	struct slice name;        /* that was asked for */
	struct slice text;        /* the record */
	/* Where it wants them: replaces the address if not empty (7.1, 7). */
	struct dmarc_uris rua;
	bool secure;
	struct slice why;
};

/*
 * Do those at to_domain want reports about domain (RFC 7489, 7.1)? Blocks for
 * one question. TEMPERROR, PERMERROR (a wrong record) mean no as well.
 */
void dmarc_report_accepted(struct dns *dns, struct arena *arena,
    struct slice domain, struct slice to_domain,
    struct dmarc_report_check *check_r);

#endif
