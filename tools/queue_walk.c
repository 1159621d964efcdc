/*
 * queue_walk - through the folders of the queue: names first, then, in order
 * and only as far as needed, the files.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "tools/queue_tool.h"

/* All names of the queue: 64 bytes for each recipient. */
struct entries {
	struct queue_entry *v;
	size_t n, room;
};

void
queue_tool_complain(struct queue_tool *t, const struct err *e)
{
	fprintf(stderr, "mox-queue: %s\n", e->text);
	t->failed = true;
}

/* ---- reading ---- */

static const char *
path_of(struct queue_tool *t, const struct queue_entry *entry)
{
	return arena_printf(t->step, "%s/%s", entry->folder, entry->name).p;
}

/*
 * As item_read, with a third of its system calls, since there may be 100,000:
 * all in one read, into memory that is used again. 1, 0 it is gone or not
 * meant, -1.
 */
static int
read_quickly(struct queue_tool *t, const char *path, struct item *it,
    struct err *e)
{
	int fd = openat(t->q.fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct slice text;
	ssize_t n;

	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "%s", path);
	if (!t->text)
		t->text = xmalloc(ITEM_MAX);
	n = read(fd, t->text, ITEM_MAX);
	close(fd);
	if (n < 0)
		return err_sys(e, "%s", path);
	if (n == ITEM_MAX)
		return err_set(e, ERR_LIMIT, "%s: too large", path);
	text = slice_of(t->text, (size_t)n);
	if (!queue_filter_raw(&t->filter, text))
		return 0;
	if (item_parse(text, t->step, it, e) < 0)
		return err_prefix(e, "%s", path);
	return 1;
}

static bool
is_envelope(const struct queue_entry *entry)
{
	return strchr(entry->name, '.') == NULL;
}

/* False: it is gone, or cannot be read, which was said. */
static bool
read_item(struct queue_tool *t, const struct queue_entry *entry,
    struct item *it)
{
	const char *path = path_of(t, entry);
	struct err e = ERR_INIT;
	int rc = is_envelope(entry)
	    ? item_read_envelope(t->q.fd, path, t->step, it, &e)
	    : read_quickly(t, path, it, &e);

	if (rc < 0)
		queue_tool_complain(t, &e);
	return rc > 0;
}

int64_t
queue_entry_next_us(const struct queue_entry *entry, const struct item *it)
{
	switch (entry->place) {
	case PLACE_DUE:
		return entry->next_us;
	case PLACE_HOLD:
	case PLACE_TODO:
		return it->next_us > it->m.until_us ? it->next_us
						    : it->m.until_us;
	default:
		return 0;
	}
}

/* ---- names ---- */

static void
add_entry(struct queue_tool *t, struct entries *all, enum queue_place place,
    const char *folder, int64_t next_us, struct slice name)
{
	struct queue_entry entry = {
		.place = place, .folder = folder, .next_us = next_us
	};
	struct slice id;
	unsigned n;

	/* todo/ has envelopes, active/ may have, all others items. */
	if (!queue_name(name, &id, &n) || (n > 0 && place == PLACE_TODO) ||
	    (n == 0 && place != PLACE_TODO && place != PLACE_ACTIVE) ||
	    !queue_filter_name(&t->filter, name) ||
	    !slice_cstr(name, entry.name, sizeof(entry.name)) ||
	    !queue_filter_entry(&t->filter, &entry))
		return;
	if (all->n == all->room) {
		all->room = all->room ? 2 * all->room : 1024;
		all->v = xreallocarray(all->v, all->room, sizeof(*all->v));
	}
	all->v[all->n++] = entry;
}

/* Of one folder; which may be gone by now. */
static int
add_folder(struct queue_tool *t, struct entries *all, enum queue_place place,
    const char *folder, int64_t next_us, struct err *e)
{
	struct slice *names;
	size_t n = 0;
	int rc = file_list(t->q.fd, folder, t->step, &names, &n, e);

	for (size_t i = 0; i < n; i++)
		/* An envelope whose items have files: ID, ID.1, ... */
		if (place != PLACE_ACTIVE || i + 1 == n ||
		    !slice_starts(names[i + 1], names[i]))
			add_entry(t, all, place, folder, next_us, names[i]);
	arena_reset(t->step);
	return rc < 0 ? -1 : 0;
}

/* Of the folders in a folder. */
static int
add_folders(struct queue_tool *t, struct entries *all, enum queue_place place,
    const char *above, struct err *e)
{
	struct slice *names;
	size_t n = 0;
	int rc = file_list(t->q.fd, above, t->arena, &names, &n, e);

	for (size_t i = 0; i < n && rc >= 0; i++) {
		const char *folder = arena_printf(t->arena, "%s/%.*s", above,
		    SLICE_FMT(names[i]))
					 .p;
		int64_t us = 0;
		if (place == PLACE_DUE && !queue_bucket_time(names[i], &us))
			continue;
		rc = add_folder(t, all, place, folder, us, e);
	}
	return rc < 0 ? -1 : 0;
}

