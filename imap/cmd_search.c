/* SEARCH (RFC 9051, 6.4.4). */
#include "imap/limit.h"

enum imap_result
imap_cmd_search(struct imap_session *s, struct imap_command *c)
{
	struct search_found found;
	struct search_return ret;
	struct err e = ERR_INIT;
	struct search search = { 0 };
	struct slice program;

	if (!imap_sp(&c->p) || !imap_search_return(&c->p, &ret))
		return imap_bad_args(c);
	program = scan_rest(&c->p.sc);
	if (!imap_search_program(s, &c->p, &search) ||
	    !imap_search_return_ok(s, c, &ret, &search)) {
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
		return imap_stopped(s, c, STORE_FAILED, &e);
	}
	if (ret.options & SEARCH_RETURN_UPDATE)
		imap_context_begin(s, c, program, ret.fetch, NULL, &found);
	else if (imap_limit_found(s, c, &ret, &found) != IMAP_OK)
		return IMAP_NO;
	/* RFC 9051, 6.4.4: with rev2 the answer is always ESEARCH. */
	if (ret.given || s->enabled & IMAP_REV2)
		imap_search_answer(s, c, &ret, &found, search.modseq);
	else
		imap_tell_numbers(s, "SEARCH", &found, c->uid, search.modseq);
	return IMAP_OK;
}
