/*
 * A header block: fields lie in it in order, HEADER.FIELDS and its NOT
 * together have each of them once, what we write is one valid field.
 */
#include <stdlib.h>

#include "message/compose.h"
#include "message/header.h"
#include "message/section.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool ok)
{
	if (!ok)
		abort();
}

static size_t
count(struct slice block)
{
	struct header_field field;
	const char *last = block.p;
	size_t n = 0;

	while (header_next(&block, &field)) {
		require(field.raw.p >= last && field.raw.n > 0);
		last = field.raw.p + field.raw.n;
		n++;
	}
	return n;
}

static void
composed(struct slice in, bool utf8)
{
	struct buf out = BUF_INIT(1 << 20);
	struct header_field field;
	struct slice rest;

	compose_text(&out, "Subject", in, utf8);
	rest = buf_slice(&out);
	require(header_next(&rest, &field) && rest.n == 0);
	require(header_valid(field.name, field.value));
	buf_reset(&out);
	compose_received(&out,
	    &(struct compose_received){ .helo = in,
		.by = in,
		.from_ip = in,
		.id = in,
		.tls = in,
		.rcpt = in,
		.with = in });
	rest = buf_slice(&out);
	require(header_next(&rest, &field) && rest.n == 0);
	require(header_valid(field.name, field.value));
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of((const char *)data, size);
	struct slice names[] = { SLICE("a"), SLICE("Subject") };
	struct buf with = BUF_INIT(SIZE_MAX), without = BUF_INIT(SIZE_MAX);
	struct buf out = BUF_INIT(SIZE_MAX);

	require(header_size(in) <= in.n);
	section_fields(in, names, 2, false, &with);
	section_fields(in, names, 2, true, &without);
	require(count(buf_slice(&with)) + count(buf_slice(&without)) ==
	    count(in));
	header_unfold(&out, in);
	require(slice_chr(buf_slice(&out), '\n') < 0);
	composed(in, size % 2);
	buf_free(&with);
	buf_free(&without);
	buf_free(&out);
	return 0;
}
