/* dnscheck_host - DNSSEC, reverse names, TLS, DANE. */
#include "host/dnscheck_int.h"

#include "dane/dane.h"
#include "iprev/iprev.h"

/* ---- DNSSEC ---- */

/* A zone that is signed, whoever asks. */
#define SIGNED_ZONE SLICE("com")

void
dnscheck_dnssec_start(struct dnscheck *c)
{
	dns_start(c->dns, SIGNED_ZONE, DNS_NS);
	dns_start(c->dns, c->domain, DNS_NS);
	dns_start(c->dns, c->host, DNS_NS);
}

static bool
validates(struct dnscheck *c)
{
	struct dns_answer a;

	if (dnscheck_query(c, SIGNED_ZONE, DNS_NS, &a) < 0)
		return false;
	if (a.secure)
		return true;
	dnscheck_warn(c,
	    "answers are not validated here: whether zones are signed is not "
	    "known, DANE does not protect mail to others");
	dnscheck_advise(c,
	    "Let DNS in mox.conf, or its default, have a TrustAnchor. A "
	    "resolver that validates on this host is best, such as unbound.");
	return false;
}

static void
check_signed(struct dnscheck *c, struct slice name)
{
	struct dns_answer a;

	if (dnscheck_query(c, name, DNS_NS, &a) < 0)
		return;
	if (a.nxdomain) {
		dnscheck_error(c, "%.*s is not in DNS", SLICE_FMT(name));
		return;
	}
	if (a.secure)
		return;
	dnscheck_warn(c, "the zone of %.*s is not signed", SLICE_FMT(name));
	dnscheck_advise(c,
	    "Let the operator of the zone of %.*s sign it with DNSSEC, and "
	    "give the DS record to the zone above.",
	    SLICE_FMT(name));
}

void
dnscheck_dnssec(struct dnscheck *c)
{
	if (!validates(c))
		return;
	check_signed(c, c->domain);
	if (!slice_eq(c->host, c->domain))
		check_signed(c, c->host);
}

/* ---- reverse names ---- */

void
dnscheck_iprev_start(struct dnscheck *c)
{
	for (size_t i = 0; i < c->nsources; i++)
		dns_start_reverse(c->dns, &c->sources[i].ip);
}

static bool
has_name(const struct iprev_result *r, struct slice name)
{
	for (size_t i = 0; i < r->nnames; i++)
		if (slice_eqi(r->names[i], name))
			return true;
	return false;
}

static void
advise_reverse(struct dnscheck *c, const struct ip *ip, struct slice host)
{
	struct buf name = BUF_INIT(256);

	ip_reverse(ip, &name);
	dnscheck_advise(c,
	    "Who gave you the address can set its name; others refuse mail "
	    "from an address without:");
	dnscheck_advise(c, "%s%s PTR %.*s.", buf_cstr(&name),
	    ip->family == 4 ? ".in-addr.arpa." : ".ip6.arpa.", SLICE_FMT(host));
	buf_free(&name);
}

static void
check_reverse(struct dnscheck *c, const struct ip *ip, struct slice host)
{
	struct iprev_result r;
	char text[IP_TEXT];

	iprev_check(c->dns, c->arena, ip, &r);
	ip_text(ip, text);
	if (r.status == IPREV_TEMPERROR) {
		dnscheck_temporary(c, "%s: temporary failure: %.*s", text,
		    SLICE_FMT(r.problem));
		return;
	}
	if (r.status == IPREV_PASS && r.nnames > 1)
		dnscheck_warn(c, "%s has %zu reverse names; one is usual", text,
		    r.nnames);
	if (r.status == IPREV_PASS && has_name(&r, host))
		return;
	if (r.nnames == 0)
		dnscheck_error(c, "%s has no reverse name", text);
	else if (!has_name(&r, host))
		dnscheck_error(c, "the reverse name of %s is %.*s, not %.*s",
		    text, SLICE_FMT(r.names[0]), SLICE_FMT(host));
	else
		dnscheck_error(c,
		    "the reverse name of %s is %.*s, which does not lead back "
		    "to it",
		    text, SLICE_FMT(host));
	advise_reverse(c, ip, host);
}

static bool
is_source(const struct dnscheck *c, const struct ip *ip)
{
	for (size_t i = 0; i < c->nsources; i++)
		if (ip_eq(&c->sources[i].ip, ip))
			return true;
	return false;
}

/* Of the addresses that mox.conf has, and of those the host has in DNS. */
void
dnscheck_iprev(struct dnscheck *c)
{
	size_t n = c->ips_rc > 0 ? c->ips.n : 0;

	for (size_t i = 0; i < n; i++)
		dns_start_reverse(c->dns, &c->ips.v[i].ip);
	for (size_t i = 0; i < c->nsources; i++)
		check_reverse(c, &c->sources[i].ip, c->sources[i].host);
	for (size_t i = 0; i < n; i++) {
		const struct ip *ip = &c->ips.v[i].ip;

		if (!is_source(c, ip) && !ip_is_private(ip) &&
		    !ip_is_loopback(ip))
			check_reverse(c, ip, c->host);
	}
	if (n == 0 && c->nsources == 0)
		dnscheck_warn(c,
		    "no public address is known of this host: neither from "
		    "mox.conf nor from DNS");
}

