/*
 * scratch - a folder of its own for a unit test; removed by scratch_end.
 */
#ifndef T_SCRATCH_H
#define T_SCRATCH_H

#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "t/tmp.h"
#include "t/unit.h"

static char scratch_path[TMP_PATH];
static int scratch_fd = -1;

static inline void
scratch_begin(void)
{
	if (mkdtemp(tmp_template(scratch_path, "mox-unit")) == NULL) {
		perror(scratch_path);
		exit(1);
	}
	scratch_fd = open(scratch_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static inline void
scratch_end(void)
{
	close(scratch_fd);
	file_remove_tree(AT_FDCWD, scratch_path, NULL);
}

/* Write a file without any care; bytes may be binary. */
static inline void
scratch_put(const char *name, struct slice content)
{
	int fd = openat(scratch_fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK(fd >= 0);
	CHECK_EQ(file_write(fd, content, NULL), 0);
	close(fd);
}

static inline void
scratch_append(const char *name, struct slice content)
{
	int fd = openat(scratch_fd, name, O_WRONLY | O_APPEND);

	CHECK(fd >= 0);
	CHECK_EQ(file_write(fd, content, NULL), 0);
	close(fd);
}

/* The content, in b. */
static inline struct slice
scratch_get(const char *name, struct buf *b)
{
	buf_reset(b);
	CHECK_EQ(file_read(scratch_fd, name, b, NULL), 1);
	return buf_slice(b);
}

static inline bool
scratch_has(const char *name)
{
	return faccessat(scratch_fd, name, F_OK, 0) == 0;
}

#endif
