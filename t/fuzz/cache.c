/*
 * Fuzz lib/store/cache.c: the input is a segment. Every place in it is asked
 * for; what is found is inside and a checked record. Then a record is
 * appended, and found.
 */
#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "message/parse.h"
#include "message/record.h"
#include "store/store_int.h"
#include "t/tmp.h"

static char path[TMP_PATH];
static int dir_fd;
static struct buf record = BUF_INIT(MSGREC_MAX);

static void
remove_folder(void)
{
	buf_free(&record);
	file_remove_tree(AT_FDCWD, path, NULL);
}

static void
setup(void)
{
	if (dir_fd > 0)
		return;
	assert(mkdtemp(tmp_template(path, "mox-fuzz")) != NULL);
	atexit(remove_folder);
	dir_fd = open(path, O_RDONLY | O_DIRECTORY);
	msgparse_all(SLICE("Subject: x\r\n\r\ny\r\n"), NULL, &record);
}

static void
put(struct slice content)
{
	int fd =
	    openat(dir_fd, "mox.cache.1", O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert(fd >= 0 && file_write(fd, content, NULL) == 0);
	close(fd);
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
	put(slice_of((const char *)data, n));
	c = cache_new(dir_fd, 0600);
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
