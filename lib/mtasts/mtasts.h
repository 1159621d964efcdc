/*
 * mtasts - which hosts may take a domain's mail, and that they must have a valid
 * certificate: MTA-STS (RFC 8461). Records, policies, and the cache of them in
 * data/mtasts/, a file a domain.
 *
 *	mtasts_get      the policy of a domain: record, cache, fetch
 *	mtasts_ask      how a delivery has it fetched
 *	mtasts_matches  may mail go to this host?
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
	MTASTS_RECORD_INVALID, /* begins with v=STSv1; but is none */
	MTASTS_RECORD_TEMP,    /* no answer */
};

/* True if text is a record; *id_r points into it. */
bool mtasts_record_parse(struct slice text, struct slice *id_r);
/* Those of the answer about _mta-sts.DOMAIN that are meant as records: how
 * many, and the first. */
size_t mtasts_record_count(const struct dns_answer *answer,
    struct slice *text_r);
/* Ask DNS, and wait. text_r (OK, INVALID), id_r (OK), why_r (a sentence,
 * unless OK) live in the arena, or are empty. */
enum mtasts_record mtasts_record_lookup(struct dns *dns, struct arena *arena,
    struct slice domain, struct slice *text_r, struct slice *id_r,
    struct slice *why_r);
/* Set that question, which mtasts_get asks too, under way. */
void mtasts_start(struct dns *dns, struct arena *arena, struct slice domain);

/* ---- the policy (RFC 8461, 3.2) ---- */

enum mtasts_mode { MTASTS_MODE_NONE, MTASTS_MODE_TESTING, MTASTS_MODE_ENFORCE };
const char *mtasts_mode_name(enum mtasts_mode mode); /* "enforce" */

struct mtasts_policy {
	enum mtasts_mode mode;
	uint32_t max_age; /* seconds, at most MTASTS_AGE_MAX */
	struct slice *mx; /* patterns, in ASCII, lower case */
	size_t nmx;       /* 0 only with MTASTS_MODE_NONE */
};

/* Text as fetched: lines end with LF or CRLF, unknown keys are passed over.
 * 0, or -1 with e (ERR_SYNTAX: which line). Slices in the arena. */
int mtasts_policy_parse(struct slice text, struct arena *arena,
    struct mtasts_policy *policy_r, struct err *e);
/* A pattern, perhaps *.DOMAIN, in ASCII and lower case; false if it is none. */
bool mtasts_mx_ascii(struct arena *arena, struct slice pattern,
    struct slice *ascii_r);
/* Does such a pattern name this host? ASCII, any case
 * (RFC 8461, 4.1). */
bool mtasts_mx_matches(struct slice pattern, struct slice host);
bool mtasts_matches(const struct mtasts_policy *policy, struct slice host);

/* ---- the cache ---- */

/*
 * data/mtasts/DOMAIN, in lower case, escaped as lib/db does it: text for cat
 * and grep. Times are RFC 3339; lines without a value are left out, unknown
 * ones passed over.
 *
 *	mox-mtasts 1
 *	id 20160831085700Z
 *	fetched 2026-11-30T15:04:05.123Z
 *	failed 2026-11-30T16:04:05.123Z
 *	failure-type sts-policy-fetch-error
 *	failure mta-sts.example.com: HTTP status 404
 *
 *	version: STSv1
 *	...
 *
 * The file's mtime is when it was last used, about: so that use costs no
 * write, and `find -mtime` finds what is unused. It is replaced by rename, so
 * a crash leaves the old one or the new.
 */
struct mtasts_entry {
	struct slice id;    /* of the record it was fetched for */
	bool have;          /* there is a policy */
	int64_t fetched_us; /* when it was fetched last */
	int64_t end_us;     /* valid before that: fetched + max_age */
	struct mtasts_policy policy;
	struct slice text;         /* of it */
	int64_t used_us;           /* about: to the day */
	int64_t failed_us;         /* the last fetch, if it failed; else 0 */
	struct slice failure;      /* its reason: a sentence */
	struct slice failure_type; /* as RFC 8460, 4.3.2.2 has it:
				    * "sts-policy-fetch-error", ... */
};

/* mtasts_fd is always the folder data/mtasts. 1, 0 there is none, -1 with e (a
 * damaged one: ERR_SYNTAX; who gets it treats it as none, and *entry_r says
 * so). */
int mtasts_cache_read(int mtasts_fd, struct slice domain, struct arena *arena,
    struct mtasts_entry *entry_r, struct err *e);
