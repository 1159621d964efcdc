/* conn - one connection: buffers, deadlines, TLS. */
#include "net/conn.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <openssl/err.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/proc.h"
#include "net/flate.h"

#define OUT_BUFFER (16 * 1024) /* a TLS record */
#define IDLE_MS 1000           /* then memory is given back */
#define DEADLINE_MS 30000      /* until told otherwise */
#define SLOW_MS 1000
#define SLOW_REST_MS 5000

/* What is waited for; decides when CONN_STOP comes. */
enum wait { WAIT_LINE, WAIT_BYTES, WAIT_WRITE };

struct conn {
	int read_fd, write_fd;
	int read_ms, write_ms;
	int64_t end_ms; /* of everything; 0: none */
	SSL *ssl;
	struct tls_facts *facts;
	struct flate *flate; /* NULL: not compressed */
	/* Two buffers in one mapping, so that their pages can be given back. */
	char *in, *out;
	size_t in_at, in_n; /* the bytes from in_at to in_n are unread */
	size_t looked;      /* so many of them have no LF */
	size_t out_n;
	bool slow;
	const volatile sig_atomic_t *stop;
	void (*idle)(void *ctx);
	void *idle_ctx;
	short read_events, write_events;
	enum conn_status read_failed, write_failed; /* CONN_OK: not */
	char why[160];
	uint64_t bytes_in, bytes_out;
};

/* Make a failure stick to a direction; the first reason is kept. */
static enum conn_status
fail(struct conn *c, enum conn_status *failed, enum conn_status status,
    const char *why)
{
	if (c->why[0] == '\0')
		snprintf(c->why, sizeof(c->why), "%s", why);
	if (*failed == CONN_OK)
		*failed = status;
	return *failed;
}

/* ---- waiting ---- */

static bool
must_stop(const struct conn *c, enum wait wait)
{
	int stop = c->stop == NULL ? 0 : *c->stop;

	switch (wait) {
	case WAIT_LINE:
		return stop > 0;
	case WAIT_BYTES:
		return stop >= CONN_STOP_ALL;
	default:
		return false;
	}
}

/* Empty buffers, and free memory of the heap, are a good part of what an idle
 * process has to itself. */
static void
give_back(struct conn *c)
{
	if (c->in_at == c->in_n && c->out_n == 0) {
		c->in_at = c->in_n = 0;
		madvise(c->in, CONN_BUFFER + OUT_BUFFER, MADV_DONTNEED);
	}
	if (c->idle != NULL)
		c->idle(c->idle_ctx);
	malloc_trim(0);
}

/* Sleep, unless this process is to end. */
static void
dawdle(const struct conn *c, int64_t ms)
{
	int64_t end = clock_mono_ms(NULL) + ms, left = ms;

	while (left > 0 && !must_stop(c, WAIT_LINE)) {
		clock_sleep_ms(left);
		left = end - clock_mono_ms(NULL);
	}
}

/* Wait for events on fd until end_ms. OK, TIMEOUT, STOP or ERROR. */
static enum conn_status
await(struct conn *c, int fd, short events, enum wait wait, int64_t end_ms)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	bool idle = false;

	if (c->end_ms != 0 && c->end_ms < end_ms)
		end_ms = c->end_ms;
	for (;;) {
		int64_t left = end_ms - clock_mono_ms(NULL);
		int n, ms = left < 0 ? 0 : (int)left;
		if (must_stop(c, wait))
			return CONN_STOP;
		n = poll(&pfd, 1, !idle && ms > IDLE_MS ? IDLE_MS : ms);
		if (n > 0 || (n < 0 && errno != EINTR))
			return CONN_OK; /* what is wrong shows in what follows */
		if (n == 0 && (idle || left <= IDLE_MS))
			return CONN_TIMEOUT;
		if (n == 0) {
			idle = true;
			give_back(c);
		}
	}
}

/* ---- plain and TLS, without waiting ---- */

/* What a TLS call that did not succeed means. */
static enum conn_status
tls_status(struct conn *c, int rc, enum conn_status *failed, short *events)
{
	char text[120];
	int error = SSL_get_error(c->ssl, rc), saved = errno;

	switch (error) {
	case SSL_ERROR_WANT_READ:
		*events = POLLIN;
		return CONN_AGAIN;
	case SSL_ERROR_WANT_WRITE:
		*events = POLLOUT;
		return CONN_AGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return fail(c, failed, CONN_EOF, "closed by the peer");
	case SSL_ERROR_SYSCALL:
		ERR_clear_error();
		return fail(c, failed, CONN_ERROR, strerrordesc_np(saved));
	default:
		/* Many peers end without saying so. A message cut short shows
		 * in its protocol. */
		if (ERR_GET_REASON(ERR_peek_error()) ==
		    SSL_R_UNEXPECTED_EOF_WHILE_READING) {
			ERR_clear_error();
			return fail(c, failed, CONN_EOF, "closed by the peer");
		}
		return fail(c, failed, CONN_ERROR,
		    tls_error_text(text, sizeof(text)));
	}
}

