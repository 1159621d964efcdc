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

/* ---- the record: _smtp._tls.DOMAIN TXT (RFC 8460, 3) ---- */

struct tlsrpt_record {
	struct slice *rua; /* URIs, decoded: "mailto:...", "https://..." */
	size_t nrua;
};

int tlsrpt_record_parse(struct slice text, struct arena *arena,
    struct tlsrpt_record *record_r, struct err *e);
/* 1 with *record_r and *text_r, 0 there is none (or several), -1 with e. */
int tlsrpt_lookup(struct dns *dns, struct arena *arena, struct slice domain,
    struct tlsrpt_record *record_r, struct slice *text_r, struct err *e);

/* ---- results ---- */

enum tlsrpt_policy { TLSRPT_NO_POLICY, TLSRPT_TLSA, TLSRPT_STS };
const char *tlsrpt_policy_name(enum tlsrpt_policy type); /* "no-policy-found" */

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

/*
 * Note a result: one line in data/tlsresults/DAY/POLICY-DOMAIN (UTC day, name
 * escaped), appended in one write; logfmt keys as above. Not synced: these are
 * statistics. tlsresults_fd: that folder. 0, or -1 with e.
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

struct tlsrpt_report {
	struct slice organization, contact, id;
	struct slice start, end; /* RFC 3339 */
	struct tlsrpt_sum *policies;
	size_t npolicies;
};

/* Read the lines of DAY/DOMAIN; torn or unknown ones are passed over. 1, 0 no
 * such file, -1. rcpt_domains_r (may be NULL): whose mail it was. */
int tlsrpt_results_read(int tlsresults_fd, struct slice day,
    struct slice domain, struct arena *arena, struct tlsrpt_sum **sums_r,
    size_t *n_r, struct err *e);

/* ---- reports (RFC 8460, 4.4 and appendix B) ---- */

void tlsrpt_report_write(struct buf *out, const struct tlsrpt_report *report);
/* JSON text. 0, or -1 with e. Bounded: TLSRPT_REPORT_MAX bytes. */
#define TLSRPT_REPORT_MAX (10 * 1024 * 1024)
int tlsrpt_report_parse(struct slice json, struct arena *arena,
    struct tlsrpt_report *report_r, struct err *e);
/* The report in a message (RFC 8460, 5.3): finds the part, decodes it, gunzips
 * it within the limit. Message with LF or CRLF line ends. */
int tlsrpt_message_parse(struct slice message, struct arena *arena,
    struct tlsrpt_report *report_r, struct err *e);

#endif
