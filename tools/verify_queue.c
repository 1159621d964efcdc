/*
 * verify_queue - items and their messages. What a crash leaves and the runner
 * mends by itself (queue/README) is no error.
 */
#include "tools/verify_queue.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/map.h"
#include "db/lock.h"
#include "db/newfile.h"
#include "queue/item.h"

#define WHAT "queue"
#define TMP_AGE_S 86400
#define ORPHAN_AGE_S 3600
#define LOOKS 3 /* an item may move while folders are looked at */
#define LOOK_AGAIN_MS 100

struct check {
	struct verify *v;
	int fd; /* data/queue */
	struct arena *arena;
	struct map *ids; /* of all items and envelopes that were seen */
};

typedef void entry_fn(struct check *c, const char *path, struct slice name);

/* Call fn for what has the name of an item, or of an envelope. */
static void
each_of(struct check *c, const char *folder, bool items, entry_fn *fn)
{
	struct slice *v, id;
	struct err e = ERR_INIT;
	unsigned number;
	size_t n = 0;

	if (file_list(c->fd, folder, c->arena, &v, &n, &e) < 0)
		verify_report(c->v, VERIFY_ERROR, WHAT, false, "%s", e.text);
	for (size_t i = 0; i < n; i++)
		if (queue_name(v[i], &id, &number) && (number > 0) == items)
			fn(c,
			    arena_printf(c->arena, "%s/%.*s", folder,
				SLICE_FMT(v[i]))
				.p,
			    v[i]);
}

/* The same for the folders in a folder. */
static void
each_below(struct check *c, const char *above, bool items, entry_fn *fn)
{
	struct slice *v;
	size_t n = 0;

	file_list(c->fd, above, c->arena, &v, &n, NULL);
	for (size_t i = 0; i < n; i++)
		each_of(c,
		    arena_printf(c->arena, "%s/%.*s", above, SLICE_FMT(v[i])).p,
		    items, fn);
}

/* ---- messages without item ---- */

static void
note_id(struct check *c, const char *path, struct slice name)
{
	(void)path;
	map_set(c->ids, slice_head(name, QUEUE_ID), c);
}

static void
look_for_ids(struct check *c)
{
	each_of(c, "todo", false, note_id);
	each_of(c, "hold", false, note_id);
	each_of(c, "hold", true, note_id);
	each_below(c, "active", false, note_id);
	each_below(c, "active", true, note_id);
	each_below(c, "due", true, note_id);
}

