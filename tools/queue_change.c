/*
 * queue_change - move items, and say what is to become of them.
 *
 * To write into an item it is first put into hold/, where it is nobody's but
 * ours: a runner that was faster has it, and it is left alone; a crash leaves
 * it where the administrator sees it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/proc.h"
#include "config/schema.h"
#include "db/newfile.h"
#include "db/sync.h"
#include "tools/queue_tool.h"

#define REASON "canceled by administrator"

struct change {
	struct queue_tool *t;
	int64_t delay_us;  /* schedule */
	bool from_now;     /* not from the time it was to be tried at */
	const char *key;   /* of the line that is set */
	const char *value; /* its value; word of the line */
	size_t changed, active, todo;
};

/* ---- moving ---- */

/* 1 moved, 0 somebody else was faster, -1 said. A bucket may be removed by a
 * runner at the moment it is empty. */
static int
move(struct queue_tool *t, const char *name, const char *from, const char *to)
{
	const char *old = arena_printf(t->step, "%s/%s", from, name).p;
	const char *new = arena_printf(t->step, "%s/%s", to, name).p;
	struct err e = ERR_INIT;

	for (int i = 0; i < 3; i++) {
		int rc = file_mkdirs(t->q.fd, to, 0700, &e);
		if (rc == 0)
			rc = db_move(t->q.fd, old, t->q.fd, new, &e);
		if (rc > 0)
			return 1;
		if (rc < 0) {
			queue_tool_complain(t, &e);
			return -1;
		}
		if (errno != ENOENT || faccessat(t->q.fd, old, F_OK, 0) != 0)
			return 0;
	}
	return 0;
}

/* "due/BUCKET" for a time. */
static const char *
due_folder(struct queue_tool *t, int64_t us)
{
	char bucket[QUEUE_BUCKET];

	if (us <= t->now_us)
		return "due/now";
	queue_bucket(us, bucket);
	return arena_printf(t->step, "due/%s", bucket).p;
}

/* Put it where nobody else touches it: 1, 0 too late, -1. */
static int
take(struct queue_tool *t, const struct queue_entry *entry)
{
	return entry->place == PLACE_HOLD
	    ? 1
	    : move(t, entry->name, entry->folder, "hold");
}

/* Open the item in hold/. Its descriptor, or -1, which was said. */
static int
open_held(struct queue_tool *t, const char *name)
{
	const char *path = arena_printf(t->step, "hold/%s", name).p;
	struct err e = ERR_INIT;
	int fd, rc = item_open(t->q.fd, path, &fd, &e);

	if (rc < 0)
		queue_tool_complain(t, &e);
	return rc > 0 ? fd : -1;
}

/* Close it after a line was written: 1, -1 said. */
static int
close_held(struct queue_tool *t, int fd, int rc, const struct err *e)
{
	close(fd);
	if (rc < 0)
		queue_tool_complain(t, e);
	return rc < 0 ? -1 : 1;
}

static int
append_held(struct queue_tool *t, const char *name, const char *word,
    int64_t us, const char *text)
{
	struct err e = ERR_INIT;
	int fd = open_held(t, name);

	return fd < 0
	    ? -1
	    : close_held(t, fd, item_append(fd, word, us, &e, "%s", text), &e);
}

/* ---- each change, of one item that may be changed: as queue_entry_fn ---- */

static int
hold(struct change *c, const struct queue_entry *entry, const struct item *it)
{
	int rc;

	if (entry->place == PLACE_HOLD)
		return 0;
	rc = take(c->t, entry);
	/* The bucket is all that says when it was to be tried. */
	if (rc > 0 && entry->next_us > c->t->now_us &&
	    entry->next_us > it->next_us && entry->next_us > it->m.until_us)
		append_held(c->t, entry->name, "next", entry->next_us, "");
	return rc;
}

static int
unhold(struct change *c, const struct queue_entry *entry, const struct item *it)
{
	if (entry->place != PLACE_HOLD)
		return 0;
	return move(c->t, entry->name, "hold",
	    due_folder(c->t, queue_entry_next_us(entry, it)));
}

/* What is on hold stays there, and is to be tried then once it is released. */
static int
schedule(struct change *c, const struct queue_entry *entry,
    const struct item *it)
{
	int64_t now = c->t->now_us, us = queue_entry_next_us(entry, it);
	const char *folder;

	us = (c->from_now || us < now ? now : us) + c->delay_us;
	if (entry->place == PLACE_HOLD)
		return append_held(c->t, entry->name, "next", us, "");
	folder = due_folder(c->t, us);
	return strcmp(folder, entry->folder) == 0
	    ? 1
	    : move(c->t, entry->name, entry->folder, folder);
}

/* c->key, c->value: what the item is to say. */
static int
set(struct change *c, const struct queue_entry *entry, const struct item *it)
{
	struct err e = ERR_INIT;
	int fd, rc = take(c->t, entry);

	(void)it;
	if (rc <= 0)
		return rc;
	fd = open_held(c->t, entry->name);
	rc = fd < 0 ? -1
		    : close_held(c->t, fd,
			  item_set(fd, c->key, slice_str(c->value), &e), &e);
	if (entry->place != PLACE_HOLD &&
	    move(c->t, entry->name, "hold", entry->folder) < 0)
		return -1;
	return rc;
}

