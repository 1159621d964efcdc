/*
 * mtasts_serve - what mox-mtasts does for others: serve deliveries, refresh the
 * cache.
 */
#ifndef TOOLS_MTASTS_SERVE_H
#define TOOLS_MTASTS_SERVE_H

#include "tools/mtasts_job.h"

/*
 * Serve those who ask through door (mtasts_ask), until a signal tells to stop,
 * all other ends of the door are closed, or nobody has asked for ten minutes.
 * MTASTS_JOBS_MAX at a time, others wait in the door. 0, or -1 with e.
 */
int mtasts_serve(struct mtasts_jobs *jobs, int door, struct err *e);

/*
 * Refresh all policies that are due, and forget those that are not used, over
 * spread_s seconds (0: one after the other). 0, or -1 with e: another process is
 * at it (ERR_TEMP), or the folder cannot be read. That a policy could not be
 * fetched is logged, and no failure.
 */
int mtasts_refresh(struct mtasts_jobs *jobs, long spread_s, struct err *e);

#endif
