/*
 * escape - any bytes as a file name or a field of a log line, and back.
 *
 * %XX stands for control characters, space, DEL, '%', '/', and a '.' or '@'
 * at the beginning; a lone "%" is the empty string. All else stays.
 */
#ifndef DB_ESCAPE_H
#define DB_ESCAPE_H

#include "base/buf.h"

void db_escape(struct buf *b, struct slice raw);
/* Appends to b. False (b may have grown) if this is no escaped text. */
bool db_unescape(struct buf *b, struct slice escaped);

#endif
