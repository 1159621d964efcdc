/*
 * imapform - the IMAP forms inside a record: write strings, check ENVELOPE
 * and BODYSTRUCTURE as imapform and describe.c write them (RFC 9051, 9).
 *
 * Internal to lib/message.
 */
#ifndef MESSAGE_IMAPFORM_H
#define MESSAGE_IMAPFORM_H

#include "base/buf.h"

/*
 * s as a quoted string, or as a literal if it has other than printable ASCII.
 * NUL cannot be sent and is left out. SLICE_NULL is NIL for nstring.
 */
void imapform_string(struct buf *out, struct slice s);
void imapform_upper(struct buf *out, struct slice s); /* a-z as A-Z */
void imapform_nstring(struct buf *out, struct slice s);

/*
 * Is text exactly one ENVELOPE or BODYSTRUCTURE, as strict as the grammar? A
 * string has no CR, LF or NUL outside literals, and no 8-bit in quotes.
 */
bool imapform_envelope_ok(struct slice text);
bool imapform_structure_ok(struct slice text);

/* The BODY form of a BODYSTRUCTURE that is ok. */
void imapform_basic(struct slice structure, struct buf *out);

/* The piece of a BODYSTRUCTURE that is ok which is of body i: 0 is the whole,
 * those in it follow in their order. Empty if there are not so many. */
struct slice imapform_part(struct slice structure, uint32_t i);
/* The piece of one part that is neither multipart nor message, appended to out
 * as it is without transfer encoding. False, nothing added: it is another. */
bool imapform_decoded(struct slice part, uint64_t size, uint64_t lines,
    struct buf *out);

#endif
