/*
 * pair_int - shared by pair.c and fold.c only.
 */
#ifndef DB_PAIR_INT_H
#define DB_PAIR_INT_H

#include "db/pair.h"

/* The CDB's key that says which log it contains, and up to where: "GEN X". */
#define PAIR_GENERATION ((struct slice){ "\0generation", 11 })

struct pair_name {
	char text[80];
};
/* The pair's name with a suffix, for the system calls. */
struct pair_name pair_file(const char *name, const char *suffix);

/* Lock and refresh, and cut what is left of a crash behind the last line.
 * The log may be damaged or suspect still. */
int pair_lock_mended(struct db_pair *p, int timeout_ms, struct err *e);

/* Append a line of the log's own. */
int pair_mark(struct db_log *l, const char *text, struct err *e);

/* Fold if db_pair_mend_due; waits for another process that is at it. -1 failed. */
int pair_mend(struct db_pair *p, int timeout_ms, struct err *e);

#endif
