/*
 * faultshim - preloaded into programs under test: makes disk calls fail, kills
 * at a chosen call, records what would have to survive a power cut.
 *
 * t/README says what the FAULT_* variables mean. Only calls on paths below
 * FAULT_DIR count. Calls go to the kernel directly, so nothing here calls
 * itself. What libc does inside (stdio) is not seen.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "t/bin/faultshim/faultshim.h"

/* ---- open ---- */

static int
open_at(int dirfd, const char *name, int flags, mode_t mode)
{
	uint64_t before;
	struct place at;
	int fd;

	if (!(flags & (O_CREAT | O_TRUNC)) && (flags & O_TMPFILE) != O_TMPFILE)
		return (int)syscall(SYS_openat, dirfd, name, flags, mode);
	if (!shim_place_name(dirfd, name, &at))
		return (int)syscall(SYS_openat, dirfd, name, flags, mode);
	if (shim_enter("open", &at) != 0)
		return -1;
	before = shim_inode(AT_FDCWD, at.path, 0);
	fd = (int)syscall(SYS_openat, dirfd, name, flags, mode);
	if (fd >= 0 && (flags & O_TMPFILE) == O_TMPFILE)
		shim_record("tmpfile %" PRIu64, shim_inode_fd(fd));
	else if (fd >= 0 && before == 0) {
		shim_record_entry("create", &at);
	} else if (fd >= 0 && (flags & O_TRUNC))
		shim_record("truncate %" PRIu64 " 0", before);
	return (int)shim_leave(fd);
}

static mode_t
mode_of(int flags, va_list ap)
{
	return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE
	    ? va_arg(ap, mode_t)
	    : 0;
}

int
open(const char *name, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = mode_of(flags, ap);
	va_end(ap);
	return open_at(AT_FDCWD, name, flags, mode);
}

int
openat(int dirfd, const char *name, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = mode_of(flags, ap);
	va_end(ap);
	return open_at(dirfd, name, flags, mode);
}

