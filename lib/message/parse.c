/*
 * parse - the single pass over a message: bytes to lines.
 *
 * Lines of headers go to fields.c; of lines of bodies only those count that
 * begin with "--". Only the first LINE_HEAD bytes of a line are ever needed
 * at once: they are taken from the pushed piece, or gathered if the piece
 * ends before. So the result does not depend on the pieces.
 */
#include "message/parse.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "message/header.h"
#include "message/tree.h"

/* RFC 5322, 2.1.1, with the line end. A boundary with "--" before and behind
 * it fits. */
#define LINE_HEAD 1000

struct msgparse {
	enum msgparse_form form;
	struct tree tree;
	bool mid_line;
	bool in_boundary; /* the rest of a boundary line is to come */
	bool new_part;    /* and a part begins behind it */

	uint64_t off;    /* of the next byte, as pushed */
	uint64_t breaks; /* LF before it */
	bool after_cr;   /* the last byte was CR */
	char tail[2];    /* last bytes of the piece before */

	/* The line of which the head is being taken. */
	struct msgrec_pos line_pos;
	bool after_crlf; /* CRLF stands before it, not LF */
	size_t head_n;
	char head[LINE_HEAD];
};

/* ---- positions ---- */

static struct msgrec_pos
pos_now(const struct msgparse *p)
{
	bool lf = p->form == MSGPARSE_LF;

	return (struct msgrec_pos){ p->off + (lf ? p->breaks : 0), p->breaks };
}

/* Of the line break before the line; it belongs to the boundary in it. */
static struct msgrec_pos
pos_before_line(const struct msgparse *p)
{
	struct msgrec_pos pos = p->line_pos;

	if (pos.breaks == 0)
		return pos;
	pos.breaks--;
	pos.off -= p->after_crlf || p->form == MSGPARSE_LF ? 2 : 1;
	return pos;
}

/* 0x80 in each byte of w that is c. */
static uint64_t
bytes_equal(uint64_t w, unsigned char c)
{
	const uint64_t ones = 0x0101010101010101, low7 = 0x7f * ones;
	uint64_t x = w ^ c * ones;

	return ~(((x & low7) + low7) | x | low7);
}

struct noted {
	uint64_t any, nul, bare;
	uint64_t cr; /* 0x80 if the byte before was CR */
};

/* n bytes, 1 to 8, the first in the lowest byte of w. */
static void
note_word(struct noted *t, uint64_t w, unsigned n)
{
	uint64_t crs = bytes_equal(w, '\r');
	uint64_t used = ~UINT64_C(0) >> (64 - 8 * n);

	t->any |= w;
	t->nul |= bytes_equal(w, '\0') & used;
	/* A LF must stand exactly behind each CR. */
	t->bare |= (bytes_equal(w, '\n') ^ (crs << 8 | t->cr)) & used;
	t->cr = crs >> (8 * (n - 1)) & 0x80;
}

/* Which flags do these bytes ask for? */
static void
note_bytes(struct msgparse *p, struct slice s)
{
	bool in_main = p->tree.draft.nparts == 1 && p->tree.in_header;
	struct noted t = { .cr = p->after_cr ? 0x80 : 0 };
	uint64_t w = 0;

	for (; s.n >= 8; s.p += 8, s.n -= 8) {
		memcpy(&w, s.p, 8);
		note_word(&t, le64toh(w), 8);
	}
	if (s.n > 0) {
		w = 0;
		memcpy(&w, s.p, s.n);
		note_word(&t, le64toh(w), (unsigned)s.n);
	}
	p->after_cr = t.cr != 0;
	if (t.any & 0x8080808080808080)
		p->tree.draft.flags |=
		    in_main ? MSGREC_8BIT_HEADER : MSGREC_8BIT_BODY;
	if (t.nul != 0)
		p->tree.draft.flags |= MSGREC_NUL;
	if (t.bare != 0 && p->form == MSGPARSE_WIRE)
		p->tree.draft.flags |= MSGREC_BARE;
}

static void
advance(struct msgparse *p, struct slice s, uint64_t breaks)
{
	note_bytes(p, s);
	p->off += s.n;
	p->breaks += breaks;
}

/* ---- lines ---- */

static void
end_boundary(struct msgparse *p)
{
	p->in_boundary = false;
	if (p->new_part)
		tree_open(&p->tree, pos_now(p));
}

/*
 * Is the line at line_pos a boundary? Then everything up to it is closed
 * (RFC 2046, 5.1.2).
 */
static bool
take_boundary(struct msgparse *p, struct slice line)
{
	struct msgrec_pos end = pos_before_line(p);
	bool last;
	ssize_t i = tree_boundary(&p->tree, line, &last);

	if (i < 0)
		return false;
	while (p->tree.in_header)
		tree_end_header(&p->tree, end);
	tree_close(&p->tree, (size_t)i + 1, end);
	p->new_part = !last;
	p->in_boundary = true;
	if (!p->mid_line)
		end_boundary(p);
	return true;
}

static size_t
find_lf(struct slice s)
{
	const char *lf = s.n == 0 ? NULL : memchr(s.p, '\n', s.n);

	return lf == NULL ? 0 : (size_t)(lf - s.p) + 1;
}

