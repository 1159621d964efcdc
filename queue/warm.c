/* warm - a child for each delivery, from a parent that is ready. */
#include "queue/warm.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/proc.h"
#include "queue/queue.h"

struct parent {
	const struct warm_work *work;
	int fd; /* to the starter; -1: it wants no more */
	pid_t pid;
	unsigned children;
};

static _Noreturn void
run_child(const struct parent *p, struct slice dest, const int *fds)
{
	proc_signals_reset();
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != p->pid)
		_exit(EXIT_LATER);
	close(p->fd);
	/* STARTER_FD and what was opened since is above 2. */
	if (dup2(fds[0], STDIN_FILENO) < 0 || dup2(fds[1], STDOUT_FILENO) < 0)
		_exit(EXIT_LATER);
	close(fds[0]);
	close(fds[1]);
	/* What exit handlers would tidy up, the kernel does for less. */
	_exit(p->work->deliver(p->work->ctx, dest, fds + 2));
}

/* If it fails, the runner sees that its pipe has ended. */
static void
fork_child(struct parent *p, const struct starter_request *req, const int *fds)
{
	struct slice dest = slice_of(req->dest, req->n);
	struct err e = ERR_INIT;
	pid_t pid;

	p->work->prepare(p->work->ctx, dest);
	pid = fork();
	if (pid == 0)
		run_child(p, dest, fds);
	if (pid > 0)
		p->children++;
	else {
		err_sys(&e, "fork");
		log_line(QUEUE_TOPIC, LOG_ERROR, "cannot start delivery",
		    LOG_S("destination", dest), LOG_E(&e));
	}
}

static int
take_request(struct parent *p, struct err *e)
{
	struct starter_request req = { .n = 0 };
	int fds[STARTER_FDS], rc = starter_receive(p->fd, &req, fds, e);

	if (rc > 0) {
		fork_child(p, &req, fds);
		for (int i = 0; i < STARTER_FDS; i++)
			close(fds[i]);
	} else if (rc == 0) {
		close(p->fd);
		p->fd = -1;
	}
	return rc < 0 ? -1 : 0;
}

static void
reap(struct parent *p)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		p->children--;
		if (WIFSIGNALED(status))
			log_line(QUEUE_TOPIC, LOG_ERROR, "killed by a signal",
			    LOG_I("pid", pid),
			    LOG_I("signal", WTERMSIG(status)),
			    LOG_Z("program", "delivery"));
	}
}

/* True: SIGTERM. */
static bool
take_signals(struct parent *p, int signals)
{
	unsigned char number;

	while (read(signals, &number, 1) == 1) {
		if (number == SIGTERM)
			return true;
		reap(p);
	}
	return false;
}

int
warm_serve(int fd, const struct warm_work *work, struct err *e)
{
	static const int numbers[] = { SIGTERM, SIGCHLD, 0 };
	struct parent p = { .work = work, .fd = fd, .pid = getpid() };
	int signals = proc_signals(numbers, e);

	if (signals < 0)
		return -1;
	if (send(fd, "", 1, MSG_NOSIGNAL) != 1)
		return err_sys(e, "descriptor %d is no socket to the starter",
		    fd);
	while (p.fd >= 0 || p.children > 0) {
		struct pollfd wait[2] = { { signals, POLLIN, 0 },
			{ p.fd, POLLIN, 0 } };
		if (poll(wait, 2, -1) < 0 && errno != EINTR)
			return err_sys(e, "poll");
		if (wait[0].revents && take_signals(&p, signals))
			break;
		if (wait[1].revents && take_request(&p, e) < 0)
			return -1;
	}
	return 0;
}
