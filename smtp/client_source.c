/* client_source - the bytes of a message, on their way to a server. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "smtp/client_int.h"

#define PIECE (32 * 1024)

/* ---- pieces ---- */

/* A walk over a part of a source: a slice, or a file. */
struct walk {
	struct slice rest;
	int fd; /* -1: rest */
	uint64_t at, end;
	char *piece;
};

static struct walk
walk_prefix(const struct smtp_source *s)
{
	return (struct walk){ .rest = s->prefix, .fd = -1 };
}

static struct walk
walk_content(const struct smtp_source *s, char *piece)
{
	return (struct walk){ .rest = s->content,
		.fd = s->fd,
		.at = s->offset,
		.end = s->offset + s->size,
		.piece = piece };
}

/* The next piece; 1, 0 at the end, -1 with e. */
static int
walk_next(struct walk *w, struct slice *piece_r, struct err *e)
{
	size_t n = PIECE;
	ssize_t got;

	if (w->fd < 0) {
		*piece_r = slice_head(w->rest, PIECE);
		w->rest = slice_skip(w->rest, PIECE);
		return piece_r->n > 0;
	}
	if (w->at >= w->end)
		return 0;
	if (w->end - w->at < n)
		n = (size_t)(w->end - w->at);
	do
		got = pread(w->fd, w->piece, n, (off_t)w->at);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_sys(e, "read message");
	if (got == 0)
		return err_set(e, ERR_TEMP, "message is shorter than it was");
	w->at += (uint64_t)got;
	*piece_r = slice_of(w->piece, (size_t)got);
	return 1;
}

/* ---- what it is ---- */

struct count {
	uint64_t n, lf, cr, crlf;
	unsigned char bits; /* of all bytes */
	char last;
};

/* No branch on the bytes, so that the compiler counts many at once. */
static void
count_piece(struct count *c, struct slice s)
{
	size_t lf = 0, cr = 0, crlf = 0;
	unsigned char bits = 0;

	for (size_t i = 0; i < s.n; i++) {
		lf += s.p[i] == '\n';
		cr += s.p[i] == '\r';
		bits |= (unsigned char)s.p[i];
	}
	if (cr > 0)
		for (size_t i = 1; i < s.n; i++)
			crlf += s.p[i - 1] == '\r' && s.p[i] == '\n';
	if (s.n > 0 && c->last == '\r' && s.p[0] == '\n')
		crlf++;
	c->n += s.n;
	c->lf += lf;
	c->cr += cr;
	c->crlf += crlf;
	c->bits |= bits;
	if (s.n > 0)
		c->last = s.p[s.n - 1];
}

static int
count_walk(struct count *c, struct walk *w, struct err *e)
{
	struct slice piece;
	int rc;

	while ((rc = walk_next(w, &piece, e)) > 0)
		count_piece(c, piece);
	return rc;
}

static bool
is_bare(const struct count *c)
{
	return c->cr > 0 && (c->cr != c->crlf || c->lf != c->crlf);
}

static uint64_t
wire_size(const struct count *c)
{
	return c->cr > 0 ? c->n : c->n + c->lf;
}

int
smtp_source_scan(const struct smtp_source *source,
    struct smtp_source_facts *facts_r, struct err *e)
{
	char *piece = source->fd < 0 ? NULL : xmalloc(PIECE);
	struct walk prefix = walk_prefix(source);
	struct walk content = walk_content(source, piece);
	struct count a = { 0 }, b = { 0 };
	int rc;

	rc = count_walk(&a, &prefix, e);
	if (rc == 0)
		rc = count_walk(&b, &content, e);
	free(piece);
	*facts_r = (struct smtp_source_facts){
		.wire_size = wire_size(&a) + wire_size(&b),
		.bare = is_bare(&a) || is_bare(&b),
		.eightbit = ((a.bits | b.bits) & 0x80) != 0,
		.verbatim = b.cr > 0,
	};
	/* Binary content stays as it is. */
	if (!facts_r->bare && a.n + b.n > 0 &&
	    (b.n > 0 ? b.last : a.last) != '\n')
		facts_r->wire_size += 2;
	return rc;
}

/* ---- on its way ---- */

struct out {
	struct conn *conn;
	bool dots;     /* doubled at the start of a line */
	bool convert;  /* LF to CRLF */
	bool at_start; /* of a line */
	uint64_t n;    /* without added dots */
};

static void
put(struct out *o, struct slice s)
{
	log_trace(CLIENT_TOPIC, LOG_TRACEDATA, '>', s);
	conn_write(o->conn, s);
	o->n += s.n;
}

/* What is part of a line, or its end. */
static void
put_line(struct out *o, struct slice line)
{
	bool whole = line.p[line.n - 1] == '\n';

	if (o->dots && o->at_start && line.p[0] == '.')
		conn_write(o->conn, SLICE("."));
	o->at_start = whole;
	if (!o->convert || !whole) {
		put(o, line);
		return;
	}
	put(o, slice_head(line, line.n - 1));
	put(o, SLICE("\r\n"));
}

static int
put_walk(struct out *o, struct walk *w, struct err *e)
{
	struct slice piece;
	int rc;

	while ((rc = walk_next(w, &piece, e)) > 0) {
		if (!o->dots && !o->convert) {
			o->at_start = piece.p[piece.n - 1] == '\n';
			put(o, piece);
			continue;
		}
		while (piece.n > 0) {
			ssize_t lf = slice_chr(piece, '\n');
			size_t n = lf < 0 ? piece.n : (size_t)lf + 1;
			put_line(o, slice_head(piece, n));
			piece = slice_skip(piece, n);
		}
	}
	return rc;
}

int
client_write_source(struct smtp_client *c, const struct smtp_source *source,
    const struct smtp_source_facts *facts, bool dots, bool binary,
    struct err *e)
{
	char *piece = source->fd < 0 ? NULL : xmalloc(PIECE);
	struct walk prefix = walk_prefix(source);
	struct walk content = walk_content(source, piece);
	struct out o = { .conn = c->conn, .dots = dots, .at_start = true };
	int rc;

	o.convert = slice_chr(source->prefix, '\r') < 0;
	rc = put_walk(&o, &prefix, e);
	o.convert = !facts->verbatim;
	if (rc == 0)
		rc = put_walk(&o, &content, e);
	free(piece);
	if (rc < 0)
		return -1;
	if (!o.at_start && !binary)
		put(&o, SLICE("\r\n"));
	if (o.n != facts->wire_size)
		return err_set(e, ERR_TEMP,
		    "message changed while it was sent");
	if (dots)
		conn_writez(c->conn, ".\r\n");
	return 0;
}