static void
begin_line(struct msgparse *p, struct slice piece, struct slice s)
{
	size_t n = (size_t)(s.p - piece.p); /* pushed before s */

	p->line_pos = pos_now(p);
	p->after_crlf = (n >= 2 ? s.p[-2] : p->tail[n]) == '\r';
}

/*
 * The first LINE_HEAD bytes of a line, or all of it with its LF, when they
 * are there: true, and mid_line says whether more follows. s is the rest of
 * piece, and loses what was taken.
 */
static bool
take_head(struct msgparse *p, struct slice piece, struct slice *s,
    struct slice *line_r)
{
	size_t room = LINE_HEAD - p->head_n;
	size_t lf = find_lf(slice_head(*s, room));
	struct slice taken = slice_head(*s, lf > 0 ? lf : room);
	bool whole = lf > 0 || taken.n == room;

	if (p->head_n == 0)
		begin_line(p, piece, *s);
	if (p->head_n == 0 && whole)
		*line_r = taken;
	else {
		memcpy(p->head + p->head_n, taken.p, taken.n);
		p->head_n += taken.n;
		*line_r = slice_of(p->head, p->head_n);
	}
	advance(p, taken, lf > 0);
	*s = slice_skip(*s, taken.n);
	if (!whole)
		return false;
	p->head_n = 0;
	p->mid_line = lf == 0;
	return true;
}

/* A line, or its head. */
static void
take_line(struct msgparse *p, struct slice line)
{
	struct tree *t = &p->tree;

	if (take_boundary(p, line))
		return;
	if (!t->in_header)
		tree_body(t, line);
	else if (header_is_end(line))
		tree_end_header(t, pos_now(p));
	else if (scan_wsp[(unsigned char)line.p[0]])
		fields_more(&t->fields, line);
	else
		fields_start(&t->fields, line, t->mime_only);
}

/* At the begin of a line of a body. */
static bool
may_be_boundary(const struct msgparse *p, struct slice s)
{
	return tree_has_boundary(&p->tree) && s.p[0] == '-' &&
	    (s.n == 1 || s.p[1] == '-');
}

/* Body up to a line that may be a boundary. */
static void
take_body(struct msgparse *p, struct slice *s)
{
	struct slice rest = *s, taken = *s;
	uint64_t breaks = 0;

	while (rest.n > 0 && (p->mid_line || !may_be_boundary(p, rest))) {
		size_t lf = find_lf(rest);

		p->mid_line = lf == 0;
		breaks += lf > 0;
		rest = slice_skip(rest, lf > 0 ? lf : rest.n);
	}
	taken.n -= rest.n;
	advance(p, taken, breaks);
	tree_body(&p->tree, taken);
	*s = rest;
}

/* The rest of a line whose head was taken, in a header or of a boundary. */
static void
take_rest(struct msgparse *p, struct slice *s)
{
	size_t lf = find_lf(*s);
	struct slice taken = lf > 0 ? slice_head(*s, lf) : *s;

	if (p->tree.in_header)
		fields_more(&p->tree.fields, taken);
	advance(p, taken, lf > 0);
	*s = slice_skip(*s, taken.n);
	p->mid_line = lf == 0;
	if (p->in_boundary && !p->mid_line)
		end_boundary(p);
}

void
msgparse_push(struct msgparse *p, struct slice bytes)
{
	struct slice s = bytes, line;

	while (s.n > 0) {
		bool in_header = p->tree.in_header;

		if (p->mid_line && (in_header || p->in_boundary))
			take_rest(p, &s);
		else if (in_header || p->head_n > 0 ||
		    (!p->mid_line && may_be_boundary(p, s))) {
			if (take_head(p, bytes, &s, &line))
				take_line(p, line);
		} else
			take_body(p, &s);
	}
	if (bytes.n > 0) {
		p->tail[0] = bytes.n > 1 ? bytes.p[bytes.n - 2] : p->tail[1];
		p->tail[1] = bytes.p[bytes.n - 1];
	}
}

/* ---- begin and end ---- */

struct msgparse *
msgparse_new(const struct msgparse_opts *opts)
{
	struct msgparse *p = xcalloc(1, sizeof(*p));

	p->form = opts == NULL ? MSGPARSE_WIRE : opts->form;
	tree_init(&p->tree, opts != NULL && opts->no_preview);
	return p;
}

void
msgparse_free(struct msgparse **pp)
{
	if (*pp == NULL)
		return;
	tree_free(&(*pp)->tree);
	free(*pp);
	*pp = NULL;
}

void
msgparse_finish(struct msgparse *p, struct buf *record_r)
{
	struct slice line = slice_of(p->head, p->head_n);

	if (p->head_n > 0) {
		p->mid_line = false;
		take_line(p, line);
	}
	if (p->in_boundary)
		end_boundary(p);
	while (p->tree.in_header)
		tree_end_header(&p->tree, pos_now(p));
	tree_close(&p->tree, 0, pos_now(p));
	if (p->after_cr && p->form == MSGPARSE_WIRE)
		p->tree.draft.flags |= MSGREC_BARE;
	tree_write(&p->tree, pos_now(p).off, record_r);
}

void
msgparse_all(struct slice message, const struct msgparse_opts *opts,
    struct buf *record_r)
{
	struct msgparse *p = msgparse_new(opts);

	msgparse_push(p, message);
	msgparse_finish(p, record_r);
	msgparse_free(&p);
}
