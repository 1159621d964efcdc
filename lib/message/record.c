/*
 * record - the flat form of what a pass over a message found out.
 *
 * Layout in README. Numbers are little-endian at any alignment; refs are
 * {offset from the start of the record, length}.
 */
#include "message/record_int.h"

#include <string.h>

#include "base/le.h"
#include "message/header.h"
#include "message/imapform.h"
#include "text/unicode.h"

#define PREVIEW 256 /* characters */

static const char magic[4] = { 'm', 'x', 'r', '1' }; /* with the version */

/* The head. */
enum {
	AT_MAGIC = 0,
	AT_SIZE = 4,
	AT_FLAGS = 8,
	AT_PARTS = 12,
	AT_WIRE = 16,
	AT_DATE = 24,
	AT_RECEIVED = 32,
	AT_FROMS = 36,
	AT_TEXTS = 40,
	HEAD = AT_TEXTS + 8 * MSGREC_TEXTS,
};

/* A part. */
enum {
	AT_PARENT = 0,
	AT_NUMBER = 4,
	AT_NEXT = 8,
	AT_KIND = 12,
	AT_ENCODING = 13,
	AT_ATTACHMENT = 14, /* and a byte of zero */
	AT_HEADER = 16,
	AT_BODY = 32,
	AT_END = 48,
	AT_TYPE = 64,
	AT_CHARSET = 72,
	PART = 80,
};

static struct slice
get_ref(struct slice record, const char *p)
{
	return slice_of(record.p + le_get32(p), le_get32(p + 4));
}

static struct msgrec_pos
get_pos(const char *p)
{
	return (struct msgrec_pos){ le_get64(p), le_get64(p + 8) };
}

static void
put_pos(char *p, struct msgrec_pos pos)
{
	le_put64(p, pos.off);
	le_put64(p + 8, pos.breaks);
}

/* ---- write ---- */

/* Append s behind the tables and put its ref at "at", both from start. */
static void
put_ref(struct buf *out, size_t start, size_t at, struct slice s)
{
	size_t off = out->n - start;

	buf_add(out, s);
	if (out->over)
		return;
	le_put32(out->p + start + at, (uint32_t)off);
	le_put32(out->p + start + at + 4, (uint32_t)s.n);
}

static void
put_part(char *p, const struct msgrec_part *part)
{
	le_put32(p + AT_PARENT, part->parent);
	le_put32(p + AT_NUMBER, part->number);
	le_put32(p + AT_NEXT, part->next);
	p[AT_KIND] = (char)part->kind;
	p[AT_ENCODING] = (char)part->encoding;
	p[AT_ATTACHMENT] = (char)part->attachment;
	put_pos(p + AT_HEADER, part->header);
	put_pos(p + AT_BODY, part->body);
	put_pos(p + AT_END, part->end);
}

void
msgrec_write(struct buf *out, const struct msgrec_draft *d)
{
	size_t start = out->n;
	size_t fixed = HEAD + (size_t)d->nparts * PART;
	char *p = buf_space(out, fixed);

	if (p == NULL)
		return;
	memset(p, 0, fixed);
	memcpy(p + AT_MAGIC, magic, sizeof(magic));
	le_put32(p + AT_FLAGS, d->flags);
	le_put32(p + AT_PARTS, d->nparts);
	le_put64(p + AT_WIRE, d->wire_size);
	le_put64(p + AT_DATE, (uint64_t)d->date);
	le_put32(p + AT_RECEIVED, d->received);
	le_put32(p + AT_FROMS, d->froms);
	for (uint32_t i = 0; i < d->nparts; i++)
		put_part(p + HEAD + (size_t)i * PART, &d->parts[i]);
	out->n += fixed;
	for (size_t i = 0; i < MSGREC_TEXTS; i++)
		put_ref(out, start, AT_TEXTS + 8 * i, d->texts[i]);
	for (size_t i = 0; i < d->nparts; i++) {
		put_ref(out, start, HEAD + i * PART + AT_TYPE,
		    d->parts[i].type);
		put_ref(out, start, HEAD + i * PART + AT_CHARSET,
		    d->parts[i].charset);
	}
	if (!out->over)
		le_put32(out->p + start + AT_SIZE, (uint32_t)(out->n - start));
}

/* ---- read ---- */

uint64_t
msgrec_wire_size(struct slice record)
{
	return le_get64(record.p + AT_WIRE);
}

unsigned
msgrec_flags(struct slice record)
{
	return le_get32(record.p + AT_FLAGS);
}

int64_t
msgrec_date(struct slice record)
{
	return (int64_t)le_get64(record.p + AT_DATE);
}

