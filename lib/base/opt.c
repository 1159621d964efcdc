/* opt - command line options from a table. */
#include "base/opt.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/proc.h"
#include "base/slice.h"

static void
print_usage(FILE *f, const struct opt_program *prog)
{
	fprintf(f, "usage: %s%s%s\n", prog->name,
	    prog->args != NULL && *prog->args != '\0' ? " " : "",
	    prog->args != NULL ? prog->args : "");
	for (const struct opt *o = prog->opts; o->name != NULL; o++)
		fprintf(f, "  -%s%s%s\n\t%s\n", o->name,
		    o->arg != NULL ? " " : "", o->arg != NULL ? o->arg : "",
		    o->doc);
}

void
opt_help(const struct opt_program *prog)
{
	print_usage(stdout, prog);
	printf("\n%s\n", prog->doc);
}

void
opt_usage(const struct opt_program *prog, const char *fmt, ...)
{
	va_list ap;

	if (fmt != NULL) {
		fprintf(stderr, "%s: ", prog->name);
		va_start(ap, fmt);
		vfprintf(stderr, fmt, ap);
		va_end(ap);
		fputc('\n', stderr);
	}
	print_usage(stderr, prog);
	exit(EXIT_USAGE);
}

static const struct opt *
find(const struct opt_program *prog, struct slice name)
{
	for (const struct opt *o = prog->opts; o->name != NULL; o++)
		if (slice_is(name, o->name))
			return o;
	if (slice_is(name, "help") || slice_is(name, "h")) {
		opt_help(prog);
		exit(EXIT_DONE);
	}
	if (slice_is(name, "version")) {
		printf("%s %s\n", prog->name, MOX_VERSION);
		exit(EXIT_DONE);
	}
	opt_usage(prog, "unknown option -%.*s", SLICE_FMT(name));
}

static bool
set_bool(bool *to, const char *value)
{
	*to = value == NULL || strcmp(value, "true") == 0;
	return *to || strcmp(value, "false") == 0;
}

static bool
set_int(long *to, const char *value)
{
	int64_t v;

	if (!slice_i64(slice_str(value), &v) || v < LONG_MIN || v > LONG_MAX)
		return false;
	*to = (long)v;
	return true;
}

/* False if the value is none of the type. */
static bool
set(const struct opt *o, const char *value)
{
	struct opt_list *list;

	switch (o->type) {
	case OPT_BOOL:
		return set_bool(o->value, value);
	case OPT_STRING:
		*(const char **)o->value = value;
		return true;
	case OPT_INT:
		return set_int(o->value, value);
	case OPT_LIST:
		break;
	}
	list = o->value;
	list->v = xreallocarray(list->v, list->n + 1, sizeof(*list->v));
	list->v[list->n++] = value;
	return true;
}

int
opt_parse(const struct opt_program *prog, int argc, char **argv)
{
	int i = 1;

	while (i < argc && argv[i][0] == '-' && argv[i][1] != '\0') {
		const char *word = argv[i++], *value = NULL;
		struct slice name, rest;
		const struct opt *o;

		if (strcmp(word, "--") == 0)
			break;
		word += word[1] == '-' ? 2 : 1;
		if (slice_cut(slice_str(word), '=', &name, &rest))
			value = rest.p;
		o = find(prog, name);
		if (value == NULL && o->type != OPT_BOOL) {
			if (i == argc)
				opt_usage(prog, "option -%s needs a value",
				    o->name);
			value = argv[i++];
		}
		if (!set(o, value))
			opt_usage(prog, "bad value \"%s\" for option -%s",
			    value, o->name);
	}
	return i;
}
