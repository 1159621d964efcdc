/* Fuzz lib/dns/zone.c. */
#include "dns/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dns *dns =
	    dns_zone_new(slice_of((const char *)data, size), NULL);
	struct arena *arena = arena_new(0);
	struct dns_answer answer;

	if (dns != NULL) {
		dns_query(dns, arena, SLICE("a"), DNS_MX, &answer, NULL);
		dns_addresses(dns, arena, SLICE("b.a"), &answer, NULL);
	}
	dns_zone_free(&dns);
	arena_free(&arena);
	return 0;
}
