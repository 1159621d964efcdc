#include <arpa/inet.h>
#include <string.h>

#include "config/check.h"

#define LETS_ENCRYPT "https://acme-v02.api.letsencrypt.org/directory"

/* ---- listeners ---- */

/* A service that cannot be offered without certificates. */
static void
needs_tls(const struct sconf_file *file, const struct conf_listener *l,
    bool enabled, struct slice service, const char *why)
{
	if (enabled && !l->tls)
		sconf_error(file, service,
		    "%.*s: needs TLS in listener \"%.*s\"%s",
		    SLICE_FMT(service), SLICE_FMT(l->name), why);
}

static void
check_tls_services(const struct sconf_file *file, const struct conf_listener *l)
{
	const struct conf_tls_service *immediate[] = { l->imaps,
		l->submissions };
	const struct conf_web_service *web[] = { l->account_https,
		l->admin_https, l->webmail_https, l->webapi_https };
	const struct conf_policy_https *policy[] = { l->autoconfig_https,
		l->mtasts_https };

	for (size_t i = 0; i < 2; i++)
		if (immediate[i])
			needs_tls(file, l, immediate[i]->enabled,
			    immediate[i]->name, "");
	for (size_t i = 0; i < 4; i++)
		if (web[i])
			needs_tls(file, l, web[i]->enabled, web[i]->name, "");
	for (size_t i = 0; i < 2; i++)
		if (policy[i])
			needs_tls(file, l,
			    policy[i]->enabled && !policy[i]->non_tls,
			    policy[i]->name, ", or NonTLS");
	if (l->smtp)
		needs_tls(file, l, l->smtp->enabled && !l->smtp->no_starttls,
		    l->smtp->name, ", or NoSTARTTLS");
	if (l->submission)
		needs_tls(file, l,
		    l->submission->enabled &&
			!l->submission->no_require_starttls,
		    l->submission->name, ", or NoRequireSTARTTLS");
	if (l->webserver_https)
		needs_tls(file, l, l->webserver_https->enabled,
		    l->webserver_https->name, "");
	/* mox takes this, but nobody could log in. */
	if (l->imap && l->imap->enabled && !l->imap->no_require_starttls &&
	    !l->tls)
		sconf_warning(file, l->imap->name,
		    "IMAP: nobody can log in without TLS or "
		    "NoRequireSTARTTLS");
}

static void
check_listener_tls(const struct config *config, const struct conf_tls *tls)
{
	bool known = false;

	if (tls->acme.n == 0 && tls->key_certs.n == 0)
		sconf_error(&config->file, tls->name,
		    "TLS: needs ACME or KeyCerts");
	if (tls->acme.n == 0)
		return;
	if (tls->key_certs.n > 0)
		sconf_error(&config->file, tls->acme,
		    "ACME: cannot be used together with KeyCerts");
	for (size_t i = 0; i < config->mox.acme.n; i++)
		known |= slice_eq(config->mox.acme.v[i].name, tls->acme);
	if (!known)
		sconf_error(&config->file, tls->acme,
		    "ACME: there is no provider \"%.*s\"",
		    SLICE_FMT(tls->acme));
}

/* Paths of web services end with a slash. */
static void
complete_path(struct config *config, struct conf_web_service *service)
{
	if (!service || slice_ends(service->path, SLICE("/")))
		return;
	sconf_warning(&config->file, service->path,
	    "Path: \"%.*s\" should end with /", SLICE_FMT(service->path));
	service->path =
	    arena_printf(config->arena, "%.*s/", SLICE_FMT(service->path));
}

static void
check_listener(struct config *config, struct conf_listener *l)
{
	const struct sconf_file *file = &config->file;
	struct conf_web_service *web[] = { l->account_http, l->account_https,
		l->admin_http, l->admin_https, l->webmail_http,
		l->webmail_https, l->webapi_http, l->webapi_https };
	const struct conf_policy_https *autoconfig = l->autoconfig_https,
				       *mtasts = l->mtasts_https;

	if (l->ips_nated && l->nat_ips.n > 0)
		sconf_error(file, sconf_find(file, l->name, "IPsNATed"),
		    "IPsNATed: cannot be used together with NATIPs");
	if (l->tls)
		check_listener_tls(config, l->tls);
	check_tls_services(file, l);
	if (autoconfig && mtasts && autoconfig->enabled && mtasts->enabled &&
	    autoconfig->port == mtasts->port &&
	    autoconfig->non_tls != mtasts->non_tls)
		sconf_error(file, mtasts->name,
		    "MTASTSHTTPS: on the same port as AutoconfigHTTPS, NonTLS "
		    "must be the same");
	for (size_t i = 0; i < sizeof(web) / sizeof(web[0]); i++)
		complete_path(config, web[i]);
}

/* ---- transports ---- */

static void
check_transport(const struct sconf_file *file, const struct conf_transport *t)
{
	int methods = (t->submissions != NULL) + (t->submission != NULL) +
	    (t->smtp != NULL) + (t->socks != NULL) + (t->direct != NULL) +
	    (t->fail != NULL);

	if (methods > 1)
		sconf_error(file, t->name,
		    "Transports: \"%.*s\" has %d methods, only one is allowed",
		    SLICE_FMT(t->name), methods);
	if (t->direct && t->direct->disable_ipv4 && t->direct->disable_ipv6)
		sconf_error(file, t->direct->name,
		    "Direct: DisableIPv4 and DisableIPv6 leave nothing");
}

void
check_mox_conf(struct config *config)
{
	const struct sconf_file *file = &config->file;
	struct mox_conf *mox = &config->mox;

	for (size_t i = 0; i < mox->listeners.n; i++)
		check_listener(config, &mox->listeners.v[i]);
	for (size_t i = 0; i < mox->acme.n; i++) {
		struct conf_acme *acme = &mox->acme.v[i];

		if (acme->issuer_domain_name.n == 0 &&
		    slice_is(acme->directory_url, LETS_ENCRYPT))
			acme->issuer_domain_name = SLICE("letsencrypt.org");
	}
	for (size_t i = 0; i < mox->transports.n; i++)
		check_transport(file, &mox->transports.v[i]);
	if (mox->initial_mailboxes && mox->default_mailboxes.n > 0)
		sconf_error(file,
		    sconf_find(file, SLICE_NULL, "DefaultMailboxes"),
		    "DefaultMailboxes: cannot be used together with "
		    "InitialMailboxes");
}
