/* body - what a part says. */
#include "message/body.h"

#include <stdlib.h>

#include "base/arena.h"
#include "text/base64.h"
#include "text/charset.h"
#include "text/qp.h"

/* Decoded bytes on their way to the charset; decoding never grows them, so
 * this is also how much input is taken at a time. */
#define STEP (16 * 1024)

struct body {
	enum msgrec_encoding encoding;
	struct base64_dec base64;
	struct qp_dec qp;
	struct charset *charset; /* NULL: bytes as they are */
	struct buf bytes;
};

struct body *
body_new(enum msgrec_encoding encoding, struct slice charset)
{
	struct body *b;

	if (encoding == MSGREC_ENCODING_OTHER)
		return NULL;
	b = xcalloc(1, sizeof(*b));
	b->encoding = encoding;
	b->base64 = (struct base64_dec)BASE64_DEC_INIT;
	b->qp = (struct qp_dec)QP_DEC_INIT;
	/* What the decoders held back comes on top of a step. */
	b->bytes = (struct buf)BUF_INIT(2 * STEP);
	if (charset.n > 0) {
		b->charset = charset_new(charset);
		if (b->charset == NULL)
			b->charset = charset_new(SLICE("utf-8"));
	}
	return b;
}

void
body_free(struct body **b)
{
	if (*b == NULL)
		return;
	charset_free(&(*b)->charset);
	buf_free(&(*b)->bytes);
	free(*b);
	*b = NULL;
}

struct body *
body_dup(const struct body *b)
{
	struct body *copy = xcalloc(1, sizeof(*copy));

	copy->encoding = b->encoding;
	copy->base64 = b->base64;
	copy->qp = b->qp;
	copy->bytes = (struct buf)BUF_INIT(2 * STEP);
	return copy;
}

static void
decode(struct body *b, struct slice wire, struct buf *out)
{
	if (b->encoding == MSGREC_BASE64)
		base64_dec_push(&b->base64, wire, out);
	else if (b->encoding == MSGREC_QP)
		qp_dec_push(&b->qp, wire, out);
	else
		buf_add(out, wire);
}

static void
decode_end(struct body *b, struct buf *out)
{
	if (b->encoding == MSGREC_BASE64)
		base64_dec_end(&b->base64, out);
	else if (b->encoding == MSGREC_QP)
		qp_dec_end(&b->qp, out);
}

void
body_push(struct body *b, struct slice wire, struct buf *out)
{
	if (b->charset == NULL) {
		decode(b, wire, out);
		return;
	}
	while (wire.n > 0) {
		struct slice piece = slice_head(wire, STEP);

		if (b->encoding < MSGREC_BASE64)
			charset_push(b->charset, piece, out);
		else {
			buf_reset(&b->bytes);
			decode(b, piece, &b->bytes);
			charset_push(b->charset, buf_slice(&b->bytes), out);
		}
		wire = slice_skip(wire, piece.n);
	}
}

void
body_end(struct body *b, struct buf *out)
{
	if (b->charset == NULL) {
		decode_end(b, out);
		return;
	}
	buf_reset(&b->bytes);
	decode_end(b, &b->bytes);
	charset_push(b->charset, buf_slice(&b->bytes), out);
	charset_end(b->charset, out);
}
