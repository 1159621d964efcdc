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
	r->text = (struct buf)BUF_INIT(IMAP_LITERALS_MAX +
	    (IMAP_LITERALS_COUNT + 1) * (IMAP_LINE_MAX + 4));
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
imap_reader_buffered(const struct imap_reader *r)
{
	return conn_buffered(r->conn).n > 0;
}

int
imap_reader_write(struct imap_reader *r, struct slice s)
{
	conn_write(r->conn, s);
	return conn_flush(r->conn) == CONN_OK ? 0 : -1;
}

int
imap_reader_wait(struct imap_reader *r, int fd, int timeout_ms)
{
	struct pollfd p[2] = {
		{ .fd = conn_read_fd(r->conn), .events = POLLIN },
		{ .fd = fd, .events = POLLIN },
	};
	int n;

	if (imap_reader_buffered(r))
		return IMAP_WAIT_INPUT;
	n = poll(p, 2, timeout_ms);
	if (n < 0)
		return errno == EINTR ? 0 : -1;
	return (p[0].revents ? IMAP_WAIT_INPUT : 0) |
	    (p[1].revents ? IMAP_WAIT_FD : 0);
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
	conn_set_read_ms(r->conn, r->timeout_ms);
	return status_of(conn_line(r->conn, IMAP_LINE_MAX, line_r, NULL));
}

/* ---- literals ---- */

/*
 * Does the line end in "{123}", "{123+}" or "~{123}"? Then it is cut there and
 * the literal noted. RFC 9051, 9 literal.
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
	if (!scan_u64(&sc, &n))
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

bool
imap_reader_has_literal(const struct imap_reader *r)
{
	return r->literal;
}

uint64_t
imap_reader_literal_size(const struct imap_reader *r)
{
	return r->literal_size;
}

void
imap_reader_continue(struct imap_reader *r)
{
	if (r->literal_sync)
		imap_reader_write(r, SLICE("+ go on\r\n"));
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
	if (!imap_reader_buffered(r)) {
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

void
imap_reader_drop_literal(struct imap_reader *r)
{
	if (r->literal && !r->literal_sync)
		r->must_close = true;
	r->literal = false;
}

/* ---- commands ---- */

/* The literal behind the text so far, put into the text. */
static enum imap_read
take_literal(struct imap_reader *r, size_t *total)
{
	struct slice piece;
	enum imap_read rc;

	*total += r->literal_size;
	if (r->literal_size > IMAP_LITERAL_MAX || *total > IMAP_LITERALS_MAX) {
		imap_reader_drop_literal(r);
		return IMAP_READ_TOOBIG;
	}
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

enum imap_read
imap_reader_command(struct imap_reader *r, struct slice *text_r)
{
	size_t total = 0, count = 0;
	int first_ms = r->timeout_ms;
	struct slice line;
	enum imap_read rc;

	buf_reset(&r->text);
	r->literal = false;
	*text_r = SLICE_NULL;
	for (;;) {
		rc = imap_reader_line(r, &line);
		if (rc != IMAP_READ_OK)
			break;
		if (!announces_literal(r, &line)) {
			buf_add(&r->text, line);
			break;
		}
		/* "~" belongs to the literal. */
		if (line.n && line.p[line.n - 1] == '~')
			line.n--;
		buf_add(&r->text, line);
		if (r->streams && r->streams(buf_slice(&r->text)))
			break;
		if (++count > IMAP_LITERALS_COUNT) {
			imap_reader_drop_literal(r);
			rc = IMAP_READ_TOOBIG;
			break;
		}
		rc = take_literal(r, &total);
		if (rc != IMAP_READ_OK)
			break;
		/* The rest of a command begun is not waited for long. */
		r->timeout_ms = IMAP_LITERAL_READ_MS;
	}
	r->timeout_ms = first_ms;
	*text_r = buf_slice(&r->text);
	return rc;
}
