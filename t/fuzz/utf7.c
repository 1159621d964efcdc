/* Names in modified UTF-7: what decodes must encode to the same bytes. */
#include <stdlib.h>

#include "text/unicode.h"
#include "text/utf7.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of((const char *)data, size);
	struct buf name = BUF_INIT(SIZE_MAX), back = BUF_INIT(SIZE_MAX);

	if (utf7_decode(&name, in) &&
	    (!unicode_valid(buf_slice(&name)) ||
		!utf7_encode(&back, buf_slice(&name)) ||
		!slice_eq(buf_slice(&back), in)))
		abort();
	buf_reset(&name);
	buf_reset(&back);
	if (utf7_encode(&name, in) &&
	    (!utf7_decode(&back, buf_slice(&name)) ||
		!slice_eq(buf_slice(&back), in)))
		abort();
	buf_free(&name);
	buf_free(&back);
	return 0;
}
