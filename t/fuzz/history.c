/* Lines of a history: what is taken is written as it was taken, and its keys
 * are keys. */
#include <stdlib.h>

#include "store/history_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct history_message *m, struct arena *arena)
{
	struct history_key keys[HISTORY_KEYS_OF_MAX];
	struct buf one = BUF_INIT(1 << 20), two = BUF_INIT(1 << 20);
	struct history_message again;
	enum history_kind kind;
	size_t n = history_keys(m, arena, keys);

	history_facts_write(&one, m);
	if (!history_facts_parse(buf_slice(&one), arena, &again))
		abort();
	history_facts_write(&two, &again);
	if (one.over || !slice_eq(buf_slice(&one), buf_slice(&two)))
		abort();
	for (size_t i = 0; i < n; i++)
		if (!history_key_kind(history_key_text(&keys[i], arena),
			&kind) ||
		    kind != keys[i].kind)
			abort();
	buf_free(&one);
	buf_free(&two);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(0);
	struct history_message m;

	if (history_facts_parse(slice_of((const char *)data, size), arena, &m))
		check(&m, arena);
	arena_free(&arena);
	return 0;
}
