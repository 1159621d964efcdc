/* dnscheck_auth - SPF, DKIM, DMARC. */
#include "host/dnscheck_int.h"

#include "base/clock.h"
#include "dkim/dkim_record.h"
#include "dmarc/dmarc.h"
#include "spf/spf.h"
#include "text/idna.h"

/* ---- SPF ---- */

void
dnscheck_spf_start(struct dnscheck *c)
{
	dns_start(c->dns, c->domain, DNS_TXT);
	dns_start(c->dns, c->host, DNS_TXT);
}

/* Does mail from this address pass? Returns whether the record is at fault. */
static bool
check_from(struct dnscheck *c, struct slice domain, const struct ip *ip,
    struct slice helo)
{
	struct spf_args args = { .ip = *ip,
		.helo = helo,
		.local = SLICE("postmaster"),
		.domain = domain,
		.receiver = c->host,
		.now_s = clock_s(NULL) };
	struct spf_result r;
	char text[IP_TEXT];

	spf_verify(c->dns, c->arena, &args, &r);
	ip_text(ip, text);
	if (r.status == SPF_PASS)
		return false;
	if (r.status == SPF_TEMPERROR)
		dnscheck_temporary(c, "%.*s from %s: temporary failure: %.*s",
		    SLICE_FMT(domain), text, SLICE_FMT(r.problem));
	else
		dnscheck_error(c, "mail of %.*s from %s: %s%s%.*s",
		    SLICE_FMT(domain), text, spf_status_name(r.status),
		    r.problem.n > 0 ? ": " : "", SLICE_FMT(r.problem));
	return r.status != SPF_TEMPERROR;
}

/* From all addresses that say the name helo, or for the domain any name. */
static bool
check_sources(struct dnscheck *c, struct slice domain, bool any)
{
	bool wrong = false, found = false;

	for (size_t i = 0; i < c->nsources; i++) {
		const struct dnsrecords_source *s = &c->sources[i];

		if (!any && !slice_eqi(s->host, c->host))
			continue;
		wrong |= check_from(c, domain, &s->ip, s->host);
		found = true;
	}
	for (size_t i = 0; !found && c->ips_rc > 0 && i < c->ips.n; i++)
		wrong |= check_from(c, domain, &c->ips.v[i].ip, c->host);
	return wrong;
}

/* What the record says of everybody else. */
static void
check_rest(struct dnscheck *c, struct slice domain,
    const struct spf_record *record)
{
	for (size_t i = 0; i < record->ndirectives; i++) {
		const struct spf_directive *d = &record->directives[i];

		if (d->mechanism != SPF_ALL)
			continue;
		if (d->qualifier == '+' || d->qualifier == '?')
			dnscheck_warn(c,
			    "SPF of %.*s: %.*s keeps nobody from using the "
			    "domain",
			    SLICE_FMT(domain), SLICE_FMT(d->text));
		return;
	}
	if (record->redirect.n == 0)
		dnscheck_warn(c, "SPF of %.*s does not end in ~all or -all",
		    SLICE_FMT(domain));
}

static void
check_spf(struct dnscheck *c, struct slice domain)
{
	struct dns_answer a;
	struct spf_record record;
	struct err e = ERR_INIT;
	struct slice text;
	bool secure, wrong = true;
	int rc;

	if (dnscheck_query(c, domain, DNS_TXT, &a) < 0)
		return;
	rc = spf_lookup(c->dns, c->arena, domain, &text, &secure, &e);
	if (rc == 0)
		dnscheck_error(c, "%.*s has no SPF record", SLICE_FMT(domain));
	else if (rc < 0 || spf_parse(c->arena, text, &record, &e) < 0)
		dnscheck_error(c, "%.*s: %s", SLICE_FMT(domain), e.text);
	else {
		wrong = check_sources(c, domain, slice_eq(domain, c->domain));
		check_rest(c, domain, &record);
	}
	if (wrong)
		dnscheck_publish(c, domain, "TXT");
}

void
dnscheck_spf(struct dnscheck *c)
{
	check_spf(c, c->domain);
	if (!slice_eq(c->host, c->domain))
		check_spf(c, c->host);
}

