/*
 * sync.c - the only calls of fsync and fdatasync in the project. See sync.h.
 */
#include "db/sync.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "db/lock.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CHECK_LOCKS 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define CHECK_LOCKS 1
#endif

static void
check_unlocked(const char *what)
{
#ifdef CHECK_LOCKS
	if (db_locks_held() > 0) {
		fprintf(stderr, "db: sync of %s under a lock\n", what);
		abort();
	}
#else
	(void)what;
#endif
}

/* Whatever errno says: content may be lost now, later all may be well. */
static int
failed(const char *what, struct err *e)
{
	err_sys(e, "sync of %s", what);
	if (e != NULL)
		e->kind = ERR_TEMP;
	return -1;
}

int
db_fsync(int fd, const char *what, struct err *e)
{
	check_unlocked(what);
	return fsync(fd) == 0 ? 0 : failed(what, e);
}

int
db_fdatasync(int fd, const char *what, struct err *e)
{
	check_unlocked(what);
	return fdatasync(fd) == 0 ? 0 : failed(what, e);
}

int
db_syncfs(int fd, const char *what, struct err *e)
{
	check_unlocked(what);
	return syncfs(fd) == 0 ? 0 : failed(what, e);
}

int
db_fsync_dir(int dirfd, const char *what, struct err *e)
{
	return db_fsync(dirfd, what, e);
}

int
db_sync_all(int fd, const char *what, struct err *e)
{
	check_unlocked(what);
	return syncfs(fd) == 0 ? 0 : failed(what, e);
}

int
db_fsync_locked(int fd, const char *what, struct err *e)
{
	return fsync(fd) == 0 ? 0 : failed(what, e);
}
