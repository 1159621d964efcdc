/*
 * parse - the single pass over a message: bytes to lines, lines to parts.
 *
 * Lines of headers go to fields.c; of lines of bodies only those count that
 * begin with "--". Only the first LINE_HEAD bytes of a line are ever needed
 * at once: they are taken from the pushed piece, or gathered if the piece
 * ends before. So the result does not depend on the pieces.
 *
 * The parts that are open form a stack, the message at its bottom. A boundary
 * closes all parts above its multipart (RFC 2046, 5.1.2).
 */
#include "message/parse.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "message/describe.h"
#include "message/header.h"
#include "message/preview.h"

/* RFC 5322, 2.1.1, with the line end; the longest boundary fits by far (RFC
 * 2046, 5.1.1: 70 characters). */
#define LINE_HEAD    1000
#define BOUNDARY_MAX (LINE_HEAD - 6) /* "--" before and behind, CRLF */

/* Of all parts together; what does not fit becomes opaque. */
#define TEXT_MAX  (1536 * 1024)
#define PART_TEXT (512 * 1024) /* of one part */

#define ENVELOPE_MAX (1280 * 1024) /* six lists, four strings */

/* Every open multipart may still need a child. */
#define PARTS_MAX (MSGREC_PARTS_MAX - MSGREC_DEPTH_MAX - 1)

enum state {
	HEADER,
	BODY,
	BOUNDARY, /* the rest of a boundary line; then a part or epilogue */
};

struct part {
	struct msgrec_part rec;
	struct slice head, tail; /* of BODYSTRUCTURE (describe.h) */
	struct slice envelope;   /* of the root of a message in a part */
};

struct open {
	uint32_t part;
	uint32_t children;
	bool digest;      /* its parts are messages if they do not say */
	bool ended;       /* its last boundary was seen */
	size_t bound_off; /* boundary, in bounds */
	size_t bound_n;   /* 0: none */
};

struct msgparse {
	struct msgparse_opts opts;
	enum state state;
	bool mid_line;
	bool new_part;  /* in BOUNDARY: a part begins behind it */
	bool mime_only; /* in HEADER: of a part that is no message */

	uint64_t off;    /* of the next byte, as pushed */
	uint64_t breaks; /* LF before it */
	bool after_cr;   /* the last byte was CR */
	char tail[2];    /* last bytes of the piece before */

	/* The line of which the head is being taken. */
	struct msgrec_pos line_pos;
	bool after_crlf; /* CRLF stands before it, not LF */
	size_t head_n;
	char head[LINE_HEAD];

	struct fields fields;
	struct part *parts;
	size_t room;
	struct open stack[MSGREC_DEPTH_MAX + 1];
	size_t depth;
	struct buf bounds;

	struct preview *preview;
	uint32_t preview_part;
	struct buf preview_text;

	struct arena *keep; /* until the record is written */
	struct arena *tmp;  /* for one header */
	struct buf part_head, part_tail, envelope;
	struct msgrec_draft draft;
};

/* ---- positions ---- */

static struct msgrec_pos
pos_now(const struct msgparse *p)
{
	bool lf = p->opts.form == MSGPARSE_LF;

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
	pos.off -= p->after_crlf || p->opts.form == MSGPARSE_LF ? 2 : 1;
	return pos;
}

static struct msgrec_pos
later(struct msgrec_pos a, struct msgrec_pos b)
{
	return a.off > b.off ? a : b;
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
	bool in_main = p->draft.nparts == 1 && p->state == HEADER;
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
		p->draft.flags |= in_main ? MSGREC_8BIT_HEADER :
					    MSGREC_8BIT_BODY;
	if (t.nul != 0)
		p->draft.flags |= MSGREC_NUL;
	if (t.bare != 0 && p->opts.form == MSGPARSE_WIRE)
		p->draft.flags |= MSGREC_BARE;
}

