/*
 * mox-config test, describe-*, example, manual, printservice
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/proc.h"
#include "config/sendmail_conf.h"
#include "tools/config_example.h"
#include "tools/config_tool.h"
#include "tools/service_unit.h"

#define OUTPUT_MAX (1 << 20) /* the longest description has 40 KB */

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
test(int argc, char **argv)
{
	struct arena *arena = arena_new(0);
	struct config *config;
	struct sconf_errors errors;
	bool ok;

	(void)argc, (void)argv;
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
	return command_end(EXIT_DONE, &b);
}

static int
describe_static(int argc, char **argv)
{
	(void)argc, (void)argv;
	return describe(&mox_conf_schema);
}

static int
describe_domains(int argc, char **argv)
{
	(void)argc, (void)argv;
	return describe(&domains_conf_schema);
}

static int
describe_sendmail(int argc, char **argv)
{
	(void)argc, (void)argv;
	return describe(&sendmail_conf_schema);
}

/* The list of fields in conf/NAME.5. */
static int
manual(int argc, char **argv)
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

	(void)argc;
	for (size_t i = 0; i < 3; i++)
		if (strcmp(argv[0], files[i].name) == 0) {
			schema_manual(files[i].schema, &b);
			return command_end(EXIT_DONE, &b);
		}
	fputs("mox-config manual: static, domains or sendmail\n", stderr);
	return EXIT_USAGE;
}

static int
example(int argc, char **argv)
{
	const struct config_example *e = config_examples;

	if (argc == 0) {
		for (; e->name; e++)
			puts(e->name);
		return 0;
	}
	while (e->name && strcmp(e->name, argv[0]) != 0)
		e++;
	if (!e->name) {
		fprintf(stderr, "mox-config: there is no example \"%s\"\n",
		    argv[0]);
		return EXIT_USAGE;
	}
	fputs(e->text, stdout);
	return 0;
}

/* For the folder this is called in. */
static int
printservice(int argc, char **argv)
{
	struct buf b = BUF_INIT(OUTPUT_MAX);
	char folder[PATH_MAX];
	struct err e = ERR_INIT;

	(void)argc, (void)argv;
	if (!getcwd(folder, sizeof(folder))) {
		err_sys(&e, "working folder");
		return config_fail(&e);
	}
	service_unit(folder, &b);
	return command_end(EXIT_DONE, &b);
}

const struct config_command config_describe_commands[] = {
	{ { "test", "", 0, 0, NULL,
	      "Check mox.conf, domains.conf and the files they name." },
	    test, NULL },
	{ { "describe-static", "", 0, 0, NULL,
	      "Print mox.conf with every field, what it is for and its "
	      "default." },
	    describe_static, NULL },
	{ { "describe-domains", "", 0, 0, NULL, "The same for domains.conf." },
	    describe_domains, NULL },
	{ { "describe-sendmail", "", 0, 0, NULL,
	      "The same for /etc/moxsubmit.conf." },
	    describe_sendmail, NULL },
	{ { "example", "[name]", 0, 1, NULL,
	      "Print the names of pieces of configuration, or one of them." },
	    example, NULL },
	{ { "manual", "static|domains|sendmail", 1, 1, NULL,
	      "Print the fields as in the manual page of the file." },
	    manual, NULL },
	{ { "printservice", "", 0, 0, NULL,
	      "Print a systemd unit for mox in the present folder." },
	    printservice, NULL },
	{ { NULL, NULL, 0, 0, NULL, NULL }, NULL, NULL },
};
