/* JSON: every value of what parses is looked at, and strings written again
 * and read must be the same. */
#include <stdlib.h>

#include "text/json_read.h"
#include "text/json_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
rewrite(struct arena *a, struct slice s)
{
	struct buf b = BUF_INIT(SIZE_MAX);
	struct json_out j = JSON_OUT(&b, false);
	struct json v;
	struct slice back;

	json_put_str(&j, NULL, s);
	if (json_parse(a, buf_slice(&b), &v, NULL) < 0 ||
	    !json_str(a, v, &back) || !slice_eq(s, back))
		abort();
	buf_free(&b);
}

/* As deep as json_parse lets it. */
static void
look(struct arena *a, struct json v)
{
	struct slice s;
	int64_t n;
	bool yes;
	size_t count = 0;

	if (json_str(a, v, &s))
		rewrite(a, s);
	json_i64(v, &n);
	json_bool(v, &yes);
	json_get(v, "a");
	for (struct json it = json_first(v); it.at >= 0; it = json_next(it)) {
		count++;
		if (json_name(a, it, &s))
			rewrite(a, s);
		look(a, it);
	}
	if (count != json_count(v))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(0);
	struct json root;

	if (json_parse(a, slice_of((const char *)data, size), &root, NULL) == 0)
		look(a, root);
	arena_free(&a);
	return 0;
}
