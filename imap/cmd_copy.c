/* COPY and MOVE (RFC 9051, 6.4.7 and 6.4.8), with COPYUID (RFC 4315). */
#include "imap/imap.h"
#include "imap/seqset.h"

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

enum imap_result
imap_cmd_copy(struct imap_session *s, struct imap_command *c)
{
	bool move = slice_eqi(slice_of(c->def->name, 4), SLICE("MOVE"));
	struct mailbox_copy_result r = { 0 };
	struct imap_parse *p = &c->p;
	struct err e = ERR_INIT;
	enum store_code code;
	struct uidset uids;
	struct slice name, uid_code;

	if (!imap_sp(p) || !imap_seqset(s, p, c->uid, &uids) || !imap_sp(p) ||
	    !imap_mailbox(p, &name) || !imap_end(p))
		return imap_bad_args(c);
	if (move && s->readonly)
		return imap_no(c, "READ-ONLY", "mailbox is opened read-only");
	if (slice_eq(name, mailbox_name(s->mb)))
		return imap_no(c, "CANNOT", "cannot %s within a mailbox",
		    move ? "move" : "copy");
	code = mailbox_copy(s->mb, &uids, name, move, s->arena, &r, &e);
	if (code == STORE_NONEXISTENT)
		return imap_no(c, "TRYCREATE", "no such mailbox");
	if (code != STORE_OK)
		return imap_store_failed(c, code, &e);
	if (r.n == 0)
		return IMAP_OK;
	uid_code = copyuid(s, &r);
	if (uid_code.n && move) {
		/* RFC 6851, 4.3: before the EXPUNGEs. */
		buf_addz(&s->out, "* OK [");
		buf_add(&s->out, uid_code);
		buf_addz(&s->out, "] moved\r\n");
	}
	if (move)
		c->highest = true; /* RFC 7162, 3.2.9: as for UID EXPUNGE */
	else
		c->code = uid_code;
	return IMAP_OK;
}
