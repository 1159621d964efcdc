/*
 * check - what must hold across fields of mox.conf and domains.conf.
 *
 * What one field alone must be is said in its table row. All problems are
 * reported to the files' errors, with the line they are about. A file whose
 * parse had problems can be checked as well.
 */
#ifndef CONFIG_CHECK_H
#define CONFIG_CHECK_H

#include "base/map.h"
#include "config/config.h"
#include "config/record.h"

/* Fills in what other fields imply: IssuerDomainName, slashes of paths. */
void check_mox_conf(struct config *config);

struct check_domain {
	struct slice name; /* ASCII form; NULL if it was refused */
	const struct conf_domain *conf;
	struct name_rules rules;
	bool has_address;
	bool reports_only;
};

/* The one owner of an address: an account, or an alias. */
struct check_address {
	struct record_address record;
	const struct conf_alias *alias;
};

/* What domains.conf comes to; to be compiled. */
struct check_model {
	const struct config *config;
	const struct sconf_file *file;
	const struct domains_conf *conf;
	struct arena *arena;
	struct check_domain *domains;      /* as many as in conf */
	struct conf_strings *addresses_of; /* for each account, its addresses */
	struct map *domain_by_name;  /* ASCII form -> struct check_domain */
	struct map *account_by_name; /* -> struct conf_account */
	struct map *addresses;       /* one spelling -> struct check_address */
};

/* All problems go to file->errors, those with accounts that mox.conf names
 * too. model_r points into conf and arena. */
void check_domains_conf(const struct config *config,
    const struct sconf_file *file, const struct domains_conf *conf,
    struct arena *arena, struct check_model *model_r);
void check_model_free(struct check_model *model);

/* The domain, in any form, or NULL. */
struct check_domain *check_domain_find(const struct check_model *model,
    struct slice domain);
/* The owner of an address as written in the file (not catchall), or NULL. */
const struct check_address *check_address_find(const struct check_model *model,
    struct slice address);

/* Does a listener serve MTA-STS policies? */
bool check_serves_mtasts(const struct config *config);

/* Parts of check_domains_conf. */
void check_addresses(struct check_model *model);
void check_web(const struct check_model *model);

/*
 * Files that the configuration names: certificates and keys are there and
 * good. For `mox-config test`; services report such when they load them.
 * Problems go to file->errors, those of mox.conf too.
 */
void check_files(const struct config *config, const struct sconf_file *file,
    const struct domains_conf *conf);

#endif
