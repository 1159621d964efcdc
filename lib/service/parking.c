/*
 * parking - the parent's end of the process that has the parked sessions.
 *
 * It is started with the first of them. The parent reads no byte of a state:
 * it passes on what a back said, and what comes back.
 */
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/log.h"
#include "service/fdmsg.h"
#include "service/service_int.h"

#define OWN_FDS 64 /* that the process has besides */
#define FDS_EACH 3 /* connection, watch, folder: at most */

struct parking {
	pid_t pid; /* 0: not running */
	int fd;    /* -1: not running */
	bool stopped;
	size_t n, max; /* sessions there, and that its descriptors allow */
};

struct parking *
parking_new(void)
{
	struct parking *parking = xcalloc(1, sizeof(*parking));
	struct rlimit files = { 0, 0 };

	parking->fd = -1;
	/* It raises its limit to the maximum: child.c. */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_max > OWN_FDS)
		parking->max = (files.rlim_max - OWN_FDS) / FDS_EACH;
	return parking;
}

static bool
start(struct server *sv)
{
	struct parking *parking = sv->parking;
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return false;
	pid = shared_fork(0);
	if (pid == 0) {
		shared_leave_parent(sv);
		close(ends[0]);
		child_park(sv, ends[1]);
	}
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return false;
	}
	parking->pid = pid;
	parking->fd = ends[0];
	return true;
}

bool
parking_send(struct server *sv, const struct parking_msg *m, struct slice state,
    const int *fds, size_t nfds)
{
	struct parking *parking = sv->parking;

	if (parking->stopped || parking->n >= parking->max ||
	    (parking->fd < 0 && !start(sv)))
		return false;
	/* If it is behind, the session may ask again. */
	if (!fdmsg_send(parking->fd, SPLIT_OF(*m), state, fds, nfds,
		MSG_DONTWAIT))
		return false;
	parking->n++;
	return true;
}

int
parking_fd(const struct parking *parking)
{
	return parking == NULL ? -1 : parking->fd;
}

ssize_t
parking_receive(struct parking *parking, struct parking_msg *m_r, char *state,
    struct fdmsg *fds_r)
{
	ssize_t n = fdmsg_receive(parking->fd, m_r, sizeof(*m_r), state,
	    CONTROL_REST, fds_r, MSG_DONTWAIT);

	parking->n -= n >= 0 && parking->n > 0;
	return n;
}

bool
parking_ended(struct parking *parking, pid_t pid)
{
	if (parking == NULL || parking->pid != pid)
		return false;
	if (parking->fd >= 0)
		close(parking->fd);
	parking->fd = -1;
	parking->pid = 0;
	parking->n = 0;
	return true;
}

void
parking_stop(struct parking *parking)
{
	if (parking == NULL)
		return;
	parking->stopped = true;
	if (parking->fd >= 0)
		shutdown(parking->fd, SHUT_WR); /* it reads that as the end */
}

void
parking_kill(const struct parking *parking)
{
	if (parking != NULL && parking->pid != 0)
		kill(parking->pid, SIGKILL);
}

void
parking_close(const struct parking *parking)
{
	if (parking != NULL && parking->fd >= 0)
		close(parking->fd);
}
