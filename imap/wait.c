/*
 * wait - until the client sends something: IDLE, and between commands with
 * NOTIFY. Correctness does not depend on being woken: foreign programs and
 * other hosts poke nobody.
 */
#include "base/clock.h"
#include "imap/box.h"
#include "imap/notify.h"
#include "imap/park.h"
#include "imap/search.h"
#include "service/service.h"

#define LOOK_MS 3000
/* Between commands memory is given back after so long: the next may be near. */
#define IDLE_MS 1000

bool
imap_tell_changes(struct imap_session *s, bool idle)
{
	if (!s->notify || !s->notify->listed)
		store_watch_drain(s->store);
	if (imap_watched(s) != s->store)
		store_watch_drain(imap_watched(s));
	if (idle || !imap_notify_selected(s).delayed)
		imap_updates(s, true);
	imap_notify_look(s);
	return s->out.n > 0;
}

/* The client is gone, or is to go. */
static bool
is_over(struct imap_session *s, int got, int64_t now)
{
	if (got < 0)
		s->dead = true;
	else if (service_stop || now > s->end_ms) {
		imap_line(s,
		    service_stop ? "BYE shutting down" : "BYE inactive");
		s->logout = true;
	}
	return s->dead || s->logout;
}

bool
imap_wait(struct imap_session *s, struct slice tag)
{
	bool idle = tag.n > 0, resting = idle; /* memory was given back */
	bool parks = imap_park_allowed(s);
	int look_ms = parks && s->park_ms < LOOK_MS ? s->park_ms : LOOK_MS;
	int watch = store_watch(s->store), another = -1;
	int64_t now, quiet_ms = clock_mono_ms(NULL); /* since then */

	if (imap_watched(s) != s->store)
		another = store_watch(imap_watched(s));
	for (;;) {
		int got = imap_reader_wait(&s->in, watch, another,
		    s->resumed    ? 0
			: resting ? look_ms
				  : IDLE_MS);
		s->resumed = false;
		if (got > 0 && got & IMAP_WAIT_INPUT)
			return true;
		now = clock_mono_ms(NULL);
		if (is_over(s, got, now))
			return false;
		if (imap_tell_changes(s, idle)) {
			imap_flush(s);
			quiet_ms = now;
			resting = false;
		}
		if (!resting && (idle || got == 0)) {
			imap_session_idle(s);
			resting = true;
		}
		arena_reset(s->arena);
		if (s->dead || s->logout)
			return false;
		imap_search_idle(s, watch);
		if (parks && now - quiet_ms >= s->park_ms) {
			imap_park(s, tag, s->end_ms);
			quiet_ms = now;
		}
	}
}
