/*
 * IDLE (RFC 2177; RFC 9051, 6.3.13): tell changes as they come until DONE.
 */
#include "base/clock.h"
#include "imap/search.h"
#include "service/service.h"

/* Changes that nobody pokes about (foreign programs, other hosts) are seen by
 * looking every so often. */
#define LOOK_MS 3000

/* Tell changes until the client sends a line (true), or it is over. */
static bool
wait_for_line(struct imap_session *s, int watch)
{
	int64_t end_ms = clock_mono_ms(NULL) + IMAP_READ_MS;

	for (;;) {
		int got = imap_reader_wait(&s->in, watch, LOOK_MS);
		if (got & IMAP_WAIT_INPUT)
			return true;
		if (service_stop || clock_mono_ms(NULL) > end_ms) {
			imap_line(s,
			    service_stop ? "BYE shutting down"
					 : "BYE inactive");
			s->logout = true;
			return false;
		}
		store_watch_drain(s->store);
		imap_updates(s, true);
		if (s->out.n) {
			imap_flush(s);
			imap_session_idle(s);
		}
		arena_reset(s->arena);
		if (s->dead || s->logout)
			return false;
		imap_search_idle(s, watch);
	}
}

enum imap_result
imap_cmd_idle(struct imap_session *s, struct imap_command *c)
{
	struct buf tag = BUF_INIT(IMAP_LINE_MAX);
	struct slice line;

	if (!imap_end(&c->p))
		return imap_bad_args(c);
	imap_updates(s, true);
	buf_addz(&s->out, "+ waiting\r\n");
	imap_flush(s);
	/* The command goes with the memory that is given back. */
	buf_add(&tag, c->tag);
	s->tag = SLICE_NULL;
	imap_session_idle(s);
	if (!wait_for_line(s, store_watch(s->store)))
		;
	else if (imap_reader_line(&s->in, &line) != IMAP_READ_OK)
		s->dead = true;
	else {
		buf_add(&s->out, buf_slice(&tag));
		buf_addz(&s->out,
		    slice_isi(line, "DONE") ? " OK IDLE done\r\n"
					    : " BAD IDLE expected DONE\r\n");
	}
	buf_free(&tag);
	return IMAP_ANSWERED;
}
