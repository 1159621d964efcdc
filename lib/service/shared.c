/*
 * shared - connections whose back serves many: a back is hired, and a front
 * forked, or taken that has been forked ahead.
 *
 * The front that waits has nothing of any client's: it is in its jail, and is
 * sent the connection and its end of the pair. Only one does: it is for the
 * client that comes alone and waits for an answer; under load it saves nothing.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/proc.h"
#include "service/fdmsg.h"
#include "service/service_int.h"

#define SPARE_MS 60000 /* then it is not needed */
#define IDLE_MS 1      /* nothing to do: now the next one can be forked */

/* The front that waits; pid 0: none. */
struct spare {
	pid_t pid;
	int fd;
	int64_t since_ms;
	bool wanted; /* connections come */
};

/* ---- forking ---- */

pid_t
shared_fork(pid_t group)
{
	sigset_t all, before;
	pid_t pid;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	pid = fork();
	if (pid != 0)
		sigprocmask(SIG_SETMASK, &before, NULL);
	/* Both do, as either may be first. */
	if (pid >= 0 && setpgid(pid, group) < 0)
		setpgid(pid, 0);
	return pid;
}

void
shared_leave_parent(struct server *sv)
{
	const struct service_setup *setup = &sv->setup;

	proc_signals_reset();
	for (size_t i = 0; i < setup->nlisteners; i++)
		close(setup->listeners[i].fd);
	close(sv->control_in);
	if (sv->spare != NULL && sv->spare->pid != 0)
		close(sv->spare->fd);
	pool_close(sv->pool);
	parking_close(sv->parking);
}

/* What the parent has open for the connection it is starting. */
struct starting {
	const struct service_client *client;
	int pair[2];
};

/* NULL if there is none to be had. */
static struct worker *
new_worker(struct server *sv, const struct starting *s)
{
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return NULL;
	pid = shared_fork(0);
	if (pid == 0) {
		shared_leave_parent(sv);
		close(ends[0]);
		/* It must be hired for this connection too. */
		close(s->client->read_fd);
		close(s->pair[0]);
		close(s->pair[1]);
		_exit(child_worker(sv, ends[1]));
	}
	close(ends[1]);
	if (pid > 0)
		return pool_add(sv->pool, pid, ends[0]);
	close(ends[0]);
	return NULL;
}

/* It closes all but its own by itself. */
static pid_t
new_front(struct server *sv, int *fd_r)
{
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -1;
	pid = shared_fork(0);
	if (pid == 0) {
		proc_signals_reset();
		child_front(sv, ends[1]);
	}
	close(ends[1]);
	*fd_r = ends[0];
	if (pid < 0)
		close(ends[0]);
	return pid;
}

/* ---- hiring ---- */

/* False: the process is just ending. */
static bool
hire(const struct server *sv, int fd, const struct service_client *client,
    uint32_t serial, const int *fds, size_t n)
{
	struct hire h = { .serial = serial,
		.listener = (uint32_t)(client->listener - sv->setup.listeners),
		.cid = client->cid,
		.ip = client->ip,
		.local_ip = client->local_ip,
		.port = client->port,
		.local_port = client->local_port };

	return fdmsg_send(fd, SPLIT_OF(h), SLICE_NULL, fds, n, MSG_DONTWAIT);
}

/* A worker that waits, or a new one. */
static struct worker *
hire_worker(struct server *sv, const struct starting *s, uint32_t serial)
{
	struct worker *w;

	do {
		w = pool_take(sv->pool);
		if (w == NULL && (w = new_worker(sv, s)) == NULL)
			return NULL;
		w->serial = serial;
		w->cid = s->client->cid;
		w->ip = s->client->ip;
	} while (!hire(sv, w->fd, s->client, serial, s->pair, 1));
	return w;
}

/* The front that waits, or a new one. */
static pid_t
hire_front(struct server *sv, const struct starting *s, uint32_t serial)
{
	const int fds[2] = { s->pair[1], s->client->read_fd };
	struct spare *spare = sv->spare;
	bool hired;
	pid_t pid;
	int fd;

	spare->wanted = true;
	do {
		pid = spare->pid;
		fd = spare->fd;
		spare->pid = 0;
		if (pid == 0 && (pid = new_front(sv, &fd)) < 0)
			return -1;
		hired = hire(sv, fd, s->client, serial, fds, 2);
		close(fd);
	} while (!hired);
	return pid;
}

pid_t
shared_start(struct server *sv, const struct service_client *client,
    uint32_t serial)
{
	struct starting s = { .client = client };
	struct worker *w;
	pid_t pid = -1;

	if (sv->spare == NULL)
		sv->spare = xcalloc(1, sizeof(*sv->spare));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s.pair) < 0)
		return -1;
	w = hire_worker(sv, &s, serial);
	if (w != NULL)
		w->front = pid = hire_front(sv, &s, serial);
	close(s.pair[0]);
	close(s.pair[1]); /* without a front the worker is done */
	return pid;
}

/* ---- the front that waits ---- */

void
shared_prepare(struct server *sv)
{
	struct spare *spare = sv->spare;
	pid_t pid;

	if (spare == NULL || spare->pid != 0 || !spare->wanted)
		return;
	spare->wanted = false;
	pid = new_front(sv, &spare->fd);
	spare->pid = pid > 0 ? pid : 0;
	spare->since_ms = clock_mono_ms(NULL);
}

void
shared_drop(struct server *sv)
{
	if (sv->spare == NULL || sv->spare->pid == 0)
		return;
	close(sv->spare->fd); /* it reads that as the end */
	sv->spare->pid = 0;
}

int
shared_expire(struct server *sv, int64_t now_ms)
{
	struct spare *spare = sv->spare;
	int64_t left;

	if (spare == NULL || (spare->pid == 0 && !spare->wanted))
		return -1;
	if (spare->pid == 0)
		return IDLE_MS;
	left = spare->since_ms + SPARE_MS - now_ms;
	if (left > 0)
		return (int)left;
	shared_drop(sv);
	return -1;
}

bool
shared_ended(struct server *sv, pid_t pid)
{
	if (sv->spare == NULL || sv->spare->pid != pid)
		return false;
	shared_drop(sv);
	return true;
}
