#include "tools/sendmail_args.h"

#include <string.h>

/* Options that have a value: behind the letter, or the next argument. */
#define WITH_VALUE "BCDFLNORVXfhopr"

/* Of -b, only "m", to send what comes on standard input, is for us. */
static int
check_mode(const char *value, struct err *e)
{
	if (value[0] == 'm' && value[1] == '\0')
		return 0;
	return err_set(e, ERR_SYNTAX,
	    "-b%s is not supported: this program only sends", value);
}

static void
take(struct sendmail_args *a, char option, const char *value)
{
	if (option == 'C')
		a->config = value;
	if (option == 'F')
		a->full_name = value;
	/* The rest says how to queue and whom to blame: that is the mail
	 * server's to decide. */
}

/* One argument that begins with a dash; *i is moved past a value. */
static int
option(struct sendmail_args *a, int argc, char **argv, int *i, struct err *e)
{
	for (const char *p = argv[*i] + 1; *p != '\0'; p++) {
		if (*p == 'b')
			return check_mode(p + 1, e);
		if (*p == 't')
			a->extract = true;
		/* -qINTERVAL and -dLEVEL have their value at once or never. */
		if (*p == 'q' || *p == 'd')
			return 0;
		if (strchr(WITH_VALUE, *p) == NULL)
			continue;
		if (p[1] == '\0' && *i + 1 == argc)
			return err_set(e, ERR_SYNTAX, "-%c needs a value", *p);
		take(a, *p, p[1] != '\0' ? p + 1 : argv[++*i]);
		return 0;
	}
	return 0;
}

/* Words rather than letters, as our other programs have. */
static bool
word(struct sendmail_args *a, int argc, char **argv, int *i)
{
	const char *s = argv[*i] + 1;

	s += *s == '-';
	if (strcmp(s, "help") == 0 || strcmp(argv[*i], "-h") == 0) {
		a->help = true;
	} else if (strcmp(s, "version") == 0) {
		a->version = true;
	} else if (strncmp(s, "config=", 7) == 0) {
		a->config = s + 7;
	} else if (strcmp(s, "config") == 0 && *i + 1 < argc) {
		a->config = argv[++*i];
	} else {
		return false;
	}
	return true;
}

int
sendmail_args_parse(int argc, char **argv, struct sendmail_args *args_r,
    struct err *e)
{
	struct sendmail_args *a = args_r;
	int i = 1;

	*a = (struct sendmail_args){ 0 };
	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "--") == 0) {
			i++;
			break;
		}
		if (!word(a, argc, argv, &i) &&
		    option(a, argc, argv, &i, e) < 0)
			return -1;
	}
	a->rcpts = argv + i;
	a->n = (size_t)(argc - i);
	return 0;
}
