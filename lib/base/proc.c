/* proc - start programs and children, signals as bytes on a pipe. */
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

int
proc_exit_code(const struct err *e)
{
	return e->kind == ERR_TEMP ? EXIT_LATER : EXIT_FAILED;
}

void
proc_die(const char *name, const struct err *e)
{
	fprintf(stderr, "%s: %s\n", name, e->text);
	exit(proc_exit_code(e));
}

/* ---- signals ---- */

/* A handler has no other way to its pipe than a global. */
static int signal_pipe[2] = { -1, -1 };
static sigset_t signal_set; /* what is handled */

static void
on_signal(int number)
{
	int saved = errno;
	char byte = (char)number;

	/* A full pipe will wake its reader all the same. */
	if (write(signal_pipe[1], &byte, 1) < 0)
		errno = saved;
	errno = saved;
}

int
proc_signals(const int *signals, struct err *e)
{
	struct sigaction sa = { .sa_handler = on_signal,
		.sa_flags = SA_RESTART };

	sigemptyset(&sa.sa_mask);
	sigemptyset(&signal_set);
	if (pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_sys(e, "pipe");
	for (; *signals != 0; signals++) {
		sigaddset(&signal_set, *signals);
		if (sigaction(*signals, &sa, NULL) < 0)
			return err_sys(e, "sigaction");
	}
	return signal_pipe[0];
}

void
proc_signals_reset(void)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };

	if (signal_pipe[0] < 0)
		return;
	sigemptyset(&sa.sa_mask);
	for (int number = 1; number < NSIG; number++)
		if (sigismember(&signal_set, number) == 1)
			sigaction(number, &sa, NULL);
	close(signal_pipe[0]);
	close(signal_pipe[1]);
	signal_pipe[0] = signal_pipe[1] = -1;
}

/* ---- programs ---- */

/*
 * Put descriptors where the program wants them, and mark all others above 2
 * to be closed by exec. First out of the way of each other: one's number may
 * be another's place.
 */
static int
place_fds(const struct proc_fd *fds, size_t nfds, int report)
{
	int above = 3, moved[PROC_FDS];

	for (size_t i = 0; i < nfds; i++)
		if (fds[i].child >= above)
			above = fds[i].child + 1;
	report = fcntl(report, F_DUPFD_CLOEXEC, above);
	for (size_t i = 0; i < nfds; i++)
		if ((moved[i] = fcntl(fds[i].parent, F_DUPFD_CLOEXEC, above)) <
		    0)
			return -1;
	if (report < 0 || close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		return -1;
	for (size_t i = 0; i < nfds; i++)
		if (dup2(moved[i], fds[i].child) < 0)
			return -1;
	return report;
}

static _Noreturn void
run_child(char *const argv[], char *const env[], const struct proc_fd *fds,
    size_t nfds, unsigned flags, int report)
{
	sigset_t none;
	int placed, number;

	proc_signals_reset();
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (flags & PROC_DIES_WITH_PARENT)
		prctl(PR_SET_PDEATHSIG, SIGTERM);
	placed = place_fds(fds, nfds, report);
	if (placed >= 0) {
		report = placed;
		execvpe(argv[0], argv, env == NULL ? environ : env);
	}
	number = errno;
	if (write(report, &number, sizeof(number)) < 0)
		_exit(EXIT_LATER);
	_exit(EXIT_FAILED);
}

pid_t
proc_spawn(char *const argv[], char *const env[], const struct proc_fd *fds,
    size_t nfds, unsigned flags, struct err *e)
{
	int report[2], number;
	sigset_t all, before;
	ssize_t got;
	pid_t pid;

	if (nfds > PROC_FDS)
		return err_set(e, ERR_LIMIT, "%s: too many descriptors",
		    argv[0]);
	if (pipe2(report, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	/* Until the child has reset them, signals would reach our pipe. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	pid = fork();
	if (pid == 0)
		run_child(argv, env, fds, nfds, flags, report[1]);
	number = errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(report[1]);
	if (pid < 0) {
		close(report[0]);
		errno = number;
		return err_sys(e, "fork");
	}
	/* The end of the pipe says that exec closed it. */
	do
		got = read(report[0], &number, sizeof(number));
	while (got < 0 && errno == EINTR);
	close(report[0]);
	if (got == 0)
		return pid;
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	errno = got == sizeof(number) ? number : EIO;
	return err_sys(e, "%s", argv[0]);
}
