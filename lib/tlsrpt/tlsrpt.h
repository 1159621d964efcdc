/*
 * tlsrpt - reports about TLS (RFC 8460): the record that asks for them, results
 * as the client collects them, and reports as they are sent and read.
 *
 * Reentrant. Depends on lib/base, lib/text, lib/dns, lib/db and lib/message.
 */
#ifndef TLSRPT_TLSRPT_H
#define TLSRPT_TLSRPT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "dns/dns.h"
#include "text/json_write.h"

/* ---- the record: _smtp._tls.DOMAIN TXT (RFC 8460, 3) ---- */

#define TLSRPT_RUA_MAX 20 /* addresses in a record */

struct tlsrpt_record {
	struct slice *rua; /* URIs: "mailto:...", "https://..." */
	size_t nrua;       /* 1 at least */
};

/* 0, or -1 with e. Slices in text, the array in the arena. */
int tlsrpt_record_parse(struct slice text, struct arena *arena,
    struct tlsrpt_record *record_r, struct err *e);
/* Those of the answer about _smtp._tls.DOMAIN that are meant as records: how
 * many, and the first. */
size_t tlsrpt_record_count(const struct dns_answer *answer,
    struct slice *text_r);
/* Ask DNS, and wait. 1 with *record_r and *text_r, 0 there is none (or several),
 * -1 with e (ERR_SYNTAX: *text_r is set). */
int tlsrpt_lookup(struct dns *dns, struct arena *arena, struct slice domain,
    struct tlsrpt_record *record_r, struct slice *text_r, struct err *e);

/* ---- results ---- */

enum tlsrpt_policy { TLSRPT_NO_POLICY, TLSRPT_TLSA, TLSRPT_STS };
const char *tlsrpt_policy_name(enum tlsrpt_policy type); /* "no-policy-found" */
bool tlsrpt_policy_parse(struct slice name, enum tlsrpt_policy *type_r);

/* One session with a host, or the failure to have a policy. */
struct tlsrpt_result {
	enum tlsrpt_policy type;
	struct slice policy_domain; /* RFC 8460, 4.3.1: STS and none: the
				     * recipient's; TLSA: the TLSA base domain */
	struct slice rcpt_domain;
	struct slice *policy; /* lines: the policy, or TLSA records */
	size_t npolicy;
	struct slice *mx; /* mx patterns of the policy */
	size_t nmx;
	bool is_host; /* policy_domain is an MX host's */
	/* "" success; else a type of RFC 8460, 4.3: "starttls-not-supported". */
	struct slice failure;
	struct slice reason; /* failure-reason-code, may be empty */
	struct slice sending_ip, mx_host, mx_helo, receiving_ip;
};

#define TLSRPT_DAY 9             /* "20261130" and a NUL */
#define TLSRPT_KEEP_DAYS 14      /* then results are removed, sent or not */
#define TLSRPT_FOLD (256 * 1024) /* bytes; larger files have lines joined */
#define TLSRPT_FILE_MAX (8 * 1024 * 1024) /* more results are not noted */

/* The UTC day of a time. */
void tlsrpt_day(int64_t us, char day_r[TLSRPT_DAY]);

/*
 * Note a result in data/tlsresults/DAY/POLICY-DOMAIN (UTC day; domain in lower
 * case, escaped as lib/db does it): a line of logfmt,
 *
 *	n=1 type=sts rcpt-domain=example.com policy="version: STSv1" ...
 *
 * with the keys policy, mx (each once a value), host=1, failure, reason,
 * sending-ip, mx-host, mx-helo, receiving-ip where there is something to say.
 * n is how many sessions ended so: when the file has grown, equal lines are
 * joined. Appended under a lock (tlsresults/.lock), not synced: these are
 * statistics. The first result of a day removes folders that are too old.
 *
 * tlsresults_fd: that folder. 0, or -1 with e (ERR_LIMIT: the day's file is
 * full). Values are cut to what is sensible in a report.
 */
int tlsrpt_note(int tlsresults_fd, const struct clock *clock,
    const struct tlsrpt_result *result, struct err *e);

/* Sums of such a file, for a report: those with the same policy counted, equal
 * failures joined. */
struct tlsrpt_failure {
	struct slice type, reason, sending_ip, mx_host, mx_helo, receiving_ip,
	    more; /* additional-information */
	uint64_t sessions;
};

struct tlsrpt_sum {
	enum tlsrpt_policy type;
	struct slice domain;
	struct slice *policy;
	size_t npolicy;
	struct slice *mx;
	size_t nmx;
	uint64_t success, failure;
	struct tlsrpt_failure *failures;
	size_t nfailures;
};

struct tlsrpt_results {
	struct tlsrpt_sum *sums;
	size_t n;
	struct slice *rcpt_domains; /* whose mail it was */
	size_t nrcpt_domains;
	bool is_host; /* a TLSA base domain, of an MX host */
};

/* Read DAY/DOMAIN: all in the arena; torn or unknown lines are passed over.
 * rcpt_domain: only results of mail to it; empty: all. 1, 0 no such file, -1. */
int tlsrpt_results_read(int tlsresults_fd, const char *day, struct slice domain,
    struct slice rcpt_domain, struct arena *arena,
    struct tlsrpt_results *results_r, struct err *e);
/* The days there are, oldest first; the policy domains of a day. */
int tlsrpt_results_days(int tlsresults_fd, struct arena *arena,
    struct slice **days_r, size_t *n_r, struct err *e);
int tlsrpt_results_domains(int tlsresults_fd, const char *day,
    struct arena *arena, struct slice **domains_r, size_t *n_r, struct err *e);

/* What such a file says. The arrays are in the arena, texts there or in text. */
void tlsrpt_results_parse(struct slice text, struct slice domain,
    struct slice rcpt_domain, struct arena *arena,
    struct tlsrpt_results *results_r);

/* ---- reports (RFC 8460, 4.4 and appendix B) ---- */

struct tlsrpt_report {
	struct slice organization, contact, id;
	struct slice start, end; /* RFC 3339 */
	struct tlsrpt_sum *policies;
	size_t npolicies;
};

void tlsrpt_report_write(struct buf *out, const struct tlsrpt_report *report);
/* The same, or one of its policies, as a value in other JSON. */
void tlsrpt_report_put(struct json_out *j, const char *name,
    const struct tlsrpt_report *report);
void tlsrpt_sum_put(struct json_out *j, const struct tlsrpt_sum *sum);
/* JSON text, which stays: slices point into it, or the arena. Fields that are
 * missing are empty, but for policies and their types. 0, or -1 with e
 * (ERR_SYNTAX; ERR_LIMIT: more than TLSRPT_REPORT_MAX bytes). */
#define TLSRPT_REPORT_MAX (10 * 1024 * 1024)
int tlsrpt_report_parse(struct slice json, struct arena *arena,
    struct tlsrpt_report *report_r, struct err *e);
/* The report in a message (RFC 8460, 5.3): finds the part, decodes it, gunzips
 * it within that limit. Message with LF or CRLF line ends. All of the report is
 * in the arena. */
int tlsrpt_message_parse(struct slice message, struct arena *arena,
    struct tlsrpt_report *report_r, struct err *e);

#endif
