/* dnscheck_clients - what mail programs find: SRV, autoconfig, autodiscover. */
#include "host/dnscheck_int.h"

#include "text/idna.h"

static bool
is_srv(const struct dnsrecord *r)
{
	return slice_is(slice_str(r->type), "SRV");
}

/* Not offered, RFC 6186, 3.4. */
static bool
is_none(const struct dnsrecord *r)
{
	return slice_ends(r->value, SLICE(" ."));
}

void
dnscheck_srv_start(struct dnscheck *c)
{
	for (size_t i = 0; i < c->want.n; i++)
		if (is_srv(&c->want.v[i]))
			dns_start(c->dns, c->want.v[i].name, DNS_SRV);
}

/* As it is wanted, whatever priority and weight are. */
static struct slice
srv_text(struct dnscheck *c, const struct dns_record *r)
{
	if (r->srv.host.n == 0)
		return SLICE("0 0 0 .");
	return arena_printf(c->arena, "0 1 %d %.*s.", r->srv.port,
	    SLICE_FMT(r->srv.host));
}

static void
tell_other(struct dnscheck *c, const struct dnsrecord *want,
    const struct dns_record *r)
{
	if (r->srv.host.n == 0)
		dnscheck_error(c, "%.*s says that the service is not offered",
		    SLICE_FMT(want->name));
	else
		dnscheck_error(c, "%.*s leads to port %d of %.*s%s",
		    SLICE_FMT(want->name), r->srv.port, SLICE_FMT(r->srv.host),
		    is_none(want) ? ", but the service is not offered" : "");
}

static void
check_srv(struct dnscheck *c, const struct dnsrecord *want)
{
	struct dns_answer a;
	bool wrong = false;

	if (dnscheck_query(c, want->name, DNS_SRV, &a) < 0)
		return;
	for (size_t i = 0; i < a.n; i++)
		if (!slice_eqi(srv_text(c, &a.v[i]), want->value)) {
			tell_other(c, want, &a.v[i]);
			wrong = true;
		}
	if (a.n == 0 && is_none(want))
		dnscheck_warn(c,
		    "%.*s has no SRV record that says it is not offered",
		    SLICE_FMT(want->name));
	else if (a.n == 0)
		dnscheck_error(c, "%.*s has no SRV record",
		    SLICE_FMT(want->name));
	if (a.n == 0 || wrong)
		dnscheck_publish(c, want->name, "SRV");
}

static struct slice
autodiscover_name(struct dnscheck *c)
{
	return dnscheck_below(c, "_autodiscover._tcp", c->domain);
}

void
dnscheck_srv(struct dnscheck *c)
{
	struct slice autodiscover = autodiscover_name(c), client;

	for (size_t i = 0; i < c->want.n; i++)
		if (is_srv(&c->want.v[i]) &&
		    !slice_eq(c->want.v[i].name, autodiscover))
			check_srv(c, &c->want.v[i]);
	/* The host they name. */
	if (c->conf->client_settings_domain.n > 0 &&
	    idna_ascii(c->arena, c->conf->client_settings_domain, &client,
		NULL) == 0 &&
	    !slice_eq(client, c->host))
		dnscheck_leads_here(c, client);
}

/* ---- settings by HTTPS ---- */

static struct slice
autoconfig_name(struct dnscheck *c)
{
	return dnscheck_below(c, "autoconfig", c->domain);
}

void
dnscheck_autoconfig_start(struct dnscheck *c)
{
	dns_start_addresses(c->dns, autoconfig_name(c));
}

/* Is it served, so that a record is wanted? */
static bool
is_served(struct dnscheck *c, const struct dnsrecord *want)
{
	if (want == NULL)
		dnscheck_note(c, "no listener has AutoconfigHTTPS");
	return want != NULL;
}

void
dnscheck_autoconfig(struct dnscheck *c)
{
	struct slice name = autoconfig_name(c);

	if (is_served(c, dnscheck_wanted(c, name, "CNAME")))
		dnscheck_leads_here(c, name);
}

void
dnscheck_autodiscover(struct dnscheck *c)
{
	const struct dnsrecord *want =
	    dnscheck_wanted(c, autodiscover_name(c), "SRV");

	if (is_served(c, want))
		check_srv(c, want);
}
