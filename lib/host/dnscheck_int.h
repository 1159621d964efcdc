/*
 * dnscheck_int - what the checks share: what is known, what they say.
 *
 *   dnscheck.c          the table, its order; adding to a section
 *   dnscheck_host.c     DNSSEC, reverse names, TLS, DANE
 *   dnscheck_mail.c     MX, TLSRPT, MTA-STS
 *   dnscheck_auth.c     SPF, DKIM, DMARC
 *   dnscheck_clients.c  SRV, autoconfig, autodiscover
 */
#ifndef HOST_DNSCHECK_INT_H
#define HOST_DNSCHECK_INT_H

#include "config/dnsrecords.h"
#include "host/dnscheck.h"

struct dnscheck {
	const struct config *config;
	const struct conf_domain *conf;
	const struct dnscheck_opts *opts;
	struct dns *dns;
	struct arena *arena;
	struct slice host, domain; /* ASCII form */
	struct dnsrecords want;    /* as if zones were signed */
	struct dnsrecords_source *sources;
	size_t nsources;
	/* Addresses of the host: of dns_addresses. */
	struct dns_answer ips;
	int ips_rc;
	struct err ips_err;
	struct dnscheck_section *section; /* of the check that runs */
	struct dnscheck_result *result;
};

/* A row of the table. */
struct dnscheck_check {
	const char *name;
	/* Set questions under way, before any check runs. May be NULL. */
	void (*start)(struct dnscheck *c);
	void (*run)(struct dnscheck *c);
};

/* ---- adding to the section ---- */

void dnscheck_error(struct dnscheck *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void dnscheck_warn(struct dnscheck *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void dnscheck_note(struct dnscheck *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* An error that may be gone later. */
void dnscheck_temporary(struct dnscheck *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* A question failed: bogus is an error, anything else is temporary. */
void dnscheck_failed(struct dnscheck *c, struct slice name,
    const struct dns_answer *answer, const struct err *e);

/* Instructions: a sentence; the records wanted at a name, if any are. */
void dnscheck_advise(struct dnscheck *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void dnscheck_publish(struct dnscheck *c, struct slice name, const char *type);

/* ---- asking ---- */

/* dns_query; of -1 dnscheck_failed is told. */
int dnscheck_query(struct dnscheck *c, struct slice name, enum dns_type type,
    struct dns_answer *answer_r);
/* The addresses of a host that clients use are this host's; if not, says so
 * and what CNAME to publish. */
void dnscheck_leads_here(struct dnscheck *c, struct slice name);
bool dnscheck_is_host_ip(const struct dnscheck *c, const struct ip *ip);

/* The first record wanted at a name, or NULL. */
const struct dnsrecord *dnscheck_wanted(const struct dnscheck *c,
    struct slice name, const char *type);
/* PREFIX.NAME */
struct slice dnscheck_below(struct dnscheck *c, const char *prefix,
    struct slice name);

/* ---- checks ---- */

void dnscheck_dnssec_start(struct dnscheck *c);
void dnscheck_dnssec(struct dnscheck *c);
void dnscheck_iprev_start(struct dnscheck *c);
void dnscheck_iprev(struct dnscheck *c);
void dnscheck_mx_start(struct dnscheck *c);
void dnscheck_mx(struct dnscheck *c);
void dnscheck_tls(struct dnscheck *c);
void dnscheck_dane_start(struct dnscheck *c);
void dnscheck_dane(struct dnscheck *c);
void dnscheck_spf_start(struct dnscheck *c);
void dnscheck_spf(struct dnscheck *c);
void dnscheck_dkim_start(struct dnscheck *c);
void dnscheck_dkim(struct dnscheck *c);
void dnscheck_dmarc_start(struct dnscheck *c);
void dnscheck_dmarc(struct dnscheck *c);
void dnscheck_tlsrpt_start(struct dnscheck *c);
void dnscheck_host_tlsrpt(struct dnscheck *c);
void dnscheck_domain_tlsrpt(struct dnscheck *c);
void dnscheck_mtasts_start(struct dnscheck *c);
void dnscheck_mtasts(struct dnscheck *c);
void dnscheck_srv_start(struct dnscheck *c);
void dnscheck_srv(struct dnscheck *c);
void dnscheck_autoconfig_start(struct dnscheck *c);
void dnscheck_autoconfig(struct dnscheck *c);
void dnscheck_autodiscover(struct dnscheck *c);

#endif
