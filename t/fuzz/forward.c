/*
 * The file of addresses that an account's mail goes to: what was taken is so
 * again, and has nothing that could end a line of an envelope.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "store/forward.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool ok)
{
	if (!ok)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(0);
	struct buf text = BUF_INIT(SIZE_MAX);
	struct forward f, again;

	if (forward_parse(arena, slice_of((const char *)data, size), &f,
		NULL) == 0) {
		require(f.n <= FORWARD_MAX && (f.keep || f.n > 0));
		for (size_t i = 0; i < f.n; i++) {
			for (size_t k = 0; k < f.to[i].n; k++)
				require((unsigned char)f.to[i].p[k] >= ' ');
			/* With "&", or "#x" would be a comment. */
			buf_addf(&text, "&%.*s\n", SLICE_FMT(f.to[i]));
		}
		require(forward_parse(arena, buf_slice(&text), &again, NULL) ==
		    0);
		require(again.n == f.n);
		for (size_t i = 0; i < f.n; i++)
			require(slice_eq(again.to[i], f.to[i]));
	}
	buf_free(&text);
	arena_free(&arena);
	return 0;
}
