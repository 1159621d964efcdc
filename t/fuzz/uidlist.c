/*
 * Fuzz lib/store/uidlist.c. The first byte chooses the file that the rest is:
 * what is found must be consistent.
 */
#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "store/store_int.h"
#include "t/tmp.h"

static const char *const files[] = { "dovecot-uidlist", "courierimapuiddb",
	"courierimapkeywords/:list" };
static char path[TMP_PATH];
static int dir_fd;

static void
remove_folder(void)
{
	file_remove_tree(AT_FDCWD, path, NULL);
}

static void
setup(void)
{
	if (dir_fd > 0)
		return;
	assert(mkdtemp(tmp_template(path, "mox-fuzz")) != NULL);
	atexit(remove_folder);
	dir_fd = open(path, O_RDONLY | O_DIRECTORY);
	assert(mkdirat(dir_fd, "courierimapkeywords", 0700) == 0);
}

static void
put(const char *name, struct slice content)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert(fd >= 0 && file_write(fd, content, NULL) == 0);
	close(fd);
}

static void
keywords(void *arg, struct slice base, const struct slice *v, size_t n)
{
	(void)arg;
	(void)v;
	assert(base.n > 0 && n > 0);
}

/* Every name that a line could mean has a UID of its own, or none. */
static void
look_up(const struct uidlist *u, struct slice text)
{
	struct slice line, base;
	uint32_t uid;

	while (slice_line(&text, &line)) {
		while (slice_cut(line, ' ', &base, &line) || base.n > 0) {
			uid = uidlist_uid(u, base);
			assert(uid < u->uidnext || uid == 0);
			if (line.n == 0)
				break;
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct slice text = slice_of((const char *)data, n);
	struct uidlist u;
	const char *name;

	setup();
	if (n == 0)
		return 0;
	name = files[data[0] % 3];
	put(name, slice_skip(text, 1));
	if (uidlist_read(&u, dir_fd, NULL) == 1) {
		assert(u.uidvalidity > 0);
		look_up(&u, slice_skip(text, 1));
	}
	uidlist_free(&u);
	uidlist_courier_keywords(dir_fd, keywords, NULL, NULL);
	unlinkat(dir_fd, name, 0);
	return 0;
}
