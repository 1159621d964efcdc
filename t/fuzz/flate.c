/*
 * Compressed bytes of a peer. The first byte says how much room the reader has
 * at a time: what comes out must not depend on it, and never be more than the
 * room.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "net/flate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OUT_MAX (1 << 20) /* a thousand times what comes in, at most */

static enum flate_status
unpack(struct slice in, size_t room, struct buf *out)
{
	struct flate *f = flate_new();
	enum flate_status status = FLATE_OK;
	char *p = malloc(room);
	struct slice rest;
	size_t n, i;

	if (p == NULL)
		abort();
	for (i = 0; i < in.n; i++)
		flate_room(f)[i] = in.p[i];
	flate_filled(f, in.n);
	while (status == FLATE_OK && out->n < OUT_MAX) {
		status = flate_read(f, p, room, &n);
		if (n > room || (status == FLATE_OK) != (n > 0))
			abort();
		buf_add(out, slice_of(p, n));
	}
	if (status == FLATE_HUNGRY && flate_has_more(f))
		abort();
	status = flate_read_end(f, &rest);
	if (rest.n > in.n || (status != FLATE_END && rest.n > 0))
		abort();
	free(p);
	flate_free(&f);
	return status;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of((const char *)data, size);
	struct buf one = BUF_INIT(2 * OUT_MAX), other = BUF_INIT(2 * OUT_MAX);
	size_t n;

	if (size < 2 || size > FLATE_IN)
		return 0;
	in = slice_skip(in, 1);
	unpack(in, 1u + data[0], &one);
	unpack(in, 4096, &other);
	n = one.n < other.n ? one.n : other.n;
	if (n > OUT_MAX)
		n = OUT_MAX;
	if (!slice_eq(slice_head(buf_slice(&one), n),
		slice_head(buf_slice(&other), n)))
		abort();
	buf_free(&one);
	buf_free(&other);
	return 0;
}
