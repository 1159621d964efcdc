#include "imap/reader.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/scan.h"

void
imap_reader_init(struct imap_reader *r, struct conn *conn)
{
	memset(r, 0, sizeof(*r));
	r->conn = conn;
	r->text = (struct buf)BUF_INIT(IMAP_COMMAND_MAX);
	r->timeout_ms = IMAP_READ_MS;
}

void
imap_reader_free(struct imap_reader *r)
{
	buf_wipe(&r->text); /* passwords went through it */
}

void
imap_reader_shrink(struct imap_reader *r)
{
	buf_free(&r->text);
}

bool
imap_reader_has_line(const struct imap_reader *r)
{
	return conn_has_line(r->conn);
}

int
imap_reader_flush(struct imap_reader *r)
{
	bool over = r->out && r->out->over;

	if (over)
		return -1;
	if (r->out) {
		conn_write(r->conn, buf_slice(r->out));
		buf_reset(r->out);
	}
	return conn_flush(r->conn) == CONN_OK ? 0 : -1;
}

int
imap_reader_wait(struct imap_reader *r, int fd, int another, int timeout_ms)
{
	struct pollfd p[3] = {
		{ .fd = conn_read_fd(r->conn), .events = POLLIN },
		{ .fd = fd, .events = POLLIN },
		{ .fd = another, .events = POLLIN },
	};
	int n;

	if (conn_pending(r->conn))
		return IMAP_WAIT_INPUT;
	n = poll(p, 3, timeout_ms);
	if (n < 0)
		return errno == EINTR ? 0 : -1;
	return (p[0].revents ? IMAP_WAIT_INPUT : 0) |
	    (p[1].revents || p[2].revents ? IMAP_WAIT_FD : 0);
}

enum imap_peer
imap_reader_peer(const struct imap_reader *r)
{
	struct pollfd p = { .fd = conn_read_fd(r->conn), .events = POLLRDHUP };

	if (poll(&p, 1, 0) <= 0)
		return IMAP_PEER_THERE;
	return p.revents & (POLLHUP | POLLERR | POLLNVAL) ? IMAP_PEER_GONE
							  : IMAP_PEER_QUIET;
}

static enum imap_read
status_of(enum conn_status status)
{
	switch (status) {
	case CONN_OK:
		return IMAP_READ_OK;
	case CONN_TIMEOUT:
		return IMAP_READ_TIMEOUT;
	case CONN_TOO_LONG:
		return IMAP_READ_LONG;
	case CONN_STOP:
		return IMAP_READ_STOP;
	default:
		return IMAP_READ_END;
	}
}

enum imap_read
imap_reader_line(struct imap_reader *r, struct slice *line_r)
{
	if (!conn_has_line(r->conn) && imap_reader_flush(r) < 0)
		return IMAP_READ_END;
	conn_set_read_ms(r->conn, r->timeout_ms);
	return status_of(conn_line(r->conn, IMAP_LINE_MAX, line_r, NULL));
}

/* ---- literals ---- */

/* Digits, and UINT64_MAX for what is more: too much in any case. */
static bool
literal_number(struct scan *sc, uint64_t *n_r)
{
	struct slice digits;

	if (!scan_take(sc, scan_digit, &digits))
		return false;
	if (!slice_u64(digits, n_r))
		*n_r = UINT64_MAX;
	return true;
}

/*
 * Does the line end in "{123}" or "{123+}"? Then it is cut there and the
 * literal noted. RFC 9051, 9 literal. The "~" of a literal8 stays.
 */
static bool
announces_literal(struct imap_reader *r, struct slice *line)
{
	ssize_t brace;
	struct scan sc;
	uint64_t n;
	bool plus;

	if (line->n == 0 || line->p[line->n - 1] != '}')
		return false;
	brace = slice_rchr(*line, '{');
	if (brace < 0)
		return false;
	sc = scan_of(slice_skip(*line, (size_t)brace + 1));
	if (!literal_number(&sc, &n))
		return false;
	plus = scan_char(&sc, '+');
	if (!scan_lit(&sc, SLICE("}")) || !scan_end(&sc))
		return false;
	r->literal = true;
	r->literal_sync = !plus;
	r->literal_size = r->literal_left = n;
	line->n = (size_t)brace;
	return true;
}

