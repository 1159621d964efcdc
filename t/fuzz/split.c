/* Fuzz lib/service/split.c: messages from a front that is not trusted. */
#include "service/split.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = { (const char *)data, size };
	struct split_msg msg;
	ssize_t n;

	while ((n = split_decode(rest, &msg, NULL)) > 0) {
		size_t sum = 0;
		if ((size_t)n > rest.n || msg.n > SPLIT_SLICES)
			abort();
		for (size_t i = 0; i < msg.n; i++) {
			if (msg.v[i].p < rest.p ||
			    msg.v[i].p + msg.v[i].n > rest.p + n)
				abort();
			sum += msg.v[i].n;
		}
		if (sum > SPLIT_MAX)
			abort();
		rest = slice_skip(rest, (size_t)n);
	}
	return 0;
}
