/* text.c - the texts of a message, piece by piece. */
#include "store/text.h"

#include "message/body.h"
#include "message/encword.h"
#include "message/header.h"
#include "text/unicode.h"

#define PIECE 65536
#define HEADER_MAX (16 << 20) /* header bytes looked at */

struct walk {
	struct mailbox_reader *reader;
	const struct text_sink *sink;
	struct buf block; /* a header */
	struct buf line, text, folded;
	bool enough;
	struct err *e;
};

static void
walk_free(struct walk *w)
{
	mailbox_read_close(&w->reader);
	buf_free(&w->block);
	buf_free(&w->line);
	buf_free(&w->text);
	buf_free(&w->folded);
}

static void
put(struct walk *w, struct slice text)
{
	if (text.n == 0 || w->enough)
		return;
	buf_reset(&w->folded);
	unicode_fold(&w->folded, text);
	w->enough = w->sink->put(w->sink->ctx, buf_slice(&w->folded));
}

static void
end_text(struct walk *w)
{
	w->sink->end(w->sink->ctx);
}

/* Wire bytes from from to to, given to fn, which says true when it has
 * enough. */
static int
read_range(struct walk *w, struct msgrec_pos from, uint64_t to,
    bool (*fn)(struct walk *w, void *ctx, struct slice wire), void *ctx)
{
	uint64_t left = to - from.off;
	struct slice piece;
	int rc;

	if (left == 0)
		return 0;
	if (mailbox_read_seek(w->reader, from.off, from.breaks, w->e) < 0)
		return -1;
	while (left > 0) {
		rc = mailbox_read(w->reader,
		    left < PIECE ? (size_t)left : PIECE, &piece, w->e);
		if (rc <= 0)
			return rc;
		left -= piece.n;
		if (fn(w, ctx, piece))
			break;
	}
	return 0;
}

/* ---- headers ---- */

static bool
collect(struct walk *w, void *ctx, struct slice wire)
{
	(void)ctx;
	buf_add(&w->block, wire);
	return w->block.over;
}

static void
put_header_text(struct walk *w, struct slice text)
{
	buf_reset(&w->line);
	buf_reset(&w->text);
	header_unfold(&w->line, text);
	encword_decode(&w->text, buf_slice(&w->line));
	put(w, buf_slice(&w->text));
	end_text(w);
}

/*
 * The whole field, name and all; and its value alone, where an encoded word at
 * its begin is one, as it may not be behind a colon.
 */
static void
put_field(struct walk *w, const struct header_field *f)
{
	put_header_text(w, f->raw);
	if (slice_find(f->value, SLICE("=?")) >= 0)
		put_header_text(w, f->value);
}

static int
walk_header(struct walk *w, const struct msgrec_part *part)
{
	struct header_field field;
	struct slice rest;

	buf_reset(&w->block);
	if (read_range(w, part->header, part->body.off, collect, NULL) < 0)
		return -1;
	rest = buf_slice(&w->block);
	while (!w->enough && header_next(&rest, &field))
		put_field(w, &field);
	return 0;
}

/* ---- bodies ---- */

/* What was decoded, but for a character that is not there whole. */
static void
put_decoded(struct walk *w, bool last)
{
	struct slice text = buf_slice(&w->text);
	size_t whole = text.n - (last ? 0 : unicode_partial(text));

	put(w, slice_head(text, whole));
	buf_consume(&w->text, whole);
}

static bool
decode(struct walk *w, void *ctx, struct slice wire)
{
	struct body *body = ctx;

	body_push(body, wire, &w->text);
	put_decoded(w, false);
	return w->enough;
}

static int
walk_body(struct walk *w, const struct msgrec_part *part)
{
	struct slice charset =
	    part->charset.n > 0 ? part->charset : SLICE("utf-8");
	struct body *body = body_new(part->encoding, charset);
	int rc;

	/* Unknown encodings are searched as they stand. */
	if (!body)
		body = body_new(MSGREC_8BIT, SLICE("utf-8"));
	buf_reset(&w->text);
	rc = read_range(w, part->body, part->end.off, decode, body);
	if (rc == 0 && !w->enough) {
		body_end(body, &w->text);
		put_decoded(w, true);
	}
	end_text(w);
	body_free(&body);
	return rc;
}

/* ---- all of them ---- */

static bool
is_text(const struct msgrec_part *part)
{
	return part->kind == MSGREC_LEAF &&
	    slice_starts(part->type, SLICE("text/"));
}

/* Is part i a message, so that its header is text to be searched? */
static bool
is_message(struct slice record, const struct msgrec_part *part)
{
	struct msgrec_part parent;

	if (part->parent == MSGREC_NONE)
		return true;
	msgrec_part(record, part->parent, &parent);
	return parent.kind == MSGREC_MESSAGE;
}

static int
walk_parts(struct walk *w, struct slice record, enum mailbox_text which)
{
	uint32_t n = msgrec_parts(record);
	struct msgrec_part part;
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && !w->enough && i < n; i++) {
		msgrec_part(record, i, &part);
		if ((i > 0 || which == MAILBOX_TEXT_ALL) &&
		    is_message(record, &part))
			rc = walk_header(w, &part);
		if (rc == 0 && !w->enough && is_text(&part))
			rc = walk_body(w, &part);
	}
	return rc;
}

int
mailbox_text(struct mailbox *mb, const struct store_msg *m,
    enum mailbox_text which, const struct text_sink *sink, struct err *e)
{
	const struct store_msg copy = *m; /* opening may refresh */
	struct walk w = { .sink = sink,
		.block = BUF_INIT(HEADER_MAX),
		.line = BUF_INIT(HEADER_MAX),
		.text = BUF_INIT(2 * HEADER_MAX),
		.folded = BUF_INIT(16 * HEADER_MAX),
		.e = e };
	struct slice record;
	int rc = mailbox_read_open(&w.reader, mb, &copy, e);

	/* The record last: it is good until something else is asked. */
	if (rc == 1)
		rc = mailbox_record(mb, &copy, &record, e);
	if (rc == 1 && walk_parts(&w, record, which) < 0)
		rc = -1;
	walk_free(&w);
	return rc;
}

/* ---- looking for a needle ---- */

struct look {
	struct slice needle;
	struct buf seen; /* with what a match may begin in kept */
	bool found;
};

static bool
look_put(void *ctx, struct slice folded)
{
	struct look *l = ctx;
	size_t keep = l->needle.n > 0 ? l->needle.n - 1 : 0;
	struct slice all = folded;

	if (l->seen.n > 0) {
		buf_add(&l->seen, folded);
		all = buf_slice(&l->seen);
	}
	l->found = slice_find(all, l->needle) >= 0;
	if (l->found)
		return true;
	if (keep > all.n)
		keep = all.n;
	if (l->seen.n > 0)
		buf_consume(&l->seen, l->seen.n - keep);
	else
		buf_add(&l->seen, slice_skip(all, all.n - keep));
	return false;
}

static void
look_end(void *ctx)
{
	struct look *l = ctx;

	buf_reset(&l->seen);
}

int
mailbox_text_contains(struct mailbox *mb, const struct store_msg *m,
    enum mailbox_text which, struct slice needle, struct err *e)
{
	struct look l = { .needle = needle, .seen = BUF_INIT(SIZE_MAX) };
	struct text_sink sink = { look_put, look_end, &l };
	int rc = mailbox_text(mb, m, which, &sink, e);

	buf_free(&l.seen);
	return rc < 0 ? -1 : rc == 1 && l.found;
}
