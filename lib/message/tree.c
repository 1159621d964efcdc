/*
 * tree - the parts of a message while it is parsed.
 *
 * Limits are kept here: what would pass one is not taken apart, but stands in
 * the record as one opaque part, so that offsets stay right.
 */
#include "message/tree.h"

#include <stdlib.h>
#include <string.h>

#include "message/describe.h"

/* Of all parts together; what does not fit becomes opaque. */
#define TEXT_MAX (1536 * 1024)
#define PART_TEXT (512 * 1024) /* of one part */

#define ENVELOPE_MAX (1280 * 1024) /* six lists, four strings */

/* Every open multipart may still need a child. */
#define PARTS_MAX (MSGREC_PARTS_MAX - MSGREC_DEPTH_MAX - 1)

/* ---- parts ---- */

static struct open *
top(struct tree *t)
{
	return &t->stack[t->depth - 1];
}

static struct part *
add_part(struct tree *t, struct open *parent, struct msgrec_pos pos)
{
	struct part *part;

	if (t->draft.nparts == t->room) {
		t->room = t->room == 0 ? 8 : t->room * 2;
		t->parts = xreallocarray(t->parts, t->room, sizeof(*t->parts));
	}
	part = &t->parts[t->draft.nparts++];
	*part = (struct part){ .rec.parent = MSGREC_NONE, .rec.number = 1 };
	part->rec.header = part->rec.body = part->rec.end = pos;
	if (parent != NULL) {
		part->rec.parent = parent->part;
		part->rec.number = ++parent->children;
	}
	return part;
}

void
tree_open(struct tree *t, struct msgrec_pos pos)
{
	struct open *parent = t->depth == 0 ? NULL : top(t);

	t->stack[t->depth] = (struct open){ .part = t->draft.nparts };
	t->mime_only =
	    parent != NULL && t->parts[parent->part].rec.kind != MSGREC_MESSAGE;
	add_part(t, parent, pos);
	t->depth++;
	t->in_header = true;
	fields_reset(&t->fields);
}

/*
 * BODYSTRUCTURE wants a part in each multipart (RFC 9051, 9: body-type-mpart),
 * so one without gets an empty text, which can then also be fetched.
 */
static void
add_empty(struct tree *t, struct open *parent, struct msgrec_pos pos)
{
	struct part *part = add_part(t, parent, pos);

	part->head = SLICE(DESCRIBE_EMPTY_HEAD);
	part->tail = SLICE(DESCRIBE_NO_TAIL);
	part->rec.type = SLICE("text/plain");
	part->rec.next = t->draft.nparts;
}

static struct msgrec_pos
later(struct msgrec_pos a, struct msgrec_pos b)
{
	return a.off > b.off ? a : b;
}

static void
end_preview(struct tree *t)
{
	preview_end(&t->preview, &t->preview_text);
}

void
tree_close(struct tree *t, size_t depth, struct msgrec_pos end)
{
	while (t->depth > depth) {
		struct open *open = top(t);
		struct part *part = &t->parts[open->part];

		part->rec.end = end = later(end, part->rec.body);
		if (t->preview != NULL && t->preview_part == open->part)
			end_preview(t);
		if (part->rec.kind == MSGREC_MULTIPART && open->children == 0)
			add_empty(t, open, end);
		t->parts[open->part].rec.next = t->draft.nparts;
		buf_cut(&t->bounds, t->bounds.n - open->bound_n);
		t->depth--;
	}
}

/* ---- end of a header ---- */

