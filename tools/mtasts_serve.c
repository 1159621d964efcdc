/* mtasts_serve - policies for deliveries, asked for through a door. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/log.h"
#include "base/proc.h"
#include "tools/mtasts_job.h"
#include "tools/mtasts_serve.h"

#define IDLE_MS (10 * 60 * 1000) /* then its keeper starts it when needed */

static const int signals[] = { SIGTERM, SIGINT, SIGCHLD, 0 };

struct serving {
	struct mtasts_jobs *jobs;
	int door, signals;
	bool stop;
};

static void
read_signals(struct serving *s)
{
	unsigned char number;

	while (read(s->signals, &number, 1) == 1)
		s->stop |= number != SIGCHLD;
	mtasts_jobs_reap(s->jobs, false);
}

static void
take(struct serving *s)
{
	struct mtasts_asked asked;
	struct err e = ERR_INIT;

	switch (mtasts_door_take(s->door, &asked)) {
	case -1:
		s->stop = true;
		return;
	case 0:
		return;
	}
	if (mtasts_web_refresh(&s->jobs->web, &e) < 0)
		log_line("mtasts", LOG_ERROR, "trust anchors are as before",
		    LOG_E(&e));
	mtasts_job_asked(s->jobs, &asked);
}

/* False: nobody has asked for long. */
static bool
serve_one(struct serving *s)
{
	struct pollfd p[2] = { { s->signals, POLLIN, 0 },
		{ s->door, POLLIN, 0 } };
	bool full = s->jobs->running >= MTASTS_JOBS_MAX;
	int n = poll(p, full ? 1 : 2, IDLE_MS);

	if (n == 0 && s->jobs->running == 0)
		return false;
	if (n <= 0)
		return true;
	if (p[0].revents != 0)
		read_signals(s);
	if (!full && p[1].revents != 0)
		take(s);
	return true;
}

int
mtasts_serve(struct mtasts_jobs *jobs, int door, struct err *e)
{
	struct serving s = {
		.jobs = jobs, .door = door, .signals = proc_signals(signals, e)
	};

	if (s.signals < 0)
		return -1;
	while (!s.stop && serve_one(&s))
		;
	/* Jobs end with us; who waits for one sees its pipe end. */
	return 0;
}
