/* mapfile - a file of fixed size that processes share by mapping it. */
#include "limit/mapfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/proc.h"
#include "base/rand.h"

#define TRIES 10 /* others may be replacing the file as well */

static struct mapfile_head
head_of(const char *magic, size_t size)
{
	struct mapfile_head head = { .size = size };

	memcpy(head.magic, magic, strnlen(magic, sizeof(head.magic)));
	rand_fill(NULL, &head.seed, sizeof(head.seed));
	return head;
}

/* Space is taken now: a full disk must not show as SIGBUS later. */
static int
write_new(int fd, const char *magic, size_t size, struct err *e)
{
	struct mapfile_head head = head_of(magic, size);

	errno = posix_fallocate(fd, 0, (off_t)size);
	if (errno != 0)
		return err_sys(e, "fallocate");
	return file_write(fd, slice_of((const char *)&head, sizeof(head)), e);
}

static bool
is_ours(int fd, off_t file_size, const char *magic, size_t size)
{
	struct mapfile_head head, want = head_of(magic, size);

	return (uint64_t)file_size == size &&
	    file_pread(fd, &head, sizeof(head), 0, NULL) == 0 &&
	    memcmp(head.magic, want.magic, sizeof(head.magic)) == 0 &&
	    head.size == size;
}

/*
 * Contents are written and looked at under a lock, so nobody sees them half
 * made. Returns 1 when fd can be mapped, 0 to open the path again, -1.
 */
static int
prepare(int fd, const char *path, const char *magic, size_t size, struct err *e)
{
	struct stat st;

	if (flock(fd, LOCK_EX) < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "flock");
	if (st.st_nlink == 0) /* replaced by another process meanwhile */
		return 0;
	if (st.st_size == 0)
		return write_new(fd, magic, size, e) < 0 ? -1 : 1;
	if (is_ours(fd, st.st_size, magic, size))
		return 1;
	if (unlink(path) < 0 && errno != ENOENT)
		return err_sys(e, "unlink");
	return 0;
}

static int
open_usable(const char *path, const char *magic, size_t size, struct err *e)
{
	for (int i = 0; i < TRIES; i++) {
		int rc,
		    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
			0600);

		if (fd < 0)
			return err_sys(e, "open");
		rc = prepare(fd, path, magic, size, e);
		/* Said aloud: a mapping would keep the lock after close. */
		flock(fd, LOCK_UN);
		if (rc > 0)
			return fd;
		close(fd);
		if (rc < 0)
			return -1;
	}
	return err_set(e, ERR_TEMP, "replaced by others all the time");
}

void *
mapfile_open(const char *path, const char *magic, size_t size, struct err *e)
{
	int fd = open_usable(path, magic, size, e);
	void *p;

	if (fd < 0) {
		err_prefix(e, "%s", path);
		return NULL;
	}
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		err_sys(e, "%s: mmap", path);
	flock(fd, LOCK_UN); /* the mapping would keep it */
	close(fd);
	return p == MAP_FAILED ? NULL : p;
}

void *
mapfile_private(const char *magic, size_t size)
{
	struct mapfile_head head = head_of(magic, size);
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		_exit(EXIT_LATER); /* as when memory runs out elsewhere */
	memcpy(p, &head, sizeof(head));
	return p;
}
