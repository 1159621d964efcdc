/* claim - what is new, what is due, and what others left, becomes ours. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "db/newfile.h"
#include "db/sync.h"
#include "queue/holdrules.h"
#include "queue/runner.h"

#define FEW 8 /* files to be synced one by one; else all at once */

static struct job *
new_job(struct runner *r, struct slice name)
{
	struct job *job = xcalloc(1, sizeof(*job));

	slice_cstr(name, job->name, sizeof(job->name));
	r->jobs++;
	return job;
}

static void
failed(const char *what, struct slice name, const struct err *e)
{
	log_line(QUEUE_TOPIC, LOG_ERROR, what, LOG_S("name", name), LOG_E(e));
}

static int
by_name(const void *a, const void *b)
{
	return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

/* Names of items, or of envelopes, in a folder, the oldest first; no more
 * than there is room for. *more_r: there were more. */
static struct slice *
names(int at, const char *path, bool items, size_t max, struct arena *arena,
    size_t *n_r, bool *more_r)
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
	return r->jobs < JOBS_MAX ? JOBS_MAX - r->jobs : 0;
}

/* ---- items of an envelope ---- */

static int
link_message(struct runner *r, int dir, const char *envelope, struct slice item,
    struct err *e)
{
	const char *to = queue_message_path(r->arena, item).p;
	const char *folder =
	    arena_printf(r->arena, "msg/%.2s", item.p + QUEUE_ID - 2).p;

	if (db_link(dir, envelope, r->q.fd, to, e) == 1 || errno == EEXIST)
		return 0;
	if (errno != ENOENT)
		return -1;
	if (file_mkdirs(r->q.fd, folder, 0700, e) < 0)
		return -1;
	return db_link(dir, envelope, r->q.fd, to, e) == 1 || errno == EEXIST
	    ? 0
	    : err_set(e, ERR_TEMP, "%s cannot be linked", envelope);
}

/* The item of recipient n, from 1, unless it is there already. */
static int
write_item(struct runner *r, int dir, const char *envelope,
    const struct item *it, unsigned n, struct slice *name_r, struct err *e)
{
	struct slice name = arena_printf(r->arena, "%s.%u", envelope, n);
	struct buf text = BUF_INIT(ITEM_MAX);
	int fd, rc = link_message(r, dir, envelope, name, e);

	*name_r = name;
	if (rc < 0)
		return -1;
	item_write(&text, it, n - 1);
	fd = openat(dir, name.p,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0) {
		rc = file_write(fd, buf_slice(&text), e);
		if (rc < 0) /* a full disk: nothing half-written stays */
			unlinkat(dir, name.p, 0);
		close(fd);
	} else if (errno != EEXIST)
		rc = err_sys(e, "%s", name.p);
	buf_free(&text);
	return rc;
}

/* ---- todo ---- */

static void
link_envelope(struct runner *r, struct envelope *env)
{
	env->next = r->envelopes;
	env->prev = NULL;
	if (r->envelopes)
		r->envelopes->prev = env;
	r->envelopes = env;
}

static struct envelope *
new_envelope(struct runner *r, struct slice id, size_t n)
{
	struct envelope *env = xcalloc(1, sizeof(*env));

	slice_cstr(id, env->id, sizeof(env->id));
	env->jobs = xcalloc(n, sizeof(struct job *));
	env->since_ms = clock_mono_ms(NULL);
	link_envelope(r, env);
	return env;
}

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
		db_unlink(r->q.fd, queue_message_path(r->arena, name).p, NULL);
	}
	db_move(r->dir, arena_cstr(r->arena, id), r->todo,
	    arena_cstr(r->arena, id), NULL);
}

/* Items of a claimed envelope, all or none. */
static int
expand(struct runner *r, struct slice id, const struct item *it,
    struct slice *items, struct err *e)
{
	const char *envelope = arena_cstr(r->arena, id);

