/*
 * mox-config account ..., address ...
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/proc.h"
#include "tools/config_tool.h"

static int
add(struct edit *edit, int argc, char **argv, struct err *e)
{
	(void)argc;
	return edit_account_add(edit, slice_str(argv[0]), slice_str(argv[1]),
	    e);
}

static int
account_add(int argc, char **argv)
{
	int rc = config_edit(add, argc, argv);

	if (rc == 0)
		printf("account added; set its password with: mox "
		       "setaccountpassword %s\n",
		    argv[0]);
	return rc;
}

static int
rm(struct edit *edit, int argc, char **argv, struct err *e)
{
	(void)argc;
	return edit_account_remove(edit, slice_str(argv[0]), e);
}

static int
account_rm(int argc, char **argv)
{
	struct err e = ERR_INIT;
	struct config *config;
	int rc = config_edit(rm, argc, argv);

	if (rc != 0)
		return rc;
	config = config_need();
	if (config_account_gone(config, slice_str(argv[0]), &e) < 0) {
		fprintf(stderr,
		    "mox-config: the account is out of the configuration, but "
		    "not all of its data is removed\n");
		rc = config_fail(&e);
	} else
		puts("account removed");
	config_free(&config);
	return rc;
}

/* ---- list ---- */

static int
compare_names(const void *a, const void *b)
{
	const struct conf_account *const *x = a, *const *y = b;

	return slice_cmp((*x)->name, (*y)->name);
}

static void
put_account(struct json_out *j, const struct conf_account *a)
{
	json_put_object(j, NULL);
	json_put_str(j, "Account", a->name);
	json_put_str(j, "Domain", a->domain);
	json_put_str(j, "LoginDisabled", a->login_disabled);
	json_put_array(j, "Addresses");
	for (size_t i = 0; i < a->destinations.n; i++)
		json_put_str(j, NULL, a->destinations.v[i].name);
	json_put_end(j);
	json_put_end(j);
}

static int
account_list(int argc, char **argv)
{
	struct config *config;
	struct config_domains *domains = config_need_domains(&config);
	const struct conf_accounts *all = &domains->conf.accounts;
	const struct conf_account **sorted =
	    arena_array(domains->arena, all->n, sizeof(*sorted));
	struct buf b = BUF_INIT(SIZE_MAX);
	struct json_out j = JSON_OUT(&b, true);

	(void)argc, (void)argv;
	for (size_t i = 0; i < all->n; i++)
		sorted[i] = &all->v[i];
	qsort(sorted, all->n, sizeof(*sorted), compare_names);
	json_put_array(&j, NULL);
	for (size_t i = 0; i < all->n; i++)
		put_account(&j, sorted[i]);
	json_put_end(&j);
	if (!config_json) {
		buf_reset(&b);
		for (size_t i = 0; i < all->n; i++) {
			buf_add(&b, sorted[i]->name);
			if (sorted[i]->login_disabled.n > 0)
				buf_addz(&b, "\t(disabled)");
			buf_addc(&b, '\n');
		}
	}
	config_domains_free(&domains);
	config_free(&config);
	return command_end(EXIT_DONE, &b);
}

static int
disable(struct edit *edit, int argc, char **argv, struct err *e)
{
	(void)argc;
	if (argv[1][0] == '\0')
		return err_set(e, ERR_SYNTAX, "a message for users is needed");
	return edit_account_disable(edit, slice_str(argv[0]),
	    slice_str(argv[1]), e);
}

static int
enable(struct edit *edit, int argc, char **argv, struct err *e)
{
	(void)argc;
	return edit_account_disable(edit, slice_str(argv[0]), SLICE_NULL, e);
}

static int
account_addresses(int argc, char **argv)
{
	struct config *config = config_need();
	struct lookup *lookup = config_need_lookup(config);
	struct arena *arena = arena_new(0);
	struct conf_strings addresses;
	struct err e = ERR_INIT;
	int rc;

	(void)argc;
	rc = lookup_account_addresses(lookup, arena, slice_str(argv[0]),
	    &addresses, &e);
	if (rc == 0)
		err_set(&e, ERR_PERM, "there is no account \"%s\"", argv[0]);
	rc = rc == 1 ? config_print_list(addresses.v, addresses.n)
		     : config_fail(&e);
	lookup_close(&lookup);
	config_free(&config);
	arena_free(&arena);
	return rc;
}

/* ---- addresses ---- */

static int
address_add(struct edit *edit, int argc, char **argv, struct err *e)
{
	(void)argc;
	return edit_address_add(edit, slice_str(argv[0]), slice_str(argv[1]),
	    e);
}

static int
address_rm(struct edit *edit, int argc, char **argv, struct err *e)
{
	(void)argc;
	return edit_address_remove(edit, slice_str(argv[0]), e);
}

/* Whose mail is it, as SMTP would decide; that of an alias is nobody's. */
static int
address_account(int argc, char **argv)
{
	struct config *config = config_need();
	struct lookup *lookup = config_need_lookup(config);
	struct arena *arena = arena_new(0);
	struct lookup_result result;
	struct err e = ERR_INIT;
	int rc;

	(void)argc;
	rc = lookup_mailbox(lookup, arena, slice_str(argv[0]), &result, &e);
	if (rc == 0 && result.status == LOOKUP_ALIAS)
		rc = err_set(&e, ERR_PERM, "%s is an alias", argv[0]);
	else if (rc == 0 && result.status != LOOKUP_ACCOUNT &&
	    result.status != LOOKUP_SMTP_ERROR)
		rc =
		    err_set(&e, ERR_PERM, "nobody has the address %s", argv[0]);
	rc = rc == 0 ? config_print_list(&result.account, 1) : config_fail(&e);
	lookup_close(&lookup);
	config_free(&config);
	arena_free(&arena);
	return rc;
}

const struct config_command config_account_commands[] = {
	{ { "account add", "account address", 2, 2, NULL,
	      "Add an account with an address. It gets the settings of a new "
	      "account, and a password by mox setaccountpassword." },
	    account_add, NULL },
	{ { "account rm", "account", 1, 1, NULL,
	      "Remove an account, with its mail and credentials." },
	    account_rm, NULL },
	{ { "account list", "[-json]", 0, 0, config_json_opts,
	      "List accounts, with those whose login is disabled marked." },
	    account_list, NULL },
	{ { "account disable", "account message", 2, 2, NULL,
	      "Refuse logins to an account with a message. Mail is still "
	      "delivered." },
	    NULL, disable },
	{ { "account enable", "account", 1, 1, NULL,
	      "Allow logins to an account again." },
	    NULL, enable },
	{ { "account addresses", "[-json] account", 1, 1, config_json_opts,
	      "List the addresses of an account. @domain stands for all others "
	      "of a domain." },
	    account_addresses, NULL },
	{ { "address add", "address account", 2, 2, NULL,
	      "Add an address to an account; @domain for all others of a "
	      "domain." },
	    NULL, address_add },
	{ { "address rm", "address", 1, 1, NULL,
	      "Remove an address from its account." },
	    NULL, address_rm },
	{ { "address account", "[-json] address", 1, 1, config_json_opts,
	      "Print the account that mail for an address is delivered to." },
	    address_account, NULL },
	{ { NULL, NULL, 0, 0, NULL, NULL }, NULL, NULL },
};
