/*
 * Edits of domains.
 */
#include <string.h>

#include "base/clock.h"
#include "config/edit_int.h"

struct conf_domain *
edit_domain(struct edit *edit, struct slice name)
{
	struct conf_domains *domains = &edit->conf.domains;
	struct slice text;

	if (edit_domain_text(edit, name, &text, NULL) < 0)
		return NULL;
	for (size_t i = 0; i < domains->n; i++)
		if (slice_eq(domains->v[i].name, text))
			return &domains->v[i];
	return NULL;
}

static struct conf_domain *
need_domain(struct edit *edit, struct slice name, struct err *e)
{
	struct conf_domain *domain = edit_domain(edit, name);

	if (!domain)
		err_set(e, ERR_PERM, "there is no domain \"%.*s\"",
		    SLICE_FMT(name));
	return domain;
}

/* ---- a new one ---- */

/* "2006" or "20060102T150405", in UTC. */
static struct slice
date_text(struct arena *arena, const char *format)
{
	char text[CLOCK_TEXT];

	return arena_dup(arena,
	    slice_str(clock_format(clock_s(clock_program()), format, text)));
}

static struct conf_reports *
new_reports(struct edit *edit, struct slice localpart, struct slice account,
    struct slice mailbox)
{
	struct conf_reports *r = arena_alloc(edit->arena, sizeof(*r));

	r->localpart = localpart;
	r->account = account;
	r->mailbox = mailbox;
	return r;
}

/* Two keys, of which one signs: the other is published already when a change
 * is needed. */
static int
add_keys(struct edit *edit, struct conf_domain *domain, struct err *e)
{
	struct slice year = date_text(edit->arena, "%Y");
	struct conf_dkim *dkim = arena_alloc(edit->arena, sizeof(*dkim));
	struct conf_selector *s;

	domain->dkim = dkim;
	for (const char *letter = "ab"; *letter; letter++) {
		s = EDIT_APPEND(edit, &dkim->selectors);
		s->name = arena_printf(edit->arena, "%.*s%c", SLICE_FMT(year),
		    *letter);
		s->expiration = 72 * SCHEMA_HOUR;
		if (edit_key_make(edit, s->name, domain->name,
			&s->private_key_file, e) < 0)
			return -1;
	}
	*EDIT_APPEND(edit, &dkim->sign) = dkim->selectors.v[0].name;
	return 0;
}

static void
add_mtasts(struct edit *edit, struct conf_domain *domain)
{
	struct conf_mtasts *m;

	if (!check_serves_mtasts(edit->config))
		return;
	m = domain->mtasts = arena_alloc(edit->arena, sizeof(*m));
	m->policy_id = date_text(edit->arena, "%Y%m%dT%H%M%S");
	m->mode = SLICE("enforce");
	m->max_age = 24 * SCHEMA_HOUR;
	*EDIT_APPEND(edit, &m->mx) = edit->config->mox.hostname;
}

/* Who gets its reports, and mail to its postmaster. */
static int
add_account(struct edit *edit, struct slice domain, struct slice account,
    struct slice localpart, struct err *e)
{
	bool known = edit_account(edit, account) != NULL;

	if (known && localpart.n > 0)
		return err_set(e, ERR_PERM,
		    "account \"%.*s\" exists: a localpart is for new accounts "
		    "only",
		    SLICE_FMT(account));
	if (!known && localpart.n == 0)
		return err_set(e, ERR_PERM,
		    "there is no account \"%.*s\": give the localpart of its "
		    "address to make it",
		    SLICE_FMT(account));
	if (!known &&
	    edit_account_add(edit, account,
		name_join(edit->arena, localpart, domain), e) < 0)
		return -1;
	if (slice_eq(account, edit->config->mox.postmaster->account) ||
	    slice_isi(localpart, "postmaster"))
		return 0;
	return edit_address_add(edit,
	    name_join(edit->arena, SLICE("postmaster"), domain), account, e);
}

