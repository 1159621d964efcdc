#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "config/check.h"
#include "config/field.h"
#include "text/idna.h"

const char *
config_path(const char *flag)
{
	const char *env = getenv("MOXCONF");

	if (flag && *flag)
		return flag;
	return env && *env ? env : CONFIG_DEFAULT_PATH;
}

/* ---- where files are ---- */

/* name below folder, unless it is absolute. */
static const char *
resolve(struct arena *arena, struct slice folder, struct slice name)
{
	if (slice_starts(name, SLICE("/")))
		return arena_cstr(arena, name);
	return arena_cstr(arena,
	    arena_printf(arena, "%.*s/%.*s", SLICE_FMT(folder),
		SLICE_FMT(name)));
}

static struct slice
folder_of(struct slice path)
{
	ssize_t slash = slice_rchr(path, '/');

	if (slash < 0)
		return SLICE(".");
	return slice_head(path, slash > 0 ? (size_t)slash : 1);
}

const char *
config_file(const struct config *config, struct arena *arena, struct slice name)
{
	return resolve(arena, slice_str(config->dir), name);
}

const char *
config_data(const struct config *config, struct arena *arena, const char *name)
{
	return resolve(arena, slice_str(config->data_dir), slice_str(name));
}

struct slice
config_listener_hostname(const struct config *config,
    const struct conf_listener *listener, struct arena *arena)
{
	struct slice ascii;

	if (listener->hostname.n == 0 ||
	    idna_ascii(arena, listener->hostname, &ascii, NULL) < 0)
		return config->hostname;
	return ascii;
}

/* ---- loading ---- */

/* Read a file into text, or report why not. st_r may be NULL. */
static int
read_conf(const char *path, struct buf *text, struct sconf_errors *errors,
    struct sconf_file *file_r, struct stat *st_r)
{
	struct err e = ERR_INIT;
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = -1;

	if (fd < 0)
		err_sys(&e, "open");
	else if (st_r && fstat(fd, st_r) < 0)
		err_sys(&e, "fstat");
	else
		rc = file_read_fd(fd, text, &e);
	if (fd >= 0)
		close(fd);
	*file_r = sconf_file(slice_str(path), buf_slice(text), errors);
	if (rc < 0)
		sconf_error(file_r, SLICE_NULL, "%s", e.text);
	return rc < 0 ? -1 : 0;
}

/* What flags of the front command say instead of the file. */
static void
override(struct mox_conf *mox, struct sconf_errors *errors)
{
	const struct sconf_file env = { SLICE("MOX_LOGLEVEL"), SLICE_NULL,
		errors };
	struct slice level = slice_str(getenv("MOX_LOGLEVEL"));

	if (level.n > 0 && field_log_level(&level))
		sconf_error(&env, SLICE_NULL, "%s", field_log_level(&level));
	else if (level.n > 0)
		mox->log_level = level;
	if (slice_str(getenv("MOX_PEDANTIC")).n > 0)
		mox->pedantic = true;
}

static void
load_mox(struct config *config, struct sconf_errors *errors)
{
	struct mox_conf *mox = &config->mox;

	schema_parse(&mox_conf_schema, &config->file, config->arena, mox);
	check_mox_conf(config);
	override(mox, errors);
	if (!mox->limits) {
		mox->limits = arena_alloc(config->arena, sizeof(*mox->limits));
		schema_parse_trusted(&conf_limits_schema, SLICE_NULL,
		    config->arena, mox->limits);
	}
	idna_ascii(config->arena, mox->hostname, &config->hostname, NULL);
	config->data_dir =
	    resolve(config->arena, slice_str(config->dir), mox->data_dir);
}

int
config_load(const char *path, struct config **config_r,
    struct sconf_errors *errors)
{
	struct arena *arena = arena_new(0);
	struct config *config = arena_alloc(arena, sizeof(*config));
	size_t before = errors->errors;
	struct slice folder = folder_of(slice_str(path));