static void
advance(struct msgparse *p, struct slice s, uint64_t breaks)
{
	note_bytes(p, s);
	p->off += s.n;
	p->breaks += breaks;
}

/* ---- parts ---- */

static struct open *
top(struct msgparse *p)
{
	return &p->stack[p->depth - 1];
}

static struct part *
add_part(struct msgparse *p, struct open *parent, struct msgrec_pos pos)
{
	struct part *part;

	if (p->draft.nparts == p->room) {
		p->room = p->room == 0 ? 8 : p->room * 2;
		p->parts = xreallocarray(p->parts, p->room, sizeof(*p->parts));
	}
	part = &p->parts[p->draft.nparts++];
	*part = (struct part){ .rec = {
		.parent = parent == NULL ? MSGREC_NONE : parent->part,
		.number = parent == NULL ? 1 : ++parent->children,
		.header = pos,
		.body = pos,
		.end = pos,
	} };
	return part;
}

static void
open_part(struct msgparse *p, struct msgrec_pos pos)
{
	struct open *parent = p->depth == 0 ? NULL : top(p);

	p->stack[p->depth] = (struct open){ .part = p->draft.nparts };
	p->mime_only = parent != NULL &&
	    p->parts[parent->part].rec.kind != MSGREC_MESSAGE;
	add_part(p, parent, pos);
	p->depth++;
	p->state = HEADER;
	fields_reset(&p->fields);
}

/*
 * BODYSTRUCTURE wants a part in each multipart (RFC 9051, 9: body-type-mpart),
 * so one without gets an empty text, which can then also be fetched.
 */
static void
add_empty(struct msgparse *p, struct open *parent, struct msgrec_pos pos)
{
	struct part *part = add_part(p, parent, pos);

	part->head = SLICE(DESCRIBE_EMPTY_HEAD);
	part->tail = SLICE(DESCRIBE_NO_TAIL);
	part->rec.type = SLICE("text/plain");
	part->rec.next = p->draft.nparts;
}

static void
end_preview(struct msgparse *p)
{
	preview_end(&p->preview, &p->preview_text);
}

/* Close parts until depth are open. No part ends before what is in it. */
static void
close_parts(struct msgparse *p, size_t depth, struct msgrec_pos end)
{
	while (p->depth > depth) {
		struct open *open = top(p);
		struct part *part = &p->parts[open->part];

		part->rec.end = end = later(end, part->rec.body);
		if (p->preview != NULL && p->preview_part == open->part)
			end_preview(p);
		if (part->rec.kind == MSGREC_MULTIPART && open->children == 0)
			add_empty(p, open, end);
		p->parts[open->part].rec.next = p->draft.nparts;
		buf_cut(&p->bounds, p->bounds.n - open->bound_n);
		p->depth--;
	}
}

/* ---- end of a header ---- */

/* The first text that is no attachment (store.md, Preview). */
static bool
wants_preview(const struct msgparse *p, const struct mime *mime)
{
	if (p->opts.no_preview || p->preview != NULL ||
	    p->preview_text.n > 0 || mime->attachment ||
	    (!slice_is(mime->type, "text/plain") &&
		!slice_is(mime->type, "text/html")))
		return false;
	for (size_t i = 0; i + 1 < p->depth; i++) {
		const struct msgrec_part *part =
		    &p->parts[p->stack[i].part].rec;

		if (part->kind == MSGREC_MESSAGE ||
		    slice_is(part->type, "multipart/encrypted") ||
		    (slice_is(part->type, "multipart/signed") &&
			p->stack[i].children > 1))
			return false;
	}
	return true;
}

static bool
is_container(const struct mime *mime)
{
	return mime->kind != MSGREC_LEAF;
}

