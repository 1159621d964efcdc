/*
 * tidy.c - what can wait until the answer is out: files of expunged messages,
 * flags into names, messages from new/ to cur/, the fold.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "db/newfile.h"
#include "db/sync.h"
#include "store/index.h"

/* Files worked on between two syncs; below 10 ms under the lock. */
#define BATCH 1000
/* Flags set one after the other share one sync of the folder. */
#define NAMES_MS 2000

/*
 * The tail is read at each opening, so it should be short; a CDB is written
 * whole, so folds should be few. A 64th of the CDB, but no more than TAIL_MAX:
 * at 100,000 messages (14 MB) a fold of 35 ms comes every 1,000 deliveries and
 * opening takes 0.4 ms at most; at a million 0.4 s every 4,500, and 2 ms.
 */
#define TAIL_SHARE 64
#define TAIL_MAX (1024 * 1024)
/* Between two commands, of which the next may be on its way, only when it is so
 * many times as long; else when the client waits or has gone. */
#define TAIL_BUSY 4

/* After a failure (full disk) leave it alone for so long. */
#define RETRY_MS 30000
/* Most time for what is left at closing. */
#define CLOSE_MS 1000

/* ---- files of expunged messages ---- */

static bool
unlink_at(int dirfd, const char *file)
{
	return unlinkat(dirfd, file, 0) == 0 || errno != ENOENT;
}

/* Under a name given since by others: any with the same base name. */
static void
unlink_renamed(struct mailbox *mb, const struct found *v, size_t n,
    struct slice name)
{
	char file[LAYOUT_NAME];
	struct slice base, rest;

	slice_cut(name, ':', &base, &rest);
	for (size_t i = 0; i < n; i++)
		if (slice_eq(v[i].name.base, base) &&
		    slice_cstr(v[i].file, file, sizeof(file)))
			unlinkat(v[i].place == RECORD_NEW ? mb->folder.new
							  : mb->folder.cur,
			    file, 0);
}

/* Remove the files of records; those not found are left in v. Returns how
 * many. */
static uint32_t
unlink_known(struct mailbox *mb, struct record *v, uint32_t n)
{
	char file[LAYOUT_NAME];
	uint32_t left = 0;

	for (uint32_t i = 0; i < n; i++)
		if (!record_file(&mb->ix, &v[i], file) ||
		    !unlink_at(record_dir(mb, &v[i]), file))
			v[left++] = v[i];
	return left;
}

static int
unlink_searched(struct mailbox *mb, const struct record *v, uint32_t n,
    struct err *e)
{
	struct listing l = { .arena = arena_new(0) };
	int rc = -1;

	if (scan_list(mb, &l, RECORD_NEW, e) == 0 &&
	    scan_list(mb, &l, RECORD_CUR, e) == 0) {
		for (uint32_t i = 0; i < n; i++)
			unlink_renamed(mb, l.v, l.n,
			    index_name(&mb->ix, &v[i]));
		rc = 0;
	}
	free(l.v);
	arena_free(&l.arena);
	return rc;
}

static int
sync_both(struct mailbox *mb, struct err *e)
{
	return db_fsync_dir(mb->folder.cur, "cur", e) == 0
	    ? db_fsync_dir(mb->folder.new, "new", e)
	    : -1;
}

/* The lines must not come to disk before the folders, or a file that a power
 * cut brings back is taken for a new message. */
static int
forget_unlinked(struct mailbox *mb, const struct uidset *uids, struct err *e)
{
	struct line l = { .type = 'u', .uids = *uids };
	struct lines ls = LINES_INIT;
	int rc = sync_both(mb, e);

	if (rc == 0)
		rc = index_lock(mb, e);
	if (rc != 0)
		return rc;
	lines_add(&ls, &l);
	rc = index_append(mb, &ls, e);
	index_unlock(mb);
	lines_free(&ls);
	return rc;
}

