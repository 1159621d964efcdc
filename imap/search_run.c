/* search_run - go through the selected mailbox, for as long as it takes. */
#include "base/clock.h"
#include "base/log.h"
#include "imap/search.h"
#include "service/service.h"

/* Messages between two looks at the clock: below a millisecond by the index,
 * and as many opened files take some. */
#define LOOK_EVERY 64
#define CLIENT_MS 50    /* between two looks at the client */
#define PROGRESS_S 10   /* RFC 9585, 4.1: no more often than that */
#define HALF_CLOSED_S 1 /* to a client that sends no more */

struct progress {
	struct imap_session *s;
	struct slice tag;
	uint32_t total;
	int64_t look_ms; /* next look at the client, monotonic */
	int64_t told_s;  /* wall time of the last line */
};

static int64_t
wall_s(const struct imap_session *s)
{
	return clock_s(store_env_of(s->store)->clock);
}

static void
progress_init(struct progress *p, struct imap_session *s, struct slice tag)
{
	*p = (struct progress){ s, tag, mailbox_count(s->mb),
		clock_mono_ms(NULL) + CLIENT_MS, wall_s(s) };
}

/* RFC 9585, 4.2 */
static void
tell_progress(const struct progress *p, uint32_t done)
{
	struct buf *b = &p->s->out;

	buf_addz(b, "* OK [INPROGRESS (");
	imap_put_string(b, p->tag);
	buf_addf(b, " %u %u)] still searching\r\n", done, p->total);
	imap_flush(p->s);
}

/*
 * A client that closed its side may only have nothing more to say. What is
 * written to it tells: if it is gone for good, the next look sees that.
 */
static int
look(struct progress *p, uint32_t done, struct err *e)
{
	int64_t now = clock_mono_ms(NULL), s;
	enum imap_peer peer;

	if (now < p->look_ms)
		return 0;
	p->look_ms = now + CLIENT_MS;
	peer = imap_reader_peer(&p->s->in);
	s = wall_s(p->s);
	if (peer == IMAP_PEER_GONE)
		p->s->dead = true;
	else if (s - p->told_s >=
	    (peer == IMAP_PEER_QUIET ? HALF_CLOSED_S : PROGRESS_S)) {
		tell_progress(p, done);
		p->told_s = s;
	}
	if (p->s->dead)
		return err_set(e, ERR_TEMP, "client is gone");
	if (service_stop)
		return err_set(e, ERR_TEMP, "shutting down");
	return 0;
}

static void
note(struct imap_session *s, struct search_found *f, uint32_t *size,
    uint32_t seq)
{
	if (f->count == *size) {
		uint32_t size_new = *size ? 2 * *size : 64;
		f->seqs = arena_grow(s->arena, f->seqs, *size, size_new,
		    sizeof(*f->seqs));
		*size = size_new;
	}
	f->seqs[f->count++] = seq;
}

int
imap_search_run(struct imap_session *s, struct slice tag,
    const struct search *search, struct search_found *found_r, struct err *e)
{
	uint32_t size = 0, count = mailbox_count(s->mb);
	struct progress p;

	*found_r = (struct search_found){ NULL, 0 };
	progress_init(&p, s, tag);
	for (uint32_t seq = 1; seq <= count; seq++) {
		int rc = imap_search_match(s->mb, search, seq, e);
		if (rc < 0)
			return -1;
		if (rc > 0)
			note(s, found_r, &size, seq);
		if (seq % LOOK_EVERY == 0 && look(&p, seq, e) < 0)
			return -1;
	}
	return 0;
}

enum imap_result
imap_search_failed(struct imap_session *s, struct imap_command *c,
    const struct err *e)
{
	if (!s->dead)
		return imap_store_failed(c, STORE_FAILED, e);
	log_line("imapserver", LOG_DEBUG, "search given up",
	    LOG_S("cmd", c->name), LOG_E(e));
	return IMAP_ANSWERED;
}
