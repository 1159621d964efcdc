#include "imap/seqset.h"

static bool
is_saved(struct imap_session *s, struct imap_parse *p, struct uidset *set_r)
{
	if (!imap_char(p, '$'))
		return false;
	for (size_t i = 0; i < s->saved.n; i++)
		uidset_add(set_r, s->saved.v[i].first, s->saved.v[i].last);
	return true;
}

/* A number, or "*" as 0. */
static bool
seq_number(struct imap_parse *p, uint32_t *v_r)
{
	*v_r = 0;
	if (imap_char(p, '*'))
		return true;
	return imap_number(p, v_r) &&
	    (*v_r > 0 || imap_wrong(p, "0 is no message number"));
}

static uint32_t
last_uid(const struct mailbox *mb)
{
	uint32_t count = mailbox_count(mb);

	return count ? mailbox_msg(mb, count)->uid : 0;
}

static bool
add_range(struct imap_session *s, struct imap_parse *p, bool uid,
    uint32_t first, uint32_t last, struct uidset *set_r)
{
	uint32_t count = mailbox_count(s->mb);
	uint32_t star = uid ? last_uid(s->mb) : count;

	if (count == 0 && (!first || !last))
		return true; /* 1:* of nothing is nothing */
	first = first ? first : star;
	last = last ? last : star;
	if (first > last) {
		uint32_t swap = first;
		first = last;
		last = swap;
	}
	if (!uid) {
		if (last > count)
			return imap_wrong(p, "no message of that number");
		first = mailbox_msg(s->mb, first)->uid;
		last = mailbox_msg(s->mb, last)->uid;
	}
	uidset_add(set_r, first, last);
	return true;
}

bool
imap_seqset(struct imap_session *s, struct imap_parse *p, bool uid,
    struct uidset *set_r)
{
	uint32_t first, last;

	*set_r = (struct uidset)UIDSET_INIT(s->arena);
	if (is_saved(s, p, set_r))
		return true;
	if (!uid && s->enabled & IMAP_UIDONLY) {
		p->code = "UIDREQUIRED";
		return imap_wrong(p, "message numbers are off");
	}
	do {
		if (!seq_number(p, &first))
			return imap_wrong(p, "expected message numbers");
		last = first;
		if (imap_char(p, ':') && !seq_number(p, &last))
			return imap_wrong(p, "expected number after :");
		if (!add_range(s, p, uid, first, last, set_r))
			return false;
	} while (imap_char(p, ','));
	return true;
}

bool
imap_numbers(struct imap_parse *p, struct uidset *set_r)
{
	uint32_t first, last;

	*set_r = (struct uidset)UIDSET_INIT(p->arena);
	do {
		if (!imap_number(p, &first))
			return false;
		last = first;
		if (imap_char(p, ':') && !imap_number(p, &last))
			return imap_wrong(p, "expected number after :");
		if (!first || !last)
			return imap_wrong(p, "0 is no message number");
		uidset_add(set_r, first < last ? first : last,
		    first < last ? last : first);
	} while (imap_char(p, ','));
	return true;
}

struct imap_walk
imap_walk(const struct mailbox *mb, const struct uidset *set)
{
	return (struct imap_walk){ .mb = mb, .set = set };
}

struct imap_walk
imap_walk_changed(const struct mailbox *mb, const struct uidset *set,
    uint64_t since)
{
	return (struct imap_walk){ .mb = mb, .set = set, .since = since };
}

static void
begin_range(struct imap_walk *w)
{
	const struct uidrange *r = &w->set->v[w->range];

	w->seq = mailbox_seq_from(w->mb, r->first);
	w->last = r->last == UINT32_MAX
	    ? mailbox_count(w->mb)
	    : mailbox_seq_from(w->mb, r->last + 1) - 1;
}

bool
imap_step(struct imap_walk *w, uint32_t *seq_r)
{
	while (w->range < w->set->n) {
		if (!w->seq)
			begin_range(w);
		if (w->since)
			w->seq =
			    mailbox_changed(w->mb, w->seq, w->last, w->since);
		if (w->seq <= w->last) {
			*seq_r = w->seq++;
			return true;
		}
		w->range++;
		w->seq = 0;
	}
	return false;
}

uint32_t
imap_walk_count(const struct imap_walk *from)
{
	struct imap_walk w = *from;
	uint32_t n = 0, seq;

	if (w.since) {
		while (imap_step(&w, &seq))
			n++;
		return n;
	}
	for (; w.range < w.set->n; w.range++, w.seq = 0) {
		if (!w.seq)
			begin_range(&w);
		n += w.last + 1 - w.seq;
	}
	return n;
}

void
imap_walk_skip(struct imap_walk *w, uint32_t n)
{
	uint32_t seq, here;

	if (w->since) {
		while (n-- > 0 && imap_step(w, &seq))
			;
		return;
	}
	for (; w->range < w->set->n; w->range++, w->seq = 0) {
		if (!w->seq)
			begin_range(w);
		here = w->last + 1 - w->seq;
		if (n < here) {
			w->seq += n;
			return;
		}
		n -= here;
	}
}

bool
imap_partial(struct imap_parse *p, struct imap_partial *v)
{
	v->from_end = imap_char(p, '-');
	if (!imap_number(p, &v->first) || !imap_char(p, ':') ||
	    (v->from_end && !imap_char(p, '-')) || !imap_number(p, &v->last) ||
	    !v->first || !v->last)
		return imap_wrong(p, "expected PARTIAL first:last");
	if (v->first > v->last) {
		uint32_t swap = v->first;
		v->first = v->last;
		v->last = swap;
	}
	return true;
}

bool
imap_partial_of(const struct imap_partial *v, uint32_t total, uint32_t *first_r,
    uint32_t *last_r)
{
	uint32_t last = v->last < total ? v->last : total;

	if (v->first > total)
		return false;
	*first_r = v->from_end ? total - last + 1 : v->first;
	*last_r = v->from_end ? total - v->first + 1 : last;
	return true;
}

void
imap_put_set(struct imap_session *s, struct buf *b, const struct uidset *set,
    bool uid)
{
	struct uidset seqs = UIDSET_INIT(s->arena);
	struct imap_walk w;
	uint32_t seq;

	if (uid) {
		uidset_format(set, b);
		return;
	}
	for (w = imap_walk(s->mb, set); imap_step(&w, &seq);)
		uidset_add(&seqs, seq, seq);
	uidset_format(&seqs, b);
}
