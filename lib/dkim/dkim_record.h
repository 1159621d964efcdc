/*
 * dkim_record - what DNS says of a key (RFC 6376, 3.6).
 */
#ifndef DKIM_DKIM_RECORD_H
#define DKIM_DKIM_RECORD_H

#include "dkim/dkim_key.h"
#include "dns/dns.h"

struct dkim_record {
	struct slice text;       /* the record as it came */
	enum dkim_key_type type; /* k= */
	struct slice hashes;     /* h=, with ":" between; empty: all */
	struct slice services;   /* s=; empty: all */
	struct slice notes;      /* n=, decoded */
	bool testing;            /* t=y */
	bool strict;             /* t=s: i= must have the domain d= */
	struct slice public_key; /* p=, decoded; empty: the key is revoked */
};

/*
 * Parse a record; slices in the input or the arena. 1 and *record_r; 0 if it
 * is of another kind (other version, or no tags); -1 with e, ERR_SYNTAX.
 */
int dkim_record_parse(struct arena *arena, struct slice text,
    struct dkim_record *record_r, struct err *e);

bool dkim_record_allows_hash(const struct dkim_record *record,
    enum sha_alg alg);
bool dkim_record_allows_email(const struct dkim_record *record);

/* Append the record with all that is set, "v=DKIM1;..." */
void dkim_record_write(const struct dkim_record *record, struct buf *out);

/*
 * The DNS name of a key, selector._domainkey.domain with A-labels; in the
 * arena. -1 is ERR_SYNTAX.
 */
int dkim_record_name(struct arena *arena, struct slice selector,
    struct slice domain, struct slice *name_r, struct err *e);

/*
 * Ask for the key, blocking as dns_query does. 1 and *record_r; 0 with e
 * saying why if there is no such record; -1 with e: ERR_TEMP if DNS did not
 * answer, ERR_SYNTAX for a wrong record or name, ERR_PERM for several records.
 * *secure_r: DNSSEC proved the answer.
 */
int dkim_record_lookup(struct dns *dns, struct arena *arena,
    struct slice selector, struct slice domain, struct dkim_record *record_r,
    bool *secure_r, struct err *e);

#endif
