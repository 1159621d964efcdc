/*
 * message_file - a message from the command line, in wire form, in pieces.
 *
 * A file whose first line ends in LF only is one as Maildirs have them: each
 * LF counts as CRLF.
 */
#ifndef TOOLS_MESSAGE_FILE_H
#define TOOLS_MESSAGE_FILE_H

#include "base/err.h"
#include "base/slice.h"

struct message_file {
	int fd;
	bool lf; /* lines end in LF */
};

/* "-" is standard input. 0, or -1 with e. */
int message_file_open(struct message_file *f, const char *path, struct err *e);
void message_file_close(struct message_file *f);

typedef void message_file_fn(void *ctx, struct slice bytes);

/* Give all of it to fn, in wire form or as it is. Can be done again only if
 * it is a regular file. */
int message_file_wire(struct message_file *f, message_file_fn *fn, void *ctx,
    struct err *e);
int message_file_raw(struct message_file *f, message_file_fn *fn, void *ctx,
    struct err *e);
/* Is it one? */
bool message_file_again(const struct message_file *f);

#endif
