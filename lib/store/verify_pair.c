/*
 * verify_pair.c - look at a pair (lib/db/pair.h) without opening it, which
 * would mend it.
 */
#include <stdio.h>

#include "db/pair.h"
#include "store/verify_int.h"

/* Key of the CDB: its generation. lib/db/README, Pairs. */
#define GENERATION slice_of("\0generation", 11)

static int
ignore_line(void *arg, struct slice payload, uint64_t unit_end, struct err *e)
{
	(void)arg, (void)payload, (void)unit_end, (void)e;
	return 0;
}

/* 1, 0 there is none (generation 1), -1 it is damaged. */
static int
cdb_generation(int dirfd, const char *file, uint64_t *gen_r, struct err *why)
{
	struct db_cdb *cdb = NULL;
	struct slice value, number, rest;
	int rc = db_cdb_open(&cdb, dirfd, file, why);

	*gen_r = 1;
	if (rc == 1 &&
	    (db_cdb_get(cdb, GENERATION, &value, NULL) != 1 ||
		!slice_cut(value, ' ', &number, &rest) ||
		!slice_u64(number, gen_r)))
		rc = err_set(why, ERR_SYNTAX, "%s: no generation in it", file);
	db_cdb_close(&cdb);
	return rc;
}

/* The log's lines, from its first on. */
static enum verify_pair
check_lines(struct db_log *log, const char *file, struct err *why,
    struct err *e)
{
	uint64_t bad = 0;
	enum db_log_state state =
	    db_log_replay(log, true, &bad, ignore_line, NULL, e);

	if (state == DB_LOG_FAILED)
		return VERIFY_PAIR_FAILED;
	if (bad == 0)
		return VERIFY_PAIR_GOOD;
	err_set(why, ERR_SYNTAX, "%s: %llu bytes of bad lines", file,
	    (unsigned long long)bad);
	return VERIFY_PAIR_LINES;
}

enum verify_pair
verify_pair(int dirfd, const char *name, const char *magic, struct err *why_r,
    struct err *e)
{
	struct db_log log = DB_LOG_INIT;
	char cdb_file[80], log_file[80];
	enum verify_pair rc;
	uint64_t gen;
	int has_cdb, has_log;

	snprintf(cdb_file, sizeof(cdb_file), "%s.cdb", name);
	snprintf(log_file, sizeof(log_file), "%s.log", name);
	/* The log first: when they are switched meanwhile the CDB is newer. */
	has_log = db_log_open(&log, dirfd, log_file, magic, why_r);
	has_cdb = cdb_generation(dirfd, cdb_file, &gen, why_r);
	if ((has_log < 0 || has_cdb < 0) && why_r->kind != ERR_SYNTAX) {
		err_set(e, why_r->kind, "%s", why_r->text);
		rc = VERIFY_PAIR_FAILED;
	} else if (has_log < 0 || has_cdb < 0)
		rc = VERIFY_PAIR_LOST;
	else if (!has_log && !has_cdb)
		rc = VERIFY_PAIR_NONE;
	else if (!has_log) {
		err_set(why_r, ERR_SYNTAX, "%s is missing", log_file);
		rc = VERIFY_PAIR_LOST;
	} else if (log.gen != gen && log.gen + 1 != gen) {
		err_set(why_r, ERR_SYNTAX, "%s and %s do not fit", log_file,
		    cdb_file);
		rc = VERIFY_PAIR_LOST;
	} else
		rc = check_lines(&log, log_file, why_r, e);
	db_log_close(&log);
	return rc;
}
