/* SELECT, EXAMINE, CLOSE, UNSELECT. */
#include "imap/imap.h"

/* "(CONDSTORE)", RFC 7162, 3.1.8; RFC 4466, 2.1 for unknown parameters. */
static bool
select_parameters(struct imap_parse *p, bool *condstore_r)
{
	*condstore_r = false;
	if (!imap_char(p, ' '))
		return true;
	if (!imap_char(p, '('))
		return imap_wrong(p, "expected ( before select parameters");
	do {
		if (!imap_word(p, "CONDSTORE"))
			return imap_wrong(p, "unknown select parameter");
		*condstore_r = true;
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
	if (counts.first_unseen && !(s->enabled & IMAP_REV2))
		imap_line(s, "OK [UNSEEN %u] first unseen",
		    counts.first_unseen);
	imap_line(s, "OK [UIDVALIDITY %u] UIDs are valid",
	    mailbox_uidvalidity(s->mb));
	imap_line(s, "OK [UIDNEXT %u] predicted next UID",
	    mailbox_uidnext(s->mb));
	buf_addz(&s->out, "* LIST () \"/\" ");
	imap_put_mailbox(s, mailbox_name(s->mb));
	buf_addz(&s->out, "\r\n");
	/* RFC 7162, 3.1.2.1: told to all; costs nothing and clients that do
	 * not know it pass over it. */
	imap_line(s, "OK [HIGHESTMODSEQ %llu] highest",
	    (unsigned long long)mailbox_modseq(s->mb));
}

enum imap_result
imap_cmd_select(struct imap_session *s, struct imap_command *c)
{
	bool examine = slice_isi(c->name, "EXAMINE"), condstore;
	struct err e = ERR_INIT;
	struct slice name;
	int rc;

	if (!imap_sp(&c->p) || !imap_mailbox(&c->p, &name) ||
	    !select_parameters(&c->p, &condstore) || !imap_end(&c->p)) {
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
	if (condstore)
		s->enabled |= IMAP_CONDSTORE;
	rc = mailbox_open(&s->mb, s->store, name, &e);
	if (rc < 0)
		return imap_store_failed(c, STORE_FAILED, &e);
	if (rc == 0)
		return imap_no(c, "NONEXISTENT", "no such mailbox");
	s->readonly = examine;
	tell_selected(s);
	imap_code(c, examine ? "READ-ONLY" : "READ-WRITE");
	return IMAP_OK;
}

/* CLOSE expunges without telling (RFC 9051, 6.4.1). */
enum imap_result
imap_cmd_close(struct imap_session *s, struct imap_command *c)
{
	struct uidset gone = UIDSET_INIT(s->arena);
	struct err e = ERR_INIT;
	uint64_t modseq;

	if (!imap_end(&c->p))
		return imap_bad_args(c);
	if (!s->readonly &&
	    mailbox_expunge(s->mb, NULL, &gone, &modseq, &e) < 0)
		return imap_store_failed(c, STORE_FAILED, &e);
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
