/* HTML in one piece and byte by byte gives the same text, and no more of it
 * than quote marks can add. */
#include <stdlib.h>

#include "text/html.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
one(struct slice in, enum html_mode mode)
{
	struct buf a = BUF_INIT(SIZE_MAX), b = BUF_INIT(SIZE_MAX);
	struct html *h = html_new(mode);

	html_text(&a, in, mode);
	for (struct slice rest = in; rest.n > 0; rest = slice_skip(rest, 1))
		html_push(h, slice_head(rest, 1), &b);
	html_end(h, &b);
	if (!slice_eq(buf_slice(&a), buf_slice(&b)) || a.n > 20 * in.n + 2)
		abort();
	html_free(&h);
	buf_free(&a);
	buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	one(slice_of((const char *)data, size), HTML_TEXT);
	one(slice_of((const char *)data, size), HTML_WORDS);
	return 0;
}
