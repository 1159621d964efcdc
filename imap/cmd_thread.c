/* THREAD (RFC 5256). */
#include "imap/limit.h"
#include "imap/sort.h"
#include "imap/threading.h"

static const struct {
	const char *name;
	enum thread_algorithm algorithm;
} algorithms[] = {
	{ "ORDEREDSUBJECT", THREAD_ORDEREDSUBJECT },
	{ "REFERENCES", THREAD_REFERENCES },
	{ "REFS", THREAD_REFS },
};

#define ALGORITHMS (sizeof(algorithms) / sizeof(*algorithms))

static bool
algorithm(struct imap_parse *p, enum thread_algorithm *algorithm_r)
{
	for (size_t i = 0; i < ALGORITHMS; i++)
		if (imap_word(p, algorithms[i].name)) {
			*algorithm_r = algorithms[i].algorithm;
			return true;
		}
	return imap_wrong(p, "unknown thread algorithm");
}

/* What counts of a message; of one that is gone only its time. */
static int
describe(struct imap_session *s, enum thread_algorithm how, uint32_t seq,
    struct thread_message *m, struct err *e)
{
	struct slice record;
	int rc = mailbox_record(s->mb, mailbox_msg(s->mb, seq), &record, e);

	if (rc < 0)
		return -1;
	if (rc == 0)
		record = SLICE_NULL;
	m->number = seq;
	m->sent = how == THREAD_REFS
	    ? mailbox_msg(s->mb, seq)->received
	    : imap_sent_date(mailbox_msg(s->mb, seq), record);
	if (!record.n)
		return 0;
	if (how != THREAD_REFS)
		m->subject = arena_dup(s->arena,
		    msgrec_text(record, MSGREC_SUBJECT_BASE));
	if (how != THREAD_ORDEREDSUBJECT) {
		m->id = arena_dup(s->arena, msgrec_text(record, MSGREC_MSGID));
		m->refs =
		    arena_dup(s->arena, msgrec_text(record, MSGREC_REFERENCES));
		m->reply = msgrec_flags(record) & MSGREC_REPLY;
	}
	return 0;
}

struct numbers {
	struct imap_session *s;
	bool uid;
};

static uint32_t
number_of(void *ctx, const struct thread_message *m)
{
	const struct numbers *n = ctx;

	return imap_search_number(n->s, m->number, n->uid);
}

static int
tell_threads(struct imap_session *s, const struct imap_command *c,
    enum thread_algorithm how, const struct search_found *found, struct err *e)
{
	struct thread_message *v =
	    arena_array(s->arena, found->count, sizeof(*v));
	struct numbers numbers = { s, c->uid };

	for (uint32_t i = 0; i < found->count; i++)
		if (describe(s, how, found->seqs[i], &v[i], e) < 0)
			return -1;
	buf_addz(&s->out, "* THREAD");
	if (found->count)
		buf_addc(&s->out, ' ');
	imap_put_threads(&s->out, imap_thread(s->arena, how, v, found->count),
	    number_of, &numbers);
	buf_addz(&s->out, "\r\n");
	return 0;
}

enum imap_result
imap_cmd_thread(struct imap_session *s, struct imap_command *c)
{
	struct search search = { 0 };
	struct search_found found;
	enum thread_algorithm how = THREAD_REFERENCES;
	struct err e = ERR_INIT;

	if (!imap_sp(&c->p) || !algorithm(&c->p, &how) || !imap_sp(&c->p) ||
	    !imap_search_criteria(s, &c->p, &search))
		return imap_bad_args(c);
	if (search.modseq)
		imap_enable_condstore(s);
	if (imap_search_run(s, c->tag, &search, &found, &e) < 0)
		return imap_stopped(s, c, STORE_FAILED, &e);
	if (imap_over_limit(found.count))
		return imap_limit_refuse(c);
	if (tell_threads(s, c, how, &found, &e) < 0)
		return imap_stopped(s, c, STORE_FAILED, &e);
	return IMAP_OK;
}
