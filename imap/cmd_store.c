/* STORE (RFC 9051, 6.4.6) with UNCHANGEDSINCE (RFC 7162, 3.1.3). */
#include "imap/box.h"
#include "imap/imap.h"
#include "imap/limit.h"

struct store_args {
	struct uidset uids;
	bool conditional;
	uint64_t unchanged_since;
	enum mailbox_flagop op;
	bool silent;
	struct store_flags flags;
};

static bool
store_modifiers(struct imap_parse *p, struct store_args *a)
{
	if (!imap_char(p, '('))
		return true;
	if (!imap_word(p, "UNCHANGEDSINCE") || !imap_sp(p) ||
	    !imap_number64(p, &a->unchanged_since) || !imap_char(p, ')'))
		return imap_wrong(p, "expected (UNCHANGEDSINCE modseq)");
	a->conditional = true;
	return imap_sp(p);
}

static bool
store_action(struct imap_parse *p, struct store_args *a)
{
	a->op = imap_char(p, '+') ? MAILBOX_ADD
	    : imap_char(p, '-')   ? MAILBOX_REMOVE
				  : MAILBOX_SET;
	if (imap_word(p, "FLAGS.SILENT"))
		a->silent = true;
	else if (!imap_word(p, "FLAGS"))
		return imap_wrong(p, "expected FLAGS, +FLAGS or -FLAGS");
	return imap_sp(p) && imap_flags(p, true, &a->flags);
}

static void
tell_modseq(struct imap_session *s, uint32_t seq, const struct store_msg *m)
{
	imap_put_fetch(s, seq);
	if (!(s->enabled & IMAP_UIDONLY)) {
		buf_addz(&s->out, "UID ");
		buf_addu(&s->out, m->uid);
		buf_addc(&s->out, ' ');
	}
	buf_addz(&s->out, "MODSEQ (");
	buf_addu(&s->out, m->modseq);
	buf_addz(&s->out, "))\r\n");
}

/*
 * Tell the new flags; when silent only the MODSEQ of those changed, if
 * CONDSTORE is on, and of all that passed a condition (RFC 7162, 3.1.3).
 * Expunged ones go to *gone_r.
 */
static void
tell_stored(struct imap_session *s, const struct imap_command *c,
    const struct store_args *a, const struct mailbox_store_result *r,
    struct uidset *gone_r)
{
	bool all = !a->silent || a->conditional, tell;
	struct imap_walk w;
	uint32_t seq;

	imap_tell_flags(s, false);
	tell = !a->silent || s->enabled & IMAP_CONDSTORE;
	w = imap_walk(s->mb, all ? &a->uids : &r->changed);
	while (imap_step(&w, &seq)) {
		const struct store_msg *m = mailbox_msg(s->mb, seq);
		if (m->flags & STORE_EXPUNGED)
			uidset_add(gone_r, m->uid, m->uid);
		else if (!tell ||
		    (r->modified.n && uidset_has(&r->modified, m->uid)))
			;
		else if (a->silent)
			tell_modseq(s, seq, m);
		else
			imap_tell_message(s, seq,
			    c->uid || s->enabled & IMAP_QRESYNC,
			    a->conditional);
		imap_flush_large(s);
	}
}

/*
 * Messages that were left alone (RFC 7162, 3.1.3); among them, by number, those
 * expunged by others, which makes it a failure. RFC 2180, 4.2.2 for the rest.
 */
static enum imap_result
store_result(struct imap_session *s, struct imap_command *c,
    const struct store_args *a, struct mailbox_store_result *r,
    const struct uidset *gone)
{
	struct buf set = BUF_INIT(1 << 20);
	bool failed = a->conditional && gone->n && !c->uid;

	if (failed)
		uidset_add_set(&r->modified, gone);
	if (!r->modified.n) {
		if (gone->n)
			imap_code(c, "EXPUNGEISSUED"); /* RFC 5530, 3 */
		return IMAP_OK;
	}
	imap_put_set(s, &set, &r->modified, c->uid);
	imap_code(c, "MODIFIED %s", buf_cstr(&set));
	buf_free(&set);
	c->text = failed ? SLICE("some messages are gone")
			 : SLICE("some messages have changed");
	return failed ? IMAP_NO : IMAP_OK;
}

/*
 * Leave what the user may change (RFC 4314, 4); NO only if that is nothing.
 */
static enum imap_result
allowed(struct imap_session *s, struct imap_command *c, struct store_args *a)
{
	uint16_t kept = imap_kept_flags(s->rights);
	bool some = a->flags.flags || a->flags.nkeywords;

	if (s->readonly)
		return imap_no(c, "READ-ONLY", "mailbox is opened read-only");
	imap_allowed_flags(&a->flags, s->rights);
	if (a->op == MAILBOX_SET) {
		a->flags.kept = kept;
		a->flags.keywords_kept = !(s->rights & ACL_WRITE);
	}
	if ((!some && kept != STORE_FLAGS) || a->flags.flags ||
	    a->flags.nkeywords)
		return IMAP_OK;
	return imap_no(c, "NOPERM", "you have no right to change these flags");
}

enum imap_result
imap_cmd_store(struct imap_session *s, struct imap_command *c)
{
	struct mailbox_store_result r = {
		.changed = UIDSET_INIT(s->arena),
		.modified = UIDSET_INIT(s->arena),
	};
	struct store_args a = { 0 };
	struct uidset gone = UIDSET_INIT(s->arena);
	struct imap_parse *p = &c->p;
	struct err e = ERR_INIT;

	if (!imap_sp(p) || !imap_seqset(s, p, c->uid, &a.uids) || !imap_sp(p) ||
	    !store_modifiers(p, &a) || !store_action(p, &a) || !imap_end(p))
		return imap_bad_args(c);
	if (allowed(s, c, &a) != IMAP_OK)
		return IMAP_NO;
	if (a.conditional)
		imap_enable_condstore(s);
	imap_limit_uids(s, c, &a.uids);
	if (mailbox_store(s->mb, &a.uids, a.op, &a.flags, a.conditional,
		a.unchanged_since, s->arena, &r, &e) < 0)
		return imap_store_failed(c, STORE_FAILED, &e);
	tell_stored(s, c, &a, &r, &gone);
	return store_result(s, c, &a, &r, &gone);
}
