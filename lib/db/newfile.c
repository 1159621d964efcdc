/*
 * newfile.c - new content into place, and the name calls. See newfile.h.
 */
#include "db/newfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/rand.h"
#include "db/sync.h"

#define RANDOM_CHARS 12 /* 71 bits: a collision fails with EEXIST, no more */
#define OF_NAME_MAX 200 /* so that a name of any length can be replaced */

int
db_newfile_begin(struct db_newfile *f, int dirfd, const char *name, mode_t mode,
    struct err *e)
{
	char random[RANDOM_CHARS + 1];
	int n;

	rand_text(NULL, random, RANDOM_CHARS);
	n = snprintf(f->tmp, sizeof(f->tmp), ".%.*s.%s.tmp", OF_NAME_MAX, name,
	    random);
	if (n < 0 || (size_t)n >= sizeof(f->tmp))
		return err_set(e, ERR_LIMIT, "file name too long");
	f->dirfd = dirfd;
	f->fd = openat(dirfd, f->tmp,
	    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	return f->fd >= 0 ? 0 : err_sys(e, "%s", f->tmp);
}

int
db_newfile_sync(struct db_newfile *f, struct err *e)
{
	return db_fsync(f->fd, f->tmp, e);
}

int
db_newfile_replace(struct db_newfile *f, const char *name, struct err *e)
{
	if (renameat(f->dirfd, f->tmp, f->dirfd, name) != 0)
		return err_sys(e, "rename to %s", name);
	f->tmp[0] = '\0';
	return 0;
}

int
db_newfile_link(struct db_newfile *f, const char *name, struct err *e)
{
	int rc = db_move(f->dirfd, f->tmp, f->dirfd, name, e);

	if (rc == 0 && errno != EEXIST)
		return err_sys(e, "rename to %s", name);
	if (rc == 1)
		f->tmp[0] = '\0';
	return rc;
}

void
db_newfile_end(struct db_newfile *f)
{
	if (f->fd < 0)
		return;
	if (f->tmp[0] != '\0')
		unlinkat(f->dirfd, f->tmp, 0);
	close(f->fd);
	f->fd = -1;
}

static int
fill(struct db_newfile *f, int dirfd, const char *name, struct slice content,
    mode_t mode, struct err *e)
{
	if (db_newfile_begin(f, dirfd, name, mode, e) != 0)
		return -1;
	if (file_write(f->fd, content, e) != 0)
		return err_prefix(e, "%s", name);
	return db_newfile_sync(f, e);
}

int
db_write_file(int dirfd, const char *name, struct slice content, mode_t mode,
    struct err *e)
{
	struct db_newfile f = DB_NEWFILE_INIT;
	int rc;

	rc = fill(&f, dirfd, name, content, mode, e);
	if (rc == 0)
		rc = db_newfile_replace(&f, name, e);
	if (rc == 0)
		rc = db_fsync_dir(dirfd, name, e);
	db_newfile_end(&f);
	return rc;
}

int
db_create_file(int dirfd, const char *name, struct slice content, mode_t mode,
    struct err *e)
{
	struct db_newfile f = DB_NEWFILE_INIT;
	int rc;

	rc = fill(&f, dirfd, name, content, mode, e);
	if (rc == 0)
		rc = db_newfile_link(&f, name, e);
	if (rc == 1 && db_fsync_dir(dirfd, name, e) != 0)
		rc = -1;
	db_newfile_end(&f);
	return rc;
}

int
db_tmp_sweep(int dirfd, int age_s, struct err *e)
{
	time_t before = time(NULL) - age_s;
	struct arena *arena = arena_new(0);
	struct slice *names;
	struct stat st;
	size_t n;
	int rc;

	rc = file_list(dirfd, ".", arena, &names, &n, e);
	for (size_t i = 0; rc == 1 && i < n; i++) {
		const char *name = arena_cstr(arena, names[i]);

		if (slice_starts(names[i], SLICE(".")) &&
		    slice_ends(names[i], SLICE(".tmp")) &&
		    fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode) && st.st_mtime < before)
			unlinkat(dirfd, name, 0);
	}
	arena_free(&arena);
	return rc < 0 ? -1 : 0;
}

/* 1 for a call that worked, 0 for one of the two errors expected, else -1. */
static int
outcome(int result, int expected, int expected2, const char *call,
    const char *name, struct err *e)
{
	if (result == 0)
		return 1;
	if (errno == expected || errno == expected2)
		return 0;
	return err_sys(e, "%s %s", call, name);
}

int
db_rename(int from_dirfd, const char *from, int to_dirfd, const char *to,
    struct err *e)
{
	int rc = renameat(from_dirfd, from, to_dirfd, to);

	return outcome(rc, ENOENT, ENOENT, "rename", from, e);
}

int
db_move(int from_dirfd, const char *from, int to_dirfd, const char *to,
    struct err *e)
{
	int rc = renameat2(from_dirfd, from, to_dirfd, to, RENAME_NOREPLACE);

	if (rc != 0 && errno == EINVAL) {
		/* Not every file system can (NFS): then in two steps. */
		rc = linkat(from_dirfd, from, to_dirfd, to, 0);
		if (rc == 0)
			unlinkat(from_dirfd, from, 0);
	}
	return outcome(rc, ENOENT, EEXIST, "rename", from, e);
}

int
db_link(int from_dirfd, const char *from, int to_dirfd, const char *to,
    struct err *e)
{
	int rc = linkat(from_dirfd, from, to_dirfd, to, 0);

	return outcome(rc, ENOENT, EEXIST, "link", from, e);
}

int
db_unlink(int dirfd, const char *name, struct err *e)
{
	int rc = unlinkat(dirfd, name, 0);

	return outcome(rc, ENOENT, ENOENT, "remove", name, e);
}
