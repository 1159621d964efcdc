/* copy - what a copied queue has twice, or in part. */
#include "queue/copy.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/map.h"
#include "db/newfile.h"
#include "queue/queue.h"

struct entry {
	struct slice folder, name, id;
	unsigned n; /* 0: an envelope */
	off_t size;
	bool retired, gone;
};

struct copy {
	const struct queue_copy *c;
	int data;
	struct arena *arena;
	struct map *envelopes; /* ID -> struct entry, the one that counts */
	struct map *items;     /* ID.N -> likewise */
	struct entry *v;
	size_t n, room;
};

/* ---- what is there ---- */

static const char *
path_of(struct copy *q, const struct entry *entry)
{
	return arena_printf(q->arena, "%.*s/%.*s", SLICE_FMT(entry->folder),
	    SLICE_FMT(entry->name))
	    .p;
}

static int
add_folder(struct copy *q, const char *folder, struct err *e)
{
	struct slice *names;
	struct stat st;
	size_t n = 0;
	int rc = file_list(q->data, folder, q->arena, &names, &n, e);

	for (size_t i = 0; rc > 0 && i < n; i++) {
		struct entry one = { .folder = slice_str(folder),
			.name = names[i],
			.retired = slice_starts(slice_str(folder),
			    SLICE("queue/retired/")) };
		if (!queue_name(names[i], &one.id, &one.n) ||
		    fstatat(q->data, path_of(q, &one), &st,
			AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		one.size = st.st_size;
		if (q->n == q->room) {
			q->room = q->room ? q->room * 2 : 256;
			q->v = xreallocarray(q->v, q->room, sizeof(*q->v));
		}
		q->v[q->n++] = one;
	}
	return rc < 0 ? -1 : 0;
}

/* The folders in a folder. */
static int
add_folders(struct copy *q, const char *parent, struct err *e)
{
	struct slice *names;
	size_t n = 0;
	int rc = file_list(q->data, parent, q->arena, &names, &n, e);

	for (size_t i = 0; rc > 0 && i < n; i++) {
		const char *folder = arena_printf(q->arena, "%s/%.*s", parent,
		    SLICE_FMT(names[i]))
					 .p;
		struct stat st;
		if (fstatat(q->data, folder, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISDIR(st.st_mode))
			rc = add_folder(q, folder, e) < 0 ? -1 : 1;
	}
	return rc < 0 ? -1 : 0;
}

/* ---- what is superfluous ---- */

static int
superfluous(struct copy *q, struct entry *entry, const char *why, struct err *e)
{
	const char *path = path_of(q, entry);

	entry->gone = true;
	if (q->c->mend && db_unlink(q->data, path, e) < 0)
		return -1;
	q->c->found(q->c->ctx, path, why);
	return 0;
}

/* Envelopes: one in active/ has items beside it that say who has it. */
static int
check_envelopes(struct copy *q, struct err *e)
{
	for (size_t i = 0; i < q->n; i++) {
		struct entry *entry = &q->v[i];
		if (entry->n == 0 && map_get(q->envelopes, entry->id)) {
			if (superfluous(q, entry, "copied when it moved on",
				e) < 0)
				return -1;
		} else if (entry->n == 0)
			map_set(q->envelopes, entry->id, entry);
	}
	return 0;
}

/* Of what is only appended to, the longest is the newest. */
static int
check_item(struct copy *q, struct entry *entry, struct err *e)
{
	const struct entry *envelope = map_get(q->envelopes, entry->id);
	struct entry *other;

	if (envelope && !entry->retired &&
	    !slice_eq(envelope->folder, entry->folder))
		return superfluous(q, entry,
		    "its envelope is there, from which it is made", e);
	other = map_get(q->items, entry->name);
	if (other && other->size >= entry->size)
		return superfluous(q, entry, "there is a newer one", e);
	map_set(q->items, entry->name, entry);
	return other ? superfluous(q, other, "there is a newer one", e) : 0;
}

/* The message goes after the last line was written. */
static int
check_message(struct copy *q, struct entry *entry, struct err *e)
{
	struct slice message = queue_message_path(q->arena, entry->name);
	struct stat st;

	if (entry->retired || map_get(q->envelopes, entry->id) ||
	    fstatat(q->data,
		arena_printf(q->arena, "queue/%.*s", SLICE_FMT(message)).p, &st,
		AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	return superfluous(q, entry, "settled: its message is gone", e);
}

static int
check(struct copy *q, struct err *e)
{
	/* active/ before todo/: see check_envelopes */
	if (add_folders(q, "queue/active", e) < 0 ||
	    add_folder(q, "queue/todo", e) < 0 ||
	    add_folders(q, "queue/due", e) < 0 ||
	    add_folder(q, "queue/hold", e) < 0 ||
	    add_folders(q, "queue/retired", e) < 0 || check_envelopes(q, e) < 0)
		return -1;
	for (size_t i = 0; i < q->n; i++)
		if (q->v[i].n > 0 && check_item(q, &q->v[i], e) < 0)
			return -1;
	for (size_t i = 0; i < q->n; i++)
		if (q->v[i].n > 0 && !q->v[i].gone &&
		    check_message(q, &q->v[i], e) < 0)
			return -1;
	return 0;
}

int
queue_copy_check(const struct queue_copy *c, int data_fd, struct err *e)
{
	struct copy q = { .c = c,
		.data = data_fd,
		.arena = arena_new(0),
		.envelopes = map_new(),
		.items = map_new() };
	int rc = check(&q, e);

	map_free(&q.envelopes);
	map_free(&q.items);
	free(q.v);
	arena_free(&q.arena);
	return rc;
}
