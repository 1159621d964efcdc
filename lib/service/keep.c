/*
 * keep - the process the service manager knows: it holds the sockets and does
 * nothing with them.
 *
 * The accepting parent is its child, so that the parent's jail need not allow
 * what only an upgrade and mox-resolver want: to execute a program. It has not
 * loaded a thing, and reads nothing but one byte of its child.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/proc.h"
#include "service/notify.h"
#include "service/service_int.h"

/* ---- the keeper ---- */

/* Children that ended; when the parent is among them, so does this. */
static void
reap(pid_t parent, struct door *d)
{
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (door_ended(d, pid, status) || pid != parent)
			continue; /* others are of before an upgrade */
		if (WIFEXITED(status))
			exit(WEXITSTATUS(status));
		log_line(SERVICE_TOPIC, LOG_ERROR, "accepting process died",
		    LOG_I("signal", WTERMSIG(status)));
		exit(EXIT_LATER);
	}
}

/* The new program finds the sockets; the old parent tells its clients. */
static void
upgrade(struct server *sv, pid_t parent, const sigset_t *before)
{
	log_line(SERVICE_TOPIC, LOG_PRINT, "executing anew",
	    LOG_Z("program", sv->argv[0]));
	listen_environment(sv);
	sigprocmask(SIG_SETMASK, before, NULL);
	kill(parent, SIGTERM);
	execvp(sv->argv[0], sv->argv);
	log_line(SERVICE_TOPIC, LOG_FATAL, "executing anew failed",
	    LOG_Z("err", strerrordesc_np(errno)));
	exit(EXIT_LATER);
}

static void
handle(struct server *sv, pid_t parent, struct door *d, int number,
    const sigset_t *before)
{
	static bool stopping;

	if (number == SIGCHLD)
		reap(parent, d);
	if (number == SIGUSR2 && !stopping)
		upgrade(sv, parent, before);
	if (number == SIGHUP)
		kill(parent, SIGHUP);
	if (number == SIGTERM || number == SIGINT) {
		stopping = true;
		notify_systemd("STOPPING=1");
		kill(parent, SIGTERM);
	}
}

static _Noreturn void
keeper(struct server *sv, pid_t parent, struct door *d, int ready,
    int notify_fd, int signals, const sigset_t *before)
{
	struct signalfd_siginfo info;
	char byte;

	if (read(ready, &byte, 1) == 1)
		notify_ready(notify_fd);
	close(ready);
	reap(parent, d); /* what ended while the signal was not blocked */
	for (;;) {
		struct pollfd fds[2] = { { .fd = signals, .events = POLLIN },
			{ .fd = door_watch(d), .events = POLLIN } };
		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[0].revents != 0 &&
		    read(signals, &info, sizeof(info)) == sizeof(info))
			handle(sv, parent, d, (int)info.ssi_signo, before);
		else if (fds[1].revents != 0)
			door_wanted(d);
	}
}

int
keep(struct server *sv, int notify_fd, struct err *e)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR2,
		SIGCHLD };
	struct door resolver;
	sigset_t watched, before;
	pid_t self = getpid(), pid;
	int ready[2], caught;

	sigemptyset(&watched);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaddset(&watched, signals[i]);
	sigprocmask(SIG_BLOCK, &watched, &before);
	caught = signalfd(-1, &watched, SFD_CLOEXEC);
	if (caught < 0 || pipe2(ready, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	if (resolver_door(sv, &resolver) && door_open(&resolver, e) < 0)
		return -1;
	sv->door = resolver.ask;
	pid = fork();
	if (pid < 0)
		return err_sys(e, "fork");
	if (pid > 0) {
		close(ready[1]);
		if (sv->door >= 0)
			close(sv->door);
		keeper(sv, pid, &resolver, ready[0], notify_fd, caught,
		    &before);
	}
	close(ready[0]);
	close(caught);
	door_not_here(&resolver);
	if (notify_fd >= 0)
		close(notify_fd);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != self) /* it died before that */
		exit(EXIT_LATER);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return ready[1];
}