static enum conn_status
plain_status(struct conn *c, enum conn_status *failed, short *events,
    short want)
{
	if (errno == EAGAIN || errno == EINTR) {
		*events = want;
		return CONN_AGAIN;
	}
	return fail(c, failed, CONN_ERROR, strerrordesc_np(errno));
}

enum conn_status
conn_try_read(struct conn *c, char *p, size_t n, size_t *n_r)
{
	*n_r = 0;
	if (c->read_failed != CONN_OK)
		return c->read_failed;
	if (c->ssl != NULL) {
		int rc = SSL_read_ex(c->ssl, p, n, n_r);
		if (rc != 1)
			return tls_status(c, rc, &c->read_failed,
			    &c->read_events);
	} else {
		ssize_t got = read(c->read_fd, p, n);
		if (got < 0)
			return plain_status(c, &c->read_failed, &c->read_events,
			    POLLIN);
		if (got == 0)
			return fail(c, &c->read_failed, CONN_EOF,
			    "closed by the peer");
		*n_r = (size_t)got;
	}
	c->bytes_in += *n_r;
	return CONN_OK;
}

enum conn_status
conn_try_write(struct conn *c, struct slice s, size_t *n_r)
{
	*n_r = 0;
	if (c->write_failed != CONN_OK)
		return c->write_failed;
	if (c->ssl != NULL) {
		int rc = SSL_write_ex(c->ssl, s.p, s.n, n_r);
		if (rc != 1)
			return tls_status(c, rc, &c->write_failed,
			    &c->write_events);
	} else {
		ssize_t put = write(c->write_fd, s.p, s.n);
		if (put < 0)
			return plain_status(c, &c->write_failed,
			    &c->write_events, POLLOUT);
		*n_r = (size_t)put;
	}
	c->bytes_out += *n_r;
	return CONN_OK;
}

/* The descriptor that events of a read or write are about. */
static int
fd_for(const struct conn *c, short events)
{
	return events == POLLIN ? c->read_fd : c->write_fd;
}

/* ---- reading ---- */

/* What the peer sent, unpacked; waits for nothing. */
static enum conn_status
try_unpack(struct conn *c, char *p, size_t n, size_t *n_r)
{
	enum conn_status status = CONN_OK;
	size_t packed;

	for (;;) {
		switch (flate_read(c->flate, p, n, n_r)) {
		case FLATE_OK:
			return CONN_OK;
		case FLATE_HUNGRY:
			break;
		case FLATE_END:
			return fail(c, &c->read_failed, CONN_EOF,
			    "compressed data has ended");
		case FLATE_DAMAGED:
			return fail(c, &c->read_failed, CONN_ERROR,
			    "compressed data is damaged");
		}
		status =
		    conn_try_read(c, flate_room(c->flate), FLATE_IN, &packed);
		if (status != CONN_OK)
			return status;
		flate_filled(c->flate, packed);
	}
}

static enum conn_status
try_more(struct conn *c, char *p, size_t n, size_t *n_r)
{
	return c->flate != NULL ? try_unpack(c, p, n, n_r)
				: conn_try_read(c, p, n, n_r);
}

/* Read more into the buffer, which has room. */
static enum conn_status
read_more(struct conn *c, enum wait wait, int64_t end_ms)
{
	enum conn_status status;
	size_t n;

	if (c->in_at == c->in_n) {
		c->in_at = c->in_n = 0;
	} else if (c->in_n == CONN_BUFFER) {
		memmove(c->in, c->in + c->in_at, c->in_n - c->in_at);
		c->in_n -= c->in_at;
		c->in_at = 0;
	}
	if (c->slow)
		dawdle(c, SLOW_MS);
	for (;;) {
		status =
		    try_more(c, c->in + c->in_n, CONN_BUFFER - c->in_n, &n);
		c->in_n += n;
		if (status != CONN_AGAIN)
			return status;
		status = await(c, fd_for(c, c->read_events), c->read_events,
		    wait, end_ms);
		if (status != CONN_OK)
			return status;
	}
}

