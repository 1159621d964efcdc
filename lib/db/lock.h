/*
 * lock - advisory locks between processes, on files made for that.
 *
 * Open-file-description locks (fcntl F_OFD_SETLK): they belong to the
 * descriptor, so two handles of one process exclude each other too, and
 * closing another descriptor of the file does not drop them. A lock file is
 * made when missing and never removed but with its folder.
 *
 * Order, always: folders by path, threads, history, junk, quota. A lock is
 * not held across fork or sync; a build with AddressSanitizer aborts in
 * sync.c if one is, unless it is a lease.
 */
#ifndef DB_LOCK_H
#define DB_LOCK_H

#include <stdbool.h>

#include "base/err.h"

/* How long a writer waits before it gives up with ERR_TEMP. Locks are held
 * for well below a millisecond, so this means that somebody is stuck. */
#define DB_LOCK_MS 20000

enum {
	DB_LOCK_SHARED = 1,
	/* A role rather than a critical section ("I run this queue", "I fold
	 * this log"): may be held for long, across sync and fork. */
	DB_LOCK_LEASE = 2,
	/* Lock the second byte: another lock in the same file. */
	DB_LOCK_SECOND = 4,
};

struct db_lock {
	int fd; /* -1: not held */
	int flags;
};

#define DB_LOCK_INIT \
	{ \
		-1, 0 \
	}

/*
 * Lock the file name in dirfd. Waits up to timeout_ms (0: one try). Returns 1
 * held, 0 somebody else held it all the time, -1 failed; e is set for both
 * of the latter (ERR_TEMP for 0).
 */
int db_lock(struct db_lock *l, int dirfd, const char *name, int flags,
    int timeout_ms, struct err *e);

/* Unlock, also for children that inherited it. Not held: does nothing. */
void db_unlock(struct db_lock *l);

/* How many locks, leases aside, this thread holds. */
int db_locks_held(void);

#endif
