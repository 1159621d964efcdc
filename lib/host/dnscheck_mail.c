/* dnscheck_mail - MX, TLSRPT, MTA-STS. */
#include "host/dnscheck_int.h"

#include "dmarc/dmarc_record.h"
#include "mtasts/mtasts.h"
#include "tlsrpt/tlsrpt.h"

/* ---- MX ---- */

void
dnscheck_mx_start(struct dnscheck *c)
{
	dns_start(c->dns, c->domain, DNS_MX);
}

/* The addresses of this host: can others connect to them, are they ours? */
static void
check_host_ips(struct dnscheck *c)
{
	char text[IP_TEXT];

	if (c->ips_rc < 0)
		dnscheck_failed(c, c->host, &c->ips, &c->ips_err);
	if (c->ips_rc == 0) {
		dnscheck_error(c, "%.*s has no addresses", SLICE_FMT(c->host));
		dnscheck_advise(c,
		    "Publish A and AAAA records of %.*s with the public "
		    "addresses of this host.",
		    SLICE_FMT(c->host));
	}
	for (size_t i = 0; c->ips_rc > 0 && i < c->ips.n; i++) {
		const struct ip *ip = &c->ips.v[i].ip;

		if (ip_is_loopback(ip) || ip_is_private(ip))
			dnscheck_error(c,
			    "%.*s has the address %s, which others cannot "
			    "reach",
			    SLICE_FMT(c->host), ip_text(ip, text));
	}
	for (size_t i = 0; c->ips_rc > 0 && i < c->nsources; i++)
		if (slice_eq(c->sources[i].host, c->host) &&
		    !dnscheck_is_host_ip(c, &c->sources[i].ip))
			dnscheck_warn(c,
			    "%s, an address of mox.conf, is not among those of "
			    "%.*s",
			    ip_text(&c->sources[i].ip, text),
			    SLICE_FMT(c->host));
}

static void
check_other_host(struct dnscheck *c, struct slice host)
{
	struct dns_answer a;
	struct err e = ERR_INIT;
	int rc = dns_addresses(c->dns, c->arena, host, &a, &e);

	if (rc < 0)
		dnscheck_failed(c, host, &a, &e);
	else if (rc == 0)
		dnscheck_error(c, "mail host %.*s has no addresses",
		    SLICE_FMT(host));
	else
		dnscheck_warn(c, "mail may also go to %.*s, not this host",
		    SLICE_FMT(host));
}

/* Returns whether this host is among them. */
static bool
check_hosts(struct dnscheck *c, const struct dns_answer *mx)
{
	bool ours = false;

	for (size_t i = 0; i < mx->n; i++)
		dns_start_addresses(c->dns, mx->v[i].mx.host);
	for (size_t i = 0; i < mx->n; i++) {
		struct slice host = mx->v[i].mx.host;

		if (slice_eqi(host, c->host)) {
			ours = true;
			/* RFC 5321, 5.1: no alias */
			if (c->ips_rc > 0 && !slice_eqi(c->ips.name, host))
				dnscheck_error(c,
				    "%.*s is an alias of %.*s, which a mail "
				    "host must not be",
				    SLICE_FMT(host), SLICE_FMT(c->ips.name));
		} else if (host.n > 0)
			check_other_host(c, host);
	}
	return ours;
}

/* Returns whether mail to the domain comes here. */
static bool
check_mx(struct dnscheck *c, const struct dns_answer *a)
{
	if (a->n == 0)
		dnscheck_error(c, "%.*s %s", SLICE_FMT(c->domain),
		    a->nxdomain ? "is not in DNS" : "has no MX record");
	else if (a->n == 1 && a->v[0].mx.host.n == 0) /* RFC 7505 */
		dnscheck_error(c, "the MX record says that %.*s takes no mail",
		    SLICE_FMT(c->domain));
	else if (check_hosts(c, a))
		return true;
	else
		dnscheck_error(c, "no MX record names this host, %.*s",
		    SLICE_FMT(c->host));
	return false;
}

void
dnscheck_mx(struct dnscheck *c)
{
	struct dns_answer a;

	if (dnscheck_query(c, c->domain, DNS_MX, &a) >= 0 && !check_mx(c, &a))
		dnscheck_publish(c, c->domain, "MX");
	check_host_ips(c);
}

/* ---- TLSRPT ---- */

void
dnscheck_tlsrpt_start(struct dnscheck *c)
{
	dns_start(c->dns, dnscheck_below(c, "_smtp._tls", c->host), DNS_TXT);
	dns_start(c->dns, dnscheck_below(c, "_smtp._tls", c->domain), DNS_TXT);
}

static bool
same_address(struct dnscheck *c, struct slice a, struct slice b)
{
	struct slice local[2], domain[2];

	return dmarc_uri_address(c->arena, a, &local[0], &domain[0]) &&
	    dmarc_uri_address(c->arena, b, &local[1], &domain[1]) &&
	    slice_eq(local[0], local[1]) && slice_eqi(domain[0], domain[1]);
}

static bool
reports_to(struct dnscheck *c, const struct tlsrpt_record *r,
    struct slice wanted)
{
	for (size_t i = 0; i < r->nrua; i++)
		if (same_address(c, r->rua[i], wanted))
			return true;
	return false;
}

