/* Unit test of lib/db/newfile.c. */
#include "db/newfile.h"

#include <sys/stat.h>
#include <utime.h>

#include "t/scratch.h"

static size_t
count_names(void)
{
	struct arena *a = arena_new(0);
	struct slice *names;
	size_t n = 0;

	CHECK_EQ(file_list(scratch_fd, ".", a, &names, &n, NULL), 1);
	arena_free(&a);
	return n;
}

static void
test_write(void)
{
	struct buf b = BUF_INIT(100);
	struct stat st;
	size_t before = count_names();

	CHECK_EQ(db_write_file(scratch_fd, "f", SLICE("one"), 0600, NULL), 0);
	CHECK_SLICE(scratch_get("f", &b), SLICE("one"));
	CHECK_EQ(db_write_file(scratch_fd, "f", SLICE(""), 0640, NULL), 0);
	CHECK_SLICE(scratch_get("f", &b), SLICE(""));
	CHECK_EQ(fstatat(scratch_fd, "f", &st, 0), 0);
	CHECK_EQ(st.st_mode & 0777, 0640);
	CHECK_EQ(count_names(), before + 1);
	buf_free(&b);
}

static void
test_create(void)
{
	struct buf b = BUF_INIT(100);
	struct err e = ERR_INIT;
	size_t before = count_names();

	CHECK_EQ(db_create_file(scratch_fd, "c", SLICE("1"), 0600, &e), 1);
	CHECK_EQ(db_create_file(scratch_fd, "c", SLICE("2"), 0600, &e), 0);
	CHECK_SLICE(scratch_get("c", &b), SLICE("1"));
	CHECK_EQ(count_names(), before + 1);
	CHECK_EQ(db_create_file(scratch_fd, "no/c", SLICE(""), 0600, &e), -1);
	CHECK_EQ(e.kind, ERR_PERM);
	buf_free(&b);
}

static void
test_steps(void)
{
	struct db_newfile f = DB_NEWFILE_INIT;
	size_t before = count_names();
	char name[300];

	db_newfile_end(&f);
	CHECK_EQ(db_newfile_begin(&f, scratch_fd, "s", 0600, NULL), 0);
	CHECK_EQ(count_names(), before + 1);
	db_newfile_end(&f);
	CHECK_EQ(count_names(), before);
	CHECK_EQ(db_newfile_begin(&f, scratch_fd, "s", 0600, NULL), 0);
	CHECK_EQ(db_newfile_sync(&f, NULL), 0);
	CHECK_EQ(db_newfile_link(&f, "s", NULL), 1);
	CHECK(f.fd >= 0);
	db_newfile_end(&f);
	CHECK(scratch_has("s"));
	/* the longest name that there can be */
	memset(name, 'n', sizeof(name));
	name[NAME_MAX] = '\0';
	CHECK_EQ(db_write_file(scratch_fd, name, SLICE("x"), 0600, NULL), 0);
	CHECK(scratch_has(name));
	CHECK_EQ(count_names(), before + 2);
}

static void
test_sweep(void)
{
	struct utimbuf old = { 1000, 1000 };
	char path[512];

	scratch_put(".f.abc.tmp", SLICE("x"));
	scratch_put(".g.abc.tmp", SLICE("x"));
	scratch_put("h.tmp", SLICE("x"));
	snprintf(path, sizeof(path), "%s/.f.abc.tmp", scratch_path);
	CHECK_EQ(utime(path, &old), 0);
	snprintf(path, sizeof(path), "%s/h.tmp", scratch_path);
	CHECK_EQ(utime(path, &old), 0);
	CHECK_EQ(db_tmp_sweep(scratch_fd, 3600, NULL), 0);
	CHECK(!scratch_has(".f.abc.tmp"));
	CHECK(scratch_has(".g.abc.tmp"));
	CHECK(scratch_has("h.tmp"));
}

static void
test_names(void)
{
	struct err e = ERR_INIT;
	int d = scratch_fd;

	scratch_put("a", SLICE("a"));
	scratch_put("b", SLICE("b"));
	CHECK_EQ(db_move(d, "a", d, "b", &e), 0);
	CHECK_EQ(errno, EEXIST);
	CHECK_EQ(db_move(d, "none", d, "z", &e), 0);
	CHECK_EQ(errno, ENOENT);
	CHECK_EQ(db_move(d, "a", d, "z", &e), 1);
	CHECK(!scratch_has("a") && scratch_has("z"));
	CHECK_EQ(db_link(d, "z", d, "b", &e), 0);
	CHECK_EQ(db_link(d, "z", d, "y", &e), 1);
	CHECK(scratch_has("z") && scratch_has("y"));
	CHECK_EQ(db_rename(d, "none", d, "y", &e), 0);
	CHECK_EQ(db_rename(d, "b", d, "y", &e), 1);
	CHECK_EQ(db_rename(d, "y", d, "no/y", &e), 0);
	CHECK_EQ(db_unlink(d, "y", &e), 1);
	CHECK_EQ(db_unlink(d, "y", &e), 0);
	CHECK_EQ(db_unlink(d, ".", &e), -1);
}

int
main(void)
{
	umask(022);
	scratch_begin();
	RUN(test_write);
	RUN(test_create);
	RUN(test_steps);
	RUN(test_sweep);
	RUN(test_names);
	scratch_end();
	return unit_done();
}
