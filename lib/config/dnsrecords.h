/*
 * dnsrecords - the DNS records a domain should have, as data and as the text
 * of a zone file.
 *
 * Reads the private keys that the configuration names (DKIM, host keys for
 * DANE) to tell their public halves; asks no DNS.
 */
#ifndef CONFIG_DNSRECORDS_H
#define CONFIG_DNSRECORDS_H

#include "config/config.h"
#include "net/addr.h"

struct dnsrecord {
	struct slice name; /* ASCII form, without trailing dot */
	const char *type;  /* "TXT" */
	/* As in a zone file ("10 mail.example.org."); of TXT the text itself,
	 * not quoted, of any length. */
	struct slice value;
	/* Not to be published as things are (DNSSEC is missing), or one of
	 * several possibilities: commented out in zone text. */
	bool optional;
	/* Sentences that explain this and what follows; may be empty. */
	struct slice about;
};

struct dnsrecords {
	struct slice domain; /* ASCII form */
	struct dnsrecord *v;
	size_t n;
};

struct dnsrecords_opts {
	/* Zones are signed: TLSA records of the host, and all else, count. */
	bool host_dnssec, domain_dnssec;
	/* The domain has CAA records already: suggest none over them. */
	bool has_caa;
	/* Of the ACME account (RFC 8657), empty while there is none. */
	struct slice acme_account_uri;
};

/*
 * All records for a domain of domains.conf. Strings are in arena or point
 * into the configuration. 0, or -1 with e when a key cannot be read.
 */
int dnsrecords_make(const struct config *config,
    const struct conf_domain *domain, const struct dnsrecords_opts *opts,
    struct arena *arena, struct dnsrecords *records_r, struct err *e);

/* A public address that mail of this host comes from, and the name that is
 * given in SMTP from there. */
struct dnsrecords_source {
	struct ip ip;
	struct slice host; /* ASCII form */
};

/* Of SMTP listeners (what NAT makes of them), and of SOCKS proxies, each once,
 * as far as mox.conf says; in arena. *n_r may be 0. */
struct dnsrecords_source *dnsrecords_sources(const struct config *config,
    struct arena *arena, size_t *n_r);

/* A record as lines of a zone file; not commented out. */
void dnsrecords_line(const struct dnsrecord *record, struct buf *b);
/* As lines of a zone file with comments, beginning with $TTL. */
void dnsrecords_zone(const struct dnsrecords *records, struct buf *b);

#endif
