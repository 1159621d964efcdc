/*
 * gzip - what others have compressed (RFC 1952), within a limit.
 */
#ifndef TEXT_GZIP_H
#define TEXT_GZIP_H

#include "base/buf.h"
#include "base/err.h"

/* Does it begin as gzip does? */
bool gzip_is(struct slice s);

/*
 * Append to out what in holds, all members of it; what is behind them and no
 * gzip is passed over. Work and memory are bounded by out's maximum. 0, or -1 with e: ERR_LIMIT it does not fit, ERR_SYNTAX it is no
 * gzip or ends too early.
 */
int gzip_read(struct slice in, struct buf *out, struct err *e);

#endif
