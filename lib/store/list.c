/*
 * list.c - which mailboxes there are.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/map.h"
#include "store/store_int.h"

/* ---- helpers of these files ---- */

void *
store_push(struct arena *arena, void *v, size_t n, size_t size)
{
	if ((n & (n - 1)) == 0) /* a power of two, or none: full */
		return arena_grow(arena, v, n, n ? 2 * n : 1, size);
	return v;
}

bool
store_renamed(struct slice *name, struct slice from, struct slice to,
    struct arena *arena)
{
	struct slice rest = slice_skip(*name, from.n);

	if (!slice_starts(*name, from) || (rest.n > 0 && rest.p[0] != '/'))
		return false;
	*name = arena_printf(arena, "%.*s%.*s", SLICE_FMT(to), SLICE_FMT(rest));
	return true;
}

/* ---- folders ---- */

static bool
is_dir(int dirfd, const struct dirent *d)
{
	struct stat s;

	if (d->d_type == DT_DIR)
		return true;
	if (d->d_type != DT_UNKNOWN && d->d_type != DT_LNK)
		return false;
	return fstatat(dirfd, d->d_name, &s, 0) == 0 && S_ISDIR(s.st_mode);
}

static void
add_folder(struct arena *arena, struct mailbox_folder **v, size_t *n,
    struct slice folder, struct slice name)
{
	*v = store_push(arena, *v, *n, sizeof(**v));
	(*v)[*n].folder = arena_dup(arena, folder);
	(*v)[*n].name = arena_dup(arena, name);
	++*n;
}

int
list_folders(struct store *st, struct arena *arena, struct mailbox_folder **v_r,
    size_t *n_r, struct err *e)
{
	struct buf name = BUF_INIT(STORE_NAME_MAX);
	struct slice folder;
	struct dirent *d;
	DIR *dir;
	int fd;

	*v_r = NULL;
	*n_r = 0;
	fd = openat(st->maildir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		err_sys(e, "list Maildir");
		if (fd >= 0)
			close(fd);
		return -1;
	}
	while (errno = 0, (d = readdir(dir)) != NULL) {
		folder = slice_str(d->d_name);
		if (slice_is(folder, ".") || d->d_name[0] != '.' ||
		    !is_dir(fd, d))
			continue;
		buf_reset(&name);
		if (layout_mailbox(folder, &name) && !name.over)
			add_folder(arena, v_r, n_r, folder, buf_slice(&name));
	}
	if (errno != 0)
		err_sys(e, "list Maildir");
	else
		fd = -1;
	closedir(dir);
	buf_free(&name);
	return fd < 0 ? 0 : -1;
}

/* ---- the list ---- */

struct list {
	struct arena *arena;
	struct store_mailbox *v;
	size_t n;
	struct map *index; /* name -> 1 + position */
};

static struct store_mailbox *
entry(struct list *l, struct slice name)
{
	size_t at = (uintptr_t)map_get(l->index, name);

	if (at > 0)
		return &l->v[at - 1];
	l->v = store_push(l->arena, l->v, l->n, sizeof(*l->v));
	l->v[l->n].name = name;
	map_set(l->index, name, (void *)(uintptr_t)++l->n);
	return &l->v[l->n - 1];
}

/* The levels above a name, there or not; its own mailbox may be missing if it
 * is only subscribed. */
static void
add_parents(struct list *l, struct slice name, bool exists)
{
	ssize_t slash;

	while ((slash = slice_rchr(name, '/')) > 0 && name.p[0] != '#') {
		name = slice_head(name, (size_t)slash);
		entry(l, name)->has_children |= exists;
	}
}

int
store_order(struct slice a, struct slice b)
{
	bool x = slice_is(a, "Inbox"), y = slice_is(b, "Inbox");

	return x || y ? y - x : slice_cmp(a, b);
}

static int
by_name(const void *a, const void *b)
{
	return store_order(((const struct store_mailbox *)a)->name,
	    ((const struct store_mailbox *)b)->name);
}

int
store_list(struct store *st, struct arena *arena, struct store_mailbox **list_r,
    size_t *n_r, struct err *e)
{
	struct list l = { .arena = arena, .index = map_new() };
	struct mailbox_folder *folders;
	struct slice *subs;
	struct use *uses;
	size_t nfolders, nsubs, nuses;
	int rc = -1;

	if (list_folders(st, arena, &folders, &nfolders, e) < 0 ||
	    subscribe_read(st, arena, &subs, &nsubs, e) < 0 ||
	    use_read(st, arena, &uses, &nuses, e) < 0)
		goto out;
	entry(&l, SLICE("Inbox"))->exists = true;
	for (size_t i = 0; i < nfolders; i++)
		entry(&l, folders[i].name)->exists = true;
	for (size_t i = 0; i < nfolders; i++)
		add_parents(&l, folders[i].name, true);
	for (size_t i = 0; i < nsubs; i++) {
		entry(&l, subs[i])->subscribed = true;
		add_parents(&l, subs[i], false);
	}
	for (size_t i = 0; i < nuses; i++) {
		if (map_has(l.index, uses[i].name))
			entry(&l, uses[i].name)->use |= uses[i].use;
	}
	if (l.v)
		qsort(l.v, l.n, sizeof(*l.v), by_name);
	*list_r = l.v;
	*n_r = l.n;
	rc = 0;
out:
	map_free(&l.index);
	return rc;
}
