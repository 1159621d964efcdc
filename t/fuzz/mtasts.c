/*
 * MTA-STS: a record, a policy, a file of the cache, by the first byte. What a
 * policy names are names; a file that was read and written again reads the same.
 */
#include <stdlib.h>

#include "mtasts/mtasts.h"
#include "text/idna.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool ok)
{
	if (!ok)
		abort();
}

static void
try_record(struct slice in)
{
	struct slice id;

	if (!mtasts_record_parse(in, &id))
		return;
	require(id.n > 0 && id.n <= 32);
	require(id.p >= in.p && id.p + id.n <= in.p + in.n);
}

static void
try_policy(struct arena *arena, struct slice in)
{
	struct mtasts_policy p;
	struct err e = ERR_INIT;

	if (mtasts_policy_parse(in, arena, &p, &e) < 0) {
		require(e.kind == ERR_SYNTAX);
		return;
	}
	require(in.n <= MTASTS_POLICY_MAX && p.max_age <= MTASTS_AGE_MAX);
	require(p.nmx <= MTASTS_MX_MAX);
	require(p.nmx > 0 || p.mode == MTASTS_MODE_NONE);
	for (size_t i = 0; i < p.nmx; i++) {
		bool any = slice_starts(p.mx[i], SLICE("*."));
		struct slice name = slice_skip(p.mx[i], any ? 2 : 0), same;

		require(idna_ascii(arena, name, &same, NULL) == 0);
		require(slice_eq(name, same));
		require(mtasts_matches(&p, name) == !any || (any && p.nmx > 1));
		require(!any ||
		    mtasts_mx_matches(p.mx[i],
			arena_printf(arena, "x.%.*s", SLICE_FMT(name))));
	}
}

static void
try_entry(struct arena *arena, struct slice in)
{
	struct mtasts_entry a, b;
	struct buf out = BUF_INIT(SIZE_MAX), again = BUF_INIT(SIZE_MAX);

	if (mtasts_entry_parse(in, arena, &a, NULL) == 0) {
		mtasts_entry_write(&out, &a);
		require(mtasts_entry_parse(buf_slice(&out), arena, &b, NULL) ==
		    0);
		require(a.have == b.have && a.policy.nmx == b.policy.nmx);
		require(slice_eq(a.text, b.text));
		mtasts_entry_write(&again, &b);
		require(slice_eq(buf_slice(&out), buf_slice(&again)));
	}
	buf_free(&out);
	buf_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of((const char *)data, size);
	struct arena *arena = arena_new(0);

	if (size > 0) {
		struct slice rest = slice_skip(in, 1);

		switch (data[0] % 3) {
		case 0:
			try_record(rest);
			break;
		case 1:
			try_policy(arena, rest);
			break;
		case 2:
			try_entry(arena, rest);
			break;
		}
	}
	arena_free(&arena);
	return 0;
}
