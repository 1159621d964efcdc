/*
 * Who has which address. Addresses are compared in their one spelling (case,
 * Unicode form, quoting), which is also their key in domains.cdb.
 */
#include <string.h>

#include "config/check.h"

static struct slice
with_domain(struct arena *arena, struct slice local,
    const struct check_domain *domain)
{
	return name_join(arena, name_canonical(arena, &domain->rules, local),
	    domain->name);
}

const struct check_address *
check_address_find(const struct check_model *model, struct slice text)
{
	struct name_address address;
	const struct check_domain *domain;

	if (!name_parse(model->arena, text, false, &address))
		return NULL;
	domain = map_get(model->domain_by_name, address.domain);
	if (!domain)
		return NULL;
	return map_get(model->addresses,
	    with_domain(model->arena, address.local, domain));
}

/* ---- destinations of accounts ---- */

/* The separator of the domain that is in local, or the empty slice. */
static struct slice
separator_in(const struct check_domain *domain, struct slice local)
{
	const struct conf_strings *separators = &domain->rules.separators;

	for (size_t i = 0; i < separators->n; i++)
		if (slice_find(local, separators->v[i]) >= 0)
			return separators->v[i];
	return SLICE_NULL;
}

static bool
is_reports(const struct check_domain *domain, struct slice local)
{
	const struct conf_strings *reports = &domain->rules.reports;

	for (size_t i = 0; i < reports->n; i++)
		if (slice_eqi(reports->v[i], local))
			return true;
	return false;
}

/*
 * Enter an address under its one spelling. where is the text it was written
 * as. False, and reported, if somebody has it.
 */
static bool
enter(struct check_model *model, struct check_domain *domain,
    struct slice local, struct slice where, struct check_address *address)
{
	struct slice separator = separator_in(domain, local);
	const struct check_address *owner;

	if (separator.n > 0 && !is_reports(domain, local)) {
		sconf_error(model->file, where,
		    "\"%.*s\" has the separator \"%.*s\" of its domain",
		    SLICE_FMT(where), SLICE_FMT(separator));
		return false;
	}
	domain->has_address = true;
	address->record.name = local.n > 0
	    ? with_domain(model->arena, local, domain)
	    : name_join(model->arena, local, domain->name);
	owner = map_set(model->addresses, address->record.name, address);
	if (!owner)
		return true;
	map_set(model->addresses, owner->record.name, (void *)owner);
	sconf_error(model->file, where,
	    owner->alias ? "\"%.*s\" is the alias \"%.*s\" already"
			 : "\"%.*s\" belongs to account \"%.*s\" already",
	    SLICE_FMT(where),
	    SLICE_FMT(owner->alias ? owner->alias->name
				   : owner->record.account));
	return false;
}

static void
add_destination(struct check_model *model, const struct conf_account *account,
    struct conf_destination *destination, struct conf_strings *addresses)
{
	struct slice text = destination->name;
	struct name_address address;
	struct check_domain *domain;
	struct check_address *owned;

	if (slice_chr(text, '@') < 0 && account->domain.n > 0) {
		sconf_warning(model->file, text,
		    "Destinations: write \"%.*s@%.*s\", a localpart alone is "
		    "deprecated",
		    SLICE_FMT(text), SLICE_FMT(account->domain));
		text = name_join(model->arena, text, account->domain);
	}
	if (!name_parse(model->arena, text, true, &address)) {
		sconf_error(model->file, destination->name,
		    "Destinations: \"%.*s\" is no address, with the domain in "
		    "unicode form, nor @domain",
		    SLICE_FMT(text));
		return;
	}
	domain = map_get(model->domain_by_name, address.domain);
	if (!domain) {
		sconf_error(model->file, destination->name,
		    "Destinations: the domain of \"%.*s\" is none of Domains",
		    SLICE_FMT(text));
		return;
	}
	owned = arena_alloc(model->arena, sizeof(*owned));
	owned->record.account = account->name;
	owned->record.destination = destination;
	if (enter(model, domain, address.local, destination->name, owned))
		addresses->v[addresses->n++] = owned->record.name;
}

static void
add_account(struct check_model *model, const struct conf_account *account,
    struct conf_strings *addresses)
{
	const struct conf_destinations *destinations = &account->destinations;

	addresses->v =
	    arena_array(model->arena, destinations->n, sizeof(*addresses->v));
	for (size_t i = 0; i < destinations->n; i++)
		add_destination(model, account, &destinations->v[i], addresses);
}

/* ---- addresses for reports ---- */

/* The domain that has the address: this one, or the one it names. */
static struct check_domain *
reports_domain(const struct check_model *model, struct check_domain *d,
    const struct conf_reports *reports)
{
	return reports->domain.n > 0 ? check_domain_find(model, reports->domain)
				     : d;
}

