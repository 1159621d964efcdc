/* envelope - the items of an envelope: written, and made durable. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "db/newfile.h"
#include "db/sync.h"
#include "queue/runner.h"

#define FEW 8 /* files to be synced one by one; else all at once */

void
runner_failed(const char *what, struct slice name, const struct err *e)
{
	log_line(QUEUE_TOPIC, LOG_ERROR, what, LOG_S("name", name), LOG_E(e));
}

int
runner_read_envelope(struct runner *r, int dir, struct slice id,
    struct item *it, struct err *e)
{
	const char *name = arena_cstr(r->arena, id);
	const char *held = arena_printf(r->arena, "hold/%s", name).p;
	int rc = item_read_envelope(dir, name, r->arena, it, e);

	if (rc >= 0 || (e->kind != ERR_SYNTAX && e->kind != ERR_LIMIT))
		return rc;
	runner_failed("envelope is held: not readable", id, e);
	return db_move(dir, name, r->q.fd, held, e) < 0 ? -1 : 0;
}

/* ---- items of an envelope ---- */

static int
sync_folder(struct runner *r, const char *path, struct err *e)
{
	int fd = openat(r->q.fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc =
	    fd < 0 ? err_sys(e, "queue/%s", path) : db_fsync_dir(fd, path, e);

	if (fd >= 0)
		close(fd);
	return rc;
}

int
runner_link_message(struct runner *r, int dir, const char *envelope,
    struct slice item, struct err *e)
{
	const char *to = queue_message_path(r->arena, item).p;
	const char *folder =
	    arena_printf(r->arena, "msg/%.2s", item.p + QUEUE_ID - 2).p;

	if (db_link(dir, envelope, r->q.fd, to, e) == 1 || errno == EEXIST)
		return 0;
	if (errno != ENOENT)
		return -1;
	if (file_mkdirs(r->q.fd, folder, 0700, e) < 0 ||
	    sync_folder(r, "msg", e) < 0)
		return -1;
	return db_link(dir, envelope, r->q.fd, to, e) == 1 || errno == EEXIST
	    ? 0
	    : err_set(e, ERR_TEMP, "%s cannot be linked", envelope);
}

/* Write it anew: another file, synced, in its place. */
static int
replace_item(int dir, const char *name, struct slice text, struct err *e)
{
	struct db_newfile f = DB_NEWFILE_INIT;
	int rc = db_newfile_begin(&f, dir, name, 0600, e);

	if (rc == 0)
		rc = file_write(f.fd, text, e);
	if (rc == 0)
		rc = db_newfile_sync(&f, e);
	if (rc == 0)
		rc = db_newfile_replace(&f, name, e);
	db_newfile_end(&f);
	return rc;
}

/* An item that was written before. What a crash left half-written, or a power
 * cut with a name but without content, is no item. */
static int
keep_item(int dir, const char *name, struct slice head, struct err *e)
{
	struct buf text = BUF_INIT(ITEM_MAX);
	int rc = file_read(dir, name, &text, e);

	if (rc >= 0)
		rc = slice_starts(buf_slice(&text), head)
		    ? 0
		    : replace_item(dir, name, head, e);
	buf_free(&text);
	return rc < 0 ? -1 : 0;
}

int
runner_renew_item(int dir, const char *name, struct err *e)
{
	struct buf text = BUF_INIT(ITEM_MAX);
	int rc = file_read(dir, name, &text, e);

	if (rc > 0)
		rc = replace_item(dir, name, buf_slice(&text), e);
	buf_free(&text);
	return rc;
}

/* The item of recipient n, from 1, unless it is there already. */
int
runner_write_item(struct runner *r, int dir, const char *envelope,
    const struct item *it, unsigned n, struct slice *name_r, struct err *e)
{
	struct slice name = arena_printf(r->arena, "%s.%u", envelope, n);
	struct buf text = BUF_INIT(ITEM_MAX);
	int fd, rc = 0;

	*name_r = name;
	item_write(&text, it, n - 1);
	fd = openat(dir, name.p,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0) {
		rc = file_write(fd, buf_slice(&text), e);
		if (rc < 0) /* a full disk: nothing half-written stays */
			unlinkat(dir, name.p, 0);
		close(fd);
	} else
		rc = errno == EEXIST
		    ? keep_item(dir, name.p, buf_slice(&text), e)
		    : err_sys(e, "%s", name.p);
	buf_free(&text);
	return rc;
}

int
runner_write_inside(struct runner *r, struct job *job, struct err *e)
{
	const char *envelope = job->envelope->id;
	struct slice name;
	struct item it;
	int rc;

	/* The usual case, in one call. */
	if (faccessat(r->dir, envelope, F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
	    errno == ENOENT)
		return 0;
	rc = item_read_envelope(r->dir, envelope, r->arena, &it, e);
	if (rc > 0 &&
	    runner_write_item(r, r->dir, envelope, &it, 1, &name, e) < 0)
		rc = -1;
	if (rc > 0)
		job->inside = false;
	return rc;
}

/* ---- in memory ---- */

static void
link_envelope(struct runner *r, struct envelope *env)
{
	env->next = r->envelopes;
	env->prev = NULL;
	if (r->envelopes)
		r->envelopes->prev = env;
	else
		r->oldest = env;
	r->envelopes = env;
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
	else
		r->oldest = env->prev;
}

void
runner_mark_envelope(struct runner *r, struct envelope *env)
{
	if (env->drop)
		return;
	unlink_envelope(r, env);
	env->drop = true;
	env->next = r->dropping;
	r->dropping = env;
}

struct envelope *
runner_new_envelope(struct runner *r, struct slice id, size_t n)
{
	struct envelope *env = xcalloc(1, sizeof(*env));

	slice_cstr(id, env->id, sizeof(env->id));
	env->jobs = xcalloc(n, sizeof(struct job *));
	env->since_ms = clock_mono_ms(NULL);
	link_envelope(r, env);
	return env;
}

/* ---- envelopes that are dropped ---- */

/* What stays needs a file, and the message, when its envelope is gone. */
static int
link_staying(struct runner *r, const struct envelope *env, struct err *e)
{
	for (size_t i = 0; i < env->n; i++) {
		struct job *job = env->jobs[i];
		if (job->state == JOB_DONE || job->linked)
			continue;
		if (job->inside) {
			int rc = runner_write_inside(r, job, e);
			if (rc < 0)
				return -1;
			if (rc == 0) { /* somebody removed it */
				job->state = JOB_DONE;
				continue;
			}
		}
		if (runner_link_message(r, r->dir, env->id,
			slice_str(job->name), e) < 0)
			return -1;
		job->linked = true;
	}
	return 0;
}

/* Until here all of these could be done again from the envelope. */
static int
sync_envelope(struct runner *r, const struct envelope *env, struct err *e)
{
	int rc = sync_folder(r,
	    arena_printf(r->arena, "msg/%.2s", env->id + QUEUE_ID - 2).p, e);

	for (size_t i = 0; rc == 0 && i < env->n; i++) {
		int fd = -1;
		if (env->jobs[i]->state == JOB_DONE)
			continue;
		if (r->anew) {
			rc = runner_renew_item(r->dir, env->jobs[i]->name, e);
			rc = rc < 0 ? -1 : 0;
			continue;
		}
		if (item_open(r->dir, env->jobs[i]->name, &fd, e) < 0)
			rc = -1;
		if (fd >= 0) {
			rc = db_fsync(fd, env->jobs[i]->name, e);
			close(fd);
		}
	}
	return rc;
}

/* How many of its items do. */
static size_t
stay(const struct envelope *env)
{
	size_t n = 0;

	for (size_t i = 0; i < env->n; i++)
		n += env->jobs[i]->state != JOB_DONE;
	return n;
}

/* todo/, too: a power cut must not bring back what was claimed from there, and
 * is now on its way under other names. */
static int
sync_folders(struct runner *r, struct err *e)
{
	return db_fsync_dir(r->todo, "queue/todo", e) < 0
	    ? -1
	    : db_fsync_dir(r->dir, "queue/active", e);
}

/* It went as the result of its item. */
static bool
is_gone(const struct envelope *env)
{
	return env->n == 1 && env->jobs[0]->inside &&
	    env->jobs[0]->state == JOB_DONE;
}

/* Unlinks the envelopes of a list; before, what stays of them is linked to its
 * message, and synced. */
static int
forget_on_disk(struct runner *r, struct envelope *list, struct err *e)
{
	size_t items = 0;
	bool each;
	int rc = 0;

	for (struct envelope *env = list; env && rc == 0; env = env->next) {
		items += stay(env);
		rc = link_staying(r, env, e);
	}
	each = r->anew || items <= FEW;
	if (rc == 0 && !each)
		rc = db_syncfs(r->q.fd, "queue", e);
	for (struct envelope *env = list; env && rc == 0 && each;
	     env = env->next)
		if (stay(env))
			rc = sync_envelope(r, env, e);
	if (rc == 0 && items && each)
		rc = sync_folders(r, e);
	for (struct envelope *env = list; env && rc == 0; env = env->next)
		if (!is_gone(env))
			rc = db_unlink(r->dir, env->id, e) < 0 ? -1 : 0;
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

/* Of items in their envelope there is no result that a crash could take back:
 * these wait. */
static void
mark_old(struct runner *r)
{
	int64_t now_ms = clock_mono_ms(NULL);
	struct envelope *env;

	while ((env = r->oldest) && env->since_ms <= now_ms - ENVELOPE_MS) {
		if (!env->open || !env->jobs[0]->inside) {
			runner_mark_envelope(r, env);
			continue;
		}
		unlink_envelope(r, env);
		env->since_ms = now_ms;
		link_envelope(r, env);
	}
}

void
runner_drop_envelopes(struct runner *r)
{
	struct envelope *list = NULL, *later = NULL, *env, *next;
	struct err e = ERR_INIT;
	int rc;

	mark_old(r);
	for (env = r->dropping; env; env = next) {
		struct envelope **to = r->anew && env->open ? &later : &list;
		next = env->next;
		env->next = *to;
		*to = env;
	}
	r->dropping = later;
	if (!list)
		return;
	rc = forget_on_disk(r, list, &e);
	if (rc < 0) {
		runner_failed("envelopes cannot be dropped now",
		    SLICE("active"), &e);
		r->anew = true;
	}
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