static void
make_opaque(struct msgparse *p, struct part *part, struct mime *mime)
{
	p->draft.flags |= MSGREC_CUT;
	mime->kind = MSGREC_LEAF;
	mime->type = SLICE("application/octet-stream");
	mime->charset = SLICE_NULL;
	part->head = SLICE(DESCRIBE_OPAQUE_HEAD);
	part->tail = SLICE(DESCRIBE_NO_TAIL);
}

/* Set what the fields say of the part on top. */
static void
describe_part(struct msgparse *p, struct part *part, struct mime *mime)
{
	bool digest = p->depth > 1 && p->stack[p->depth - 2].digest;
	struct buf *head = &p->part_head, *tail = &p->part_tail;

	buf_reset(head);
	buf_reset(tail);
	describe_mime(p->tmp, &p->fields, digest, mime, head, tail);
	if (head->over || tail->over ||
	    arena_used(p->keep) + head->n + tail->n > TEXT_MAX ||
	    (is_container(mime) &&
		(p->depth > MSGREC_DEPTH_MAX || p->draft.nparts >= PARTS_MAX)))
		make_opaque(p, part, mime);
	else {
		part->head = arena_dup(p->keep, buf_slice(head));
		part->tail = arena_dup(p->keep, buf_slice(tail));
		mime->type = arena_dup(p->keep, mime->type);
		mime->charset = arena_dup(p->keep, mime->charset);
	}
	part->rec.kind = mime->kind;
	part->rec.encoding = mime->encoding;
	part->rec.attachment = mime->attachment;
	part->rec.type = mime->type;
	part->rec.charset = mime->charset;
	if (mime->attachment)
		p->draft.flags |= MSGREC_ATTACHMENT;
}

static void
describe_message(struct msgparse *p, struct part *part)
{
	struct buf *b = &p->envelope;

	buf_reset(b);
	describe_envelope(p->tmp, &p->fields, b);
	if (b->over || arena_used(p->keep) + b->n > TEXT_MAX) {
		p->draft.flags |= MSGREC_CUT;
		part->envelope = SLICE(DESCRIBE_NO_ENVELOPE);
	} else
		part->envelope = arena_dup(p->keep, buf_slice(b));
	if (part->rec.parent == MSGREC_NONE)
		describe_main(p->keep, p->tmp, &p->fields, &p->draft);
}

static void
set_boundary(struct msgparse *p, const struct mime *mime)
{
	struct slice boundary = mime->boundary;

	/* It never ends in a space (RFC 2046, 5.1.1). */
	while (boundary.n > 0 && boundary.p[boundary.n - 1] == ' ')
		boundary.n--;
	if (boundary.n > BOUNDARY_MAX)
		boundary.n = 0;
	top(p)->digest = slice_is(mime->type, "multipart/digest");
	top(p)->bound_off = p->bounds.n;
	top(p)->bound_n = boundary.n;
	buf_add(&p->bounds, boundary);
}

/* The body of the part on top begins at pos. */
static void
end_header(struct msgparse *p, struct msgrec_pos pos)
{
	struct part *part = &p->parts[top(p)->part];
	struct mime mime;

	part->rec.body = later(pos, part->rec.header);
	describe_part(p, part, &mime);
	if (!p->mime_only)
		describe_message(p, part);
	if (part->rec.parent == MSGREC_NONE && mime.dsn)
		p->draft.flags |= MSGREC_DSN;
	p->state = BODY;
	if (mime.kind == MSGREC_MULTIPART)
		set_boundary(p, &mime);
	else if (mime.kind == MSGREC_MESSAGE)
		open_part(p, part->rec.body);
	else if (wants_preview(p, &mime)) {
		p->preview = preview_new(slice_is(mime.type, "text/html"),
		    mime.encoding, mime.charset);
		p->preview_part = top(p)->part;
	}
	arena_reset(p->tmp);
}

/* ---- boundaries ---- */

/*
 * The open multipart whose boundary begins the line; the longest one, and of
 * equal ones the innermost, since some are prefixes of others. -1: none.
 */