uint64_t
imap_reader_literal_size(const struct imap_reader *r)
{
	return r->literal_size;
}

void
imap_reader_continue(struct imap_reader *r)
{
	if (r->literal_sync && imap_reader_flush(r) == 0)
		conn_writez(r->conn, "+ go on\r\n");
	r->literal_sync = false;
}

enum imap_read
imap_reader_literal(struct imap_reader *r, struct slice *piece_r)
{
	enum imap_read rc;

	*piece_r = SLICE_NULL;
	if (r->literal_left == 0) {
		r->literal = false;
		return IMAP_READ_OK;
	}
	if (conn_buffered(r->conn).n == 0) {
		if (imap_reader_flush(r) < 0)
			return IMAP_READ_END;
		conn_set_read_ms(r->conn, IMAP_LITERAL_READ_MS);
		rc = status_of(conn_fill(r->conn, 1));
		if (rc != IMAP_READ_OK)
			return rc;
	}
	*piece_r = conn_buffered(r->conn);
	if (piece_r->n > r->literal_left)
		piece_r->n = (size_t)r->literal_left;
	conn_consume(r->conn, piece_r->n);
	r->literal_left -= piece_r->n;
	return IMAP_READ_OK;
}

enum imap_read
imap_reader_rest(struct imap_reader *r, struct slice *line_r)
{
	enum imap_read rc = imap_reader_line(r, line_r);

	r->literal = false;
	if (rc == IMAP_READ_OK)
		announces_literal(r, line_r);
	return rc;
}

enum imap_read
imap_reader_skip(struct imap_reader *r)
{
	enum imap_read rc = IMAP_READ_OK;
	struct slice piece;

	while (r->literal && !r->literal_sync && rc == IMAP_READ_OK) {
		if (r->literal_left > IMAP_APPEND_MAX) {
			r->must_close = true;
			break;
		}
		while (r->literal && rc == IMAP_READ_OK)
			rc = imap_reader_literal(r, &piece);
		if (rc == IMAP_READ_OK)
			rc = imap_reader_rest(r, &piece);
	}
	r->literal = false;
	return rc;
}

/* ---- commands ---- */

/* Refuse the literal. If the client sends it unasked, what follows would be
 * taken for commands. */
static enum imap_read
too_big(struct imap_reader *r)
{
	r->must_close = !r->literal_sync;
	r->literal = false;
	return IMAP_READ_TOOBIG;
}

/* The literal behind the text so far, put into the text. */
static enum imap_read
take_literal(struct imap_reader *r, size_t *total)
{
	struct slice piece;
	enum imap_read rc;

	if (r->literal_size > IMAP_LITERAL_MAX)
		return too_big(r);
	*total += r->literal_size;
	if (*total > IMAP_LITERALS_MAX)
		return too_big(r);
	buf_addf(&r->text, "{%llu}\r\n", (unsigned long long)r->literal_size);
	imap_reader_continue(r);
	do {
		rc = imap_reader_literal(r, &piece);
		if (rc != IMAP_READ_OK)
			return rc;
		buf_add(&r->text, piece);
	} while (r->literal);
	return IMAP_READ_OK;
}

static enum imap_read
take_command(struct imap_reader *r)
{
	size_t total = 0, count = 0;
	enum imap_read rc;
	struct slice line;

	for (;;) {
		rc = imap_reader_rest(r, &line);
		if (rc != IMAP_READ_OK)
			return rc;
		buf_add(&r->text, line);
		if (!r->literal)
			return r->text.over ? IMAP_READ_TOOBIG : IMAP_READ_OK;
		if (r->streams && r->streams(buf_slice(&r->text)))
			return IMAP_READ_OK;
		if (++count > IMAP_LITERALS_COUNT || r->text.over)
			return too_big(r);
		rc = take_literal(r, &total);
		if (rc != IMAP_READ_OK)
			return rc;
		/* The rest of a command begun is not waited for long. */
		r->timeout_ms = IMAP_LITERAL_READ_MS;
	}
}

enum imap_read
imap_reader_command(struct imap_reader *r, struct slice *text_r)
{
	int first_ms = r->timeout_ms;
	enum imap_read rc;

	buf_reset(&r->text);
	rc = take_command(r);
	r->timeout_ms = first_ms;
	*text_r = buf_slice(&r->text);
	return rc;
}
