/* starter - starts mox-remote and mox-local for the jailed runner. */
#include "queue/starter.h"

#include <errno.h>
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
#include "config/domains_cdb.h"
#include "queue/queue.h"

#define FDS STARTER_FDS
#define HOLD_FD 3 /* what the lock is in the program */
#define DNS_FD 4  /* the doors, in mox-remote */
#define MTASTS_FD 5
#define LOOK_MS 1000 /* between looks at domains.conf */

static const char *const programs[] = {
	[STARTER_REMOTE] = "mox-remote",
	[STARTER_LOCAL] = "mox-local",
};

/* Room for the descriptors of one message, aligned. */
union control {
	char bytes[CMSG_SPACE(FDS * sizeof(int))];
	struct cmsghdr align;
};

int
starter_send(int fd, const struct starter_request *req, const int fds[FDS],
    int flags, struct err *e)
{
	struct iovec iov = { (void *)req, sizeof(*req) };
	union control control;
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(FDS * sizeof(int));
	memcpy(CMSG_DATA(c), fds, FDS * sizeof(int));
	if (sendmsg(fd, &msg, MSG_NOSIGNAL | flags) != (ssize_t)sizeof(*req))
		return err_sys(e, "starting %s", programs[req->program]);
	return 0;
}

/* ---- in the runner ---- */

int
starter_ask(int fd, enum starter_program program, struct slice dest, int in,
    int out, int hold, struct err *e)
{
	struct starter_request req = { .program = program,
		.n = (uint32_t)dest.n };
	const int fds[FDS] = { in, out, hold };

	if (dest.n > sizeof(req.dest))
		return err_set(e, ERR_LIMIT, "name of destination too long");
	if (dest.n)
		memcpy(req.dest, dest.p, dest.n);
	return starter_send(fd, &req, fds, 0, e);
}

/* ---- in the starter ---- */

static void
set_door(const struct starter *s, struct door *d, const char *program,
    const char *command, const char *self)
{
	size_t n = 0;

	*d = (struct door){ .program = program, .self = self };
	if (command)
		d->args[n++] = command;
	if (s->nosandbox)
		d->args[n++] = "-nosandbox";
	d->args[n++] = "-config";
	d->args[n++] = s->config->path;
}

int
starter_open(struct starter *s, const char *self, struct err *e)
{
	set_door(s, &s->dns, "mox-resolver", NULL, self);
	set_door(s, &s->mtasts, "mox-mtasts", "serve", self);
	return door_open(&s->dns, e) < 0 ? -1 : door_open(&s->mtasts, e);
}

int
starter_receive(int fd, struct starter_request *req, int fds[FDS],
    struct err *e)
{
	struct iovec iov = { req, sizeof(*req) };
	union control control;
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes) };
	ssize_t n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	struct cmsghdr *c;

	if (n <= 0)
		return n == 0 || errno == ECONNRESET ? 0
						     : err_sys(e, "recvmsg");
	c = CMSG_FIRSTHDR(&msg);
	if (!c || c->cmsg_type != SCM_RIGHTS ||
	    c->cmsg_len != CMSG_LEN(FDS * sizeof(int)))
		return err_set(e, ERR_PERM, "request without descriptors");
	memcpy(fds, CMSG_DATA(c), FDS * sizeof(int));
	if (n != (ssize_t)sizeof(*req) || req->program >= STARTER_PROGRAMS ||
	    req->n > sizeof(req->dest))
		return err_set(e, ERR_PERM, "bad request");
	return 1;
}