/* c->value: cancel or drop. The runner does what follows from it. */
static int
settle(struct change *c, const struct queue_entry *entry, const struct item *it)
{
	int rc;

	if (it->state == ITEM_CANCELED || it->state == ITEM_DROPPED)
		return 0;
	rc = take(c->t, entry);
	if (rc > 0)
		rc = append_held(c->t, entry->name, c->value, c->t->now_us,
		    REASON);
	return rc > 0 ? move(c->t, entry->name, "hold", "due/now") : rc;
}

/* ---- all that are meant ---- */

typedef int change_fn(struct change *c, const struct queue_entry *entry,
    const struct item *it);

struct changes {
	struct change *c;
	change_fn *fn;
};

static int
change_one(void *ctx, const struct queue_entry *entry, const struct item *it)
{
	const struct changes *cs = ctx;
	struct change *c = cs->c;
	int rc;

	if (entry->place == PLACE_ACTIVE || entry->place == PLACE_TODO) {
		c->active += entry->place == PLACE_ACTIVE;
		c->todo += entry->place == PLACE_TODO;
		return 0;
	}
	rc = cs->fn(c, entry, it);
	c->changed += rc > 0;
	return rc > 0; /* what failed was said; others go on */
}

static void
change_all(struct change *c, change_fn *fn)
{
	struct changes cs = { c, fn };
	struct queue_tool *t = c->t;
	struct err e = ERR_INIT;

	if (queue_walk(t,
		1U << PLACE_DUE | 1U << PLACE_HOLD | 1U << PLACE_ACTIVE |
		    1U << PLACE_TODO,
		change_one, &cs, &e) < 0)
		queue_tool_complain(t, &e);
	/* Any number of files and folders, at once. */
	if (c->changed && db_sync_all(t->q.fd, "queue", &e) < 0)
		queue_tool_complain(t, &e);
	if (c->changed)
		queue_poke(&t->q);
}

/* what: "messages changed". */
static int
change(struct change *c, change_fn *fn, const char *what)
{
	change_all(c, fn);
	printf("%zu %s\n", c->changed, what);
	if (fflush(stdout) != 0)
		c->t->failed = true;
	if (c->active)
		fprintf(stderr,
		    "mox-queue: %zu being delivered at this moment, left "
		    "alone\n",
		    c->active);
	if (c->todo)
		fprintf(stderr,
		    "mox-queue: %zu not yet taken up by mox-queued, left "
		    "alone\n",
		    c->todo);
	return c->t->failed ? EXIT_FAILED : EXIT_DONE;
}

int
queue_hold(struct queue_tool *t)
{
	struct change c = { .t = t };

	return change(&c, hold, "messages changed");
}

size_t
queue_hold_quietly(struct queue_tool *t)
{
	struct change c = { .t = t };

	change_all(&c, hold);
	return c.changed;
}

int
queue_unhold(struct queue_tool *t)
{
	struct change c = { .t = t };

	return change(&c, unhold, "messages changed");
}

int
queue_schedule(struct queue_tool *t, const char *duration, bool from_now)
{
	struct change c = { .t = t, .from_now = from_now };
	struct err e = ERR_INIT;
	int64_t ns;

	if (!schema_duration_parse(slice_str(duration), &ns)) {
		err_set(&e, ERR_SYNTAX,
		    "\"%s\" is no duration such as 1h30m, 15m or 0s", duration);
		queue_tool_complain(t, &e);
		return EXIT_USAGE;
	}
	c.delay_us = ns / 1000;
	return change(&c, schedule, "message(s) rescheduled");
}

static bool
has_transport(const struct queue_tool *t, const char *name)
{
	const struct conf_transports *all = &t->config->mox.transports;

	for (size_t i = 0; i < all->n; i++)
		if (slice_is(all->v[i].name, name))
			return true;
	return *name == '\0';
}

int
queue_transport(struct queue_tool *t, const char *name)
{
	struct change c = { .t = t, .key = "transport", .value = name };
	struct err e = ERR_INIT;

	if (!has_transport(t, name)) {
		err_set(&e, ERR_PERM, "no transport \"%s\" in %s", name,
		    t->config->path);
		queue_tool_complain(t, &e);
		return EXIT_FAILED;
	}
	return change(&c, set, "message(s) changed");
}

int
queue_requiretls(struct queue_tool *t, const char *value)
{
	struct change c = { .t = t, .key = "requiretls", .value = value };
	struct slice v = slice_str(value);
	struct err e = ERR_INIT;

	if (!slice_is(v, "yes") && !slice_is(v, "no") &&
	    !slice_is(v, "default")) {
		err_set(&e, ERR_SYNTAX, "requiretls is yes, no or default");
		queue_tool_complain(t, &e);
		return EXIT_USAGE;
	}
	return change(&c, set, "message(s) changed");
}

size_t
queue_fail_quietly(struct queue_tool *t)
{
	struct change c = { .t = t, .value = "cancel" };

	change_all(&c, settle);
	return c.changed;
}

int
queue_fail(struct queue_tool *t)
{
	struct change c = { .t = t, .value = "cancel" };

	return change(&c, settle, "message(s) marked as failed");
}

int
queue_drop(struct queue_tool *t)
{
	struct change c = { .t = t, .value = "drop" };

	return change(&c, settle, "message(s) dropped");
}
