/*
 * config - the configuration of this host: mox.conf as loaded at start, where
 * files are, and domains.conf for tools.
 *
 * A service loads mox.conf with config_load and asks lookup.h about addresses
 * and accounts. Tools that check or edit also load domains.conf.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <sys/stat.h>

#include "base/buf.h"
#include "config/domains_conf.h"
#include "config/mox_conf.h"

#define CONFIG_DEFAULT_PATH "config/mox.conf"

struct config {
	struct arena *arena; /* everything below is in it */
	struct buf text;
	struct sconf_file file;   /* mox.conf itself; its errors are NULL */
	const char *path;         /* of mox.conf, as given */
	const char *dir;          /* the folder of mox.conf */
	const char *domains_path; /* domains.conf beside it */
	const char *data_dir;     /* DataDir, resolved */
	struct slice hostname;    /* Hostname in ASCII form, lower case */
	struct mox_conf mox;
};

/*
 * The path of mox.conf: the -config flag if given (not NULL, not empty), else
 * $MOXCONF, else config/mox.conf.
 */
const char *config_path(const char *flag);

/*
 * Load and check mox.conf. $MOX_LOGLEVEL and $MOX_PEDANTIC, set by the front
 * command's flags, override what it says. Returns 0, or -1 with at least one error; warnings may
 * come with either. *config_r is to be freed in any case; with errors it is
 * good for checking domains.conf only, and NULL if there was nothing to read.
 * Messages live in errors' arena and outlive the config.
 */
int config_load(const char *path, struct config **config_r,
    struct sconf_errors *errors);
void config_free(struct config **config);

/* The usual start of a program: config_load(config_path(flag)), problems
 * printed to stderr, exit 1 if there were errors. */
struct config *config_load_or_exit(const char *flag);

/* log_init for a service, with LogLevel and PackageLogLevels. */
void config_log_init(const struct config *config, const char *program);

/*
 * Where a file of mox.conf (certificate, key, ...) is: an absolute name stays,
 * others are relative to the folder of mox.conf. For DKIM keys as well, since
 * domains.conf is in the same folder.
 */
const char *config_file(const struct config *config, struct arena *arena,
    struct slice name);
/* The same for names relative to DataDir: "lookup/domains.cdb". */
const char *config_data(const struct config *config, struct arena *arena,
    const char *name);

/* Host name to present on a listener, in ASCII form. */
struct slice config_listener_hostname(const struct config *config,
    const struct conf_listener *listener, struct arena *arena);

/* domains.conf whole, for tools and the compiler. */
struct config_domains {
	struct arena *arena; /* this struct and all but text is in it */
	struct buf text;
	struct stat st; /* of the file when it was read */
	struct sconf_file file;
	struct domains_conf conf;
	struct check_model *model; /* check.h */
};

/*
 * Load domains.conf and check it against mox.conf. Returns 0, or -1 with
 * errors in errors; *domains_r is to be freed in any case.
 */
int config_domains_load(const struct config *config,
    struct sconf_errors *errors, struct config_domains **domains_r);
/* The same for a text that may become domains.conf; takes over *text. */
int config_domains_parse(const struct config *config, struct buf *text,
    struct sconf_errors *errors, struct config_domains **domains_r);
void config_domains_free(struct config_domains **domains);

/* Print all to stderr, sorted, as "path:line: message". */
void config_print_errors(struct sconf_errors *errors);

#endif
