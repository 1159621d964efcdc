/*
 * Fuzz names of files, folders and mailboxes (lib/store/layout.c, folder.c):
 * the input is taken as each of them. Folders and mailboxes lead to each
 * other; a name with other flags keeps its base.
 */
#include <assert.h>
#include <string.h>

#include "store/store_int.h"

static void
name_of_file(struct slice file)
{
	char other[LAYOUT_NAME], id[STORE_EMAILID];
	struct layout_name a, b;

	if (!layout_parse(file, &a))
		return;
	layout_emailid(&a, id);
	if (!layout_with_flags(file, STORE_SEEN | STORE_FORWARDED, 5, other))
		return;
	if (memchr(file.p, '\0', file.n))
		return; /* no file has such a name */
	assert(layout_parse(slice_str(other), &b));
	assert(slice_eq(a.base, b.base));
	assert(a.size == b.size && a.wire == b.wire && a.time == b.time);
	assert(b.flags == (STORE_SEEN | STORE_FORWARDED) && b.letters == 5);
}

static void
name_of_folder(struct slice folder)
{
	struct buf name = BUF_INIT(STORE_NAME_MAX);
	char back[LAYOUT_NAME];

	if (folder.n <= NAME_MAX && layout_mailbox(folder, &name) &&
	    !name.over) {
		assert(!layout_name_wrong(buf_slice(&name)));
		assert(layout_folder(buf_slice(&name), back, NULL) == 0);
		assert(slice_eq(slice_str(back), folder));
	}
	buf_free(&name);
}

static void
name_of_mailbox(struct slice text)
{
	struct arena *arena = arena_new(0);
	struct buf back = BUF_INIT(STORE_NAME_MAX);
	char folder[LAYOUT_NAME];
	struct slice name, again;

	if (store_name_check(arena, text, &name, NULL) == 0) {
		assert(store_name_check(arena, name, &again, NULL) == 0);
		assert(slice_eq(name, again));
		if (layout_folder(name, folder, NULL) == 0) {
			assert(layout_mailbox(slice_str(folder), &back));
			assert(slice_eq(buf_slice(&back), name));
		}
	}
	buf_free(&back);
	arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct slice s = slice_of((const char *)data, n);

	name_of_file(s);
	name_of_folder(s);
	name_of_mailbox(s);
	return 0;
}
