/* SEARCH (RFC 9051, 6.4.4), ESEARCH (RFC 4731), SEARCHRES (RFC 5182). */
#include "imap/search.h"
#include "imap/seqset.h"

enum {
	RETURN_MIN = 1,
	RETURN_MAX = 2,
	RETURN_ALL = 4,
	RETURN_COUNT = 8,
	RETURN_SAVE = 16
};

struct found {
	struct uidset uids;
	uint32_t count;
	uint32_t min_seq, max_seq; /* 0: none */
	uint64_t modseq;           /* highest of those found */
	uint64_t min_modseq, max_modseq;
};

static bool
return_options(struct imap_parse *p, bool *esearch_r, unsigned *options_r)
{
	static const struct {
		const char *name;
		unsigned bit;
	} options[] = { { "MIN", RETURN_MIN }, { "MAX", RETURN_MAX },
		{ "ALL", RETURN_ALL }, { "COUNT", RETURN_COUNT },
		{ "SAVE", RETURN_SAVE } };

	*options_r = RETURN_ALL;
	if (!imap_word(p, "RETURN"))
		return true;
	*esearch_r = true;
	if (!imap_sp(p) || !imap_char(p, '('))
		return imap_wrong(p, "expected ( after RETURN");
	*options_r = 0;
	while (!imap_char(p, ')')) {
		size_t i = 0;
		if (*options_r && !imap_sp(p))
			return false;
		while (i < 5 && !imap_word(p, options[i].name))
			i++;
		if (i == 5)
			return imap_wrong(p, "unknown return option");
		*options_r |= options[i].bit;
	}
	/* RFC 4731, 3.1: none is ALL. */
	if (*options_r == 0)
		*options_r = RETURN_ALL;
	return imap_sp(p);
}

static void
note_found(struct found *f, uint32_t seq, const struct store_msg *m)
{
	uidset_add(&f->uids, m->uid, m->uid);
	f->count++;
	if (!f->min_seq) {
		f->min_seq = seq;
		f->min_modseq = m->modseq;
	}
	f->max_seq = seq;
	f->max_modseq = m->modseq;
	if (m->modseq > f->modseq)
		f->modseq = m->modseq;
}

static int
search_mailbox(struct imap_session *s, const struct search *search,
    struct found *f, struct err *e)
{
	uint32_t count = mailbox_count(s->mb);

	for (uint32_t seq = 1; seq <= count; seq++) {
		int rc = imap_search_match(s->mb, search, seq, e);
		if (rc < 0)
			return -1;
		if (rc > 0)
			note_found(f, seq, mailbox_msg(s->mb, seq));
	}
	return 0;
}

/* ---- answering ---- */

static uint32_t
number_of(struct imap_session *s, uint32_t seq, bool uid)
{
	return uid ? mailbox_msg(s->mb, seq)->uid : seq;
}

/* RFC 7162, 3.1.5: the highest modseq of what is returned. */
static uint64_t
told_modseq(const struct found *f, unsigned options)
{
	uint64_t modseq = 0;

	if (options & (RETURN_ALL | RETURN_COUNT))
		return f->modseq;
	if (options & RETURN_MIN)
		modseq = f->min_modseq;
	if (options & RETURN_MAX && f->max_modseq > modseq)
		modseq = f->max_modseq;
	return modseq;
}

static void
tell_esearch(struct imap_session *s, const struct imap_command *c,
    const struct found *f, unsigned options, bool modseq)
{
	struct buf *b = &s->out;

	buf_addz(b, "* ESEARCH (TAG ");
	imap_put_string(b, c->tag);
	buf_addz(b, c->uid ? ") UID" : ")");
	if (options & RETURN_MIN && f->count)
		buf_addf(b, " MIN %u", number_of(s, f->min_seq, c->uid));
	if (options & RETURN_MAX && f->count)
		buf_addf(b, " MAX %u", number_of(s, f->max_seq, c->uid));
	if (options & RETURN_ALL && f->count) {
		buf_addz(b, " ALL ");
		imap_put_set(s, b, &f->uids, c->uid);
	}
	if (options & RETURN_COUNT)
		buf_addf(b, " COUNT %u", f->count);
	if (modseq && f->count)
		buf_addf(b, " MODSEQ %llu",
		    (unsigned long long)told_modseq(f, options));
	buf_addz(b, "\r\n");
}

static void
tell_search(struct imap_session *s, const struct imap_command *c,
    const struct found *f, bool modseq)
{
	struct buf *b = &s->out;
	struct imap_walk w;
	uint32_t seq;

	buf_addz(b, "* SEARCH");
	for (w = imap_walk(s->mb, &f->uids); imap_step(&w, &seq);) {
		buf_addc(b, ' ');
		buf_addu(b, number_of(s, seq, c->uid));
		imap_flush_large(s);
	}
	if (modseq && f->count)
		buf_addf(b, " (MODSEQ %llu)", (unsigned long long)f->modseq);
	buf_addz(b, "\r\n");
}

/* RFC 5182, 2.4: with MIN or MAX alone only those are saved. */
static void
save_result(struct imap_session *s, const struct found *f, unsigned options)
{
	s->saved.n = 0;
	if (!f->count)
		return;
	if (options & (RETURN_ALL | RETURN_COUNT) ||
	    !(options & (RETURN_MIN | RETURN_MAX))) {
		uidset_add_set(&s->saved, &f->uids);
		return;
	}
	if (options & RETURN_MIN) {
		uint32_t uid = number_of(s, f->min_seq, true);
		uidset_add(&s->saved, uid, uid);
	}
	if (options & RETURN_MAX) {
		uint32_t uid = number_of(s, f->max_seq, true);
		uidset_add(&s->saved, uid, uid);
	}
}

enum imap_result
imap_cmd_search(struct imap_session *s, struct imap_command *c)
{
	struct found f = { .uids = UIDSET_INIT(s->arena) };
	bool esearch = s->enabled & IMAP_REV2;
	struct err e = ERR_INIT;
	struct search search;
	unsigned options;

	if (!imap_sp(&c->p) || !return_options(&c->p, &esearch, &options))
		return imap_bad_args(c);
	if (!imap_search_program(s, &c->p, &search)) {
		/* RFC 5182, 2.1: a failed search leaves an empty result. */
		if (options & RETURN_SAVE && c->p.code)
			s->saved.n = 0;
		return imap_bad_args(c);
	}
	if (search.modseq)
		imap_enable_condstore(s);
	if (search_mailbox(s, &search, &f, &e) < 0) {
		if (options & RETURN_SAVE)
			s->saved.n = 0;
		return imap_store_failed(c, STORE_FAILED, &e);
	}
	if (options & RETURN_SAVE)
		save_result(s, &f, options);
	if (!esearch)
		tell_search(s, c, &f, search.modseq);
	else if (options != RETURN_SAVE)
		tell_esearch(s, c, &f, options, search.modseq);
	return IMAP_OK;
}
