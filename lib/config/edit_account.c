/*
 * Edits of accounts and their addresses.
 */
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "config/edit_int.h"
#include "db/escape.h"

/* What a new account is set to, but for its domain and address. */
const char edit_account_defaults[] =
    "RejectsMailbox: Rejects\n"
    "AutomaticJunkFlags:\n"
    "\tEnabled: true\n"
    "\tJunkMailboxRegexp: ^(junk|spam)\n"
    "\tNeutralMailboxRegexp: "
    "^(inbox|neutral|postmaster|dmarc|tlsrpt|rejects)\n"
    "JunkFilter:\n"
    "\tThreshold: 0.95\n"
    "\tParams:\n"
    "\t\tOnegrams: true\n"
    "\t\tMaxPower: 0.01\n"
    "\t\tTopWords: 10\n"
    "\t\tIgnoreWords: 0.1\n"
    "\t\tRareWords: 2\n"
    "SubjectPass:\n"
    "\tPeriod: 12h\n"
    "NoCustomPassword: true\n";

struct conf_account *
edit_account(struct edit *edit, struct slice name)
{
	struct conf_accounts *accounts = &edit->conf.accounts;

	for (size_t i = 0; i < accounts->n; i++)
		if (slice_eq(accounts->v[i].name, name))
			return &accounts->v[i];
	return NULL;
}

static struct conf_account *
need_account(struct edit *edit, struct slice name, struct err *e)
{
	struct conf_account *account = edit_account(edit, name);

	if (!account)
		err_set(e, ERR_PERM, "there is no account \"%.*s\"",
		    SLICE_FMT(name));
	return account;
}

/* ---- addresses ---- */

static int
check_free(const struct edit *edit, struct slice address, struct err *e)
{
	const struct check_address *owner = edit_owner(edit, address);

	if (!owner)
		return 0;
	if (owner->alias)
		return err_set(e, ERR_PERM, "%.*s is an alias already",
		    SLICE_FMT(address));
	return err_set(e, ERR_PERM,
	    "%.*s belongs to account \"%.*s\" already%s", SLICE_FMT(address),
	    SLICE_FMT(owner->record.account),
	    owner->record.reports.n > 0 ? ", for reports" : "");
}

static int
add_destination(struct edit *edit, struct conf_account *account,
    struct slice address, struct err *e)
{
	struct slice text;

	if (edit_address_text(edit, address, &text, e) < 0 ||
	    check_free(edit, text, e) < 0)
		return -1;
	EDIT_APPEND(edit, &account->destinations)->name = text;
	return 0;
}

int
edit_address_add(struct edit *edit, struct slice address, struct slice account,
    struct err *e)
{
	struct conf_account *owner = need_account(edit, account, e);

	return owner ? add_destination(edit, owner, address, e) : -1;
}

/* In a list of texts, the one that is this address; n if none. */
static size_t
find_address(const struct edit *edit, const struct conf_strings *list,
    struct slice canonical)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (slice_eq(edit_canonical(edit, list->v[i]), canonical))
			break;
	return i;
}

static int
forget_member(const struct edit *edit, const struct conf_domain *domain,
    struct conf_alias *alias, struct slice canonical, struct err *e)
{
	size_t i = find_address(edit, &alias->addresses, canonical);

	if (i == alias->addresses.n)
		return 0;
	if (alias->addresses.n == 1)
		return err_set(e, ERR_PERM,
		    "%.*s is the last member of alias %.*s@%.*s: remove the "
		    "alias first",
		    SLICE_FMT(canonical), SLICE_FMT(alias->name),
		    SLICE_FMT(domain->name));
	EDIT_DELETE(&alias->addresses, i);
	return 0;
}

/* Nothing but its account's Destinations names it any more. */
static int
forget_address(struct edit *edit, struct slice canonical, struct err *e)
{
	struct conf_domains *domains = &edit->conf.domains;
	struct conf_accounts *accounts = &edit->conf.accounts;

	for (size_t i = 0; i < domains->n; i++)
		for (size_t j = 0; j < domains->v[i].aliases.n; j++)
			if (forget_member(edit, &domains->v[i],
				&domains->v[i].aliases.v[j], canonical, e) < 0)
				return -1;
	for (size_t i = 0; i < accounts->n; i++) {
		struct conf_strings *logins =
		    &accounts->v[i].from_id_login_addresses;
		size_t k = find_address(edit, logins, canonical);

		if (k < logins->n)
			EDIT_DELETE(logins, k);
	}
	return 0;
}