/* ---- TLS ---- */

static struct slice
tlsa_name(struct dnscheck *c)
{
	return dnscheck_below(c, "_25._tcp", c->host);
}

static void
dial(struct dnscheck *c, struct dnscheck_dial *d)
{
	char text[IP_TEXT];
	struct err e = ERR_INIT;

	if (c->opts->dial(d, &e) == 0)
		return;
	ip_text(&d->ip, text);
	if (e.kind == ERR_TEMP)
		dnscheck_temporary(c, "%s: temporary failure: %s", text,
		    e.text);
	else
		dnscheck_error(c, "%s: %s", text, e.text);
}

void
dnscheck_tls(struct dnscheck *c)
{
	struct dnscheck_dial d = { .host = c->host };
	struct dns_answer a;

	if (c->opts->dial == NULL) {
		dnscheck_note(c, "no connection was made to port 25 of %.*s",
		    SLICE_FMT(c->host));
		return;
	}
	/* What fails here is told of DANE. */
	if (dns_query(c->dns, c->arena, tlsa_name(c), DNS_TLSA, &a, NULL) > 0 &&
	    a.secure && c->ips.secure) {
		d.tlsa = a.v;
		d.ntlsa = a.n;
	}
	for (size_t i = 0; c->ips_rc > 0 && i < c->ips.n; i++) {
		d.ip = c->ips.v[i].ip;
		dial(c, &d);
	}
	if (c->ips_rc <= 0)
		dnscheck_note(c, "no address of %.*s to connect to is known",
		    SLICE_FMT(c->host));
}

/* ---- DANE ---- */

void
dnscheck_dane_start(struct dnscheck *c)
{
	dns_start(c->dns, tlsa_name(c), DNS_TLSA);
}

/* As the value of a wanted record. */
static struct slice
tlsa_text(struct dnscheck *c, const struct dns_record *r)
{
	struct tls_tlsa tlsa = dane_record(r);

	return dane_text(c->arena, &tlsa);
}

static bool
is_published(struct dnscheck *c, const struct dns_answer *a, struct slice value)
{
	for (size_t i = 0; i < a->n; i++)
		if (slice_eq(tlsa_text(c, &a->v[i]), value))
			return true;
	return false;
}

/* How many records of host keys are wanted; those missing are told. */
static size_t
check_host_keys(struct dnscheck *c, const struct dns_answer *a)
{
	struct slice name = tlsa_name(c);
	size_t wanted = 0, missing = 0;

	for (size_t i = 0; i < c->want.n; i++) {
		const struct dnsrecord *r = &c->want.v[i];

		if (!slice_is(slice_str(r->type), "TLSA"))
			continue;
		wanted++;
		if (is_published(c, a, r->value))
			continue;
		missing++;
		dnscheck_error(c, "%.*s has no TLSA record %.*s",
		    SLICE_FMT(name), SLICE_FMT(r->value));
	}
	if (missing > 0)
		dnscheck_publish(c, name, "TLSA");
	return wanted;
}

static void
check_others(struct dnscheck *c, const struct dns_answer *a)
{
	struct slice name = tlsa_name(c), text;
	bool any = false, wanted;

	for (size_t i = 0; i < a->n; i++) {
		text = tlsa_text(c, &a->v[i]);
		wanted = false;
		for (size_t k = 0; k < c->want.n; k++)
			wanted |=
			    slice_is(slice_str(c->want.v[k].type), "TLSA") &&
			    slice_eq(c->want.v[k].value, text);
		any |= wanted;
		if (!wanted)
			dnscheck_warn(c,
			    "%.*s TLSA %.*s is of no key in "
			    "HostPrivateKeyFiles",
			    SLICE_FMT(name), SLICE_FMT(text));
	}
	if (a->n > 0 && !any)
		dnscheck_error(c,
		    "none of the TLSA records is of a key of this host: others "
		    "will not deliver");
}

void
dnscheck_dane(struct dnscheck *c)
{
	struct slice name = tlsa_name(c);
	struct dns_answer a;
	size_t wanted;

	if (dnscheck_query(c, name, DNS_TLSA, &a) < 0)
		return;
	/* RFC 7672, 2.2.1: the addresses are to be secure as well. */
	if (!a.secure || (c->ips_rc > 0 && !c->ips.secure)) {
		if (a.n > 0)
			dnscheck_warn(c,
			    "TLSA records of %.*s have no effect without "
			    "DNSSEC",
			    SLICE_FMT(name));
		else
			dnscheck_note(c, "DANE needs DNSSEC for %.*s",
			    SLICE_FMT(c->host));
		return;
	}
	wanted = check_host_keys(c, &a);
	if (wanted > 0 || a.n > 0)
		check_others(c, &a);
	if (wanted == 0) {
		dnscheck_warn(c,
		    "listener public has no HostPrivateKeyFiles, whose keys "
		    "stay when certificates change");
		dnscheck_advise(c,
		    "Make keys with mox config ensureacmehostprivatekeys, then "
		    "publish what mox config dnsrecords prints.");
	}
}
