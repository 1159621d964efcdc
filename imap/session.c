/*
 * session - the loop after login: a command in, its answers out.
 */
#include <malloc.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "imap/append.h"
#include "imap/box.h"
#include "imap/limit.h"
#include "imap/notify.h"
#include "imap/park.h"
#include "imap/search.h"
#include "service/service.h"

/* Answers are flushed at IMAP_OUT_LARGE; one record or field is on top. */
#define OUT_MAX (64 << 20)
/* Work on the mailbox that nobody waits for, between commands and in IDLE. */
#define TIDY_MS 5
#define TIDY_IDLE_MS 20
#define IDLE_MS 1000 /* waiting: memory goes back then */

/* ---- one command ---- */

/* Tag, name and definition; what is wrong is in c->text. */
static bool
command_begin(struct imap_session *s, struct slice text, struct imap_command *c)
{
	struct slice name, sub;

	*c = (struct imap_command){ .p = { .sc = scan_of(text),
					.arena = s->arena,
					.utf8 = s->enabled &
					    (IMAP_UTF8 | IMAP_REV2) } };
	if (!imap_tag(&c->p.sc, &c->tag) || !imap_sp(&c->p) ||
	    !imap_atom(&c->p, &name)) {
		c->name = SLICE("command");
		imap_bad(c, "expected tag and command");
		return false;
	}
	c->name = name;
	c->uid = slice_isi(name, "UID");
	if (c->uid && imap_sp(&c->p) && imap_atom(&c->p, &sub)) {
		c->name = arena_printf(s->arena, "%.*s %.*s", SLICE_FMT(name),
		    SLICE_FMT(sub));
		name = sub;
	}
	c->def = imap_find_command(name);
	if (c->def && (!c->uid || c->def->flags & IMAP_HAS_UID))
		return true;
	imap_bad(c, "unknown command");
	return false;
}

/* With NOTIFY flags may be left out, and so HIGHESTMODSEQ is not the client's. */
static bool
knows_all(const struct imap_session *s)
{
	return imap_notify_selected(s).events == NOTIFY_MESSAGES;
}

/*
 * RFC 7162, 3.2: a client that was told newer modseqs while an EXPUNGE has to
 * wait must know that it does not have all up to them.
 */
static void
tell_expunge_waits(struct imap_session *s)
{
	if (s->enabled & IMAP_CONDSTORE && knows_all(s) &&
	    mailbox_pending(s->mb) & MAILBOX_EXPUNGE)
		imap_line(s, "OK [HIGHESTMODSEQ %llu] expunges are waiting",
		    (unsigned long long)mailbox_modseq(s->mb));
}

static enum imap_result
command_run(struct imap_session *s, struct imap_command *c)
{
	unsigned state = s->mb ? IMAP_IN_SELECTED : IMAP_IN_AUTH;
	bool had_mailbox = s->mb;
	enum imap_result rc;

	if (!(c->def->states & state))
		return imap_no(c, NULL, "not allowed in this state");
	if (c->def->flags & IMAP_NUMBERS && !c->uid &&
	    s->enabled & IMAP_UIDONLY) {
		c->p.code = "UIDREQUIRED";
		c->p.wrong = "message numbers are off";
		return imap_bad_args(c);
	}
	imap_look_at_rights(s);
	if (s->logout)
		return IMAP_ANSWERED;
	s->own = c->def->flags & IMAP_OWN;
	s->nadded = 0;
	rc = c->def->run(s, c);
	/* Updates come before the tagged answer; not of a mailbox that was
	 * left or just opened. */
	if (s->mb && had_mailbox && !(c->def->flags & IMAP_NO_UPDATES) &&
	    rc != IMAP_ANSWERED) {
		imap_updates(s, c->uid || !(c->def->flags & IMAP_NO_EXPUNGE));
		tell_expunge_waits(s);
	}
	s->own = false;
	s->nadded = 0;
	if (!(c->def->flags & (IMAP_NO_UPDATES | IMAP_LISTS)) &&
	    rc != IMAP_ANSWERED)
		imap_notify_look(s);
	if (rc == IMAP_OK)
		imap_limit_tell(s, c);
	if (c->highest && s->mb && s->enabled & IMAP_CONDSTORE && knows_all(s))
		imap_code(c, "HIGHESTMODSEQ %llu",
		    (unsigned long long)mailbox_modseq(s->mb));
	return rc;
}

static void
command_answer(struct imap_session *s, const struct imap_command *c,
    enum imap_result rc)
{
	static const char *const words[] = { " OK ", " NO ", " BAD " };
	struct buf *b = &s->out;

	if (rc == IMAP_ANSWERED)
		return;
	buf_add(b, c->tag);
	buf_addz(b, words[rc]);
	if (c->code.n) {
		buf_addc(b, '[');
		buf_add(b, c->code);
		buf_addz(b, "] ");
	}
	buf_add(b, c->name);
	buf_addc(b, ' ');
	if (c->text.n)
		buf_add(b, c->text);
	else
		buf_addz(b, rc == IMAP_OK ? "done" : "failed");
	buf_addz(b, "\r\n");
}

