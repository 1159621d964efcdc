/*
 * Fuzz lib/store/cache.c: the input is a segment. Every place in it is asked
 * for; what is found is inside and a checked record. Then a record is
 * appended, and found.
 */
#include "message/parse.h"
#include "message/record.h"
#include "store/store_int.h"
#include "t/fuzz/folder.h"

static struct buf record = BUF_INIT(MSGREC_MAX);

static void
setup(void)
{
	if (!folder_begin())
		return;
	msgparse_all(SLICE("Subject: x\r\n\r\ny\r\n"), NULL, &record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct cache_entry entry = { 7, SLICE_NULL };
	struct cache_place place;
	struct cache *c;
	struct slice got;

	setup();
	folder_put("mox.cache.1", slice_of((const char *)data, n));
	c = cache_new(folder_fd, 0600);
	for (uint32_t i = 0; i < n + 20; i++) {
		place = (struct cache_place){ 1, i };
		if (cache_get(c, place, n > i + 4 ? data[i + 4] : 1, &got))
			assert(got.n <= n && msgrec_in_bounds(got));
		cache_size(c, place);
	}
	entry.record = buf_slice(&record);
	assert(cache_append(c, 1, &entry, 1, &place, NULL) == 0);
	assert(cache_get(c, place, 7, &got));
	assert(slice_eq(got, entry.record));
	cache_free(&c);
	return 0;
}