static int
tidy_unlinks(struct mailbox *mb, struct err *e)
{
	struct arena *arena = arena_new(0);
	struct uidset uids = UIDSET_INIT(arena);
	uint32_t n = mb->ix.nunlinks < BATCH ? mb->ix.nunlinks : BATCH, left;
	struct record *v = arena_array(arena, n, sizeof(*v));
	struct own_change own;
	int rc;

	/* Files go only when their lines are on disk for good. */
	rc = index_sync(mb, NULL, e);
	if (rc == 0)
		rc = index_lock(mb, e);
	if (rc != 0)
		goto out;
	n = mb->ix.nunlinks < n ? mb->ix.nunlinks : n;
	for (uint32_t i = 0; i < n; i++) {
		v[i] = mb->ix.unlinks[i];
		uidset_add(&uids, v[i].msg.uid, v[i].msg.uid);
	}
	scan_before(mb, &own);
	left = unlink_known(mb, v, n);
	if (left > 0)
		rc = unlink_searched(mb, v, left, e);
	scan_after(mb, &own, false, NULL);
	index_unlock(mb);
	if (rc == 0 && n > 0)
		rc = forget_unlinked(mb, &uids, e) == 0 ? 1 : -1;
out:
	arena_free(&arena);
	return rc;
}

/* ---- flags into names, new/ to cur/ ---- */

/* Names given in one batch; the lines of all chosen are `w` before, `d` when
 * the folders are synced. Until then a scan may meet the old name or the new. */
struct rename {
	struct mailbox *mb;
	struct arena *arena;
	struct renaming *v;
	size_t n;
};

