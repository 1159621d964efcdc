/*
 * Quoted-printable and base64. The first byte says how long the pieces of
 * the streams are: they must give what one piece gives, strict decoding what
 * the lenient stream gives, and encoding must come back.
 */
#include <stdlib.h>

#include "text/base64.h"
#include "text/qp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must_be(struct buf *got, struct slice want)
{
	if (!slice_eq(buf_slice(got), want))
		abort();
	buf_free(got);
}

static void
decode_qp(struct slice in, size_t piece, struct buf *out)
{
	struct qp_dec d = QP_DEC_INIT;

	for (; in.n > 0; in = slice_skip(in, piece))
		qp_dec_push(&d, slice_head(in, piece), out);
	qp_dec_end(&d, out);
}

static void
decode_base64(struct slice in, size_t piece, struct buf *out)
{
	struct base64_dec d = BASE64_DEC_INIT;

	for (; in.n > 0; in = slice_skip(in, piece))
		base64_dec_push(&d, slice_head(in, piece), out);
	base64_dec_end(&d, out);
}

/* Longer runs of white space are kept or not by where pieces end. */
static bool
has_much_white(struct slice in)
{
	size_t run = 0;

	for (size_t i = 0; i < in.n; i++) {
		char c = in.p[i];
		run = c == ' ' || c == '\t' || c == '\r' ? run + 1 : 0;
		if (run > 70)
			return true;
	}
	return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of((const char *)data, size);
	struct buf a = BUF_INIT(SIZE_MAX), b = BUF_INIT(SIZE_MAX);
	size_t piece = size == 0 ? 1 : (size_t)(data[0] % 90) + 1;

	decode_qp(in, SIZE_MAX, &a);
	decode_qp(in, piece, &b);
	if (!has_much_white(in))
		must_be(&a, buf_slice(&b));
	buf_free(&a);
	buf_free(&b);
	if (slice_chr(in, '\n') < 0) { /* line breaks become CRLF */
		qp_encode(&a, in);
		decode_qp(buf_slice(&a), piece, &b);
		must_be(&b, in);
		buf_free(&a);
	}

	decode_base64(in, SIZE_MAX, &a);
	decode_base64(in, piece, &b);
	must_be(&b, buf_slice(&a));
	if (base64_decode(&b, in))
		must_be(&b, buf_slice(&a));
	buf_free(&a);
	base64_encode_lines(&a, in);
	decode_base64(buf_slice(&a), piece, &b);
	must_be(&b, in);
	buf_free(&a);
	base64_encode_url(&a, in);
	if (!base64_decode_url(&b, buf_slice(&a)))
		abort();
	must_be(&b, in);
	buf_free(&a);
	return 0;
}
