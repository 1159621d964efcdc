/* SELECT, EXAMINE, CLOSE, UNSELECT. */
#include "imap/box.h"
#include "imap/resync.h"

struct select_args {
	struct slice name;
	bool condstore;
	struct imap_resync resync; /* of a client that knows the mailbox */
};

/* "(CONDSTORE QRESYNC (...))", RFC 7162, 3.1.8 and 3.2.5; RFC 4466, 2.1 for
 * unknown parameters. */
static bool
select_parameters(struct imap_session *s, struct imap_parse *p,
    struct select_args *a)
{
	if (!imap_char(p, ' '))
		return true;
	if (!imap_char(p, '('))
		return imap_wrong(p, "expected ( before select parameters");
	do {
		if (imap_word(p, "CONDSTORE"))
			a->condstore = true;
		else if (!imap_word(p, "QRESYNC"))
			return imap_wrong(p, "unknown select parameter");
		else if (!(s->enabled & IMAP_QRESYNC))
			return imap_wrong(p, "QRESYNC is not enabled");
		else if (!imap_resync_args(p, &a->resync))
			return false;
		else if (a->resync.seqs.n && s->enabled & IMAP_UIDONLY) {
			/* RFC 9586, 3.5 */
			p->code = "UIDREQUIRED";
			return imap_wrong(p, "message numbers are off");
		}
	} while (imap_char(p, ' '));
	return imap_char(p, ')') || imap_wrong(p, "expected )");
}

/* RFC 9051, 6.3.2; the order is that of the example there. */
static void
tell_selected(struct imap_session *s)
{
	struct mailbox_counts counts;

	mailbox_counts(s->mb, &counts);
	imap_tell_flags(s, true);
	if (!(s->enabled & IMAP_REV2))
		imap_line(s, "0 RECENT");
	imap_line(s, "%u EXISTS", counts.messages);
	/* RFC 9586, 3.4: no number there either. */
	if (counts.first_unseen && !(s->enabled & (IMAP_REV2 | IMAP_UIDONLY)))
		imap_line(s, "OK [UNSEEN %u] first unseen",
		    counts.first_unseen);
	imap_line(s, "OK [UIDVALIDITY %u] UIDs are valid",
	    mailbox_uidvalidity(s->mb));
	imap_line(s, "OK [UIDNEXT %u] predicted next UID",
	    mailbox_uidnext(s->mb));
	imap_line(s, "OK [MAILBOXID (%.*s)] RFC 8474",
	    SLICE_FMT(mailbox_id(s->mb)));
	/* RFC 4467, 8 */
	if (!imap_disabled(s, SLICE("URLAUTH")))
		imap_line(s, "OK [URLMECH INTERNAL] for GENURLAUTH");
	buf_addz(&s->out, "* LIST () \"/\" ");
	imap_put_mailbox(s, imap_full_name(s, s->mb));
	buf_addz(&s->out, "\r\n");
	/* RFC 7162, 3.1.2.1: told to all; costs nothing and clients that do
	 * not know it pass over it. */
	imap_line(s, "OK [HIGHESTMODSEQ %llu] highest",
	    (unsigned long long)mailbox_modseq(s->mb));
}

static enum imap_result
open_and_tell(struct imap_session *s, struct imap_command *c,
    const struct select_args *a)
{
	struct err e = ERR_INIT;
	struct imap_box box;
	int rc;

	if (imap_box(s, c, a->name, ACL_READ, &box) != IMAP_OK)
		return IMAP_NO;
	s->rights = box.rights;
	imap_progress_begin(s, c->tag);
	rc = mailbox_open(&s->mb, box.store, box.name, &e);
	imap_progress_end(s);
	if (rc == 0)
		return imap_no(c, "NONEXISTENT", "no such mailbox");
	if (rc == 1 && mailbox_announce(s->mb, &e) == 0) {
		tell_selected(s);
		if (!a->resync.given || imap_resync(s, &a->resync, &e) == 0)
			return IMAP_OK;
	}
	if (s->mb)
		imap_unselect(s);
	return imap_stopped(s, c, STORE_FAILED, &e);
}

enum imap_result
imap_cmd_select(struct imap_session *s, struct imap_command *c)
{
	bool examine = slice_isi(c->name, "EXAMINE");
	struct select_args a = { 0 };
	enum imap_result rc;

	if (!imap_sp(&c->p) || !imap_mailbox(&c->p, &a.name) ||
	    !select_parameters(s, &c->p, &a) || !imap_end(&c->p)) {
		/* RFC 9051, 6.3.2: a failed SELECT leaves nothing selected. */
		if (c->p.code && s->mb) {
			imap_unselect(s);
			imap_line(s, "OK [CLOSED] closed");
		}
		return imap_bad_args(c);
	}
	if (s->mb) {
		imap_unselect(s);
		imap_line(s, "OK [CLOSED] closed");
	}
	if (a.condstore)
		s->enabled |= IMAP_CONDSTORE;
	s->readonly = examine;
	rc = open_and_tell(s, c, &a);
	/* RFC 4314, 5.2 */
	if (rc == IMAP_OK)
		imap_code(c,
		    imap_may(s,
			ACL_INSERT | ACL_EXPUNGE | ACL_SEEN | ACL_WRITE |
			    ACL_TRASH)
			? "READ-WRITE"
			: "READ-ONLY");
	else
		s->readonly = false;
	return rc;
}

/*
 * RFC 7162, 3.2.8. The client is not told what CLOSE expunged, so the new
 * HIGHESTMODSEQ is true for it only if nothing else happened meanwhile;
 * otherwise it gets the old one, and asks again when it comes back.
 */
static void
code_of_close(struct imap_command *c, uint64_t known, uint64_t modseq)
{
	imap_code(c, "HIGHESTMODSEQ %llu",
	    (unsigned long long)(modseq == known + 1 ? modseq : known));
}

/* CLOSE expunges without telling (RFC 9051, 6.4.1). */
enum imap_result
imap_cmd_close(struct imap_session *s, struct imap_command *c)
{
	struct uidset gone = UIDSET_INIT(s->arena);
	uint64_t known = mailbox_modseq(s->mb), modseq;
	struct err e = ERR_INIT;

	if (!imap_end(&c->p))
		return imap_bad_args(c);
	/* Who may not expunge just leaves (RFC 4314, 4). */
	if (imap_may(s, ACL_EXPUNGE) &&
	    mailbox_expunge(s->mb, NULL, &gone, &modseq, &e) < 0)
		return imap_store_failed(c, STORE_FAILED, &e);
	if (gone.n && s->enabled & IMAP_CONDSTORE)
		code_of_close(c, known, modseq);
	imap_unselect(s);
	return IMAP_OK;
}

enum imap_result
imap_cmd_unselect(struct imap_session *s, struct imap_command *c)
{
	if (!imap_end(&c->p))
		return imap_bad_args(c);
	imap_unselect(s);
	return IMAP_OK;
}
