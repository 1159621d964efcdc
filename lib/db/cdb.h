/*
 * cdb - constant data bases (cr.yp.to/cdb), built whole, then mapped.
 *
 * Reading is tinycdb. Writing is ours, since tinycdb wants a value in memory
 * at once, and an array that is used in place must be aligned in the file.
 * The empty key is reserved for fillers. At most 4 GB a file.
 *
 * A mapped CDB keeps its content when the file is replaced. Lookups check
 * every offset: a damaged file gives errors or wrong values, no crash. Any
 * number of threads may read one.
 */
#ifndef DB_CDB_H
#define DB_CDB_H

#include <sys/types.h>

#include "base/err.h"
#include "base/slice.h"

struct db_cdb;

/* Returns 1, 0 if there is no such file, -1 with e set (ERR_SYNTAX when it is
 * no CDB). */
int db_cdb_open(struct db_cdb **c_r, int dirfd, const char *name,
    struct err *e);
/* As above, but the bytes of values may be changed in place; nobody else sees
 * that, and the file does not change (MAP_PRIVATE). */
int db_cdb_open_private(struct db_cdb **c_r, int dirfd, const char *name,
    struct err *e);
void db_cdb_close(struct db_cdb **c);
size_t db_cdb_size(const struct db_cdb *c); /* of the file; 0 for NULL */

/* The first value of key, valid until close. 1, 0 not there (also for c
 * NULL), -1 the file is damaged (ERR_SYNTAX). */
int db_cdb_get(const struct db_cdb *c, struct slice key, struct slice *value_r,
    struct err *e);
/* All records in file order; start with *pos 0. False at the end. */
bool db_cdb_next(const struct db_cdb *c, unsigned *pos, struct slice *key_r,
    struct slice *value_r);

/* ---- building ---- */

struct db_cdb_make;

/* Build name in dirfd (must stay open); it appears when placed. */
int db_cdb_make_start(struct db_cdb_make **m_r, int dirfd, const char *name,
    mode_t mode, struct err *e);
/* Add a record. Errors are kept and reported by finish. */
void db_cdb_make_add(struct db_cdb_make *m, struct slice key,
    struct slice value);
/* Add a record whose value of exactly size bytes follows in pieces; the value
 * is aligned to 8 bytes in the file, and so in memory when mapped. */
void db_cdb_make_begin(struct db_cdb_make *m, struct slice key, uint64_t size);
void db_cdb_make_write(struct db_cdb_make *m, struct slice piece);
/* Write the tables and sync the content. 0, or -1: ERR_LIMIT past 4 GB,
 * ERR_TEMP disk full. */
int db_cdb_make_finish(struct db_cdb_make *m, struct err *e);
/* Rename into place. The folder is not synced. */
int db_cdb_make_place(struct db_cdb_make *m, struct err *e);
/* Finish, place, and sync the folder. */
int db_cdb_make_commit(struct db_cdb_make *m, struct err *e);
/* Removes the temporary file if it was not placed. */
void db_cdb_make_free(struct db_cdb_make **m);

#endif
