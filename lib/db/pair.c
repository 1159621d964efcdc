/*
 * pair.c - open, refresh, lock, append, sync. See pair.h; fold.c has the rest.
 */
#include "db/pair.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "db/newfile.h"
#include "db/pair_int.h"
#include "db/sync.h"

/* A fold may come between opening the log and opening the CDB; a hundred in a
 * row do not. After the fast ones wait a millisecond each. */
#define OPEN_TRIES 100
#define OPEN_TRIES_FAST 10

/* Lines a unit in a new log: well below DB_UNIT_MAX. */
#define CREATE_LINES 1000

/* See far_behind. */
#define FOLLOW_SHARE 32
#define FOLLOW_MIN 4096

/* Forced folds that may come in between before a writer gives up. */
#define LOCK_TRIES 5

struct pair_name
pair_file(const char *name, const char *suffix)
{
	struct pair_name n;

	snprintf(n.text, sizeof(n.text), "%s%s", name, suffix);
	return n;
}

/* ---- open ---- */

static bool
parse_generation(struct slice value, uint64_t *gen_r, uint64_t *base_r)
{
	struct slice gen, base;

	return slice_cut(value, ' ', &gen, &base) && slice_u64(gen, gen_r) &&
	    slice_u64(base, base_r) && *gen_r > 1;
}

/*
 * Of the CDB on disk: its generation, and the offset in the log of the
 * generation before up to which it contains that. 1 and open; 0 (there is
 * none: generation 1, empty), -1.
 */
static int
open_cdb(struct db_cdb **cdb_r, uint64_t *gen_r, uint64_t *base_r, int dirfd,
    const char *name, bool private_map, struct err *e)
{
	struct pair_name file = pair_file(name, ".cdb");
	struct slice value;
	int rc;

	*cdb_r = NULL;
	*gen_r = 1;
	*base_r = 0;
	rc = (private_map ? db_cdb_open_private : db_cdb_open)(cdb_r, dirfd,
	    file.text, e);
	if (rc != 1)
		return rc;
	if (db_cdb_get(*cdb_r, PAIR_GENERATION, &value, NULL) == 1 &&
	    parse_generation(value, gen_r, base_r))
		return 1;
	db_cdb_close(cdb_r);
	return err_set(e, ERR_SYNTAX, "%s: no generation in it", file.text);
}

struct files {
	struct db_log log;
	struct db_cdb *cdb;
	uint64_t gen, start;
	uint64_t missing; /* bytes of the log that only the CDB has */
};

static void
close_files(struct files *f)
{
	db_log_close(&f->log);
	db_cdb_close(&f->cdb);
}

/*
 * The two fit if the log continues the CDB: it is of the same generation, or
 * of the one before and the CDB says how much of it it contains. That can be
 * more than there is, if a power cut took lines nobody had synced.
 */
static bool
files_fit(struct files *f, uint64_t base)
{
	struct stat st;
	uint64_t size;

	if (f->log.gen == f->gen) {
		f->start = f->log.first;
		return true;
	}
	if (f->log.gen + 1 != f->gen || base < f->log.first ||
	    fstat(f->log.fd, &st) != 0)
		return false;
	size = (uint64_t)st.st_size;
	f->start = base < size ? base : size;
	f->missing = base - f->start;
	return true;
}

/* 1, 0 there is no log, -1. */
static int
open_files(const struct db_pair *p, struct files *f, struct err *e)
{
	struct pair_name log = pair_file(p->name, ".log");
	uint64_t base;
	int rc;

	for (int i = 0; i < OPEN_TRIES; i++) {
		if (i >= OPEN_TRIES_FAST)
			clock_sleep_ms(1);
		*f = (struct files){ .log = DB_LOG_INIT };
		rc = db_log_open(&f->log, p->dirfd, log.text, p->ops->magic, e);
		if (rc != 1)
			return rc;
		rc = open_cdb(&f->cdb, &f->gen, &base, p->dirfd, p->name,
		    p->ops->private_map, e);
		if (rc >= 0 && files_fit(f, base))
			return 1;
		close_files(f);
		if (rc < 0)
			return -1;
	}
	return err_set(e, ERR_SYNTAX, "%s: cdb and log do not fit together",
	    p->name);
}

