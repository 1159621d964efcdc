/*
 * fetch_body - BODY[...] and BINARY[...]: ranges of the message file, written
 * as literals while they are read, so memory does not grow with the message.
 */
#include <string.h>

#include "imap/fetch.h"
#include "message/body.h"

#define PIECE 65536           /* read at once */
#define DECODED_MAX (1 << 20) /* of a decoded part kept in memory */
#define FIELDS_MAX (16 << 20) /* header bytes looked through for fields */

/* ---- reading a range ---- */

struct range {
	struct msgrec_pos from;
	uint64_t skip, size; /* not wanted, wanted bytes behind it */
	bool count;          /* line ends into breaks */
	uint64_t breaks;     /* that were passed */
	bool in_break;       /* the last byte passed was CR */
	const bool *enough;  /* NULL, or put() sets it to end reading */
};

static uint64_t
count_breaks(struct slice s)
{
	const char *end = s.p + s.n;
	uint64_t n = 0;

	while ((s.p = memchr(s.p, '\n', (size_t)(end - s.p)))) {
		s.p++;
		n++;
	}
	return n;
}

/* The next piece of at most n bytes: its length, 0 on failure. */
static size_t
read_piece(struct mailbox_reader *reader, struct range *range, uint64_t n,
    struct slice *piece_r, struct err *e)
{
	int rc =
	    mailbox_read(reader, n < PIECE ? (size_t)n : PIECE, piece_r, e);

	if (rc == 0)
		err_set(e, ERR_PERM,
		    "message is shorter than its record says: "
		    "run mox-verifydata");
	if (rc <= 0)
		return 0;
	if (range->count && piece_r->n) {
		range->breaks += count_breaks(*piece_r);
		range->in_break = piece_r->p[piece_r->n - 1] == '\r';
	}
	return piece_r->n;
}

/* Give wire bytes of the range to put(); FETCH_GONE before the first. */
static enum fetch_status
read_range(struct mailbox *mb, uint32_t seq, struct range *range,
    void (*put)(void *ctx, struct slice wire), void *ctx, struct err *e)
{
	struct mailbox_reader *reader = NULL;
	uint64_t skip = range->skip, left = range->size;
	bool ok;
	struct slice piece;
	size_t n;
	int rc = mailbox_read_open(&reader, mb, mailbox_msg(mb, seq), e);

	if (rc <= 0)
		return rc < 0 ? FETCH_FAILED : FETCH_GONE;
	ok = left == 0 ||
	    mailbox_read_seek(reader, range->from.off, range->from.breaks, e) ==
		0;
	for (; ok && left && skip; skip -= n) {
		n = read_piece(reader, range, skip, &piece, e);
		ok = n > 0;
	}
	for (; ok && left && !(range->enough && *range->enough); left -= n) {
		n = read_piece(reader, range, left, &piece, e);
		ok = n > 0;
		if (ok)
			put(ctx, piece);
	}
	mailbox_read_close(&reader);
	return ok ? FETCH_OK : FETCH_FAILED;
}

/* ---- BODY[...] ---- */

struct literal {
	struct imap_session *s;
	const struct fetch_item *item;
	uint64_t size;
	bool begun;
	bool eight; /* literal8 (RFC 3516, 4.1) */
};

static void
literal_begin(struct literal *l)
{
	if (l->begun)
		return;
	l->begun = true;
	buf_add(&l->s->out, l->item->label);
	buf_addf(&l->s->out, " %s{%llu}\r\n", l->eight ? "~" : "",
	    (unsigned long long)l->size);
}

static void
literal_put(void *ctx, struct slice wire)
{
	struct literal *l = ctx;

	literal_begin(l);
	buf_add(&l->s->out, wire);
	imap_flush_large(l->s);
}

/* A literal that was begun but cannot be ended leaves only closing. */
static enum fetch_status
literal_end(struct literal *l, enum fetch_status st)
{
	if (st == FETCH_OK)
		literal_begin(l);
	else if (l->begun)
		l->s->dead = true;
	return st;
}

