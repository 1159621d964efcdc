/*
 * IDLE (RFC 2177; RFC 9051, 6.3.13): tell changes as they come until DONE.
 */
#include "imap/imap.h"
#include "service/service.h"

/* Changes that nobody pokes about (foreign programs, other hosts) are seen by
 * looking every so often. */
#define LOOK_MS 3000

static struct slice
done_line(struct imap_session *s, bool *ok_r)
{
	struct slice line = SLICE_NULL;

	*ok_r = imap_reader_line(&s->in, &line) == IMAP_READ_OK;
	return line;
}

enum imap_result
imap_cmd_idle(struct imap_session *s, struct imap_command *c)
{
	int watch, got;
	struct slice line;
	bool ok;

	if (!imap_end(&c->p))
		return imap_bad_args(c);
	watch = store_watch(s->store);
	imap_updates(s, true);
	buf_addz(&s->out, "+ waiting\r\n");
	imap_flush(s);
	imap_session_idle(s);
	for (;;) {
		got = imap_reader_wait(&s->in, watch, LOOK_MS);
		if (s->dead || got < 0)
			return s->dead = true, IMAP_ANSWERED;
		if (got & IMAP_WAIT_INPUT)
			break;
		if (service_stop) {
			imap_line(s, "BYE shutting down");
			return s->logout = true, IMAP_ANSWERED;
		}
		store_watch_drain(s->store);
		imap_updates(s, true);
		arena_reset(s->arena);
		if (s->out.n)
			imap_flush(s);
		if (s->logout)
			return IMAP_OK;
	}
	line = done_line(s, &ok);
	if (!ok)
		return s->dead = true, IMAP_ANSWERED;
	if (!slice_isi(line, "DONE"))
		return imap_bad(c, "expected DONE");
	return IMAP_OK;
}
