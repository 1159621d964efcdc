/*
 * mox-config - check, describe and change the configuration.
 */
#include <stdio.h>
#include <string.h>

#include "base/proc.h"
#include "tools/config_tool.h"

static const struct opt options[] = {
	{ "config", OPT_STRING, &config_flag, "file",
	    "mox.conf to use; default $MOXCONF or config/mox.conf" },
	{ NULL, OPT_BOOL, NULL, NULL, NULL },
};

static const struct opt_program program = {
	"mox-config",
	"[-config file] command [options] [arguments]",
	"Check, describe and change the configuration. Without a command all "
	"are listed; command -help says more of one.",
	options,
};

static const struct config_command *const groups[] = {
	config_describe_commands,
	config_account_commands,
	config_domain_commands,
	config_dns_commands,
	config_alias_commands,
	config_tlskey_commands,
	config_hostkeys_commands,
	config_client_commands,
};

#define N_GROUPS (sizeof(groups) / sizeof(groups[0]))

static const struct config_command *
find(int argc, char **argv, int *words_r)
{
	bool prefix;

	for (size_t i = 0; i < N_GROUPS; i++)
		for (const struct config_command *c = groups[i];
		     c->command.words; c++) {
			*words_r =
			    command_match(&c->command, argc, argv, &prefix);
			if (*words_r > 0)
				return c;
		}
	return NULL;
}

/* Commands that begin with these words, each with its first sentence. */
static bool
list(FILE *f, int argc, char **argv)
{
	bool prefix, any = false;

	for (size_t i = 0; i < N_GROUPS; i++)
		for (const struct config_command *row = groups[i];
		     row->command.words; row++) {
			const struct command *c = &row->command;
			command_match(c, argc, argv, &prefix);
			if (!prefix)
				continue;
			fprintf(f, "%s mox config %s%s%s\n\t%.*s\n",
			    any ? "      " : "usage:", c->words,
			    *c->args ? " " : "", c->args,
			    (int)(strcspn(c->doc, ".") + 1), c->doc);
			any = true;
		}
	return any;
}

static bool
is_help(const char *word)
{
	return strcmp(word, "-help") == 0 || strcmp(word, "--help") == 0 ||
	    strcmp(word, "-h") == 0;
}

/* No command: list those that could be meant. */
static int
no_command(int argc, char **argv)
{
	int words = 0;
	bool help;

	while (words < argc && argv[words][0] != '-')
		words++;
	help = words < argc && is_help(argv[words]);
	if (words > 0 && list(help ? stdout : stderr, words, argv))
		return help ? EXIT_DONE : EXIT_USAGE;
	if (words > 0) {
		fprintf(stderr,
		    "mox-config: unknown command \"%s\"; mox config lists "
		    "them\n",
		    argv[0]);
		return EXIT_USAGE;
	}
	list(stderr, 0, argv);
	return EXIT_USAGE;
}

int
main(int argc, char **argv)
{
	const struct config_command *c;
	int first, words;

	/* With all commands in its help. */
	if (argc == 2 && is_help(argv[1])) {
		opt_help(&program);
		putchar('\n');
		list(stdout, 0, argv);
		return EXIT_DONE;
	}
	first = opt_parse(&program, argc, argv);
	argc -= first;
	argv += first;
	c = find(argc, argv, &words);
	if (!c)
		return no_command(argc, argv);
	command_parse(program.name, &c->command, words, &argc, &argv);
	return c->edit ? config_edit(c->edit, argc, argv) : c->run(argc, argv);
}
