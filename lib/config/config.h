/*
 * config - the configuration of this host: mox.conf as loaded at start, where
 * files are, and domains.conf for tools.
 *
 * A service loads mox.conf with config_load and asks lookup.h about addresses
 * and accounts. Tools that check or edit also load domains.conf.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "config/domains_conf.h"
#include "config/mox_conf.h"

#define CONFIG_DEFAULT_PATH "config/mox.conf"

struct config {
	struct arena *arena; /* everything below is in it */
	struct sconf_file file; /* mox.conf itself */
	const char *path; /* of mox.conf, as given */
	const char *dir; /* the folder of mox.conf */
	const char *domains_path; /* domains.conf beside it */
	const char *data_dir; /* DataDir, resolved */
	struct slice hostname; /* Hostname in ASCII form, lower case */
	struct mox_conf mox;
};

/*
 * The path of mox.conf: the -config flag if given (not NULL, not empty), else
 * $MOXCONF, else config/mox.conf.
 */
const char *config_path(const char *flag);

/*
 * Load and check mox.conf. Returns 0 and a config to free, or -1 with at
 * least one error. Warnings may come with either. errors has its own arena,
 * so messages outlive the config.
 */
int config_load(
    const char *path, struct config **config_r, struct sconf_errors *errors);
void config_free(struct config **config);

/* The usual start of a program: load, print problems to stderr; on errors
 * exit 1 (the file is wrong) or 111 (it cannot be read now). */
struct config *config_load_or_exit(const char *flag);

/*
 * Where a file of mox.conf (certificate, key, ...) is: an absolute name stays,
 * others are relative to the folder of mox.conf. For DKIM keys as well, since
 * domains.conf is in the same folder.
 */
const char *config_file(
    const struct config *config, struct arena *arena, struct slice name);
/* The same for names relative to DataDir: "lookup/domains.cdb". */
const char *config_data(
    const struct config *config, struct arena *arena, const char *name);

/* Host name to present on a listener, in ASCII form. */
struct slice config_listener_hostname(const struct config *config,
    const struct conf_listener *listener, struct arena *arena);

/*
 * Load and check domains.conf against config. Strings and *conf_r live in
 * arena. Returns 0, or -1 with the problems in errors.
 */
int config_domains_load(const struct config *config, struct arena *arena,
    struct sconf_errors *errors, struct domains_conf *conf_r);

/* Print all to fd as "path:line: message" lines, warnings marked. */
void config_print_errors(struct sconf_errors *errors, int fd);

#endif