static enum fetch_status
whole_message(struct mailbox *mb, uint32_t seq, struct range *range_r,
    struct err *e)
{
	int rc;

	*range_r = (struct range){ .skip = 0 };
	rc = mailbox_wire_size(mb, mailbox_msg(mb, seq), &range_r->size, e);
	return rc == 1 ? FETCH_OK : rc < 0 ? FETCH_FAILED : FETCH_GONE;
}

/* Where the item is, from the record; whole messages need none. */
static enum fetch_status
find_range(struct mailbox *mb, uint32_t seq, const struct fetch_item *item,
    struct range *range_r, struct err *e)
{
	struct section section;
	struct slice record;
	int rc;

	if (item->npath == 0 && item->section == SECTION_WHOLE)
		return whole_message(mb, seq, range_r, e);
	rc = mailbox_record(mb, mailbox_msg(mb, seq), &record, e);
	if (rc <= 0)
		return rc < 0 ? FETCH_FAILED : FETCH_GONE;
	if (!section_find(record, item->path, item->npath, item->section,
		&section))
		return FETCH_NO_PART;
	*range_r = (struct range){ .from = section.from, .size = section.size };
	return FETCH_OK;
}

/* The part of the range that was asked for. */
static void
cut_partial(const struct fetch_item *item, struct range *range)
{
	if (!item->partial)
		return;
	range->skip = item->offset < range->size ? item->offset : range->size;
	range->size -= range->skip;
	if (range->size > item->length)
		range->size = item->length;
}

/*
 * Large bodies are fetched piece by piece. Where a piece is in a file with LF
 * line ends depends on how many stand before it, so the place where the last
 * one ended is remembered.
 */
static void
recall_place(const struct imap_session *s, const struct store_msg *m,
    struct range *range)
{
	const struct imap_place *place = &s->place;
	uint64_t from = range->from.off;

	if (m->size == m->wire_size) { /* stored as sent */
		range->from.off += range->skip;
		range->skip = 0;
		return;
	}
	range->count = true;
	if (place->uid != m->uid || place->at.off < from ||
	    place->at.off > from + range->skip)
		return;
	range->skip -= place->at.off - from;
	range->from = place->at;
}

static void
remember_place(struct imap_session *s, uint32_t uid, const struct range *range)
{
	if (!range->count || range->size == 0)
		return;
	s->place.uid = uid;
	s->place.at.off =
	    range->from.off + range->skip + range->size - range->in_break;
	s->place.at.breaks = range->from.breaks + range->breaks;
}

static enum fetch_status
put_section(struct imap_session *s, struct mailbox *mb, uint32_t seq,
    const struct fetch_item *item, struct err *e)
{
	uint32_t uid = mailbox_msg(mb, seq)->uid;
	bool selected = mb == s->mb;
	struct literal l = { .s = s, .item = item };
	struct range range;
	enum fetch_status st = find_range(mb, seq, item, &range, e);

	if (st != FETCH_OK)
		return st;
	cut_partial(item, &range);
	if (item->partial && selected)
		recall_place(s, mailbox_msg(mb, seq), &range);
	l.size = range.size;
	st = literal_end(&l, read_range(mb, seq, &range, literal_put, &l, e));
	if (st == FETCH_OK && selected)
		remember_place(s, uid, &range);
	return st;
}

static void
collect(void *ctx, struct slice wire)
{
	buf_add(ctx, wire);
}

/* The header fields asked for, and which part of them. */
static enum fetch_status
find_fields(struct mailbox *mb, uint32_t seq, const struct fetch_item *item,
    struct buf *fields, struct slice *cut_r, struct err *e)
{
	struct buf header = BUF_INIT(FIELDS_MAX);
	struct range range, cut;
	enum fetch_status st = find_range(mb, seq, item, &range, e);

