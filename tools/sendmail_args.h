/*
 * sendmail_args - the command line of sendmail, as programs have used it for
 * forty years.
 */
#ifndef TOOLS_SENDMAIL_ARGS_H
#define TOOLS_SENDMAIL_ARGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct sendmail_args {
	const char *config;    /* -C, NULL if not given */
	const char *full_name; /* -F, the same */
	bool extract;          /* -t: recipients from the header */
	bool help, version;
	char **rcpts; /* of argv */
	size_t n;
};

/* 0, or -1 with e: a mode that is not for sending, or a value is missing. */
int sendmail_args_parse(int argc, char **argv, struct sendmail_args *args_r,
    struct err *e);

#endif
