/*
 * trace.c - which files calls are about, and the record of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "t/bin/faultshim/faultshim.h"

/* ---- where a call goes ---- */

static bool
below(struct place *at)
{
	if (strncmp(at->path, shim.dir, shim.dir_n) != 0)
		return false;
	if (at->path[shim.dir_n] == '\0')
		at->name = ".";
	else if (at->path[shim.dir_n] == '/')
		at->name = at->path + shim.dir_n + 1;
	else
		return false;
	return true;
}

static bool
fd_path(int fd, char path[PATH_MAX])
{
	char link[40];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, PATH_MAX - 1);
	if (n < 0)
		return false;
	path[n] = '\0';
	return true;
}

/* Is the open file fd below FAULT_DIR (or was, if it has no name now)? */
bool
shim_place_fd(int fd, struct place *at)
{
	return shim.on && fd_path(fd, at->path) && below(at);
}

bool
shim_place_name(int dirfd, const char *name, struct place *at)
{
	char top[PATH_MAX] = "", folder[PATH_MAX];
	struct stat st;
	char *slash;
	int n;

	if (!shim.on)
		return false;
	if (name[0] != '/' &&
	    !(dirfd == AT_FDCWD ? getcwd(top, sizeof(top)) != NULL
				: fd_path(dirfd, top)))
		return false;
	n = snprintf(folder, sizeof(folder), "%s/%s", name[0] == '/' ? "" : top,
	    name);
	if (n < 0 || n >= (int)sizeof(folder))
		return false;
	while (n > 1 && folder[n - 1] == '/')
		folder[--n] = '\0';
	slash = strrchr(folder, '/');
	*slash = '\0';
	/* The folder as the kernel sees it, the last part as it stands. */
	if (realpath(folder[0] != '\0' ? folder : "/", at->path) == NULL ||
	    strlen(at->path) + strlen(slash + 1) + 2 > PATH_MAX ||
	    stat(at->path, &st) != 0)
		return false;
	at->dir = st.st_ino;
	n = (int)strlen(at->path);
	at->path[n] = '/';
	memcpy(at->path + n + 1, slash + 1, strlen(slash + 1) + 1);
	at->base = at->path + n + 1;
	return below(at);
}

uint64_t
shim_inode(int dirfd, const char *name, int flags)
{
	struct stat st;

	return fstatat(dirfd, name, &st, flags) == 0 ? st.st_ino : 0;
}

uint64_t
shim_inode_fd(int fd)
{
	return shim_inode(fd, "", AT_EMPTY_PATH);
}

/* ---- the trace: a line a call, names and data in hex ---- */

static struct {
	char *p;
	size_t n, size;
} out; /* under the mutex */

static void
out_bytes(const char *p, size_t n)
{
	if (out.n + n > out.size) {
		out.size = (out.n + n) * 2;
		out.p = realloc(out.p, out.size);
		if (out.p == NULL)
			shim_die("trace");
	}
	memcpy(out.p + out.n, p, n);
	out.n += n;
}

void
shim_record_hex(const void *data, size_t n)
{
	static const char hex[] = "0123456789abcdef";

	out_bytes(" x", 2); /* so that nothing is a field, too */
	for (size_t i = 0; i < n; i++) {
		unsigned char c = ((const unsigned char *)data)[i];

		out_bytes((char[]){ hex[c >> 4], hex[c & 15] }, 2);
	}
}

__attribute__((format(printf, 1, 2))) void
shim_record(const char *format, ...)
{
	char text[256] = "";
	va_list ap;

	va_start(ap, format);
	out_bytes(text, (size_t)vsnprintf(text, sizeof(text), format, ap));
	va_end(ap);
}

void
shim_record_end(bool keep)
{
	if (keep && out.n > 0 && shim.trace_fd >= 0) {
		out_bytes("\n", 1);
		if (syscall(SYS_write, shim.trace_fd, out.p, out.n) !=
		    (long)out.n)
			shim_die("trace");
	}
	out.n = 0;
}

void
shim_record_name(const struct place *at)
{
	shim_record(" %" PRIu64, at->dir);
	shim_record_hex(at->base, strlen(at->base));
}

/* A call that makes or removes a name: the file, the folder, the name. */
void
shim_record_entry(const char *call, const struct place *at)
{
	uint64_t file = shim_inode(AT_FDCWD, at->path, AT_SYMLINK_NOFOLLOW);

	shim_record("%s %" PRIu64, call, file);
	shim_record_name(at);
}
