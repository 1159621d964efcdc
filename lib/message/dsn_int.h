/*
 * dsn_int - what the files of dsn share. Internal to lib/message.
 */
#ifndef MESSAGE_DSN_INT_H
#define MESSAGE_DSN_INT_H

#include "base/buf.h"
#include "message/dsn.h"

/* utf-8-addr-unitext (RFC 6533, 3) both ways: \x{HEX} for characters that it
 * must not have. */
void dsn_unitext_write(struct buf *out, struct slice text);
void dsn_unitext_read(struct buf *out, struct slice text);

/* At most DSN_TEXT_MAX bytes of s, whole characters. */
struct slice dsn_clip(struct slice s);

/* The text for people, UTF-8 with CRLF. */
void dsn_text(const struct dsn_letter *letter, struct buf *out);
/* The Subject for it. */
const char *dsn_subject(const struct dsn_status *status);

#endif