static ssize_t
find_boundary(const struct msgparse *p, struct slice line)
{
	ssize_t best = -1;

	if (!slice_starts(line, SLICE("--")))
		return -1;
	line = slice_skip(line, 2);
	for (size_t i = p->depth; i-- > 0;) {
		const struct open *open = &p->stack[i];
		size_t n = open->bound_n;

		if (n > 0 && n <= line.n &&
		    (best < 0 || n > p->stack[best].bound_n) &&
		    memcmp(p->bounds.p + open->bound_off, line.p, n) == 0)
			best = (ssize_t)i;
	}
	return best;
}

static void
end_boundary(struct msgparse *p)
{
	p->state = BODY;
	if (p->new_part)
		open_part(p, pos_now(p));
}

/* Is the line at line_pos a boundary? Then everything up to it is closed. */
static bool
take_boundary(struct msgparse *p, struct slice line)
{
	ssize_t i = find_boundary(p, line);
	struct msgrec_pos end;
	bool last;

	if (i < 0 || p->stack[i].ended)
		return false;
	last = slice_starts(slice_skip(line, 2 + p->stack[i].bound_n),
	    SLICE("--"));
	if (!last && p->draft.nparts >= PARTS_MAX) {
		p->draft.flags |= MSGREC_CUT;
		return false;
	}
	end = pos_before_line(p);
	while (p->state == HEADER) /* that of a message opens another */
		end_header(p, end);
	close_parts(p, (size_t)i + 1, end);
	p->stack[i].ended = last;
	p->new_part = !last;
	p->state = BOUNDARY;
	if (!p->mid_line)
		end_boundary(p);
	return true;
}

/* ---- lines ---- */

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

static void
header_line(struct msgparse *p, struct slice line)
{
	if (take_boundary(p, line))
		return;
	if (header_is_end(line))
		end_header(p, pos_now(p));
	else if (scan_wsp[(unsigned char)line.p[0]])
		fields_more(&p->fields, line);
	else
		fields_start(&p->fields, line, p->mime_only);
}

static void
body_bytes(struct msgparse *p, struct slice s)
{
	if (p->preview == NULL || p->preview_part != top(p)->part)
		return;
	if (!preview_push(p->preview, s))
		end_preview(p);
}

static void
body_line(struct msgparse *p, struct slice line)
{
	if (!take_boundary(p, line))
		body_bytes(p, line);
}

static bool
may_be_boundary(const struct msgparse *p, struct slice s)
{
	return p->bounds.n > 0 && s.p[0] == '-' && (s.n == 1 || s.p[1] == '-');
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
	body_bytes(p, taken);
	*s = rest;
}

/* The rest of a line whose head was taken, in a header or of a boundary. */
static void
take_rest(struct msgparse *p, struct slice *s)
{
	size_t lf = find_lf(*s);
	struct slice taken = lf > 0 ? slice_head(*s, lf) : *s;

	if (p->state == HEADER)
		fields_more(&p->fields, taken);
	advance(p, taken, lf > 0);
	*s = slice_skip(*s, taken.n);
	p->mid_line = lf == 0;
	if (p->state == BOUNDARY && !p->mid_line)
		end_boundary(p);
}

