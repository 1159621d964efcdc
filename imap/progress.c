/* progress - long work: tell the client how far it is, see whether it is still
 * there (RFC 9585). */
#include "base/clock.h"
#include "base/log.h"
#include "imap/imap.h"
#include "service/service.h"

#define CLIENT_MS 50    /* between two looks at the client */
#define PROGRESS_S 10   /* RFC 9585, 4.1: no more often than that */
#define HALF_CLOSED_S 1 /* to a client that sends no more */

static int64_t
wall_s(const struct imap_session *s)
{
	return clock_s(store_env_of(s->store)->clock);
}

void
imap_progress_begin(struct imap_session *s, struct slice tag)
{
	s->progress = (struct imap_progress){ .on = true,
		.tag = tag,
		.look_ms = clock_mono_ms(NULL) + CLIENT_MS,
		.told_s = wall_s(s) };
}

void
imap_progress_end(struct imap_session *s)
{
	s->progress.on = false;
}

/* RFC 9585, 4.2 */
static void
tell_progress(struct imap_session *s, uint64_t done, uint64_t total)
{
	struct buf *b = &s->out;

	buf_addz(b, "* OK [INPROGRESS (");
	imap_put_nstring(b, s->progress.tag);
	buf_addf(b, " %llu %llu)] in progress\r\n", (unsigned long long)done,
	    (unsigned long long)total);
	imap_flush(s);
}

/*
 * A client that closed its side may only have nothing more to say. What is
 * written to it tells: if it is gone for good, the next look sees that.
 */
int
imap_progress(struct imap_session *s, uint64_t done, uint64_t total,
    struct err *e)
{
	struct imap_progress *p = &s->progress;
	int64_t now = clock_mono_ms(NULL), wall;
	enum imap_peer peer;

	if (!p->on || now < p->look_ms)
		return 0;
	p->look_ms = now + CLIENT_MS;
	peer = imap_reader_peer(&s->in);
	wall = wall_s(s);
	if (peer == IMAP_PEER_GONE)
		s->dead = true;
	else if (wall - p->told_s >=
	    (peer == IMAP_PEER_QUIET ? HALF_CLOSED_S : PROGRESS_S)) {
		tell_progress(s, done, total);
		p->told_s = wall;
	}
	if (s->dead)
		return err_set(e, ERR_TEMP, "client is gone");
	if (service_stop)
		return err_set(e, ERR_TEMP, "shutting down");
	return 0;
}

bool
imap_progress_of_store(void *session, uint64_t done, uint64_t total)
{
	return imap_progress(session, done, total, NULL) == 0;
}

enum imap_result
imap_stopped(struct imap_session *s, struct imap_command *c,
    enum store_code code, const struct err *e)
{
	if (!s->dead)
		return imap_store_failed(c, code, e);
	log_line("imapserver", LOG_DEBUG, "command given up",
	    LOG_S("cmd", c->name), LOG_E(e));
	return IMAP_ANSWERED;
}
