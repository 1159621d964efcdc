/* errand - the session's side: asking another account. */
#include "imap/errand.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/spool.h"

#define WAIT_MS (SERVICE_ERRAND_MS + 5000) /* it is killed before */
#define PIECE (32 * 1024)

/* ---- requests ---- */

/* Written and read by one program on one machine. */
struct head {
	uint32_t op, wants, lengths[2];
};

void
imap_errand_write(const struct imap_errand *errand, struct buf *b)
{
	const struct head h = { .op = errand->op,
		.wants = errand->wants,
		.lengths = { (uint32_t)errand->a.n, (uint32_t)errand->b.n } };

	buf_add(b, slice_of((const char *)&h, sizeof(h)));
	buf_add(b, errand->a);
	buf_add(b, errand->b);
}

bool
imap_errand_read(struct imap_errand *errand_r, struct slice bytes)
{
	struct head h;

	if (bytes.n < sizeof(h))
		return false;
	memcpy(&h, bytes.p, sizeof(h));
	bytes = slice_skip(bytes, sizeof(h));
	if (h.op == 0 || h.op >= IMAP_ERRAND_OPS || h.lengths[0] == 0 ||
	    h.lengths[0] > bytes.n || h.lengths[1] != bytes.n - h.lengths[0] ||
	    (h.lengths[1] > 0) != (h.op == IMAP_ERRAND_RENAME) ||
	    h.wants & ~(h.op == IMAP_ERRAND_URL ? (unsigned)IMAP_WANTS : 0u))
		return false;
	*errand_r = (struct imap_errand){ .op = h.op,
		.wants = h.wants,
		.a = slice_head(bytes, h.lengths[0]),
		.b = slice_skip(bytes, h.lengths[0]) };
	return true;
}

/* ---- answers ---- */

static int
write_all(int fd, struct slice s, struct err *e)
{
	while (s.n > 0) {
		ssize_t n = write(fd, s.p, s.n);
		if (n < 0 && errno != EINTR)
			return err_sys(e, "answer of another account");
		s = slice_skip(s, n > 0 ? (size_t)n : 0);
	}
	return 0;
}

static int
add(struct imap_session *s, struct imap_answer *answer, struct slice piece,
    struct err *e)
{
	answer->n += piece.n;
	if (answer->n > IMAP_ANSWER_MAX)
		return err_set(e, ERR_LIMIT, "the answer is too long");
	if (answer->fd < 0 && answer->n <= IMAP_ANSWER_MEMORY) {
		buf_add(&answer->text, piece);
		return 0;
	}
	if (answer->fd < 0) {
		answer->fd = spool_unnamed(store_env_of(s->store), e);
		if (answer->fd < 0 ||
		    write_all(answer->fd, buf_slice(&answer->text), e) < 0)
			return -1;
		buf_free(&answer->text);
	}
	return write_all(answer->fd, piece, e);
}

/* To its end. */
static int
collect(struct imap_session *s, int fd, struct imap_answer *answer,
    struct err *e)
{
	int64_t end_ms = clock_mono_ms(NULL) + WAIT_MS, left;
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	char bytes[PIECE];
	ssize_t n = -1;

	while (n != 0) {
		left = end_ms - clock_mono_ms(NULL);
		if (left <= 0 || service_stop != 0)
			return err_set(e, ERR_TEMP,
			    "the other account does not answer");
		if (poll(&pfd, 1, (int)left) <= 0)
			continue;
		n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		/* It was killed with bytes of ours unread, for one. */
		if (n < 0)
			return err_sys(e, "answer of another account");
		if (add(s, answer, slice_of(bytes, (size_t)n), e) < 0)
			return -1;
	}
	return 0;
}

/* Take off what says that it is whole. */
static int
take_tail(struct imap_answer *answer, struct err *e)
{
	struct imap_errand_tail tail = { .code = 0 };
	bool good = answer->n >= sizeof(tail);

	if (good) {
		answer->n -= sizeof(tail);
		if (answer->fd < 0)
			memcpy(&tail, answer->text.p + answer->n, sizeof(tail));
		else
			good = pread(answer->fd, &tail, sizeof(tail),
				   (off_t)answer->n) == sizeof(tail);
	}
	if (!good ||
	    memcmp(tail.magic, IMAP_ERRAND_MAGIC, sizeof(tail.magic)) != 0 ||
	    tail.code == 0 || tail.code >= IMAP_ERRAND_CODES)
		return err_set(e, ERR_TEMP,
		    "the other account cannot be asked now");
	answer->code = tail.code;
	return 0;
}

int
imap_errand_ask(struct imap_session *s, struct slice account,
    const struct imap_errand *errand, struct imap_answer *answer_r,
    struct err *e)
{
	struct buf request = BUF_INIT(SERVICE_STATE_MAX);
	int fd, rc = -1;

	*answer_r = (struct imap_answer){ .text = BUF_INIT(IMAP_ANSWER_MEMORY),
		.fd = -1 };
	imap_errand_write(errand, &request);
	if (request.over)
		err_set(e, ERR_LIMIT, "too long for another account");
	else if ((fd = service_errand(s->client, account, buf_slice(&request),
		      e)) >= 0) {
		rc = collect(s, fd, answer_r, e);
		close(fd);
	}
	buf_free(&request);
	return rc < 0 ? -1 : take_tail(answer_r, e);
}

int
imap_answer_copy(struct imap_session *s, const struct imap_answer *answer,
    struct err *e)
{
	char bytes[PIECE];
	uint64_t at = 0;

	if (answer->fd < 0)
		buf_add(&s->out,
		    slice_head(buf_slice(&answer->text), (size_t)answer->n));
	while (answer->fd >= 0 && at < answer->n && !s->dead) {
		size_t want = sizeof(bytes);
		ssize_t n;
		if (want > answer->n - at)
			want = (size_t)(answer->n - at);
		n = pread(answer->fd, bytes, want, (off_t)at);
		if (n <= 0)
			return err_sys(e, "answer of another account");
		at += (uint64_t)n;
		buf_add(&s->out, slice_of(bytes, (size_t)n));
		imap_flush_large(s);
	}
	return 0;
}

void
imap_answer_free(struct imap_answer *answer)
{
	buf_free(&answer->text);
	if (answer->fd >= 0)
		close(answer->fd);
	answer->fd = -1;
}
