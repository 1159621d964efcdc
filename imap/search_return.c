/* search_return - RETURN (...) (RFC 4731), its answer, "$" (RFC 5182). */
#include "imap/box.h"
#include "imap/fetch.h"
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
	{ "PARTIAL", SEARCH_RETURN_PARTIAL },
	{ "CONTEXT", SEARCH_RETURN_CONTEXT },
	{ "UPDATE", SEARCH_RETURN_UPDATE },
	{ "RELEVANCY", SEARCH_RETURN_RELEVANCY },
};

#define OPTIONS (sizeof(options) / sizeof(*options))

static bool
partial(struct imap_parse *p, struct search_return *ret)
{
	struct slice text = scan_rest(&p->sc);

	if (!imap_partial(p, &ret->partial))
		return false;
	ret->range = slice_head(text, text.n - scan_rest(&p->sc).n);
	return true;
}

/* " (UID FLAGS)", or nothing; the grammar has no space, the example has (RFC
 * 5465, 7 and 8). */
static bool
update(struct imap_parse *p, struct search_return *ret)
{
	struct imap_parse before = *p;
	struct fetch f = { .nitems = 0 };
	struct slice from;

	imap_char(p, ' ');
	if (!imap_peek(p, '(')) {
		*p = before;
		return true;
	}
	from = scan_rest(&p->sc);
	if (!imap_fetch_list(p, &f))
		return false;
	ret->fetch = slice_head(from, from.n - scan_rest(&p->sc).n);
	return true;
}

