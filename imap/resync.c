#include "imap/resync.h"

#include "imap/seqset.h"

/* ---- arguments ---- */

/* " (seqs uids)": two lists of the same length, both ascending. */
static bool
match_data(struct imap_parse *p, struct imap_resync *r)
{
	if (!imap_numbers(p, &r->seqs) || !imap_sp(p) ||
	    !imap_numbers(p, &r->seq_uids) || !imap_char(p, ')'))
		return imap_wrong(p, "expected (numbers uids)");
	return uidset_count(&r->seqs) == uidset_count(&r->seq_uids) ||
	    imap_wrong(p, "not as many numbers as UIDs");
}

static bool
known_messages(struct imap_parse *p, struct imap_resync *r)
{
	if (imap_char(p, ' ') && !imap_peek(p, '(')) {
		r->has_uids = imap_numbers(p, &r->uids);
		if (!r->has_uids)
			return imap_wrong(p, "expected UIDs");
		if (!imap_char(p, ' '))
			return true;
	}
	return !imap_char(p, '(') || match_data(p, r);
}

bool
imap_resync_args(struct imap_parse *p, struct imap_resync *r)
{
	*r = (struct imap_resync){ .given = true };
	if (!imap_sp(p) || !imap_char(p, '(') ||
	    !imap_number(p, &r->uidvalidity) || !imap_sp(p) ||
	    !imap_number64(p, &r->modseq))
		return imap_wrong(p, "expected (uidvalidity modseq ...)");
	if (r->uidvalidity == 0 || r->modseq == 0)
		return imap_wrong(p, "0 is no UIDVALIDITY and no modseq");
	return known_messages(p, r) &&
	    (imap_char(p, ')') || imap_wrong(p, "expected ) of QRESYNC"));
}

/* ---- what was expunged ---- */

/*
 * The highest UID up to which the client has all that we have: there its
 * numbers are still right (RFC 7162, 3.2.5.2).
 */
static uint32_t
matching_uid(const struct mailbox *mb, const struct imap_resync *r)
{
	struct uidwalk seqs = uidset_walk(&r->seqs),
		       uids = uidset_walk(&r->seq_uids);
	uint32_t seq, uid, match = 0;

	while (uidset_step(&seqs, &seq) && uidset_step(&uids, &uid) &&
	    mailbox_seq(mb, uid) == seq)
		match = uid;
	return match;
}

/* UIDs of the client that were never given here: none of them is. */
static void
add_unknown(const struct imap_resync *r, uint32_t uidnext, struct uidset *gone)
{
	for (size_t i = 0; i < r->uids.n; i++) {
		const struct uidrange *v = &r->uids.v[i];

		if (v->last >= uidnext)
			uidset_add(gone,
			    v->first > uidnext ? v->first : uidnext, v->last);
	}
}

static int
tell_gone(struct imap_session *s, const struct imap_resync *r, uint64_t since,
    struct err *e)
{
	struct uidset gone = UIDSET_INIT(s->arena);
	uint32_t match;

	if (mailbox_vanished(s->mb, since, r->has_uids ? &r->uids : NULL, &gone,
		e) < 0)
		return -1;
	/* Where history is complete the answer is exact already. */
	match = mailbox_remembers(s->mb, since) ? 0 : matching_uid(s->mb, r);
	if (match)
		uidset_remove(&gone, 1, match);
	add_unknown(r, mailbox_uidnext(s->mb), &gone);
	imap_tell_vanished(s, &gone, true);
	return 0;
}

int
imap_tell_earlier(struct imap_session *s, uint64_t since,
    const struct uidset *within, struct err *e)
{
	struct uidset gone = UIDSET_INIT(s->arena);

	if (mailbox_vanished(s->mb, since, within, &gone, e) < 0)
		return -1;
	imap_tell_vanished(s, &gone, true);
	return 0;
}

/* ---- both ---- */

static void
tell_changed(struct imap_session *s, const struct imap_resync *r,
    uint64_t since)
{
	struct uidrange every = { 1, UINT32_MAX };
	struct uidset all = { NULL, &every, 1, 1 };
	struct imap_walk w;
	uint32_t seq;

	w = imap_walk_changed(s->mb, r->has_uids ? &r->uids : &all, since);
	while (imap_step(&w, &seq)) {
		imap_tell_message(s, seq, true, true);
		imap_flush_large(s);
	}
}

/* It says that it has seen what has not been yet: restored from a backup, or
 * of another server. Nothing it knows can be relied on. */
static bool
is_ahead(const struct imap_session *s, const struct imap_resync *r)
{
	return r->modseq > mailbox_modseq(s->mb) ||
	    (r->uids.n &&
		r->uids.v[r->uids.n - 1].last >= mailbox_uidnext(s->mb));
}

int
imap_resync(struct imap_session *s, const struct imap_resync *r, struct err *e)
{
	uint64_t since = r->modseq;

	if (r->uidvalidity != mailbox_uidvalidity(s->mb))
		return 0;
	if (is_ahead(s, r)) {
		since = 0;
		imap_line(s,
		    "OK [ALERT] synchronization inconsistency in client "
		    "detected, all changes are sent");
	}
	if (tell_gone(s, r, since, e) < 0)
		return -1;
	tell_changed(s, r, since);
	return 0;
}
