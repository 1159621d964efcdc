/* Fuzz target: the state of a parked session, which comes from that session.
 * What is accepted comes out the same when it is written again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "imap/park.h"
#include "service/service.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice bytes = slice_of((const char *)data, size);
	struct buf again = BUF_INIT(SERVICE_STATE_MAX);
	struct arena *arena = arena_new(0);
	struct imap_parked p;

	if (size <= SERVICE_STATE_MAX && imap_parked_read(&p, bytes, arena) &&
	    (!imap_parked_write(&p, &again) || again.n != size))
		abort();
	buf_free(&again);
	arena_free(&arena);
	return 0;
}
