/* search_return - RETURN (...) (RFC 4731), its answer, "$" (RFC 5182). */
#include "imap/search.h"

static const struct {
	const char *name;
	unsigned bit;
} options[] = {
	{ "MIN", SEARCH_RETURN_MIN },
	{ "MAX", SEARCH_RETURN_MAX },
	{ "ALL", SEARCH_RETURN_ALL },
	{ "COUNT", SEARCH_RETURN_COUNT },
	{ "SAVE", SEARCH_RETURN_SAVE },
};

#define OPTIONS (sizeof(options) / sizeof(*options))

static bool
option(struct imap_parse *p, struct search_return *ret)
{
	for (size_t i = 0; i < OPTIONS; i++)
		if (imap_word(p, options[i].name)) {
			ret->options |= options[i].bit;
			return true;
		}
	return imap_wrong(p, "unknown return option");
}

bool
imap_search_return(struct imap_parse *p, struct search_return *ret_r)
{
	*ret_r = (struct search_return){ .options = SEARCH_RETURN_ALL };
	if (!imap_word(p, "RETURN"))
		return true;
	*ret_r = (struct search_return){ .given = true };
	if (!imap_sp(p) || !imap_char(p, '('))
		return imap_wrong(p, "expected ( after RETURN");
	while (!imap_char(p, ')'))
		if ((ret_r->options && !imap_sp(p)) || !option(p, ret_r))
			return false;
	/* RFC 4731, 3.1: none is ALL. */
	if (ret_r->options == 0)
		ret_r->options = SEARCH_RETURN_ALL;
	return imap_sp(p);
}

uint32_t
imap_search_number(const struct imap_session *s, uint32_t seq, bool uid)
{
	return uid ? mailbox_msg(s->mb, seq)->uid : seq;
}

static void
put_all(struct imap_session *s, bool uid, const uint32_t *seqs, uint32_t n)
{
	uint32_t *numbers = arena_array(s->arena, n, sizeof(*numbers));

	for (uint32_t i = 0; i < n; i++)
		numbers[i] = imap_search_number(s, seqs[i], uid);
	imap_put_uids(&s->out, numbers, n);
}

static uint32_t
least(const struct search_found *f)
{
	uint32_t seq = f->seqs[0];

	for (uint32_t i = 1; i < f->count; i++)
		if (f->seqs[i] < seq)
			seq = f->seqs[i];
	return seq;
}

static uint32_t
greatest(const struct search_found *f)
{
	uint32_t seq = f->seqs[0];

	for (uint32_t i = 1; i < f->count; i++)
		if (f->seqs[i] > seq)
			seq = f->seqs[i];
	return seq;
}

/*
 * What is told or saved of those found: all if ALL or COUNT is asked for (of
 * what is saved: also if nothing is), else those of MIN and MAX.
 */
static struct search_found
chosen(struct imap_session *s, const struct search_return *ret,
    const struct search_found *found)
{
	const unsigned all = SEARCH_RETURN_ALL | SEARCH_RETURN_COUNT;
	const unsigned some = SEARCH_RETURN_MIN | SEARCH_RETURN_MAX;
	struct search_found c = { arena_array(s->arena, 2, sizeof(uint32_t)),
		0 };

	if (!found->count || ret->options & all || !(ret->options & some))
		return *found;
	if (ret->options & SEARCH_RETURN_MIN)
		c.seqs[c.count++] = least(found);
	if (ret->options & SEARCH_RETURN_MAX)
		c.seqs[c.count++] = greatest(found);
	return c;
}

/* RFC 7162, 3.1.5: the highest modseq of what is returned. */
static uint64_t
told_modseq(const struct imap_session *s, const struct search_found *f)
{
	uint64_t modseq = 0;

	for (uint32_t i = 0; i < f->count; i++) {
		uint64_t v = mailbox_msg(s->mb, f->seqs[i])->modseq;
		if (v > modseq)
			modseq = v;
	}
	return modseq;
}

void
imap_tell_esearch(struct imap_session *s, const struct imap_command *c,
    const struct search_return *ret, const struct search_found *found,
    bool modseq)
{
	struct buf *b = &s->out;
	struct search_found told;

	buf_addz(b, "* ESEARCH (TAG ");
	imap_put_string(b, c->tag);
	buf_addz(b, c->uid ? ") UID" : ")");
	if (ret->options & SEARCH_RETURN_MIN && found->count)
		buf_addf(b, " MIN %u",
		    imap_search_number(s, least(found), c->uid));
	if (ret->options & SEARCH_RETURN_MAX && found->count)
		buf_addf(b, " MAX %u",
		    imap_search_number(s, greatest(found), c->uid));
	if (ret->options & SEARCH_RETURN_ALL && found->count) {
		buf_addz(b, " ALL ");
		put_all(s, c->uid, found->seqs, found->count);
	}
	if (ret->options & SEARCH_RETURN_COUNT)
		buf_addf(b, " COUNT %u", found->count);
	if (modseq && found->count) {
		told = chosen(s, ret, found);
		buf_addf(b, " MODSEQ %llu",
		    (unsigned long long)told_modseq(s, &told));
	}
	buf_addz(b, "\r\n");
}

void
imap_search_save(struct imap_session *s, const struct search_return *ret,
    const struct search_found *found)
{
	struct search_found saved = chosen(s, ret, found);

	s->saved.n = 0;
	for (uint32_t i = 0; i < saved.count; i++) {
		uint32_t uid = imap_search_number(s, saved.seqs[i], true);
		uidset_add(&s->saved, uid, uid);
	}
}