/* Look for a line in the buffer. */
static enum conn_status
find_line(struct conn *c, size_t max, struct slice *line_r, bool *bare)
{
	struct slice in = conn_buffered(c);
	ssize_t lf = slice_chr(slice_skip(in, c->looked), '\n');
	size_t n;

	if (lf < 0) {
		c->looked = in.n;
		return in.n > max + 1 ? CONN_TOO_LONG : CONN_AGAIN;
	}
	n = c->looked + (size_t)lf;
	*bare = n == 0 || in.p[n - 1] != '\r';
	if (n - !*bare > max)
		return CONN_TOO_LONG;
	*line_r = slice_head(in, n - !*bare);
	conn_consume(c, n + 1);
	return CONN_OK;
}

enum conn_status
conn_line(struct conn *c, size_t max, struct slice *line_r, bool *bare_r)
{
	int64_t end_ms = clock_mono_ms(NULL) + c->read_ms;
	enum conn_status status;
	bool bare = false;

	*line_r = SLICE_NULL;
	for (;;) {
		status = find_line(c, max, line_r, &bare);
		if (bare_r != NULL)
			*bare_r = bare;
		if (status != CONN_AGAIN)
			return status;
		if (c->in_at == c->in_n && must_stop(c, WAIT_LINE))
			return CONN_STOP;
		status = read_more(c,
		    c->in_at == c->in_n ? WAIT_LINE : WAIT_BYTES, end_ms);
		if (status != CONN_OK)
			return status;
	}
}

enum conn_status
conn_fill(struct conn *c, size_t n)
{
	int64_t end_ms = clock_mono_ms(NULL) + c->read_ms;

	while (c->in_n - c->in_at < n) {
		enum conn_status status;
		/* read_more makes room only when there is none at all. */
		if (CONN_BUFFER - c->in_at < n) {
			memmove(c->in, c->in + c->in_at, c->in_n - c->in_at);
			c->in_n -= c->in_at;
			c->in_at = 0;
		}
		status = read_more(c, WAIT_BYTES, end_ms);
		if (status != CONN_OK)
			return status;
	}
	return CONN_OK;
}

struct slice
conn_buffered(const struct conn *c)
{
	return slice_of(c->in + c->in_at, c->in_n - c->in_at);
}

void
conn_consume(struct conn *c, size_t n)
{
	c->in_at += n;
	c->looked = 0;
}

bool
conn_has_line(const struct conn *c)
{
	return slice_chr(conn_buffered(c), '\n') >= 0;
}

bool
conn_pending(const struct conn *c)
{
	return c->in_at < c->in_n ||
	    (c->flate != NULL && flate_has_more(c->flate));
}

bool
conn_unread(struct conn *c, struct slice bytes)
{
	size_t n = c->in_n - c->in_at;

	if (bytes.n > CONN_BUFFER - n)
		return false;
	memmove(c->in + bytes.n, c->in + c->in_at, n);
	if (bytes.n > 0)
		memcpy(c->in, bytes.p, bytes.n);
	c->in_at = 0;
	c->in_n = bytes.n + n;
	c->looked = 0;
	return true;
}

/* ---- writing ---- */

static enum conn_status
send_some(struct conn *c, struct slice *s, int64_t end_ms)
{
	enum conn_status status;
	size_t n;

	for (;;) {
		status = conn_try_write(c, *s, &n);
		*s = slice_skip(*s, n);
		if (status != CONN_AGAIN)
			return status;
		status = await(c, fd_for(c, c->write_events), c->write_events,
		    WAIT_WRITE, end_ms);
		if (status != CONN_OK)
			return fail(c, &c->write_failed, status, "time-out");
	}
}

static enum conn_status
send_all(struct conn *c, struct slice s)
{
	int64_t end_ms = clock_mono_ms(NULL) + c->write_ms;
	enum conn_status status = c->write_failed;

	while (s.n > 0 && status == CONN_OK) {
		struct slice byte = slice_head(s, 1);
		if (!c->slow || must_stop(c, WAIT_LINE) ||
		    end_ms - clock_mono_ms(NULL) < SLOW_REST_MS) {
			status = send_some(c, &s, end_ms);
			continue;
		}
		status = send_some(c, &byte, end_ms);
		s = slice_skip(s, 1);
		if (s.n > 0)
			dawdle(c, SLOW_MS);
	}
	return status;
}

/* Send, packed if so agreed; flush: all of it, so that the peer can read it. */
static enum conn_status
put(struct conn *c, struct slice s, bool flush)
{
	enum conn_status status = c->write_failed;
	struct slice piece;

	if (c->flate == NULL)
		return send_all(c, s);
	flate_write(c->flate, s);
	while (flate_next(c->flate, flush, &piece))
		status = send_all(c, piece);
	return status;
}

