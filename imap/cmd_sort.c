/* SORT (RFC 5256), with RETURN (RFC 5267, 3). */
#include "imap/limit.h"
#include "imap/sort.h"

enum imap_result
imap_cmd_sort(struct imap_session *s, struct imap_command *c)
{
	struct search search = { 0 };
	struct search_found found;
	struct search_return ret;
	struct err e = ERR_INIT;
	struct slice program;
	struct sort sort;

	if (!imap_sp(&c->p) || !imap_search_return(&c->p, &ret) ||
	    !imap_sort_parse(&c->p, &sort) || !imap_sp(&c->p))
		return imap_bad_args(c);
	program = scan_rest(&c->p.sc);
	if (!imap_search_criteria(s, &c->p, &search) ||
	    !imap_search_return_ok(s, c, &ret, &search))
		return imap_bad_args(c);
	if (search.modseq)
		imap_enable_condstore(s);
	if (imap_search_run(s, c->tag, &search, &found, &e) < 0 ||
	    imap_sort(s, &sort, &found, &e) < 0) {
		if (ret.options & SEARCH_RETURN_SAVE)
			s->saved.n = 0;
		return imap_stopped(s, c, STORE_FAILED, &e);
	}
	if (imap_over_limit(found.count)) {
		if (ret.options & SEARCH_RETURN_SAVE)
			s->saved.n = 0;
		return imap_limit_refuse(c);
	}
	if (ret.options & SEARCH_RETURN_UPDATE)
		imap_context_begin(s, c, program, ret.fetch, &sort, &found);
	if (ret.given)
		imap_search_answer(s, c, &ret, &found, search.modseq);
	else
		imap_tell_numbers(s, "SORT", &found, c->uid, search.modseq);
	return IMAP_OK;
}
