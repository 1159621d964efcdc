/* runner - the loop of mox-queued. */
#include "queue/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "db/newfile.h"
#include "db/sync.h"

#define LOCK_NAME ".lock"
#define RECOVER_MS 1000 /* first, then doubled up to a minute */
#define MINUTE_MS (60 * 1000)
#define HOUR_MS (60 * MINUTE_MS)

/* ---- beginning ---- */

static int
open_folder(int at, const char *name, int *fd_r, struct err *e)
{
	*fd_r = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *fd_r < 0 ? err_sys(e, "%s", name) : 0;
}

/* Our folder below active/. It is locked under a dot name, which recovery
 * passes over, before anybody sees it. */
static int
make_own(struct runner *r, struct err *e)
{
	char hidden[sizeof(r->name) + 1];

	snprintf(hidden, sizeof(hidden), ".%s", r->name);
	if (mkdirat(r->active, hidden, 0700) < 0)
		return err_sys(e, "queue/active/%s", hidden);
	if (open_folder(r->active, hidden, &r->dir, e) < 0 ||
	    db_lock(&r->lock, r->dir, LOCK_NAME, DB_LOCK_LEASE, DB_LOCK_MS, e) <
		1)
		return -1;
	if (db_rename(r->active, hidden, r->active, r->name, e) < 1)
		return -1;
	/* What is renamed into it must not go with it in a power cut. */
	return db_fsync_dir(r->active, "queue/active", e);
}

int
runner_open(struct runner *r, struct err *e)
{
	struct err watch = ERR_INIT;

	r->arena = arena_new(0);
	r->dests = map_new();
	r->suppress = suppress_new(&r->q);
	r->lock = (struct db_lock)DB_LOCK_INIT;
	if (open_folder(r->q.fd, "todo", &r->todo, e) < 0 ||
	    open_folder(r->q.fd, "active", &r->active, e) < 0 ||
	    make_own(r, e) < 0)
		return -1;
	/* Without it folders are looked at every few seconds. */
	if (db_watch_open(&r->watch, r->q.run_fd, SLICE(QUEUE_TOPIC), &watch) <
	    0)
		log_line(QUEUE_TOPIC, LOG_WARN, "nobody can wake the runner",
		    LOG_E(&watch));
	r->next_due_us = INT64_MAX;
	r->recover_every_ms = RECOVER_MS;
	return 0;
}

/* ---- the loop ---- */

/* Descriptors to wait for: signals, starter, pokes, then the workers. */
enum { P_SIGNALS, P_STARTER, P_WATCH, P_WORKERS };

static size_t
poll_set(struct runner *r, int signals, struct pollfd *p, struct worker **w)
{
	size_t n = P_WORKERS;
	struct slice key;
	void *d;

	p[P_SIGNALS] = (struct pollfd){ signals, POLLIN, 0 };
	p[P_STARTER] = (struct pollfd){ r->starter, POLLIN, 0 };
	p[P_WATCH] = (struct pollfd){ r->watch.fd, POLLIN, 0 };
	for (size_t i = 0; map_next(r->dests, &i, &key, &d);)
		for (w[n] = ((struct dest *)d)->workers; w[n];
		     w[n + 1] = w[n]->next, n++)
			p[n] = (struct pollfd){ w[n]->out, POLLIN, 0 };
	return n;
}

/* A round was as long as it may be, and there is more of the same. */
static bool
more_at_once(const struct runner *r)
{
	return r->more && r->budget == 0 && r->jobs < JOBS_MAX;
}

/* How long nothing has to be done, at most until the next look. */
static int
wait_ms(struct runner *r)
{
	int64_t ms = r->look_ms - clock_mono_ms(NULL), due_ms;

	if (more_at_once(r))
		return 0;
	if (r->workers || r->envelopes || r->dropping)
		ms = ms < IDLE_MS ? ms : IDLE_MS;
	if (r->next_due_us != INT64_MAX) {
		due_ms = (r->next_due_us - clock_us(r->q.clock)) / 1000 + 1;
		ms = due_ms < ms ? due_ms : ms;
	}
	return ms > 0 ? (int)ms : 0;
}

/* False: the runner is to end. */
static bool
wait_and_take(struct runner *r, int signals, bool *look_r)
{
	struct pollfd p[P_WORKERS + WORKERS_MAX];
	struct worker *w[P_WORKERS + WORKERS_MAX + 1];
	size_t n = poll_set(r, signals, p, w);
	int ms = wait_ms(r);
	char byte;

	*look_r |= more_at_once(r);
	arena_reset(r->arena);
	if (poll(p, n, ms) < 0 && errno != EINTR)
		return false;
	if (p[P_SIGNALS].revents & POLLIN)
		while (read(signals, &byte, 1) == 1)
			if (byte == SIGTERM || byte == SIGINT)
				return false;
	if (p[P_STARTER].revents)
		return false;
	if (p[P_WATCH].revents & POLLIN) {
		db_watch_drain(&r->watch);
		*look_r = true;
	}
	for (size_t i = P_WORKERS; i < n; i++)
		if (p[i].revents) {
			runner_worker_ready(r, w[i]);
			*look_r |= r->more;
		}
	return true;
}

static bool
is_time(int64_t *next_ms, int64_t now_ms, int64_t every_ms)
{
	if (now_ms < *next_ms)
		return false;
	*next_ms = now_ms + every_ms;
	return true;
}

/* What is new and due, when there is reason to look. */
static void
look(struct runner *r, bool *look)
{
	int64_t now_ms = clock_mono_ms(NULL);
	bool all;

	if (is_time(&r->hourly_ms, now_ms, HOUR_MS))
		runner_hourly(r);
	if (is_time(&r->recover_ms, now_ms, r->recover_every_ms)) {
		/* Deliveries of the one before may still be ending. */
		r->recover_every_ms *= 2;
		if (r->recover_every_ms > MINUTE_MS)
			r->recover_every_ms = MINUTE_MS;
		runner_recover(r);
	}
	all = is_time(&r->look_ms, now_ms, POLL_MS);
	if (!all && !*look && r->next_due_us > clock_us(r->q.clock))
		return;
	*look = false;
	lookup_refresh(r->lookup, now_ms * 1000000);
	runner_claim(r, all);
}

void
runner_run(struct runner *r, int signals)
{
	bool again = true;

	do {
		look(r, &again);
		runner_dispatch(r);
		runner_drop_envelopes(r);
	} while (wait_and_take(r, signals, &again));
	db_watch_close(&r->watch);
}
