/*
 * Fuzz lib/store/uidlist.c. The first byte chooses the file that the rest is:
 * what is found must be consistent.
 */
#include <sys/stat.h>

#include "store/store_int.h"
#include "t/fuzz/folder.h"

static const char *const files[] = { "dovecot-uidlist", "courierimapuiddb",
	"courierimapkeywords/:list" };

static void
setup(void)
{
	if (!folder_begin())
		return;
	assert(mkdirat(folder_fd, "courierimapkeywords", 0700) == 0);
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
	folder_put(name, slice_skip(text, 1));
	if (uidlist_read(&u, folder_fd, NULL) == 1) {
		assert(u.uidvalidity > 0);
		look_up(&u, slice_skip(text, 1));
	}
	uidlist_free(&u);
	uidlist_courier_keywords(folder_fd, keywords, NULL, NULL);
	unlinkat(folder_fd, name, 0);
	return 0;
}
