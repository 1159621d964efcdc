/*
 * table - a keyed table on disk: NAME.cdb with NAME.log on top (pair.h).
 *
 * Keys are 1 to DB_KEY_MAX bytes and do not begin with NUL; values any bytes.
 * Opening costs the log's tail. Changes are transactions: all or nothing
 * after a crash, and synced only when asked.
 *
 *   db_table_begin(t, e)  lock; the table is as others left it
 *   db_table_get, _put, _delete
 *   db_table_commit(t, e) append, unlock
 *
 * The log's lines are `set KEY VALUE` and `del KEY`, both escaped
 * (escape.h), so `grep` finds things.
 */
#ifndef DB_TABLE_H
#define DB_TABLE_H

#include <sys/types.h>

#include "base/err.h"
#include "base/slice.h"

#define DB_KEY_MAX 4096 /* message ids are below 1000; bounds hostile ones */

struct db_table;

/* Open, or make, NAME.cdb and NAME.log in dirfd, which stays open. A table
 * damaged beyond use is kept aside as .bad-TIME and begun anew: tables hold
 * what can be learned again. */
int db_table_open(struct db_table **t_r, int dirfd, const char *name,
    mode_t mode, struct err *e);
void db_table_close(struct db_table **t);

/* See what others committed. Cheap. */
int db_table_refresh(struct db_table *t, struct err *e);

/* 1 found, 0 not, -1. Sees what was put in the open transaction. The value is
 * valid until the next refresh, begin, commit, cancel or fold. */
int db_table_get(struct db_table *t, struct slice key, struct slice *value_r,
    struct err *e);

struct db_table_iter {
	unsigned pos;
	size_t i;
	bool tail;
};
#define DB_TABLE_ITER \
	{ \
		0, 0, false \
	}
/* All keys with their values, in no order, without the open transaction.
 * False at the end. */
bool db_table_next(const struct db_table *t, struct db_table_iter *it,
    struct slice *key_r, struct slice *value_r);

/* Returns 0, -1 (ERR_TEMP: locked for too long). */
int db_table_begin(struct db_table *t, struct err *e);
void db_table_put(struct db_table *t, struct slice key, struct slice value);
void db_table_delete(struct db_table *t, struct slice key);
/* Append and unlock. On -1 (ERR_LIMIT: a key or the whole is too long)
 * nothing has changed and the lock is released. */
int db_table_commit(struct db_table *t, struct err *e);
void db_table_cancel(struct db_table *t);
/* Fold if the tail has grown long. Call it when nobody waits for an answer. */
int db_table_tidy(struct db_table *t, struct err *e);

#endif
