/* mtasts_job - fetching policies of the cache. */
#include "tools/mtasts_job.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/proc.h"
#include "service/sandbox.h"

#define TOPIC "mtasts"

int
mtasts_jobs_open(struct mtasts_jobs *jobs, const struct config *config,
    int64_t timeout_ms, struct arena *arena, struct err *e)
{
	*jobs = (struct mtasts_jobs){ .mtasts_fd = -1 };
	jobs->folder = config_data(config, arena, "mtasts");
	if (file_mkdirs(AT_FDCWD, jobs->folder, 0700, e) < 0)
		return -1;
	jobs->mtasts_fd =
	    open(jobs->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (jobs->mtasts_fd < 0)
		return err_sys(e, "%s", jobs->folder);
	return mtasts_web_open(&jobs->web, config, timeout_ms, arena, e);
}

void
mtasts_jobs_close(struct mtasts_jobs *jobs)
{
	if (jobs->mtasts_fd >= 0)
		close(jobs->mtasts_fd);
	mtasts_web_close(&jobs->web);
}

/* ---- in the job ---- */

struct job {
	const struct mtasts_jobs *jobs;
	struct arena *arena;
	struct slice domain, id; /* id: empty when refreshing */
	struct clock began;      /* stands still: a fetch counts from then */
	struct mtasts_entry entry;
	struct mtasts_got got;
};

/* The folder of policies; the child that fetches is forked before. */
static int
enter_jail(const struct mtasts_jobs *jobs, struct err *e)
{
	const struct sandbox_path path = { jobs->folder,
		SANDBOX_READ | SANDBOX_WRITE };
	struct sandbox *jail = sandbox_new(SANDBOX_BACK, &path, 1, e);

	return jail == NULL ? -1 : sandbox_enter(jail, e);
}

static int
fetch(struct job *j, struct err *e)
{
	struct mtasts_child child;

	if (mtasts_fetch_start(&j->jobs->web, j->domain, j->id.n == 0, &child,
		e) < 0)
		return -1;
	if (enter_jail(j->jobs, e) < 0)
		return -1;
	mtasts_fetch_wait(&child, j->arena, &j->got);
	return 0;
}

/* Write down what came. */
static int
keep(struct job *j, struct slice id, struct err *e)
{
	const struct mtasts_fetched *f = &j->got.fetched;
	int rc = mtasts_cache_take(j->jobs->mtasts_fd, j->domain, id, &j->began,
	    f, e);
	struct mtasts_entry entry = { .have = false };

	if (rc == 1)
		log_line(TOPIC, LOG_INFO, "policy fetched",
		    LOG_S("domain", j->domain), LOG_S("id", id));
	if (rc == 0) {
		mtasts_cache_read(j->jobs->mtasts_fd, j->domain, j->arena,
		    &entry, NULL);
		log_line(TOPIC, LOG_INFO, "policy not fetched",
		    LOG_S("domain", j->domain),
		    LOG_S("type", entry.failure_type),
		    LOG_S("why", entry.failure));
	}
	return rc < 0 ? -1 : 0;
}

/* Somebody else has just asked for the same. */
static bool
is_just_done(const struct job *j)
{
	int64_t ago = clock_us(&j->began) - MTASTS_RETRY_S * INT64_C(1000000);

	return (j->entry.have && slice_eq(j->entry.id, j->id) &&
		   j->entry.fetched_us > ago) ||
	    j->entry.failed_us > ago;
}

static int
run_asked(struct job *j, struct err *e)
{
	mtasts_cache_read(j->jobs->mtasts_fd, j->domain, j->arena, &j->entry,
	    NULL);
	if (is_just_done(j))
		return 0;
	return fetch(j, e) < 0 ? -1 : keep(j, j->id, e);
}

static int
forget(struct job *j, const char *why, struct err *e)
{
	log_line(TOPIC, LOG_INFO, "policy forgotten",
	    LOG_S("domain", j->domain), LOG_Z("why", why));
	return mtasts_cache_remove(j->jobs->mtasts_fd, j->domain, e);
}

static int
run_refresh(struct job *j, struct err *e)
{
	int64_t now = clock_us(&j->began);
	int rc = mtasts_cache_read(j->jobs->mtasts_fd, j->domain, j->arena,
	    &j->entry, e);

	if (rc == 0)
		return 0;
	if (rc < 0)
		return e->kind == ERR_SYNTAX ? forget(j, e->text, e) : -1;
	if (mtasts_due(&j->entry, now) == MTASTS_FORGET)
		return forget(j, "not used", e);
	if (fetch(j, e) < 0)
		return -1;
	if (mtasts_is_over(&j->entry, j->got.record, now))
		return forget(j, "withdrawn", e);
	return keep(j,
	    j->got.record == MTASTS_RECORD_OK ? j->got.id : j->entry.id, e);
}

/* ---- starting them ---- */

/* In the job, which knows nothing of others. */
static void
begin(struct job *j, const struct mtasts_jobs *jobs, struct slice domain,
    struct slice id)
{
	proc_signals_reset();
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	j->jobs = jobs;
	j->arena = arena_new(0);
	j->domain = domain;
	j->id = id;
	clock_fake(&j->began, clock_us(clock_program()));
}

void
mtasts_job_asked(struct mtasts_jobs *jobs, struct mtasts_asked *asked)
{
	struct err e = ERR_INIT;
	struct job j;
	pid_t pid = fork();

	if (pid == 0) {
		begin(&j, jobs, slice_of(asked->domain, asked->ndomain),
		    slice_of(asked->id, asked->nid));
		if (run_asked(&j, &e) < 0)
			log_line(TOPIC, LOG_ERROR, "cannot fetch policy",
			    LOG_S("domain", j.domain), LOG_E(&e));
		mtasts_door_answer(asked, &e);
		_exit(EXIT_DONE);
	}
	if (pid > 0) {
		jobs->running++;
		close(asked->fd);
		asked->fd = -1;
		return;
	}
	err_sys(&e, "fork");
	mtasts_door_answer(asked, &e);
}

int
mtasts_job_refresh(struct mtasts_jobs *jobs, struct slice domain, struct err *e)
{
	struct job j;
	pid_t pid = fork();

	if (pid < 0)
		return err_sys(e, "fork");
	if (pid == 0) {
		begin(&j, jobs, domain, SLICE_NULL);
		if (run_refresh(&j, e) == 0)
			_exit(EXIT_DONE);
		log_line(TOPIC, LOG_ERROR, "cannot refresh policy",
		    LOG_S("domain", domain), LOG_E(e));
		_exit(EXIT_FAILED);
	}
	jobs->running++;
	return 0;
}

void
mtasts_jobs_reap(struct mtasts_jobs *jobs, bool wait)
{
	int status;
	pid_t pid;

	while (jobs->running > 0) {
		pid = waitpid(-1, &status, wait ? 0 : WNOHANG);
		if (pid <= 0 && errno != EINTR)
			return;
		if (pid <= 0)
			continue;
		wait = false;
		jobs->running--;
		if (WIFSIGNALED(status))
			log_line(TOPIC, LOG_ERROR, "killed by a signal",
			    LOG_I("pid", pid),
			    LOG_I("signal", WTERMSIG(status)));
	}
}
