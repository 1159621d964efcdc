/* mtasts_refresh - fetching cached policies again, before they end. */
#include "db/lock.h"
#include "db/newfile.h"
#include "tools/mtasts_serve.h"

#define TMP_AGE_S 3600 /* what a crash left */

/* Those to be looked at: their number, at the beginning of names. */
static size_t
choose(const struct mtasts_jobs *jobs, struct slice *names, size_t n)
{
	struct arena *arena = arena_new(0);
	int64_t now = clock_us(clock_program());
	size_t due = 0;

	for (size_t i = 0; i < n; i++) {
		struct mtasts_entry entry;
		/* A damaged one is looked at, too. */
		int rc = mtasts_cache_read(jobs->mtasts_fd, names[i], arena,
		    &entry, NULL);

		if (rc < 0 || (rc == 1 && mtasts_due(&entry, now)))
			names[due++] = names[i];
		arena_reset(arena);
	}
	arena_free(&arena);
	return due;
}

/* In even steps, so that policy hosts that serve many are not asked at once. */
static int
start_all(struct mtasts_jobs *jobs, const struct slice *names, size_t n,
    long spread_s, struct err *e)
{
	int64_t begin_ms = clock_mono_ms(NULL);
	int64_t step_ms = n == 0 ? 0 : spread_s * INT64_C(1000) / (int64_t)n;

	for (size_t i = 0; i < n; i++) {
		clock_sleep_ms(begin_ms + (int64_t)i * step_ms -
		    clock_mono_ms(NULL));
		mtasts_jobs_reap(jobs, jobs->running >= MTASTS_JOBS_MAX);
		if (mtasts_web_refresh(&jobs->web, e) < 0 ||
		    mtasts_job_refresh(jobs, names[i], e) < 0)
			return -1;
	}
	return 0;
}

int
mtasts_refresh(struct mtasts_jobs *jobs, long spread_s, struct err *e)
{
	struct arena *arena = arena_new(0);
	struct db_lock lock = DB_LOCK_INIT;
	struct slice *names;
	size_t n;
	int rc;

	rc = db_lock(&lock, jobs->mtasts_fd, ".lock", DB_LOCK_LEASE, 0, e) == 1
	    ? 0
	    : -1;
	if (rc == 0)
		rc = db_tmp_sweep(jobs->mtasts_fd, TMP_AGE_S, e);
	if (rc == 0)
		rc = mtasts_cache_list(jobs->mtasts_fd, arena, &names, &n, e);
	if (rc == 0)
		rc =
		    start_all(jobs, names, choose(jobs, names, n), spread_s, e);
	while (jobs->running > 0)
		mtasts_jobs_reap(jobs, true);
	db_unlock(&lock);
	arena_free(&arena);
	return rc;
}
