/*
 * rethread.c - the threads of all messages anew.
 *
 * They are assigned, twice, in the order that messages were received, over all
 * mailboxes, with a table of their own beside that of the account, which nobody
 * sees. Then the indexes learn what differs; then the account's table, which is
 * never without what it knows, so that deliveries go on with it. At the end come
 * the messages that were delivered meanwhile. Stopped on the way, some messages
 * have their new thread and some the old, until it is run again.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "store/repair_int.h"

/* Mailboxes kept open: messages of one time are in a few. About ten descriptors
 * each. */
#define OPEN_MAX 64

/* A message: 32 bytes each are kept of all. */
struct item {
	int64_t received;
	uint64_t thread; /* 0: it is gone */
	uint32_t uid, box;
};

struct box {
	struct slice name;
	uint32_t uidvalidity, uidnext; /* when it was read */
	struct mailbox *mb;            /* while it is open */
	uint64_t used;
};

struct rethread {
	struct repair *r;
	struct arena *arena;
	struct box *boxes;
	size_t nboxes, nopen;
	uint64_t clock;
	struct item *items;
	size_t n, size;
	struct store aside; /* for its table of threads */
	uint64_t done;
};

/* ---- open mailboxes ---- */

static void
close_box(struct rethread *rt, struct box *b)
{
	if (b->mb == NULL)
		return;
	mailbox_close(&b->mb);
	rt->nopen--;
}

static void
close_oldest(struct rethread *rt)
{
	struct box *oldest = NULL;

	for (size_t i = 0; i < rt->nboxes; i++) {
		struct box *b = &rt->boxes[i];

		if (b->mb != NULL && (!oldest || b->used < oldest->used))
			oldest = b;
	}
	if (oldest != NULL)
		close_box(rt, oldest);
}

/* 1; 0 it is not there any more, or another one; -1. */
static int
open_box(struct rethread *rt, struct box *b, struct err *e)
{
	int rc;

	b->used = ++rt->clock;
	if (b->mb != NULL)
		return 1;
	if (rt->nopen == OPEN_MAX)
		close_oldest(rt);
	rc = index_open(&b->mb, rt->r->st, b->name, false, e);
	if (rc != 1)
		return rc;
	rt->nopen++;
	return b->uidvalidity == 0 || b->mb->ix.uidvalidity == b->uidvalidity;
}

/* ---- which messages ---- */

static void
add_item(struct rethread *rt, const struct record *r, uint32_t box)
{
	if (rt->n == rt->size) {
		rt->size = rt->size == 0 ? 1024 : 2 * rt->size;
		rt->items =
		    xreallocarray(rt->items, rt->size, sizeof(*rt->items));
	}
	rt->items[rt->n++] = (struct item){
		.received = r->msg.received, .uid = r->msg.uid, .box = box
	};
}

static int
collect_box(struct rethread *rt, uint32_t box, struct err *e)
{
	struct box *b = &rt->boxes[box];
	const struct record *r;
	uint32_t uid = 0;
	int rc = open_box(rt, b, e);

	if (rc != 1)
		return rc;
	b->uidvalidity = b->mb->ix.uidvalidity;
	b->uidnext = b->mb->ix.uidnext;
	while ((r = repair_next(b->mb, &uid)) != NULL)
		add_item(rt, r, box);
	return store_progress(rt->r->st, 0, rt->n, e);
}

static int
collect(struct rethread *rt, struct err *e)
{
	struct mailbox_folder *v;
	size_t n;

	if (list_folders(rt->r->st, rt->arena, &v, &n, e) < 0)
		return -1;
	rt->boxes = arena_array(rt->arena, n + 1, sizeof(*rt->boxes));
	rt->boxes[rt->nboxes++].name = SLICE("Inbox");
	for (size_t i = 0; i < n; i++)
		rt->boxes[rt->nboxes++].name = v[i].name;
	for (size_t i = 0; i < rt->nboxes; i++)
		if (collect_box(rt, (uint32_t)i, e) < 0)
			return -1;
	return 0;
}

