/*
 * qp - quoted-printable (RFC 2045, 6.7).
 *
 * All functions append to out; its maximum is the caller's limit.
 */
#ifndef TEXT_QP_H
#define TEXT_QP_H

#include "base/buf.h"

#define QP_LINE 76 /* characters, RFC 2045, 6.7 (5) */

/*
 * Text to quoted-printable. LF and CRLF are line breaks, written as CRLF; a
 * CR alone is encoded. Also encoded: what begins a line and looks like
 * "From " or a lone dot, for transports that would change it. To encode in
 * pieces, end all but the last behind a line break.
 */
void qp_encode(struct buf *out, struct slice text);

/*
 * A stream of body text in pieces of any size. Line ends stay as they are in
 * the input (CRLF or LF), white space before them is dropped, soft breaks
 * join. Lenient: "=" before anything but two hexadecimal digits (of either
 * case) or a line end stands for itself.
 */
struct qp_dec {
	char kept[80]; /* of the line: white space, or "=..." not yet clear */
	unsigned n;
	bool bad; /* something stood for itself */
};

#define QP_DEC_INIT \
	{ \
		"", 0, false \
	}

void qp_dec_push(struct qp_dec *d, struct slice text, struct buf *out);
void qp_dec_end(struct qp_dec *d, struct buf *out);

#endif
