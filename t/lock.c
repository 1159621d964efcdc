/* Unit test of lib/db/lock.c. */
#include "db/lock.h"

#include <sys/wait.h>

#include "base/clock.h"
#include "t/scratch.h"

static void
test_exclusive(void)
{
	struct db_lock a = DB_LOCK_INIT, b = DB_LOCK_INIT;
	struct err e = ERR_INIT;

	CHECK_EQ(db_lock(&a, scratch_fd, "x.lock", 0, 0, &e), 1);
	CHECK_EQ(db_locks_held(), 1);
	CHECK_EQ(db_lock(&b, scratch_fd, "x.lock", 0, 0, &e), 0);
	CHECK_EQ(e.kind, ERR_TEMP);
	CHECK_STR(e.text, "x.lock: locked by another process");
	CHECK_EQ(db_lock(&b, scratch_fd, "x.lock", DB_LOCK_SHARED, 0, &e), 0);
	CHECK_EQ(db_lock(&b, scratch_fd, "y.lock", 0, 0, &e), 1);
	db_unlock(&b);
	db_unlock(&a);
	db_unlock(&a);
	CHECK_EQ(db_locks_held(), 0);
	CHECK_EQ(db_lock(&b, scratch_fd, "x.lock", 0, 0, &e), 1);
	db_unlock(&b);
}

static void
test_shared(void)
{
	struct db_lock a = DB_LOCK_INIT, b = DB_LOCK_INIT, c = DB_LOCK_INIT;

	CHECK_EQ(db_lock(&a, scratch_fd, "s", DB_LOCK_SHARED, 0, NULL), 1);
	CHECK_EQ(db_lock(&b, scratch_fd, "s", DB_LOCK_SHARED, 0, NULL), 1);
	CHECK_EQ(db_lock(&c, scratch_fd, "s", 0, 0, NULL), 0);
	db_unlock(&a);
	CHECK_EQ(db_lock(&c, scratch_fd, "s", 0, 0, NULL), 0);
	db_unlock(&b);
	CHECK_EQ(db_lock(&c, scratch_fd, "s", 0, 0, NULL), 1);
	db_unlock(&c);
}

static void
test_lease(void)
{
	const int lease = DB_LOCK_SECOND | DB_LOCK_LEASE;
	struct db_lock a = DB_LOCK_INIT, b = DB_LOCK_INIT, c = DB_LOCK_INIT;

	CHECK_EQ(db_lock(&a, scratch_fd, "l", lease, 0, NULL), 1);
	CHECK_EQ(db_locks_held(), 0);
	CHECK_EQ(db_lock(&b, scratch_fd, "l", 0, 0, NULL), 1);
	CHECK_EQ(db_lock(&c, scratch_fd, "l", lease, 0, NULL), 0);
	db_unlock(&a);
	CHECK_EQ(db_lock(&c, scratch_fd, "l", lease, 0, NULL), 1);
	db_unlock(&b);
	db_unlock(&c);
	CHECK_EQ(db_locks_held(), 0);
}

static void
test_deadline(void)
{
	struct db_lock a = DB_LOCK_INIT, b = DB_LOCK_INIT;
	int64_t start;
	pid_t pid;

	CHECK_EQ(db_lock(&a, scratch_fd, "d", 0, 0, NULL), 1);
	start = clock_mono_ms(NULL);
	CHECK_EQ(db_lock(&b, scratch_fd, "d", 0, 30, NULL), 0);
	CHECK(clock_mono_ms(NULL) - start >= 30);
	db_unlock(&a);

	/* A child holds it for 50 ms, and then dies with it. */
	pid = fork();
	if (pid == 0) {
		db_lock(&a, scratch_fd, "d", 0, 0, NULL);
		usleep(50000);
		_exit(0);
	}
	usleep(20000);
	CHECK_EQ(db_lock(&b, scratch_fd, "d", 0, 0, NULL), 0);
	CHECK_EQ(db_lock(&b, scratch_fd, "d", 0, 10000, NULL), 1);
	waitpid(pid, NULL, 0);
	db_unlock(&b);
}

/* Unlocking counts for children that inherited the descriptor. */
static void
test_inherited(void)
{
	struct db_lock a = DB_LOCK_INIT, b = DB_LOCK_INIT;
	int ends[2];
	char c;
	pid_t pid;

	CHECK_EQ(pipe(ends), 0);
	CHECK_EQ(db_lock(&a, scratch_fd, "i", DB_LOCK_LEASE, 0, NULL), 1);
	pid = fork();
	if (pid == 0) {
		close(ends[1]);
		_exit(read(ends[0], &c, 1) == 0 ? 0 : 1);
	}
	db_unlock(&a);
	CHECK_EQ(db_lock(&b, scratch_fd, "i", 0, 0, NULL), 1);
	db_unlock(&b);
	close(ends[0]);
	close(ends[1]);
	waitpid(pid, NULL, 0);
}

/* The mailbox, and its lock file with it, is removed and made anew while we
 * wait: the lock must be on the new file. */
static void
test_removed(void)
{
	struct db_lock a = DB_LOCK_INIT, b = DB_LOCK_INIT, c = DB_LOCK_INIT;
	pid_t pid;

	CHECK_EQ(db_lock(&a, scratch_fd, "r", 0, 0, NULL), 1);
	pid = fork();
	if (pid == 0) {
		usleep(20000);
		unlinkat(scratch_fd, "r", 0);
		_exit(0);
	}
	CHECK_EQ(db_lock(&b, scratch_fd, "r", 0, 100, NULL), 0);
	waitpid(pid, NULL, 0);
	CHECK_EQ(db_lock(&b, scratch_fd, "r", 0, 0, NULL), 1);
	CHECK_EQ(db_lock(&c, scratch_fd, "r", 0, 0, NULL), 0);
	db_unlock(&a);
	db_unlock(&b);
}

int
main(void)
{
	scratch_begin();
	RUN(test_exclusive);
	RUN(test_shared);
	RUN(test_lease);
	RUN(test_deadline);
	RUN(test_inherited);
	RUN(test_removed);
	scratch_end();
	return unit_done();
}
