#include <string.h>

#include "config/check.h"
#include "config/field.h"
#include "text/idna.h"

static bool
has_string(struct conf_strings strings, struct slice text)
{
	for (size_t i = 0; i < strings.n; i++)
		if (slice_eqi(strings.v[i], text))
			return true;
	return false;
}

/* ---- domains ---- */

struct check_domain *
check_domain_find(const struct check_model *model, struct slice domain)
{
	struct check_domain *found = map_get(model->domain_by_name, domain);
	struct slice ascii;

	if (!found && name_domain(model->arena, domain, &ascii))
		found = map_get(model->domain_by_name, ascii);
	return found;
}

/* Separators in one list, whichever of the two fields has them. */
static void
collect_separators(const struct check_model *model, struct check_domain *d)
{
	const struct conf_domain *conf = d->conf;
	struct conf_strings *all = &d->rules.separators;

	*all = conf->localpart_catchall_separators;
	if (conf->localpart_catchall_separator.n > 0) {
		if (all->n > 0)
			sconf_error(model->file,
			    conf->localpart_catchall_separator,
			    "LocalpartCatchallSeparator: cannot be used "
			    "together with LocalpartCatchallSeparators");
		all->v = arena_alloc(model->arena, sizeof(*all->v));
		all->v[0] = conf->localpart_catchall_separator;
		all->n = 1;
	}
	for (size_t i = 0; i < all->n; i++)
		for (size_t j = 0; j < i; j++)
			if (slice_eq(all->v[i], all->v[j]))
				sconf_error(model->file, all->v[i],
				    "LocalpartCatchallSeparators: \"%.*s\" "
				    "twice",
				    SLICE_FMT(all->v[i]));
}

/* Domains are written in one way only, so that they can be searched for. */
static void
add_domain(struct check_model *model, struct check_domain *d)
{
	struct slice name = d->conf->name, unicode;

	d->rules.case_sensitive = d->conf->localpart_case_sensitive;
	collect_separators(model, d);
	if (!name_domain(model->arena, name, &d->name))
		return; /* the table's check told */
	if (idna_unicode(model->arena, name, &unicode, NULL) == 0 &&
	    !slice_eq(unicode, name))
		sconf_error(model->file, name,
		    "Domains: \"%.*s\" must be written \"%.*s\"",
		    SLICE_FMT(name), SLICE_FMT(unicode));
	if (map_has(model->domain_by_name, d->name))
		sconf_error(model->file, name, "Domains: \"%.*s\" twice",
		    SLICE_FMT(name));
	else
		map_set(model->domain_by_name, d->name, d);
}

static void
check_selector(const struct check_model *model, const struct conf_selector *s)
{
	static const char *const unwise[] = { "DKIM-Signature", "Received",
		"Return-Path" };

	if (!has_string(s->headers, SLICE("From"))) /* RFC 6376, 5.4 */
		sconf_error(model->file,
		    sconf_find(model->file, s->name, "Headers"),
		    "Headers: From must be one of them");
	for (size_t i = 0; i < s->headers.n; i++)
		for (size_t j = 0; j < 3; j++)
			if (slice_isi(s->headers.v[i], unwise[j]))
				sconf_warning(model->file, s->headers.v[i],
				    "Headers: %s should not be signed",
				    unwise[j]);
}

static void
check_dkim(const struct check_model *model, const struct conf_dkim *dkim)
{
	for (size_t i = 0; i < dkim->selectors.n; i++)
		check_selector(model, &dkim->selectors.v[i]);
	for (size_t i = 0; i < dkim->sign.n; i++) {
		bool known = false;

		for (size_t j = 0; j < dkim->selectors.n; j++)
			known |= slice_eq(dkim->sign.v[i],
			    dkim->selectors.v[j].name);
		if (!known)
			sconf_error(model->file, dkim->sign.v[i],
			    "Sign: there is no selector \"%.*s\"",
			    SLICE_FMT(dkim->sign.v[i]));
	}
}

static void
check_routes(const struct check_model *model, struct conf_routes routes)
{
	const struct conf_transports *transports =
	    &model->config->mox.transports;

	for (size_t i = 0; i < routes.n; i++) {
		struct slice name = routes.v[i].transport;
		bool known = false;

		for (size_t j = 0; j < transports->n; j++)
			known |= slice_eq(name, transports->v[j].name);
		if (!known && name.n > 0)
			sconf_error(model->file, name,
			    "Transport: there is no transport \"%.*s\" in "
			    "mox.conf",
			    SLICE_FMT(name));
	}
}

bool
check_serves_mtasts(const struct config *config)
{
	const struct conf_listeners *listeners = &config->mox.listeners;

	for (size_t i = 0; i < listeners->n; i++)
		if (listeners->v[i].mtasts_https &&
		    listeners->v[i].mtasts_https->enabled)
			return true;
	return false;
}

static void
check_domain(const struct check_model *model, const struct conf_domain *conf)
{
	if (conf->dkim)
		check_dkim(model, conf->dkim);
	if (conf->mtasts && !check_serves_mtasts(model->config))
		sconf_error(model->file, conf->mtasts->name,
		    "MTASTS: needs a listener with MTASTSHTTPS in mox.conf");
	check_routes(model, conf->routes);
}

/* ---- accounts ---- */

/* Headers are matched in lower case, so upper case would never match. */
static bool
is_lower(struct slice text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] >= 'A' && text.p[i] <= 'Z' &&
		    (i == 0 || text.p[i - 1] != '\\'))
			return false;
	return true;
}

