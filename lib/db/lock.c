/*
 * lock.c - open-file-description locks with a deadline. See lock.h.
 */
#include "db/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

#define WAIT_FIRST_US 50 /* a writer holds its lock about that long */
#define WAIT_MAX_US 5000 /* keeps a waiter behind a slow one from spinning */

static _Thread_local int held;

int
db_locks_held(void)
{
	return held;
}

/* 1 locked, 0 somebody else has it, -1 with errno. */
static int
try_lock(int fd, int flags, short type)
{
	struct flock fl = {
		.l_type = type,
		.l_whence = SEEK_SET,
		.l_start = (flags & DB_LOCK_SECOND) != 0,
		.l_len = 1,
	};

	if (fcntl(fd, F_OFD_SETLK, &fl) == 0)
		return 1;
	return errno == EAGAIN || errno == EACCES ? 0 : -1;
}

/* The folder may have been removed, with the lock file, while we waited. */
static bool
has_name(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_nlink > 0;
}

static void
wait_us(int64_t us)
{
	struct timespec ts = { 0, us * 1000 };

	nanosleep(&ts, NULL);
}

/* 1 locked, 0 deadline, -1 with errno. */
static int
lock_until(int fd, int flags, int64_t deadline_ms)
{
	short type = flags & DB_LOCK_SHARED ? F_RDLCK : F_WRLCK;
	int64_t us = WAIT_FIRST_US;
	int rc;

	while ((rc = try_lock(fd, flags, type)) == 0) {
		if (clock_mono_ms(NULL) >= deadline_ms)
			return 0;
		wait_us(us);
		us = us * 3 / 2 < WAIT_MAX_US ? us * 3 / 2 : WAIT_MAX_US;
	}
	return rc;
}

int
db_lock(struct db_lock *l, int dirfd, const char *name, int flags,
    int timeout_ms, struct err *e)
{
	int64_t deadline_ms = clock_mono_ms(NULL) + timeout_ms;
	int fd, rc;

	for (;;) {
		fd = openat(dirfd, name,
		    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0660);
		if (fd < 0)
			return err_sys(e, "%s", name);
		rc = lock_until(fd, flags, deadline_ms);
		if (rc == 1 && has_name(fd))
			break;
		if (rc < 0)
			err_sys(e, "%s", name);
		close(fd);
		if (rc < 0)
			return -1;
		if (rc == 0) {
			err_set(e, ERR_TEMP, "%s: locked by another process",
			    name);
			return 0;
		}
	}
	l->fd = fd;
	l->flags = flags;
	if (!(flags & DB_LOCK_LEASE))
		held++;
	return 1;
}

void
db_unlock(struct db_lock *l)
{
	if (l->fd < 0)
		return;
	try_lock(l->fd, l->flags, F_UNLCK);
	close(l->fd);
	l->fd = -1;
	if (!(l->flags & DB_LOCK_LEASE))
		held--;
}