static int
line(void *arg, struct slice payload, uint64_t unit_end, struct err *e)
{
	struct db_pair *p = arg;

	return p->ops->line(p->arg, payload, unit_end, e);
}

/* Read on in the log. What is damaged is looked at again under the lock: a
 * line that somebody is just writing may look so. */
static int
replay(struct db_pair *p, struct err *e)
{
	struct pair_name file = pair_file(p->name, ".lock");
	struct db_lock shared = DB_LOCK_INIT;
	uint64_t bad = 0;

	p->state = db_log_replay(&p->log, false, NULL, line, p, e);
	if (p->state == DB_LOG_DAMAGED) {
		if (p->lock.fd < 0 &&
		    db_lock(&shared, p->dirfd, file.text, DB_LOCK_SHARED,
			DB_LOCK_MS, e) != 1)
			return -1;
		p->state = db_log_replay(&p->log, true, &bad, line, p, e);
		db_unlock(&shared);
		p->bad += bad;
	}
	if (p->state == DB_LOG_FAILED) {
		p->reload = true; /* part of a unit may have been taken in */
		return -1;
	}
	return 0;
}

/* Go over to other files: forget the state and take it in anew. */
static int
load(struct db_pair *p, struct files *f, struct err *e)
{
	if (p->ops->reset(p->arg, f->cdb, e) != 0) {
		close_files(f);
		return -1;
	}
	if (f->log.gen != p->log.gen) {
		p->own_from = p->own_to = 0;
		p->own_mixed = false;
	}
	db_log_close(&p->log);
	db_cdb_close(&p->cdb);
	p->log = f->log;
	p->cdb = f->cdb;
	p->cdb_gen = f->gen;
	p->followed = false;
	p->start = p->synced = f->start;
	p->bad = f->missing;
	p->log.suspect = p->log.gen == p->suspect_gen;
	if (f->start != p->log.first && db_log_seek(&p->log, f->start, e) != 0)
		return -1;
	if (replay(p, e) != 0)
		return -1;
	p->reload = false;
	return 0;
}

/*
 * Both files and the state that is in them: 1, 0 there is no log, -1. A fold may
 * give the log's name to the next one before a line is read here: what the CDB
 * has is not all then.
 */
static int
open_state(struct db_pair *p, struct err *e)
{
	struct files f;
	int rc;

	for (int i = 0; i < OPEN_TRIES; i++) {
		rc = open_files(p, &f, e);
		if (rc != 1)
			return rc;
		if (load(p, &f, e) != 0)
			return -1;
		if (p->state != DB_LOG_REPLACED)
			return 1;
		p->reload = true;
	}
	return err_set(e, ERR_TEMP, "%s: folded all the time", p->name);
}

int
db_pair_open(struct db_pair *p, int dirfd, const char *name, mode_t mode,
    const struct db_pair_ops *ops, void *arg, struct err *e)
{
	int rc;

	*p = (struct db_pair){ .ops = ops,
		.arg = arg,
		.dirfd = dirfd,
		.mode = mode,
		.log = DB_LOG_INIT,
		.lock = DB_LOCK_INIT,
		.reload = true };
	if (!slice_cstr(slice_str(name), p->name, sizeof(p->name)))
		return err_set(e, ERR_LIMIT, "%s: name too long", name);
	rc = open_state(p, e);
	if (rc != 1)
		db_pair_close(p);
	return rc;
}

void
db_pair_close(struct db_pair *p)
{
	db_unlock(&p->lock);
	db_log_close(&p->log);
	db_cdb_close(&p->cdb);
}

/* In several units: nobody sees the log before it is whole. */
static int
append_all(struct db_log *log, const struct slice *lines, size_t n,
    struct err *e)
{
	for (size_t i = 0; i < n; i += CREATE_LINES)
		if (db_log_append(log, lines + i,
			n - i < CREATE_LINES ? n - i : CREATE_LINES, e) != 0)
			return -1;
	return 0;
}

