/*
 * FETCH (RFC 9051, 6.4.5): from the index and the records; bodies are
 * fetch_body's.
 */
#include <string.h>

#include "imap/fetch.h"
#include "imap/months.h"
#include "imap/seqset.h"

struct run {
	struct imap_session *s;
	const struct fetch *f;
	struct uidset seen;     /* to be marked \Seen at the end */
	bool first;             /* nothing on this line yet */
	bool gone;              /* some message was expunged meanwhile */
	enum fetch_status status;
	struct err e;
};

static void
put_date(struct buf *b, int64_t seconds)
{
	char text[IMAP_DATE_TIME];
	size_t n = imap_format_date_time(text, seconds);

	buf_addc(b, '"');
	buf_add(b, slice_of(text, n));
	buf_addc(b, '"');
}

static enum fetch_status
put_from_record(struct run *r, const struct store_msg *m,
    enum fetch_kind kind)
{
	struct buf *b = &r->s->out;
	struct slice record;
	int rc = mailbox_record(r->s->mb, m, &record, &r->e);

	if (rc <= 0)
		return rc < 0 ? FETCH_FAILED : FETCH_GONE;
	if (kind == FETCH_ENVELOPE) {
		buf_addz(b, "ENVELOPE ");
		buf_add(b, msgrec_text(record, MSGREC_ENVELOPE));
	} else if (kind == FETCH_STRUCTURE) {
		buf_addz(b, "BODYSTRUCTURE ");
		buf_add(b, msgrec_text(record, MSGREC_STRUCTURE));
	} else {
		buf_addz(b, "BODY ");
		msgrec_body(record, b);
	}
	return FETCH_OK;
}

static enum fetch_status
put_item(struct run *r, const struct store_msg *m,
    const struct fetch_item *item)
{
	struct buf *b = &r->s->out;

	switch (item->kind) {
	case FETCH_INTERNALDATE:
		buf_addz(b, "INTERNALDATE ");
		put_date(b, m->received);
		return FETCH_OK;
	case FETCH_SIZE:
		buf_addz(b, "RFC822.SIZE ");
		buf_addu(b, m->wire_size);
		return FETCH_OK;
	case FETCH_ENVELOPE:
	case FETCH_BODY:
	case FETCH_STRUCTURE:
		return put_from_record(r, m, item->kind);
	case FETCH_SECTION:
	case FETCH_FIELDS:
	case FETCH_BINARY:
	case FETCH_BINARY_SIZE:
		return imap_fetch_body(r->s, m, item, &r->e);
	}
	return FETCH_FAILED;
}

/* Between the items of a line. */
static void
separate(struct run *r)
{
	if (!r->first)
		buf_addc(&r->s->out, ' ');
	r->first = false;
}

/* Flags and modseq are told last, since fetching a body may set \Seen. */
static void
put_end(struct run *r, const struct store_msg *m, bool set_seen)
{
	struct buf *b = &r->s->out;

	if (r->f->flags || set_seen) {
		uint16_t flags = m->flags | (set_seen ? STORE_SEEN : 0);
		separate(r);
		buf_addz(b, "FLAGS (");
		imap_put_flags(b, r->s->mb, flags, m->keywords);
		buf_addc(b, ')');
	}
	if (r->f->modseq && !set_seen) {
		separate(r);
		buf_addz(b, "MODSEQ (");
		buf_addu(b, m->modseq);
		buf_addc(b, ')');
	}
	buf_addz(b, ")\r\n");
}

/* An item, or nothing of it: one that streams fails before its first byte, or
 * ends the session. */
static bool
put_separate(struct run *r, const struct store_msg *m,
    const struct fetch_item *item)
{
	size_t start = r->s->out.n;
	bool first = r->first;
	enum fetch_status st;

	separate(r);
	st = put_item(r, m, item);
	if (st == FETCH_OK)
		return true;
	if (st == FETCH_GONE)
		r->gone = true;
	else
		r->status = st;
	r->first = first;
	if (!r->s->dead)
		buf_cut(&r->s->out, start);
	return false;
}

