/* recover - what runners that are no more have left. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "db/newfile.h"
#include "db/sync.h"
#include "queue/runner.h"

#define BEGIN_S 60 /* a runner does not need longer to begin */

/* Finish what its envelopes began: then items stand by themselves. */
static int
recover_envelope(struct runner *r, int dir, struct slice id, struct err *e)
{
	const char *name = arena_cstr(r->arena, id);
	struct slice item;
	struct item it;
	int rc = runner_read_envelope(r, dir, id, &it, e);

	for (unsigned n = 1; rc > 0 && n <= it.m.nrcpts; n++)
		if (runner_write_item(r, dir, name, &it, n, &item, e) < 0 ||
		    runner_link_message(r, dir, name, item, e) < 0 ||
		    (r->anew && runner_renew_item(dir, item.p, e) < 0))
			rc = -1;
	if (rc > 0 && db_syncfs(dir, "queue/active", e) < 0) {
		r->anew = true;
		rc = -1;
	}
	if (rc > 0)
		rc = db_unlink(dir, name, e);
	if (rc > 0 && db_fsync_dir(dir, "queue/active", e) < 0)
		rc = -1;
	return rc < 0 ? -1 : 0;
}

/* Whether one file has both names: what a power cut makes of a rename. */
static bool
is_same(int dir, int other, const char *name)
{
	struct stat a, b;

	return fstatat(dir, name, &a, AT_SYMLINK_NOFOLLOW) == 0 &&
	    fstatat(other, name, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
	    a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

/* An attempt that nobody finished counts: else an item that kills its
 * delivery would do so for ever. */
static void
recover_item(struct runner *r, int dir, int now, struct slice name)
{
	const char *z = arena_cstr(r->arena, name);
	struct err e = ERR_INIT;
	struct item it;
	int fd = -1, rc;

	if (item_read(dir, z, r->arena, &it, &e) > 0 &&
	    it.state == ITEM_TRYING && item_open(dir, z, &fd, &e) > 0)
		item_append(fd, "lost", clock_us(r->q.clock), &e,
		    "- the queue runner ended");
	if (fd >= 0)
		close(fd);
	rc = db_move(dir, z, now, z, &e);
	if (rc == 0 && errno == EEXIST && is_same(dir, now, z))
		rc = db_unlink(dir, z, &e);
	else if (rc == 0 && errno == EEXIST)
		rc = err_set(&e, ERR_TEMP, "there is one in due/now");
	if (rc < 0)
		runner_failed("cannot recover item", name, &e);
}

/* True: an envelope could not be, and its items stay beside it. */
static bool
is_kept(const struct map *kept, struct slice item)
{
	return map_has(kept, slice_head(item, QUEUE_ID));
}

static void
recover_files(struct runner *r, int dir, int now, struct arena *arena,
    size_t *n_r)
{
	struct map *kept = map_new();
	bool more = false;
	struct slice *v =
	    runner_names(dir, ".", false, SIZE_MAX, arena, n_r, &more);

	for (size_t i = 0; i < *n_r; i++) {
		struct err e = ERR_INIT;
		if (recover_envelope(r, dir, v[i], &e) < 0) {
			runner_failed("cannot recover envelope", v[i], &e);
			map_set(kept, v[i], v);
		}
		arena_reset(r->arena);
	}
	v = runner_names(dir, ".", true, SIZE_MAX, arena, n_r, &more);
	for (size_t i = 0; i < *n_r; i++) {
		if (!is_kept(kept, v[i]))
			recover_item(r, dir, now, v[i]);
		arena_reset(r->arena);
	}
	map_free(&kept);
}

static void
recover_runner(struct runner *r, int dir, int now, const char *runner)
{
	struct arena *arena = arena_new(0);
	size_t n;

	recover_files(r, dir, now, arena, &n);
	db_tmp_sweep(dir, 0, NULL);
	unlinkat(dir, ".lock", 0);
	unlinkat(r->active, runner, AT_REMOVEDIR);
	log_line(QUEUE_TOPIC, LOG_INFO, "recovered", LOG_Z("runner", runner),
	    LOG_U("items", n));
	arena_free(&arena);
}

/* A runner that is just beginning has its folder under a dot name, not yet
 * locked; a crash then leaves it so. */
static bool
is_beginning(int dir, const char *name)
{
	struct stat st;

	return *name == '.' &&
	    (fstat(dir, &st) < 0 || st.st_mtime > time(NULL) - BEGIN_S);
}

static void
recover_folder(struct runner *r, int now, const char *name)
{
	struct db_lock lock = DB_LOCK_INIT;
	int dir = openat(r->active, name,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (dir < 0)
		return;
	if (!is_beginning(dir, name) &&
	    db_lock(&lock, dir, ".lock", DB_LOCK_LEASE, 0, NULL) == 1) {
		recover_runner(r, dir, now, name);
		db_unlock(&lock);
	}
	close(dir);
}

void
runner_recover(struct runner *r)
{
	struct arena *arena = arena_new(0);
	struct slice *v;
	size_t n;
	int now =
	    openat(r->q.fd, "due/now", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (now < 0 || file_list(r->active, ".", arena, &v, &n, NULL) <= 0)
		n = 0;
	for (size_t i = 0; i < n; i++)
		if (!slice_is(v[i], r->name))
			recover_folder(r, now, arena_cstr(arena, v[i]));
	if (now >= 0)
		close(now);
	arena_free(&arena);
}
