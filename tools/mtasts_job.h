/*
 * mtasts_job - a policy of the cache to be fetched: a process for each, some at
 * a time, jailed to data/mtasts. For mox-mtasts only.
 *
 * The process that starts them reads nothing from outside; a job reads what
 * its child (mtasts_fetch.h) brings, and parses the policy.
 */
#ifndef TOOLS_MTASTS_JOB_H
#define TOOLS_MTASTS_JOB_H

#include "mtasts/mtasts_door.h"
#include "tools/mtasts_fetch.h"

#define MTASTS_JOBS_MAX 32 /* at a time: two processes each */

struct mtasts_jobs {
	struct mtasts_web web;
	const char *folder; /* data/mtasts */
	int mtasts_fd;
	size_t running;
};

/* Open all that jobs need, as the owner of the data. timeout_ms: of a fetch.
 * 0, or -1 with e. */
int mtasts_jobs_open(struct mtasts_jobs *jobs, const struct config *config,
    int64_t timeout_ms, struct arena *arena, struct err *e);
void mtasts_jobs_close(struct mtasts_jobs *jobs);

/* Start the job of who asked, whom it answers; asked->fd is closed here. Without
 * a process: answered here. */
void mtasts_job_asked(struct mtasts_jobs *jobs, struct mtasts_asked *asked);
/* Start refreshing a domain's policy, or forgetting it. 0, or -1 with e. */
int mtasts_job_refresh(struct mtasts_jobs *jobs, struct slice domain,
    struct err *e);

/* Count the jobs that have ended; with wait, block until one has. */
void mtasts_jobs_reap(struct mtasts_jobs *jobs, bool wait);

#endif
