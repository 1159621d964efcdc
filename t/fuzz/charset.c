/* A name up to the first LF, then text. Any text becomes UTF-8, in pieces as
 * in one; and folds, prepares and counts without harm. */
#include <stdlib.h>

#include "text/charset.h"
#include "text/precis.h"
#include "text/unicode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
stream(struct slice name, struct slice text, struct buf *out)
{
	struct charset *c = charset_new(name);

	for (; text.n > 0; text = slice_skip(text, 3))
		charset_push(c, slice_head(text, 3), out);
	charset_end(c, out);
	charset_free(&c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_of((const char *)data, size), name;
	struct buf a = BUF_INIT(SIZE_MAX), b = BUF_INIT(SIZE_MAX);

	slice_cut(text, '\n', &name, &text);
	if (!charset_decode(&a, name, text))
		return 0;
	if (!unicode_valid(buf_slice(&a)))
		abort();
	stream(name, text, &b);
	if (!slice_eq(buf_slice(&a), buf_slice(&b)))
		abort();
	buf_reset(&b);
	unicode_fold(&b, text);
	if (!unicode_valid(buf_slice(&b)))
		abort();
	buf_reset(&b);
	if (precis_password(&b, text, NULL) == 0 &&
	    !unicode_is_nfc(buf_slice(&b)))
		abort();
	if (unicode_partial(text) > 3 || unicode_count(text) > text.n)
		abort();
	buf_free(&a);
	buf_free(&b);
	return 0;
}