static int
by_box(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->box != y->box)
		return x->box < y->box ? -1 : 1;
	return x->uid < y->uid ? -1 : x->uid > y->uid;
}

static int
by_time(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->received != y->received)
		return x->received < y->received ? -1 : 1;
	return by_box(a, b);
}

/* ---- threads ---- */

static int
assign(struct rethread *rt, struct item *item, bool again, struct err *e)
{
	struct box *b = &rt->boxes[item->box];
	const struct record *r;
	struct store_msg m;
	struct slice record;
	int rc = open_box(rt, b, e);

	if (rc != 1)
		return rc;
	r = index_get(&b->mb->ix, item->uid);
	if (r == NULL)
		return 0;
	m = r->msg;
	rc = mailbox_record(b->mb, &m, &record, e);
	if (rc == 1)
		item->thread =
		    threads_assign_anew(&rt->aside, record, &m, again);
	return rc < 0 ? -1 : 0;
}

static int
assign_all(struct rethread *rt, bool again, struct err *e)
{
	for (size_t i = 0; i < rt->n; i++) {
		if (assign(rt, &rt->items[i], again, e) < 0)
			return -1;
		if (i % REPAIR_BATCH != 0)
			continue;
		threads_tidy(&rt->aside);
		if (store_progress(rt->r->st, i, rt->n, e) < 0)
			return -1;
	}
	return 0;
}

/* ---- the indexes ---- */

/* Under the lock; returns how many have another thread now. */
static int64_t
append_threads(struct mailbox *mb, const struct item *v, size_t n,
    struct err *e)
{
	struct lines ls = LINES_INIT;
	int64_t changed = 0;
	int rc;

	for (size_t i = 0; i < n; i++) {
		const struct record *r = index_get(&mb->ix, v[i].uid);

		if (r == NULL || v[i].thread == 0 ||
		    r->msg.thread == v[i].thread)
			continue;
		repair_cache_line(&ls, r, r->cache, v[i].thread);
		changed++;
	}
	rc = repair_append(mb, &ls, e);
	lines_free(&ls);
	return rc < 0 ? -1 : changed;
}

static int64_t
tell_threads(struct rethread *rt, struct box *b, const struct item *v, size_t n,
    struct err *e)
{
	int64_t changed = 0, more;

	for (size_t i = 0; i < n; i += REPAIR_BATCH) {
		if (index_lock(b->mb, e) != 0)
			return -1;
		more = b->mb->ix.uidvalidity != b->uidvalidity
		    ? 0
		    : append_threads(b->mb, v + i,
			  n - i < REPAIR_BATCH ? n - i : REPAIR_BATCH, e);
		index_unlock(b->mb);
		if (more < 0 ||
		    store_progress(rt->r->st, rt->done += REPAIR_BATCH, rt->n,
			e) < 0)
			return -1;
		changed += more;
		mailbox_tidy(b->mb, 0);
	}
	return index_sync(b->mb, NULL, e) == 0 ? changed : -1;
}

static int
change_box(struct rethread *rt, struct box *b, const struct item *v, size_t n,
    struct err *e)
{
	struct repair_note note = { .messages = n };
	int64_t changed = 0;
	int rc = open_box(rt, b, e);

	rt->r->at = b->name;
	if (rc == 1)
		changed = tell_threads(rt, b, v, n, e);
	if (rc < 0 || changed < 0)
		return -1;
	note.changed = (uint64_t)changed;
	if (rc == 1 && changed > 0)
		repair_tell(rt->r, b->mb, note,
		    "%s: %llu of %llu messages are in another thread",
		    b->mb->name, (unsigned long long)changed,
		    (unsigned long long)n);
	else if (rc == 1)
		repair_tell(rt->r, b->mb, note, NULL);
	close_box(rt, b);
	return 0;
}

