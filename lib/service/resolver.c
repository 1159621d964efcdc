/*
 * resolver - starting mox-resolver, the process that asks the DNS for backs.
 *
 * Backs send it sockets through the door (dns/ask.h). While none runs, the
 * keeper waits for something to come through the door: so none is started
 * before it is needed, and one that died is replaced when somebody asks
 * again. A program of its own, executed: it has nothing of the parent's in its
 * memory, and the services are not linked with libunbound.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/proc.h"
#include "service/service_int.h"

#define PROGRAM "mox-resolver"
#define DOOR_FD 3       /* in the program */
#define LASTED_MS 10000 /* it ran well: the next one starts at once */
#define PAUSE_MS 500    /* doubled with each that did not */
#define PAUSES_MAX 7    /* 64 s */

int
resolver_open(struct server *sv, struct resolver_keep *r, struct err *e)
{
	int pair[2];

	*r = (struct resolver_keep){ .sv = sv, .door = -1 };
	sv->door = -1;
	if (sv->service->resolver_config == NULL)
		return 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "socketpair");
	r->door = pair[0];
	sv->door = pair[1];
	return 0;
}

void
resolver_not_here(struct resolver_keep *r)
{
	if (r->door >= 0)
		close(r->door);
	r->door = -1;
}

int
resolver_watch(const struct resolver_keep *r)
{
	return r->pid == 0 ? r->door : -1;
}

/* Where it is: beside our own program, or in PATH. */
static const char *
find_program(const char *self, char *path, size_t size)
{
	const char *slash = strrchr(self, '/');

	if (slash == NULL ||
	    snprintf(path, size, "%.*s/" PROGRAM, (int)(slash - self), self) >=
		(int)size ||
	    access(path, X_OK) < 0)
		return PROGRAM;
	return path;
}

/* The first time it is started again at once. */
static void
failed(struct resolver_keep *r)
{
	r->not_before_ms = r->failures == 0
	    ? 0
	    : clock_mono_ms(NULL) + ((int64_t)PAUSE_MS << r->failures);
	if (r->failures < PAUSES_MAX)
		r->failures++;
}

static void
start(struct resolver_keep *r)
{
	const struct proc_fd fd = { r->door, DOOR_FD };
	const char *config = r->sv->service->resolver_config();
	const char *argv[8] = { NULL };
	char path[4096];
	struct err e = ERR_INIT;
	size_t n = 0;

	argv[n++] = find_program(r->sv->argv[0], path, sizeof(path));
	argv[n++] = "-door=3";
	if (r->sv->no_sandbox)
		argv[n++] = "-nosandbox";
	if (config != NULL) {
		argv[n++] = "-config";
		argv[n++] = config;
	}
	r->pid = proc_spawn((char *const *)argv, NULL, &fd, 1,
	    PROC_DIES_WITH_PARENT, &e);
	r->started_ms = clock_mono_ms(NULL);
	if (r->pid > 0)
		return;
	r->pid = 0;
	log_line(SERVICE_TOPIC, LOG_ERROR, "no resolver", LOG_E(&e));
	failed(r);
}

void
resolver_wanted(struct resolver_keep *r)
{
	/* While it pauses, what comes is thrown away: the sockets are closed
	 * with it, so those who ask are told at once. */
	bool pause = clock_mono_ms(NULL) < r->not_before_ms;
	char byte;
	ssize_t n =
	    recv(r->door, &byte, 1, MSG_DONTWAIT | (pause ? 0 : MSG_PEEK));

	if (n == 0) /* nobody is left who could ask */
		resolver_not_here(r);
	else if (n > 0 && !pause)
		start(r);
}

bool
resolver_ended(struct resolver_keep *r, pid_t pid, int status)
{
	if (pid != r->pid || pid == 0)
		return false;
	r->pid = 0;
	log_line(SERVICE_TOPIC, status == 0 ? LOG_INFO : LOG_ERROR,
	    "resolver ended",
	    LOG_I("exit", WIFEXITED(status) ? WEXITSTATUS(status) : 0),
	    LOG_I("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0));
	if (clock_mono_ms(NULL) - r->started_ms >= LASTED_MS)
		r->failures = 0;
	if (status != 0)
		failed(r);
	return true;
}

/* ---- without a keeper ---- */

/* No descriptor but the door's and stderr: the client's are others'. */
static void
keep_door_only(struct resolver_keep *r)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	if (r->door != DOOR_FD)
		dup3(r->door, DOOR_FD, O_CLOEXEC);
	r->door = DOOR_FD;
	close_range(DOOR_FD + 1, ~0U, 0);
}

static _Noreturn void
keep_alone(struct resolver_keep *r)
{
	int status;

	keep_door_only(r);
	while (r->door >= 0) {
		struct pollfd pfd = { .fd = r->door, .events = POLLIN };
		if (r->pid != 0) {
			if (waitpid(r->pid, &status, 0) == r->pid)
				resolver_ended(r, r->pid, status);
		} else if (poll(&pfd, 1, -1) > 0) {
			resolver_wanted(r);
		}
	}
	_exit(EXIT_DONE);
}

int
resolver_keep_alone(struct server *sv, struct err *e)
{
	struct resolver_keep r;
	pid_t pid;

	if (resolver_open(sv, &r, e) < 0)
		return -1;
	if (r.door < 0)
		return 0;
	pid = fork();
	if (pid < 0)
		return err_sys(e, "fork");
	if (pid == 0)
		keep_alone(&r);
	close(r.door);
	return 0;
}
