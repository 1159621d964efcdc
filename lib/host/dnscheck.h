/*
 * dnscheck - what DNS says of a domain and of this host, against what it
 * should say by the configuration.
 *
 * A table of checks, each with its errors, warnings, and what to do about
 * them: for tools and pages to show. Reads the private keys that the
 * configuration names.
 */
#ifndef HOST_DNSCHECK_H
#define HOST_DNSCHECK_H

#include "config/config.h"
#include "dns/dns.h"

#define DNSCHECK_MS 10000 /* to allow for all questions, by dns->until_ms */

enum dnscheck_level {
	DNSCHECK_ERROR,   /* mail is lost, refused, or not protected as said */
	DNSCHECK_WARNING, /* could be better */
	DNSCHECK_NOTE,    /* nothing is wrong; what was not looked at */
};

const char *dnscheck_level_name(enum dnscheck_level level); /* "error" */

struct dnscheck_line {
	enum dnscheck_level level;
	/* Not known, since DNS or a server did not answer: try again. */
	bool temporary;
	struct slice text; /* one line, printable but for UTF-8 */
};

/* What was found of one subject; with neither errors nor warnings all is
 * well. */
struct dnscheck_section {
	const char *name; /* "MX" */
	struct dnscheck_line *lines;
	size_t n;
	/* Sentences, and records to publish as lines of a zone file. None if
	 * nothing is wrong. */
	struct slice *instructions;
	size_t ninstructions;
};

struct dnscheck_result {
	struct slice domain; /* ASCII form */
	struct dnscheck_section *sections;
	size_t n;
	/* Errors that stand, and those that are temporary. */
	size_t errors, temporary, warnings;
};

/* A mail host to connect to. */
struct dnscheck_dial {
	struct slice host; /* ASCII form */
	struct ip ip;
	/* TLSA records that DNSSEC proved: one is to match. None: the
	 * certificate is to be for host, by an authority. */
	const struct dns_record *tlsa;
	size_t ntlsa;
};

struct dnscheck_opts {
	/*
	 * Connect to port 25, up to verified TLS. 0, or -1 with e: ERR_TEMP if
	 * there was no connection. NULL: nobody is connected to.
	 */
	int (*dial)(const struct dnscheck_dial *dial, struct err *e);
};

/*
 * Check a domain of domains.conf. All questions that are known beforehand are
 * asked side by side. Results are in arena or point into the configuration.
 * 0 whatever was found, or -1 with e when a key cannot be read.
 */
int dnscheck_run(const struct config *config, const struct conf_domain *domain,
    const struct dnscheck_opts *opts, struct dns *dns, struct arena *arena,
    struct dnscheck_result *result_r, struct err *e);

/* ---- before there are records ---- */

/* What decides which records a domain should have (config/dnsrecords.h). */
struct dnscheck_status {
	bool host_signed, domain_signed; /* by DNSSEC, as far as is known */
	bool has_caa;     /* the domain, or one above it (RFC 8659, 3) */
	struct slice why; /* something is not known; empty: all is */
};

/* Ask. host and domain in ASCII form; texts are in the arena. Blocks as long
 * as dns says. */
void dnscheck_status(struct dns *dns, struct arena *arena, struct slice host,
    struct slice domain, struct dnscheck_status *status_r);

#endif
