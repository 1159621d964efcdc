/*
 * mox-config domain ..., dnsrecords
 */
#include <stdio.h>

#include "base/proc.h"
#include "config/dnsrecords.h"
#include "tools/config_tool.h"

#define ZONE_MAX (1 << 20)

static bool opt_disabled, opt_dnssec;

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

/* ---- DNS records ---- */

static void
json_records(const struct dnsrecords *records, struct buf *b)
{
	struct json_out j = JSON_OUT(b, true);

	json_put_array(&j, NULL);
	for (size_t i = 0; i < records->n; i++) {
		const struct dnsrecord *r = &records->v[i];

		json_put_object(&j, NULL);
		json_put_str(&j, "Name", r->name);
		json_put_str(&j, "Type", slice_str(r->type));
		json_put_str(&j, "Value", r->value);
		json_put_bool(&j, "Optional", r->optional);
		json_put_end(&j);
	}
	json_put_end(&j);
}

static int
dnsrecords(int argc, char **argv)
{
	struct config *config;
	struct config_domains *domains = config_need_domains(&config);
	const struct check_domain *domain =
	    check_domain_find(domains->model, slice_str(argv[0]));
	struct dnsrecords_opts opts = { .host_dnssec = opt_dnssec,
		.domain_dnssec = opt_dnssec };
	struct buf zone = BUF_INIT(ZONE_MAX);
	struct dnsrecords records;
	struct err e = ERR_INIT;
	int rc = -1;

	(void)argc;
	if (!domain)
		err_set(&e, ERR_PERM, "there is no domain \"%s\"", argv[0]);
	else
		rc = dnsrecords_make(config, domain->conf, &opts,
		    domains->arena, &records, &e);
	if (rc == 0 && config_json)
		json_records(&records, &zone);
	else if (rc == 0)
		dnsrecords_zone(&records, &zone);
	rc = rc == 0 ? config_print(&zone) : config_fail(&e);
	buf_free(&zone);
	config_domains_free(&domains);
	config_free(&config);
	return rc;
}

static const struct opt add_opts[] = {
	{ "disabled", OPT_BOOL, &opt_disabled, NULL,
	    "refuse its mail for now, until domain enable" },
	{ NULL, OPT_BOOL, NULL, NULL, NULL },
};

static const struct opt records_opts[] = {
	{ "dnssec", OPT_BOOL, &opt_dnssec, NULL,
	    "zones are signed: TLSA records count" },
	{ "json", OPT_BOOL, &config_json, NULL, "print JSON" },
	{ NULL, OPT_BOOL, NULL, NULL, NULL },
};

const struct config_command config_domain_commands[] = {
	{ "domain add", "[-disabled] domain account [localpart]", 2, 3,
	    add_opts,
	    "Add a domain, with the settings of a new domain and DKIM keys. "
	    "Its reports and mail to postmaster go to the account. With a "
	    "localpart the account is made, with the address "
	    "localpart@domain.",
	    domain_add, NULL },
	{ "domain rm", "domain", 1, 1, NULL,
	    "Remove a domain. Its addresses must be removed before.", domain_rm,
	    NULL },
	{ "domain disable", "domain", 1, 1, NULL,
	    "Refuse, for the time being, mail to and from a domain.", NULL,
	    disable },
	{ "domain enable", "domain", 1, 1, NULL,
	    "Accept mail of a domain again.", NULL, enable },
	{ "dnsrecords", "[-dnssec] [-json] domain", 1, 1, records_opts,
	    "Print the DNS records that a domain should have, as a zone "
	    "file.",
	    dnsrecords, NULL },
	{ NULL, NULL, 0, 0, NULL, NULL, NULL, NULL },
};
