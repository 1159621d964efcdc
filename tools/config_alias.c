/*
 * mox-config alias ...
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/proc.h"
#include "tools/config_tool.h"

#define OUTPUT_MAX ((size_t)64 << 20)

static const char *opt_post, *opt_members, *opt_from;

static const struct opt update_opts[] = {
	{ "postpublic", OPT_STRING, &opt_post, "true|false",
	    "whether others than members may post" },
	{ "listmembers", OPT_STRING, &opt_members, "true|false",
	    "whether members may see who the members are" },
	{ "allowmsgfrom", OPT_STRING, &opt_from, "true|false",
	    "whether members may send from the address of the alias" },
	{ NULL, OPT_BOOL, NULL, NULL, NULL },
};

/* The alias of an address, or NULL with e. For reading only. */
static const struct conf_alias *
find(const struct config_domains *domains, const char *address, struct err *e)
{
	const struct check_address *found =
	    check_address_find(domains->model, slice_str(address));

	if (found && found->alias)
		return found->alias;
	err_set(e, ERR_PERM, "there is no alias %s", address);
	return NULL;
}

static int
alias_list(int argc, char **argv)
{
	struct config *config;
	struct config_domains *domains = config_need_domains(&config);
	const struct check_domain *domain =
	    check_domain_find(domains->model, slice_str(argv[0]));
	const struct conf_aliases *aliases;
	struct err e = ERR_INIT;
	struct slice *v;
	int rc;

	(void)argc;
	if (domain) {
		aliases = &domain->conf->aliases;
		v = arena_array(domains->arena, aliases->n, sizeof(*v));
		for (size_t i = 0; i < aliases->n; i++)
			v[i] = name_join(domains->arena, aliases->v[i].name,
			    domain->conf->name);
		rc = config_print_list(v, aliases->n);
	} else {
		err_set(&e, ERR_PERM, "there is no domain \"%s\"", argv[0]);
		rc = config_fail(&e);
	}
	config_domains_free(&domains);
	config_free(&config);
	return rc;
}

static void
text_alias(const struct conf_alias *a, struct buf *b)
{
	buf_addf(b, "# postpublic %s\n# listmembers %s\n# allowmsgfrom %s\n",
	    a->post_public ? "true" : "false",
	    a->list_members ? "true" : "false",
	    a->allow_msg_from ? "true" : "false");
	buf_addz(b, "# members:\n");
	for (size_t i = 0; i < a->addresses.n; i++) {
		buf_add(b, a->addresses.v[i]);
		buf_addc(b, '\n');
	}
}

static void
json_alias(const struct conf_alias *a, struct buf *b)
{
	struct json_out j = JSON_OUT(b, true);

	json_put_object(&j, NULL);
	json_put_bool(&j, "PostPublic", a->post_public);
	json_put_bool(&j, "ListMembers", a->list_members);
	json_put_bool(&j, "AllowMsgFrom", a->allow_msg_from);
	json_put_array(&j, "Addresses");
	for (size_t i = 0; i < a->addresses.n; i++)
		json_put_str(&j, NULL, a->addresses.v[i]);
	json_put_end(&j);
	json_put_end(&j);
}

static int
alias_print(int argc, char **argv)
{
	struct config *config;
	struct config_domains *domains = config_need_domains(&config);
	struct err e = ERR_INIT;
	const struct conf_alias *alias = find(domains, argv[0], &e);
	struct buf b = BUF_INIT(OUTPUT_MAX);
	int rc;

	(void)argc;
	if (alias && config_json)
		json_alias(alias, &b);
	else if (alias)
		text_alias(alias, &b);
	rc = alias ? command_end(EXIT_DONE, &b) : config_fail(&e);
	config_domains_free(&domains);
	config_free(&config);
	return rc;
}

/* ---- changes ---- */

typedef int members_fn(struct edit *edit, struct slice address,
    const struct slice *members, size_t n, struct err *e);

static int
change_members(struct edit *edit, int argc, char **argv, members_fn *change,
    struct err *e)
{
	size_t n = (size_t)argc - 1;
	struct slice *members = arena_array(edit->arena, n, sizeof(*members));

	for (size_t i = 0; i < n; i++)
		members[i] = slice_str(argv[i + 1]);
	return change(edit, slice_str(argv[0]), members, n, e);
}

static int
alias_add(struct edit *edit, int argc, char **argv, struct err *e)
{
	return change_members(edit, argc, argv, edit_alias_add, e);
}

static int
alias_addaddr(struct edit *edit, int argc, char **argv, struct err *e)
{
	return change_members(edit, argc, argv, edit_alias_add_members, e);
}

static int
alias_rmaddr(struct edit *edit, int argc, char **argv, struct err *e)
{
	return change_members(edit, argc, argv, edit_alias_remove_members, e);
}

static int
alias_rm(struct edit *edit, int argc, char **argv, struct err *e)
{
	(void)argc;
	return edit_alias_remove(edit, slice_str(argv[0]), e);
}

/* Empty or not given: as it is. */
static int
set_bool(const char *option, const char *text, bool *value, struct err *e)
{
	if (!text || !*text)
		return 0;
	*value = strcmp(text, "true") == 0;
	if (*value || strcmp(text, "false") == 0)
		return 0;
	return err_set(e, ERR_SYNTAX, "-%s must be true or false, not \"%s\"",
	    option, text);
}

static int
update(struct edit *edit, int argc, char **argv, struct err *e)
{
	struct conf_alias *alias;

	(void)argc;
	if (edit_alias_find(edit, slice_str(argv[0]), &alias, e) < 0 ||
	    set_bool("postpublic", opt_post, &alias->post_public, e) < 0 ||
	    set_bool("listmembers", opt_members, &alias->list_members, e) < 0 ||
	    set_bool("allowmsgfrom", opt_from, &alias->allow_msg_from, e) < 0)
		return -1;
	return 0;
}

/* Options may also stand behind the address. */
static int
alias_update(int argc, char **argv)
{
	static const struct opt_program program = { "mox-config alias update",
		"alias@domain [options]",
		"Change who may do what with an alias.", update_opts };

	if (opt_parse(&program, argc, argv) != argc)
		opt_usage(&program, "one alias");
	return config_edit(update, argc, argv);
}

const struct config_command config_alias_commands[] = {
	{ { "alias list", "[-json] domain", 1, 1, config_json_opts,
	      "List the aliases of a domain." },
	    alias_list, NULL },
	{ { "alias print", "[-json] alias@domain", 1, 1, config_json_opts,
	      "Print the settings and members of an alias." },
	    alias_print, NULL },
	{ { "alias add", "alias@domain address ...", 2, COMMAND_ANY_ARGS, NULL,
	      "Add an alias with members, which anyone may send to." },
	    NULL, alias_add },
	{ { "alias update", "alias@domain [options]", 1, COMMAND_ANY_ARGS,
	      update_opts, "Change who may do what with an alias." },
	    alias_update, NULL },
	{ { "alias rm", "alias@domain", 1, 1, NULL, "Remove an alias." }, NULL,
	    alias_rm },
	{ { "alias addaddr", "alias@domain address ...", 2, COMMAND_ANY_ARGS,
	      NULL, "Add members to an alias." },
	    NULL, alias_addaddr },
	{ { "alias rmaddr", "alias@domain address ...", 2, COMMAND_ANY_ARGS,
	      NULL, "Remove members from an alias." },
	    NULL, alias_rmaddr },
	{ { NULL, NULL, 0, 0, NULL, NULL }, NULL, NULL },
};