static bool
is_old(struct check *c, const char *path, int age_s)
{
	struct stat st;

	return fstatat(c->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_ctime < time(NULL) - age_s;
}

struct orphans {
	const char **v;
	size_t n;
};

static void
find_orphans(struct check *c, struct orphans *o)
{
	struct slice *folders, *names, id;
	size_t nfolders = 0, n, room = 0;
	unsigned number;

	file_list(c->fd, "msg", c->arena, &folders, &nfolders, NULL);
	for (size_t i = 0; i < nfolders; i++) {
		const char *folder =
		    arena_printf(c->arena, "msg/%.*s", SLICE_FMT(folders[i])).p;
		n = 0;
		file_list(c->fd, folder, c->arena, &names, &n, NULL);
		for (size_t k = 0; k < n; k++) {
			const char *path;
			if (!queue_name(names[k], &id, &number) ||
			    map_has(c->ids, id))
				continue;
			path = arena_printf(c->arena, "%s/%.*s", folder,
			    SLICE_FMT(names[k]))
				   .p;
			if (!is_old(c, path, ORPHAN_AGE_S))
				continue;
			if (o->n == room) {
				o->v = arena_grow(c->arena, o->v, room,
				    room ? 2 * room : 16, sizeof(*o->v));
				room = room ? 2 * room : 16;
			}
			o->v[o->n++] = path;
		}
	}
}

static void
check_orphans(struct check *c)
{
	struct orphans o = { NULL, 0 };

	look_for_ids(c);
	find_orphans(c, &o);
	/* Seen once is enough: what is here and there is looked for again. */
	for (int i = 1; o.n > 0 && i < LOOKS; i++) {
		clock_sleep_ms(LOOK_AGAIN_MS);
		look_for_ids(c);
	}
	for (size_t i = 0; i < o.n; i++) {
		struct slice path = slice_str(o.v[i]), name;
		bool fixed;
		name = slice_skip(path, (size_t)slice_rchr(path, '/') + 1);
		if (map_has(c->ids, slice_head(name, QUEUE_ID)))
			continue;
		fixed = c->v->fix && db_unlink(c->fd, o.v[i], NULL) >= 0;
		verify_report(c->v, VERIFY_NOTE, WHAT, fixed,
		    "%s: message without item", o.v[i]);
	}
}

/* ---- items ---- */

/* False: it is gone, or moved on. */
static bool
is_there(struct check *c, const char *path)
{
	return faccessat(c->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool
set_aside(struct check *c, const char *path, struct slice name)
{
	const char *held =
	    arena_printf(c->arena, "hold/%.*s", SLICE_FMT(name)).p;

	return c->v->fix && db_move(c->fd, path, c->fd, held, NULL) == 1;
}

/* Its message is gone: it fails, and the sender is told. */
static bool
fail_item(struct check *c, const char *path, struct slice name)
{
	const char *held =
	    arena_printf(c->arena, "hold/%.*s", SLICE_FMT(name)).p;
	const char *now =
	    arena_printf(c->arena, "due/now/%.*s", SLICE_FMT(name)).p;
	int fd, rc;

	if (!c->v->fix ||
	    (!slice_starts(slice_str(path), SLICE("hold/")) &&
		db_move(c->fd, path, c->fd, held, NULL) < 1) ||
	    item_open(c->fd, held, &fd, NULL) < 1)
		return false;
	rc = item_append(fd, "failed", clock_us(NULL), NULL,
	    "- 554 5.3.0 its file in the queue is gone");
	close(fd);
	return rc == 0 && db_move(c->fd, held, c->fd, now, NULL) == 1;
}

static void
check_item(struct check *c, const char *path, struct slice name)
{
	bool held = slice_starts(slice_str(path), SLICE("hold/"));
	struct arena *arena = arena_new(0);
	struct err e = ERR_INIT;
	struct item it;
	int rc = item_read(c->fd, path, arena, &it, &e);

	if (rc < 0 && is_there(c, path))
		verify_report(c->v, VERIFY_ERROR, WHAT,
		    !held && set_aside(c, path, name), "%s%s", e.text,
		    held ? ": mend it, or remove it" : "");
	/* What is finished has none, once the runner has begun to remove it. */
	if (rc > 0 && it.state != ITEM_DELIVERED && it.state != ITEM_FAILED &&
	    it.state != ITEM_DROPPED &&
	    !is_there(c, queue_message_path(arena, name).p) &&
	    is_there(c, path))
		verify_report(c->v, VERIFY_ERROR, WHAT,
		    fail_item(c, path, name), "%s: its message is gone", path);
	arena_free(&arena);
}

static void
check_envelope(struct check *c, const char *path, struct slice name)
{
	bool held = slice_starts(slice_str(path), SLICE("hold/"));
	struct arena *arena = arena_new(0);
	struct err e = ERR_INIT;
	struct item it;

	if (item_read_envelope(c->fd, path, arena, &it, &e) < 0 &&
	    is_there(c, path))
		verify_report(c->v, VERIFY_ERROR, WHAT,
		    !held && set_aside(c, path, name), "%s%s", e.text,
		    held ? ": mend it and mv it to todo/, or remove it" : "");
	else if (held && is_there(c, path))
		verify_report(c->v, VERIFY_NOTE, WHAT, false,
		    "%s: an envelope on hold: mv it to todo/", path);
	arena_free(&arena);
}

/* ---- temporary files, runners that are no more ---- */

static void
check_tmp(struct check *c)
{
	struct slice *v;
	size_t n = 0;

	file_list(c->fd, "tmp", c->arena, &v, &n, NULL);
	for (size_t i = 0; i < n; i++) {
		const char *path =
		    arena_printf(c->arena, "tmp/%.*s", SLICE_FMT(v[i])).p;
		if (slice_ends(v[i], SLICE(".tmp")) &&
		    is_old(c, path, TMP_AGE_S))
			verify_report(c->v, VERIFY_NOTE, WHAT,
			    c->v->fix && db_unlink(c->fd, path, NULL) >= 0,
			    "%s: left over", path);
	}
}

/* The folder of a runner that has ended, with nothing in it but its lock. */
static void
check_runner(struct check *c, const char *path)
{
	struct db_lock lock = DB_LOCK_INIT;
	struct slice *v;
	size_t n = 0;
	int fd = openat(c->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool fixed = false;

	if (fd < 0)
		return;
	file_list(fd, ".", c->arena, &v, &n, NULL);
	if ((n == 0 || (n == 1 && slice_is(v[0], ".lock"))) &&
	    is_old(c, path, ORPHAN_AGE_S) &&
	    db_lock(&lock, fd, ".lock", DB_LOCK_LEASE, 0, NULL) == 1) {
		if (c->v->fix)
			fixed = unlinkat(fd, ".lock", 0) == 0 &&
			    unlinkat(c->fd, path, AT_REMOVEDIR) == 0;
		verify_report(c->v, VERIFY_NOTE, WHAT, fixed,
		    "%s: of a runner that is no more, and empty", path);
		db_unlock(&lock);
	}
	close(fd);
}

static void
check_runners(struct check *c)
{
	struct slice *v;
	size_t n = 0;

	file_list(c->fd, "active", c->arena, &v, &n, NULL);
	for (size_t i = 0; i < n; i++)
		check_runner(c,
		    arena_printf(c->arena, "active/%.*s", SLICE_FMT(v[i])).p);
}

/* ---- all ---- */

/* Items in active/ are their runner's: it, or the next, mends them. */
int
verify_queue(struct verify *v, struct err *e)
{
	struct check c = { .v = v };

	c.fd = openat(v->env->data_fd, "queue",
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c.fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "queue");
	c.arena = arena_new(0);
	c.ids = map_new();
	each_of(&c, "todo", false, check_envelope);
	each_of(&c, "hold", false, check_envelope);
	each_of(&c, "hold", true, check_item);
	each_below(&c, "due", true, check_item);
	check_orphans(&c);
	check_tmp(&c);
	check_runners(&c);
	map_free(&c.ids);
	arena_free(&c.arena);
	close(c.fd);
	return 0;
}
