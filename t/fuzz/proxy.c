/* Fuzz lib/net/proxy.c: never asks for bytes past the header. */
#include "net/proxy.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice all = { (const char *)data, size };
	struct proxy p;
	size_t n = 0;
	int need;

	while ((need = proxy_parse(slice_head(all, n), &p, NULL)) > 0) {
		n += (size_t)need;
		if (n > PROXY_MAX)
			abort();
		if (n > size)
			return 0;
	}
	if (need == 0 && !p.local &&
	    (ip_bits(&p.source) == 0 || ip_bits(&p.destination) == 0))
		abort();
	proxy_parse(all, &p, NULL);
	return 0;
}
