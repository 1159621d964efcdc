/* door - keeping a program that others ask. */
#include "service/door.h"

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

#define DOOR_FD 3       /* in the program */
#define LASTED_MS 10000 /* it ran well: the next one starts at once */
#define PAUSE_MS 500    /* doubled with each that did not */
#define PAUSES_MAX 7    /* 64 s */

int
door_open(struct door *d, struct err *e)
{
	int pair[2];

	d->ask = d->inner = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "socketpair");
	d->inner = pair[0];
	d->ask = pair[1];
	return 0;
}

void
door_not_here(struct door *d)
{
	if (d->inner >= 0)
		close(d->inner);
	d->inner = -1;
}

int
door_watch(const struct door *d)
{
	return d->pid == 0 ? d->inner : -1;
}

/* Where it is: beside our own program, or in PATH. */
static const char *
find_program(const struct door *d, char *path, size_t size)
{
	const char *slash = strrchr(d->self, '/');

	if (slash == NULL ||
	    snprintf(path, size, "%.*s/%s", (int)(slash - d->self), d->self,
		d->program) >= (int)size ||
	    access(path, X_OK) < 0)
		return d->program;
	return path;
}

/* The first time it is started again at once. */
static void
failed(struct door *d)
{
	d->not_before_ms = d->failures == 0
	    ? 0
	    : clock_mono_ms(NULL) + ((int64_t)PAUSE_MS << d->failures);
	if (d->failures < PAUSES_MAX)
		d->failures++;
}

static void
start(struct door *d)
{
	const struct proc_fd fd = { d->inner, DOOR_FD };
	const char *argv[DOOR_ARGS + 3] = { NULL };
	char path[4096];
	struct err e = ERR_INIT;
	size_t n = 0;

	argv[n++] = find_program(d, path, sizeof(path));
	for (size_t i = 0; i < DOOR_ARGS && d->args[i] != NULL; i++)
		argv[n++] = d->args[i];
	argv[n++] = "-door=3";
	d->pid = proc_spawn((char *const *)argv, NULL, &fd, 1,
	    PROC_DIES_WITH_PARENT, &e);
	d->started_ms = clock_mono_ms(NULL);
	if (d->pid > 0)
		return;
	d->pid = 0;
	log_line("service", LOG_ERROR, "cannot start program",
	    LOG_Z("program", d->program), LOG_E(&e));
	failed(d);
}

void
door_wanted(struct door *d)
{
	/* While it pauses, what comes is thrown away: the sockets are closed
	 * with it, so those who ask are told at once. */
	bool pause = clock_mono_ms(NULL) < d->not_before_ms;
	char byte;
	ssize_t n =
	    recv(d->inner, &byte, 1, MSG_DONTWAIT | (pause ? 0 : MSG_PEEK));

	if (n == 0) /* nobody is left who could ask */
		door_not_here(d);
	else if (n > 0 && !pause)
		start(d);
}

bool
door_ended(struct door *d, pid_t pid, int status)
{
	if (pid != d->pid || pid == 0)
		return false;
	d->pid = 0;
	log_line("service", status == 0 ? LOG_INFO : LOG_ERROR, "program ended",
	    LOG_Z("program", d->program),
	    LOG_I("exit", WIFEXITED(status) ? WEXITSTATUS(status) : 0),
	    LOG_I("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0));
	if (clock_mono_ms(NULL) - d->started_ms >= LASTED_MS)
		d->failures = 0;
	if (status != 0)
		failed(d);
	return true;
}

/* ---- without a keeper ---- */

/* No descriptor but the door's and stderr: the client's are others'. */
static void
keep_door_only(struct door *d)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	if (d->inner != DOOR_FD)
		dup3(d->inner, DOOR_FD, O_CLOEXEC);
	d->inner = DOOR_FD;
	close_range(DOOR_FD + 1, ~0U, 0);
}

static _Noreturn void
keep_alone(struct door *d)
{
	int status;

	keep_door_only(d);
	while (d->inner >= 0) {
		struct pollfd pfd = { .fd = d->inner, .events = POLLIN };
		if (d->pid != 0) {
			if (waitpid(d->pid, &status, 0) == d->pid)
				door_ended(d, d->pid, status);
		} else if (poll(&pfd, 1, -1) > 0) {
			door_wanted(d);
		}
	}
	_exit(EXIT_DONE);
}

int
door_keep_alone(struct door *d, struct err *e)
{
	pid_t pid;

	if (door_open(d, e) < 0)
		return -1;
	pid = fork();
	if (pid < 0)
		return err_sys(e, "fork");
	if (pid == 0)
		keep_alone(d);
	door_not_here(d);
	return 0;
}
