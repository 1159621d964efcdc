/* serve_control - how a running mox-serve is found and told to stop. */
#include "tools/serve_control.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db/newfile.h"

#define LOCK "serve.lock"
#define FIFO "serve"

const char *
serve_run_dir(const struct config *config, struct arena *arena)
{
	return arena_printf(arena, "%s/../run", config->data_dir).p;
}

static int
open_run(const char *run_dir, struct err *e)
{
	int fd = open(run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_sys(e, "%s", run_dir) : fd;
}

static int
take_lock(const char *run_dir, struct db_lock *lock, int timeout_ms,
    struct err *e)
{
	int fd = open_run(run_dir, e), rc;

	if (fd < 0)
		return -1;
	rc = db_lock(lock, fd, LOCK, DB_LOCK_LEASE, timeout_ms, e);
	close(fd);
	return rc;
}

int
serve_lock(const char *run_dir, struct db_lock *lock, struct err *e)
{
	int rc = take_lock(run_dir, lock, 0, e);

	if (rc == 0)
		err_set(e, ERR_PERM,
		    "mox-serve is running already, with the lock %s/" LOCK
		    "; mox stop ends it",
		    run_dir);
	return rc;
}

int
serve_open(const char *run_dir, struct err *e)
{
	int dir = open_run(run_dir, e), fd;

	if (dir < 0)
		return -1;
	/* Left by one that was killed; nobody else makes it under the lock. */
	fd = db_unlink(dir, FIFO, e);
	if (fd >= 0) {
		if (mkfifoat(dir, FIFO, 0600) < 0)
			fd = err_sys(e, "mkfifo %s/" FIFO, run_dir);
		/* For writing too, so that it never reads end of file. */
		else if ((fd = openat(dir, FIFO,
			      O_RDWR | O_NONBLOCK | O_CLOEXEC)) < 0)
			err_sys(e, "%s/" FIFO, run_dir);
	}
	close(dir);
	return fd;
}

void
serve_close(const char *run_dir)
{
	int dir = open_run(run_dir, NULL);

	if (dir < 0)
		return;
	db_unlink(dir, FIFO, NULL);
	close(dir);
}

int
serve_send(const char *run_dir, char command, struct err *e)
{
	int dir = open_run(run_dir, e), fd, rc = 1;

	if (dir < 0)
		return errno == ENOENT ? 0 : -1;
	fd = openat(dir, FIFO, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		rc = errno == ENOENT || errno == ENXIO
		    ? 0
		    : err_sys(e, "%s/" FIFO, run_dir);
	else if (write(fd, &command, 1) != 1)
		rc = err_sys(e, "%s/" FIFO, run_dir);
	if (fd >= 0)
		close(fd);
	close(dir);
	return rc;
}

int
serve_wait(const char *run_dir, int timeout_ms, struct err *e)
{
	struct db_lock lock = DB_LOCK_INIT;
	int rc = take_lock(run_dir, &lock, timeout_ms, e);

	db_unlock(&lock);
	return rc;
}