static bool
there(int dirfd, const char *file)
{
	return faccessat(dirfd, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Choose from a set, up to BATCH in all. */
static void
choose(struct rename *rn, const struct uidset *set)
{
	const struct mailbox *mb = rn->mb;
	struct uidwalk w = uidset_walk(set);
	uint32_t uid;

	while (rn->n < BATCH && uidset_step(&w, &uid)) {
		const struct record *r = index_get(&mb->ix, uid);
		struct renaming *to = &rn->v[rn->n];

		if (r == NULL || uid >= mb->view.uidnext ||
		    index_renaming(&mb->ix, uid) != NULL)
			continue;
		to->uid = uid;
		index_wanted(&mb->ix, r, &to->disk, &to->letters);
		rn->n++;
	}
}

static bool
same_name(const struct renaming *a, const struct renaming *b)
{
	return a->disk == b->disk && a->letters == b->letters;
}

static int
by_name(const void *a, const void *b)
{
	const struct renaming *x = a, *y = b;

	if (x->disk != y->disk)
		return x->disk < y->disk ? -1 : 1;
	if (x->letters != y->letters)
		return x->letters < y->letters ? -1 : 1;
	return x->uid < y->uid ? -1 : x->uid > y->uid;
}

/* One line of the type for all that get the same flags. */
static int
append_names(struct rename *rn, char type, struct err *e)
{
	struct lines ls = LINES_INIT;
	int rc = 0;

	qsort(rn->v, rn->n, sizeof(*rn->v), by_name);
	for (size_t i = 0, next; i < rn->n; i = next) {
		struct line l = { .type = type,
			.uids = UIDSET_INIT(rn->arena),
			.record = { .place = RECORD_CUR,
			    .disk = rn->v[i].disk,
			    .letters = rn->v[i].letters } };

		for (next = i;
		     next < rn->n && same_name(&rn->v[i], &rn->v[next]); next++)
			uidset_add(&l.uids, rn->v[next].uid, rn->v[next].uid);
		lines_add(&ls, &l);
	}
	if (ls.n > 0)
		rc = index_append(rn->mb, &ls, e);
	lines_free(&ls);
	return rc;
}

/* From the recorded name to the chosen one. False: it is not there, and a
 * scan will see why. */
static bool
give_name(const struct mailbox *mb, const struct renaming *to)
{
	const struct record *r = index_get(&mb->ix, to->uid);
	char from[LAYOUT_NAME], file[LAYOUT_NAME];

	return r != NULL && record_file(&mb->ix, r, from) &&
	    layout_with_flags(index_name(&mb->ix, r), to->disk, to->letters,
		file) &&
	    db_move(record_dir(mb, r), from, mb->folder.cur, file, NULL) == 1;
}

static int
give_names(struct rename *rn, struct err *e)
{
	struct mailbox *mb = rn->mb;
	struct own_change own;

	rn->n = 0;
	choose(rn, &mb->ix.dirty);
	choose(rn, &mb->ix.in_new);
	if (append_names(rn, 'w', e) != 0)
		return -1;
	scan_before(mb, &own);
	for (size_t i = 0; i < rn->n; i++)
		give_name(mb, &rn->v[i]);
	scan_after(mb, &own, false, NULL);
	return 0;
}

/*
 * When the folders are synced: what has its new name is recorded. What has the
 * old one (a crash came before the rename) is given up: a line with the old.
 */
static int
record_names(struct rename *rn, const struct renaming *synced, size_t n,
    struct err *e)
{
	struct mailbox *mb = rn->mb;
	char file[LAYOUT_NAME];

	rn->n = 0;
	for (size_t i = 0; i < n; i++) {
		struct renaming to = synced[i];
		const struct record *r = index_get(&mb->ix, to.uid);

		if (r == NULL || !record_file_renamed(&mb->ix, r, file))
			continue;
		if (!there(mb->folder.cur, file)) {
			if (r->place != RECORD_CUR ||
			    !record_file(&mb->ix, r, file) ||
			    !there(mb->folder.cur, file))
				continue;
			to.disk = r->disk;
			to.letters = r->letters;
		}
		rn->v[rn->n++] = to;
	}
	return append_names(rn, 'd', e);
}

/* One batch: with what a crashed process was at, and then new ones. */
static int
tidy_names(struct mailbox *mb, struct err *e)
{
	struct rename rn = { .mb = mb, .arena = arena_new(0) };
	struct renaming *synced;
	size_t n;
	int rc = index_lock(mb, e);

	if (rc != 0)
		goto out;
	rn.v = arena_array(rn.arena, BATCH + mb->ix.nrenaming, sizeof(*rn.v));
	rc = give_names(&rn, e);
	n = mb->ix.nrenaming;
	synced = arena_array(rn.arena, n, sizeof(*synced));
	if (n > 0)
		memcpy(synced, mb->ix.renaming, n * sizeof(*synced));
	index_unlock(mb);
	if (rc == 0)
		rc = sync_both(mb, e);
	if (rc == 0)
		rc = index_lock(mb, e);
	if (rc != 0)
		goto out;
	rc = record_names(&rn, synced, n, e);
	if (rc == 0)
		rc = rn.n > 0;
	index_unlock(mb);
out:
	arena_free(&rn.arena);
	return rc;
}

/* Is there a name to give? */
static bool
names_due(const struct mailbox *mb)
{
	return mb->ix.dirty.n > 0 || mb->ix.nrenaming > 0 ||
	    (mb->ix.in_new.n > 0 &&
		mb->ix.in_new.v[0].first < mb->view.uidnext);
}

/* ---- fold ---- */

static bool
tail_long(const struct mailbox *mb, unsigned times)
{
	uint64_t tail = db_pair_tail(&mb->pair) / times;
	uint64_t share = db_cdb_size(mb->pair.cdb) / TAIL_SHARE;

	return tail > TAIL_MAX || (tail > DB_FOLD_MIN && tail > share);
}

static bool
fold_due(const struct mailbox *mb)
{
	return db_pair_due(&mb->pair) || tail_long(mb, 1);
}

static bool
fold_overdue(const struct mailbox *mb)
{
	return db_pair_mend_due(&mb->pair) || tail_long(mb, TAIL_BUSY);
}

static struct cache_live *
live_places(const struct mailbox *mb, struct arena *arena, size_t *n_r)
{
	const struct index *ix = &mb->ix;
	struct cache_live *v;
	size_t n = 0;

	v = arena_array(arena, ix->counts.messages, sizeof(*v));
	for (uint32_t pos = 0; pos < index_end(ix); pos++) {
		const struct record *r = index_at(ix, pos);

		if (record_live(r) && r->cache.segment != 0 &&
		    n < ix->counts.messages)
			v[n++] = (struct cache_live){ r->msg.uid, r->cache };
	}
	*n_r = n;
	return v;
}

/* The CDB to be written says the new places; the log needs no lines, since
 * who reads old places parses again. */
static void
compact_cache(struct mailbox *mb)
{
	struct arena *arena = arena_new(0);
	size_t n;
	struct cache_live *v = live_places(mb, arena, &n);

	if (cache_compact(mb->cache, v, n, NULL) == 1)
		for (size_t i = 0; i < n; i++) {
			struct record *r = index_get(&mb->ix, v[i].uid);

			r->cache = v[i].place;
			if (r->cache.segment > mb->ix.segment)
				mb->ix.segment = r->cache.segment;
		}
	arena_free(&arena);
}

static void
sweep_cache(struct mailbox *mb)
{
	struct arena *arena = arena_new(0);
	size_t n;
	struct cache_live *v = live_places(mb, arena, &n);

	cache_sweep(mb->folder.fd, v, n);
	arena_free(&arena);
}

static int
tidy_fold(struct mailbox *mb, struct err *e)
{
	struct err why = ERR_INIT;
	int rc;

	/* What is written comes from one CDB and the log behind it. */
	index_settle(mb);
	rc = index_refresh(mb, e);

	if (rc < 0 || mb->gone)
		return -1;
	compact_cache(mb);
	rc = index_fold(mb, &why);
	if (rc == 1)
		sweep_cache(mb);
	if (rc < 0 && why.kind == ERR_SYNTAX)
		return index_discard(mb, &why, e);
	if (rc < 0)
		return err_set(e, why.kind, "%s", why.text);
	return 0; /* once is enough */
}

/* ---- all ---- */

static bool
unlinks_due(const struct mailbox *mb)
{
	return mb->ix.nunlinks > 0;
}

/* Repeat a step (1 more may be due, 0 no progress, -1) while time lasts. */
static int
repeat(struct mailbox *mb, bool (*due)(const struct mailbox *mb),
    int (*step)(struct mailbox *mb, struct err *e), int64_t until,
    struct err *e)
{
	int rc = 1;

	while (rc == 1 && !mb->gone && due(mb)) {
		rc = step(mb, e);
		if (clock_mono_ms(NULL) >= until)
			break;
	}
	return rc < 0 ? -1 : 0;
}

static int
tidy(struct mailbox *mb, bool busy, int64_t now, int64_t until, struct err *e)
{
	if (mb->reader && repeat(mb, unlinks_due, tidy_unlinks, until, e) != 0)
		return -1;
	if (mb->reader && now >= mb->names_at) {
		mb->names_at = now + NAMES_MS;
		if (keywords_share(mb, e) != 0 ||
		    repeat(mb, names_due, tidy_names, until, e) != 0)
			return -1;
	}
	return repeat(mb, busy ? fold_overdue : fold_due, tidy_fold, until, e);
}

static void
tidy_for(struct mailbox *mb, bool busy, int budget_ms)
{
	struct err e = ERR_INIT;
	int64_t now = clock_mono_ms(NULL);

	if (mb->gone || mb->readonly || now < mb->tidy_at)
		return;
	if ((!mb->reader || scan_if_changed(mb, SCAN_TIDY, &e) == 0) &&
	    tidy(mb, busy, now, now + budget_ms, &e) == 0) {
		threads_tidy(mb->st);
		quota_tidy(mb->st);
		return;
	}
	mb->tidy_at = clock_mono_ms(NULL) + RETRY_MS;
	log_line("store", LOG_WARN, "tidying failed",
	    LOG_Z("account", mb->st->name), LOG_Z("mailbox", mb->name),
	    LOG_E(&e));
}

void
mailbox_tidy(struct mailbox *mb, int budget_ms)
{
	tidy_for(mb, false, budget_ms);
}

void
mailbox_tidy_busy(struct mailbox *mb, int budget_ms)
{
	tidy_for(mb, true, budget_ms);
}

void
tidy_all(struct mailbox *mb)
{
	mb->names_at = 0;
	mailbox_tidy(mb, CLOSE_MS);
}
