/*
 * dmarc_record - what a domain says it wants done with mail that is not its
 * own (RFC 7489, 6.3; tags np, psd and t of its successor, DMARCbis).
 */
#ifndef DMARC_DMARC_RECORD_H
#define DMARC_DMARC_RECORD_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define DMARC_URIS_MAX 20 /* of rua or ruf; RFC 7489, 6.2 asks for two */

enum dmarc_policy {
	DMARC_POLICY_UNSET, /* sp, np: not given */
	DMARC_POLICY_NONE,
	DMARC_POLICY_QUARANTINE,
	DMARC_POLICY_REJECT,
};
const char *dmarc_policy_name(enum dmarc_policy policy); /* "" if unset */

enum dmarc_psd { DMARC_PSD_UNKNOWN, DMARC_PSD_NO, DMARC_PSD_YES };

struct dmarc_uri {
	struct slice uri;   /* "mailto:a@example.org" */
	uint64_t max_bytes; /* behind "!"; 0: no limit */
};

struct dmarc_uris {
	struct dmarc_uri *v;
	size_t n;
};

struct dmarc_record {
	struct slice text; /* as it came */
	enum dmarc_policy policy;
	enum dmarc_policy subdomain_policy;   /* sp= */
	enum dmarc_policy nonexistent_policy; /* np= */
	bool dkim_strict, spf_strict;         /* adkim=s, aspf=s */
	unsigned percent;                     /* pct=, 100 if not given */
	uint32_t interval_s;                  /* ri=, a day if not given */
	struct slice failure_options;         /* fo=, "0" if not given */
	struct slice report_formats;          /* rf=, "afrf" if not given */
	struct dmarc_uris rua, ruf;
	enum dmarc_psd psd;
	bool testing; /* t=y */
};

/*
 * Parse a record; slices in text, arrays in the arena. 1 and *record_r; 0 if
 * it is no DMARC record; -1 with e, ERR_SYNTAX. As 6.6.3 says, a record whose
 * p= or sp= is missing or wrong asks for reports only (policy none) if it has
 * a rua=, else it is wrong.
 */
int dmarc_record_parse(struct arena *arena, struct slice text,
    struct dmarc_record *record_r, struct err *e);

/* A record of any kind: one at an address for reports needs no policy. */
int dmarc_record_parse_report(struct arena *arena, struct slice text,
    struct dmarc_record *record_r, struct err *e);

/* Append the record, what is not the default, "v=DMARC1;p=reject;..." */
void dmarc_record_write(const struct dmarc_record *record, struct buf *out);

/* The local part and domain of a mailto: URI, as they stand in it but for
 * %-encoding. False for other schemes and what is no address. */
bool dmarc_uri_address(struct arena *arena, struct slice uri,
    struct slice *local_r, struct slice *domain_r);

#endif
