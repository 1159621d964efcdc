/*
 * utf7 - mailbox names in IMAP's modified UTF-7 (RFC 3501, 5.1.3).
 */
#ifndef TEXT_UTF7_H
#define TEXT_UTF7_H

#include "base/buf.h"

/* Append name, which is UTF-8, in modified UTF-7. False if it is not UTF-8;
 * out may then hold a part. Any characters are allowed, controls too. */
bool utf7_encode(struct buf *out, struct slice name);

/*
 * Append name in UTF-8. Strict, so that a mailbox has one name only: false
 * (and out may hold a part) for bytes outside printable ASCII, printable
 * ASCII in base64, shifts that are empty (but "&-"), not ended, or begin
 * right after another ended, bits left over, and halves of surrogate pairs.
 */
bool utf7_decode(struct buf *out, struct slice name);

#endif