int
creat(const char *name, mode_t mode)
{
	return open_at(AT_FDCWD, name, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

/* What fortified programs call where there is no mode. */
int __open_2(const char *name, int flags);
int __openat_2(int dirfd, const char *name, int flags);

int
__open_2(const char *name, int flags)
{
	return open_at(AT_FDCWD, name, flags, 0);
}

int
__openat_2(int dirfd, const char *name, int flags)
{
	return open_at(dirfd, name, flags, 0);
}

int open64(const char *, int, ...) __attribute__((alias("open")));
int openat64(int, const char *, int, ...) __attribute__((alias("openat")));

/* ---- content ---- */

/* How much of n bytes still fits on the "disk". */
static size_t
room(size_t n)
{
	uint64_t left = shim.full - shim.state->written;

	return shim.full == UINT64_MAX || n <= left ? n : (size_t)left;
}

static void
record_write(int fd, off_t offset, const void *data, size_t n)
{
	shim.state->written += n;
	shim_record("write %" PRIu64 " %lld", shim_inode_fd(fd),
	    (long long)offset);
	shim_record_hex(data, n);
}

/* At offset, or where the file stands (-1). */
static ssize_t
write_at(int fd, const void *data, size_t n, off_t offset)
{
	struct place at;
	size_t fits;
	ssize_t done;

	if (!shim_place_fd(fd, &at))
		return offset < 0 ? syscall(SYS_write, fd, data, n)
				  : syscall(SYS_pwrite64, fd, data, n, offset);
	if (shim_enter("write", &at) != 0)
		return -1;
	fits = room(n);
	if (shim.state->calls == shim.kill_at && shim.kill_when == 'h')
		fits = fits / 2;
	if (fits == 0 && n > 0) {
		errno = ENOSPC;
		return shim_leave(-1);
	}
	done = offset < 0 ? syscall(SYS_write, fd, data, fits)
			  : syscall(SYS_pwrite64, fd, data, fits, offset);
	if (done > 0)
		record_write(fd,
		    offset < 0 ? lseek(fd, 0, SEEK_CUR) - done : offset, data,
		    (size_t)done);
	return shim_leave(done);
}

/* What goes to a client or to standard output may be an acknowledgement. */
static void
mark_output(int fd, const void *data, size_t n)
{
	struct stat st;

	if (shim.on && shim.marks && fstat(fd, &st) == 0 &&
	    (fd == 1 || S_ISSOCK(st.st_mode)) && !S_ISREG(st.st_mode))
		shim_mark(data, n < 1000 ? n : 1000);
}

ssize_t
write(int fd, const void *data, size_t n)
{
	mark_output(fd, data, n);
	return write_at(fd, data, n, -1);
}

ssize_t
pwrite(int fd, const void *data, size_t n, off_t offset)
{
	return write_at(fd, data, n, offset);
}

ssize_t pwrite64(int, const void *, size_t, off_t)
    __attribute__((alias("pwrite")));

ssize_t
send(int fd, const void *data, size_t n, int flags)
{
	mark_output(fd, data, n);
	return syscall(SYS_sendto, fd, data, n, flags, NULL, 0);
}

static ssize_t
writev_at(int fd, const struct iovec *v, int nv, off_t offset)
{
	struct place at;
	size_t n = 0;
	ssize_t rc;
	char *all;

	if (nv > 0)
		mark_output(fd, v[0].iov_base, v[0].iov_len);
	if (!shim_place_fd(fd, &at))
		return offset < 0
		    ? syscall(SYS_writev, fd, v, nv)
		    : syscall(SYS_pwritev, fd, v, nv, (long)offset, 0L);
	for (int i = 0; i < nv; i++)
		n += v[i].iov_len;
	all = malloc(n + 1);
	if (all == NULL)
		shim_die("writev");
	n = 0;
	for (int i = 0; i < nv; i++) {
		memcpy(all + n, v[i].iov_base, v[i].iov_len);
		n += v[i].iov_len;
	}
	rc = write_at(fd, all, n, offset);
	free(all);
	return rc;
}

ssize_t
writev(int fd, const struct iovec *v, int nv)
{
	return writev_at(fd, v, nv, -1);
}

ssize_t
pwritev(int fd, const struct iovec *v, int nv, off_t offset)
{
	return writev_at(fd, v, nv, offset);
}

/* The kernel's copies: through us instead, so that they are seen. */
static ssize_t
copy(int from, off_t *from_offset, int to, off_t *to_offset, size_t n)
{
	char block[65536];
	ssize_t got, put;

	n = n < sizeof(block) ? n : sizeof(block);
	got = from_offset != NULL ? pread(from, block, n, *from_offset)
				  : read(from, block, n);
	if (got <= 0)
		return got;
	put = write_at(to, block, (size_t)got,
	    to_offset != NULL ? *to_offset : -1);
	if (put > 0 && from_offset != NULL)
		*from_offset += put;
	if (put > 0 && to_offset != NULL)
		*to_offset += put;
	return put;
}

ssize_t
copy_file_range(int from, off_t *from_offset, int to, off_t *to_offset,
    size_t n, unsigned flags)
{
	struct place at;

	(void)flags; /* there are none */
	return shim_place_fd(to, &at)
	    ? copy(from, from_offset, to, to_offset, n)
	    : syscall(SYS_copy_file_range, from, from_offset, to, to_offset, n,
		  0);
}

ssize_t
sendfile(int to, int from, off_t *from_offset, size_t n)
{
	struct place at;

	return shim_place_fd(to, &at)
	    ? copy(from, from_offset, to, NULL, n)
	    : syscall(SYS_sendfile, to, from, from_offset, n);
}

ssize_t
splice(int from, off_t *from_offset, int to, off_t *to_offset, size_t n,
    unsigned flags)
{
	struct place at;

	return shim_place_fd(to, &at)
	    ? copy(from, from_offset, to, to_offset, n)
	    : syscall(SYS_splice, from, from_offset, to, to_offset, n, flags);
}

int
ftruncate(int fd, off_t size)
{
	struct place at;

	if (!shim_place_fd(fd, &at))
		return (int)syscall(SYS_ftruncate, fd, size);
	if (shim_enter("truncate", &at) != 0)
		return -1;
	shim_record("truncate %" PRIu64 " %lld", shim_inode_fd(fd),
	    (long long)size);
	return (int)shim_leave(syscall(SYS_ftruncate, fd, size));
}

int ftruncate64(int, off_t) __attribute__((alias("ftruncate")));

/* path NULL: of the open file fd. */
static int
set_times(int fd, const char *path, const struct timespec t[2], int flags)
{
	struct place at;
	int rc;

	if (!(path == NULL ? shim_place_fd(fd, &at)
			   : shim_place_name(fd, path, &at)))
		return (int)syscall(SYS_utimensat, fd, path, t, flags);
	if (shim_enter("utime", &at) != 0)
		return -1;
	rc = (int)syscall(SYS_utimensat, fd, path, t, flags);
	if (rc == 0 && t != NULL)
		shim_record("utime %" PRIu64 " %lld %ld",
		    (path == NULL ? shim_inode_fd(fd)
				  : shim_inode(fd, path, flags)),
		    (long long)t[1].tv_sec, t[1].tv_nsec);
	return (int)shim_leave(rc);
}

int
utimensat(int dirfd, const char *name, const struct timespec t[2], int flags)
{
	return set_times(dirfd, name, t, flags);
}

int
futimens(int fd, const struct timespec t[2])
{
	return set_times(fd, NULL, t, 0);
}

/* ---- sync ---- */

static int
sync_fd(const char *call, long number_of_call, int fd)
{
	struct place at;

	if (!shim_place_fd(fd, &at))
		return (int)syscall(number_of_call, fd);
	if (shim_enter(call, &at) != 0)
		return -1;
	shim_record("sync %" PRIu64, shim_inode_fd(fd));
	/* On the test's disk nobody needs it: only the order counts. */
	return (int)shim_leave(0);
}

int
fsync(int fd)
{
	return sync_fd("fsync", SYS_fsync, fd);
}

int
fdatasync(int fd)
{
	return sync_fd("fdatasync", SYS_fdatasync, fd);
}

/* ---- names ---- */

int
renameat2(int from_dirfd, const char *from, int to_dirfd, const char *to,
    unsigned flags)
{
	struct place a, b;
	bool inside = shim_place_name(from_dirfd, from, &a) &&
	    shim_place_name(to_dirfd, to, &b);
	int rc;

	if (!inside)
		return (int)syscall(SYS_renameat2, from_dirfd, from, to_dirfd,
		    to, flags);
	if (shim_enter("rename", &b) != 0)
		return -1;
	shim_record("rename %" PRIu64,
	    shim_inode(from_dirfd, from, AT_SYMLINK_NOFOLLOW));
	shim_record_name(&a);
	shim_record_name(&b);
	rc = (int)syscall(SYS_renameat2, from_dirfd, from, to_dirfd, to, flags);
	return (int)shim_leave(rc);
}

int
renameat(int from_dirfd, const char *from, int to_dirfd, const char *to)
{
	return renameat2(from_dirfd, from, to_dirfd, to, 0);
}

int
rename(const char *from, const char *to)
{
	return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int
linkat(int from_dirfd, const char *from, int to_dirfd, const char *to,
    int flags)
{
	struct place at;
	int rc;

	if (!shim_place_name(to_dirfd, to, &at))
		return (int)syscall(SYS_linkat, from_dirfd, from, to_dirfd, to,
		    flags);
	if (shim_enter("link", &at) != 0)
		return -1;
	rc = (int)syscall(SYS_linkat, from_dirfd, from, to_dirfd, to, flags);
	shim_record_entry("link", &at);
	return (int)shim_leave(rc);
}

int
link(const char *from, const char *to)
{
	return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int
symlinkat(const char *target, int dirfd, const char *name)
{
	struct place at;
	int rc;

	if (!shim_place_name(dirfd, name, &at))
		return (int)syscall(SYS_symlinkat, target, dirfd, name);
	if (shim_enter("symlink", &at) != 0)
		return -1;
	rc = (int)syscall(SYS_symlinkat, target, dirfd, name);
	shim_record_entry("symlink", &at);
	shim_record_hex(target, strlen(target));
	return (int)shim_leave(rc);
}

int
symlink(const char *target, const char *name)
{
	return symlinkat(target, AT_FDCWD, name);
}

int
unlinkat(int dirfd, const char *name, int flags)
{
	struct place at;

	if (!shim_place_name(dirfd, name, &at))
		return (int)syscall(SYS_unlinkat, dirfd, name, flags);
	if (shim_enter(flags & AT_REMOVEDIR ? "rmdir" : "unlink", &at) != 0)
		return -1;
	shim_record_entry("unlink", &at);
	return (int)shim_leave(syscall(SYS_unlinkat, dirfd, name, flags));
}

int
unlink(const char *name)
{
	return unlinkat(AT_FDCWD, name, 0);
}

int
rmdir(const char *name)
{
	return unlinkat(AT_FDCWD, name, AT_REMOVEDIR);
}

int
mkdirat(int dirfd, const char *name, mode_t mode)
{
	struct place at;
	int rc;

	if (!shim_place_name(dirfd, name, &at))
		return (int)syscall(SYS_mkdirat, dirfd, name, mode);
	if (shim_enter("mkdir", &at) != 0)
		return -1;
	rc = (int)syscall(SYS_mkdirat, dirfd, name, mode);
	shim_record_entry("mkdir", &at);
	return (int)shim_leave(rc);
}

int
mkdir(const char *name, mode_t mode)
{
	return mkdirat(AT_FDCWD, name, mode);
}

/* ---- our descriptors outlive a "close all others" ---- */

static bool
ours(unsigned fd)
{
	return shim.on &&
	    ((int)fd == shim.state_fd || (int)fd == shim.trace_fd);
}

int
close(int fd)
{
	if (ours((unsigned)fd)) {
		errno = EBADF;
		return -1;
	}
	return (int)syscall(SYS_close, fd);
}

int
close_range(unsigned first, unsigned last, int flags)
{
	unsigned fd;

	if (!shim.on)
		return (int)syscall(SYS_close_range, first, last, flags);
	for (fd = first; fd <= last && fd < SHIM_FD + 2; fd++)
		if (!ours(fd))
			syscall(SYS_close_range, fd, fd, flags);
	if (fd > last)
		return 0;
	return (int)syscall(SYS_close_range, fd, last, flags);
}

void
closefrom(int first)
{
	close_range((unsigned)first, ~0u, 0);
}