/* ---- DKIM ---- */

static bool
selector_name(struct dnscheck *c, const struct conf_selector *s,
    struct slice *name_r)
{
	return dkim_record_name(c->arena, s->name, c->domain, name_r, NULL) ==
	    0;
}

void
dnscheck_dkim_start(struct dnscheck *c)
{
	const struct conf_dkim *dkim = c->conf->dkim;
	struct slice name;

	for (size_t i = 0; dkim != NULL && i < dkim->selectors.n; i++)
		if (selector_name(c, &dkim->selectors.v[i], &name))
			dns_start(c->dns, name, DNS_TXT);
}

static bool
signs(const struct conf_dkim *dkim, const struct conf_selector *s)
{
	for (size_t i = 0; i < dkim->sign.n; i++)
		if (slice_eqi(dkim->sign.v[i], s->name))
			return true;
	return false;
}

/* Why signatures would not be verified with a record; NULL: they are. */
static const char *
record_fault(struct dnscheck *c, const struct dkim_record *r,
    const struct conf_selector *s, struct slice wanted)
{
	enum sha_alg hash = slice_isi(s->hash, "sha1") ? SHA_1 : SHA_256;
	struct dkim_record w;

	if (r->public_key.n == 0)
		return "says that the key is revoked";
	if (dkim_record_parse(c->arena, wanted, &w, NULL) == 1 &&
	    (r->type != w.type || !slice_eq(r->public_key, w.public_key)))
		return "has another key than PrivateKeyFile";
	if (!dkim_record_allows_email(r))
		return "is not for mail, by its s=";
	if (!dkim_record_allows_hash(r, hash))
		return "does not allow the hash that is used, by its h=";
	return NULL;
}

static void
check_selector(struct dnscheck *c, const struct conf_selector *s, bool used)
{
	struct slice name;
	const struct dnsrecord *want;
	struct dns_answer a;
	struct dkim_record record;
	struct err e = ERR_INIT;
	const char *fault;
	bool secure;
	int rc;

	if (!selector_name(c, s, &name) ||
	    (want = dnscheck_wanted(c, name, "TXT")) == NULL ||
	    dnscheck_query(c, name, DNS_TXT, &a) < 0)
		return;
	rc = dkim_record_lookup(c->dns, c->arena, s->name, c->domain, &record,
	    &secure, &e);
	if (rc == 0 && !used)
		dnscheck_warn(c,
		    "%.*s has no DKIM record, for a key that does not sign yet",
		    SLICE_FMT(name));
	else if (rc == 0)
		dnscheck_error(c, "%.*s has no DKIM record", SLICE_FMT(name));
	else if (rc < 0)
		dnscheck_error(c, "%.*s: %s", SLICE_FMT(name), e.text);
	else if ((fault = record_fault(c, &record, s, want->value)) != NULL)
		dnscheck_error(c, "%.*s %s", SLICE_FMT(name), fault);
	else {
		if (record.testing)
			dnscheck_warn(c,
			    "%.*s says t=y, testing: signatures may be ignored",
			    SLICE_FMT(name));
		return;
	}
	dnscheck_publish(c, name, "TXT");
}

void
dnscheck_dkim(struct dnscheck *c)
{
	const struct conf_dkim *dkim = c->conf->dkim;

	for (size_t i = 0; dkim != NULL && i < dkim->selectors.n; i++)
		check_selector(c, &dkim->selectors.v[i],
		    signs(dkim, &dkim->selectors.v[i]));
	if (dkim == NULL || dkim->sign.n == 0) {
		dnscheck_warn(c, "mail of the domain is not signed");
		dnscheck_advise(c,
		    "Add Selectors and Sign to DKIM of the domain in "
		    "domains.conf, with a key of mox dkim genrsa.");
	}
}

/* ---- DMARC ---- */

void
dnscheck_dmarc_start(struct dnscheck *c)
{
	dmarc_start(c->dns, c->arena, c->domain);
}

