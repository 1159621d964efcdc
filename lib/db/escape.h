/*
 * escape - any bytes as a file name or a field of a log line, and back.
 *
 * %XX stands for control characters, space, DEL, '%', '/', and a '.' or '@'
 * at the beginning; a lone "%" is the empty string. All else stays.
 */
#ifndef DB_ESCAPE_H
#define DB_ESCAPE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

void db_escape(struct buf *b, struct slice raw);
/* The same with ASCII letters in lower case: for names of domains. */
void db_escape_lower(struct buf *b, struct slice raw);
/* Appends to b. False (b may have grown) if this is no escaped text. */
bool db_unescape(struct buf *b, struct slice escaped);

/*
 * What the files of a folder are named for: their names unescaped, sorted as
 * they are escaped, in the arena; without those that begin with a dot, which
 * are being written, and others that are no escaped text. No such folder: none.
 * 0, or -1 with e.
 */
int db_escaped_list(int dirfd, const char *path, struct arena *arena,
    struct slice **raw_r, size_t *n_r, struct err *e);

#endif
