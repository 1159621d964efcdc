/* qp - quoted-printable. */
#include "text/qp.h"

#include <string.h>

static const char hex_upper[] = "0123456789ABCDEF";

/* ---- encode ---- */

/* RFC 2045, 6.7 (2) and (3): may stand for themselves inside a line. */
static const bool is_plain[256] = {
	[' '] = true,
	['\t'] = true,
	['!' ... '<'] = true,
	['>'] = true,
	['?' ... '~'] = true,
};

static void
add_encoded(struct buf *out, char c)
{
	unsigned char byte = (unsigned char)c;

	buf_add(out,
	    slice_of((char[]){ '=', hex_upper[byte >> 4],
			 hex_upper[byte & 15] },
		3));
}

/* At the begin of an output line, transports might change these. */
static bool
is_touchy(struct slice rest)
{
	return rest.p[0] == '.' || slice_starts(rest, SLICE("From "));
}

static bool
is_white(char c)
{
	return c == ' ' || c == '\t';
}

/* One line without its line break. */
static void
encode_line(struct buf *out, struct slice line)
{
	size_t column = 0;

	while (line.n > 0 && !out->over) {
		bool last = line.n == 1;
		bool plain = is_plain[(unsigned char)line.p[0]] &&
		    !(last && is_white(line.p[0])) &&
		    !(column == 0 && is_touchy(line));
		size_t n = 1, room = QP_LINE - 1 - column; /* soft break: = */

		if (room < (plain ? 1 : 3)) {
			buf_add(out, SLICE("=\r\n"));
			column = 0;
			continue;
		}
		if (!plain) {
			add_encoded(out, line.p[0]);
			column += 3;
		} else {
			while (n < room && n + 1 < line.n &&
			    is_plain[(unsigned char)line.p[n]])
				n++;
			buf_add(out, slice_head(line, n));
			column += n;
		}
		line = slice_skip(line, n);
	}
}

void
qp_encode(struct buf *out, struct slice text)
{
	while (text.n > 0 && !out->over) {
		struct slice line;
		bool ended = slice_chr(text, '\n') >= 0;

		slice_line(&text, &line);
		encode_line(out, line);
		if (ended)
			buf_add(out, SLICE("\r\n"));
	}
}

/* ---- decode ---- */

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f'))
		return (c & 7) + 9;
	return -1;
}

/* Text inside a line: nothing is special about its end. */
static void
decode_inner(struct qp_dec *d, struct slice s, struct buf *out)
{
	struct slice plain;

	while (slice_cut(s, '=', &plain, &s)) {
		int high = s.n < 2 ? -1 : hex_value(s.p[0]);
		int low = s.n < 2 ? -1 : hex_value(s.p[1]);

		buf_add(out, plain);
		if (high >= 0 && low >= 0) {
			buf_addc(out, (char)(high << 4 | low));
			s = slice_skip(s, 2);
		} else {
			buf_addc(out, '=');
			d->bad = true;
		}
	}
	buf_add(out, plain);
}

/* A line and the line break that ended it. */
static void
decode_line(struct qp_dec *d, struct slice line, struct slice end,
    struct buf *out)
{
	/* RFC 2045, 6.7 (3): white space here was added on the way. */
	while (line.n > 0 && is_white(line.p[line.n - 1]))
		line.n--;
	if (line.n > 0 && line.p[line.n - 1] == '=') {
		line.n--;
		end = SLICE_NULL;
	}
	decode_inner(d, line, out);
	buf_add(out, end);
}

/* Bytes at the end of a line not ended yet whose meaning is not clear: white
 * space, a soft break, a begun "=XX", CR. */
static size_t
unclear(struct slice line)
{
	size_t n = line.n;

	if (n >= 2 && line.p[n - 2] == '=' && hex_value(line.p[n - 1]) >= 0)
		return 2;
	if (n > 0 && line.p[n - 1] == '\r')
		n--;
	while (n > 0 && is_white(line.p[n - 1]))
		n--;
	if (n > 0 && line.p[n - 1] == '=')
		n--;
	return line.n - n;
}

/* All of s but the bytes at its end, whose number is returned, that need to
 * see what follows. */
static size_t
decode_lines(struct qp_dec *d, struct slice s, struct buf *out)
{
	ssize_t at;
	size_t left;

	while ((at = slice_chr(s, '\n')) >= 0) {
		size_t n = (size_t)at;
		bool cr = n > 0 && s.p[n - 1] == '\r';

		decode_line(d, slice_head(s, n - cr),
		    slice_of(s.p + n - cr, 1U + cr), out);
		s = slice_skip(s, n + 1);
	}
	left = unclear(s);
	decode_inner(d, slice_head(s, s.n - left), out);
	return left;
}

void
qp_dec_push(struct qp_dec *d, struct slice text, struct buf *out)
{
	size_t left;

	/* What was kept becomes clear within a few bytes. */
	while (d->n > 0 && text.n > 0) {
		d->kept[d->n++] = text.p[0];
		text = slice_skip(text, 1);
		left = decode_lines(d, slice_of(d->kept, d->n), out);
		memmove(d->kept, d->kept + d->n - left, left);
		d->n = (unsigned)left;
		if (left == sizeof(d->kept)) { /* no such line is meant */
			buf_add(out, slice_of(d->kept, left));
			d->n = 0;
		}
	}
	if (text.n == 0)
		return;
	left = decode_lines(d, text, out);
	text = slice_skip(text, text.n - left);
	if (left >= sizeof(d->kept)) {
		buf_add(out, text);
		return;
	}
	if (left > 0)
		memcpy(d->kept, text.p, left);
	d->n = (unsigned)left;
}

void
qp_dec_end(struct qp_dec *d, struct buf *out)
{
	decode_line(d, slice_of(d->kept, d->n), SLICE_NULL, out);
	d->n = 0;
}
