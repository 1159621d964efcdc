/*
 * view - what the client knows of the selected mailbox, and telling it more.
 *
 * RFC 9051, 7.5.1: EXPUNGE is never sent while FETCH, STORE or SEARCH by
 * sequence number runs; new messages and flags may be told at any time. The
 * order is: expunged, new, flags, so that numbers in later lines are the new
 * ones.
 */
#include "base/log.h"
#include "imap/box.h"
#include "imap/fetch.h"
#include "imap/notify.h"
#include "imap/search.h"

/* Bytes of a VANISHED line, about; RFC 7162, 4 asks clients for 8192. */
#define VANISHED_LINE 4000

static int
tell_expunged(struct imap_session *s, struct err *e)
{
	struct uidset uids = UIDSET_INIT(s->arena);
	uint32_t *seqs;
	size_t n;

	if (mailbox_take_expunged(s->mb, s->arena, &seqs, &n, &uids, e) < 0)
		return -1;
	imap_contexts_expunged(s, seqs, n, &uids);
	if (s->enabled & (IMAP_QRESYNC | IMAP_UIDONLY)) {
		imap_tell_vanished(s, &uids, false);
		n = 0;
	}
	for (size_t i = 0; i < n; i++) {
		buf_addz(&s->out, "* ");
		buf_addu(&s->out, seqs[i]);
		buf_addz(&s->out, " EXPUNGE\r\n");
		imap_flush_large(s);
	}
	/* RFC 5182, 2.1: expunged messages leave the saved result. */
	for (size_t i = 0; i < uids.n; i++)
		uidset_remove(&s->saved, uids.v[i].first, uids.v[i].last);
	return 0;
}

void
imap_tell_vanished(struct imap_session *s, const struct uidset *uids,
    bool earlier)
{
	size_t start = 0;

	for (size_t i = 0; i < uids->n; i++) {
		struct uidset one = { NULL, &uids->v[i], 1, 1 };

		if (i == 0 || s->out.n - start > VANISHED_LINE) {
			if (i > 0)
				buf_addz(&s->out, "\r\n");
			imap_flush_large(s);
			start = s->out.n;
			buf_addz(&s->out, "* VANISHED ");
			if (earlier)
				buf_addz(&s->out, "(EARLIER) ");
		} else
			buf_addc(&s->out, ',');
		uidset_format(&one, &s->out);
	}
	if (uids->n > 0)
		buf_addz(&s->out, "\r\n");
}

/* RFC 5465, 5.2: who has NOTIFY is not told of its own messages. */
static bool
is_own(const struct imap_session *s, uint32_t seq)
{
	if (!s->notify || !s->notify->given)
		return false;
	for (size_t i = 0; i < s->nadded; i++)
		if (mailbox_msg(s->mb, seq)->uid == s->added[i])
			return true;
	return false;
}

/* With UID and flags at once, as most clients would ask for them next; or with
 * what NOTIFY asks for. */
static int
tell_new(struct imap_session *s, struct slice fetch, struct err *e)
{
	uint32_t count, seq, *seqs;
	size_t n = 0;

	if (mailbox_take_new(s->mb, &seq, e) < 0)
		return -1;
	count = mailbox_count(s->mb);
	imap_line(s, "%u EXISTS", count);
	imap_tell_flags(s, false);
	seqs =
	    arena_array(s->arena, fetch.n ? count - seq + 1 : 0, sizeof(*seqs));
	for (; seq <= count; seq++) {
		if (is_own(s, seq))
			continue;
		if (fetch.n)
			seqs[n++] = seq;
		else
			imap_tell_message(s, seq, true, false);
		imap_flush_large(s);
	}
	if (n > 0)
		imap_fetch_new(s, fetch, seqs, n);
	return 0;
}

static int
tell_flags(struct imap_session *s, struct err *e)
{
	struct uidset uids = UIDSET_INIT(s->arena);
	struct uidwalk w;
	uint32_t uid, seq;

	if (mailbox_take_flags(s->mb, &uids, e) < 0)
		return -1;
	imap_tell_flags(s, false);
	for (w = uidset_walk(&uids); uidset_step(&w, &uid);) {
		seq = mailbox_seq(s->mb, uid);
		if (seq)
			imap_tell_message(s, seq, true, false);
		imap_flush_large(s);
	}
	return 0;
}