int mtasts_cache_write(int mtasts_fd, struct slice domain,
    const struct mtasts_entry *entry, struct err *e);
/* It was used now. Changes the mtime, at most once a day. */
int mtasts_cache_used(int mtasts_fd, struct slice domain,
    const struct clock *clock, struct err *e);
int mtasts_cache_remove(int mtasts_fd, struct slice domain, struct err *e);
/* The domains, sorted by their file names. */
int mtasts_cache_list(int mtasts_fd, struct arena *arena,
    struct slice **domains_r, size_t *n_r, struct err *e);

/* The text of an entry's file, but for the mtime; out grows by at most
 * MTASTS_POLICY_MAX + 4096. */
void mtasts_entry_write(struct buf *out, const struct mtasts_entry *entry);
/* 0, or -1 with e. Slices in text and the arena. */
int mtasts_entry_parse(struct slice text, struct arena *arena,
    struct mtasts_entry *entry_r, struct err *e);

/* What a fetch brought. */
struct mtasts_fetched {
	struct slice text;         /* the policy, not yet parsed */
	struct slice failure_type; /* empty: there is a text */
	struct slice failure;      /* a sentence */
};

/* Parse it and write the entry: a policy replaces the old one, a failure is
 * noted beside it. 1, 0 it failed (or the text is no policy), -1 with e:
 * nothing could be written. */
int mtasts_cache_take(int mtasts_fd, struct slice domain, struct slice id,
    const struct clock *clock, const struct mtasts_fetched *fetched,
    struct err *e);

/* ---- keeping it fresh (RFC 8461, 3.3: fetched from time to time, so that who
 * blocks HTTPS for long does not end a policy) ---- */

enum mtasts_due {
	MTASTS_KEEP,
	MTASTS_REFRESH, /* not fetched for half a day */
	MTASTS_FORGET,  /* not used for MTASTS_UNUSED_S, or only a failure */
};
enum mtasts_due mtasts_due(const struct mtasts_entry *entry, int64_t now_us);

/* With what DNS says of the record now: was this policy withdrawn (mode none
 * and no record, RFC 8461, 8.3), or has it ended and there is no new one? */
bool mtasts_is_over(const struct mtasts_entry *entry, enum mtasts_record record,
    int64_t now_us);

/* ---- all of it ---- */

enum mtasts_status {
	MTASTS_NONE, /* no policy, or none that counts */
	MTASTS_OK,   /* policy_r: from the cache or just fetched; mode none is
	               * told as MTASTS_NONE */
	MTASTS_TEMP, /* DNS did not say whether there is one, or nothing could
		      * be fetched for reasons of our own, nor is a valid one
		      * cached: who wants MTA-STS must wait */
};

struct mtasts_result {
	enum mtasts_status status;
	struct mtasts_policy policy;
	struct slice text;         /* the policy, for reports */
	struct slice why;          /* for NONE, TEMP, and any failure */
	struct slice failure_type; /* RFC 8460, 4.3.2.2, for reports, or empty:
				    * nothing went wrong. With OK: the policy is
				    * an old one, a newer could not be had */
};

/* How a policy is fetched. fetch returns 0: in the cache is what came of it,
 * good or bad; or -1 with e: nothing came of it, for reasons of our own. */
struct mtasts_fetcher {
	int (*fetch)(void *ctx, struct slice domain, struct slice id,
	    struct err *e);
	void *ctx;
};

/*
 * The policy of a domain to deliver to, ASCII (RFC 8461, 5.1): the record is
 * asked for, the cache read; a policy whose id differs, or that has ended, is
 * fetched, unless that failed less than MTASTS_RETRY_S ago. A cached policy
 * that is still valid goes before a failure of DNS or HTTPS, and a record that
 * is gone. If none can be had, that is as if there were none. Blocks for DNS
 * and for the fetcher (NULL: nothing is fetched).
 */
void mtasts_get(struct dns *dns, int mtasts_fd,
    const struct mtasts_fetcher *fetcher, const struct clock *clock,
    struct arena *arena, struct slice domain, struct mtasts_result *result_r);

/* ---- through a door ---- */

/*
 * A fetcher for a process that has the door of `mox-mtasts serve`: ctx points to
 * it. Sends one end of a pipe with the domain and the id through it, and waits
 * for the answer, a little more than MTASTS_FETCH_MS at most. -1 is ERR_TEMP.
 */
int mtasts_ask(void *door, struct slice domain, struct slice id, struct err *e);

#endif
