/* limit - the highest of too many messages. */
#include "imap/limit.h"

uint32_t imap_message_limit;

/* The messages of the walk but the highest are passed over. */
static void
pass_over(struct imap_command *c, struct imap_walk *w, uint32_t n)
{
	struct imap_walk ahead;
	uint32_t seq;

	imap_walk_skip(w, n - imap_message_limit);
	ahead = *w;
	if (imap_step(&ahead, &seq))
		c->lowest = mailbox_msg(w->mb, seq)->uid;
}

bool
imap_over_limit(uint32_t n)
{
	return imap_message_limit && n > imap_message_limit;
}

uint32_t
imap_limit_walk(struct imap_command *c, struct imap_walk *w, uint32_t n)
{
	if (!imap_message_limit)
		return n;
	if (n == UINT32_MAX)
		n = imap_walk_count(w);
	if (!imap_over_limit(n))
		return n;
	pass_over(c, w, n);
	return imap_message_limit;
}

void
imap_limit_uids(struct imap_session *s, struct imap_command *c,
    struct uidset *uids)
{
	struct uidset higher = UIDSET_INIT(s->arena);
	struct imap_walk w = imap_walk(s->mb, uids);

	imap_limit_walk(c, &w, UINT32_MAX);
	if (!c->lowest)
		return;
	uidset_add_set(&higher, uids); /* they may be those of "$" */
	uidset_remove(&higher, 1, c->lowest - 1);
	*uids = higher;
}

void
imap_limit_deleted(struct imap_session *s, struct imap_command *c,
    struct uidset *uids)
{
	struct uidset deleted = UIDSET_INIT(s->arena);
	struct imap_walk w;
	uint32_t seq;

	if (!imap_message_limit)
		return;
	for (w = imap_walk(s->mb, uids); imap_step(&w, &seq);) {
		const struct store_msg *m = mailbox_msg(s->mb, seq);
		if (m->flags & STORE_DELETED)
			uidset_add(&deleted, m->uid, m->uid);
	}
	*uids = deleted;
	imap_limit_uids(s, c, uids);
}

uint32_t
imap_limit_listed(const struct search_return *ret,
    const struct search_found *found)
{
	uint32_t first, last;

	if (ret->options & (SEARCH_RETURN_ALL | SEARCH_RETURN_SAVE))
		return found->count;
	if (!(ret->options & SEARCH_RETURN_PARTIAL) ||
	    !imap_partial_of(&ret->partial, found->count, &first, &last))
		return 0;
	return last - first + 1;
}

enum imap_result
imap_limit_found(struct imap_session *s, struct imap_command *c,
    const struct search_return *ret, struct search_found *found)
{
	uint32_t over;

	if (!imap_over_limit(imap_limit_listed(ret, found)))
		return IMAP_OK;
	if (ret->options & SEARCH_RETURN_PARTIAL) {
		if (ret->options & SEARCH_RETURN_SAVE)
			s->saved.n = 0;
		return imap_limit_refuse(c);
	}
	over = found->count - imap_message_limit;
	found->seqs += over;
	if (found->scores)
		found->scores += over;
	found->count = imap_message_limit;
	c->lowest = mailbox_msg(s->mb, found->seqs[0])->uid;
	return IMAP_OK;
}

enum imap_result
imap_limit_refuse(struct imap_command *c)
{
	imap_no(c, NULL, "too many messages for one command");
	imap_code(c, "MESSAGELIMIT %u", imap_message_limit);
	return IMAP_NO;
}

void
imap_limit_tell(struct imap_session *s, struct imap_command *c)
{
	bool taken = c->code.n || (c->highest && s->enabled & IMAP_CONDSTORE);

	if (!c->lowest)
		return;
	if (taken) {
		imap_line(s, "NO [MESSAGELIMIT %u %u] there are more messages",
		    imap_message_limit, c->lowest);
		return;
	}
	imap_code(c, "MESSAGELIMIT %u %u", imap_message_limit, c->lowest);
	c->text = arena_printf(s->arena, "completed with %u partial results",
	    imap_message_limit);
}
