/* Fuzz target: what a session asks of another account. What is accepted comes out
 * the same when it is written again, and is within its bounds. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "imap/errand.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice bytes = slice_of((const char *)data, size);
	struct buf again = BUF_INIT(SIZE_MAX);
	struct imap_errand errand;

	if (imap_errand_read(&errand, bytes)) {
		imap_errand_write(&errand, &again);
		if (errand.a.n == 0 || errand.op >= IMAP_ERRAND_OPS ||
		    !slice_eq(buf_slice(&again), bytes))
			abort();
	}
	buf_free(&again);
	return 0;
}