static enum conn_status
empty_out(struct conn *c, bool flush)
{
	struct slice out = slice_of(c->out, c->out_n);

	c->out_n = 0;
	return put(c, out, flush);
}

void
conn_write(struct conn *c, struct slice s)
{
	if (c->write_failed != CONN_OK)
		return;
	if (s.n > OUT_BUFFER - c->out_n)
		empty_out(c, false);
	if (s.n >= OUT_BUFFER) {
		put(c, s, false);
	} else if (s.n > 0) {
		memcpy(c->out + c->out_n, s.p, s.n);
		c->out_n += s.n;
	}
}

void
conn_writez(struct conn *c, const char *cstr)
{
	conn_write(c, slice_str(cstr));
}

void
conn_writef(struct conn *c, const char *fmt, ...)
{
	struct buf b = BUF_INIT(1024 * 1024); /* more is a mistake */
	va_list ap;

	va_start(ap, fmt);
	buf_addv(&b, fmt, ap);
	va_end(ap);
	if (b.over)
		fail(c, &c->write_failed, CONN_ERROR, "text too long to send");
	conn_write(c, buf_slice(&b));
	buf_free(&b);
}

enum conn_status
conn_flush(struct conn *c)
{
	return empty_out(c, true);
}

/* ---- compression ---- */

void
conn_deflate(struct conn *c)
{
	struct slice in = slice_head(conn_buffered(c), FLATE_IN);

	c->flate = flate_new();
	/* What is here already was sent after the peer knew. */
	memcpy(flate_room(c->flate), in.p, in.n);
	flate_filled(c->flate, in.n);
	conn_consume(c, in.n);
}

bool
conn_is_deflated(const struct conn *c)
{
	return c->flate != NULL;
}

/* Read what the stream still needs to its end. */
static enum conn_status
read_packed(struct conn *c, int64_t end_ms)
{
	enum conn_status status;
	size_t n;

	while ((status = conn_try_read(c, flate_room(c->flate), FLATE_IN,
		    &n)) == CONN_AGAIN) {
		status = await(c, fd_for(c, c->read_events), c->read_events,
		    WAIT_LINE, end_ms);
		if (status != CONN_OK)
			return status;
	}
	if (status == CONN_OK)
		flate_filled(c->flate, n);
	return status;
}

enum conn_status
conn_inflate_end(struct conn *c, int ms)
{
	int64_t end_ms = clock_mono_ms(NULL) + ms;
	enum conn_status status = CONN_OK;
	enum flate_status end;
	struct slice rest;

	if (c->in_at < c->in_n)
		return fail(c, &c->read_failed, CONN_ERROR,
		    "more was compressed than should be");
	while ((end = flate_read_end(c->flate, &rest)) == FLATE_HUNGRY &&
	    status == CONN_OK)
		status = read_packed(c, end_ms);
	if (status != CONN_OK)
		return status;
	if (end != FLATE_END || !conn_unread(c, rest))
		return fail(c, &c->read_failed, CONN_ERROR,
		    "compressed data does not end as it should");
	fail(c, &c->read_failed, CONN_EOF, "compressed data has ended");
	return CONN_OK;
}

void
conn_deflate_last(const struct conn *c, struct slice text, struct buf *out)
{
	flate_last(c->flate, text, out);
}

/* ---- TLS ---- */

/* A handshake that failed leaves neither direction usable. */
static enum conn_status
tls_fail(struct conn *c, enum conn_status status, const char *why)
{
	fail(c, &c->write_failed, status, why);
	return fail(c, &c->read_failed, status, why);
}

/* Shake hands as what c->ssl is, which is NULL if there is none. */
static enum conn_status
handshake(struct conn *c, const char *none, int ms)
{
	int64_t end_ms = clock_mono_ms(NULL) + ms;
	enum conn_status status;
	short events = 0;
	int rc;

	if (c->ssl == NULL || SSL_set_rfd(c->ssl, c->read_fd) != 1 ||
	    SSL_set_wfd(c->ssl, c->write_fd) != 1)
		return tls_fail(c, CONN_ERROR, none);
	while ((rc = SSL_do_handshake(c->ssl)) != 1) {
		status = tls_status(c, rc, &c->read_failed, &events);
		if (status == CONN_AGAIN)
			status = await(c, fd_for(c, events), events, WAIT_LINE,
			    end_ms);
		if (status != CONN_OK)
			return tls_fail(c, status, "TLS handshake");
	}
	c->facts = xmalloc(sizeof(*c->facts));
	tls_facts_of(c->ssl, c->facts);
	return CONN_OK;
}

