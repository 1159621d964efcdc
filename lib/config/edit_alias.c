/*
 * Edits of aliases.
 */
#include <string.h>

#include "config/edit_int.h"

/* The domain of an alias' address, and its localpart in one spelling. */
static int
find_domain(struct edit *edit, struct slice address,
    struct conf_domain **domain_r, struct slice *local_r, struct err *e)
{
	struct slice text;
	ssize_t at;

	if (edit_address_text(edit, address, &text, e) < 0)
		return -1;
	at = slice_rchr(text, '@');
	if (at == 0)
		return err_set(e, ERR_SYNTAX,
		    "\"%.*s\" is no address of an alias", SLICE_FMT(address));
	*local_r = slice_head(text, (size_t)at);
	*domain_r = edit_domain(edit, slice_skip(text, (size_t)at + 1));
	if (!*domain_r)
		return err_set(e, ERR_PERM, "there is no domain \"%.*s\"",
		    SLICE_FMT(slice_skip(text, (size_t)at + 1)));
	return 0;
}

/* The alias, or NULL without error. */
static int
find(struct edit *edit, struct slice address, struct conf_domain **domain_r,
    struct conf_alias **alias_r, struct err *e)
{
	struct slice local, canonical = edit_canonical(edit, address), of;
	struct conf_aliases *aliases;

	*alias_r = NULL;
	if (find_domain(edit, address, domain_r, &local, e) < 0)
		return -1;
	aliases = &(*domain_r)->aliases;
	for (size_t i = 0; i < aliases->n; i++) {
		of = edit_canonical(edit,
		    name_join(edit->arena, aliases->v[i].name,
			(*domain_r)->name));
		if (slice_eq(aliases->v[i].name, local) ||
		    (of.n > 0 && slice_eq(of, canonical)))
			*alias_r = &aliases->v[i];
	}
	return 0;
}

static struct conf_alias *
need_alias(struct edit *edit, struct slice address,
    struct conf_domain **domain_r, struct err *e)
{
	struct conf_alias *alias;

	if (find(edit, address, domain_r, &alias, e) == 0 && !alias)
		err_set(e, ERR_PERM, "there is no alias %.*s",
		    SLICE_FMT(address));
	return alias;
}

int
edit_alias_find(struct edit *edit, struct slice address,
    struct conf_alias **alias_r, struct err *e)
{
	struct conf_domain *domain;

	*alias_r = need_alias(edit, address, &domain, e);
	return *alias_r ? 0 : -1;
}

static int
add_members(struct edit *edit, struct conf_alias *alias,
    const struct slice *members, size_t n, struct err *e)
{
	struct slice text;

	for (size_t i = 0; i < n; i++) {
		if (edit_address_text(edit, members[i], &text, e) < 0)
			return -1;
		*EDIT_APPEND(edit, &alias->addresses) = text;
	}
	return 0;
}

int
edit_alias_add(struct edit *edit, struct slice address,
    const struct slice *members, size_t n, struct err *e)
{
	struct conf_domain *domain;
	struct conf_alias *alias;
	struct slice local;

	if (find(edit, address, &domain, &alias, e) < 0 ||
	    find_domain(edit, address, &domain, &local, e) < 0)
		return -1;
	if (alias)
		return err_set(e, ERR_PERM, "there is an alias %.*s already",
		    SLICE_FMT(address));
	alias = EDIT_APPEND(edit, &domain->aliases);
	alias->name = local;
	alias->post_public = true;
	return add_members(edit, alias, members, n, e);
}

int
edit_alias_remove(struct edit *edit, struct slice address, struct err *e)
{
	struct conf_domain *domain;
	struct conf_alias *alias = need_alias(edit, address, &domain, e);

	if (!alias ||
	    edit_check_protected(edit, edit_canonical(edit, address), e) < 0)
		return -1;
	EDIT_DELETE(&domain->aliases, (size_t)(alias - domain->aliases.v));
	return 0;
}

int
edit_alias_add_members(struct edit *edit, struct slice address,
    const struct slice *members, size_t n, struct err *e)
{
	struct conf_domain *domain;
	struct conf_alias *alias = need_alias(edit, address, &domain, e);

	return alias ? add_members(edit, alias, members, n, e) : -1;
}

static int
remove_member(const struct edit *edit, struct conf_alias *alias,
    struct slice member, struct err *e)
{
	struct slice canonical = edit_canonical(edit, member);

	for (size_t i = 0; i < alias->addresses.n; i++)
		if (slice_eq(edit_canonical(edit, alias->addresses.v[i]),
			canonical)) {
			EDIT_DELETE(&alias->addresses, i);
			return 0;
		}
	return err_set(e, ERR_PERM, "%.*s is no member of alias \"%.*s\"",
	    SLICE_FMT(member), SLICE_FMT(alias->name));
}

int
edit_alias_remove_members(struct edit *edit, struct slice address,
    const struct slice *members, size_t n, struct err *e)
{
	struct conf_domain *domain;
	struct conf_alias *alias = need_alias(edit, address, &domain, e);

	for (size_t i = 0; alias && i < n; i++)
		if (remove_member(edit, alias, members[i], e) < 0)
			return -1;
	if (alias && alias->addresses.n == 0)
		return err_set(e, ERR_PERM,
		    "alias %.*s would have no members: remove the alias "
		    "instead",
		    SLICE_FMT(address));
	return alias ? 0 : -1;
}
