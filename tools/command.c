#include "tools/command.h"

#include <stdio.h>

#include "base/proc.h"
#include "base/slice.h"

#define NAME_MAX_LEN 80 /* "mox-config" and the words of a command */

static const struct opt no_options[] = {
	{ NULL, OPT_BOOL, NULL, NULL, NULL },
};

int
command_match(const struct command *c, int argc, char **argv, bool *prefix_r)
{
	struct slice rest = slice_str(c->words), word;
	int n = 0;

	*prefix_r = false;
	while (slice_next(&rest, ' ', &word)) {
		if (n == argc || argv[n][0] == '-') {
			*prefix_r = n > 0 || argc == 0;
			return 0;
		}
		if (!slice_is(word, argv[n]))
			return 0;
		n++;
	}
	return n;
}

void
command_parse(const char *program, const struct command *c, int words,
    int *argc, char ***argv)
{
	char name[NAME_MAX_LEN];
	const struct opt_program p = { name, c->args, c->doc,
		c->opts ? c->opts : no_options };
	int at = words - 1; /* opt_parse begins behind the last of them */

	snprintf(name, sizeof(name), "%s %s", program, c->words);
	at += opt_parse(&p, *argc - at, *argv + at);
	*argc -= at;
	*argv += at;
	if (*argc < c->min_args)
		opt_usage(&p, "arguments are missing");
	if (*argc > c->max_args)
		opt_usage(&p, "too many arguments");
}

const void *
command_line(const struct opt_program *program, const void *table, size_t n,
    size_t size, int *argc, char ***argv)
{
	int at = opt_parse(program, *argc, *argv), words;
	bool prefix;

	*argc -= at;
	*argv += at;
	if (*argc == 0)
		opt_usage(program, NULL);
	for (size_t i = 0; i < n; i++) {
		const void *row = (const char *)table + i * size;
		words = command_match(row, *argc, *argv, &prefix);
		if (words == 0)
			continue;
		command_parse(program->name, row, words, argc, argv);
		return row;
	}
	opt_usage(program, "no command \"%s%s%s\"", (*argv)[0],
	    *argc > 1 ? " " : "", *argc > 1 ? (*argv)[1] : "");
}

int
command_end(int code, struct buf *text)
{
	bool whole = true;

	if (text != NULL) {
		whole = !text->over;
		fwrite(buf_cstr(text), 1, text->n, stdout);
		buf_free(text);
	}
	return fflush(stdout) == 0 && !ferror(stdout) && whole ? code
							       : EXIT_FAILED;
}
