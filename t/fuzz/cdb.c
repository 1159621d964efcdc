/* Fuzz the reading half of lib/db/cdb.c: the input is a whole file. */
#include <string.h>

#include "db/cdb.h"
#include "t/fuzz/folder.h"

static int file_fd;
static volatile unsigned sink;

static void
setup(void)
{
	if (!folder_begin())
		return;
	file_fd = openat(folder_fd, "cdb", O_RDWR | O_CREAT, 0600);
	assert(file_fd >= 0);
}

/* Every byte can be read. */
static unsigned
touch(struct slice s)
{
	unsigned sum = 0;

	for (size_t i = 0; i < s.n; i++)
		sum += (unsigned char)s.p[i];
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice key, value;
	struct db_cdb *c;
	unsigned pos = 0;

	setup();
	assert(ftruncate(file_fd, 0) == 0 && lseek(file_fd, 0, SEEK_SET) == 0);
	file_write(file_fd, slice_of((const char *)data, size), NULL);
	if (db_cdb_open(&c, folder_fd, "cdb", NULL) != 1)
		return 0;
	for (int n = 0; n < 100 && db_cdb_next(c, &pos, &key, &value); n++) {
		sink += touch(key) + touch(value);
		if (db_cdb_get(c, key, &value, NULL) == 1)
			sink += touch(value);
	}
	if (db_cdb_get(c, SLICE("key"), &value, NULL) == 1)
		sink += touch(value);
	db_cdb_close(&c);
	return 0;
}
