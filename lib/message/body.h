/*
 * body - what a part says: transfer encoding undone, text in UTF-8.
 *
 * A stream, for SEARCH, BINARY (RFC 3516), previews and web mail. Broken
 * input is decoded as far as it goes.
 */
#ifndef MESSAGE_BODY_H
#define MESSAGE_BODY_H

#include "base/buf.h"
#include "message/record.h"

struct body;

/*
 * charset: as in the part; empty for the decoded bytes as they are (BINARY).
 * An unknown charset is read as UTF-8 with replacements. NULL if the encoding
 * is unknown (RFC 3516, 4.3 UNKNOWN-CTE).
 */
struct body *body_new(enum msgrec_encoding encoding, struct slice charset);
/* Decode a piece of the part in wire form; what is ready is appended. */
void body_push(struct body *b, struct slice wire, struct buf *out);
/* The part is at its end. */
void body_end(struct body *b, struct buf *out);
void body_free(struct body **b);
/* One that stands where b does, to go on from there later. b must have been
 * made without a charset. */
struct body *body_dup(const struct body *b);

#endif
