/*
 * dmarc_eval - what policies were applied to, one line a message, until
 * reports on them are sent (RFC 7489, 7.2).
 *
 *	data/dmarcresults/20261130/example.org
 *
 * is what came on that day (UTC) under the policy of that domain: lines of
 * `key=value`, appended, not synced, for a report is a statistic. README has
 * them. Depends on lib/base, lib/net, lib/db, and the results of SPF and DKIM.
 */
#ifndef DMARC_DMARC_EVAL_H
#define DMARC_DMARC_EVAL_H

#include "dmarc/dmarc.h"
#include "net/addr.h"
#include "spf/spf.h"

#define DMARC_EVAL_LINE 8192          /* bytes; more is left out, or none */
#define DMARC_EVAL_FILE (1024 * 1024) /* of a domain and day; then no more */
#define DMARC_EVAL_DKIM 8             /* results of a message */
#define DMARC_EVAL_DAYS 3             /* that are kept, with today */

struct dmarc_eval_dkim {
	struct slice domain, selector;
	enum dkim_status status;
};

/* Texts without spaces but record; domains in ASCII form. */
struct dmarc_eval {
	int64_t time; /* seconds since 1970 */
	/* Not worth a report by itself. */
	bool optional;
	bool rejected; /* the policy's wish was done; else it was accepted */
	struct slice override; /* why it was not, RFC 7489's PolicyOverride */
	bool dkim_aligned, spf_aligned;
	struct ip ip;
	struct slice from;      /* domain in From */
	struct slice mail_from; /* domains of the envelope; may be empty */
	struct slice rcpt;
	struct slice record; /* the policy, as it stood in DNS */
	struct slice spf_domain;
	bool spf_helo; /* it is that of HELO */
	enum spf_status spf;
	struct dmarc_eval_dkim dkim[DMARC_EVAL_DKIM];
	size_t ndkim;
};

/* Append the line, with its LF; nothing if it is too long (false). */
bool dmarc_eval_write(struct buf *out, const struct dmarc_eval *ev);
/* Take a line, without LF; texts in the arena. False: nonsense. Unknown keys
 * are passed over. */
bool dmarc_eval_parse(struct slice line, struct arena *arena,
    struct dmarc_eval *ev_r);

/*
 * Append to the file of the policy's domain, below data_fd, on which
 * dmarcresults must be. An optional one is added only where there is another
 * already: names that somebody makes up take no room. The first of a day
 * removes days that are too old. 1, 0 not added (optional, or there is too
 * much of that domain), -1 with e.
 */
int dmarc_eval_add(int data_fd, struct slice domain,
    const struct dmarc_eval *ev, struct err *e);

#endif