/* want: the record that the configuration asks for, or NULL. */
static void
check_rua(struct dnscheck *c, struct slice text, const struct dnsrecord *want)
{
	struct tlsrpt_record r, ours;
	struct err e = ERR_INIT;

	if (tlsrpt_record_parse(text, c->arena, &r, &e) < 0)
		dnscheck_error(c, "%s", e.text);
	else if (want == NULL)
		dnscheck_note(c,
		    "reports go to %.*s; the configuration has no address for "
		    "them",
		    SLICE_FMT(r.rua[0]));
	else if (tlsrpt_record_parse(want->value, c->arena, &ours, NULL) == 0 &&
	    !reports_to(c, &r, ours.rua[0]))
		dnscheck_warn(c, "reports go to %.*s, not to %.*s",
		    SLICE_FMT(r.rua[0]), SLICE_FMT(ours.rua[0]));
	else
		return;
	if (want != NULL)
		dnscheck_publish(c, want->name, "TXT");
}

static void
check_tlsrpt(struct dnscheck *c, struct slice domain, const char *field)
{
	struct slice name = dnscheck_below(c, "_smtp._tls", domain), text;
	const struct dnsrecord *want = dnscheck_wanted(c, name, "TXT");
	struct dns_answer a;
	size_t n;

	if (dnscheck_query(c, name, DNS_TXT, &a) < 0)
		return;
	n = tlsrpt_record_count(&a, &text);
	if (n == 1) {
		check_rua(c, text, want);
		return;
	}
	if (n > 1)
		dnscheck_error(c, "%.*s has %zu TLSRPT records: all are void",
		    SLICE_FMT(name), n);
	else if (want != NULL)
		dnscheck_error(c, "%.*s has no TLSRPT record", SLICE_FMT(name));
	else {
		dnscheck_warn(c, "nobody reports about TLS with %.*s",
		    SLICE_FMT(domain));
		dnscheck_advise(c,
		    "Set %s, and publish what mox config "
		    "dnsrecords prints then.",
		    field);
	}
	dnscheck_publish(c, name, "TXT");
}

void
dnscheck_host_tlsrpt(struct dnscheck *c)
{
	if (slice_eq(c->host, c->domain))
		dnscheck_note(c, "the host is the domain: see Domain TLSRPT");
	else
		check_tlsrpt(c, c->host, "HostTLSRPT in mox.conf");
}

void
dnscheck_domain_tlsrpt(struct dnscheck *c)
{
	check_tlsrpt(c, c->domain, "TLSRPT of the domain in domains.conf");
}

/* ---- MTA-STS ---- */

void
dnscheck_mtasts_start(struct dnscheck *c)
{
	dns_start(c->dns, dnscheck_below(c, "_mta-sts", c->domain), DNS_TXT);
	if (c->conf->mtasts != NULL)
		dns_start_addresses(c->dns,
		    dnscheck_below(c, "mta-sts", c->domain));
}

static bool
policy_has(struct dnscheck *c, struct slice host)
{
	const struct conf_strings *mx = &c->conf->mtasts->mx;
	struct slice pattern;

	if (mx->n == 0)
		return slice_eqi(host, c->host);
	for (size_t i = 0; i < mx->n; i++)
		if (mtasts_mx_ascii(c->arena, mx->v[i], &pattern) &&
		    mtasts_mx_matches(pattern, host))
			return true;
	return false;
}

/* What MX says is told in its own section. */
static void
check_policy_hosts(struct dnscheck *c)
{
	struct dns_answer mx;

	if (dns_query(c->dns, c->arena, c->domain, DNS_MX, &mx, NULL) <= 0)
		return;
	for (size_t i = 0; i < mx.n; i++)
		if (mx.v[i].mx.host.n > 0 && !policy_has(c, mx.v[i].mx.host)) {
			dnscheck_error(c,
			    "the policy does not allow mail host %.*s, which "
			    "MX names",
			    SLICE_FMT(mx.v[i].mx.host));
			dnscheck_advise(c,
			    "Add it to MX of MTASTS in domains.conf with a new "
			    "PolicyID, or remove it from DNS.");
		}
}

static void
check_sts_record(struct dnscheck *c, struct slice name,
    const struct dns_answer *a)
{
	const struct conf_mtasts *conf = c->conf->mtasts;
	struct slice text, id;
	size_t n = mtasts_record_count(a, &text);

	if (n == 0)
		dnscheck_error(c, "%.*s has no MTA-STS record",
		    SLICE_FMT(name));
	else if (n > 1)
		dnscheck_error(c, "%.*s has %zu MTA-STS records: all are void",
		    SLICE_FMT(name), n);
	else if (!mtasts_record_parse(text, &id))
		dnscheck_error(c, "the record is malformed");
	else if (!slice_eq(id, conf->policy_id))
		dnscheck_error(c,
		    "the id of the record is \"%.*s\", that of the policy "
		    "\"%.*s\"",
		    SLICE_FMT(id), SLICE_FMT(conf->policy_id));
	else
		return;
	dnscheck_publish(c, name, "TXT");
}

void
dnscheck_mtasts(struct dnscheck *c)
{
	struct slice name = dnscheck_below(c, "_mta-sts", c->domain), text;
	struct dns_answer a;
	int rc = dnscheck_query(c, name, DNS_TXT, &a);

	if (c->conf->mtasts == NULL) {
		if (rc >= 0 && mtasts_record_count(&a, &text) > 0)
			dnscheck_error(c,
			    "%.*s promises a policy, but the domain has no "
			    "MTASTS in domains.conf",
			    SLICE_FMT(name));
		else if (rc >= 0)
			dnscheck_warn(c,
			    "the domain has no MTASTS in domains.conf: others "
			    "may deliver without verified TLS");
		return;
	}
	if (rc >= 0)
		check_sts_record(c, name, &a);
	dnscheck_leads_here(c, dnscheck_below(c, "mta-sts", c->domain));
	check_policy_hosts(c);
	dnscheck_note(c,
	    "the policy was not fetched from "
	    "https://mta-sts.%.*s/.well-known/mta-sts.txt",
	    SLICE_FMT(c->domain));
}
