/*
 * fold.c - the switch of a pair to its next generation. README has the states
 * that a crash in any of these steps leaves.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "db/newfile.h"
#include "db/pair_int.h"
#include "db/sync.h"

uint64_t
db_pair_tail(const struct db_pair *p)
{
	return p->log.end - p->start;
}

/* The present state, which contains the log up to p->log.end, as a CDB under
 * a temporary name. Without the lock: this is what takes long. */
static int
build(struct db_pair *p, struct db_cdb_make **m_r, struct err *e)
{
	struct pair_name file = pair_file(p->name, ".cdb");
	char value[48];
	int n;

	if (db_cdb_make_start(m_r, p->dirfd, file.text, p->mode, e) != 0)
		return -1;
	n = snprintf(value, sizeof(value), "%" PRIu64 " %" PRIu64,
	    p->log.gen + 1, p->log.end);
	db_cdb_make_add(*m_r, PAIR_GENERATION, slice_of(value, (size_t)n));
	if (p->ops->build(p->arg, *m_r, e) != 0)
		return -1;
	return db_cdb_make_finish(*m_r, e);
}

/*
 * First half: a new CDB under the name. *base_r: how much of the log it
 * contains. The rename is under the lock, so that nobody takes lines back
 * (db_pair_sync) that the CDB contains, and nobody appends from then on: the
 * next writer finishes the switch if we do not.
 */
static int
switch_cdb(struct db_pair *p, uint64_t *base_r, struct err *e)
{
	struct db_cdb_make *m = NULL;
	uint64_t base = p->log.end, gen = p->log.gen;
	int rc = -1;

	if (build(p, &m, e) != 0 || pair_lock_mended(p, DB_LOCK_MS, e) != 0)
		goto out;
	if (p->log.gen != gen || p->log.end < base)
		err_set(e, ERR_TEMP, "%s: log changed during fold", p->name);
	else
		rc = db_cdb_make_place(m, e);
	db_unlock(&p->lock);
	*base_r = base;
out:
	db_cdb_make_free(&m);
	return rc;
}

/* Keep a damaged log for the admin to look at. */
static int
keep_aside(struct db_pair *p, struct err *e)
{
	struct pair_name log = pair_file(p->name, ".log");
	char aside[96];

	if (p->bad == 0)
		return 0;
	snprintf(aside, sizeof(aside), "%s.bad-%lld", log.text,
	    (long long)clock_s(NULL));
	/* 0: one of this second exists, that is enough. */
	return db_link(p->dirfd, log.text, p->dirfd, aside, e) < 0 ? -1 : 0;
}

/* The next log, complete and synced, under a temporary name. */
static int
write_log(struct db_pair *p, uint64_t base, struct db_newfile *new,
    struct db_log *log, struct err *e)
{
	struct pair_name file = pair_file(p->name, ".log");

	if (db_newfile_begin(new, p->dirfd, file.text, p->mode, e) != 0 ||
	    db_log_start(log, new->fd, p->ops->magic, p->log.gen + 1, e) != 0 ||
	    db_log_copy(log, &p->log, base, e) != 0)
		return -1;
	return db_fsync_locked(new->fd, file.text, e);
}

/* End the old log and give its name to the new one. */
static int
replace_log(struct db_pair *p, struct db_newfile *new, struct err *e)
{
	struct pair_name file = pair_file(p->name, ".log");
	uint64_t end = p->log.end;
	char mark[32];

	snprintf(mark, sizeof(mark), "@end %" PRIu64, p->log.gen + 1);
	if (pair_mark(&p->log, mark, e) != 0)
		return -1;
	if (db_newfile_replace(new, file.text, e) == 0)
		return 0;
	db_log_cut(&p->log, end, NULL);
	return -1;
}

/* Under the lock: the lines after base to the next log, which takes over. */
static int
begin_log(struct db_pair *p, uint64_t base, struct db_newfile *new,
    struct err *e)
{
	struct db_log log;

	if (write_log(p, base, new, &log, e) != 0 || keep_aside(p, e) != 0 ||
	    replace_log(p, new, e) != 0)
		return -1;
	p->reload = true;
	if (db_fsync_locked(p->dirfd, p->name, e) == 0)
		return pair_mark(&log, "@placed", e);
	/* Its name may never reach the disk: another log is needed. */
	pair_mark(&log, "@suspect", NULL);
	return -1;
}

/* Second half: a new log under the name. */
static int
switch_log(struct db_pair *p, uint64_t base, struct err *e)
{
	struct db_newfile new = DB_NEWFILE_INIT;
	uint64_t gen = p->log.gen;
	int rc;

	if (db_fsync_dir(p->dirfd, p->name, e) != 0 ||
	    pair_lock_mended(p, DB_LOCK_MS, e) != 0)
		return -1;
	rc = p->log.gen == gen ? begin_log(p, base, &new, e) : 0;
	db_unlock(&p->lock);
	db_newfile_end(&new);
	return rc;
}

/* Under the lease. */
static int
fold(struct db_pair *p, bool only_mend, struct err *e)
{
	uint64_t base;

	if (db_pair_refresh(p, e) < 0)
		return -1;
	if (only_mend && !db_pair_mend_due(p))
		return 0;
	base = p->start;
	if (p->cdb_gen == p->log.gen && switch_cdb(p, &base, e) != 0)
		return -1;
	if (switch_log(p, base, e) != 0)
		return -1;
	return db_pair_refresh(p, e) < 0 ? -1 : 1;
}

/* As db_lock. */
static int
take_lease(struct db_lock *lease, struct db_pair *p, int timeout_ms,
    struct err *e)
{
	struct pair_name file = pair_file(p->name, ".lock");

	*lease = (struct db_lock)DB_LOCK_INIT;
	return db_lock(lease, p->dirfd, file.text,
	    DB_LOCK_SECOND | DB_LOCK_LEASE, timeout_ms, e);
}

bool
db_pair_mend_due(const struct db_pair *p)
{
	return p->bad > 0 || p->log.suspect || p->cdb_gen != p->log.gen;
}

int
pair_mend(struct db_pair *p, int timeout_ms, struct err *e)
{
	struct db_lock lease;
	int rc;

	if (take_lease(&lease, p, timeout_ms, e) != 1)
		return -1;
	rc = fold(p, true, e);
	db_unlock(&lease);
	return rc;
}

bool
db_pair_due(const struct db_pair *p)
{
	uint64_t tail = db_pair_tail(p);

	return db_pair_mend_due(p) ||
	    (tail > DB_FOLD_MIN && tail > db_cdb_size(p->cdb) / 8);
}

int
db_pair_fold(struct db_pair *p, struct err *e)
{
	struct db_lock lease;
	int rc = take_lease(&lease, p, 0, e);

	if (rc == 1) {
		rc = fold(p, false, e);
		db_unlock(&lease);
	}
	return rc;
}
