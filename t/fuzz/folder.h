/*
 * folder - a folder of its own for a fuzz target, removed at the end: in memory
 * where that is possible, as each run may sync.
 */
#ifndef T_FUZZ_FOLDER_H
#define T_FUZZ_FOLDER_H

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "t/tmp.h"

static char folder_path[TMP_PATH] = "/dev/shm/mox-fuzz.XXXXXX";
static int folder_fd;

static inline void
folder_remove(void)
{
	file_remove_tree(AT_FDCWD, folder_path, NULL);
}

/* True the first time, when it has been made. */
static inline bool
folder_begin(void)
{
	if (folder_fd > 0)
		return false;
	if (mkdtemp(folder_path) == NULL)
		assert(mkdtemp(tmp_template(folder_path, "mox-fuzz")) != NULL);
	atexit(folder_remove);
	folder_fd = open(folder_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert(folder_fd > 0);
	return true;
}

/* A file of it, new or anew. */
static inline void
folder_put(const char *name, struct slice content)
{
	int fd = openat(folder_fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert(fd >= 0 && file_write(fd, content, NULL) == 0);
	close(fd);
}

#endif
