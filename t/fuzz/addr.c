/* Fuzz lib/net/addr.c: what is an address is one again as text. */
#include "net/addr.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = { (const char *)data, size };
	struct ip ip, again;
	struct ip_prefix prefix;
	char out[IP_TEXT];

	if (ip_parse(text, &ip) &&
	    (!ip_parse(slice_str(ip_text(&ip, out)), &again) ||
		!ip_eq(&ip, &again)))
		abort();
	if (ip_prefix_parse(text, &prefix) &&
	    !ip_prefix_has(&prefix, &prefix.ip))
		abort();
	return 0;
}
