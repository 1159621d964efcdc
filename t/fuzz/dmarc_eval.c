/* Lines about DMARC: what is taken is written as it was taken. */
#include <stdlib.h>

#include "dmarc/dmarc_eval.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct dmarc_eval *ev, struct arena *arena)
{
	struct buf one = BUF_INIT(DMARC_EVAL_LINE),
		   two = BUF_INIT(DMARC_EVAL_LINE);
	struct dmarc_eval again;

	/* Escaped, it may be too long for a line. */
	if (dmarc_eval_write(&one, ev)) {
		if (!dmarc_eval_parse(slice_head(buf_slice(&one), one.n - 1),
			arena, &again) ||
		    !dmarc_eval_write(&two, &again) ||
		    !slice_eq(buf_slice(&one), buf_slice(&two)))
			abort();
	}
	buf_free(&one);
	buf_free(&two);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(0);
	struct dmarc_eval ev;

	if (dmarc_eval_parse(slice_of((const char *)data, size), arena, &ev))
		check(&ev, arena);
	arena_free(&arena);
	return 0;
}
