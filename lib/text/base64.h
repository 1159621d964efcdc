/*
 * base64 - binary data as text (RFC 4648, 4 and 5; MIME: RFC 2045, 6.8).
 *
 * All functions append to out; its maximum is the caller's limit.
 */
#ifndef TEXT_BASE64_H
#define TEXT_BASE64_H

#include "base/buf.h"

/* Length of n bytes encoded, with padding. n < SIZE_MAX / 2. */
size_t base64_size(size_t n);

void base64_encode(struct buf *out, struct slice data);
/* Alphabet with - and _, no padding. */
void base64_encode_url(struct buf *out, struct slice data);

#define BASE64_LINE 57 /* bytes that make a line of 76 characters */
/* MIME body: lines of 76 characters, each with its CRLF. To encode in pieces,
 * give all but the last a multiple of BASE64_LINE bytes. */
void base64_encode_lines(struct buf *out, struct slice data);

/*
 * Strict: only the alphabet, padding right and in place (for the url alphabet
 * it may be missing), bits left over zero. False if the text is otherwise;
 * then nothing was added. Takes any length; out->over is the caller's to see.
 */
bool base64_decode(struct buf *out, struct slice text);
bool base64_decode_url(struct buf *out, struct slice text);

/*
 * A stream of MIME body text in pieces of any size. Lenient: characters
 * outside the alphabet are passed over (RFC 2045, 6.8), padding ends a group
 * and decoding goes on behind it, as several bodies glued together need.
 */
struct base64_dec {
	uint32_t bits; /* of the group begun */
	unsigned n;    /* characters in it, 0 to 3 */
	bool bad;      /* other than white space was passed over */
};

#define BASE64_DEC_INIT \
	{ \
		0, 0, false \
	}

void base64_dec_push(struct base64_dec *d, struct slice text, struct buf *out);
/* The end: appends what a group without its padding gives. */
void base64_dec_end(struct base64_dec *d, struct buf *out);

#endif
