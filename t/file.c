/* Unit test of lib/base/file.c. */
#include "base/file.h"

#include <fcntl.h>
#include <unistd.h>

#include "t/tmp.h"
#include "t/unit.h"

static int top = -1; /* a scratch folder */

static void
write_file(const char *path, struct slice s)
{
	int fd = openat(top, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK(fd >= 0);
	CHECK_EQ(file_write(fd, s, NULL), 0);
	close(fd);
}

static void
test_read(void)
{
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT(10);
	char p[8];
	int fd;

	CHECK_EQ(file_read(top, "none", &b, &e), 0);
	write_file("f", SLICE("0123456789"));
	CHECK_EQ(file_read(top, "f", &b, &e), 1); /* fits to the byte */
	CHECK_SLICE(buf_slice(&b), SLICE("0123456789"));
	CHECK_EQ(file_read(top, "f", &b, &e), -1); /* appends: no room */
	CHECK_EQ(e.kind, ERR_LIMIT);
	CHECK_STR(e.text, "f: file too large");
	CHECK_EQ(file_read(top, ".", &b, &e), -1);
	buf_reset(&b);
	write_file("empty", SLICE(""));
	CHECK_EQ(file_read(top, "empty", &b, &e), 1);
	CHECK_EQ(b.n, 0);
	buf_free(&b);

	fd = openat(top, "f", O_RDONLY);
	CHECK_EQ(file_pread(fd, p, 3, 7, &e), 0);
	CHECK_SLICE(slice_of(p, 3), SLICE("789"));
	CHECK_EQ(file_pread(fd, p, 3, 8, &e), -1);
	CHECK_EQ(e.kind, ERR_PERM);
	close(fd);
}

/* A file whose size is not known beforehand. */
static void
test_pipe(void)
{
	struct buf b = BUF_INIT(100000);
	int fds[2];

	CHECK_EQ(pipe(fds), 0);
	for (int i = 0; i < 1000; i++)
		CHECK_EQ(file_write(fds[1], SLICE("0123456789"), NULL), 0);
	close(fds[1]);
	CHECK_EQ(file_read_fd(fds[0], &b, NULL), 0);
	CHECK_EQ(b.n, 10000);
	CHECK_EQ(file_write(fds[0], SLICE("x"), NULL), -1);
	close(fds[0]);
	buf_free(&b);
}

static void
test_folders(void)
{
	struct arena *a = arena_new(0);
	struct err e = ERR_INIT;
	struct slice *names;
	size_t n;

	CHECK_EQ(file_list(top, "d", a, &names, &n, &e), 0);
	CHECK_EQ(file_mkdirs(top, "d/e/f", 0700, &e), 0);
	CHECK_EQ(file_mkdirs(top, "d/e/f/", 0700, &e), 0);
	write_file("d/b", SLICE("x"));
	write_file("d/.a", SLICE("x"));
	CHECK_EQ(file_mkdirs(top, "d/b", 0700, &e), -1);
	CHECK_STR(e.text, "mkdir d/b: Not a directory");
	CHECK_EQ(file_mkdirs(top, "d/b/c", 0700, &e), -1);
	CHECK_EQ(file_list(top, "d", a, &names, &n, &e), 1);
	CHECK_EQ(n, 3);
	CHECK_SLICE(names[0], SLICE(".a"));
	CHECK_SLICE(names[1], SLICE("b"));
	CHECK_SLICE(names[2], SLICE("e"));
	CHECK_EQ(file_list(top, "d/b", a, &names, &n, &e), -1);
	CHECK_EQ(file_list(top, "d/e/f", a, &names, &n, &e), 1);
	CHECK_EQ(n, 0);

	/* A link to a folder goes, what it points to stays. */
	CHECK_EQ(file_mkdirs(top, "other", 0700, &e), 0);
	write_file("other/keep", SLICE("x"));
	CHECK_EQ(symlinkat("../other", top, "d/link"), 0);
	CHECK_EQ(file_remove_tree(top, "d", &e), 0);
	CHECK_EQ(faccessat(top, "d", F_OK, 0), -1);
	CHECK_EQ(faccessat(top, "other/keep", F_OK, 0), 0);
	CHECK_EQ(file_remove_tree(top, "d", &e), 0);
	arena_free(&a);
}

static void
test_flags(void)
{
	int fds[2];

	CHECK_EQ(pipe(fds), 0);
	CHECK_EQ(file_nonblock(fds[0], true), 0);
	CHECK(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
	CHECK_EQ(file_nonblock(fds[0], false), 0);
	CHECK(!(fcntl(fds[0], F_GETFL) & O_NONBLOCK));
	close(fds[0]);
	close(fds[1]);
	CHECK_EQ(file_nonblock(fds[0], true), -1);
}

int
main(void)
{
	char path[TMP_PATH];

	if (mkdtemp(tmp_template(path, "mox-file")) == NULL)
		return 1;
	top = open(path, O_RDONLY | O_DIRECTORY);
	RUN(test_read);
	RUN(test_pipe);
	RUN(test_folders);
	RUN(test_flags);
	CHECK_EQ(file_remove_tree(AT_FDCWD, path, NULL), 0);
	return unit_done();
}
