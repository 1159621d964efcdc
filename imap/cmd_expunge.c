/* EXPUNGE and UID EXPUNGE (RFC 9051, 6.4.3 and 6.4.9). */
#include "imap/box.h"
#include "imap/imap.h"
#include "imap/limit.h"

enum imap_result
imap_cmd_expunge(struct imap_session *s, struct imap_command *c)
{
	struct uidset uids, gone = UIDSET_INIT(s->arena);
	struct err e = ERR_INIT;
	uint64_t modseq;

	if (c->uid && (!imap_sp(&c->p) || !imap_seqset(s, &c->p, true, &uids)))
		return imap_bad_args(c);
	if (!imap_end(&c->p))
		return imap_bad_args(c);
	if (imap_need(s, c, ACL_EXPUNGE) != IMAP_OK)
		return IMAP_NO;
	if (c->uid)
		imap_limit_deleted(s, c, &uids);
	if (mailbox_expunge(s->mb, c->uid ? &uids : NULL, &gone, &modseq, &e) <
	    0)
		return imap_store_failed(c, STORE_FAILED, &e);
	/* The EXPUNGE lines are those of all updates, before the answer. */
	c->highest = gone.n > 0; /* RFC 7162, 3.2.7 and 3.2.9 */
	c->text = SLICE("expunged");
	return IMAP_OK;
}
