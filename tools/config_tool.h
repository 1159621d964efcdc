/*
 * config_tool - what the commands of mox-config share: their table, loading,
 * editing, output.
 *
 * Each file config_NAME.c has the commands of a group; mox-config.c lists the
 * groups. A command that fails prints why and returns the exit code.
 */
#ifndef TOOLS_CONFIG_TOOL_H
#define TOOLS_CONFIG_TOOL_H

#include "config/check.h"
#include "config/edit.h"
#include "config/lookup.h"
#include "text/json_write.h"
#include "tools/command.h"

struct config_command {
	struct command command;
	/* One of the two, called without words and options: what the command
	 * does, or the edit that it is. */
	int (*run)(int argc, char **argv);
	int (*edit)(struct edit *edit, int argc, char **argv, struct err *e);
};

/* Groups, each ended by words NULL. */
extern const struct config_command config_describe_commands[];
extern const struct config_command config_account_commands[];
extern const struct config_command config_domain_commands[];
extern const struct config_command config_dns_commands[];
extern const struct config_command config_alias_commands[];
extern const struct config_command config_tlskey_commands[];
extern const struct config_command config_hostkeys_commands[];
extern const struct config_command config_client_commands[];

extern const char *config_flag; /* -config */
extern bool config_json;        /* -json of the command */
/* An option table with -json alone. */
extern const struct opt config_json_opts[];

/* "mox-config: text" on stderr; returns the exit code for e. */
int config_fail(const struct err *e);

/* mox.conf, or print its problems and exit 1. */
struct config *config_need(void);
/* domains.conf as well; *config_r as above. */
struct config_domains *config_need_domains(struct config **config_r);

/*
 * Make one edit, and commit it if change returns 0. What lies outside the
 * configuration (keys of users) and uses addresses is protected. Prints what
 * is wrong; returns the exit code, 0 also if there was nothing to change.
 */
int config_edit(int (*change)(struct edit *edit, int argc, char **argv,
		    struct err *e),
    int argc, char **argv);

/* domains.cdb brought up to date and opened, as the owner of the data folder
 * if root; prints and exits on failure. */
struct lookup *config_need_lookup(const struct config *config);
/* The data folder, as its owner for good; exits on failure. */
int config_need_data(const struct config *config);

/* One text a line, or with -json an array. */
int config_print_list(const struct slice *v, size_t n);

/* What an account has outside of the configuration, config_gone.c. */

/* Addresses that others than the configuration use. */
int config_protect(const struct config *config, struct edit *edit,
    struct err *e);
/* Remove mail and credentials of an account that is in no configuration. */
int config_account_gone(const struct config *config, struct slice account,
    struct err *e);

#endif