static int
collect(struct queue_tool *t, unsigned places, struct entries *all,
    struct err *e)
{
	static const struct {
		enum queue_place place;
		const char *folder;
		bool deep;
	} folders[] = {
		/* With the stream: an item that moves on meanwhile is seen
		 * twice, and is no more where it was first. */
		{ PLACE_TODO, "todo", false },
		{ PLACE_DUE, "due", true },
		{ PLACE_HOLD, "hold", false },
		{ PLACE_ACTIVE, "active", true },
		{ PLACE_RETIRED, "retired", true },
	};

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		int rc = 0;
		if (!(places & 1U << folders[i].place))
			continue;
		if (folders[i].deep)
			rc = add_folders(t, all, folders[i].place,
			    folders[i].folder, e);
		else
			rc = add_folder(t, all, folders[i].place,
			    folders[i].folder, 0, e);
		if (rc < 0)
			return -1;
	}
	return 0;
}

/* ---- order ---- */

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct queue_entry *)a)->name,
	    ((const struct queue_entry *)b)->name);
}

static int
by_next(const void *a, const void *b)
{
	int64_t x = ((const struct queue_entry *)a)->next_us;
	int64_t y = ((const struct queue_entry *)b)->next_us;

	return x != y ? (x < y ? -1 : 1) : by_name(a, b);
}

/* When held items, and retired ones, were last touched stands inside. */
static void
look_inside(struct queue_tool *t, struct queue_entry *entry)
{
	struct item it;

	if (read_item(t, entry, &it))
		entry->next_us = entry->place == PLACE_RETIRED
		    ? it.last.us
		    : queue_entry_next_us(entry, &it);
	arena_reset(t->step);
}

/* Names begin with the time that they were queued at. */
static void
sort(struct queue_tool *t, struct entries *all)
{
	bool queued = slice_is(slice_str(t->sort), "queued");

	for (size_t i = 0; i < all->n && !queued; i++)
		if (all->v[i].place == PLACE_HOLD ||
		    all->v[i].place == PLACE_RETIRED)
			look_inside(t, &all->v[i]);
	if (all->n > 0)
		qsort(all->v, all->n, sizeof(*all->v),
		    queued ? by_name : by_next);
}

/* ---- going through ---- */

struct walk {
	struct queue_tool *t;
	queue_entry_fn *fn;
	void *ctx;
	long count;
};

static bool
is_enough(const struct walk *w)
{
	return w->t->filter.n && w->count >= w->t->filter.n;
}

static int
call(struct walk *w, const struct queue_entry *entry, const struct item *it)
{
	int rc = 0;

	if (queue_filter_item(&w->t->filter, entry, it))
		rc = w->fn(w->ctx, entry, it);
	w->count += rc > 0;
	return rc;
}

/* Each recipient of an envelope. */
static int
call_all(struct walk *w, const struct queue_entry *entry,
    const struct item *envelope)
{
	size_t id_n = strlen(entry->name);
	int rc = 0;

	for (size_t i = 0; i < envelope->m.nrcpts && rc >= 0 && !is_enough(w);
	     i++) {
		struct queue_entry one = *entry;
		struct item it = *envelope;
		snprintf(one.name + id_n, sizeof(one.name) - id_n, ".%u",
		    (unsigned)i + 1);
		it.rcpt = envelope->m.rcpts[i];
		it.m.rcpts = &envelope->m.rcpts[i];
		it.m.nrcpts = 1;
		rc = call(w, &one, &it);
	}
	return rc;
}

static int
visit(struct walk *w, const struct queue_entry *entry)
{
	struct item it;
	int rc = 0;

	if (read_item(w->t, entry, &it))
		rc = is_envelope(entry) ? call_all(w, entry, &it)
					: call(w, entry, &it);
	arena_reset(w->t->step);
	return rc;
}

int
queue_walk(struct queue_tool *t, unsigned places, queue_entry_fn *fn, void *ctx,
    struct err *e)
{
	struct walk w = { t, fn, ctx, 0 };
	struct entries all = { NULL, 0, 0 };
	int rc = collect(t, places, &all, e);

	if (rc == 0)
		sort(t, &all);
	for (size_t i = 0; i < all.n && rc >= 0 && !is_enough(&w); i++)
		rc = visit(&w, &all.v[t->ascending ? i : all.n - 1 - i]);
	free(all.v);
	return rc < 0 ? -1 : 0;
}
