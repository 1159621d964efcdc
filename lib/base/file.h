/*
 * file - read files and folders; helpers around openat(2).
 *
 * Durable writes are lib/db's, not here. All descriptors are close-on-exec.
 * Paths are C strings relative to at (AT_FDCWD for the working folder).
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/*
 * All of a file appended to b. Returns 1, 0 if there is no such file, -1 with
 * e set (ERR_LIMIT if it does not fit into b's maximum).
 */
int file_read(int at, const char *path, struct buf *b, struct err *e);
int file_read_fd(int fd, struct buf *b, struct err *e);

/* Read exactly n bytes at offset, or -1 (end of file is ERR_PERM). */
int file_pread(int fd, void *p, size_t n, off_t offset, struct err *e);
/* Write all; handles short writes and EINTR. Does not sync. */
int file_write(int fd, struct slice s, struct err *e);

/* Make the folder and missing parents with mode; existing ones are fine. */
int file_mkdirs(int at, const char *path, mode_t mode, struct err *e);

/*
 * Call fn with the names in a folder except "." and "..", in no order; false
 * stops. Returns 1, 0 if there is no such folder, -1 with e set.
 */
typedef bool file_each_fn(void *ctx, struct slice name);
int file_each(int at, const char *path, file_each_fn *fn, void *ctx,
    struct err *e);

/*
 * Names in a folder except "." and "..", sorted by bytes, in the arena.
 * Returns 1, 0 if there is no such folder, -1 with e set.
 */
int file_list(int at, const char *path, struct arena *arena,
    struct slice **names_r, size_t *n_r, struct err *e);

/* Remove a folder with everything in it; symbolic links are removed, never
 * followed. Missing is fine. */
int file_remove_tree(int at, const char *path, struct err *e);

/* Is it the same file, unchanged since? By device, inode, size and mtime. */
bool file_same(const struct stat *a, const struct stat *b);

int file_nonblock(int fd, bool on);

#endif
