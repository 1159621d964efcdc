/*
 * fetch_body - BODY[...] and BINARY[...]: ranges of the message file, written
 * as literals while they are read, so memory does not grow with the message.
 */
#include <string.h>

#include "imap/fetch.h"
#include "message/body.h"

#define PIECE 65536           /* read at once */
#define FIELDS_MAX (16 << 20) /* header bytes looked through for fields */

/* ---- reading a range ---- */

struct range {
	struct msgrec_pos from;
	uint64_t size;
};

/* Give wire bytes of the range to put(); FETCH_GONE before the first. */
static enum fetch_status
read_range(struct imap_session *s, uint32_t seq, const struct range *range,
    void (*put)(void *ctx, struct slice wire), void *ctx, struct err *e)
{
	struct mailbox_reader *reader = NULL;
	enum fetch_status st = FETCH_FAILED;
	uint64_t left = range->size;
	struct slice piece;
	int rc = mailbox_read_open(&reader, s->mb, mailbox_msg(s->mb, seq), e);

	if (rc <= 0)
		return rc < 0 ? FETCH_FAILED : FETCH_GONE;
	if (left &&
	    mailbox_read_seek(reader, range->from.off, range->from.breaks, e) <
		0)
		goto out;
	while (left) {
		rc = mailbox_read(reader, left < PIECE ? (size_t)left : PIECE,
		    &piece, e);
		if (rc < 0)
			goto out;
		if (rc == 0) {
			err_set(e, ERR_PERM,
			    "message %u is shorter than its "
			    "record says: run mox-verifydata",
			    mailbox_msg(s->mb, seq)->uid);
			goto out;
		}
		put(ctx, piece);
		left -= piece.n;
	}
	st = FETCH_OK;
out:
	mailbox_read_close(&reader);
	return st;
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

static struct range
whole_message(const struct imap_session *s, uint32_t seq)
{
	return (struct range){ { 0, 0 }, mailbox_msg(s->mb, seq)->wire_size };
}

/* Where the item is, from the record; whole messages need none. */
static enum fetch_status
find_range(struct imap_session *s, uint32_t seq, const struct fetch_item *item,
    struct range *range_r, struct err *e)
{
	struct section section;
	struct slice record;
	int rc;

	if (item->npath == 0 && item->section == SECTION_WHOLE) {
		*range_r = whole_message(s, seq);
		return FETCH_OK;
	}
	rc = mailbox_record(s->mb, mailbox_msg(s->mb, seq), &record, e);
	if (rc <= 0)
		return rc < 0 ? FETCH_FAILED : FETCH_GONE;
	if (!section_find(record, item->path, item->npath, item->section,
		&section))
		return FETCH_NO_PART;
	*range_r = (struct range){ section.from, section.size };
	return FETCH_OK;
}

static void
cut_partial(const struct fetch_item *item, struct range *range)
{
	if (!item->partial)
		return;
	if (item->offset >= range->size) {
		range->size = 0;
		return;
	}
	range->size -= item->offset;
	if (range->size > item->length)
		range->size = item->length;
	if (item->offset) {
		range->from.off += item->offset;
		range->from.breaks = MAILBOX_BREAKS_UNKNOWN;
	}
}

static enum fetch_status
put_section(struct imap_session *s, uint32_t seq, const struct fetch_item *item,
    struct err *e)
{
	struct literal l = { .s = s, .item = item };
	struct range range;
	enum fetch_status st = find_range(s, seq, item, &range, e);

	if (st != FETCH_OK)
		return st;
	cut_partial(item, &range);
	l.size = range.size;
	return literal_end(&l, read_range(s, seq, &range, literal_put, &l, e));
}

static void
collect(void *ctx, struct slice wire)
{
	buf_add(ctx, wire);
}

static enum fetch_status
put_fields(struct imap_session *s, uint32_t seq, const struct fetch_item *item,
    struct err *e)
{
	struct buf header = BUF_INIT(FIELDS_MAX), fields = BUF_INIT(FIELDS_MAX);
	struct range range, cut;
	enum fetch_status st = find_range(s, seq, item, &range, e);

	if (st == FETCH_OK)
		st = read_range(s, seq, &range, collect, &header, e);
	if (st == FETCH_OK) {
		section_fields(buf_slice(&header), item->fields, item->nfields,
		    item->not, &fields);
		cut = (struct range){ { 0, 0 }, fields.n };
		cut_partial(item, &cut);
		buf_add(&s->out, item->label);
		buf_addf(&s->out, " {%llu}\r\n", (unsigned long long)cut.size);
		buf_add(&s->out,
		    slice_sub(buf_slice(&fields), (size_t)cut.from.off,
			(size_t)(cut.from.off + cut.size)));
	}
	buf_free(&header);
	buf_free(&fields);
	return st;
}

/* ---- BINARY[...] ---- */

/* Decoding a part: once to learn the size, once more to send it. */
struct decode {
	struct body *body;
	struct buf out;
	uint64_t size;       /* decoded bytes so far */
	bool nul;            /* some byte is NUL: literal8 */
	struct literal *to;  /* NULL: only count */
	uint64_t skip, want; /* of the decoded bytes, for partial */
};

static void
decoded(struct decode *d)
{
	struct slice got = buf_slice(&d->out);

	d->size += got.n;
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
decode_range(struct imap_session *s, uint32_t seq, const struct range *range,
    enum msgrec_encoding encoding, struct decode *d, struct err *e)
{
	enum fetch_status st;

	d->body = body_new(encoding, SLICE_NULL);
	if (!d->body)
		return FETCH_UNKNOWN_CTE;
	d->out = (struct buf)BUF_INIT(4 * PIECE);
	st = read_range(s, seq, range, decode_put, d, e);
	if (st == FETCH_OK) {
		body_end(d->body, &d->out);
		decoded(d);
	}
	body_free(&d->body);
	buf_free(&d->out);
	return st;
}

static enum fetch_status
binary_range(struct imap_session *s, uint32_t seq,
    const struct fetch_item *item, struct range *range_r,
    enum msgrec_encoding *encoding_r, struct err *e)
{
	struct msgrec_part part;
	struct section section;
	struct slice record;
	int rc;

	*encoding_r = MSGREC_BINARY;
	if (item->npath == 0) {
		/* The whole message has no encoding to undo. */
		*range_r = whole_message(s, seq);
		return FETCH_OK;
	}
	rc = mailbox_record(s->mb, mailbox_msg(s->mb, seq), &record, e);
	if (rc <= 0)
		return rc < 0 ? FETCH_FAILED : FETCH_GONE;
	if (!section_find(record, item->path, item->npath, SECTION_WHOLE,
		&section))
		return FETCH_NO_PART;
	msgrec_part(record, section.part, &part);
	if (part.kind != MSGREC_LEAF)
		return FETCH_NO_PART;
	*range_r = (struct range){ section.from, section.size };
	*encoding_r = part.encoding;
	return FETCH_OK;
}

static enum fetch_status
put_binary(struct imap_session *s, uint32_t seq, const struct fetch_item *item,
    struct err *e)
{
	struct literal l = { .s = s, .item = item };
	struct decode count = { 0 }, send = { .to = &l };
	enum msgrec_encoding encoding;
	struct range range, cut;
	enum fetch_status st;

	st = binary_range(s, seq, item, &range, &encoding, e);
	if (st == FETCH_OK)
		st = decode_range(s, seq, &range, encoding, &count, e);
	if (st != FETCH_OK)
		return st;
	if (item->kind == FETCH_BINARY_SIZE) {
		buf_add(&s->out, item->label);
		buf_addf(&s->out, " %llu", (unsigned long long)count.size);
		return FETCH_OK;
	}
	cut = (struct range){ { 0, 0 }, count.size };
	cut_partial(item, &cut);
	l.size = send.want = cut.size;
	l.eight = count.nul;
	send.skip = cut.from.off;
	return literal_end(&l,
	    decode_range(s, seq, &range, encoding, &send, e));
}

enum fetch_status
imap_fetch_body(struct imap_session *s, uint32_t seq,
    const struct fetch_item *item, struct err *e)
{
	switch (item->kind) {
	case FETCH_SECTION:
		return put_section(s, seq, item, e);
	case FETCH_FIELDS:
		return put_fields(s, seq, item, e);
	default:
		return put_binary(s, seq, item, e);
	}
}