static void
execute(struct imap_session *s, struct slice text)
{
	enum imap_result rc = IMAP_BAD;
	struct imap_command c;

	log_trace("imapserver", LOG_TRACE, '<', text);
	if (command_begin(s, text, &c)) {
		s->tag = c.tag;
		rc = command_run(s, &c);
		s->tag = SLICE_NULL;
	}
	command_answer(s, &c, rc);
	/* A message that was not taken. */
	if (!s->dead && imap_reader_skip(&s->in) != IMAP_READ_OK)
		s->dead = true;
	log_line("imapserver", LOG_DEBUG, "command",
	    LOG_Z("cmd", c.def ? c.def->name : "unknown"),
	    LOG_Z("result",
		rc == IMAP_OK        ? "ok"
		    : rc == IMAP_NO  ? "no"
		    : rc == IMAP_BAD ? "bad"
				     : "answered"));
}

/* ---- the loop ---- */

/* What could not be read as a command; false ends the session. */
static bool
read_failed(struct imap_session *s, enum imap_read rc)
{
	struct slice tag;
	struct scan sc;

	switch (rc) {
	case IMAP_READ_TOOBIG:
		sc = scan_of(buf_slice(&s->in.text));
		imap_tag(&sc, &tag);
		buf_add(&s->out, tag);
		buf_addz(&s->out, " BAD [TOOBIG] literal too large\r\n");
		return !s->in.must_close;
	case IMAP_READ_LONG:
		imap_line(s, "BYE line too long");
		return false;
	case IMAP_READ_STOP:
		imap_line(s, "BYE shutting down");
		return false;
	case IMAP_READ_TIMEOUT:
		imap_line(s, "BYE inactive");
		return false;
	default:
		s->dead = true;
		return false;
	}
}

void
imap_session_idle(struct imap_session *s)
{
	arena_free(&s->arena);
	s->arena = arena_new(0);
	buf_free(&s->out);
	imap_reader_shrink(&s->in);
	if (s->mb) {
		mailbox_tidy(s->mb, TIDY_IDLE_MS);
		mailbox_idle(s->mb);
	}
	malloc_trim(0);
}

/* The connection has waited for a second: for a command, or within one? */
static void
on_idle(void *ctx)
{
	struct imap_session *s = ctx;

	if (s->in.text.n == 0 && s->out.n == 0) {
		imap_session_idle(s);
		imap_search_idle(s, -1);
	}
}

static void
begin(struct imap_session *s)
{
	s->out = (struct buf)BUF_INIT(OUT_MAX);
	s->arena = arena_new(0);
	s->saved_arena = arena_new(0);
	s->saved = (struct uidset)UIDSET_INIT(s->saved_arena);
	s->in.streams = imap_append_streams;
	s->in.out = &s->out;
	conn_set_idle(s->in.conn, on_idle, s);
	store_set_progress(s->store, imap_progress_of_store, s);
}

static void
end(struct imap_session *s)
{
	if (s->in.must_close && !s->logout)
		imap_line(s, "BYE literal not wanted was sent");
	imap_flush(s);
	conn_set_idle(s->in.conn, NULL, NULL);
	imap_contexts_free(s);
	imap_notify_free(&s->notify);
	mailbox_close(&s->mb);
	imap_boxes_free(s);
	store_close(&s->store);
	arena_free(&s->arena);
	arena_free(&s->saved_arena);
	buf_free(&s->out);
}

/*
 * Wait for a command, until the client is inactive; parked, if it can be, when
 * it has waited for park_ms. The reader waits on for what is left. False: it is
 * over.
 */
static bool
await_command(struct imap_session *s)
{
	int64_t now = clock_mono_ms(NULL), left;
	bool idle = false; /* on_idle was done */

	if (s->end_ms == 0)
		s->end_ms = now + IMAP_READ_MS;
	buf_reset(&s->in.text); /* the last command is done */
	if (imap_notify_waits(s) && !imap_wait(s, SLICE_NULL))
		return false;
	while (imap_park_allowed(s) && !s->dead && service_stop == 0 &&
	    (left = s->end_ms - clock_mono_ms(NULL)) > 0) {
		int ms = idle ? s->park_ms : IDLE_MS;
		if (ms > s->park_ms)
			ms = s->park_ms;
		if (imap_reader_wait(&s->in, -1, -1,
			ms > left ? (int)left : ms))
			break;
		on_idle(s);
		idle = true;
		if (clock_mono_ms(NULL) - now >= s->park_ms) {
			imap_park(s, SLICE_NULL, s->end_ms);
			now = clock_mono_ms(NULL);
		}
	}
	left = s->end_ms - clock_mono_ms(NULL);
	s->in.timeout_ms = left > 1 ? (int)left : 1;
	return true;
}

static void
serve(struct imap_session *s)
{
	enum imap_read rc;
	struct slice text;

	while (!s->logout && !s->dead && !s->in.must_close) {
		/* Pipelined commands are answered together. */
		imap_flush_large(s);
		if (s->renew)
			imap_renew(s);
		if (!imap_reader_has_line(&s->in)) {
			imap_flush(s);
			store_tidy(s->store);
			imap_boxes_tidy(s);
			if (s->mb)
				mailbox_tidy_busy(s->mb, TIDY_MS);
			if (!await_command(s))
				break;
		}
		arena_reset(s->arena);
		rc = imap_reader_command(&s->in, &text);
		s->in.timeout_ms = IMAP_READ_MS;
		s->end_ms = 0;
		if (rc == IMAP_READ_OK)
			execute(s, text);
		else if (!read_failed(s, rc))
			break;
	}
}

void
imap_session_run(struct imap_session *s, const struct imap_parked *parked,
    int watch_fd)
{
	begin(s);
	if (parked && imap_park_restore(s, parked, watch_fd) && parked->idle)
		imap_idle_resume(s, parked->tag);
	serve(s);
	end(s);
}