int
edit_drop_address(struct edit *edit, const struct check_address *address,
    struct err *e)
{
	const struct record_address *record = &address->record;
	struct conf_account *account = need_account(edit, record->account, e);

	if (!account || forget_address(edit, record->name, e) < 0)
		return -1;
	for (size_t i = 0; i < account->destinations.n; i++)
		if (slice_eq(account->destinations.v[i].name,
			record->destination->name)) {
			EDIT_DELETE(&account->destinations, i);
			break;
		}
	return 0;
}

static bool
is_postmaster(struct slice canonical)
{
	return slice_starts(canonical, SLICE("postmaster@"));
}

int
edit_address_remove(struct edit *edit, struct slice address, struct err *e)
{
	const struct check_address *owner = edit_owner(edit, address);
	struct slice canonical = edit_canonical(edit, address);

	if (!owner)
		return err_set(e, ERR_PERM, "nobody has the address %.*s",
		    SLICE_FMT(address));
	if (owner->alias)
		return err_set(e, ERR_PERM,
		    "%.*s is an alias: alias rm removes it",
		    SLICE_FMT(address));
	if (owner->record.reports.n > 0)
		return err_set(e, ERR_PERM,
		    "%.*s is where reports are delivered: change %s of its "
		    "domain first",
		    SLICE_FMT(address),
		    slice_is(owner->record.reports, "tls") ? "TLSRPT"
							   : "DMARC");
	if (is_postmaster(canonical))
		return err_set(e, ERR_PERM,
		    "%.*s is the postmaster of its domain, which every domain "
		    "has: it goes with the domain",
		    SLICE_FMT(address));
	if (edit_check_protected(edit, canonical, e) < 0)
		return -1;
	return edit_drop_address(edit, owner, e);
}

/* ---- accounts ---- */

static int
check_no_folder(const struct edit *edit, struct slice name, struct err *e)
{
	struct buf path = BUF_INIT(4096);
	const char *folder;
	int rc = 0;

	buf_addz(&path, "accounts/");
	db_escape(&path, name);
	folder = config_data(edit->config, edit->arena, buf_cstr(&path));
	if (!path.over && access(folder, F_OK) == 0)
		rc = err_set(e, ERR_PERM,
		    "there is mail of an account \"%.*s\" already, in %s",
		    SLICE_FMT(name), folder);
	buf_free(&path);
	return rc;
}

int
edit_account_add(struct edit *edit, struct slice name, struct slice address,
    struct err *e)
{
	struct conf_account *account;
	struct slice text;

	if (edit_account(edit, name))
		return err_set(e, ERR_PERM,
		    "there is an account \"%.*s\" already", SLICE_FMT(name));
	if (slice_chr(name, ':') >= 0) /* other mistakes commit tells */
		return err_set(e, ERR_SYNTAX,
		    "an account name has no colon: \"%.*s\"", SLICE_FMT(name));
	if (edit_address_text(edit, address, &text, e) < 0 ||
	    check_no_folder(edit, name, e) < 0)
		return -1;
	account = EDIT_APPEND(edit, &edit->conf.accounts);
	schema_parse_trusted(&conf_account_schema,
	    slice_str(edit_account_defaults), edit->arena, account);
	account->name = arena_dup(edit->arena, name);
	account->domain = slice_skip(text, (size_t)slice_rchr(text, '@') + 1);
	return add_destination(edit, account, text, e);
}

int
edit_account_remove(struct edit *edit, struct slice name, struct err *e)
{
	const struct check_model *model = edit->before->model;
	struct conf_account *account = need_account(edit, name, e);
	const struct conf_accounts *old = &edit->before->conf.accounts;

	if (!account)
		return -1;
	for (size_t i = 0; i < old->n; i++)
		for (size_t j = 0; slice_eq(old->v[i].name, name) &&
		     j < model->addresses_of[i].n;
		     j++)
			if (forget_address(edit, model->addresses_of[i].v[j],
				e) < 0)
				return -1;
	EDIT_DELETE(&edit->conf.accounts,
	    (size_t)(account - edit->conf.accounts.v));
	return 0;
}

int
edit_account_disable(struct edit *edit, struct slice name, struct slice message,
    struct err *e)
{
	struct conf_account *account = need_account(edit, name, e);

	if (!account)
		return -1;
	account->login_disabled = arena_dup(edit->arena, message);
	return 0;
}
