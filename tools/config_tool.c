#include "tools/config_tool.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/proc.h"
#include "config/domains_cdb.h"
#include "service/user.h"
#include "tools/store_tool.h"

#define JSON_MAX ((size_t)256 << 20)

const char *config_flag;
bool config_json;

const struct opt config_json_opts[] = {
	{ "json", OPT_BOOL, &config_json, NULL, "print JSON" },
	{ NULL, OPT_BOOL, NULL, NULL, NULL },
};

int
config_fail(const struct err *e)
{
	fprintf(stderr, "mox-config: %s\n", e->text);
	return proc_exit_code(e);
}

/* ---- loading ---- */

static _Noreturn void
exit_with(struct sconf_errors *errors)
{
	config_print_errors(errors);
	exit(EXIT_FAILED);
}

/* Warnings are for `mox config test`. */
struct config *
config_need(void)
{
	struct sconf_errors errors;
	struct config *config;

	sconf_errors_init(&errors, arena_new(0));
	if (config_load(config_path(config_flag), &config, &errors) < 0)
		exit_with(&errors);
	arena_free(&errors.arena);
	return config;
}

struct config_domains *
config_need_domains(struct config **config_r)
{
	struct sconf_errors errors;
	struct config_domains *domains;

	*config_r = config_need();
	sconf_errors_init(&errors, arena_new(0));
	if (config_domains_load(*config_r, &errors, &domains) < 0)
		exit_with(&errors);
	domains->file.errors = NULL;
	arena_free(&errors.arena);
	return domains;
}

int
config_need_data(const struct config *config)
{
	struct err e = ERR_INIT;
	int fd = store_tool_data(config->data_dir, &e);

	if (fd < 0)
		exit(config_fail(&e));
	return fd;
}

struct lookup *
config_need_lookup(const struct config *config)
{
	struct err e = ERR_INIT;
	struct sconf_errors errors;
	struct lookup *lookup;

	if (user_become_owner(config->data_dir, &e) < 0)
		exit(config_fail(&e));
	sconf_errors_init(&errors, arena_new(0));
	if (domains_cdb_refresh(config, &errors) < 0)
		exit_with(&errors);
	arena_free(&errors.arena);
	if (lookup_open(config, &lookup, &e) < 0)
		exit(config_fail(&e));
	return lookup;
}

/* ---- editing ---- */

static struct edit *
begin(struct config **config_r)
{
	struct sconf_errors errors;
	struct err e = ERR_INIT;
	struct edit *edit;

	*config_r = config_need();
	sconf_errors_init(&errors, arena_new(0));
	if (edit_begin(*config_r, &edit, &errors, &e) < 0) {
		config_print_errors(&errors);
		exit(e.kind != ERR_NONE ? config_fail(&e) : EXIT_FAILED);
	}
	arena_free(&errors.arena);
	if (config_protect(*config_r, edit, &e) < 0) {
		edit_cancel(&edit);
		exit(config_fail(&e));
	}
	return edit;
}

/* The exit code. */
static int
end(struct edit **edit, int rc, struct err *e)
{
	struct sconf_errors errors;

	sconf_errors_init(&errors, arena_new(0));
	if (rc < 0)
		edit_cancel(edit);
	else
		rc = edit_commit(edit, &errors, e);
	config_print_errors(&errors);
	if (rc < 0 && errors.errors > 0)
		fprintf(stderr, "mox-config: refused, nothing was changed\n");
	arena_free(&errors.arena);
	if (rc < 0)
		return e->kind != ERR_NONE ? config_fail(e) : EXIT_FAILED;
	return EXIT_DONE;
}

int
config_edit(int (*change)(struct edit *edit, int argc, char **argv,
		struct err *e),
    int argc, char **argv)
{
	struct err e = ERR_INIT;
	struct config *config;
	struct edit *edit = begin(&config);
	int rc = change(edit, argc, argv, &e);

	rc = end(&edit, rc, &e);
	config_free(&config);
	return rc;
}

/* ---- output ---- */

int
config_print_list(const struct slice *v, size_t n)
{
	struct buf b = BUF_INIT(JSON_MAX);
	struct json_out j = JSON_OUT(&b, true);

	if (config_json)
		json_put_array(&j, NULL);
	for (size_t i = 0; i < n; i++) {
		if (config_json) {
			json_put_str(&j, NULL, v[i]);
			continue;
		}
		buf_add(&b, v[i]);
		buf_addc(&b, '\n');
	}
	if (config_json)
		json_put_end(&j);
	return command_end(EXIT_DONE, &b);
}
