/*
 * IDLE (RFC 2177; RFC 9051, 6.3.13): tell changes as they come until DONE.
 */
#include "imap/imap.h"
#include "service/service.h"

/* Changes that nobody pokes about (foreign programs, other hosts) are seen by
 * looking every so often. */
#define LOOK_MS 3000

/* Tell changes until the client sends a line, the connection or the service
 * ends. */
static void
wait_for_line(struct imap_session *s, int watch)
{
	int got;

	while (!s->dead && !s->logout) {
		got = imap_reader_wait(&s->in, watch, LOOK_MS);
		if (got & IMAP_WAIT_INPUT)
			return;
		if (service_stop) {
			imap_line(s, "BYE shutting down");
			s->logout = true;
			return;
		}
		store_watch_drain(s->store);
		imap_updates(s, true);
		arena_reset(s->arena);
		if (s->out.n)
			imap_flush(s);
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
	imap_session_idle(s);
	wait_for_line(s, store_watch(s->store));
	if (s->logout)
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
