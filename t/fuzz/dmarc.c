/*
 * A DMARC record: what was read and written again reads the same; addresses in
 * it can be taken apart.
 */
#include <stdlib.h>

#include "dmarc/dmarc_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool ok)
{
	if (!ok)
		abort();
}

static void
same_uris(struct arena *arena, const struct dmarc_uris *a,
    const struct dmarc_uris *b)
{
	struct slice local, domain;

	require(a->n == b->n);
	for (size_t i = 0; i < a->n; i++) {
		require(a->v[i].max_bytes == b->v[i].max_bytes);
		require(slice_eq(a->v[i].uri, b->v[i].uri));
		if (dmarc_uri_address(arena, a->v[i].uri, &local, &domain))
			require(domain.n > 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of((const char *)data, size);
	struct arena *arena = arena_new(0);
	struct buf b = BUF_INIT(SIZE_MAX);
	struct dmarc_record r, again;

	if (dmarc_record_parse(arena, in, &r, NULL) == 1) {
		dmarc_record_write(&r, &b);
		require(dmarc_record_parse(arena, buf_slice(&b), &again,
			    NULL) == 1);
		require(r.policy == again.policy &&
		    r.subdomain_policy == again.subdomain_policy &&
		    r.nonexistent_policy == again.nonexistent_policy &&
		    r.percent == again.percent &&
		    r.interval_s == again.interval_s);
		same_uris(arena, &r.rua, &again.rua);
		same_uris(arena, &r.ruf, &again.ruf);
	}
	buf_free(&b);
	arena_free(&arena);
	return 0;
}
