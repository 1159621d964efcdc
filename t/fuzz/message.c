/*
 * Any message, in one piece and in pieces of any size, gives the same record,
 * which is valid. The LF form of it gives the same as its wire form, and a
 * prefix put before the record the same as one put before the message.
 */
#include <stdlib.h>

#include "message/body.h"
#include "message/parse.h"
#include "message/section.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PREFIX "Received: from x\r\n\tby y\r\nReturn-Path: <>\r\n"

static void
require(bool ok)
{
	if (!ok)
		abort();
}

static void
parse(struct slice m, enum msgparse_form form, uint32_t seed, struct buf *out)
{
	struct msgparse_opts opts = { .form = form };
	struct msgparse *p = msgparse_new(&opts);

	while (m.n > 0) {
		size_t n = seed == 0 ? m.n : 1 + (seed >> 16) % 40;

		msgparse_push(p, slice_head(m, n));
		m = slice_skip(m, n);
		seed = seed * 1103515245 + (seed != 0) * 12345;
	}
	msgparse_finish(p, out);
	msgparse_free(&p);
	require(!out->over && msgrec_check(buf_slice(out)));
}

/* Without CR, and with CRLF. */
static void
make_forms(struct slice m, struct buf *lf, struct buf *wire)
{
	for (size_t i = 0; i < m.n; i++) {
		if (m.p[i] == '\r')
			continue;
		buf_addc(lf, m.p[i]);
		if (m.p[i] == '\n')
			buf_addc(wire, '\r');
		buf_addc(wire, m.p[i]);
	}
}

/* Every part can be found, and lies in the message; its body decodes. */
static void
look_at_parts(struct slice record, struct slice m)
{
	for (uint32_t i = 0; i < msgrec_parts(record); i++) {
		struct buf out = BUF_INIT(1 << 20);
		struct msgrec_part part;
		uint32_t path[] = { 1, 1 };
		struct section s;
		struct body *b;

		msgrec_part(record, i, &part);
		require(part.end.off <= m.n);
		path[1] = part.number;
		for (int kind = SECTION_WHOLE; kind <= SECTION_MIME; kind++)
			for (size_t n = 0; n <= 2; n++)
				if (section_find(record, path, n, kind, &s))
					require(s.from.off + s.size <= m.n);
		b = body_new(part.encoding, part.charset);
		if (b != NULL) {
			body_push(b, slice_sub(m, part.body.off, part.end.off),
			    &out);
			body_end(b, &out);
		}
		body_free(&b);
		buf_free(&out);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice m = slice_of((const char *)data, size);
	struct buf a = BUF_INIT(MSGREC_MAX), b = BUF_INIT(MSGREC_MAX);
	struct buf lf = BUF_INIT(SIZE_MAX), wire = BUF_INIT(SIZE_MAX);
	uint32_t seed = 1 + (uint32_t)size;

	for (size_t i = 0; i < size && i < 200; i++)
		seed = seed * 31 + data[i];
	parse(m, MSGPARSE_WIRE, 0, &a);
	parse(m, MSGPARSE_WIRE, seed | 1, &b);
	require(slice_eq(buf_slice(&a), buf_slice(&b)));
	require(msgrec_wire_size(buf_slice(&a)) == size);
	look_at_parts(buf_slice(&a), m);

	buf_reset(&b);
	msgrec_body(buf_slice(&a), &b);
	require(!b.over && b.n > 0);
	buf_reset(&b);
	require(msgrec_prefix(buf_slice(&a), SLICE(PREFIX), &b));
	require(msgrec_check(buf_slice(&b)));
	buf_add(&wire, SLICE(PREFIX));
	buf_add(&wire, m);
	buf_reset(&a);
	parse(buf_slice(&wire), MSGPARSE_WIRE, 0, &a);
	require(slice_eq(buf_slice(&a), buf_slice(&b)));

	buf_reset(&wire);
	make_forms(m, &lf, &wire);
	buf_reset(&a);
	buf_reset(&b);
	parse(buf_slice(&lf), MSGPARSE_LF, seed | 1, &a);
	parse(buf_slice(&wire), MSGPARSE_WIRE, 0, &b);
	require(slice_eq(buf_slice(&a), buf_slice(&b)));
	buf_free(&a);
	buf_free(&b);
	buf_free(&lf);
	buf_free(&wire);
	return 0;
}