static bool
tls_may_begin(struct conn *c)
{
	if (c->in_at < c->in_n)
		tls_fail(c, CONN_ERROR, "bytes sent before TLS");
	else if (c->ssl != NULL)
		tls_fail(c, CONN_ERROR, "TLS is active already");
	return c->read_failed == CONN_OK;
}

enum conn_status
conn_tls_accept(struct conn *c, struct tls_server *tls, int ms)
{
	if (!tls_may_begin(c))
		return c->read_failed;
	c->ssl = tls_server_session(tls);
	return handshake(c, "no TLS session", ms);
}

enum conn_status
conn_tls_connect(struct conn *c, struct tls_client *tls,
    const struct tls_expect *expect, int ms)
{
	struct err e = ERR_INIT;

	if (!tls_may_begin(c))
		return c->read_failed;
	c->ssl = tls_client_session(tls, expect, &e);
	return handshake(c, e.text, ms);
}

enum tls_failure
conn_tls_failure(const struct conn *c, char *text, size_t size)
{
	enum tls_failure failure = TLS_FAILURE_VALIDATION;

	text[0] = '\0';
	if (c->ssl != NULL)
		failure = tls_client_failure(c->ssl, text, size);
	if (failure != TLS_FAILURE_NONE && text[0] == '\0')
		slice_cstr(slice_str(c->why), text, size);
	return failure;
}

bool
conn_tls_match(const struct conn *c, struct tls_tlsa *tlsa_r)
{
	return c->ssl != NULL && tls_client_match(c->ssl, tlsa_r);
}

void
conn_end_write(struct conn *c)
{
	if (c->ssl != NULL && c->write_failed == CONN_OK) {
		SSL_shutdown(c->ssl);
		ERR_clear_error();
	}
	shutdown(c->write_fd, SHUT_WR);
}

void
conn_shutdown(struct conn *c)
{
	conn_end_write(c);
	/* Closing with bytes unread resets the connection, and takes back what
	 * was said last. */
	c->in_n = c->in_at = 0;
	recv(c->read_fd, c->in, CONN_BUFFER, MSG_DONTWAIT);
}

/* ---- the rest ---- */

struct conn *
conn_new(int read_fd, int write_fd)
{
	struct conn *c = xcalloc(1, sizeof(*c));

	c->read_fd = read_fd;
	c->write_fd = write_fd;
	c->read_ms = c->write_ms = DEADLINE_MS;
	c->read_events = POLLIN;
	c->write_events = POLLOUT;
	c->in = mmap(NULL, CONN_BUFFER + OUT_BUFFER, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (c->in == MAP_FAILED)
		_exit(EXIT_LATER); /* as xmalloc */
	c->out = c->in + CONN_BUFFER;
	file_nonblock(read_fd, true);
	if (write_fd != read_fd)
		file_nonblock(write_fd, true);
	return c;
}

void
conn_free(struct conn **c)
{
	if (*c == NULL)
		return;
	SSL_free((*c)->ssl);
	free((*c)->facts);
	flate_free(&(*c)->flate);
	munmap((*c)->in, CONN_BUFFER + OUT_BUFFER);
	free(*c);
	*c = NULL;
}

void
conn_set_read_ms(struct conn *c, int ms)
{
	c->read_ms = ms;
}

void
conn_set_write_ms(struct conn *c, int ms)
{
	c->write_ms = ms;
}

void
conn_set_end_ms(struct conn *c, int64_t mono_ms)
{
	c->end_ms = mono_ms;
}

void
conn_set_stop(struct conn *c, const volatile sig_atomic_t *stop)
{
	c->stop = stop;
}

void
conn_set_slow(struct conn *c, bool slow)
{
	c->slow = slow;
}

void
conn_set_idle(struct conn *c, void (*idle)(void *ctx), void *ctx)
{
	c->idle = idle;
	c->idle_ctx = ctx;
}

bool
conn_is_tls(const struct conn *c)
{
	return c->ssl != NULL;
}

const struct tls_facts *
conn_tls_facts(const struct conn *c)
{
	return c->facts;
}

int
conn_read_fd(const struct conn *c)
{
	return c->read_fd;
}

short
conn_read_events(const struct conn *c)
{
	return c->read_events;
}

short
conn_write_events(const struct conn *c)
{
	return c->write_events;
}

const char *
conn_error(const struct conn *c)
{
	return c->why;
}

uint64_t
conn_bytes_in(const struct conn *c)
{
	return c->bytes_in;
}

uint64_t
conn_bytes_out(const struct conn *c)
{
	return c->bytes_out;
}