/* A new log with these lines, durable: as db_pair_create. */
static int
create_log(int dirfd, const char *name, mode_t mode, const char *magic,
    uint64_t gen, const struct slice *lines, size_t n, struct err *e)
{
	struct pair_name file = pair_file(name, ".log");
	struct db_newfile new = DB_NEWFILE_INIT;
	struct db_log log = DB_LOG_INIT;
	int rc = -1;

	if (db_newfile_begin(&new, dirfd, file.text, mode, e) == 0 &&
	    db_log_start(&log, new.fd, magic, gen, e) == 0 &&
	    append_all(&log, lines, n, e) == 0 && db_newfile_sync(&new, e) == 0)
		rc = db_newfile_link(&new, file.text, e);
	db_newfile_end(&new);
	if (rc == 1 && db_fsync_dir(dirfd, file.text, e) != 0) {
		db_unlink(dirfd, file.text, NULL);
		rc = -1;
	}
	return rc;
}

int
db_pair_create(int dirfd, const char *name, mode_t mode,
    const struct db_pair_ops *ops, const struct slice *lines, size_t n,
    struct err *e)
{
	struct db_cdb *cdb;
	uint64_t gen, base;

	/* A CDB whose log somebody removed is taken as it is. */
	if (open_cdb(&cdb, &gen, &base, dirfd, name, false, e) < 0)
		return -1;
	db_cdb_close(&cdb);
	return create_log(dirfd, name, mode, ops->magic, gen, lines, n, e);
}

int
db_pair_create_built(int dirfd, const char *name, mode_t mode,
    const struct db_pair_ops *ops, void *arg, struct err *e)
{
	struct pair_name file = pair_file(name, ".cdb");
	struct db_cdb_make *m = NULL;
	int rc = -1;

	if (db_cdb_make_start(&m, dirfd, file.text, mode, e) == 0) {
		/* The first that a fold makes. */
		db_cdb_make_add(m, PAIR_GENERATION, SLICE("2 0"));
		if (ops->build(arg, m, e) == 0 && db_cdb_make_finish(m, e) == 0)
			rc = db_cdb_make_place(m, e);
	}
	db_cdb_make_free(&m);
	return rc == 0
	    ? create_log(dirfd, name, mode, ops->magic, 2, NULL, 0, e)
	    : -1;
}

int
db_pair_discard(int dirfd, const char *name, struct err *e)
{
	static const char *const suffixes[] = { ".log", ".cdb" };
	char aside[96];

	for (size_t i = 0; i < 2; i++) {
		struct pair_name file = pair_file(name, suffixes[i]);

		snprintf(aside, sizeof(aside), "%s.bad-%lld", file.text,
		    (long long)clock_s(NULL));
		if (db_rename(dirfd, file.text, dirfd, aside, e) < 0)
			return -1;
	}
	return db_fsync_dir(dirfd, name, e);
}

/* ---- refresh ---- */