unsigned
msgrec_received(struct slice record)
{
	return le_get32(record.p + AT_RECEIVED);
}

unsigned
msgrec_froms(struct slice record)
{
	return le_get32(record.p + AT_FROMS);
}

struct slice
msgrec_text(struct slice record, enum msgrec_text which)
{
	return get_ref(record, record.p + AT_TEXTS + 8 * (size_t)which);
}

void
msgrec_body(struct slice record, struct buf *out)
{
	imapform_basic(msgrec_text(record, MSGREC_STRUCTURE), out);
}

bool
msgrec_structure(struct slice record, uint32_t i,
    const struct msgrec_decoded *decoded, struct buf *out)
{
	struct msgrec_part part;
	struct slice text;

	if (i >= msgrec_parts(record))
		return false;
	text = imapform_part(msgrec_text(record, MSGREC_STRUCTURE), i);
	if (text.n == 0)
		return false;
	msgrec_part(record, i, &part);
	if (decoded)
		return part.kind == MSGREC_LEAF &&
		    imapform_decoded(text, decoded->size, decoded->lines, out);
	buf_add(out, text);
	return true;
}

uint32_t
msgrec_parts(struct slice record)
{
	return le_get32(record.p + AT_PARTS);
}

void
msgrec_part(struct slice record, uint32_t i, struct msgrec_part *part_r)
{
	const char *p = record.p + HEAD + (size_t)i * PART;

	*part_r = (struct msgrec_part){
		.parent = le_get32(p + AT_PARENT),
		.number = le_get32(p + AT_NUMBER),
		.next = le_get32(p + AT_NEXT),
		.kind = (enum msgrec_kind)p[AT_KIND],
		.encoding = (enum msgrec_encoding)p[AT_ENCODING],
		.attachment = p[AT_ATTACHMENT] != 0,
		.header = get_pos(p + AT_HEADER),
		.body = get_pos(p + AT_BODY),
		.end = get_pos(p + AT_END),
		.type = get_ref(record, p + AT_TYPE),
		.charset = get_ref(record, p + AT_CHARSET),
	};
}

/* ---- check ---- */

static bool
ref_ok(struct slice record, const char *p)
{
	uint32_t off = le_get32(p), n = le_get32(p + 4);

	return off <= record.n && n <= record.n - off;
}

static bool
has_control(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return true;
	return false;
}

/* b is at or behind a, with no more line breaks than there is room for. */
static bool
in_order(struct msgrec_pos a, struct msgrec_pos b)
{
	return a.off <= b.off && a.breaks <= b.breaks &&
	    b.breaks - a.breaks <= b.off - a.off;
}

static bool
part_fields_ok(struct slice record, const char *p)
{
	return (unsigned char)p[AT_KIND] <= MSGREC_MESSAGE &&
	    (unsigned char)p[AT_ENCODING] <= MSGREC_ENCODING_OTHER &&
	    (unsigned char)p[AT_ATTACHMENT] <= 1 &&
	    ref_ok(record, p + AT_TYPE) && ref_ok(record, p + AT_CHARSET) &&
	    !has_control(get_ref(record, p + AT_TYPE)) &&
	    !has_control(get_ref(record, p + AT_CHARSET));
}

/*
 * The children of part i lie in its body, in order, one behind the other,
 * and fill the indexes up to its next. True for all parts makes it a tree.
 */
static bool
children_ok(struct slice record, uint32_t i, const struct msgrec_part *part)
{
	struct msgrec_pos from = part->body;
	struct msgrec_part child;
	uint32_t c, number = 0;

	for (c = i + 1; c < part->next; c = child.next) {
		msgrec_part(record, c, &child);
		if (child.parent != i || child.number != ++number ||
		    child.next <= c || child.next > part->next)
			return false;
		if (!in_order(from, child.header) ||
		    !in_order(child.header, child.body) ||
		    !in_order(child.body, child.end) ||
		    !in_order(child.end, part->end))
			return false;
		from = child.end;
	}
	switch (part->kind) {
	case MSGREC_LEAF:
		return number == 0;
	case MSGREC_MESSAGE:
		return number == 1;
	default:
		return number > 0;
	}
}