int
edit_domain_add(struct edit *edit, struct slice name, bool disabled,
    struct slice account, struct slice localpart, struct err *e)
{
	struct conf_domain *d;
	struct slice text;

	if (edit_domain_text(edit, name, &text, e) < 0)
		return -1;
	if (edit_domain(edit, text))
		return err_set(e, ERR_PERM,
		    "there is a domain \"%.*s\" already", SLICE_FMT(text));
	account = arena_dup(edit->arena, account);
	if (add_account(edit, text, account, localpart, e) < 0)
		return -1;
	d = EDIT_APPEND(edit, &edit->conf.domains);
	d->name = text;
	d->disabled = disabled;
	d->client_settings_domain =
	    arena_printf(edit->arena, "mail.%.*s", SLICE_FMT(text));
	d->localpart_catchall_separator = SLICE("+");
	d->dmarc =
	    new_reports(edit, SLICE("dmarcreports"), account, SLICE("DMARC"));
	d->tlsrpt =
	    new_reports(edit, SLICE("tlsreports"), account, SLICE("TLSRPT"));
	add_mtasts(edit, d);
	return add_keys(edit, d, e);
}

/* ---- removal ---- */

static bool
is_in(struct slice address, struct slice domain)
{
	return address.n > domain.n && slice_ends(address, domain) &&
	    address.p[address.n - domain.n - 1] == '@';
}

static int
check_none_protected(const struct edit *edit, struct slice ascii, struct err *e)
{
	const struct edit_state *state = edit->state;

	for (size_t i = 0; i < state->nprotected; i++)
		if (is_in(state->protected[i].address, ascii))
			return edit_check_protected(edit,
			    state->protected[i].address, e);
	return 0;
}

/* postmaster@ goes with the domain; other addresses are somebody's, and
 * edit_commit tells of each that is still there. */
static int
remove_postmaster(struct edit *edit, struct slice domain, struct err *e)
{
	struct slice address =
	    name_join(edit->arena, SLICE("postmaster"), domain);
	const struct check_address *owner = edit_owner(edit, address);

	if (!owner || owner->alias || owner->record.reports.n > 0)
		return 0;
	return edit_drop_address(edit, owner, e);
}

static bool
is_key_used(const struct edit *edit, struct slice file)
{
	const struct conf_domains *domains = &edit->conf.domains;

	for (size_t i = 0; i < domains->n; i++) {
		const struct conf_dkim *dkim = domains->v[i].dkim;

		for (size_t k = 0; dkim && k < dkim->selectors.n; k++)
			if (slice_eq(dkim->selectors.v[k].private_key_file,
				file))
				return true;
	}
	return false;
}

int
edit_domain_remove(struct edit *edit, struct slice name, struct err *e)
{
	struct conf_domain *domain = need_domain(edit, name, e);
	const struct conf_dkim *dkim;
	struct slice text, ascii;

	if (!domain)
		return -1;
	text = domain->name;
	dkim = domain->dkim;
	if (name_domain(edit->arena, text, &ascii) &&
	    check_none_protected(edit, ascii, e) < 0)
		return -1;
	EDIT_DELETE(&edit->conf.domains,
	    (size_t)(domain - edit->conf.domains.v));
	if (remove_postmaster(edit, text, e) < 0)
		return -1;
	for (size_t i = 0; dkim && i < dkim->selectors.n; i++)
		if (!is_key_used(edit, dkim->selectors.v[i].private_key_file))
			*EDIT_APPEND(edit, &edit->state->unused) =
			    dkim->selectors.v[i].private_key_file;
	return 0;
}

int
edit_domain_disable(struct edit *edit, struct slice name, bool disabled,
    struct err *e)
{
	struct conf_domain *domain = need_domain(edit, name, e);

	if (!domain)
		return -1;
	domain->disabled = disabled;
	return 0;
}
