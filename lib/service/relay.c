/* relay - TLS on one side, plaintext on the other. */
#include "service/relay.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/proc.h"

#define FLOW (16 * 1024) /* a TLS record */
#define IDLE_MS 1000     /* then memory is given back */
#define WRITE_MS (5 * 60 * 1000)

/* Bytes on their way in one direction. */
struct flow {
	char *p;
	size_t at, n; /* those from at to n are still to be written */
	bool ended;   /* nothing more comes in */
};

struct relay {
	struct conn *conn;
	int fd;
	struct flow in, out; /* from the client, to the client */
	bool broken;         /* one side takes no more: stop at once */
};

static bool
is_empty(const struct flow *f)
{
	return f->at == f->n;
}

static struct slice
waiting(const struct flow *f)
{
	return slice_of(f->p + f->at, f->n - f->at);
}

/* Account for what a read gave. True if it got on. */
static bool
took_in(struct flow *f, enum conn_status status, size_t n)
{
	f->at = 0;
	f->n = n;
	f->ended = status != CONN_OK && status != CONN_AGAIN;
	return status != CONN_AGAIN;
}

/* Account for what a write took. True if it got on. */
static bool
put_out(struct relay *r, struct flow *f, enum conn_status status, size_t n)
{
	f->at += n;
	r->broken |= status != CONN_OK && status != CONN_AGAIN;
	return status == CONN_OK;
}

static enum conn_status
plain_status(ssize_t n, size_t *n_r)
{
	*n_r = n > 0 ? (size_t)n : 0;
	if (n > 0)
		return CONN_OK;
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? CONN_AGAIN
							    : CONN_EOF;
}

/* From the client to the session. True if something moved. */
static bool
move_in(struct relay *r)
{
	struct flow *f = &r->in;
	enum conn_status status;
	bool moved = false;
	size_t n;

	if (is_empty(f) && !f->ended) {
		status = conn_try_read(r->conn, f->p, FLOW, &n);
		moved = took_in(f, status, n);
		if (f->ended)
			shutdown(r->fd, SHUT_WR);
	}
	if (!is_empty(f)) {
		status = plain_status(send(r->fd, waiting(f).p, waiting(f).n,
					  MSG_NOSIGNAL),
		    &n);
		moved |= put_out(r, f, status, n);
	}
	return moved;
}

static bool
move_out(struct relay *r)
{
	struct flow *f = &r->out;
	enum conn_status status;
	bool moved = false;
	size_t n;

	if (is_empty(f) && !f->ended) {
		status = plain_status(recv(r->fd, f->p, FLOW, 0), &n);
		moved = took_in(f, status, n);
	}
	if (!is_empty(f)) {
		status = conn_try_write(r->conn, waiting(f), &n);
		moved |= put_out(r, f, status, n);
	}
	return moved;
}

/* Wait until something can move. False when the client takes nothing. */
static bool
await(struct relay *r, char *buffers)
{
	struct pollfd fds[2] = { { .fd = conn_read_fd(r->conn) },
		{ .fd = r->fd } };
	bool idle = is_empty(&r->in) && is_empty(&r->out);
	int n;

	if (is_empty(&r->in) && !r->in.ended)
		fds[0].events |= conn_read_events(r->conn);
	if (!is_empty(&r->out))
		fds[0].events |= conn_write_events(r->conn);
	if (!is_empty(&r->in))
		fds[1].events |= POLLOUT;
	if (is_empty(&r->out) && !r->out.ended)
		fds[1].events |= POLLIN;
	for (int i = 0; i < 2; i++)
		if (fds[i].events == 0)
			fds[i].fd = -1; /* or a hang-up wakes all the time */
	n = poll(fds, 2, idle ? IDLE_MS : WRITE_MS);
	if (n == 0 && idle) {
		madvise(buffers, 2 * FLOW, MADV_DONTNEED);
		malloc_trim(0);
		n = poll(fds, 2, -1);
	}
	return n != 0;
}

void
relay_run(struct conn *c, int fd)
{
	struct relay r = { .conn = c, .fd = fd };
	char *buffers = mmap(NULL, 2 * FLOW, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (buffers == MAP_FAILED)
		_exit(EXIT_LATER); /* as xmalloc */
	r.in.p = buffers;
	r.out.p = buffers + FLOW;
	file_nonblock(fd, true);
	while (!r.broken && !(r.out.ended && is_empty(&r.out))) {
		bool moved = move_in(&r);
		moved |= move_out(&r);
		if (!moved && !r.broken && !await(&r, buffers))
			break;
	}
	conn_shutdown(c);
	munmap(buffers, 2 * FLOW);
}
