/*
 * sync - to the disk, once.
 *
 * A failed sync is never tried again: the kernel has dropped the dirty pages
 * or marked them clean, so the second call succeeds and means nothing. The
 * caller takes back what it did, answers with a temporary failure, and writes
 * the content anew, to another file, before it acknowledges anything that
 * depends on it.
 *
 * All but the last must not be called while this thread holds a lock (lock.h).
 */
#ifndef DB_SYNC_H
#define DB_SYNC_H

#include "base/err.h"

/* Return 0, or -1 with e set, always ERR_TEMP. what is for the message. */
int db_fsync(int fd, const char *what, struct err *e);
/* Content and size only. */
int db_fdatasync(int fd, const char *what, struct err *e);
/* The folder's entries. */
int db_fsync_dir(int dirfd, const char *what, struct err *e);
/* All of the file system that fd is on: for a tool that changed thousands of
 * files. */
int db_sync_all(int fd, const char *what, struct err *e);

/* The whole file system fd is in: for many small files at once. Errors of
 * others' files since the last call count, too (Linux 5.8). */
int db_syncfs(int fd, const char *what, struct err *e);

/* For the switch of a log to its next generation only (pair.h): what is
 * synced there is small, and a writer let in before would acknowledge lines
 * in a file whose name a power cut could still take away. */
int db_fsync_locked(int fd, const char *what, struct err *e);

#endif
