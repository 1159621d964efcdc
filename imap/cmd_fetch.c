/*
 * FETCH (RFC 9051, 6.4.5): from the index and the records; bodies are
 * fetch_body's.
 */
#include <string.h>

#include "base/log.h"
#include "imap/box.h"
#include "imap/fetch.h"
#include "imap/limit.h"
#include "imap/months.h"
#include "imap/resync.h"
#include "text/unicode.h"
#include "imap/seqset.h"

struct run {
	struct imap_session *s;
	const struct fetch *f;
	struct uidset seen; /* to be marked \Seen at the end */
	bool first;         /* nothing on this line yet */
	bool gone;          /* some message was expunged meanwhile */
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

/* RFC 8474, 5.2; NIL: it has not been parsed yet. */
static void
put_thread(struct buf *b, uint64_t thread)
{
	if (thread == 0) {
		buf_add(b, SLICE("NIL"));
		return;
	}
	buf_addc(b, '(');
	imap_put_threadid(b, thread);
	buf_addc(b, ')');
}

/* RFC 8970, 3.1: at most 200 characters, better without line ends. */
#define PREVIEW_MAX 200

static enum fetch_status
put_preview(struct run *r, uint32_t seq, bool lazy)
{
	struct mailbox *mb = r->s->mb;
	struct slice record, text = SLICE_NULL;
	int rc = 1;

	if (!lazy)
		rc = mailbox_record(mb, mailbox_msg(mb, seq), &record, &r->e);
	if (rc <= 0)
		return rc < 0 ? FETCH_FAILED : FETCH_GONE;
	if (!lazy || mailbox_record_cached(mb, mailbox_msg(mb, seq), &record)) {
		text = unicode_head(msgrec_text(record, MSGREC_PREVIEW),
		    PREVIEW_MAX);
		text = arena_dup(r->s->arena, text);
		for (size_t i = 0; i < text.n; i++)
			if (text.p[i] == '\n')
				((char *)(uintptr_t)text.p)[i] = ' ';
		text = slice_trim(text);
	}
	buf_add(&r->s->out, SLICE("PREVIEW "));
	imap_put_nstring(&r->s->out, text);
	return FETCH_OK;
}

static enum fetch_status
put_from_record(struct run *r, uint32_t seq, enum fetch_kind kind)
{
	struct mailbox *mb = r->s->mb;
	struct buf *b = &r->s->out;
	struct slice record;
	int rc = mailbox_record(mb, mailbox_msg(mb, seq), &record, &r->e);

	if (rc <= 0)
		return rc < 0 ? FETCH_FAILED : FETCH_GONE;
	if (kind == FETCH_ENVELOPE) {
		buf_add(b, SLICE("ENVELOPE "));
		buf_add(b, msgrec_text(record, MSGREC_ENVELOPE));
	} else if (kind == FETCH_STRUCTURE) {
		buf_add(b, SLICE("BODYSTRUCTURE "));
		buf_add(b, msgrec_text(record, MSGREC_STRUCTURE));
	} else {
		buf_add(b, SLICE("BODY "));
		msgrec_body(record, b);
	}
	return FETCH_OK;
}

static enum fetch_status
put_size(struct run *r, uint32_t seq)
{
	struct mailbox *mb = r->s->mb;
	uint64_t size;
	int rc = mailbox_wire_size(mb, mailbox_msg(mb, seq), &size, &r->e);

	if (rc <= 0)
		return rc < 0 ? FETCH_FAILED : FETCH_GONE;
	buf_add(&r->s->out, SLICE("RFC822.SIZE "));
	buf_addu(&r->s->out, size);
	return FETCH_OK;
}

static enum fetch_status
put_item(struct run *r, uint32_t seq, const struct fetch_item *item)
{
	const struct store_msg *m = mailbox_msg(r->s->mb, seq);
	struct buf *b = &r->s->out;

	switch (item->kind) {
	case FETCH_INTERNALDATE:
		buf_add(b, SLICE("INTERNALDATE "));
		put_date(b, m->received);
		return FETCH_OK;
	case FETCH_SIZE:
		return put_size(r, seq);
	case FETCH_SAVEDATE:
		buf_add(b, SLICE("SAVEDATE "));
		put_date(b, m->saved);
		return FETCH_OK;
	case FETCH_EMAILID:
		buf_add(b, SLICE("EMAILID ("));
		buf_add(b, slice_of(m->emailid, STORE_EMAILID));
		buf_addc(b, ')');
		return FETCH_OK;
	case FETCH_THREADID:
		buf_add(b, SLICE("THREADID "));
		put_thread(b, m->thread);
		return FETCH_OK;
	case FETCH_PREVIEW:
	case FETCH_PREVIEW_LAZY:
		return put_preview(r, seq, item->kind == FETCH_PREVIEW_LAZY);
	case FETCH_ENVELOPE:
	case FETCH_BODY:
	case FETCH_STRUCTURE:
		return put_from_record(r, seq, item->kind);
	case FETCH_SECTION:
	case FETCH_FIELDS:
	case FETCH_BINARY:
	case FETCH_BINARY_SIZE:
		return imap_fetch_body(r->s, r->s->mb, seq, item, &r->e);
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

static void
put_flags(struct run *r, const struct store_msg *m, uint16_t more)
{
	struct buf *b = &r->s->out;

	separate(r);
	buf_add(b, SLICE("FLAGS ("));
	imap_put_flags(b, r->s->mb, m->flags | more, m->keywords);
	buf_addc(b, ')');
}

static void
put_modseq(struct run *r, const struct store_msg *m)
{
	struct buf *b = &r->s->out;

	separate(r);
	buf_add(b, SLICE("MODSEQ ("));
	buf_addu(b, m->modseq);
	buf_addc(b, ')');
}

/* An item, or nothing of it: one that streams fails before its first byte, or
 * ends the session. */
static bool
put_separate(struct run *r, uint32_t seq, const struct fetch_item *item)
{
	size_t start = r->s->out.n;
	bool first = r->first;
	enum fetch_status st;

	separate(r);
	st = put_item(r, seq, item);
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

/* Flags and modseq come last, since fetching a body may set \Seen. The message
 * is looked up for each item: reading may refresh the mailbox. */
static void
fetch_message(struct run *r, uint32_t seq)
{
	const struct store_msg *m = mailbox_msg(r->s->mb, seq);
	bool set_seen = r->f->sets_seen && imap_may(r->s, ACL_SEEN) &&
	    !(m->flags & STORE_SEEN);
	struct buf *b = &r->s->out;
	size_t start;

	if (m->flags & STORE_UNKNOWN) {
		r->gone = true;
		return;
	}
	imap_flush_large(r->s);
	start = b->n;
	imap_put_fetch(r->s, seq);
	r->first = true;
	if (r->f->uid) {
		separate(r);
		buf_add(b, SLICE("UID "));
		buf_addu(b, m->uid);
	}
	for (size_t i = 0; i < r->f->nitems && !r->s->dead; i++)
		set_seen &= put_separate(r, seq, r->f->items[i]);
	m = mailbox_msg(r->s->mb, seq);
	if (set_seen)
		uidset_add(&r->seen, m->uid, m->uid);
	if (r->f->flags || set_seen)
		put_flags(r, m, set_seen ? STORE_SEEN : 0);
	if (r->f->modseq && !set_seen)
		put_modseq(r, m);
	if (r->first && !r->s->dead)
		buf_cut(b, start); /* nothing could be told */
	else
		buf_add(b, SLICE(")\r\n"));
}

/* RFC 9051, 6.4.5: fetching bodies sets \Seen; stored once for all. */
static void
mark_seen(struct run *r)
{
	struct mailbox_store_result result = {
		.changed = UIDSET_INIT(r->s->arena),
		.modified = UIDSET_INIT(r->s->arena),
	};
	struct store_flags seen = { .flags = STORE_SEEN };
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
	imap_tell_flags(r->s, false);
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

/* RFC 7162, 3.2.6: VANISHED is for UID FETCH with CHANGEDSINCE, when QRESYNC
 * is on. RFC 9394, 3.4: PARTIAL is for UID FETCH. */
static bool
modifiers_allowed(struct imap_session *s, struct imap_command *c,
    const struct fetch *f)
{
	if (f->vanished && !(c->uid && f->changed && s->enabled & IMAP_QRESYNC))
		return imap_wrong(&c->p,
		    "VANISHED needs UID FETCH, CHANGEDSINCE and QRESYNC");
	return !f->partial.first || c->uid ||
	    imap_wrong(&c->p, "PARTIAL needs UID FETCH");
}

/* Go to the first of those asked for; returns how many. */
static uint32_t
take_partial(struct imap_walk *w, const struct fetch *f)
{
	uint32_t first, last;

	if (!f->partial.first)
		return UINT32_MAX;
	if (!imap_partial_of(&f->partial, imap_walk_count(w), &first, &last))
		return 0;
	imap_walk_skip(w, first - 1);
	return last - first + 1;
}

enum imap_result
imap_cmd_fetch(struct imap_session *s, struct imap_command *c)
{
	/* RFC 9586, 3.3: UIDFETCH begins with the UID already. */
	struct fetch f = { .uid = c->uid && !(s->enabled & IMAP_UIDONLY) };
	struct run r = { .s = s, .f = &f, .seen = UIDSET_INIT(s->arena) };
	struct imap_walk w;
	uint32_t seq, left;

	if (!imap_sp(&c->p) || !imap_seqset(s, &c->p, c->uid, &f.uids) ||
	    !imap_sp(&c->p) || !imap_fetch_args(&c->p, &f) ||
	    !modifiers_allowed(s, c, &f))
		return imap_bad_args(c);
	if (f.modseq)
		imap_enable_condstore(s);
	/* Another may have taken \Seen away since it was last looked at. */
	if (f.sets_seen && imap_may(s, ACL_SEEN) &&
	    mailbox_refresh(s->mb, &r.e) < 0)
		return imap_store_failed(c, STORE_FAILED, &r.e);
	w = f.changed ? imap_walk_changed(s->mb, &f.uids, f.since)
		      : imap_walk(s->mb, &f.uids);
	left = take_partial(&w, &f);
	/* RFC 9738, 3.1: what asks for more by PARTIAL is refused. */
	if (f.partial.first && imap_over_limit(left))
		return imap_limit_refuse(c);
	if (f.vanished && imap_tell_earlier(s, f.since, &f.uids, &r.e) < 0)
		return imap_store_failed(c, STORE_FAILED, &r.e);
	left = imap_limit_walk(c, &w, left);
	while (!s->dead && left-- > 0 && imap_step(&w, &seq))
		fetch_message(&r, seq);
	mark_seen(&r);
	return fetch_result(c, &r);
}

/* ---- for NOTIFY and CONTEXT ---- */

static const char *
why_not(const struct run *r)
{
	return r->status == FETCH_NO_PART    ? "no such part"
	    : r->status == FETCH_UNKNOWN_CTE ? "unknown transfer encoding"
					     : "failed";
}

void
imap_fetch_new(struct imap_session *s, struct slice text, const uint32_t *seqs,
    size_t n)
{
	struct imap_parse p = { .sc = scan_of(text), .arena = s->arena };
	struct fetch f = { .nitems = 0 };
	struct run r = { .s = s, .f = &f, .seen = UIDSET_INIT(s->arena) };

	if (!imap_fetch_list(&p, &f))
		return;
	/* The line must say which message it is, and not be empty. */
	f.uid = !(s->enabled & IMAP_UIDONLY) || !f.nitems;
	f.modseq |= (s->enabled & IMAP_CONDSTORE) != 0;
	for (size_t i = 0; i < n && !s->dead; i++) {
		r.status = FETCH_OK;
		fetch_message(&r, seqs[i]);
		if (r.status != FETCH_OK && !s->dead)
			imap_line(s, "NO processing fetch attribute: %s",
			    why_not(&r));
	}
	r.status = FETCH_OK;
	mark_seen(&r);
	if (r.status != FETCH_OK)
		log_line("imapserver", LOG_ERROR, "setting \\Seen",
		    LOG_S("mailbox", mailbox_name(s->mb)), LOG_E(&r.e));
}