	*cut_r = SLICE_NULL;
	if (st == FETCH_OK)
		st = read_range(mb, seq, &range, collect, &header, e);
	if (st == FETCH_OK) {
		section_fields(buf_slice(&header), item->fields, item->nfields,
		    item->not, fields);
		cut = (struct range){ .size = fields->n };
		cut_partial(item, &cut);
		*cut_r = slice_sub(buf_slice(fields), (size_t)cut.skip,
		    (size_t)(cut.skip + cut.size));
	}
	buf_free(&header);
	return st;
}

static enum fetch_status
put_fields(struct imap_session *s, struct mailbox *mb, uint32_t seq,
    const struct fetch_item *item, struct err *e)
{
	struct buf fields = BUF_INIT(FIELDS_MAX);
	struct slice cut;
	enum fetch_status st = find_fields(mb, seq, item, &fields, &cut, e);

	if (st == FETCH_OK) {
		buf_add(&s->out, item->label);
		buf_addf(&s->out, " {%zu}\r\n", cut.n);
		buf_add(&s->out, cut);
	}
	buf_free(&fields);
	return st;
}

enum fetch_status
imap_fetch_octets(struct mailbox *mb, uint32_t seq,
    const struct fetch_item *item, void (*put)(void *ctx, struct slice wire),
    void *ctx, struct err *e)
{
	struct buf fields = BUF_INIT(FIELDS_MAX);
	struct slice cut;
	struct range range;
	enum fetch_status st;

	if (item->kind == FETCH_FIELDS) {
		st = find_fields(mb, seq, item, &fields, &cut, e);
		if (st == FETCH_OK && cut.n > 0)
			put(ctx, cut);
		buf_free(&fields);
		return st;
	}
	st = find_range(mb, seq, item, &range, e);
	if (st != FETCH_OK)
		return st;
	cut_partial(item, &range);
	return read_range(mb, seq, &range, put, ctx, e);
}

/* ---- BINARY[...] ---- */

/* Decoding a part: once to learn the size, once more to send it. */
struct decode {
	struct body *body;
	struct buf out;
	uint64_t size;       /* decoded bytes so far */
	uint64_t lines;      /* and line ends in them */
	bool nul;            /* some byte is NUL: literal8 */
	struct literal *to;  /* NULL: only count */
	uint64_t skip, want; /* of the decoded bytes, for partial */
};

static void
decoded(struct decode *d)
{
	struct slice got = buf_slice(&d->out);

	d->size += got.n;
	d->lines += d->to || !got.n ? 0 : count_breaks(got);
	d->nul |= got.n && memchr(got.p, 0, got.n);
	if (d->to) {
		uint64_t skip = got.n < d->skip ? got.n : d->skip;
		got = slice_skip(got, (size_t)skip);
		d->skip -= skip;
		got =
		    slice_head(got, d->want < got.n ? (size_t)d->want : got.n);
		d->want -= got.n;
		if (got.n)
			literal_put(d->to, got);
	}
	buf_reset(&d->out);
}

static void
decode_put(void *ctx, struct slice wire)
{
	struct decode *d = ctx;

	body_push(d->body, wire, &d->out);
	decoded(d);
}

static enum fetch_status
decode_range(struct mailbox *mb, uint32_t seq, struct range *range,
    enum msgrec_encoding encoding, struct decode *d, struct err *e)
{
	enum fetch_status st;

	d->body = body_new(encoding, SLICE_NULL);
	if (!d->body)
		return FETCH_UNKNOWN_CTE;
	d->out = (struct buf)BUF_INIT(4 * PIECE);
	st = read_range(mb, seq, range, decode_put, d, e);
	if (st == FETCH_OK) {
		body_end(d->body, &d->out);
		decoded(d);
	}
	body_free(&d->body);
	buf_free(&d->out);
	return st;
}

static enum fetch_status
binary_range(struct mailbox *mb, uint32_t seq, const struct fetch_item *item,
    struct range *range_r, enum msgrec_encoding *encoding_r, struct err *e)
{
	struct msgrec_part part;
	struct section section;
	struct slice record;
	int rc;

