/* mtasts_door - asking `mox-mtasts serve` for a policy, and its side of it. */
#include "mtasts/mtasts_door.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/fdpass.h"
#include "mtasts/mtasts.h"

#define GRACE_MS 10000 /* until it has noticed that a fetch took too long */

struct request {
	uint32_t ndomain, nid;
	char domain[MTASTS_DOOR_DOMAIN];
	char id[MTASTS_DOOR_ID];
};

struct answer {
	int32_t kind; /* enum err_kind; ERR_NONE: see the cache */
	char text[sizeof(((struct err *)NULL)->text)];
};

/* ---- who asks ---- */

static int
later(struct err *e, const char *why)
{
	return err_set(e, ERR_TEMP, "policy not fetched: %s", why);
}

static int
wait_answer(int fd, struct err *e)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	struct answer a;
	int64_t end_ms = clock_mono_ms(NULL) + MTASTS_FETCH_MS + GRACE_MS, ms;

	do
		ms = end_ms - clock_mono_ms(NULL);
	while (ms > 0 && poll(&pfd, 1, (int)ms) < 0 && errno == EINTR);
	if (pfd.revents == 0)
		return later(e, "mox-mtasts gave no answer in time");
	/* A packet of a pipe: all or nothing. */
	if (read(fd, &a, sizeof(a)) != (ssize_t)sizeof(a))
		return later(e, "mox-mtasts ended");
	a.text[sizeof(a.text) - 1] = '\0';
	return a.kind == ERR_NONE ? 0 : later(e, a.text);
}

int
mtasts_ask(void *door, struct slice domain, struct slice id, struct err *e)
{
	struct request req = { (uint32_t)domain.n, (uint32_t)id.n, "", "" };
	int ends[2], rc;

	if (domain.n == 0 || domain.n > sizeof(req.domain) || id.n == 0 ||
	    id.n > sizeof(req.id))
		return later(e, "no domain with a record");
	memcpy(req.domain, domain.p, domain.n);
	memcpy(req.id, id.p, id.n);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	rc = fd_pass(*(int *)door, &req, sizeof(req), ends[1]);
	if (rc < 0)
		later(e, strerror(errno));
	close(ends[1]);
	if (rc == 0)
		rc = wait_answer(ends[0], e);
	close(ends[0]);
	return rc;
}

/* ---- who is asked ---- */

int
mtasts_door_take(int door, struct mtasts_asked *asked_r)
{
	struct request req = { 0 };
	int fd;
	ssize_t n = fd_take(door, &req, sizeof(req), &fd);

	if (n == 0)
		return -1;
	if (n == (ssize_t)sizeof(req) && fd >= 0 && req.ndomain > 0 &&
	    req.ndomain <= sizeof(req.domain) && req.nid <= sizeof(req.id)) {
		asked_r->fd = fd;
		asked_r->ndomain = req.ndomain;
		asked_r->nid = req.nid;
		memcpy(asked_r->domain, req.domain, req.ndomain);
		memcpy(asked_r->id, req.id, req.nid);
		return 1;
	}
	if (fd >= 0)
		close(fd);
	return 0;
}

void
mtasts_door_answer(struct mtasts_asked *asked, const struct err *e)
{
	struct answer a = { .kind = (int32_t)e->kind };

	if (asked->fd < 0)
		return;
	memcpy(a.text, e->text, sizeof(a.text));
	/* The pipe is empty: this does not block. Nobody may read any more. */
	if (write(asked->fd, &a, sizeof(a)) < 0)
		errno = 0;
	close(asked->fd);
	asked->fd = -1;
}