/* Separators do not cut them, so this comes before any address is entered. */
static void
protect_reports(struct check_model *model, struct check_domain *d,
    const struct conf_reports *reports, const char *what)
{
	struct check_domain *target;
	struct conf_strings *list;
	struct slice local;

	if (!reports)
		return;
	target = reports_domain(model, d, reports);
	if (!target) {
		sconf_error(model->file, reports->domain,
		    "%s: Domain \"%.*s\" is none of Domains", what,
		    SLICE_FMT(reports->domain));
		return;
	}
	if (!name_localpart(model->arena, reports->localpart, &local))
		return;
	local = name_canonical(model->arena,
	    &(struct name_rules){
		target->rules.case_sensitive, { NULL, 0 }, { NULL, 0 } },
	    local);
	list = &target->rules.reports;
	list->v = arena_grow(model->arena, list->v, list->n, list->n + 1,
	    sizeof(*list->v));
	list->v[list->n++] = local;
}

/* A destination of the same address gives way, as in mox. */
static void
add_reports(struct check_model *model, struct check_domain *d,
    const struct conf_reports *reports, struct slice kind)
{
	struct check_domain *target;
	struct check_address *address;
	const struct check_address *owner;
	struct slice local;

	if (!reports || !(target = reports_domain(model, d, reports)) ||
	    !name_localpart(model->arena, reports->localpart, &local) ||
	    target->name.n == 0)
		return;
	if (target == d)
		d->has_address = true;
	address = arena_alloc(model->arena, sizeof(*address));
	address->record.account = reports->account;
	address->record.reports = kind;
	address->record.destination =
	    arena_alloc(model->arena, sizeof(*address->record.destination));
	address->record.destination->mailbox = reports->mailbox;
	address->record.name = with_domain(model->arena, local, target);
	owner = map_set(model->addresses, address->record.name, address);
	if (owner && owner->record.reports.n == 0)
		sconf_warning(model->file, reports->localpart,
		    "\"%.*s\" gets reports: what else is said of this "
		    "address has no effect",
		    SLICE_FMT(address->record.name));
}

/* ---- aliases ---- */

static void
add_alias(struct check_model *model, struct check_domain *d,
    const struct conf_alias *alias)
{
	struct check_address *address;
	struct slice local;

	if (d->name.n == 0 ||
	    !name_localpart(model->arena, alias->name, &local))
		return;
	address = arena_alloc(model->arena, sizeof(*address));
	address->alias = alias;
	enter(model, d, local, alias->name, address);
}

static void
check_members(const struct check_model *model, const struct conf_alias *alias)
{
	const struct check_address *member;
	struct map *seen = map_new();

	for (size_t i = 0; i < alias->addresses.n; i++) {
		struct slice text = alias->addresses.v[i];

		member = check_address_find(model, text);
		if (!member || member->alias)
			sconf_error(model->file, text,
			    "Addresses: \"%.*s\" is no address of an account",
			    SLICE_FMT(text));
		else if (map_set(seen, member->record.name, seen))
			sconf_error(model->file, text,
			    "Addresses: \"%.*s\" twice", SLICE_FMT(text));
	}
	if (alias->addresses.n == 0)
		sconf_error(model->file, alias->name,
		    "Addresses: an alias needs at least one member");
	map_free(&seen);
}

/* ---- login addresses with a MAIL FROM for each message ---- */

static void
check_from_id(const struct check_model *model, const struct conf_account *a)
{
	const struct conf_strings *logins = &a->from_id_login_addresses;
	const struct check_address *owner;
	const struct check_domain *domain;
	struct name_address address;

	for (size_t i = 0; i < logins->n; i++) {
		if (!name_parse(model->arena, logins->v[i], false, &address))
			continue; /* the table's check told */
		domain = map_get(model->domain_by_name, address.domain);
		owner = check_address_find(model, logins->v[i]);
		if (!owner || !slice_eq(owner->record.account, a->name))
			sconf_error(model->file, logins->v[i],
			    "FromIDLoginAddresses: \"%.*s\" is no address of "
			    "this account",
			    SLICE_FMT(logins->v[i]));
		else if (domain->rules.separators.n == 0)
			sconf_error(model->file, logins->v[i],
			    "FromIDLoginAddresses: the domain of \"%.*s\" has "
			    "no separator",
			    SLICE_FMT(logins->v[i]));
	}
}

void
check_addresses(struct check_model *model)
{
	const struct conf_accounts *accounts = &model->conf->accounts;
	size_t n = model->conf->domains.n;
	struct check_domain *d = model->domains, *end = d + n;

	for (; d < end; d++) {
		protect_reports(model, d, d->conf->dmarc, "DMARC");
		protect_reports(model, d, d->conf->tlsrpt, "TLSRPT");
	}
	for (size_t i = 0; i < accounts->n; i++)
		add_account(model, &accounts->v[i], &model->addresses_of[i]);
	for (d = model->domains; d < end; d++)
		for (size_t i = 0; i < d->conf->aliases.n; i++)
			add_alias(model, d, &d->conf->aliases.v[i]);
	for (d = model->domains; d < end; d++) {
		add_reports(model, d, d->conf->dmarc, SLICE("dmarc"));
		add_reports(model, d, d->conf->tlsrpt, SLICE("tls"));
	}
	for (d = model->domains; d < end; d++) {
		d->reports_only =
		    !d->has_address && (d->conf->dmarc || d->conf->tlsrpt);
		for (size_t i = 0; i < d->conf->aliases.n; i++)
			check_members(model, &d->conf->aliases.v[i]);
	}
	for (size_t i = 0; i < accounts->n; i++)
		check_from_id(model, &accounts->v[i]);
}
