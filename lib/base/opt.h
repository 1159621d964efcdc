/*
 * opt - command line options from a table: parse, check, print usage.
 *
 * Go flag style, as mox: -name value, -name=value, --name; a bool takes no
 * value (or =true, =false); the first other word, or "--", ends options.
 * Every program has -help (and -h, --help) for free, and -version.
 */
#ifndef BASE_OPT_H
#define BASE_OPT_H

#include <stdbool.h>
#include <stddef.h>

enum opt_type { OPT_BOOL, OPT_STRING, OPT_INT, OPT_LIST };

struct opt {
	const char *name; /* without dash */
	enum opt_type type;
	void *value;     /* bool *, const char **, long *, struct opt_list * */
	const char *arg; /* name of the value in the usage, NULL for bools */
	const char *doc; /* one line */
};

struct opt_list {
	const char **v;
	size_t n;
};

struct opt_program {
	const char *name;       /* "mox-smtpd" */
	const char *args;       /* "[options] account", for the usage line */
	const char *doc;        /* one or two sentences */
	const struct opt *opts; /* ended by name NULL */
};

/*
 * Parse argv[1..]. Returns the index of the first argument that is no option.
 * -help prints help to stdout and exits 0. A wrong option prints a message
 * and the usage to stderr and exits 2.
 */
int opt_parse(const struct opt_program *prog, int argc, char **argv);

/* What -help prints. */
void opt_help(const struct opt_program *prog);

/* Message (may be NULL) and usage on stderr, exit 2. */
void opt_usage(const struct opt_program *prog, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), noreturn));

#define MOX_VERSION "0.1"

#endif
