/*
 * parse - the single pass over a message at delivery.
 *
 * Push the bytes as they come, in pieces of any size, then take the record
 * (record.h): envelope, MIME tree, ids, preview. Takes any bytes and never
 * fails; what cannot be understood is treated as RFC 2045, 5.2 says, as plain
 * text. Time is linear in the message, memory bounded whatever is sent (with
 * the record 10 MB at worst, some 30 KB for common mail).
 *
 * RFC 5322, 2045-2047, 2231, 6532; ENVELOPE and BODYSTRUCTURE as RFC 9051.
 */
#ifndef MESSAGE_PARSE_H
#define MESSAGE_PARSE_H

#include "base/buf.h"

enum msgparse_form {
	MSGPARSE_WIRE, /* bytes as sent: CRLF; bare CR and LF are what they are */
	MSGPARSE_LF,   /* a stored file: each LF counts as CRLF */
};

struct msgparse_opts {
	enum msgparse_form form;
	bool no_preview; /* saves decoding */
};

struct msgparse;

/* opts may be NULL: wire form, with preview. */
struct msgparse *msgparse_new(const struct msgparse_opts *opts);
void msgparse_push(struct msgparse *p, struct slice bytes);
/* The message is at its end: append its record. Only msgparse_free may
 * follow. record_r has room for MSGREC_MAX. */
void msgparse_finish(struct msgparse *p, struct buf *record_r);
void msgparse_free(struct msgparse **p);

/* All at once: the record of message appended to record_r. */
void msgparse_all(struct slice message, const struct msgparse_opts *opts,
    struct buf *record_r);

#endif
