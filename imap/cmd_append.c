/* APPEND (RFC 9051, 6.3.12) and REPLACE (RFC 8508). */
#include "imap/append.h"

static void
put_appenduid(struct buf *b, const struct mailbox_new_result *r, size_t n)
{
	buf_addf(b, "APPENDUID %u ", r->uidvalidity);
	imap_put_uids(b, r->uids, n); /* RFC 3502: as many as messages */
}

enum imap_result
imap_cmd_append(struct imap_session *s, struct imap_command *c)
{
	struct buf code = BUF_INIT(IMAP_LINE_MAX);
	struct imap_append a = { .many = true };
	struct mailbox_new_result r;
	enum imap_result rc;
	struct slice name;
	size_t n;

	if (!imap_sp(&c->p) || !imap_mailbox(&c->p, &name))
		return imap_bad_args(c);
	rc = imap_box_target(s, c, name, &a.box);
	if (rc == IMAP_OK)
		rc = imap_append(s, c, &a, &r, &n);
	if (rc == IMAP_OK) {
		put_appenduid(&code, &r, n);
		imap_code(c, "%s", buf_cstr(&code));
	}
	buf_free(&code);
	return rc;
}

/* ---- REPLACE ---- */

/* The message that goes: a number, or "*". Its number in the view; 0 with a UID
 * that is not there. */
static bool
replaced(struct imap_session *s, struct imap_command *c, uint32_t *seq_r)
{
	uint32_t count = mailbox_count(s->mb), v;

	if (imap_char(&c->p, '*'))
		*seq_r = count;
	else if (!imap_number(&c->p, &v))
		return false;
	else
		*seq_r = c->uid ? mailbox_seq(s->mb, v) : v;
	if (c->uid)
		return true;
	return (*seq_r > 0 && *seq_r <= count) ||
	    imap_wrong(&c->p, "no such message number");
}

/* The new one is there; the old one goes, or the new one does. */
static enum imap_result
remove_replaced(struct imap_session *s, struct imap_command *c, uint32_t uid,
    const struct imap_append *a, const struct mailbox_new_result *r)
{
	struct mailbox *target = NULL;
	struct err e = ERR_INIT;

	if (mailbox_remove(s->mb, uid, &e) == 0)
		return IMAP_OK;
	if (imap_is_selected(s, &a->box))
		mailbox_remove(s->mb, r->uids[0], NULL);
	else if (mailbox_open(&target, a->box.store, a->box.name, NULL) == 1)
		mailbox_remove(target, r->uids[0], NULL);
	mailbox_close(&target);
	return imap_store_failed(c, STORE_FAILED, &e);
}

enum imap_result
imap_cmd_replace(struct imap_session *s, struct imap_command *c)
{
	const struct store_msg *m;
	struct imap_append a = { 0 };
	struct mailbox_new_result r;
	enum imap_result rc;
	struct slice name;
	uint32_t seq, uid;
	size_t n;

	if (!imap_sp(&c->p) || !replaced(s, c, &seq) || !imap_sp(&c->p) ||
	    !imap_mailbox(&c->p, &name))
		return imap_bad_args(c);
	/* RFC 8508, 4.4: the rights of APPEND and of EXPUNGE. */
	if (imap_need(s, c, ACL_TRASH | ACL_EXPUNGE) != IMAP_OK ||
	    imap_box_target(s, c, name, &a.box) != IMAP_OK)
		return IMAP_NO;
	m = seq ? mailbox_msg(s->mb, seq) : NULL;
	if (!m || m->flags & STORE_EXPUNGED)
		return imap_no(c, "NONEXISTENT", "message is gone");
	uid = m->uid;
	if (!a.box.other && mailbox_store_of(s->mb) == s->store)
		a.freed = m->size;
	rc = imap_append(s, c, &a, &r, &n);
	if (rc == IMAP_OK)
		rc = remove_replaced(s, c, uid, &a, &r);
	if (rc != IMAP_OK)
		return rc;
	/* RFC 8508, 4.3: before the EXPUNGE, which comes with the updates. */
	buf_addz(&s->out, "* OK [");
	put_appenduid(&s->out, &r, n);
	buf_addz(&s->out, "] replacement is there\r\n");
	c->highest = true; /* RFC 8508, 4.5: as UID EXPUNGE */
	return IMAP_OK;
}