static int
change_all(struct rethread *rt, struct err *e)
{
	size_t next = 0;

	if (rt->n > 0)
		qsort(rt->items, rt->n, sizeof(*rt->items), by_box);
	for (size_t i = 0; i < rt->nboxes; i++) {
		size_t from = next;

		while (next < rt->n && rt->items[next].box == i)
			next++;
		if (change_box(rt, &rt->boxes[i], rt->items + from, next - from,
			e) < 0)
			return -1;
	}
	return 0;
}

/* ---- what came meanwhile ---- */

static int
late_message(struct box *b, uint32_t uid, struct err *e)
{
	const struct record *r = index_get(&b->mb->ix, uid);
	struct store_msg m = r->msg;
	struct item item = { .uid = uid };
	struct slice record;
	int rc = mailbox_record(b->mb, &m, &record, e);

	if (rc != 1)
		return rc;
	item.thread = threads_assign_anew(b->mb->st, record, &m, true);
	if (index_lock(b->mb, e) != 0)
		return -1;
	rc = b->mb->ix.uidvalidity == b->uidvalidity
	    ? (int)append_threads(b->mb, &item, 1, e)
	    : 0;
	index_unlock(b->mb);
	return rc < 0 ? -1 : 0;
}

static int
late_messages(struct rethread *rt, struct box *b, struct err *e)
{
	uint32_t uid = b->uidnext - 1;
	int rc = b->uidnext > 0 ? open_box(rt, b, e) : 0;

	if (rc == 1 && index_refresh(b->mb, e) < 0)
		rc = -1;
	while (rc == 1 && repair_next(b->mb, &uid) != NULL)
		if (late_message(b, uid, e) < 0)
			rc = -1;
	if (rc == 1)
		rc = index_sync(b->mb, NULL, e);
	close_box(rt, b);
	return rc < 0 ? -1 : 0;
}

static int
late_all(struct rethread *rt, struct err *e)
{
	for (size_t i = 0; i < rt->nboxes; i++)
		if (late_messages(rt, &rt->boxes[i], e) < 0)
			return -1;
	return 0;
}

/* ---- all ---- */

static int
run(struct rethread *rt, struct err *e)
{
	if (collect(rt, e) < 0)
		return -1;
	if (rt->n > 0)
		qsort(rt->items, rt->n, sizeof(*rt->items), by_time);
	/* Once more, for replies that came before what they reply to. */
	if (assign_all(rt, false, e) < 0 || assign_all(rt, true, e) < 0 ||
	    change_all(rt, e) < 0)
		return -1;
	rt->r->at = SLICE_NULL;
	if (rt->aside.threads != NULL &&
	    threads_take(rt->r->st, rt->aside.threads, e) < 0)
		return -1;
	return late_all(rt, e);
}

/* A folder of the account for the table, which mox-verifydata knows as left
 * over should we be killed. */
static int
make_aside(struct rethread *rt, char name[], struct err *e)
{
	const struct store *st = rt->r->st;

	rand_text(st->env->rand, name + sizeof(".threads.") - 1, 12);
	name[sizeof(".threads.") - 1 + 12] = '.';
	rt->aside = (struct store){
		.env = st->env, .name = st->name, .fd = -1, .maildir_fd = -1
	};
	if (file_mkdirs(st->fd, name, store_folder_mode(st->env), e) < 0)
		return -1;
	rt->aside.fd = openat(st->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return rt->aside.fd < 0 ? err_sys(e, "%s", name) : 0;
}

int
repair_rethread(struct repair *r, struct err *e)
{
	struct rethread rt = { .r = r, .arena = arena_new(0) };
	char name[] = ".threads.RRRRRRRRRRRR.tmp";
	int rc = make_aside(&rt, name, e);

	if (rc == 0)
		rc = run(&rt, e);
	for (size_t i = 0; i < rt.nboxes; i++)
		close_box(&rt, &rt.boxes[i]);
	db_table_close(&rt.aside.threads);
	if (rt.aside.fd >= 0)
		close(rt.aside.fd);
	file_remove_tree(r->st->fd, name, NULL);
	r->at = SLICE_NULL;
	free(rt.items);
	arena_free(&rt.arena);
	if (rc == 0)
		store_poke(r->st);
	return rc;
}
