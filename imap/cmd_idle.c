/*
 * IDLE (RFC 2177; RFC 9051, 6.3.13): tell changes as they come until DONE.
 */
#include "base/clock.h"
#include "imap/box.h"
#include "imap/park.h"
#include "imap/search.h"
#include "service/service.h"

/* Changes that nobody pokes about (foreign programs, other hosts) are seen by
 * looking every so often. */
#define LOOK_MS 3000

/* Tell what has changed, and begin to wait anew. True if there was something. */
static bool
tell(struct imap_session *s)
{
	bool told;

	store_watch_drain(imap_watched(s));
	imap_updates(s, true);
	told = s->out.n > 0;
	if (told) {
		imap_flush(s);
		imap_session_idle(s);
	}
	arena_reset(s->arena);
	return told;
}

/* Tell changes until the client sends a line (true), or it is over. */
static bool
wait_for_line(struct imap_session *s, struct slice tag)
{
	bool parks = imap_park_allowed(s);
	int tick = parks && s->park_ms < LOOK_MS ? s->park_ms : LOOK_MS;
	int watch = store_watch(imap_watched(s));
	int64_t quiet_ms = clock_mono_ms(NULL); /* since then */

	for (;;) {
		int got = imap_reader_wait(&s->in, watch, tick);
		int64_t now = clock_mono_ms(NULL);
		if (got & IMAP_WAIT_INPUT)
			return true;
		if (service_stop || now > s->end_ms) {
			imap_line(s,
			    service_stop ? "BYE shutting down"
					 : "BYE inactive");
			s->logout = true;
			return false;
		}
		if (tell(s))
			quiet_ms = now;
		if (s->dead || s->logout)
			return false;
		imap_search_idle(s, watch);
		if (parks && now - quiet_ms >= s->park_ms) {
			imap_park(s, tag, s->end_ms);
			quiet_ms = now;
		}
	}
}

static void
idle(struct imap_session *s, struct slice tag)
{
	struct slice line;

	if (!wait_for_line(s, tag))
		;
	else if (imap_reader_line(&s->in, &line) != IMAP_READ_OK)
		s->dead = true;
	else {
		buf_add(&s->out, tag);
		buf_addz(&s->out,
		    slice_isi(line, "DONE") ? " OK IDLE done\r\n"
					    : " BAD IDLE expected DONE\r\n");
	}
	s->end_ms = 0;
}

void
imap_idle_resume(struct imap_session *s, struct slice tag)
{
	tell(s);
	if (!s->dead && !s->logout)
		idle(s, tag);
}

enum imap_result
imap_cmd_idle(struct imap_session *s, struct imap_command *c)
{
	struct buf tag = BUF_INIT(IMAP_LINE_MAX);

	if (!imap_end(&c->p))
		return imap_bad_args(c);
	imap_updates(s, true);
	buf_addz(&s->out, "+ waiting\r\n");
	imap_flush(s);
	/* The command goes with the memory that is given back. */
	buf_add(&tag, c->tag);
	s->tag = SLICE_NULL;
	imap_session_idle(s);
	s->end_ms = clock_mono_ms(NULL) + IMAP_READ_MS;
	idle(s, buf_slice(&tag));
	buf_free(&tag);
	return IMAP_ANSWERED;
}