static void
fetch_message(struct run *r, uint32_t seq, const struct store_msg *m)
{
	bool set_seen = r->f->sets_seen && !r->s->readonly &&
	    !(m->flags & STORE_SEEN);
	struct store_msg copy = *m; /* reading may refresh the mailbox */
	struct buf *b = &r->s->out;

	imap_flush_large(r->s);
	buf_addz(b, "* ");
	buf_addu(b, seq);
	buf_addz(b, " FETCH (");
	r->first = true;
	if (r->f->uid) {
		separate(r);
		buf_addz(b, "UID ");
		buf_addu(b, copy.uid);
	}
	for (size_t i = 0; i < r->f->nitems && !r->s->dead; i++)
		set_seen &= put_separate(r, &copy, r->f->items[i]);
	if (set_seen)
		uidset_add(&r->seen, copy.uid, copy.uid);
	put_end(r, &copy, set_seen);
}

/* FLAGS, UID and MODSEQ only: what large mailboxes are synchronised with. */
static void
fetch_flags(struct run *r, uint32_t seq, const struct store_msg *m)
{
	struct buf *b = &r->s->out;

	buf_add(b, SLICE("* "));
	buf_addu(b, seq);
	buf_add(b, SLICE(" FETCH ("));
	if (r->f->uid) {
		buf_add(b, SLICE("UID "));
		buf_addu(b, m->uid);
	}
	if (r->f->flags) {
		buf_add(b, r->f->uid ? SLICE(" FLAGS (") : SLICE("FLAGS ("));
		imap_put_flags(b, r->s->mb, m->flags, m->keywords);
		buf_addc(b, ')');
	}
	if (r->f->modseq) {
		buf_add(b, r->f->uid || r->f->flags ? SLICE(" MODSEQ (")
						    : SLICE("MODSEQ ("));
		buf_addu(b, m->modseq);
		buf_addc(b, ')');
	}
	buf_add(b, SLICE(")\r\n"));
	imap_flush_large(r->s);
}

/* RFC 9051, 6.4.5: fetching bodies sets \Seen; stored once for all. */
static void
mark_seen(struct run *r)
{
	struct mailbox_store_result result = {
		.changed = UIDSET_INIT(r->s->arena),
		.modified = UIDSET_INIT(r->s->arena),
	};
	struct store_flags seen = { STORE_SEEN, NULL, 0 };
	struct imap_walk w;
	uint32_t seq;

	if (r->seen.n == 0)
		return;
	if (mailbox_store(r->s->mb, &r->seen, MAILBOX_ADD, &seen, false, 0,
		r->s->arena, &result, &r->e) < 0) {
		r->status = FETCH_FAILED;
		return;
	}
	if (!(r->s->enabled & IMAP_CONDSTORE))
		return;
	/* The new MODSEQ was not known when the lines were written. */
	for (w = imap_walk(r->s->mb, &result.changed); imap_step(&w, &seq);)
		imap_tell_message(r->s, seq, true, true);
}

static enum imap_result
fetch_result(struct imap_command *c, struct run *r)
{
	switch (r->status) {
	case FETCH_NO_PART:
		return imap_no(c, NULL,
		    "processing fetch attribute: no such part");
	case FETCH_UNKNOWN_CTE:
		return imap_no(c, "UNKNOWN-CTE",
		    "processing fetch attribute: unknown transfer encoding");
	case FETCH_FAILED:
		return imap_store_failed(c, STORE_FAILED, &r->e);
	case FETCH_OK:
	case FETCH_GONE:
		break;
	}
	if (r->gone)
		imap_code(c, "EXPUNGEISSUED"); /* RFC 5530, 3 */
	return IMAP_OK;
}

enum imap_result
imap_cmd_fetch(struct imap_session *s, struct imap_command *c)
{
	struct fetch f = { .uid = c->uid };
	struct run r = { .s = s, .f = &f, .seen = UIDSET_INIT(s->arena) };
	struct imap_walk w;
	uint32_t seq;
	bool simple;

	if (!imap_sp(&c->p) || !imap_seqset(s, &c->p, c->uid, &f.uids) ||
	    !imap_sp(&c->p) || !imap_fetch_args(&c->p, &f))
		return imap_bad_args(c);
	if (f.modseq)
		imap_enable_condstore(s);
	simple = f.nitems == 0;
	for (w = imap_walk(s->mb, &f.uids); !s->dead && imap_step(&w, &seq);) {
		const struct store_msg *m = mailbox_msg(s->mb, seq);
		if (f.changed && m->modseq <= f.since)
			continue;
		if (simple)
			fetch_flags(&r, seq, m);
		else
			fetch_message(&r, seq, m);
	}
	mark_seen(&r);
	return fetch_result(c, &r);
}
