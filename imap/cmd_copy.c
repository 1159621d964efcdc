/* COPY and MOVE (RFC 9051, 6.4.7 and 6.4.8), with COPYUID (RFC 4315). */
#include "imap/box.h"
#include "imap/notify.h"
#include "imap/limit.h"

#define COPYUID_MAX (4 << 20) /* 100,000 scattered UIDs take about 1.4 MB */

static struct slice
copyuid(struct imap_session *s, const struct mailbox_copy_result *r)
{
	struct buf b = BUF_INIT(COPYUID_MAX);
	struct slice text;

	buf_addf(&b, "COPYUID %u ", r->uidvalidity);
	imap_put_uids(&b, r->source, r->n);
	buf_addc(&b, ' ');
	imap_put_uids(&b, r->target, r->n);
	/* Too long to say: clients can do without (RFC 4315, 3). */
	text = b.over ? SLICE_NULL : arena_dup(s->arena, buf_slice(&b));
	buf_free(&b);
	return text;
}

static void
tell_copied(struct imap_session *s, struct imap_command *c, bool move,
    const struct mailbox_copy_result *r)
{
	struct slice code = SLICE_NULL;

	if (r->n)
		code = copyuid(s, r);
	if (!move) {
		c->code = code;
		return;
	}
	c->highest = r->n > 0; /* RFC 7162, 3.2.9: as for UID EXPUNGE */
	if (!code.n)
		return;
	/* RFC 6851, 4.3: before the EXPUNGEs. */
	buf_addz(&s->out, "* OK [");
	buf_add(&s->out, code);
	buf_addz(&s->out, "] moved\r\n");
}

enum imap_result
imap_cmd_copy(struct imap_session *s, struct imap_command *c)
{
	bool move = slice_eqi(slice_of(c->def->name, 4), SLICE("MOVE"));
	struct mailbox_copy_result r = { 0 };
	struct imap_parse *p = &c->p;
	struct err e = ERR_INIT;
	enum store_code code;
	struct uidset uids;
	struct imap_box box;
	struct mailbox_target to;
	struct imap_walk w;
	struct slice name;

	if (!imap_sp(p) || !imap_seqset(s, p, c->uid, &uids) || !imap_sp(p) ||
	    !imap_mailbox(p, &name) || !imap_end(p))
		return imap_bad_args(c);
	/* RFC 6851, 4.2 */
	if ((move && imap_need(s, c, ACL_TRASH | ACL_EXPUNGE) != IMAP_OK) ||
	    imap_box_target(s, c, name, &box) != IMAP_OK)
		return IMAP_NO;
	if (imap_is_selected(s, &box))
		return imap_no(c, "CANNOT", "cannot %s within a mailbox",
		    move ? "move" : "copy");
	w = imap_walk(s->mb, &uids);
	if (move)
		imap_limit_uids(s, c, &uids);
	else if (imap_message_limit && imap_over_limit(imap_walk_count(&w)))
		return imap_limit_refuse(c);
	imap_progress_begin(s, c->tag);
	to = (struct mailbox_target){ box.store, box.name,
		imap_kept_flags(box.rights), !(box.rights & ACL_WRITE) };
	code = mailbox_copy(s->mb, &uids, &to, move, s->arena, &r, &e);
	imap_progress_end(s);
	/* Of a move that failed some may have moved. */
	tell_copied(s, c, move, &r);
	imap_notify_own_messages(s, box.full, r.uidvalidity, r.target, r.n);
	if (code == STORE_OK)
		return IMAP_OK;
	c->code = SLICE_NULL;
	c->highest = false;
	if (code == STORE_NONEXISTENT)
		return imap_no(c, "TRYCREATE", "no such mailbox");
	return imap_stopped(s, c, code, &e);
}
