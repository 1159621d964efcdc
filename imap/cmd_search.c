/* SEARCH (RFC 9051, 6.4.4). */
#include "imap/search.h"

/* The old answer, which has all numbers in one line. */
static void
tell_search(struct imap_session *s, const struct imap_command *c,
    const struct search_found *found, bool modseq)
{
	struct buf *b = &s->out;
	uint64_t highest = 0;

	buf_addz(b, "* SEARCH");
	for (uint32_t i = 0; i < found->count; i++) {
		const struct store_msg *m = mailbox_msg(s->mb, found->seqs[i]);
		buf_addc(b, ' ');
		buf_addu(b, c->uid ? m->uid : found->seqs[i]);
		imap_flush_large(s);
		if (m->modseq > highest)
			highest = m->modseq;
	}
	/* RFC 7162, 3.1.5: the highest of those found. */
	if (modseq && found->count)
		buf_addf(b, " (MODSEQ %llu)", (unsigned long long)highest);
	buf_addz(b, "\r\n");
}

enum imap_result
imap_cmd_search(struct imap_session *s, struct imap_command *c)
{
	struct search_found found;
	struct search_return ret;
	struct err e = ERR_INIT;
	struct search search = { 0 };

	if (!imap_sp(&c->p) || !imap_search_return(&c->p, &ret))
		return imap_bad_args(c);
	if (!imap_search_program(s, &c->p, &search)) {
		/* RFC 5182, 2.1: a failed search leaves an empty result. */
		if (ret.options & SEARCH_RETURN_SAVE && c->p.code)
			s->saved.n = 0;
		return imap_bad_args(c);
	}
	if (search.modseq)
		imap_enable_condstore(s);
	if (imap_search_run(s, c->tag, &search, &found, &e) < 0) {
		if (ret.options & SEARCH_RETURN_SAVE)
			s->saved.n = 0;
		return imap_search_failed(s, c, &e);
	}
	if (ret.options & SEARCH_RETURN_SAVE)
		imap_search_save(s, &ret, &found);
	/* RFC 9051, 6.4.4: with rev2 the answer is always ESEARCH. */
	if (!ret.given && !(s->enabled & IMAP_REV2))
		tell_search(s, c, &found, search.modseq);
	else if (ret.options != SEARCH_RETURN_SAVE)
		imap_tell_esearch(s, c, &ret, &found, search.modseq);
	return IMAP_OK;
}
