/*
 * mox-config - check the configuration, say what can be in it.
 */
#include <stdio.h>
#include <string.h>

#include "base/opt.h"
#include "config/check.h"
#include "config/domains_cdb.h"
#include "config/sendmail_conf.h"
#include "tools/config_example.h"

#define OUTPUT_MAX (1 << 20) /* the longest description has 40 KB */

static const char *config_flag;

static const struct opt options[] = {
	{ "config", OPT_STRING, &config_flag, "file",
	    "mox.conf to use; default $MOXCONF or config/mox.conf" },
	{ NULL, OPT_BOOL, NULL, NULL, NULL },
};

static const struct opt_program program = {
	"mox-config",
	"[-config file] command [argument]",
	"Commands: test, describe-static, describe-domains, "
	"describe-sendmail, example [name], manual static|domains|sendmail.",
	options,
};

static int
print(struct buf *b)
{
	bool ok = fwrite(b->p, 1, b->n, stdout) == b->n && fflush(stdout) == 0;

	buf_free(b);
	return ok ? 0 : 1;
}

/* ---- test ---- */

static void
not_in_effect(void *ctx, struct slice parent, const char *name)
{
	const struct sconf_file *file = ctx;

	sconf_warning(file, sconf_find(file, parent, name),
	    "%s: not in effect yet", name);
}

static void
test_domains(const struct config *config, struct sconf_errors *errors)
{
	struct config_domains *domains;
	struct sconf_file mox_file = config->file;

	mox_file.errors = errors;
	schema_later(&mox_conf_schema, &config->mox, not_in_effect, &mox_file);
	config_domains_load(config, errors, &domains);
	schema_later(&domains_conf_schema, &domains->conf, not_in_effect,
	    &domains->file);
	check_files(config, &domains->file, &domains->conf);
	config_domains_free(&domains);
}

static int
test(const char *arg)
{
	struct arena *arena = arena_new(0);
	struct config *config;
	struct sconf_errors errors;
	bool ok;

	(void)arg;
	sconf_errors_init(&errors, arena);
	config_load(config_path(config_flag), &config, &errors);
	if (config)
		test_domains(config, &errors);
	config_print_errors(&errors);
	ok = errors.errors == 0;
	if (ok)
		puts("config OK");
	config_free(&config);
	arena_free(&arena);
	return ok ? 0 : 1;
}

/* ---- descriptions ---- */

static int
describe(const struct schema *schema)
{
	struct buf b = BUF_INIT(OUTPUT_MAX);

	schema_describe(schema, &b);
	return print(&b);
}

static int
describe_static(const char *arg)
{
	(void)arg;
	return describe(&mox_conf_schema);
}

static int
describe_domains(const char *arg)
{
	(void)arg;
	return describe(&domains_conf_schema);
}

static int
describe_sendmail(const char *arg)
{
	(void)arg;
	return describe(&sendmail_conf_schema);
}

/* The list of fields in conf/NAME.5. */
static int
manual(const char *arg)
{
	static const struct {
		const char *name;
		const struct schema *schema;
	} files[] = {
		{ "static", &mox_conf_schema },
		{ "domains", &domains_conf_schema },
		{ "sendmail", &sendmail_conf_schema },
	};
	struct buf b = BUF_INIT(OUTPUT_MAX);

	for (size_t i = 0; i < 3; i++)
		if (arg && strcmp(arg, files[i].name) == 0) {
			schema_manual(files[i].schema, &b);
			return print(&b);
		}
	opt_usage(&program, "manual: static, domains or sendmail");
}

static int
example(const char *arg)
{
	const struct config_example *e = config_examples;

	if (!arg) {
		for (; e->name; e++)
			puts(e->name);
		return 0;
	}
	while (e->name && strcmp(e->name, arg) != 0)
		e++;
	if (!e->name)
		opt_usage(&program, "there is no example \"%s\"", arg);
	fputs(e->text, stdout);
	return 0;
}

static const struct {
	const char *name;
	int max_args;
	int (*run)(const char *arg);
} commands[] = {
	{ "test", 0, test },
	{ "describe-static", 0, describe_static },
	{ "describe-domains", 0, describe_domains },
	{ "describe-sendmail", 0, describe_sendmail },
	{ "example", 1, example },
	{ "manual", 1, manual },
};

int
main(int argc, char **argv)
{
	int first = opt_parse(&program, argc, argv);
	int args = argc - first - 1;

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (args >= 0 && strcmp(argv[first], commands[i].name) == 0) {
			if (args > commands[i].max_args)
				opt_usage(&program, "too many arguments");
			return commands[i].run(argv[first + 1]);
		}
	if (args < 0)
		opt_usage(&program, NULL);
	opt_usage(&program, "unknown command \"%s\"", argv[first]);
}