static bool
has_uri(struct dnscheck *c, const struct dmarc_uris *uris, struct slice uri)
{
	struct slice local[2], domain[2];

	if (!dmarc_uri_address(c->arena, uri, &local[0], &domain[0]))
		return false;
	for (size_t i = 0; i < uris->n; i++)
		if (dmarc_uri_address(c->arena, uris->v[i].uri, &local[1],
			&domain[1]) &&
		    slice_eq(local[0], local[1]) &&
		    slice_eqi(domain[0], domain[1]))
			return true;
	return false;
}

/* Do they take reports at an address of another domain? */
static void
check_report_uri(struct dnscheck *c, struct slice uri)
{
	struct dmarc_report_check check;
	struct slice local, domain;

	if (!dmarc_uri_address(c->arena, uri, &local, &domain) ||
	    idna_ascii(c->arena, domain, &domain, NULL) < 0)
		return;
	dmarc_report_accepted(c->dns, c->arena, c->domain, domain, &check);
	if (check.status == DMARC_PASS)
		return;
	if (check.status == DMARC_TEMPERROR) {
		dnscheck_temporary(c, "%.*s: temporary failure: %.*s",
		    SLICE_FMT(check.name), SLICE_FMT(check.why));
		return;
	}
	dnscheck_warn(c, "%.*s does not take reports: %.*s has no DMARC record",
	    SLICE_FMT(domain), SLICE_FMT(check.name));
	dnscheck_publish(c, check.name, "TXT");
}

static void
check_reports(struct dnscheck *c, const struct dmarc_uris *rua,
    const struct dnsrecord *want)
{
	struct dmarc_record ours;

	if (want != NULL &&
	    dmarc_record_parse(c->arena, want->value, &ours, NULL) == 1 &&
	    ours.rua.n > 0 && !has_uri(c, rua, ours.rua.v[0].uri)) {
		dnscheck_warn(c, "reports do not go to %.*s",
		    SLICE_FMT(ours.rua.v[0].uri));
		dnscheck_publish(c, want->name, "TXT");
	} else if (rua->n == 0) {
		dnscheck_warn(c, "nobody reports about mail of the domain");
		dnscheck_advise(c,
		    "Set DMARC of the domain in domains.conf, and publish what "
		    "mox config dnsrecords prints then.");
	}
	for (size_t i = 0; i < rua->n; i++)
		check_report_uri(c, rua->v[i].uri);
}

static void
check_policy(struct dnscheck *c, const struct dmarc_found *f)
{
	const struct dmarc_record *r = &f->record;
	bool own = slice_eqi(f->domain, c->domain);
	enum dmarc_policy policy =
	    !own && r->subdomain_policy != DMARC_POLICY_UNSET
	    ? r->subdomain_policy
	    : r->policy;

	if (!own)
		dnscheck_note(c, "the record of %.*s counts, above %.*s",
		    SLICE_FMT(f->domain), SLICE_FMT(c->domain));
	if (policy == DMARC_POLICY_NONE)
		dnscheck_warn(c, "policy none: forged mail is not refused");
	else if (r->percent < 100)
		dnscheck_warn(c, "pct=%u: some forged mail is not refused",
		    r->percent);
	if (r->testing)
		dnscheck_warn(c, "t=y, testing: the policy is not applied");
}

void
dnscheck_dmarc(struct dnscheck *c)
{
	struct slice name = dnscheck_below(c, "_dmarc", c->domain);
	const struct dnsrecord *want = dnscheck_wanted(c, name, "TXT");
	struct dmarc_found f;
	struct dns_answer a;
	size_t before = c->section->n;

	if (dnscheck_query(c, name, DNS_TXT, &a) < 0)
		return;
	dmarc_lookup(c->dns, c->arena, c->domain, false, &f);
	switch (f.status) {
	case DMARC_PASS:
		check_policy(c, &f);
		if (c->section->n > before)
			dnscheck_publish(c, name, "TXT");
		check_reports(c, &f.record.rua, want);
		return;
	case DMARC_TEMPERROR:
		dnscheck_temporary(c, "%.*s: temporary failure: %.*s",
		    SLICE_FMT(f.domain), SLICE_FMT(f.why));
		return;
	default:
		dnscheck_error(c, "%.*s: %.*s", SLICE_FMT(name),
		    SLICE_FMT(f.why));
		dnscheck_publish(c, name, "TXT");
	}
}
