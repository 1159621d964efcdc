/* notify - what a client wants to be told. See notify.h. */
#include "imap/notify.h"

#include <stdlib.h>

struct imap_notify *
imap_notify_new(void)
{
	struct imap_notify *n = xcalloc(1, sizeof(*n));

	n->arena = arena_new(0);
	n->told_arena = arena_new(0);
	return n;
}

struct imap_notify *
imap_notify_of(struct imap_session *s)
{
	if (!s->notify)
		s->notify = imap_notify_new();
	return s->notify;
}

void
imap_notify_free(struct imap_notify **np)
{
	struct imap_notify *n = *np;

	if (!n)
		return;
	arena_free(&n->arena);
	arena_free(&n->told_arena);
	free(n);
	*np = NULL;
}

/* Without NOTIFY: as a client of IMAP4rev2 expects, and RFC 5464, 4.4.2. */
static unsigned
by_default(const struct imap_session *s)
{
	unsigned events = NOTIFY_NAME | NOTIFY_SUBSCRIPTION;

	if (s->enabled & IMAP_METADATA)
		events |= NOTIFY_METADATA | NOTIFY_ACCOUNT_METADATA;
	return events;
}

/*
 * RFC 5465, 6: all groups that match count, up to one that says NONE. The event
 * of the account needs no mailbox that matches.
 */
unsigned
imap_notify_wanted(const struct imap_session *s, struct slice name,
    bool subscribed)
{
	const struct imap_notify *n = s->notify;
	unsigned events = 0;

	if (!n || !n->given)
		return by_default(s);
	for (size_t i = 0; i < n->ngroups; i++) {
		const struct notify_group *g = &n->groups[i];
		if (name.n == 0) {
			events |= g->events & NOTIFY_ACCOUNT_METADATA;
			continue;
		}
		if (!imap_filter_has(&g->filter, name, subscribed, false))
			continue;
		if (g->events == 0)
			break;
		events |= g->events;
	}
	return events;
}

static bool
any_has(const struct imap_notify *n, unsigned events)
{
	for (size_t i = 0; i < n->ngroups; i++)
		if (n->groups[i].events & events)
			return true;
	return false;
}

bool
imap_notify_names(const struct imap_session *s)
{
	return !s->notify || !s->notify->given ||
	    any_has(s->notify, NOTIFY_NAME);
}

bool
imap_notify_waits(const struct imap_session *s)
{
	return s->notify && s->notify->given &&
	    any_has(s->notify, NOTIFY_EVENTS);
}

/* RFC 5465, 3.1: not mentioned is the same as NONE. */
struct notify_selected
imap_notify_selected(const struct imap_session *s)
{
	const struct imap_notify *n = s->notify;

	if (!n || !n->given)
		return (struct notify_selected){ .events = NOTIFY_MESSAGES };
	for (size_t i = 0; i < n->ngroups; i++) {
		const struct notify_group *g = &n->groups[i];
		if (g->filter.kind == FILTER_SELECTED ||
		    g->filter.kind == FILTER_SELECTED_DELAYED)
			return (struct notify_selected){ g->events,
				g->filter.kind == FILTER_SELECTED_DELAYED,
				g->fetch };
	}
	return (struct notify_selected){ 0 };
}
