/* STORE (RFC 9051, 6.4.6) with UNCHANGEDSINCE (RFC 7162, 3.1.3). */
#include "imap/imap.h"
#include "imap/seqset.h"

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

/* Tell the new flags; with CONDSTORE the MODSEQ of changed ones even when
 * silent (RFC 7162, 3.1.3). */
static void
tell_stored(struct imap_session *s, const struct imap_command *c,
    const struct store_args *a, const struct mailbox_store_result *r)
{
	struct imap_walk w;
	uint32_t seq;

	imap_tell_flags(s, false);
	if (a->silent && !(s->enabled & IMAP_CONDSTORE))
		return;
	w = imap_walk(s->mb, a->silent ? &r->changed : &a->uids);
	while (imap_step(&w, &seq)) {
		const struct store_msg *m = mailbox_msg(s->mb, seq);
		if (m->flags & STORE_EXPUNGED ||
		    (r->modified.n && uidset_has(&r->modified, m->uid)))
			continue;
		if (!a->silent)
			imap_tell_message(s, seq, c->uid, a->conditional);
		else
			imap_line(s, "%u FETCH (UID %u MODSEQ (%llu))", seq,
			    m->uid, (unsigned long long)m->modseq);
		imap_flush_large(s);
	}
}

enum imap_result
imap_cmd_store(struct imap_session *s, struct imap_command *c)
{
	struct mailbox_store_result r = {
		.changed = UIDSET_INIT(s->arena),
		.modified = UIDSET_INIT(s->arena),
	};
	struct store_args a = { 0 };
	struct imap_parse *p = &c->p;
	struct err e = ERR_INIT;

	if (!imap_sp(p) || !imap_seqset(s, p, c->uid, &a.uids) || !imap_sp(p) ||
	    !store_modifiers(p, &a) || !store_action(p, &a) || !imap_end(p))
		return imap_bad_args(c);
	if (s->readonly)
		return imap_no(c, "READ-ONLY", "mailbox is opened read-only");
	if (a.conditional)
		imap_enable_condstore(s);
	if (mailbox_store(s->mb, &a.uids, a.op, &a.flags, a.conditional,
		a.unchanged_since, s->arena, &r, &e) < 0)
		return imap_store_failed(c, STORE_FAILED, &e);
	tell_stored(s, c, &a, &r);
	if (r.modified.n) {
		struct buf set = BUF_INIT(1 << 20);
		imap_put_set(s, &set, &r.modified, c->uid);
		imap_code(c, "MODIFIED %s", buf_cstr(&set));
		buf_free(&set);
		c->text = SLICE("some messages have changed");
	}
	return IMAP_OK;
}