static bool
parts_ok(struct slice record)
{
	uint32_t n = msgrec_parts(record);
	unsigned char depth[MSGREC_PARTS_MAX]; /* of the first n */
	struct msgrec_part part;

	depth[0] = 0;
	for (uint32_t i = 0; i < n; i++)
		if (!part_fields_ok(record, record.p + HEAD + (size_t)i * PART))
			return false;
	msgrec_part(record, 0, &part);
	if (part.parent != MSGREC_NONE || part.number != 1 || part.next != n ||
	    part.header.off != 0 || part.header.breaks != 0 ||
	    part.end.off != msgrec_wire_size(record) ||
	    !in_order(part.header, part.body) || !in_order(part.body, part.end))
		return false;
	for (uint32_t i = 0; i < n; i++) {
		msgrec_part(record, i, &part);
		if (!children_ok(record, i, &part))
			return false;
		if (i > 0)
			depth[i] = depth[part.parent] + 1;
		if (depth[i] > MSGREC_DEPTH_MAX)
			return false;
	}
	return true;
}

/* Lines of text: UTF-8, no control but the LF between them. */
static bool
preview_ok(struct slice s)
{
	if (!unicode_valid(s) || unicode_count(s) > PREVIEW)
		return false;
	for (struct slice line; slice_next(&s, '\n', &line);)
		if (has_control(line))
			return false;
	return true;
}

static bool
text_ok(enum msgrec_text which, struct slice s)
{
	switch (which) {
	case MSGREC_ENVELOPE:
		return imapform_envelope_ok(s);
	case MSGREC_STRUCTURE:
		return imapform_structure_ok(s);
	case MSGREC_PREVIEW:
		return preview_ok(s);
	default:
		return !has_control(s) && unicode_valid(s);
	}
}

bool
msgrec_in_bounds(struct slice record)
{
	uint32_t n;
	int64_t date;

	if (record.n < HEAD || record.n > MSGREC_MAX ||
	    memcmp(record.p + AT_MAGIC, magic, sizeof(magic)) != 0 ||
	    le_get32(record.p + AT_SIZE) != record.n)
		return false;
	for (size_t i = 0; i < MSGREC_TEXTS; i++)
		if (!ref_ok(record, record.p + AT_TEXTS + 8 * i))
			return false;
	n = msgrec_parts(record);
	date = msgrec_date(record);
	return n >= 1 && n <= MSGREC_PARTS_MAX &&
	    (size_t)n * PART <= record.n - HEAD &&
	    (msgrec_flags(record) & ~(unsigned)MSGREC_FLAGS) == 0 &&
	    date >= MSGREC_DATE_MIN && date <= MSGREC_DATE_MAX &&
	    parts_ok(record);
}

bool
msgrec_check(struct slice record)
{
	if (!msgrec_in_bounds(record))
		return false;
	for (enum msgrec_text i = 0; i < MSGREC_TEXTS; i++)
		if (!text_ok(i, msgrec_text(record, i)))
			return false;
	return true;
}

/* ---- prefix ---- */

static void
shift(char *p, uint64_t off, uint64_t breaks)
{
	le_put64(p, le_get64(p) + off);
	le_put64(p + 8, le_get64(p + 8) + breaks);
}

/* Header lines that leave all texts as they are, and how many Received. */
static bool
prefix_ok(struct slice prefix, uint32_t *received_r, uint64_t *breaks_r)
{
	struct slice rest = prefix, line, name, value;

	*received_r = 0;
	for (*breaks_r = 0; slice_line(&rest, &line); ++*breaks_r) {
		if (*breaks_r > 0 && line.n > 0 &&
		    scan_wsp[(unsigned char)line.p[0]])
			continue;
		if (!header_split(line, &name, &value))
			return false;
		if (slice_isi(name, "Received"))
			++*received_r;
		else if (msgrec_field_matters(name))
			return false;
	}
	return slice_ends(prefix, SLICE("\r\n")) || prefix.n == 0;
}

bool
msgrec_prefix(struct slice record, struct slice prefix, struct buf *out)
{
	uint32_t received;
	uint64_t breaks;
	size_t start = out->n;
	char *p;

	if (!prefix_ok(prefix, &received, &breaks))
		return false;
	buf_add(out, record);
	if (out->over)
		return false;
	p = out->p + start;
	le_put64(p + AT_WIRE, le_get64(p + AT_WIRE) + prefix.n);
	le_put32(p + AT_RECEIVED, le_get32(p + AT_RECEIVED) + received);
	if (!unicode_is_ascii(prefix))
		le_put32(p + AT_FLAGS,
		    le_get32(p + AT_FLAGS) | MSGREC_8BIT_HEADER);
	for (uint32_t i = 0; i < msgrec_parts(record); i++) {
		char *part = p + HEAD + (size_t)i * PART;

		if (i > 0)
			shift(part + AT_HEADER, prefix.n, breaks);
		shift(part + AT_BODY, prefix.n, breaks);
		shift(part + AT_END, prefix.n, breaks);
	}
	return true;
}
