/* Unit test of queue/starter_periodic.c, with a program of ours in PATH. */
#include <sys/wait.h>

#include "base/log.h"
#include "queue/starter.h"
#include "t/scratch.h"

#define MINUTE (60 * 1000)
#define DAY (24 * 60 * MINUTE)
#define NOW 1000000

static struct config config = { .path = "mox.conf" };
static struct starter starter = { .config = &config };

/* What has been started since, a line each; "" nothing. */
static const char *
started(int64_t now_ms, bool end)
{
	static struct buf b = BUF_INIT(1000);
	int status;
	pid_t pid;

	scratch_put("log", SLICE_NULL);
	starter_periodic_start(&starter, now_ms);
	if (end && (pid = waitpid(-1, &status, 0)) > 0)
		CHECK(starter_periodic_ended(&starter, pid, status));
	scratch_get("log", &b);
	return buf_cstr(&b);
}

static void
test_due(void)
{
	CHECK_STR(started(NOW, false), "");
	CHECK_STR(started(NOW + 5 * MINUTE - 1, false), "");
	CHECK_STR(started(NOW + 5 * MINUTE, true),
	    "refresh -spread=10800 -config mox.conf\n");
	CHECK_STR(started(NOW + 5 * MINUTE, false), "");
	CHECK_STR(started(NOW + 5 * MINUTE + DAY - 1, false), "");
	starter.nosandbox = true;
	CHECK_STR(started(NOW + 6 * MINUTE + DAY, true),
	    "refresh -spread=10800 -config mox.conf -nosandbox\n");
}

/* One at a time; and a program that is not there. */
static void
test_still_running(void)
{
	int64_t now = NOW + 7 * MINUTE + 2 * DAY;
	pid_t pid;

	started(now, false);
	pid = starter.periodic[0].pid;
	CHECK(pid > 0);
	CHECK_STR(started(now + 2 * DAY, false), "");
	CHECK_EQ(starter.periodic[0].pid, pid);
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
	CHECK(!starter_periodic_ended(&starter, pid + 1, 0));
	CHECK(starter_periodic_ended(&starter, pid, 1 << 8));
	setenv("PATH", "/nonexistent", 1);
	CHECK_STR(started(now + 3 * DAY, false), "");
	CHECK_EQ(starter.periodic[0].pid, 0);
}

int
main(void)
{
	log_init("starter", LOG_PRINT); /* failures are wanted */
	scratch_begin();
	scratch_put("mox-mtasts",
	    SLICE("#!/bin/sh\necho \"$@\" >\"${0%/*}/log\"\n"));
	CHECK_EQ(fchmodat(scratch_fd, "mox-mtasts", 0700, 0), 0);
	setenv("PATH", scratch_path, 1);
	RUN(test_due);
	RUN(test_still_running);
	scratch_end();
	return unit_done();
}