static void
start(const struct starter *s, const struct starter_request *req,
    const int fds[FDS])
{
	char dest[STARTER_NAME_MAX + 1];
	const struct proc_fd place[] = { { fds[0], 0 }, { fds[1], 1 },
		{ fds[2], HOLD_FD }, { s->dns.ask, DNS_FD },
		{ s->mtasts.ask, MTASTS_FD } };
	bool remote = req->program == STARTER_REMOTE;
	const char *argv[16];
	struct err e = ERR_INIT;
	size_t n = 0;

	memcpy(dest, req->dest, req->n);
	dest[req->n] = '\0';
	argv[n++] = programs[req->program];
	argv[n++] = "-config";
	argv[n++] = s->config->path;
	argv[n++] = "-runner";
	argv[n++] = s->runner;
	if (remote) {
		argv[n++] = "-destination";
		argv[n++] = dest;
		argv[n++] = "-dns=4";
		argv[n++] = "-mtasts=5";
	} else if (s->localserve)
		argv[n++] = "-localserve";
	if (s->nosandbox)
		argv[n++] = "-nosandbox";
	argv[n] = NULL;
	/* If not, the runner sees that the pipe has ended. */
	if (proc_spawn((char *const *)argv, NULL, place, remote ? 5 : FDS,
		PROC_DIES_WITH_PARENT, &e) < 0)
		log_line(QUEUE_TOPIC, LOG_ERROR, "cannot start program",
		    LOG_E(&e));
}

/* Children that ended. True, with its code: the runner was among them. */
static bool
reap(struct starter *s, int *code_r)
{
	bool runner = false;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (door_ended(&s->dns, pid, status) ||
		    door_ended(&s->mtasts, pid, status) ||
		    starter_periodic_ended(s, pid, status))
			continue;
		starter_warm_ended(&s->warm, pid, status);
		if (WIFSIGNALED(status))
			log_line(QUEUE_TOPIC, LOG_ERROR, "killed by a signal",
			    LOG_I("pid", pid),
			    LOG_I("signal", WTERMSIG(status)),
			    LOG_Z("program",
				pid == s->runner_pid ? "runner" : "delivery"));
		if (pid != s->runner_pid)
			continue;
		runner = true;
		*code_r = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_LATER;
	}
	return runner;
}

/* Signals that came. True, with its code: the runner has ended. */
static bool
take_signals(struct starter *s, int signals, int *code_r)
{
	unsigned char number;

	while (read(signals, &number, 1) == 1) {
		if (number != SIGCHLD)
			kill(s->runner_pid, number);
		else if (reap(s, code_r))
			return true;
	}
	return false;
}

/* One request. False with e; *fd becomes -1 when there will be no more. */
static bool
take_request(struct starter *s, int *fd, struct err *e)
{
	struct starter_request req = { .n = 0 };
	int fds[FDS], rc = starter_receive(*fd, &req, fds, e);

	if (rc > 0) {
		if (!starter_warm_take(s, &req, fds))
			start(s, &req, fds);
		for (int i = 0; i < FDS; i++)
			close(fds[i]);
	} else if (rc == 0)
		*fd = -1; /* it ends: SIGCHLD follows */
	return rc >= 0;
}

int
starter_run(struct starter *s, int fd, int signals, struct err *e)
{
	struct domains_cdb_watch watch = { 0 };
	int code = 0;

	s->warm.fd = -1;
	for (;;) {
		int64_t now_ms = clock_mono_ms(NULL);
		struct pollfd p[] = { { signals, POLLIN, 0 }, { fd, POLLIN, 0 },
			{ door_watch(&s->dns), POLLIN, 0 },
			{ door_watch(&s->mtasts), POLLIN, 0 },
			{ s->warm.fd, POLLIN, 0 } };
		if (poll(p, sizeof(p) / sizeof(*p), LOOK_MS) < 0 &&
		    errno != EINTR)
			return err_sys(e, "poll");
		domains_cdb_poll(s->config, &watch, now_ms * INT64_C(1000000));
		if (take_signals(s, signals, &code))
			return code;
		if (p[2].revents)
			door_wanted(&s->dns);
		if (p[3].revents)
			door_wanted(&s->mtasts);
		if (p[4].revents)
			starter_warm_heard(&s->warm);
		starter_warm_start(s, now_ms);
		starter_periodic_start(s, now_ms);
		if (p[1].revents & (POLLIN | POLLHUP) &&
		    !take_request(s, &fd, e))
			return -1;
	}
}
