/* A TLSA record, and a text that may be PEM. */
#include "dane/dane.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(0);
	struct tls_tlsa made, tlsa = { 0 };
	struct slice rest = slice_of((const char *)data, size);

	if (size >= 3) {
		tlsa = (struct tls_tlsa){ data[0], data[1], data[2],
			slice_skip(rest, 3) };
		if (dane_usable(&tlsa) && !dane_well_formed(&tlsa))
			abort();
		dane_text(arena, &tlsa);
	}
	/* What we make is well-formed. */
	if (size >= 3 &&
	    dane_make(tlsa.data, tlsa.usage, tlsa.selector, tlsa.match, arena,
		&made, NULL) == 0 &&
	    !dane_well_formed(&made))
		abort();
	arena_free(&arena);
	return 0;
}
