/* file - read files and folders. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_CHUNK 4096 /* read at a time where the size is not known */
#define FILE_DEPTH 64   /* folders in folders, for the descriptors open */

static ssize_t
read_some(int fd, void *p, size_t n)
{
	ssize_t got;

	do
		got = read(fd, p, n);
	while (got < 0 && errno == EINTR);
	return got;
}

/* Nothing may follow what filled b up. */
static int
at_end(int fd, struct err *e)
{
	char c;
	ssize_t got = read_some(fd, &c, 1);

	if (got < 0)
		return err_sys(e, "read");
	if (got > 0)
		return err_set(e, ERR_LIMIT, "file too large");
	return 0;
}

int
file_read_fd(int fd, struct buf *b, struct err *e)
{
	struct stat st;
	size_t want = FILE_CHUNK;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "fstat");
	if (S_ISREG(st.st_mode) && st.st_size > 0)
		want = (size_t)st.st_size + 1; /* so the next read says end */
	for (;;) {
		size_t room = b->max - b->n;
		ssize_t got;

		if (room == 0)
			return at_end(fd, e);
		if (want > room)
			want = room;
		got = read_some(fd, buf_space(b, want), want);
		if (got < 0)
			return err_sys(e, "read");
		if (got == 0)
			return 0;
		b->n += (size_t)got;
		want = FILE_CHUNK;
	}
}

int
file_read(int at, const char *path, struct buf *b, struct err *e)
{
	int fd, rc;

	fd = openat(at, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "%s", path);
	rc = file_read_fd(fd, b, e);
	close(fd);
	return rc < 0 ? err_prefix(e, "%s", path) : 1;
}

int
file_pread(int fd, void *p, size_t n, off_t offset, struct err *e)
{
	char *to = p;

	while (n > 0) {
		ssize_t got = pread(fd, to, n, offset);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(e, "read");
		if (got == 0)
			return err_set(e, ERR_PERM, "file is too short");
		to += got;
		offset += got;
		n -= (size_t)got;
	}
	return 0;
}

int
file_write(int fd, struct slice s, struct err *e)
{
	while (s.n > 0) {
		ssize_t put = write(fd, s.p, s.n);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return err_sys(e, "write");
		s = slice_skip(s, (size_t)put);
	}
	return 0;
}

/* ---- folders ---- */

static int
make_folder(int at, const char *path, mode_t mode, struct err *e)
{
	struct stat st;

	if (mkdirat(at, path, mode) == 0)
		return 0;
	if (errno == EEXIST && fstatat(at, path, &st, 0) == 0 &&
	    !S_ISDIR(st.st_mode))
		errno = ENOTDIR;
	return errno == EEXIST ? 0 : err_sys(e, "mkdir %s", path);
}

int
file_mkdirs(int at, const char *path, mode_t mode, struct err *e)
{
	char part[PATH_MAX];

	if (!slice_cstr(slice_str(path), part, sizeof(part)))
		return err_set(e, ERR_LIMIT, "mkdir: path too long");
	for (char *p = part + 1; (p = strchr(p, '/')) != NULL; p++) {
		*p = '\0';
		if (make_folder(at, part, mode, e) < 0)
			return -1;
		*p = '/';
	}
	return make_folder(at, path, mode, e);
}

/* NULL with errno set. */
static DIR *
open_folder(int at, const char *path, int flags)
{
	int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir == NULL && fd >= 0)
		close(fd);
	return dir;
}

/* The next entry but . and ..; NULL with errno set, 0 at the end. */
static struct dirent *
next_entry(DIR *dir)
{
	struct dirent *d;

	do {
		errno = 0;
		d = readdir(dir);
	} while (d != NULL &&
	    (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0));
	return d;
}

static int
by_bytes(const void *a, const void *b)
{
	return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

int
file_each(int at, const char *path, file_each_fn *fn, void *ctx, struct err *e)
{
	DIR *dir = open_folder(at, path, 0);
	struct dirent *d;
	int failed;

	if (dir == NULL)
		return errno == ENOENT ? 0 : err_sys(e, "%s", path);
	while ((d = next_entry(dir)) != NULL)
		if (!fn(ctx, slice_str(d->d_name)))
			break;
	failed = d == NULL ? errno : 0;
	closedir(dir);
	if (failed == 0)
		return 1;
	errno = failed;
	return err_sys(e, "%s", path);
}

struct names {
	struct arena *arena;
	struct slice *v;
	size_t n, room;
};

static bool
add_name(void *ctx, struct slice name)
{
	struct names *l = ctx;

	if (l->n == l->room) {
		l->room = l->room == 0 ? 32 : 2 * l->room;
		l->v = arena_grow(l->arena, l->v, l->n, l->room, sizeof(*l->v));
	}
	l->v[l->n++] = arena_dup(l->arena, name);
	return true;
}

int
file_list(int at, const char *path, struct arena *arena, struct slice **names_r,
    size_t *n_r, struct err *e)
{
	struct names l = { .arena = arena };
	int rc = file_each(at, path, add_name, &l, e);

	*names_r = NULL;
	*n_r = 0;
	if (rc != 1)
		return rc;
	if (l.n > 0)
		qsort(l.v, l.n, sizeof(*l.v), by_bytes);
	*names_r = l.v;
	*n_r = l.n;
	return 1;
}

static int remove_tree(int at, const char *path, int depth, struct err *e);

static int
remove_entry(int at, const char *name, int depth, struct err *e)
{
	if (unlinkat(at, name, 0) == 0 || errno == ENOENT)
		return 0;
	return errno == EISDIR ? remove_tree(at, name, depth, e)
			       : err_sys(e, "unlink %s", name);
}

static int
remove_tree(int at, const char *path, int depth, struct err *e)
{
	struct dirent *d;
	DIR *dir;
	int rc = 0;

	if (depth == FILE_DEPTH)
		return err_set(e, ERR_LIMIT, "%s: folders too deep", path);
	dir = open_folder(at, path, O_NOFOLLOW);
	if (dir == NULL)
		return errno == ENOENT ? 0 : err_sys(e, "%s", path);
	while (rc == 0 && (d = next_entry(dir)) != NULL)
		rc = remove_entry(dirfd(dir), d->d_name, depth + 1, e);
	if (rc == 0 && errno != 0)
		rc = err_sys(e, "%s", path);
	closedir(dir);
	if (rc == 0 && unlinkat(at, path, AT_REMOVEDIR) < 0 && errno != ENOENT)
		rc = err_sys(e, "rmdir %s", path);
	return rc;
}

int
file_remove_tree(int at, const char *path, struct err *e)
{
	return remove_tree(at, path, 0, e);
}

/* ---- descriptors ---- */

bool
file_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	    a->st_size == b->st_size &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	    a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

int
file_nonblock(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -1;
	flags = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	return fcntl(fd, F_SETFL, flags) < 0 ? -1 : 0;
}
