/*
 * mox-loglevels - show and set the levels of logging of running services.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/opt.h"
#include "base/proc.h"
#include "config/config.h"
#include "db/lock.h"
#include "db/newfile.h"
#include "service/user.h"
#include "text/json_write.h"

#define FILE_NAME "loglevels"
#define LOCK_NAME "loglevels.lock"
#define FILE_MAX 4096 /* what services read of it */
#define DEFAULT "-"   /* the default's name in the file */

static const char *opt_config;
static bool opt_json;

static const struct opt options[] = {
	{ "config", OPT_STRING, &opt_config, "file",
	    "mox.conf; default $MOXCONF or config/mox.conf" },
	{ "json", OPT_BOOL, &opt_json, NULL, "print JSON" },
	{ NULL, 0, NULL, NULL, NULL },
};

static const struct opt_program program = { "mox-loglevels",
	"[options] [level [package]]",
	"Show the levels of logging, or set that of a package or the default "
	"for running services. An empty level is back to that of mox.conf.",
	options };

/* ---- levels: the default first, then packages ---- */

struct level {
	struct slice name; /* DEFAULT, or a package */
	struct slice level;
};

struct levels {
	struct level v[LOG_TOPICS + 1];
	size_t n;
};

/* False if there are too many. */
static bool
put(struct levels *l, struct slice name, struct slice level)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (slice_eq(l->v[i].name, name))
			break;
	if (i == sizeof(l->v) / sizeof(l->v[0]))
		return false;
	l->v[i] = (struct level){ name, level };
	if (i == l->n)
		l->n++;
	return true;
}

static void
drop(struct levels *l, struct slice name)
{
	for (size_t i = 0; i < l->n; i++)
		if (slice_eq(l->v[i].name, name)) {
			memmove(&l->v[i], &l->v[i + 1],
			    (l->n - i - 1) * sizeof(l->v[0]));
			l->n--;
			return;
		}
}

static void
of_config(const struct config *config, struct levels *l)
{
	const struct conf_pairs *packages = &config->mox.package_log_levels;

	put(l, SLICE(DEFAULT), config->mox.log_level);
	for (size_t i = 0; i < packages->n; i++)
		put(l, packages->v[i].name, packages->v[i].value);
}

/* What is in the file, whose text is in *text. */
static int
of_file(int run_fd, struct buf *text, struct levels *l, struct err *e)
{
	struct slice rest, line, name, level;
	enum log_level parsed;

	if (file_read(run_fd, FILE_NAME, text, e) < 0)
		return -1;
	for (rest = buf_slice(text); slice_line(&rest, &line);)
		if (slice_cut(slice_trim(line), ' ', &name, &level) &&
		    log_level_parse(slice_trim(level), &parsed))
			put(l, name, slice_trim(level));
	return 0;
}

/* ---- show ---- */

static void
show(const struct levels *l)
{
	struct buf b = BUF_INIT(1 << 16);
	struct json_out j = JSON_OUT(&b, true);

	if (opt_json)
		json_put_object(&j, NULL);
	for (size_t i = 0; i < l->n; i++) {
		struct slice name = l->v[i].name;

		if (opt_json) {
			json_put_name(&j,
			    slice_is(name, DEFAULT) ? SLICE_NULL : name);
			json_put_str(&j, NULL, l->v[i].level);
			continue;
		}
		if (slice_is(name, DEFAULT))
			name = SLICE("(default)");
		buf_addf(&b, "%.*s: %.*s\n", SLICE_FMT(name),
		    SLICE_FMT(l->v[i].level));
	}
	if (opt_json)
		json_put_end(&j);
	fputs(buf_cstr(&b), stdout);
	buf_free(&b);
}

/* ---- set ---- */

static int
write_levels(int run_fd, const struct levels *l, struct err *e)
{
	struct buf b = BUF_INIT(FILE_MAX);
	int rc;

	for (size_t i = 0; i < l->n; i++)
		buf_addf(&b, "%.*s %.*s\n", SLICE_FMT(l->v[i].name),
		    SLICE_FMT(l->v[i].level));
	if (b.over)
		rc = err_set(e, ERR_LIMIT, "too many packages");
	else
		rc = db_write_file(run_fd, FILE_NAME, buf_slice(&b), 0600, e);
	buf_free(&b);
	return rc;
}

static int
set(int run_fd, struct slice level, struct slice package, struct err *e)
{
	struct db_lock lock = DB_LOCK_INIT;
	struct buf text = BUF_INIT(FILE_MAX);
	struct levels l = { .n = 0 };
	int rc = -1;

	if (db_lock(&lock, run_fd, LOCK_NAME, DB_LOCK_LEASE, DB_LOCK_MS, e) < 1)
		return -1;
	if (of_file(run_fd, &text, &l, e) == 0) {
		if (level.n == 0)
			drop(&l, package);
		if (level.n > 0 && !put(&l, package, level))
			err_set(e, ERR_LIMIT, "at most %d packages",
			    LOG_TOPICS);
		else
			rc = write_levels(run_fd, &l, e);
	}
	db_unlock(&lock);
	buf_free(&text);
	return rc;
}

/* A level, and a package that the file can hold. */
static int
check(struct slice level, struct slice package, struct err *e)
{
	enum log_level parsed;

	if (level.n > 0 && !log_level_parse(level, &parsed))
		return err_set(e, ERR_SYNTAX,
		    "level must be error, warn, info, debug, trace, traceauth "
		    "or tracedata, not \"%.*s\"",
		    SLICE_FMT(level));
	if (package.n > LOG_TOPIC || slice_chr(package, ' ') >= 0 ||
	    slice_chr(package, '\n') >= 0)
		return err_set(e, ERR_SYNTAX, "\"%.*s\" is no package",
		    SLICE_FMT(package));
	return 0;
}

/* run/ beside the data folder. */
static int
open_run(const struct config *config, struct err *e)
{
	struct arena *arena = arena_new(0);
	const char *path = config_data(config, arena, "../run");
	int fd = -1;

	if (user_become_owner(config->data_dir, e) == 0 &&
	    file_mkdirs(AT_FDCWD, path, 0700, e) == 0) {
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			err_sys(e, "%s", path);
	}
	arena_free(&arena);
	return fd;
}

int
main(int argc, char **argv)
{
	int arg = opt_parse(&program, argc, argv), n = argc - arg, run_fd;
	struct buf text = BUF_INIT(FILE_MAX);
	struct levels l = { .n = 0 };
	struct slice package = SLICE(DEFAULT);
	struct err e = ERR_INIT;
	struct config *config;

	if (n > 2)
		opt_usage(&program, "too many arguments");
	if (n == 2 && *argv[arg + 1])
		package = slice_str(argv[arg + 1]);
	if (n > 0 && check(slice_str(argv[arg]), package, &e) < 0)
		opt_usage(&program, "%s", e.text);
	config = config_load_or_exit(opt_config);
	run_fd = open_run(config, &e);
	if (run_fd < 0 ||
	    (n > 0 && set(run_fd, slice_str(argv[arg]), package, &e) < 0))
		proc_die(program.name, &e);
	of_config(config, &l);
	if (n == 0 && of_file(run_fd, &text, &l, &e) < 0)
		proc_die(program.name, &e);
	if (n == 0)
		show(&l);
	buf_free(&text);
	close(run_fd);
	config_free(&config);
	return EXIT_DONE;
}