static bool
option(struct imap_parse *p, struct search_return *ret)
{
	const unsigned lists = SEARCH_RETURN_ALL | SEARCH_RETURN_PARTIAL;

	for (size_t i = 0; i < OPTIONS; i++) {
		unsigned bit = options[i].bit;
		if (!imap_word(p, options[i].name))
			continue;
		/* RFC 9394, 3.1: one of the two, and once. */
		if (bit & lists && ret->options & lists)
			return imap_wrong(p, "more than one ALL or PARTIAL");
		ret->options |= bit;
		return bit == SEARCH_RETURN_PARTIAL
		    ? imap_sp(p) && partial(p, ret)
		    : bit != SEARCH_RETURN_UPDATE || update(p, ret);
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
	if ((ret_r->options & SEARCH_RETURN_RESULTS) == 0)
		ret_r->options |= SEARCH_RETURN_ALL;
	return imap_sp(p);
}

bool
imap_search_return_ok(struct imap_session *s, struct imap_command *c,
    const struct search_return *ret, const struct search *search)
{
	/* RFC 5267, 4.3 */
	if (ret->options & SEARCH_RETURN_UPDATE && imap_context_has(s, c->tag))
		return imap_wrong(&c->p, "tag reuse");
	/* RFC 6203, 4 */
	if (ret->options & SEARCH_RETURN_RELEVANCY && !search->fuzzy)
		return imap_wrong(&c->p, "RELEVANCY without FUZZY");
	return true;
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

/* Those found that PARTIAL asks for. */
static struct search_found
partial_of(const struct search_return *ret, const struct search_found *f)
{
	struct search_found part = { .seqs = NULL };
	uint32_t first, last;

	if (imap_partial_of(&ret->partial, f->count, &first, &last)) {
		part.seqs = f->seqs + (first - 1);
		part.scores = f->scores ? f->scores + (first - 1) : NULL;
		part.count = last - first + 1;
	}
	return part;
}

static void
append(struct search_found *to, const uint32_t *seqs, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		to->seqs[to->count++] = seqs[i];
}

/*
 * What is told of those found, and what is saved: all for ALL and COUNT (RFC
 * 5182, 2.4), and when none of the others is there; else those of MIN, MAX and
 * PARTIAL (RFC 9394, 3.2).
 */
static struct search_found
chosen(struct imap_session *s, const struct search_return *ret,
    const struct search_found *found)
{
	const unsigned all = SEARCH_RETURN_ALL | SEARCH_RETURN_COUNT;
	const unsigned some =
	    SEARCH_RETURN_MIN | SEARCH_RETURN_MAX | SEARCH_RETURN_PARTIAL;
	struct search_found c = { .seqs = NULL }, part;

	if (!found->count || ret->options & all || !(ret->options & some))
		return *found;
	c.seqs =
	    arena_array(s->arena, (size_t)found->count + 2, sizeof(*c.seqs));
	if (ret->options & SEARCH_RETURN_MIN)
		append(&c, found->seqs, 1);
	if (ret->options & SEARCH_RETURN_MAX)
		append(&c, found->seqs + found->count - 1, 1);
	if (ret->options & SEARCH_RETURN_PARTIAL) {
		part = partial_of(ret, found);
		append(&c, part.seqs, part.count);
	}
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

static void
put_partial(struct imap_session *s, bool uid, const struct search_return *ret,
    const struct search_found *found)
{
	struct search_found part = partial_of(ret, found);
	struct buf *b = &s->out;

	buf_addf(b, " PARTIAL (%.*s ", SLICE_FMT(ret->range));
	if (part.count)
		put_all(s, uid, part.seqs, part.count);
	else
		buf_addz(b, "NIL");
	buf_addc(b, ')');
}

/* RFC 6203, 4: of what is listed, in the same order. */
static void
put_relevancy(struct imap_session *s, const struct search_return *ret,
    const struct search_found *found)
{
	struct search_found told = *found;
	struct buf *b = &s->out;

	if (ret->options & SEARCH_RETURN_PARTIAL)
		told = partial_of(ret, found);
	if (!told.count || !told.scores)
		return;
	buf_addz(b, " RELEVANCY (");
	for (uint32_t i = 0; i < told.count; i++)
		buf_addf(b, "%s%u", i ? " " : "", told.scores[i]);
	buf_addc(b, ')');
}

/* RFC 7377, 2.1: which mailbox it is, since there may be several. */
static void
put_mailbox(struct imap_session *s)
{
	buf_addz(&s->out, " MAILBOX ");
	imap_put_mailbox(s, imap_full_name(s, s->mb));
	buf_addf(&s->out, " UIDVALIDITY %u", mailbox_uidvalidity(s->mb));
}

static void
tell_esearch(struct imap_session *s, const struct imap_command *c,
    const struct search_return *ret, const struct search_found *found,
    bool modseq)
{
	struct buf *b = &s->out;
	struct search_found told;

	buf_addz(b, "* ESEARCH (TAG ");
	imap_put_string(b, c->tag);
	if (ret->mailbox)
		put_mailbox(s);
	buf_addz(b, c->uid ? ") UID" : ")");
	if (ret->options & SEARCH_RETURN_MIN && found->count)
		buf_addf(b, " MIN %u",
		    imap_search_number(s, found->seqs[0], c->uid));
	if (ret->options & SEARCH_RETURN_MAX && found->count)
		buf_addf(b, " MAX %u",
		    imap_search_number(s, found->seqs[found->count - 1],
			c->uid));
	if (ret->options & SEARCH_RETURN_ALL && found->count) {
		buf_addz(b, " ALL ");
		put_all(s, c->uid, found->seqs, found->count);
	}
	if (ret->options & SEARCH_RETURN_PARTIAL)
		put_partial(s, c->uid, ret, found);
	if (ret->options & SEARCH_RETURN_COUNT)
		buf_addf(b, " COUNT %u", found->count);
	if (ret->options & SEARCH_RETURN_RELEVANCY)
		put_relevancy(s, ret, found);
	if (modseq && found->count) {
		told = chosen(s, ret, found);
		if (told.count)
			buf_addf(b, " MODSEQ %llu",
			    (unsigned long long)told_modseq(s, &told));
	}
	buf_addz(b, "\r\n");
}

static void
save(struct imap_session *s, const struct search_return *ret,
    const struct search_found *found)
{
	struct search_found saved = chosen(s, ret, found);

	s->saved.n = 0;
	for (uint32_t i = 0; i < saved.count; i++) {
		uint32_t uid = imap_search_number(s, saved.seqs[i], true);
		uidset_add(&s->saved, uid, uid);
	}
}

void
imap_search_answer(struct imap_session *s, const struct imap_command *c,
    const struct search_return *ret, const struct search_found *found,
    bool modseq)
{
	if (ret->options & SEARCH_RETURN_SAVE)
		save(s, ret, found);
	if (ret->mailbox && !found->count)
		return;
	if ((ret->options & SEARCH_RETURN_RESULTS) != SEARCH_RETURN_SAVE)
		tell_esearch(s, c, ret, found, modseq);
}

void
imap_tell_numbers(struct imap_session *s, const char *name,
    const struct search_found *found, bool uid, bool modseq)
{
	struct buf *b = &s->out;

	buf_addf(b, "* %s", name);
	for (uint32_t i = 0; i < found->count; i++) {
		buf_addc(b, ' ');
		buf_addu(b, imap_search_number(s, found->seqs[i], uid));
		imap_flush_large(s);
	}
	if (modseq && found->count)
		buf_addf(b, " (MODSEQ %llu)",
		    (unsigned long long)told_modseq(s, found));
	buf_addz(b, "\r\n");
}
