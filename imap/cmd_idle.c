/*
 * IDLE (RFC 2177; RFC 9051, 6.3.13): tell changes as they come until DONE.
 */
#include "base/clock.h"
#include "imap/box.h"
#include "imap/notify.h"
#include "imap/park.h"

static void
idle(struct imap_session *s, struct slice tag)
{
	struct slice line;

	if (!imap_wait(s, tag))
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
	imap_notify_begin(s);
	if (imap_tell_changes(s, true))
		imap_flush(s);
	imap_session_idle(s);
	if (!s->dead && !s->logout)
		idle(s, tag);
}

enum imap_result
imap_cmd_idle(struct imap_session *s, struct imap_command *c)
{
	struct buf tag = BUF_INIT(IMAP_LINE_MAX);

	if (!imap_end(&c->p))
		return imap_bad_args(c);
	/* Before looking, so that nothing is missed. */
	store_watch(s->store);
	store_watch(imap_watched(s));
	imap_notify_begin(s);
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