	*encoding_r = MSGREC_BINARY;
	/* The whole message has no encoding to undo. */
	if (item->npath == 0)
		return whole_message(mb, seq, range_r, e);
	rc = mailbox_record(mb, mailbox_msg(mb, seq), &record, e);
	if (rc <= 0)
		return rc < 0 ? FETCH_FAILED : FETCH_GONE;
	if (!section_find(record, item->path, item->npath, SECTION_WHOLE,
		&section))
		return FETCH_NO_PART;
	msgrec_part(record, section.part, &part);
	if (part.kind != MSGREC_LEAF)
		return FETCH_NO_PART;
	*range_r = (struct range){ .from = section.from, .size = section.size };
	*encoding_r = part.encoding;
	return FETCH_OK;
}

/*
 * Pieces of a decoded part, of which most clients fetch one after the other:
 * each is decoded once, into memory, from about where the last one ended.
 */
struct piece {
	struct imap_session *s; /* NULL: another mailbox, nothing is kept */
	uint32_t uid;
	uint64_t part; /* where the part begins */
	struct range range;
	uint64_t passed; /* wire bytes of the part so far */
	struct body *body;
	struct buf out;    /* decoded by one push */
	uint64_t size;     /* decoded bytes so far */
	uint64_t from, to; /* those that are wanted */
	struct buf wanted;
	bool enough;
};

void
imap_decoded_forget(struct imap_session *s)
{
	s->decoded.uid = 0;
	body_free(&s->decoded.body);
}

static void
piece_remember(const struct piece *p)
{
	struct imap_decoded_place *place = &p->s->decoded;

	body_free(&place->body);
	*place = (struct imap_decoded_place){
		.uid = p->uid,
		.part = p->part,
		.size = p->size,
		.passed = p->passed,
		.at = { .off = p->part + p->passed,
		    .breaks = p->range.from.breaks + p->range.breaks },
		.body = body_dup(p->body),
	};
}

/* Take what is wanted of what was decoded. */
static void
piece_take(struct piece *p)
{
	struct slice got = buf_slice(&p->out);
	uint64_t skip = p->from > p->size ? p->from - p->size : 0;
	uint64_t want = p->to > p->size ? p->to - p->size : 0;

	if (want < got.n)
		got = slice_head(got, (size_t)want);
	if (skip < got.n)
		buf_add(&p->wanted, slice_skip(got, (size_t)skip));
	p->size += p->out.n;
	p->enough = p->size >= p->to;
	buf_reset(&p->out);
}

static void
piece_put(void *ctx, struct slice wire)
{
	struct piece *p = ctx;

	body_push(p->body, wire, &p->out);
	p->passed += wire.n;
	piece_take(p);
	/* Not between CR and LF: there is no such place in the file. */
	if (p->s && p->size <= p->to && !p->range.in_break)
		piece_remember(p);
}

/* From where the last piece ended, or from the beginning of the part. */
static void
piece_begin(struct piece *p, enum msgrec_encoding encoding)
{
	const struct imap_decoded_place *place = p->s ? &p->s->decoded : NULL;

	p->part = p->range.from.off;
	p->range.count = true;
	p->range.enough = &p->enough;
	if (place && place->uid == p->uid && place->part == p->part &&
	    place->size <= p->from) {
		p->body = body_dup(place->body);
		p->size = place->size;
		p->passed = place->passed;
		p->range.from = place->at;
		p->range.size -= place->passed;
	} else {
		p->body = body_new(encoding, SLICE_NULL);
	}
}

static enum fetch_status
put_piece(struct imap_session *s, struct mailbox *mb, uint32_t seq,
    const struct fetch_item *item, const struct range *range,
    enum msgrec_encoding encoding, struct err *e)
{
	struct literal l = { .s = s, .item = item };
	struct piece p = {
		.s = mb == s->mb ? s : NULL,
		.uid = mailbox_msg(mb, seq)->uid,
		.range = *range,
		.from = item->offset,
		.to = UINT64_MAX,
		.out = BUF_INIT(4 * PIECE),
		.wanted = BUF_INIT(DECODED_MAX),
	};
	enum fetch_status st;

