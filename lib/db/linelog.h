/*
 * linelog - an append-only text log, a line a change.
 *
 *   PAYLOAD SP CHECKSUM LF     the last or only line of a unit
 *   PAYLOAD SP CHECKSUM + LF   more lines of the unit follow
 *
 * CHECKSUM is 8 hex digits, CRC-32 over the generation of the log (first
 * line) and PAYLOAD, so lines of another generation are not taken for valid;
 * in a unit it also covers the checksum of the line before. A unit is
 * appended with one write and counts whole or not at all.
 *
 * The first line is `MAGIC GENERATION`. Payloads beginning with '@' are the
 * log's own: `@end G` the log goes on in generation G; `@placed` the name of
 * this file is known to be on disk; `@suspect` a sync of this file failed:
 * nothing more may be acknowledged in it. Unknown ones are ignored.
 *
 * A reader takes no lock: it remembers how far it came and reads on from
 * there. README has all states. Most callers want pair.h, which is this
 * with a CDB below.
 */
#ifndef DB_LINELOG_H
#define DB_LINELOG_H

#include "base/err.h"
#include "base/slice.h"

/* A longer unit is refused, and bad when found: bounds a reader's memory. */
#define DB_UNIT_MAX (32u << 20)

enum { DB_LOG_TRAIL = 10 };

struct db_log {
	int fd;
	uint64_t gen;
	uint64_t first; /* where the first line after the header begins */
	uint64_t end; /* all before it has been replayed; next line goes here */
	bool placed, suspect;     /* such a line was seen */
	char trail[DB_LOG_TRAIL]; /* the bytes before end */
};

#define DB_LOG_INIT \
	{ \
		.fd = -1 \
	}

enum db_log_state {
	DB_LOG_FAILED = -1,
	DB_LOG_CLEAN,    /* at the end of the file */
	DB_LOG_TORN,     /* bytes behind end, no valid unit among them: torn by
			  * a crash, or (without the lock) being written */
	DB_LOG_DAMAGED,  /* a bad line at end, with valid units behind it */
	DB_LOG_ENDED,    /* `@end` at end */
	DB_LOG_REPLACED, /* the bytes before end are not those replayed, or the
			  * file has lost its name */
};

/*
 * Begin a log of generation gen in the empty file fd: write the first line,
 * and set l up for appending. fd stays the caller's.
 */
int db_log_start(struct db_log *l, int fd, const char *magic, uint64_t gen,
    struct err *e);

/*
 * Open name for reading and appending (only for reading where the system does
 * not allow more). Reads the first line and nothing else. Returns 1; 0 if
 * there is no such file; -1 with e set, ERR_SYNTAX if the first line is bad.
 */
int db_log_open(struct db_log *l, int dirfd, const char *name,
    const char *magic, struct err *e);
void db_log_close(struct db_log *l);
/* Replay from offset, the end of a unit. */
int db_log_seek(struct db_log *l, uint64_t offset, struct err *e);

/*
 * Call fn for each line of each valid unit from l->end on, and move l->end
 * along. unit_end is the offset behind the line's unit. A negative return of
 * fn stops and is DB_LOG_FAILED. With salvage bad lines are passed over as
 * long as valid units follow; *bad_r (may be NULL) is how many bytes.
 */
typedef int db_line_fn(void *arg, struct slice payload, uint64_t unit_end,
    struct err *e);
enum db_log_state db_log_replay(struct db_log *l, bool salvage, uint64_t *bad_r,
    db_line_fn *fn, void *arg, struct err *e);

/*
 * Replay to the end a log of which the next one may have the name already. True:
 * every line up to its `@end` has been taken in; else fn may have been called.
 */
bool db_log_finish(struct db_log *l, db_line_fn *fn, void *arg, struct err *e);

/*
 * Append n lines as one unit with one write at l->end, which moves. The
 * caller holds the writers' lock and has replayed to DB_LOG_CLEAN. A payload
 * is not empty, has no LF and (own lines aside) does not begin with '@'. On
 * failure (ERR_TEMP full disk, ERR_LIMIT too long) nothing was appended.
 */
int db_log_append(struct db_log *l, const struct slice *lines, size_t n,
    struct err *e);

/* Cut the file at end (<= l->end), under the lock: a torn tail, an abandoned
 * `@end`, lines taken back. */
int db_log_cut(struct db_log *l, uint64_t end, struct err *e);
/*
 * As db_log_cut, with one line in the place of what is cut off: it is there
 * before the others are gone. -1: nothing has changed, or only the line is
 * missing or the rest not cut off: db_log_cut again.
 */
int db_log_replace(struct db_log *l, uint64_t end, struct slice line,
    struct err *e);

/*
 * Append to one log the units of another from offset to its end (as far as
 * replayed), checksummed for the new generation. Bad lines and the log's own
 * are left out.
 */
int db_log_copy(struct db_log *to, const struct db_log *from, uint64_t offset,
    struct err *e);
/* How many bytes db_log_copy appends, or did. 0 or -1. */
int db_log_copied(const struct db_log *from, uint64_t offset, uint64_t *n_r,
    struct err *e);

#endif