static void
check_ruleset(const struct check_model *model, const struct conf_ruleset *r)
{
	const struct sconf_file *file = model->file;

	if (r->smtp_mail_from_regexp.n == 0 && r->msg_from_regexp.n == 0 &&
	    r->verified_domain.n == 0 && r->headers_regexp.n == 0)
		sconf_error(file, r->name,
		    "Rulesets: a ruleset needs at least one of "
		    "SMTPMailFromRegexp, MsgFromRegexp, VerifiedDomain, "
		    "HeadersRegexp");
	if (r->is_forward && r->list_allow_domain.n > 0)
		sconf_error(file, r->list_allow_domain,
		    "ListAllowDomain: cannot be used together with IsForward");
	if (r->is_forward &&
	    (r->smtp_mail_from_regexp.n == 0 || r->verified_domain.n == 0))
		sconf_error(file, sconf_find(file, r->name, "IsForward"),
		    "IsForward: needs SMTPMailFromRegexp and VerifiedDomain");
	for (size_t i = 0; i < r->headers_regexp.n; i++) {
		const struct conf_pair *header = &r->headers_regexp.v[i];

		if (field_regexp(&header->name))
			sconf_error(file, header->name,
			    "HeadersRegexp: \"%.*s\" %s",
			    SLICE_FMT(header->name),
			    field_regexp(&header->name));
		if (!is_lower(header->name) || !is_lower(header->value))
			sconf_error(file, header->name,
			    "HeadersRegexp: must be in lower case");
	}
}

static void
check_destination(const struct check_model *model,
    const struct conf_destination *d)
{
	const struct sconf_file *file = model->file;

	for (size_t i = 0; i < d->rulesets.n; i++)
		check_ruleset(model, &d->rulesets.v[i]);
	if (d->smtp_error.n > 0 &&
	    (d->rulesets.n > 0 ||
		!slice_eq(sconf_find(file, d->name, "Mailbox"), d->name)))
		sconf_error(file, d->smtp_error,
		    "SMTPError: cannot be used together with Mailbox or "
		    "Rulesets");
}

static void
check_account(const struct check_model *model, const struct conf_account *a)
{
	if (a->domain.n > 0 && !check_domain_find(model, a->domain))
		sconf_warning(model->file, a->domain,
		    "Domain: \"%.*s\" is none of Domains",
		    SLICE_FMT(a->domain));
	if (a->introbox.n > 0 && slice_eq(a->introbox, a->rejects_mailbox))
		sconf_error(model->file, a->introbox,
		    "Introbox: must be another mailbox than RejectsMailbox");
	for (size_t i = 0; i < a->destinations.n; i++)
		check_destination(model, &a->destinations.v[i]);
	check_routes(model, a->routes);
}

static void
check_account_exists(const struct check_model *model,
    const struct sconf_file *file, const char *what, struct slice account)
{
	if (account.n > 0 && !map_has(model->account_by_name, account))
		sconf_error(file, account,
		    "%s: there is no account \"%.*s\" in domains.conf", what,
		    SLICE_FMT(account));
}

static void
check_owners(const struct check_model *model)
{
	const struct mox_conf *mox = &model->config->mox;
	const struct conf_domains *domains = &model->conf->domains;
	struct sconf_file mox_file = model->config->file;

	mox_file.errors = model->file->errors;
	check_account_exists(model, &mox_file, "Postmaster",
	    mox->postmaster->account);
	if (mox->host_tlsrpt)
		check_account_exists(model, &mox_file, "HostTLSRPT",
		    mox->host_tlsrpt->account);
	for (size_t i = 0; i < domains->n; i++) {
		const struct conf_domain *d = &domains->v[i];

		if (d->dmarc)
			check_account_exists(model, model->file, "DMARC",
			    d->dmarc->account);
		if (d->tlsrpt)
			check_account_exists(model, model->file, "TLSRPT",
			    d->tlsrpt->account);
	}
}

void
check_domains_conf(const struct config *config, const struct sconf_file *file,
    const struct domains_conf *conf, struct arena *arena,
    struct check_model *model)
{
	*model = (struct check_model){
		.config = config,
		.file = file,
		.conf = conf,
		.arena = arena,
		.domains = arena_array(arena, conf->domains.n,
		    sizeof(*model->domains)),
		.addresses_of = arena_array(arena, conf->accounts.n,
		    sizeof(*model->addresses_of)),
		.domain_by_name = map_new(),
		.account_by_name = map_new(),
		.addresses = map_new(),
	};
	for (size_t i = 0; i < conf->domains.n; i++) {
		model->domains[i].conf = &conf->domains.v[i];
		add_domain(model, &model->domains[i]);
	}
	for (size_t i = 0; i < conf->accounts.n; i++)
		map_set(model->account_by_name, conf->accounts.v[i].name,
		    &conf->accounts.v[i]);
	check_addresses(model);
	for (size_t i = 0; i < conf->domains.n; i++)
		check_domain(model, &conf->domains.v[i]);
	for (size_t i = 0; i < conf->accounts.n; i++)
		check_account(model, &conf->accounts.v[i]);
	check_owners(model);
	check_routes(model, conf->routes);
	check_web(model);
}

void
check_model_free(struct check_model *model)
{
	map_free(&model->domain_by_name);
	map_free(&model->account_by_name);
	map_free(&model->addresses);
}