/* Is the log we have open still the one with the name? */
static bool
log_named(const struct db_pair *p)
{
	struct pair_name file = pair_file(p->name, ".log");
	struct stat ours, named;

	return fstat(p->log.fd, &ours) == 0 &&
	    fstatat(p->dirfd, file.text, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	    ours.st_ino == named.st_ino && ours.st_dev == named.st_dev;
}

static int
reopen(struct db_pair *p, struct err *e)
{
	int rc;

	p->reload = true;
	rc = open_state(p, e);
	if (rc == 0)
		return err_set(e, ERR_PERM, "%s: removed", p->name);
	return rc;
}

/* Lines that are still to be taken in may be more work than the next CDB, in
 * which they are: a line says a change in some 5 bytes, a CDB a record in 150. */
static bool
far_behind(const struct db_pair *p)
{
	struct stat st;

	return p->cdb == NULL || fstat(p->log.fd, &st) != 0 ||
	    (uint64_t)st.st_size >
	    p->log.end + FOLLOW_MIN + db_cdb_size(p->cdb) / FOLLOW_SHARE;
}

/* The place in the next log up to which the present state has its lines: behind
 * those that were copied there. False if it cannot be told. */
static bool
place_in_next(const struct db_pair *p, const struct db_log *next,
    uint64_t *offset_r)
{
	struct db_cdb *cdb = NULL;
	uint64_t gen, base, n;
	bool fits =
	    open_cdb(&cdb, &gen, &base, p->dirfd, p->name, false, NULL) == 1 &&
	    gen == next->gen && base >= p->log.first && base <= p->log.end &&
	    p->ops->stands(p->arg, cdb) &&
	    db_log_copied(&p->log, base, &n, NULL) == 0;

	db_cdb_close(&cdb);
	if (fits)
		*offset_r = next->first + n;
	return fits;
}

/*
 * To the next log with the state as it is, which costs what was appended since:
 * taking it in anew would cost reading all. The CDB stays the one before. False:
 * it has to be taken in anew.
 */
static bool
follow(struct db_pair *p)
{
	struct pair_name file = pair_file(p->name, ".log");
	struct db_log next;
	uint64_t offset;

	if (p->ops->stands == NULL || p->bad > 0 || p->log.suspect ||
	    far_behind(p) || !db_log_finish(&p->log, line, p, NULL) ||
	    db_log_open(&next, p->dirfd, file.text, p->ops->magic, NULL) != 1)
		return false;
	if (next.gen != p->log.gen + 1 || !place_in_next(p, &next, &offset) ||
	    db_log_seek(&next, offset, NULL) != 0) {
		db_log_close(&next);
		return false;
	}
	db_log_close(&p->log);
	p->log = next;
	p->log.suspect = next.gen == p->suspect_gen;
	p->cdb_gen = next.gen;
	p->start = p->synced = next.first;
	p->own_from = p->own_to = 0;
	p->own_mixed = false;
	p->followed = true;
	return true;
}

/* Does another log have the name? An `@end` under the name is a switch under
 * way, or given up by a crash: nothing has been lost, the next writer cuts it
 * off. */
static bool
replaced(const struct db_pair *p)
{
	return p->state == DB_LOG_REPLACED ||
	    (p->state == DB_LOG_ENDED && !log_named(p));
}

/* It has. */
static int
go_over(struct db_pair *p, struct err *e)
{
	if (!follow(p))
		return reopen(p, e);
	if (replay(p, e) != 0)
		return -1;
	return replaced(p) ? reopen(p, e) : 1;
}

int
db_pair_refresh(struct db_pair *p, struct err *e)
{
	uint64_t before = p->log.end;

	if (p->reload)
		return reopen(p, e);
	if (replay(p, e) != 0)
		return -1;
	if (replaced(p))
		return go_over(p, e);
	return p->log.end != before;
}

int
db_pair_renew(struct db_pair *p, struct err *e)
{
	if (!p->followed)
		return 0;
	p->reload = true;
	return db_pair_refresh(p, e);
}

/* ---- writing ---- */

int
pair_lock_mended(struct db_pair *p, int timeout_ms, struct err *e)
{
	struct pair_name file = pair_file(p->name, ".lock");

	if (db_lock(&p->lock, p->dirfd, file.text, 0, timeout_ms, e) != 1)
		return -1;
	if (!log_named(p) && (p->reload || !follow(p)))
		p->reload = true;
	if (db_pair_refresh(p, e) < 0)
		goto fail;
	if (p->state != DB_LOG_CLEAN && db_log_cut(&p->log, p->log.end, e) != 0)
		goto fail;
	p->state = DB_LOG_CLEAN;
	return 0;
fail:
	db_unlock(&p->lock);
	return -1;
}

int
pair_mark(struct db_log *l, const char *text, struct err *e)
{
	struct slice payload = slice_str(text);

	return db_log_append(l, &payload, 1, e);
}

/* Best effort: the disk is failing. */
static void
distrust(struct db_pair *p)
{
	p->suspect_gen = p->log.gen;
	p->log.suspect = true;
	pair_mark(&p->log, "@suspect", NULL);
}

/*
 * Whoever began this log may have been killed before the sync of the folder:
 * then a power cut could still take the file's name, and with it all that is
 * acknowledged in it. Only after a crash or in a new pair.
 */
static int
place(struct db_pair *p, struct err *e)
{
	if (p->log.placed)
		return 0;
	if (db_fsync_locked(p->dirfd, p->name, e) != 0) {
		distrust(p);
		return -1;
	}
	p->log.placed = true;
	return pair_mark(&p->log, "@placed", e);
}

int
db_pair_lock(struct db_pair *p, int timeout_ms, struct err *e)
{
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (pair_lock_mended(p, timeout_ms, e) != 0)
			return -1;
		if (!db_pair_mend_due(p)) {
			if (place(p, e) == 0)
				return 0;
			db_unlock(&p->lock);
			return -1;
		}
		db_unlock(&p->lock);
		if (pair_mend(p, timeout_ms, e) < 0)
			return -1;
	}
	return err_set(e, ERR_TEMP, "%s: log stays damaged", p->name);
}

