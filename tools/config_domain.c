/*
 * mox-config domain ...
 */
#include <stdio.h>

#include "base/proc.h"
#include "tools/config_tool.h"

static bool opt_disabled;

static int
add(struct edit *edit, int argc, char **argv, struct err *e)
{
	return edit_domain_add(edit, slice_str(argv[0]), opt_disabled,
	    slice_str(argv[1]), slice_str(argc == 3 ? argv[2] : NULL), e);
}

static int
domain_add(int argc, char **argv)
{
	int rc = config_edit(add, argc, argv);

	if (rc == 0)
		printf("domain added; now add its DNS records, which this "
		       "prints:\n\tmox config dnsrecords %s\n",
		    argv[0]);
	if (rc == 0 && argc == 3)
		printf("and set the password of its account:\n"
		       "\tmox setaccountpassword %s\n",
		    argv[1]);
	return rc;
}

static int
rm(struct edit *edit, int argc, char **argv, struct err *e)
{
	(void)argc;
	return edit_domain_remove(edit, slice_str(argv[0]), e);
}

static int
domain_rm(int argc, char **argv)
{
	int rc = config_edit(rm, argc, argv);

	if (rc == 0)
		printf("domain removed; remove its DNS records as well\n");
	return rc;
}

static int
disable(struct edit *edit, int argc, char **argv, struct err *e)
{
	(void)argc;
	return edit_domain_disable(edit, slice_str(argv[0]), true, e);
}

static int
enable(struct edit *edit, int argc, char **argv, struct err *e)
{
	(void)argc;
	return edit_domain_disable(edit, slice_str(argv[0]), false, e);
}

static const struct opt add_opts[] = {
	{ "disabled", OPT_BOOL, &opt_disabled, NULL,
	    "refuse its mail for now, until domain enable" },
	{ NULL, OPT_BOOL, NULL, NULL, NULL },
};

const struct config_command config_domain_commands[] = {
	{ { "domain add", "[-disabled] domain account [localpart]", 2, 3,
	      add_opts,
	      "Add a domain, with the settings of a new domain and DKIM keys. "
	      "Its reports and mail to postmaster go to the account. With a "
	      "localpart the account is made, with the address "
	      "localpart@domain." },
	    domain_add, NULL },
	{ { "domain rm", "domain", 1, 1, NULL,
	      "Remove a domain. Its addresses must be removed before." },
	    domain_rm, NULL },
	{ { "domain disable", "domain", 1, 1, NULL,
	      "Refuse, for the time being, mail to and from a domain." },
	    NULL, disable },
	{ { "domain enable", "domain", 1, 1, NULL,
	      "Accept mail of a domain again." },
	    NULL, enable },
	{ { NULL, NULL, 0, 0, NULL, NULL }, NULL, NULL },
};