/* What is not wanted stays pending, until it is (RFC 5465, 3.1). */
void
imap_updates(struct imap_session *s, bool expunge)
{
	struct notify_selected wanted = imap_notify_selected(s);
	struct err e = ERR_INIT;
	int pending;

	/* The answer to EXPUNGE is no event. */
	if (s->own)
		wanted.events |= NOTIFY_NEW | NOTIFY_EXPUNGE;
	imap_look_at_rights(s);
	if (!s->mb || s->logout || wanted.events == 0)
		return;
	imap_progress_begin(s, s->tag);
	pending = mailbox_refresh(s->mb, &e);
	imap_progress_end(s);
	if (pending >= 0 && pending & MAILBOX_GONE) {
		/* RFC 9051, 5.2 has no way back from a mailbox that went. */
		imap_line(s, "BYE mailbox was deleted or numbered anew");
		s->logout = true;
		return;
	}
	if (pending < 0 ||
	    (expunge && pending & MAILBOX_EXPUNGE &&
		tell_expunged(s, &e) < 0) ||
	    (pending & MAILBOX_NEW && tell_new(s, wanted.fetch, &e) < 0) ||
	    (pending & MAILBOX_FLAGS && wanted.events & NOTIFY_FLAGS &&
		tell_flags(s, &e) < 0))
		log_line("imapserver", LOG_ERROR, "taking in changes",
		    LOG_S("mailbox", mailbox_name(s->mb)), LOG_E(&e));
	else if (pending & MAILBOX_KEYWORDS && wanted.events & NOTIFY_FLAGS)
		imap_tell_flags(s, false);
	imap_contexts_update(s);
}

/* What of the flags can be changed: nothing by EXAMINE, else what the rights
 * say (RFC 4314, 5.1.1). */
static void
tell_permanent_flags(struct imap_session *s, const struct slice *words,
    size_t n)
{
	struct buf b = BUF_INIT(IMAP_OUT_LARGE);

	if (imap_may(s, ACL_SEEN))
		buf_addz(&b, " \\Seen");
	if (imap_may(s, ACL_WRITE))
		buf_addz(&b, " \\Answered \\Flagged");
	if (imap_may(s, ACL_TRASH))
		buf_addz(&b, " \\Deleted");
	if (imap_may(s, ACL_WRITE)) {
		buf_addz(&b,
		    " \\Draft $Forwarded $Junk $NotJunk $Phishing $MDNSent");
		for (size_t i = 0; i < n; i++)
			buf_addf(&b, " %.*s", SLICE_FMT(words[i]));
		buf_addz(&b, " \\*");
	}
	buf_addz(&s->out, "* OK [PERMANENTFLAGS (");
	buf_add(&s->out, slice_skip(buf_slice(&b), 1));
	buf_addz(&s->out, ")] flags kept\r\n");
	buf_free(&b);
}

void
imap_tell_flags(struct imap_session *s, bool force)
{
	static const char fixed[] =
	    "\\Seen \\Answered \\Flagged \\Deleted \\Draft "
	    "$Forwarded $Junk $NotJunk $Phishing $MDNSent";
	const struct slice *words;
	size_t n = mailbox_keywords(s->mb, &words);

	if (!force && n == s->keywords_told)
		return;
	s->keywords_told = n;
	buf_addf(&s->out, "* FLAGS (%s", fixed);
	for (size_t i = 0; i < n; i++)
		buf_addf(&s->out, " %.*s", SLICE_FMT(words[i]));
	buf_addz(&s->out, ")\r\n");
	tell_permanent_flags(s, words, n);
}

void
imap_put_fetch(struct imap_session *s, uint32_t seq)
{
	struct buf *b = &s->out;
	bool uidonly = s->enabled & IMAP_UIDONLY;

	buf_add(b, SLICE("* "));
	buf_addu(b, uidonly ? mailbox_msg(s->mb, seq)->uid : seq);
	buf_add(b, uidonly ? SLICE(" UIDFETCH (") : SLICE(" FETCH ("));
}

void
imap_tell_message(struct imap_session *s, uint32_t seq, bool uid, bool modseq)
{
	const struct store_msg *m = mailbox_msg(s->mb, seq);
	struct buf *b = &s->out;

	imap_put_fetch(s, seq);
	if (uid && !(s->enabled & IMAP_UIDONLY)) {
		buf_addz(b, "UID ");
		buf_addu(b, m->uid);
		buf_addc(b, ' ');
	}
	buf_addz(b, "FLAGS (");
	imap_put_flags(b, s->mb, m->flags, m->keywords);
	buf_addc(b, ')');
	/* RFC 7162, 3.1.4.2: always, once CONDSTORE is on. */
	if (modseq || s->enabled & IMAP_CONDSTORE) {
		buf_addz(b, " MODSEQ (");
		buf_addu(b, m->modseq);
		buf_addc(b, ')');
	}
	buf_addz(b, ")\r\n");
}

void
imap_enable_condstore(struct imap_session *s)
{
	if (s->enabled & IMAP_CONDSTORE)
		return;
	s->enabled |= IMAP_CONDSTORE;
	if (s->mb)
		imap_line(s,
		    "OK [HIGHESTMODSEQ %llu] after condstore-enabling "
		    "command",
		    (unsigned long long)mailbox_modseq(s->mb));
}

void
imap_unselect(struct imap_session *s)
{
	imap_contexts_free(s);
	if (s->mb)
		imap_notify_left(s);
	mailbox_close(&s->mb);
	s->readonly = false;
	s->rights = 0;
	s->saved.n = 0;
	s->keywords_told = 0;
	s->place.uid = 0;
	imap_decoded_forget(s);
	s->searches_text = false;
	s->indexed_uidnext = 0;
}
