/* DNS messages of any kind: parsed within bounds, names are names. */
#include <stdlib.h>

#include "dns/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const enum dns_type types[] = { DNS_A, DNS_NS, DNS_CNAME, DNS_PTR,
	DNS_MX, DNS_TXT, DNS_AAAA, DNS_SRV, DNS_TLSA, DNS_CAA };

/* Read all of it, where the sanitizers look. */
static void
touch(struct slice s)
{
	uint64_t sum = slice_hash(s);

	__asm__ volatile("" : : "r"(sum));
}

static void
touch_record(const struct dns_record *r, enum dns_type type)
{
	if (type == DNS_TXT)
		touch(r->text);
	else if (type == DNS_MX)
		touch(r->mx.host);
	else if (type == DNS_SRV)
		touch(r->srv.host);
	else if (type == DNS_TLSA)
		touch(r->tlsa.data);
	else if (type == DNS_CAA) {
		touch(r->caa.tag);
		touch(r->caa.value);
	} else if (type != DNS_A && type != DNS_AAAA)
		touch(r->host);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of((const char *)data, size);
	struct arena *arena = arena_new(0);
	struct dns_answer a;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (dns_packet_parse(in, arena, types[i], &a) < 0)
			continue;
		touch(a.name);
		for (size_t j = 0; j < a.n; j++)
			touch_record(&a.v[j], types[i]);
		arena_reset(arena);
	}
	arena_free(&arena);
	return 0;
}
