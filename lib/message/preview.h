/*
 * preview - the first words of a message for a list of messages, by
 * mox's rules. A stream. Internal to lib/message.
 */
#ifndef MESSAGE_PREVIEW_H
#define MESSAGE_PREVIEW_H

#include "base/buf.h"
#include "message/record.h"

#define PREVIEW_MAX 256 /* characters (RFC 8970, 3.1) */

struct preview;

/* For a part of text/plain or text/html. NULL if it cannot be decoded. */
struct preview *preview_new(bool html, enum msgrec_encoding encoding,
    struct slice charset);
/* Part of the body in wire form. Returns false when no more is needed. */
bool preview_push(struct preview *p, struct slice wire);
/* Lines of UTF-8 that end in LF appended, at most PREVIEW_MAX characters;
 * nothing if there is no text. Frees. */
void preview_end(struct preview **p, struct buf *out);

#endif