void
msgparse_push(struct msgparse *p, struct slice bytes)
{
	struct slice s = bytes, line;

	while (s.n > 0) {
		if (p->mid_line && p->state != BODY)
			take_rest(p, &s);
		else if (p->state == HEADER) {
			if (take_head(p, bytes, &s, &line))
				header_line(p, line);
		} else if (p->head_n > 0 ||
		    (!p->mid_line && may_be_boundary(p, s))) {
			if (take_head(p, bytes, &s, &line))
				body_line(p, line);
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
	struct msgparse *p = xmalloc(sizeof(*p));

	memset(p, 0, sizeof(*p));
	if (opts != NULL)
		p->opts = *opts;
	fields_init(&p->fields);
	p->bounds = (struct buf)BUF_INIT(MSGREC_DEPTH_MAX * BOUNDARY_MAX);
	p->preview_text = (struct buf)BUF_INIT(4 * PREVIEW_MAX);
	p->part_head = p->part_tail = (struct buf)BUF_INIT(PART_TEXT);
	p->envelope = (struct buf)BUF_INIT(ENVELOPE_MAX);
	p->keep = arena_new(0);
	p->tmp = arena_new(0);
	open_part(p, pos_now(p));
	return p;
}

void
msgparse_free(struct msgparse **pp)
{
	struct msgparse *p = *pp;

	if (p == NULL)
		return;
	fields_free(&p->fields);
	free(p->parts);
	free(p->draft.parts);
	buf_free(&p->bounds);
	end_preview(p);
	buf_free(&p->preview_text);
	buf_free(&p->part_head);
	buf_free(&p->part_tail);
	buf_free(&p->envelope);
	arena_free(&p->keep);
	arena_free(&p->tmp);
	free(p);
	*pp = NULL;
}

/* BODYSTRUCTURE of part i; no deeper than MSGREC_DEPTH_MAX. */
static void
add_structure(const struct msgparse *p, uint32_t i, struct buf *out)
{
	const struct part *part = &p->parts[i];
	const struct msgrec_part *rec = &part->rec;
	uint64_t lines = rec->end.breaks - rec->body.breaks;

	buf_addc(out, '(');
	if (rec->kind == MSGREC_MULTIPART)
		for (uint32_t c = i + 1; c < rec->next;
		     c = p->parts[c].rec.next)
			add_structure(p, c, out);
	if (rec->kind == MSGREC_MULTIPART)
		buf_addc(out, ' ');
	buf_add(out, part->head);
	if (rec->kind != MSGREC_MULTIPART) {
		buf_addc(out, ' ');
		buf_addu(out, rec->end.off - rec->body.off);
	}
	if (rec->kind == MSGREC_MESSAGE) {
		buf_addc(out, ' ');
		buf_add(out, p->parts[i + 1].envelope);
		buf_addc(out, ' ');
		add_structure(p, i + 1, out);
	}
	if (rec->kind == MSGREC_MESSAGE ||
	    slice_starts(rec->type, SLICE("text/"))) {
		buf_addc(out, ' ');
		buf_addu(out, lines);
	}
	buf_addc(out, ' ');
	buf_add(out, part->tail);
	buf_addc(out, ')');
}

static void
write_record(struct msgparse *p, struct buf *record_r)
{
	struct msgrec_draft *d = &p->draft;
	struct buf structure = BUF_INIT(MSGREC_MAX);

	add_structure(p, 0, &structure);
	if (p->after_cr && p->opts.form == MSGPARSE_WIRE)
		d->flags |= MSGREC_BARE;
	d->wire_size = pos_now(p).off;
	d->texts[MSGREC_ENVELOPE] = p->parts[0].envelope;
	d->texts[MSGREC_STRUCTURE] = buf_slice(&structure);
	d->texts[MSGREC_PREVIEW] = buf_slice(&p->preview_text);
	d->parts = xreallocarray(NULL, d->nparts, sizeof(*d->parts));
	for (uint32_t i = 0; i < d->nparts; i++)
		d->parts[i] = p->parts[i].rec;
	msgrec_write(record_r, d);
	buf_free(&structure);
}

void
msgparse_finish(struct msgparse *p, struct buf *record_r)
{
	struct slice line = slice_of(p->head, p->head_n);

	if (p->head_n > 0) {
		p->mid_line = false;
		if (p->state == HEADER)
			header_line(p, line);
		else
			body_line(p, line);
	}
	if (p->state == BOUNDARY)
		end_boundary(p);
	while (p->state == HEADER)
		end_header(p, pos_now(p));
	close_parts(p, 0, pos_now(p));
	write_record(p, record_r);
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
