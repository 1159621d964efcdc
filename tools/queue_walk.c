/*
 * queue_walk - through the folders of the queue: names first, then, in order
 * and only as far as needed, the files.
 *
 * Of a queue of any length KEPT names are in memory, those that come next, and
 * as many that may be; when they have been gone through the folders are read
 * again for those behind them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "tools/queue_tool.h"

/* Of 64 bytes each: 16 MB at most. A million recipients are eight times through
 * the folders, which is little beside opening a million files. */
#define KEPT 131072

struct entries {
	struct queue_tool *t;
	bool by_name;
	struct queue_entry *v; /* room for 2 * kept */
	size_t n, kept;
	bool more;               /* there are others behind v[kept - 1] */
	bool begun;              /* all up to and with last are done */
	struct queue_entry last; /* gone through */
	/* The folder being read. */
	enum queue_place place;
	const char *folder;
	int64_t next_us;
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

/* ---- order ---- */

static int
compare(const void *a, const void *b, void *ctx)
{
	const struct entries *all = ctx;
	const struct queue_entry *x = a, *y = b;
	int c = strcmp(x->name, y->name);

	if (!all->by_name && x->next_us != y->next_us)
		c = x->next_us < y->next_us ? -1 : 1;
	return all->t->ascending ? c : -c;
}

static void
sort(struct entries *all)
{
	qsort_r(all->v, all->n, sizeof(*all->v), compare, all);
}

/* Only those that come first. */
static void
cut(struct entries *all)
{
	if (all->n <= all->kept)
		return;
	all->n = all->kept;
	all->more = true;
}

/* Is it behind what has been gone through, and not behind what is kept? */
static bool
is_wanted(struct entries *all, const struct queue_entry *entry)
{
	return (!all->begun || compare(&all->last, entry, all) < 0) &&
	    (!all->more || compare(entry, &all->v[all->kept - 1], all) < 0);
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

/* ---- names ---- */

static bool
add_entry(void *ctx, struct slice name)
{
	struct entries *all = ctx;
	const struct queue_filter *filter = &all->t->filter;
	enum queue_place place = all->place;
	struct queue_entry entry = {
		.place = place, .folder = all->folder, .next_us = all->next_us
	};
	struct slice id;
	unsigned n;

	/* todo/ has envelopes, active/ may have, all others items. */
	if (!queue_name(name, &id, &n) || (n > 0 && place == PLACE_TODO) ||
	    (n == 0 && place != PLACE_TODO && place != PLACE_ACTIVE) ||
	    !queue_filter_name(filter, name) ||
	    !slice_cstr(name, entry.name, sizeof(entry.name)) ||
	    !queue_filter_entry(filter, &entry))
		return true;
	if (!all->by_name && (place == PLACE_HOLD || place == PLACE_RETIRED))
		look_inside(all->t, &entry);
	if (!is_wanted(all, &entry))
		return true;
	if (all->n == 2 * all->kept) {
		sort(all);
		cut(all);
	}
	all->v[all->n++] = entry;
	return true;
}

/* Names that a runner has, which are few. */
static int
add_active(struct entries *all, struct err *e)
{
	struct arena *arena = arena_new(0);
	struct slice *names;
	size_t n = 0;
	int rc = file_list(all->t->q.fd, all->folder, arena, &names, &n, e);

	for (size_t i = 0; i < n; i++)
		/* An envelope whose items have files: ID, ID.1, ... */
		if (i + 1 == n || !slice_starts(names[i + 1], names[i]))
			add_entry(all, names[i]);
	arena_free(&arena);
	return rc;
}

/* Of one folder; which may be gone by now. */
static int
add_folder(struct entries *all, enum queue_place place, const char *folder,
    int64_t next_us, struct err *e)
{
	all->place = place;
	all->folder = folder;
	all->next_us = next_us;
	return (place == PLACE_ACTIVE
		       ? add_active(all, e)
		       : file_each(all->t->q.fd, folder, add_entry, all, e)) < 0
	    ? -1
	    : 0;
}

/* May entries of a folder, which are all due then, be wanted? */
static bool
may_be_wanted(const struct entries *all, int64_t next_us)
{
	int64_t from = all->last.next_us;
	int64_t to = all->more ? all->v[all->kept - 1].next_us : next_us;

	if (all->by_name)
		return true;
	return all->t->ascending
	    ? (!all->begun || next_us >= from) && next_us <= to
	    : (!all->begun || next_us <= from) && next_us >= to;
}

/* Of the folders in a folder. */
static int
add_folders(struct entries *all, struct arena *arena, enum queue_place place,
    const char *above, struct err *e)
{
	struct slice *names;
	size_t n = 0;
	int rc = file_list(all->t->q.fd, above, arena, &names, &n, e);

	for (size_t i = 0; i < n && rc >= 0; i++) {
		const char *folder =
		    arena_printf(arena, "%s/%.*s", above, SLICE_FMT(names[i]))
			.p;
		int64_t us = 0;
		if (place == PLACE_DUE &&
		    (!queue_bucket_time(names[i], &us) ||
			!may_be_wanted(all, us)))
			continue;
		rc = add_folder(all, place, folder, us, e);
	}
	return rc < 0 ? -1 : 0;
}

/* The next ones. Names of folders go to the arena. */
static int
collect(struct entries *all, unsigned places, struct arena *arena,
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

	all->n = 0;
	all->more = false;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		int rc = 0;
		if (!(places & 1U << folders[i].place))
			continue;
		if (folders[i].deep)
			rc = add_folders(all, arena, folders[i].place,
			    folders[i].folder, e);
		else
			rc = add_folder(all, folders[i].place,
			    folders[i].folder, 0, e);
		if (rc < 0)
			return -1;
	}
	sort(all);
	cut(all);
	return 0;
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
	struct arena *arena = arena_new(0);
	struct entries all = { .t = t,
		/* Names begin with the time that they were queued at. */
		.by_name = slice_is(slice_str(t->sort), "queued"),
		.kept = t->kept ? t->kept : KEPT };
	int rc;

	all.v = xreallocarray(NULL, 2 * all.kept, sizeof(*all.v));
	do {
		arena_reset(arena);
		rc = collect(&all, places, arena, e);
		for (size_t i = 0; i < all.n && rc >= 0 && !is_enough(&w); i++)
			rc = visit(&w, &all.v[i]);
		all.begun = all.n > 0;
		if (all.begun)
			all.last = all.v[all.n - 1];
	} while (all.more && rc >= 0 && !is_enough(&w));
	free(all.v);
	arena_free(&arena);
	return rc < 0 ? -1 : 0;
}
