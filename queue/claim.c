/* claim - what is new, what is due, and what others left, becomes ours. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "db/newfile.h"
#include "db/sync.h"
#include "queue/holdrules.h"
#include "queue/runner.h"

static struct job *
new_job(struct runner *r, struct slice name)
{
	struct job *job = xcalloc(1, sizeof(*job));

	slice_cstr(name, job->name, sizeof(job->name));
	r->jobs++;
	r->budget -= r->budget > 0;
	return job;
}

/* Of an item that stands by itself. */
static struct job *
linked_job(struct runner *r, struct slice name)
{
	struct job *job = new_job(r, name);

	job->linked = true;
	return job;
}

static int
by_name(const void *a, const void *b)
{
	return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

/* Names of items, or of envelopes, in a folder, the oldest first; no more
 * than there is room for. *more_r: there were more. */
struct slice *
runner_names(int at, const char *path, bool items, size_t max,
    struct arena *arena, size_t *n_r, bool *more_r)
{
	struct slice *v = NULL, id;
	size_t room = 0, n = 0;
	struct dirent *entry;
	unsigned number;
	int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	while (dir && (entry = readdir(dir))) {
		if (!queue_name(slice_str(entry->d_name), &id, &number) ||
		    (number > 0) != items)
			continue;
		if (n == max) {
			*more_r = true;
			break;
		}
		if (n == room) {
			v = arena_grow(arena, v, room, room ? room * 2 : 64,
			    sizeof(*v));
			room = room ? room * 2 : 64;
		}
		v[n++] = arena_dup(arena, slice_str(entry->d_name));
	}
	if (dir)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
	if (n > 1)
		qsort(v, n, sizeof(*v), by_name);
	*n_r = n;
	return v;
}

static size_t
room(const struct runner *r)
{
	size_t left = r->jobs < JOBS_MAX ? JOBS_MAX - r->jobs : 0;

	return left < r->budget ? left : r->budget;
}

/* ---- todo ---- */

/* Where a new item goes first. */
static void
begin(struct runner *r, struct job *job, const struct item *it,
    const struct holdrules *rules, size_t n)
{
	const struct queue_rcpt *rcpt = &it->m.rcpts[n];

	if (holdrules_match(rules, it->m.account, it->m.from, rcpt->to))
		runner_hold(r, job);
	else if (it->m.until_us > clock_us(r->q.clock))
		runner_put_off(r, job, it->m.until_us);
	else {
		struct item one = *it;
		one.rcpt = *rcpt;
		job->act = JOB_SEND;
		if (runner_is_suppressed(r, &one, NULL))
			runner_settle(r, job, SETTLE_CLAIMED);
		else
			runner_enqueue(r, job, &one);
	}
}

/* Items cannot be written now (full disk): undo, so that it is as before. */
static void
give_back(struct runner *r, struct slice id, unsigned n)
{
	for (; n; n--) {
		struct slice name =
		    arena_printf(r->arena, "%.*s.%u", SLICE_FMT(id), n);
		db_unlink(r->dir, name.p, NULL);
	}
	db_move(r->dir, arena_cstr(r->arena, id), r->todo,
	    arena_cstr(r->arena, id), NULL);
}

/* Its result is that the envelope goes, without a file for the item: if there
 * is one recipient, and nothing will be wanted of it once it is delivered. */
static bool
stays_inside(struct runner *r, const struct item *it)
{
	const struct conf_account *account;

	return it->m.nrcpts == 1 &&
	    !suppress_is_counted(r->suppress, it->m.account,
		it->m.rcpts[0].to) &&
	    !(it->m.rcpts[0].notify & QUEUE_NOTIFY_SUCCESS) &&
	    it->m.rcpts[0].done.n == 0 &&
	    (lookup_account(r->lookup, r->arena, it->m.account, &account,
		 NULL) <= 0 ||
		account->keep_retired_message_period == 0);
}

/* Items of a claimed envelope, all or none. */
static int
expand(struct runner *r, struct slice id, const struct item *it,
    struct slice *items, struct err *e)
{
	const char *envelope = arena_cstr(r->arena, id);

	for (unsigned n = 1; n <= it->m.nrcpts; n++)
		if (runner_write_item(r, r->dir, envelope, it, n, &items[n - 1],
			e) < 0) {
			give_back(r, id, n);
			return -1;
		}
	return 0;
}

static void
claim_envelope(struct runner *r, struct slice id, const struct holdrules *rules)
{
	const char *name = arena_cstr(r->arena, id);
	struct err e = ERR_INIT;
	struct envelope *env;
	struct slice *items;
	struct item it;
	bool inside;
	int rc = db_move(r->todo, name, r->dir, name, &e);

	if (rc > 0)
		rc = runner_read_envelope(r, r->dir, id, &it, &e);
	if (rc < 0) {
		runner_failed("envelope cannot be read now", id, &e);
		db_move(r->dir, name, r->todo, name, NULL);
	}
	if (rc <= 0)
		return; /* or somebody else's */
	items = arena_array(r->arena, it.m.nrcpts, sizeof(*items));
	inside = stays_inside(r, &it);
	if (inside)
		items[0] = arena_printf(r->arena, "%s.1", name);
	else if (expand(r, id, &it, items, &e) < 0) {
		runner_failed("no items for envelope now", id, &e);
		return;
	}
	env = runner_new_envelope(r, id, it.m.nrcpts);
	for (size_t i = 0; i < it.m.nrcpts; i++) {
		struct job *job = new_job(r, items[i]);
		job->envelope = env;
		job->inside = inside;
		env->jobs[env->n++] = job;
		env->open++;
	}
	for (size_t i = 0; i < env->n; i++)
		begin(r, env->jobs[i], &it, rules, i);
}

static void
claim_todo(struct runner *r)
{
	struct holdrules rules = { NULL, 0 };
	struct arena *arena = arena_new(0);
	struct err e = ERR_INIT;
	struct slice *v;
	size_t n;

	v = runner_names(r->todo, ".", false, room(r), arena, &n, &r->more);
	if (n && holdrules_read(&r->q, arena, &rules, &e) < 0) {
		/* Mail that was to be held must not go. */
		runner_failed("hold rules", SLICE("holdrules"), &e);
		n = 0;
	}
	for (size_t i = 0; i < n; i++) {
		if (room(r) == 0) {
			r->more = true;
			break;
		}
		claim_envelope(r, v[i], &rules);
		arena_reset(r->arena);
	}
	arena_free(&arena);
}

/* ---- due ---- */

/* Buckets, the earliest first: "now" has the time 0. */
static struct slice *
buckets(struct runner *r, struct arena *arena, size_t *n_r)
{
	struct slice *v;
	size_t n, kept = 0;
	int64_t us;

	*n_r = 0;
	if (file_list(r->q.fd, "due", arena, &v, &n, NULL) <= 0)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (queue_bucket_time(v[i], &us))
			v[kept++] = v[i];
	*n_r = kept;
	return v;
}

/* False: there is more of it. */
static bool
claim_bucket(struct runner *r, struct slice bucket)
{
	struct arena *arena = arena_new(0);
	const char *path = arena_printf(arena, "due/%.*s", SLICE_FMT(bucket)).p;
	bool more = false;
	struct slice *v;
	size_t n;
	int fd = openat(r->q.fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		arena_free(&arena);
		return true;
	}
	v = runner_names(fd, ".", true, room(r), arena, &n, &more);
	for (size_t i = 0; i < n; i++) {
		const char *name = arena_cstr(r->arena, v[i]);
		if (db_move(fd, name, r->dir, name, NULL) == 1)
			runner_settle(r, linked_job(r, v[i]), SETTLE_CLAIMED);
		arena_reset(r->arena);
	}
	close(fd);
	if (more)
		r->more = true;
	else if (!slice_is(bucket, "now"))
		unlinkat(r->q.fd, path, AT_REMOVEDIR); /* if it is empty */
	arena_free(&arena);
	return !more;
}

/* Is due/ as it was when all of it was looked at? Buckets that are made and
 * removed show in its mtime, but not two changes within a tick of the clock:
 * so one that had just changed then does not count. With every bucket of the
 * 36 hours of retries, reading it for each poke would be most of the work. */
static bool
due_is_known(struct runner *r, int64_t now)
{
	struct stat st = { .st_ino = 0 };
	bool known = fstatat(r->q.fd, "due", &st, 0) == 0 &&
	    file_same(&st, &r->due_seen) && !r->due_cut && r->next_due_us > now;

	r->due_seen = st;
	if (time(NULL) - st.st_mtime < MTIME_S)
		r->due_seen.st_ino = 0;
	return known;
}

static void
claim_due(struct runner *r, bool all, struct arena *arena)
{
	int64_t now = clock_us(r->q.clock), us;
	size_t n;
	struct slice *v;

	/* First, somebody waits for it. */
	claim_bucket(r, SLICE("now"));
	if (due_is_known(r, now) && !all)
		return;
	v = buckets(r, arena, &n);
	r->next_due_us = INT64_MAX;
	r->due_cut = false;
	/* Sorted by bytes is sorted by time. */
	for (size_t i = 0; i < n && queue_bucket_time(v[i], &us); i++) {
		if (us == 0)
			continue;
		if (us > now) {
			r->next_due_us = us;
			return;
		}
		if (room(r) == 0) {
			r->due_cut = r->more = true;
			return;
		}
		r->due_cut = !claim_bucket(r, v[i]) || r->due_cut;
	}
}

void
runner_claim(struct runner *r, bool all)
{
	struct arena *arena = arena_new(0);

	r->more = false;
	r->budget = CLAIM_MAX;
	claim_todo(r);
	claim_due(r, all, arena);
	arena_free(&arena);
}
