/* split - typed messages between front and back. */
#include "service/split.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/proc.h"

/*
 * On the wire, in the byte order of this machine: head, n lengths, then the
 * bytes of all slices.
 */
struct head {
	uint16_t type;
	uint16_t n;
	uint32_t size; /* of all that follows */
};

#define WHOLE_MAX (sizeof(struct head) + SPLIT_SLICES * 4 + SPLIT_MAX)
#define IDLE_MS 1000 /* then the buffer's pages are given back */

/* Log lines a front may send: transcripts of every command at first, and
 * then still more than an honest one has to say. */
#define LOG_BURST 2000
#define LOG_PER_S 200

struct split {
	int fd;
	unsigned state;
	char *in; /* mapped, so that its pages can be given back */
	size_t in_n;
	size_t used;    /* of the buffer, by the message last handed out */
	int64_t log_ms; /* when log_left was counted */
	int64_t log_left;
	uint64_t log_dropped;
};

struct split *
split_new(int fd)
{
	struct split *sp = xcalloc(1, sizeof(*sp));

	sp->fd = fd;
	sp->state = 1;
	sp->log_left = LOG_BURST;
	sp->in = mmap(NULL, WHOLE_MAX, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (sp->in == MAP_FAILED)
		_exit(EXIT_LATER); /* as xmalloc */
	return sp;
}

void
split_free(struct split **sp, int *fd_r)
{
	if (*sp == NULL)
		return;
	if (fd_r != NULL)
		*fd_r = (*sp)->fd;
	else
		close((*sp)->fd);
	munmap((*sp)->in, WHOLE_MAX);
	free(*sp);
	*sp = NULL;
}

int
split_fd(const struct split *sp)
{
	return sp->fd;
}

void
split_set_state(struct split *sp, unsigned state)
{
	sp->state = state;
}

unsigned
split_state(const struct split *sp)
{
	return sp->state;
}

/* ---- bytes ---- */

/* Wait for events until end_ms. */
static int
await(struct split *sp, short events, int64_t end_ms, struct err *e)
{
	struct pollfd pfd = { .fd = sp->fd, .events = events };
	bool idle = sp->in_n > 0;

	for (;;) {
		int64_t left = end_ms - clock_mono_ms(NULL);
		int n, ms = left < 0 ? 0 : (int)left;
		n = poll(&pfd, 1, !idle && ms > IDLE_MS ? IDLE_MS : ms);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return err_sys(e, "split: poll");
		if (n == 0 && (idle || left <= IDLE_MS))
			return err_set(e, ERR_TEMP, "split: time-out");
		if (n == 0) {
			idle = true;
			madvise(sp->in, WHOLE_MAX, MADV_DONTNEED);
		}
	}
}

/* Move iov past n bytes that were sent. */
static void
advance(struct iovec **iov, size_t *count, size_t n)
{
	while (*count > 0 && n >= (*iov)->iov_len) {
		n -= (*iov)->iov_len;
		(*iov)++;
		(*count)--;
	}
	if (*count > 0) {
		(*iov)->iov_base = (char *)(*iov)->iov_base + n;
		(*iov)->iov_len -= n;
	}
}

static int
send_all(struct split *sp, struct iovec *iov, size_t count, struct err *e)
{
	int64_t end_ms = clock_mono_ms(NULL) + SPLIT_SEND_MS;

	while (count > 0) {
		struct msghdr msg = { .msg_iov = iov, .msg_iovlen = count };
		ssize_t n = sendmsg(sp->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n >= 0)
			advance(&iov, &count, (size_t)n);
		else if (errno != EAGAIN && errno != EINTR)
			return err_sys(e, "split: send");
		else if (await(sp, POLLOUT, end_ms, e) < 0)
			return -1;
	}
	return 0;
}

int
split_send(struct split *sp, unsigned type, const struct slice *v, size_t n,
    struct err *e)
{
	struct head head = { .type = (uint16_t)type, .n = (uint16_t)n };
	uint32_t lengths[SPLIT_SLICES];
	struct iovec iov[SPLIT_SLICES + 2];
	size_t size = 0;

	if (n > SPLIT_SLICES)
		return err_set(e, ERR_LIMIT, "split: too many slices");
	for (size_t i = 0; i < n; i++) {
		if (v[i].n > SPLIT_MAX - size)
			return err_set(e, ERR_LIMIT, "split: message too long");
		size += v[i].n;
		lengths[i] = (uint32_t)v[i].n;
		iov[i + 2] = (struct iovec){ (void *)v[i].p, v[i].n };
	}
	head.size = (uint32_t)(size + n * sizeof(lengths[0]));
	iov[0] = (struct iovec){ &head, sizeof(head) };
	iov[1] = (struct iovec){ lengths, n * sizeof(lengths[0]) };
	return send_all(sp, iov, n + 2, e);
}

ssize_t
split_decode(struct slice bytes, struct split_msg *msg_r, struct err *e)
{
	struct head head;
	uint32_t lengths[SPLIT_SLICES];
	size_t lengths_n, rest;
	const char *p;

	if (bytes.n < sizeof(head))
		return 0;
	memcpy(&head, bytes.p, sizeof(head));
	lengths_n = head.n * sizeof(lengths[0]);
	if (head.n > SPLIT_SLICES || head.size < lengths_n ||
	    head.size - lengths_n > SPLIT_MAX)
		return err_set(e, ERR_SYNTAX, "split: malformed head");
	if (bytes.n < sizeof(head) + head.size)
		return 0;
	p = bytes.p + sizeof(head);
	memcpy(lengths, p, lengths_n);
	p += lengths_n;
	rest = head.size - lengths_n;
	msg_r->type = head.type;
	msg_r->n = head.n;
	for (size_t i = 0; i < head.n; i++) {
		if (lengths[i] > rest)
			return err_set(e, ERR_SYNTAX,
			    "split: malformed length");
		msg_r->v[i] = slice_of(p, lengths[i]);
		p += lengths[i];
		rest -= lengths[i];
	}
	if (rest > 0)
		return err_set(e, ERR_SYNTAX, "split: bytes left over");
	return (ssize_t)(sizeof(head) + head.size);
}

/* The next message: 1, 0 at the end, -1. */
static int
receive(struct split *sp, struct split_msg *msg_r, int ms, struct err *e)
{
	int64_t end_ms = clock_mono_ms(NULL) + ms;

	memmove(sp->in, sp->in + sp->used, sp->in_n - sp->used);
	sp->in_n -= sp->used;
	sp->used = 0;
	for (;;) {
		ssize_t n = split_decode(slice_of(sp->in, sp->in_n), msg_r, e);
		if (n < 0)
			return -1;
		if (n > 0) {
			sp->used = (size_t)n;
			return 1;
		}
		n = recv(sp->fd, sp->in + sp->in_n, WHOLE_MAX - sp->in_n,
		    MSG_DONTWAIT);
		if (n > 0)
			sp->in_n += (size_t)n;
		else if (n == 0 && sp->in_n > 0)
			return err_set(e, ERR_TEMP,
			    "split: ended in a message");
		else if (n == 0)
			return 0;
		else if (errno != EAGAIN && errno != EINTR)
			return err_sys(e, "split: receive");
		else if (await(sp, POLLIN, end_ms, e) < 0)
			return -1;
	}
}

struct slice
split_rest(const struct split *sp)
{
	return slice_of(sp->in + sp->used, sp->in_n - sp->used);
}

/* ---- front ---- */

int
split_call(struct split *sp, unsigned type, const struct slice *v, size_t n,
    int ms, struct split_msg *reply_r, struct err *e)
{
	int rc;

	if (split_send(sp, type, v, n, e) < 0)
		return -1;
	rc = receive(sp, reply_r, ms, e);
	if (rc == 0)
		return err_set(e, ERR_TEMP, "split: the back is gone");
	if (rc > 0 && reply_r->type != SPLIT_REPLY)
		return err_set(e, ERR_SYNTAX, "split: no reply");
	return rc < 0 ? -1 : 0;
}

static void
send_line(void *ctx, enum log_level level, struct slice line)
{
	unsigned char byte = (unsigned char)level;
	struct slice v[] = { SPLIT_OF(byte), line };

	split_send(ctx, SPLIT_LOG, v, 2, NULL);
}

void
split_log(struct split *sp)
{
	log_levels_file(NULL); /* which cannot be read from here */
	log_set_sink(send_line, sp);
}

/* ---- back ---- */

/* May one more line of the front be logged? */
static bool
log_allowed(struct split *sp)
{
	int64_t now = clock_mono_ms(NULL);

	sp->log_left += (now - sp->log_ms) * LOG_PER_S / 1000;
	if (sp->log_left > LOG_BURST || sp->log_ms == 0)
		sp->log_left = LOG_BURST;
	sp->log_ms = now;
	if (sp->log_left <= 0) {
		sp->log_dropped++;
		return false;
	}
	sp->log_left--;
	if (sp->log_dropped > 0)
		log_line("split", LOG_WARN, "dropped log lines of the front",
		    LOG_U("n", sp->log_dropped));
	sp->log_dropped = 0;
	return true;
}

static int
relay_line(struct split *sp, const struct split_msg *msg, struct err *e)
{
	unsigned char level;

	if (msg->n != 2 || !SPLIT_GET(msg->v[0], &level) ||
	    level > LOG_TRACEDATA)
		return err_set(e, ERR_SYNTAX, "split: malformed log line");
	if (log_allowed(sp))
		log_relay(level, msg->v[1]);
	return 0;
}

static const struct split_op *
find_op(const struct split_op *op, unsigned type)
{
	for (; op->type != 0; op++)
		if (op->type == type)
			return op;
	return NULL;
}

static int
check(const struct split *sp, const struct split_op *op,
    const struct split_msg *msg, struct err *e)
{
	size_t size = op == NULL || op->size == 0 ? SPLIT_MAX : op->size;

	if (op == NULL)
		return err_set(e, ERR_SYNTAX, "split: unknown message %u",
		    msg->type);
	if (!(op->states & sp->state))
		return err_set(e, ERR_SYNTAX,
		    "split: message %u may not come in state %u", msg->type,
		    sp->state);
	if (msg->n < op->min || msg->n > op->max)
		return err_set(e, ERR_SYNTAX, "split: message %u of %zu slices",
		    msg->type, msg->n);
	for (size_t i = 0; i < msg->n; i++)
		if (msg->v[i].n > size)
			return err_set(e, ERR_LIMIT,
			    "split: message %u has a slice of %zu", msg->type,
			    msg->v[i].n);
	return 0;
}

int
split_serve(struct split *sp, const struct split_op *ops, void *ctx, int ms,
    struct err *e)
{
	const struct split_op *op;
	struct split_msg msg;
	int rc;

	for (;;) {
		rc = receive(sp, &msg, ms, e);
		if (rc <= 0)
			return rc;
		if (msg.type != SPLIT_LOG)
			break;
		if (relay_line(sp, &msg, e) < 0)
			return -1;
	}
	op = find_op(ops, msg.type);
	if (check(sp, op, &msg, e) < 0 || op->handler(ctx, &msg, e) < 0)
		return -1;
	return 1;
}

int
split_reply(struct split *sp, const struct slice *v, size_t n, struct err *e)
{
	return split_send(sp, SPLIT_REPLY, v, n, e);
}

bool
split_get(struct slice s, void *p, size_t size)
{
	if (s.n != size)
		return false;
	memcpy(p, s.p, size);
	return true;
}
