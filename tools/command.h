/*
 * command - the commands of a tool that has several, each with options and
 * arguments of its own: found by their words, usage and help for each.
 */
#ifndef TOOLS_COMMAND_H
#define TOOLS_COMMAND_H

#include "base/buf.h"
#include "base/opt.h"

#define COMMAND_ANY_ARGS 100000

/* The first member of a row of a tool's table. */
struct command {
	const char *words; /* "list", "account add" */
	const char *args;  /* for the usage: "[options] account" */
	int min_args, max_args;
	const struct opt *opts; /* ended by name NULL; NULL: none */
	const char *doc;        /* the first sentence is for lists */
};

/* How many of the arguments are the words of the command; 0 if they say
 * another; *prefix_r then: they are the beginning of its words. */
int command_match(const struct command *c, int argc, char **argv,
    bool *prefix_r);

/*
 * Parse the options behind the words, which are the first arguments, and count
 * what follows: *argc and *argv become that. Prints help or what is wrong, and
 * exits, as opt_parse does.
 */
void command_parse(const char *program, const struct command *c, int words,
    int *argc, char ***argv);

/*
 * The whole command line, from main: options of the program, the command,
 * command_parse. table has n rows of size bytes, each begins with a struct
 * command. Returns its row.
 */
const void *command_line(const struct opt_program *program, const void *table,
    size_t n, size_t size, int *argc, char ***argv);

/* The end of a command: text (NULL: none) goes to stdout and is freed. Returns
 * code, or EXIT_FAILED if stdout is closed or full or the text is cut short. */
int command_end(int code, struct buf *text);

#endif
