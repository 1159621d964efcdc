/*
 * mtasts - which hosts may take a domain's mail, and that they must have a valid
 * certificate: MTA-STS (RFC 8461). Records, policies, and the cache of them in
 * data/mtasts/, a file a domain.
 *
 *	mtasts_record_lookup     is there a policy, which id?
 *	mtasts_cache_read        do we have that one?
 *	mtasts_ask               if not: have it fetched
 *	mtasts_matches           may mail go to this host?
 *
 * Fetching over HTTPS is done by mox-mtasts, which alone links libcurl: as a
 * process of mox-queued that is asked through a door (as lib/dns/ask.h), or as
 * a tool. Reentrant. Depends on lib/base, lib/text, lib/net, lib/dns, lib/db.
 */
#ifndef MTASTS_MTASTS_H
#define MTASTS_MTASTS_H

#include "base/clock.h"
#include "dns/dns.h"

#define MTASTS_POLICY_MAX (64 * 1024) /* bytes of a policy (RFC 8461, 3.3) */
#define MTASTS_MX_MAX 1000            /* lines mx */
#define MTASTS_AGE_MAX 31557600       /* seconds (RFC 8461, 3.2) */
#define MTASTS_FETCH_MS 60000         /* for all of a fetch (RFC 8461, 3.3) */
#define MTASTS_RETRY_S 300            /* after a failed fetch, not before */
#define MTASTS_UNUSED_S (180 * 86400) /* then a policy is forgotten */

/* ---- the record: _mta-sts.DOMAIN TXT (RFC 8461, 3.1) ---- */

enum mtasts_record {
	MTASTS_RECORD_NONE,    /* no record, or several: no policy */
	MTASTS_RECORD_OK,      /* with an id */
	MTASTS_RECORD_INVALID, /* begins with v=STSv1, but is none */
	MTASTS_RECORD_TEMP,    /* no answer */
};

/* True if text is a record; *id_r points into it. */
bool mtasts_record_parse(struct slice text, struct slice *id_r);
/* Ask DNS. id_r, why_r (a sentence, unless OK) live in the arena. */
enum mtasts_record mtasts_record_lookup(struct dns *dns, struct arena *arena,
    struct slice domain, struct slice *id_r, struct slice *why_r);
/* Set that question under way. */
void mtasts_start(struct dns *dns, struct arena *arena, struct slice domain);

/* ---- the policy (RFC 8461, 3.2) ---- */

enum mtasts_mode { MTASTS_MODE_NONE, MTASTS_MODE_TESTING, MTASTS_MODE_ENFORCE };
const char *mtasts_mode_name(enum mtasts_mode mode); /* "enforce" */

struct mtasts_policy {
	enum mtasts_mode mode;
	uint32_t max_age; /* seconds */
	struct slice *mx; /* patterns, in ASCII, lower case */
	size_t nmx;       /* 0 only with MTASTS_MODE_NONE */
};

/* Text as fetched: lines end with LF or CRLF, unknown keys are passed over.
 * 0, or -1 with e (ERR_SYNTAX: which line). Slices in the arena. */
int mtasts_policy_parse(struct slice text, struct arena *arena,
    struct mtasts_policy *policy_r, struct err *e);
/* Does a pattern, perhaps *.DOMAIN, name this host? ASCII, any case. */
bool mtasts_mx_matches(struct slice pattern, struct slice host);
bool mtasts_matches(const struct mtasts_policy *policy, struct slice host);

/* ---- the cache ---- */

/* data/mtasts/DOMAIN (name escaped): `key value` lines, an empty line, and the
 * policy as fetched: for cat and grep. Replaced by rename. */
struct mtasts_entry {
	struct slice id;      /* of the record it was fetched for */
	int64_t fetched_us;   /* when the policy was last seen to be current */
	int64_t used_us;      /* about: to the day */
	int64_t failed_us;    /* the last fetch that failed, 0: none since */
	struct slice failure; /* its reason: a sentence */
	struct slice failure_type; /* as RFC 8460, 4.3.2.2 has it:
	                             * "sts-policy-fetch-error", ... */
	bool have;                 /* there is a policy */
	struct mtasts_policy policy;
	struct slice text; /* of it */
	int64_t end_us;    /* fetched + max_age */
};

/* mtasts_fd: the folder data/mtasts. 1, 0 there is none, -1 with e (a damaged
 * one: ERR_SYNTAX; who gets it treats it as none). */
int mtasts_cache_read(int mtasts_fd, struct slice domain, struct arena *arena,
    struct mtasts_entry *entry_r, struct err *e);
int mtasts_cache_write(int mtasts_fd, struct slice domain,
    const struct mtasts_entry *entry, struct err *e);
/* It was used today. Writes at most once a day. */
int mtasts_cache_used(int mtasts_fd, struct slice domain,
    const struct clock *clock, struct err *e);

/* ---- all of it ---- */

enum mtasts_status {
	MTASTS_NONE, /* no policy, or none that counts */
	MTASTS_OK,   /* policy_r: from the cache or just fetched; mode none is
	               * told as MTASTS_NONE */
	MTASTS_TEMP, /* neither record nor policy could be had, nor is a valid
	               * one cached: who wants MTA-STS must wait */
};

struct mtasts_result {
	enum mtasts_status status;
	struct mtasts_policy policy;
	struct slice text;         /* the policy, for reports */
	struct slice why;          /* for NONE with a failure, and TEMP */
	struct slice failure_type; /* RFC 8460, or empty: nothing went wrong */
};

/* How a policy is fetched. fetch returns 0, or -1 with e: in the cache is what
 * came of it, good or bad. */
struct mtasts_fetcher {
	int (*fetch)(void *ctx, struct slice domain, struct slice id,
	    struct err *e);
	void *ctx;
};

/*
 * The policy of a domain to deliver to, ASCII (RFC 8461, 5.1): the record is
 * asked for, the cache read; a policy whose id differs, or that has ended, is
 * fetched, unless that failed less than MTASTS_RETRY_S ago. A cached policy
 * that is still valid goes before a failure of DNS or HTTPS. Blocks for DNS and
 * for the fetcher (NULL: nothing is fetched).
 */
void mtasts_get(struct dns *dns, int mtasts_fd,
    const struct mtasts_fetcher *fetcher, const struct clock *clock,
    struct arena *arena, struct slice domain, struct mtasts_result *result_r);

/* ---- through a door ---- */

/* A fetcher for a process that has the door of `mox-mtasts serve`: sends one end
 * of a socket pair with the domain and the id, and waits at most
 * MTASTS_FETCH_MS for the answer. ctx points to the door. */
int mtasts_ask(void *door, struct slice domain, struct slice id, struct err *e);

#endif