	for (unsigned n = 1; n <= it->m.nrcpts; n++)
		if (write_item(r, r->dir, envelope, it, n, &items[n - 1], e) <
		    0) {
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
	int rc = db_move(r->todo, name, r->dir, name, &e);

	if (rc == 0)
		return; /* somebody else's */
	if (rc > 0)
		rc = item_read_envelope(r->dir, name, r->arena, &it, &e);
	if (rc <= 0) {
		failed("envelope cannot be read: left in active", id, &e);
		return;
	}
	items = arena_array(r->arena, it.m.nrcpts, sizeof(*items));
	if (expand(r, id, &it, items, &e) < 0) {
		failed("no items for envelope now", id, &e);
		return;
	}
	env = new_envelope(r, id, it.m.nrcpts);
	for (size_t i = 0; i < it.m.nrcpts; i++) {
		struct job *job = new_job(r, items[i]);
		job->envelope = env;
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
	struct err e = ERR_INIT;
	struct slice *v;
	size_t n;

	v = names(r->todo, ".", false, room(r), r->arena, &n, &r->more);
	if (n && holdrules_read(&r->q, r->arena, &rules, &e) < 0) {
		/* Mail that was to be held must not go. */
		failed("hold rules", SLICE("holdrules"), &e);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (room(r) == 0) {
			r->more = true;
			return;
		}
		claim_envelope(r, v[i], &rules);
	}
}

/* ---- envelopes that are dropped ---- */

/* Until here all of these could be done again from the envelope. */
static int
sync_envelope(struct runner *r, const struct envelope *env, struct err *e)
{
	int folder = openat(r->q.fd,
	    arena_printf(r->arena, "msg/%.2s", env->id + QUEUE_ID - 2).p,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = folder < 0 ? err_sys(e, "msg")
			    : db_fsync_dir(folder, "queue/msg", e);

	if (folder >= 0)
		close(folder);
	for (size_t i = 0; rc == 0 && i < env->n; i++) {
		int fd = -1;
		if (env->jobs[i]->state == JOB_DONE)
			continue;
		if (item_open(r->dir, env->jobs[i]->name, &fd, e) < 0)
			rc = -1;
		if (fd >= 0) {
			rc = db_fsync(fd, env->jobs[i]->name, e);
			close(fd);
		}
	}
	return rc;
}

static bool
stays(const struct envelope *env)
{
	for (size_t i = 0; i < env->n; i++)
		if (env->jobs[i]->state != JOB_DONE)
			return true;
	return false;
}

/* Unlinks the envelopes of a list; before, what stays of them is synced. */
static int
forget_on_disk(struct runner *r, struct envelope *list, struct err *e)
{
	size_t items = 0;
	int rc = 0;

	for (struct envelope *env = list; env; env = env->next)
		items += stays(env) ? env->open + 1 : 0;
	if (items > FEW)
		rc = db_syncfs(r->q.fd, "queue", e);
	for (struct envelope *env = list; env && rc == 0 && items <= FEW;
	     env = env->next)
		if (stays(env))
			rc = sync_envelope(r, env, e);
	if (rc == 0 && items && items <= FEW)
		rc = db_fsync_dir(r->dir, "queue/active", e);
	for (struct envelope *env = list; env && rc == 0; env = env->next)
		db_unlink(r->dir, env->id, NULL);
	/* Items must not go where recovery does not look for them while a
	 * power cut could bring their envelope back. */
	if (rc == 0 && items)
		rc = db_fsync_dir(r->dir, "queue/active", e);
	return rc;
}

static void
free_envelope(struct runner *r, struct envelope *env)
{
	for (size_t i = 0; i < env->n; i++) {
		env->jobs[i]->envelope = NULL;
		if (env->jobs[i]->state != JOB_OPEN)
			runner_place(r, env->jobs[i]);
	}
	free(env->jobs);
	free(env);
}

static void
unlink_envelope(struct runner *r, struct envelope *env)
{
	if (env->prev)
		env->prev->next = env->next;
	else
		r->envelopes = env->next;
	if (env->next)
		env->next->prev = env->prev;
}

void
runner_drop_envelopes(struct runner *r)
{
	int64_t before = clock_mono_ms(NULL) - ENVELOPE_MS;
	struct envelope *list = NULL, *env, *next;
	struct err e = ERR_INIT;
	int rc;

	for (env = r->envelopes; env; env = next) {
		next = env->next;
		if (!env->drop && env->since_ms > before)
			continue;
		unlink_envelope(r, env);
		env->next = list;
		list = env;
	}
	if (!list)
		return;
	rc = forget_on_disk(r, list, &e);
	if (rc < 0)
		failed("envelopes cannot be dropped now", SLICE("active"), &e);
	for (env = list; env; env = next) {
		next = env->next;
		if (rc < 0) { /* tried again in a while */
			env->since_ms = clock_mono_ms(NULL);
			env->drop = false;
			link_envelope(r, env);
		} else
			free_envelope(r, env);
	}
}

/* ---- due ---- */

/* Buckets, the earliest first: "now" has the time 0. */
static struct slice *
buckets(struct runner *r, size_t *n_r)
{
	struct slice *v;
	size_t n, kept = 0;
	int64_t us;

	*n_r = 0;
	if (file_list(r->q.fd, "due", r->arena, &v, &n, NULL) <= 0)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (queue_bucket_time(v[i], &us))
			v[kept++] = v[i];
	*n_r = kept;
	return v;
}

static void
claim_bucket(struct runner *r, struct slice bucket)
{
	const char *path =
	    arena_printf(r->arena, "due/%.*s", SLICE_FMT(bucket)).p;
	bool more = false;
	struct slice *v;
	size_t n;
	int fd = openat(r->q.fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	v = names(fd, ".", true, room(r), r->arena, &n, &more);
	for (size_t i = 0; i < n; i++) {
		const char *name = arena_cstr(r->arena, v[i]);
		if (db_move(fd, name, r->dir, name, NULL) == 1)
			runner_settle(r, new_job(r, v[i]), SETTLE_CLAIMED);
	}
	close(fd);
	if (more)
		r->more = true;
	else if (!slice_is(bucket, "now"))
		unlinkat(r->q.fd, path, AT_REMOVEDIR); /* if it is empty */
}

static void
claim_due(struct runner *r)
{
	int64_t now = clock_us(r->q.clock), us;
	size_t n;
	struct slice *v = buckets(r, &n);

	r->next_due_us = INT64_MAX;
	/* Sorted by bytes is sorted by time, but that "now" is last: it goes
	 * first, somebody waits for it. */
	for (size_t i = n; i-- > 0 && slice_is(v[i], "now");)
		claim_bucket(r, v[i]);
	for (size_t i = 0; i < n && queue_bucket_time(v[i], &us); i++) {
		if (us == 0)
			continue;
		if (us > now) {
			r->next_due_us = us;
			return;
		}
		if (room(r) == 0) {
			r->more = true;
			return;
		}
		claim_bucket(r, v[i]);
	}
}

void
runner_claim(struct runner *r)
{
	r->more = false;
	claim_todo(r);
	claim_due(r);
}

/* ---- runners that are no more ---- */

/* Finish what its envelopes began: then items stand by themselves. */
static int
recover_envelope(struct runner *r, int dir, struct slice id, struct err *e)
{
	const char *name = arena_cstr(r->arena, id);
	struct slice item;
	struct item it;
	int rc = item_read_envelope(dir, name, r->arena, &it, e);

	for (unsigned n = 1; rc > 0 && n <= it.m.nrcpts; n++)
		if (write_item(r, dir, name, &it, n, &item, e) < 0)
			rc = -1;
	if (rc > 0 && db_syncfs(dir, "queue/active", e) < 0)
		rc = -1;
	if (rc > 0)
		rc = db_unlink(dir, name, e);
	if (rc > 0 && db_fsync_dir(dir, "queue/active", e) < 0)
		rc = -1;
	return rc < 0 ? -1 : 0;
}

/* An attempt that nobody finished counts: else an item that kills its
 * delivery would do so for ever. */
static void
recover_item(struct runner *r, int dir, int now, struct slice name)
{
	const char *z = arena_cstr(r->arena, name);
	struct err e = ERR_INIT;
	struct item it;
	int fd = -1;

	if (item_read(dir, z, r->arena, &it, &e) > 0 &&
	    it.state == ITEM_TRYING && item_open(dir, z, &fd, &e) > 0)
		item_append(fd, "lost", clock_us(r->q.clock), &e,
		    "- the queue runner ended");
	if (fd >= 0)
		close(fd);
	if (db_move(dir, z, now, z, &e) < 1)
		failed("cannot recover item", name, &e);
}

static void
recover_runner(struct runner *r, int dir, int now, struct slice runner)
{
	struct err e = ERR_INIT;
	bool more = false;
	struct slice *v;
	size_t n;

	v = names(dir, ".", false, SIZE_MAX, r->arena, &n, &more);
	for (size_t i = 0; i < n; i++)
		if (recover_envelope(r, dir, v[i], &e) < 0) {
			failed("cannot recover envelope", v[i], &e);
			return; /* its items must stay beside it */
		}
	v = names(dir, ".", true, SIZE_MAX, r->arena, &n, &more);
	for (size_t i = 0; i < n; i++)
		recover_item(r, dir, now, v[i]);
	unlinkat(dir, ".lock", 0);
	unlinkat(r->active, arena_cstr(r->arena, runner), AT_REMOVEDIR);
	log_line(QUEUE_TOPIC, LOG_INFO, "recovered", LOG_S("runner", runner),
	    LOG_U("items", n));
}

void
runner_recover(struct runner *r)
{
	struct db_lock lock = DB_LOCK_INIT;
	struct slice *v;
	size_t n;
	int now =
	    openat(r->q.fd, "due/now", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (now < 0 || file_list(r->active, ".", r->arena, &v, &n, NULL) <= 0)
		n = 0;
	for (size_t i = 0; i < n; i++) {
		int dir;
		if (v[i].p[0] == '.' || slice_is(v[i], r->name))
			continue;
		dir = openat(r->active, arena_cstr(r->arena, v[i]),
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		if (dir < 0)
			continue;
		if (db_lock(&lock, dir, ".lock", DB_LOCK_LEASE, 0, NULL) == 1) {
			recover_runner(r, dir, now, v[i]);
			db_unlock(&lock);
		}
		close(dir);
	}
	if (now >= 0)
		close(now);
}