/* The first text that is no attachment. */
static bool
wants_preview(const struct tree *t, const struct mime *mime)
{
	if (t->no_preview || t->preview != NULL || t->preview_text.n > 0 ||
	    mime->attachment ||
	    (!slice_is(mime->type, "text/plain") &&
		!slice_is(mime->type, "text/html")))
		return false;
	for (size_t i = 0; i + 1 < t->depth; i++) {
		const struct msgrec_part *part =
		    &t->parts[t->stack[i].part].rec;

		if (part->kind == MSGREC_MESSAGE ||
		    slice_is(part->type, "multipart/encrypted") ||
		    (slice_is(part->type, "multipart/signed") &&
			t->stack[i].children > 1))
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
make_opaque(struct tree *t, struct part *part, struct mime *mime)
{
	t->draft.flags |= MSGREC_CUT;
	mime->kind = MSGREC_LEAF;
	mime->type = SLICE("application/octet-stream");
	mime->charset = SLICE_NULL;
	part->head = SLICE(DESCRIBE_OPAQUE_HEAD);
	part->tail = SLICE(DESCRIBE_NO_TAIL);
}

/* Set what the fields say of the part on top. */
static void
describe_part(struct tree *t, struct part *part, struct mime *mime)
{
	bool digest = t->depth > 1 && t->stack[t->depth - 2].digest;
	struct buf *head = &t->head, *tail = &t->tail;

	buf_reset(head);
	buf_reset(tail);
	describe_mime(t->tmp, &t->fields, digest, mime, head, tail);
	if (head->over || tail->over ||
	    arena_used(t->keep) + head->n + tail->n > TEXT_MAX ||
	    (is_container(mime) &&
		(t->depth > MSGREC_DEPTH_MAX || t->draft.nparts >= PARTS_MAX)))
		make_opaque(t, part, mime);
	else {
		part->head = arena_dup(t->keep, buf_slice(head));
		part->tail = arena_dup(t->keep, buf_slice(tail));
		mime->type = arena_dup(t->keep, mime->type);
		mime->charset = arena_dup(t->keep, mime->charset);
	}
	part->rec.kind = mime->kind;
	part->rec.encoding = mime->encoding;
	part->rec.attachment = mime->attachment;
	part->rec.type = mime->type;
	part->rec.charset = mime->charset;
	if (mime->attachment)
		t->draft.flags |= MSGREC_ATTACHMENT;
}

static void
describe_message(struct tree *t, struct part *part)
{
	struct buf *b = &t->envelope;

	buf_reset(b);
	describe_envelope(t->tmp, &t->fields, b);
	if (b->over || arena_used(t->keep) + b->n > TEXT_MAX) {
		t->draft.flags |= MSGREC_CUT;
		part->envelope = SLICE(DESCRIBE_NO_ENVELOPE);
	} else
		part->envelope = arena_dup(t->keep, buf_slice(b));
	if (part->rec.parent == MSGREC_NONE)
		describe_main(t->keep, t->tmp, &t->fields, &t->draft);
}

static void
set_boundary(struct tree *t, const struct mime *mime)
{
	struct slice boundary = mime->boundary;

	/* It never ends in a space (RFC 2046, 5.1.1). */
	while (boundary.n > 0 && boundary.p[boundary.n - 1] == ' ')
		boundary.n--;
	if (boundary.n > TREE_BOUNDARY_MAX)
		boundary.n = 0;
	top(t)->digest = slice_is(mime->type, "multipart/digest");
	top(t)->bound_off = t->bounds.n;
	top(t)->bound_n = boundary.n;
	buf_add(&t->bounds, boundary);
}

void
tree_end_header(struct tree *t, struct msgrec_pos pos)
{
	struct part *part = &t->parts[top(t)->part];
	struct mime mime;

	part->rec.body = later(pos, part->rec.header);
	describe_part(t, part, &mime);
	if (!t->mime_only)
		describe_message(t, part);
	if (part->rec.parent == MSGREC_NONE && mime.dsn)
		t->draft.flags |= MSGREC_DSN;
	t->in_header = false;
	if (mime.kind == MSGREC_MULTIPART)
		set_boundary(t, &mime);
	else if (mime.kind == MSGREC_MESSAGE)
		tree_open(t, part->rec.body);
	else if (wants_preview(t, &mime)) {
		t->preview = preview_new(slice_is(mime.type, "text/html"),
		    mime.encoding, mime.charset);
		t->preview_part = top(t)->part;
	}
	arena_reset(t->tmp);
}

/* ---- boundaries ---- */

/*
 * The open multipart whose boundary begins the line; the longest one, and of
 * equal ones the innermost, since some are prefixes of others. -1: none.
 */
static ssize_t
find_boundary(const struct tree *t, struct slice line)
{
	ssize_t best = -1;

	if (!slice_starts(line, SLICE("--")))
		return -1;
	line = slice_skip(line, 2);
	for (size_t i = t->depth; i-- > 0;) {
		const struct open *open = &t->stack[i];
		size_t n = open->bound_n;

		if (n > 0 && n <= line.n &&
		    (best < 0 || n > t->stack[best].bound_n) &&
		    memcmp(t->bounds.p + open->bound_off, line.p, n) == 0)
			best = (ssize_t)i;
	}
	return best;
}

bool
tree_has_boundary(const struct tree *t)
{
	return t->bounds.n > 0;
}

ssize_t
tree_boundary(struct tree *t, struct slice line, bool *last_r)
{
	ssize_t i = find_boundary(t, line);

	if (i < 0 || t->stack[i].ended)
		return -1;
	*last_r = slice_starts(slice_skip(line, 2 + t->stack[i].bound_n),
	    SLICE("--"));
	if (!*last_r && t->draft.nparts >= PARTS_MAX) {
		t->draft.flags |= MSGREC_CUT;
		return -1;
	}
	t->stack[i].ended = *last_r;
	return i;
}

void
tree_body(struct tree *t, struct slice bytes)
{
	if (t->preview == NULL || t->preview_part != top(t)->part)
		return;
	if (!preview_push(t->preview, bytes))
		end_preview(t);
}

/* ---- begin and end ---- */

void
tree_init(struct tree *t, bool no_preview)
{
	memset(t, 0, sizeof(*t));
	t->no_preview = no_preview;
	fields_init(&t->fields);
	t->bounds = (struct buf)BUF_INIT(MSGREC_DEPTH_MAX * TREE_BOUNDARY_MAX);
	t->preview_text = (struct buf)BUF_INIT(4 * PREVIEW_MAX);
	t->head = t->tail = (struct buf)BUF_INIT(PART_TEXT);
	t->envelope = (struct buf)BUF_INIT(ENVELOPE_MAX);
	t->keep = arena_new(0);
	t->tmp = arena_new(0);
	tree_open(t, (struct msgrec_pos){ 0, 0 });
}

void
tree_free(struct tree *t)
{
	fields_free(&t->fields);
	free(t->parts);
	free(t->draft.parts);
	buf_free(&t->bounds);
	end_preview(t);
	buf_free(&t->preview_text);
	buf_free(&t->head);
	buf_free(&t->tail);
	buf_free(&t->envelope);
	arena_free(&t->keep);
	arena_free(&t->tmp);
}

/* BODYSTRUCTURE of part i; no deeper than MSGREC_DEPTH_MAX. */
static void
add_structure(const struct tree *t, uint32_t i, struct buf *out)
{
	const struct part *part = &t->parts[i];
	const struct msgrec_part *rec = &part->rec;

	buf_addc(out, '(');
	if (rec->kind == MSGREC_MULTIPART) {
		for (uint32_t c = i + 1; c < rec->next;
		     c = t->parts[c].rec.next)
			add_structure(t, c, out);
		buf_addc(out, ' ');
		buf_add(out, part->head);
	} else {
		buf_add(out, part->head);
		buf_addc(out, ' ');
		buf_addu(out, rec->end.off - rec->body.off);
	}
	if (rec->kind == MSGREC_MESSAGE) {
		buf_addc(out, ' ');
		buf_add(out, t->parts[i + 1].envelope);
		buf_addc(out, ' ');
		add_structure(t, i + 1, out);
	}
	if (rec->kind == MSGREC_MESSAGE ||
	    slice_starts(rec->type, SLICE("text/"))) {
		buf_addc(out, ' ');
		buf_addu(out, rec->end.breaks - rec->body.breaks);
	}
	buf_addc(out, ' ');
	buf_add(out, part->tail);
	buf_addc(out, ')');
}

void
tree_write(struct tree *t, uint64_t wire_size, struct buf *record_r)
{
	struct msgrec_draft *d = &t->draft;
	struct buf structure = BUF_INIT(MSGREC_MAX);

	add_structure(t, 0, &structure);
	d->wire_size = wire_size;
	d->texts[MSGREC_ENVELOPE] = t->parts[0].envelope;
	d->texts[MSGREC_STRUCTURE] = buf_slice(&structure);
	d->texts[MSGREC_PREVIEW] = buf_slice(&t->preview_text);
	d->parts = xreallocarray(NULL, d->nparts, sizeof(*d->parts));
	for (uint32_t i = 0; i < d->nparts; i++)
		d->parts[i] = t->parts[i].rec;
	msgrec_write(record_r, d);
	buf_free(&structure);
}
