/* starter_warm - keep a mox-remote that is ready to deliver. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/proc.h"
#include "queue/queue.h"
#include "queue/starter.h"

#define AGAIN_MS 5000 /* one that dies is not started more often */

#define DNS_FD 4 /* the doors, which its children inherit */
#define MTASTS_FD 5

static int
spawn(const struct starter *s, struct starter_warm *w, int fd, struct err *e)
{
	const struct proc_fd place[] = { { fd, STARTER_FD },
		{ s->dns.ask, DNS_FD }, { s->mtasts.ask, MTASTS_FD } };
	const char *const argv[] = { "mox-remote", "-config", s->config->path,
		"-runner", s->runner, "-warm", "-dns=4", "-mtasts=5",
		s->nosandbox ? "-nosandbox" : NULL, NULL };

	w->pid = proc_spawn((char *const *)argv, NULL, place,
	    sizeof(place) / sizeof(*place), PROC_DIES_WITH_PARENT, e);
	return w->pid < 0 ? -1 : 0;
}

void
starter_warm_start(struct starter *s, int64_t now_ms)
{
	struct starter_warm *w = &s->warm;
	struct err e = ERR_INIT;
	int pair[2], rc;

	if (w->fd >= 0 || w->unable || now_ms < w->next_ms)
		return;
	w->next_ms = now_ms + AGAIN_MS;
	if (stat(s->config->path, &w->conf) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return;
	rc = spawn(s, w, pair[1], &e);
	close(pair[1]);
	if (rc < 0) {
		log_line(QUEUE_TOPIC, LOG_WARN, "deliveries start slowly",
		    LOG_E(&e));
		close(pair[0]);
	} else
		w->fd = pair[0];
}

/* It has no more requests, and ends behind its last child. */
static void
let_go(struct starter_warm *w)
{
	close(w->fd);
	w->fd = -1;
	w->ready = false;
}

void
starter_warm_heard(struct starter_warm *w)
{
	char byte;
	ssize_t n = recv(w->fd, &byte, 1, MSG_DONTWAIT);

	if (n == 1)
		w->ready = true;
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		let_go(w);
}

void
starter_warm_ended(struct starter_warm *w, pid_t pid, int status)
{
	if (pid == w->pid && WIFEXITED(status) &&
	    WEXITSTATUS(status) == EXIT_USAGE)
		w->unable = true;
}

bool
starter_warm_take(struct starter *s, const struct starter_request *req,
    const int fds[STARTER_FDS])
{
	struct starter_warm *w = &s->warm;
	struct stat st;

	if (!w->ready || req->program != STARTER_REMOTE)
		return false;
	if (stat(s->config->path, &st) == 0 && !file_same(&st, &w->conf)) {
		let_go(w);
		w->next_ms = 0;
		return false;
	}
	return starter_send(w->fd, req, fds, MSG_DONTWAIT, NULL) == 0;
}