	if (item->offset < UINT64_MAX - item->length)
		p.to = item->offset + item->length;
	piece_begin(&p, encoding);
	if (!p.body)
		return FETCH_UNKNOWN_CTE;
	st = read_range(mb, seq, &p.range, piece_put, &p, e);
	if (st == FETCH_OK) {
		if (!p.enough) {
			body_end(p.body, &p.out);
			piece_take(&p);
		}
		l.size = p.wanted.n;
		l.eight = p.wanted.n && memchr(p.wanted.p, 0, p.wanted.n);
		literal_put(&l, buf_slice(&p.wanted));
	}
	body_free(&p.body);
	buf_free(&p.out);
	buf_free(&p.wanted);
	return st;
}

static enum fetch_status
put_binary(struct imap_session *s, struct mailbox *mb, uint32_t seq,
    const struct fetch_item *item, struct err *e)
{
	struct literal l = { .s = s, .item = item };
	struct decode count = { 0 }, send = { .to = &l };
	enum msgrec_encoding encoding;
	struct range range, cut;
	enum fetch_status st;

	st = binary_range(mb, seq, item, &range, &encoding, e);
	if (st == FETCH_OK && item->partial && item->length <= DECODED_MAX)
		return put_piece(s, mb, seq, item, &range, encoding, e);
	if (st == FETCH_OK)
		st = decode_range(mb, seq, &range, encoding, &count, e);
	if (st != FETCH_OK)
		return st;
	if (item->kind == FETCH_BINARY_SIZE) {
		buf_add(&s->out, item->label);
		buf_addf(&s->out, " %llu", (unsigned long long)count.size);
		return FETCH_OK;
	}
	cut = (struct range){ .size = count.size };
	cut_partial(item, &cut);
	l.size = send.want = cut.size;
	l.eight = count.nul;
	send.skip = cut.skip;
	return literal_end(&l,
	    decode_range(mb, seq, &range, encoding, &send, e));
}

enum fetch_status
imap_fetch_part_structure(struct mailbox *mb, uint32_t seq,
    const struct fetch_item *item, struct buf *out, struct err *e)
{
	bool binary = item->kind == FETCH_BINARY;
	struct msgrec_decoded totals;
	struct decode count = { 0 };
	enum msgrec_encoding encoding;
	struct section section;
	struct slice record;
	struct range range;
	enum fetch_status st = FETCH_OK;
	int rc;

	if (item->section != SECTION_WHOLE || item->partial)
		return FETCH_NO_PART;
	if (binary)
		st = binary_range(mb, seq, item, &range, &encoding, e);
	if (st == FETCH_OK && binary)
		st = decode_range(mb, seq, &range, encoding, &count, e);
	if (st != FETCH_OK)
		return st;
	totals = (struct msgrec_decoded){ count.size, count.lines };
	rc = mailbox_record(mb, mailbox_msg(mb, seq), &record, e);
	if (rc <= 0)
		return rc < 0 ? FETCH_FAILED : FETCH_GONE;
	if (!section_find(record, item->path, item->npath, SECTION_WHOLE,
		&section) ||
	    !msgrec_structure(record, section.part, binary ? &totals : NULL,
		out))
		return FETCH_NO_PART;
	return FETCH_OK;
}

enum fetch_status
imap_fetch_body(struct imap_session *s, struct mailbox *mb, uint32_t seq,
    const struct fetch_item *item, struct err *e)
{
	switch (item->kind) {
	case FETCH_SECTION:
		return put_section(s, mb, seq, item, e);
	case FETCH_FIELDS:
		return put_fields(s, mb, seq, item, e);
	default:
		return put_binary(s, mb, seq, item, e);
	}
}