void
db_pair_unlock(struct db_pair *p)
{
	db_unlock(&p->lock);
}

int
db_pair_append(struct db_pair *p, const struct slice *lines, size_t n,
    struct err *e)
{
	uint64_t before = p->log.end;

	if (db_log_append(&p->log, lines, n, e) != 0)
		return -1;
	if (p->own_to == p->own_from)
		p->own_from = before;
	else if (p->own_to != before)
		p->own_mixed = true;
	p->own_to = p->log.end;
	for (size_t i = 0; i < n; i++) {
		if (p->ops->line(p->arg, lines[i], p->log.end, e) < 0) {
			p->reload = true;
			return -1;
		}
	}
	return 0;
}

/* Own lines from offset on, which are the end of the log. */
static int
take_back(struct db_pair *p, uint64_t offset)
{
	struct buf line = BUF_INIT(DB_UNIT_MAX);
	int rc = -1;

	if (p->ops->instead != NULL) {
		p->ops->instead(p->arg, &line);
		rc = db_log_replace(&p->log, offset, buf_slice(&line), NULL);
	}
	/* No room even for that. */
	if (rc != 0)
		rc = db_log_cut(&p->log, offset, NULL);
	buf_free(&line);
	return rc;
}

void
db_pair_undo(struct db_pair *p, uint64_t offset)
{
	if (p->log.end == offset || take_back(p, offset) != 0)
		return;
	if (p->own_from >= offset)
		p->own_from = p->own_to = 0;
	else if (p->own_to > offset)
		p->own_to = offset;
	p->reload = true;
	db_pair_refresh(p, NULL);
}

/* ---- sync ---- */

/* Own lines can be cut off if they are the end of the log, and no CDB
 * contains them yet. */
static bool
can_take_back(const struct db_pair *p)
{
	struct db_cdb *cdb;
	uint64_t gen, base;

	if (p->own_mixed || p->own_to != p->log.end)
		return false;
	if (open_cdb(&cdb, &gen, &base, p->dirfd, p->name, false, NULL) < 0)
		return false;
	db_cdb_close(&cdb);
	return gen == p->log.gen || base <= p->own_from;
}

/* After a failed sync. 0 if the lines are on disk all the same. */
static int
sync_failed(struct db_pair *p, bool *stays_r)
{
	uint64_t gen = p->log.gen;
	bool own = p->own_to > p->own_from;

	*stays_r = own;
	p->suspect_gen = gen;
	if (pair_lock_mended(p, DB_LOCK_MS, NULL) != 0)
		return -1;
	if (p->log.gen != gen) {
		/* Folded meanwhile: all are in the new log, which is synced. */
		db_unlock(&p->lock);
		*stays_r = false;
		return 0;
	}
	if (own && can_take_back(p))
		*stays_r = take_back(p, p->own_from) != 0;
	distrust(p);
	p->reload = true;
	db_unlock(&p->lock);
	db_pair_refresh(p, NULL);
	return -1;
}

int
db_pair_sync(struct db_pair *p, bool *stays_r, struct err *e)
{
	uint64_t end = p->log.end;
	bool stays = false;
	int rc = 0;

	if (p->synced < end) {
		rc = db_fdatasync(p->log.fd, p->name, e);
		if (rc != 0)
			rc = sync_failed(p, &stays);
		else
			p->synced = end;
		p->own_from = p->own_to = 0;
		p->own_mixed = false;
	}
	if (stays_r != NULL)
		*stays_r = stays;
	return rc;
}
