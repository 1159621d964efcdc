/*
 * pair - NAME.cdb with NAME.log on top: state that is cheap to open, cheap to
 * change, and that many processes read without a lock.
 *
 * The state is what the CDB says, changed by the lines of the log that the
 * CDB does not contain yet. It lives in the caller, who gives three
 * functions: forget it and begin with this CDB; take in one line; write all
 * of it into a new CDB. Own lines come back through the same line function,
 * so state changes in one place only.
 *
 *   db_pair_open                          reset, then a line each
 *   db_pair_refresh                       what others appended since
 *   db_pair_lock                          refreshed, and nobody else writes
 *     db_pair_append ...
 *   db_pair_unlock
 *   db_pair_sync                          before acknowledging
 *   if (db_pair_due(p)) db_pair_fold      when there is time
 *
 * Writers lock NAME.lock (the first byte; folding is a lease on the second).
 * README explains the generations and every state a crash can leave. All
 * that is damaged or half done is mended by the next writer; readers cope.
 */
#ifndef DB_PAIR_H
#define DB_PAIR_H

#include "base/buf.h"
#include "db/cdb.h"
#include "db/linelog.h"
#include "db/lock.h"

/* Fold when the tail is longer than this and than an eighth of the CDB: so
 * the tail is short to read and writing CDBs costs 8 bytes a byte of log. */
#define DB_FOLD_MIN (64 * 1024)

struct db_pair_ops {
	const char *magic; /* of the log's first line, e.g. "mox-mailbox 1" */
	bool private_map;  /* map the CDB with db_cdb_open_private */
	/*
	 * Drop all state; next (NULL: none, the empty state) is the CDB to go
	 * on from. Slices of the CDB before are valid until this returns.
	 */
	int (*reset)(void *arg, const struct db_cdb *next, struct err *e);
	/*
	 * May be NULL. A fold has written next: may the state, which has all
	 * lines that next contains, stay as it is? Then it is not reset, and
	 * the CDB it began from stays mapped, until db_pair_renew.
	 */
	bool (*stands)(void *arg, const struct db_cdb *next);
	/* One line. unit_end: on disk for sure once p->synced >= unit_end (an
	 * offset of the present log, so it means nothing after a reset). A
	 * line that makes no sense should be ignored: -1 makes the pair
	 * unusable. */
	int (*line)(void *arg, struct slice payload, uint64_t unit_end,
	    struct err *e);
	/* Write the present state. Keys beginning with NUL are the pair's. */
	int (*build)(void *arg, struct db_cdb_make *m, struct err *e);
	/*
	 * Own lines are to be taken back that readers may have announced: make
	 * a line to stand in their place, from the state that contains them,
	 * so that numbers are not given twice. NULL: nothing need be kept.
	 */
	void (*instead)(void *arg, struct buf *line);
};

/* Fields are for reading only. */
struct db_pair {
	const struct db_pair_ops *ops;
	void *arg;
	int dirfd;
	char name[64];
	mode_t mode;
	struct db_cdb *cdb; /* NULL: none yet */
	uint64_t cdb_gen;
	bool followed; /* cdb is an older one: the state stayed over a fold */
	struct db_log log;
	uint64_t start;  /* the CDB contains the log up to here */
	uint64_t synced; /* offset in log up to which all is on disk */
	uint64_t own_from, own_to; /* lines of ours not synced yet */
	bool own_mixed;            /* ... with lines of others between them */
	enum db_log_state state;   /* of the log, when last looked at */
	uint64_t bad;         /* bytes of log that are damaged or missing */
	uint64_t suspect_gen; /* generation a sync of ours failed in */
	bool reload;          /* the state is void: reset at the next refresh */
	struct db_lock lock;
};

/*
 * Open the pair name in dirfd (both must outlive p; name is short, like
 * "mox"). p must not move in memory. Returns 1; 0 if there is none; -1 with
 * e set, ERR_SYNTAX if CDB or log are damaged so that the state is lost
 * (missing CDB, unreadable first line): see db_pair_discard.
 */
int db_pair_open(struct db_pair *p, int dirfd, const char *name, mode_t mode,
    const struct db_pair_ops *ops, void *arg, struct err *e);
/*
 * Make a pair with n lines (none, or more than fit into a unit) as its first
 * state, durable. Returns 1; 0 if there is one already; -1. Open it
 * afterwards.
 */
int db_pair_create(int dirfd, const char *name, mode_t mode,
    const struct db_pair_ops *ops, const struct slice *lines, size_t n,
    struct err *e);
/*
 * The same with a first state that ops->build writes from arg, however large:
 * it becomes the CDB, with an empty log. The CDB comes first: a crash, or another
 * who was sooner, may leave it without a log, and the caller removes it before
 * the next try. Nobody else may make the pair meanwhile. 1, 0, -1.
 */
int db_pair_create_built(int dirfd, const char *name, mode_t mode,
    const struct db_pair_ops *ops, void *arg, struct err *e);
/* Rename what is there to NAME.*.bad-TIME, so that a new one can be made. */
int db_pair_discard(int dirfd, const char *name, struct err *e);
void db_pair_close(struct db_pair *p);

/* Take in what others did. 1 something, 0 nothing, -1 (ERR_PERM: the pair was
 * removed). Nothing costs one fstat. */
int db_pair_refresh(struct db_pair *p, struct err *e);

/* Take the state in anew if it stayed over a fold (ops->stands), so that it does
 * not keep an old CDB and all changes since; when nobody waits. As
 * db_pair_refresh. */
int db_pair_renew(struct db_pair *p, struct err *e);

/*
 * Lock against other writers, with the state refreshed and the log ready for
 * appending. 0 or -1 (ERR_TEMP: time-out). May fold first, if the log is
 * damaged or suspect.
 */
int db_pair_lock(struct db_pair *p, int timeout_ms, struct err *e);
/* Append n lines as one unit: a crash leaves all or none. Under the lock. */
int db_pair_append(struct db_pair *p, const struct slice *lines, size_t n,
    struct err *e);
/* Take back what this pair appended under the lock it holds, since the log
 * ended at offset; `instead` stands in their place. The state is reset and
 * replayed. Best effort; what stays is in the log as if it had not been called. */
void db_pair_undo(struct db_pair *p, uint64_t offset);
void db_pair_unlock(struct db_pair *p);

/*
 * Make all lines taken in so far durable; own ones and others' (before these
 * are announced). Not under the lock. No system call if nothing is to do.
 *
 * On failure -1: own lines not synced are taken back (`instead` stands for
 * them; the state is reset and replayed) and the log is marked, so that the next writer begins a new one.
 * If others have appended since, own lines cannot be taken back: *stays_r
 * (may be NULL) is set, and the caller appends lines that reverse them.
 */
int db_pair_sync(struct db_pair *p, bool *stays_r, struct err *e);

/* Bytes of log that the CDB does not contain. */
uint64_t db_pair_tail(const struct db_pair *p);
/* Longer than the limits above, or damaged, or suspect. */
bool db_pair_due(const struct db_pair *p);
/* Damaged, suspect, or a fold was left half done: before the next line may be
 * appended it has to be done. */
bool db_pair_mend_due(const struct db_pair *p);
/*
 * Write the state as a new CDB and begin a new log: the state is reset and
 * replayed. 1 done, 0 another process is at it, -1. Not under the lock.
 */
int db_pair_fold(struct db_pair *p, struct err *e);

#endif