	config->arena = arena;
	config->text = (struct buf)BUF_INIT(SCONF_FILE_MAX);
	config->path = arena_cstr(arena, slice_str(path));
	config->dir = arena_cstr(arena, folder);
	config->domains_path = resolve(arena, folder, SLICE("domains.conf"));
	if (read_conf(config->path, &config->text, errors, &config->file,
		NULL) == 0)
		load_mox(config, errors);
	else
		config_free(&config);
	if (config)
		config->file.errors = NULL;
	*config_r = config;
	return errors->errors == before ? 0 : -1;
}

void
config_free(struct config **config)
{
	struct arena *arena;

	if (!*config)
		return;
	arena = (*config)->arena;
	buf_free(&(*config)->text);
	arena_free(&arena);
	*config = NULL;
}

static struct config_domains *
new_domains(void)
{
	struct arena *arena = arena_new(0);
	struct config_domains *d = arena_alloc(arena, sizeof(*d));

	d->arena = arena;
	d->text = (struct buf)BUF_INIT(SCONF_FILE_MAX);
	d->model = arena_alloc(arena, sizeof(*d->model));
	return d;
}

static void
parse_domains(const struct config *config, struct config_domains *d)
{
	schema_parse(&domains_conf_schema, &d->file, d->arena, &d->conf);
	check_domains_conf(config, &d->file, &d->conf, d->arena, d->model);
}

int
config_domains_load(const struct config *config, struct sconf_errors *errors,
    struct config_domains **domains_r)
{
	struct config_domains *d = new_domains();
	size_t before = errors->errors;

	*domains_r = d;
	if (read_conf(config->domains_path, &d->text, errors, &d->file,
		&d->st) == 0)
		parse_domains(config, d);
	return errors->errors == before ? 0 : -1;
}

int
config_domains_parse(const struct config *config, struct buf *text,
    struct sconf_errors *errors, struct config_domains **domains_r)
{
	struct config_domains *d = new_domains();
	size_t before = errors->errors;

	*domains_r = d;
	d->text = *text;
	*text = (struct buf)BUF_INIT(SCONF_FILE_MAX);
	d->file = sconf_file(slice_str(config->domains_path),
	    buf_slice(&d->text), errors);
	parse_domains(config, d);
	return errors->errors == before ? 0 : -1;
}

void
config_domains_free(struct config_domains **domains)
{
	struct arena *arena;

	if (!*domains)
		return;
	arena = (*domains)->arena;
	check_model_free((*domains)->model);
	buf_free(&(*domains)->text);
	arena_free(&arena);
	*domains = NULL;
}

/* ---- programs ---- */

void
config_print_errors(struct sconf_errors *errors)
{
	sconf_errors_sort(errors);
	for (size_t i = 0; i < errors->n; i++) {
		struct slice line =
		    sconf_error_format(&errors->v[i], errors->arena);

		fprintf(stderr, "%.*s\n", SLICE_FMT(line));
	}
	if (errors->n == SCONF_ERRORS_MAX)
		fprintf(stderr, "Only the first %d problems are shown.\n",
		    SCONF_ERRORS_MAX);
}

struct config *
config_load_or_exit(const char *flag)
{
	struct arena *arena = arena_new(0);
	struct sconf_errors errors;
	struct config *config;
	int rc;

	sconf_errors_init(&errors, arena);
	rc = config_load(config_path(flag), &config, &errors);
	config_print_errors(&errors);
	arena_free(&arena);
	if (rc < 0)
		exit(1);
	return config;
}

void
config_log_init(const struct config *config, const char *program)
{
	const struct conf_pairs *topics = &config->mox.package_log_levels;
	enum log_level level = LOG_INFO;

	log_level_parse(config->mox.log_level, &level);
	log_init(program, level);
	for (size_t i = 0; i < topics->n; i++)
		if (log_level_parse(topics->v[i].value, &level))
			log_set_level(topics->v[i].name, level);
}
