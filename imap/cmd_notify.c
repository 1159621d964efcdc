/* NOTIFY (RFC 5465). */
#include "imap/box.h"
#include "imap/fetch.h"
#include "imap/notify.h"

static const struct {
	const char *name;
	unsigned bit;
} events[] = {
	{ "MessageNew", NOTIFY_NEW },
	{ "MessageExpunge", NOTIFY_EXPUNGE },
	{ "FlagChange", NOTIFY_FLAGS },
	{ "MailboxName", NOTIFY_NAME },
	{ "SubscriptionChange", NOTIFY_SUBSCRIPTION },
	{ "MailboxMetadataChange", NOTIFY_METADATA },
	{ "ServerMetadataChange", NOTIFY_ACCOUNT_METADATA },
};

#define EVENTS (sizeof(events) / sizeof(*events))

struct notify_args {
	bool none, status;
	struct notify_group *groups;
	size_t n;
	size_t bytes;      /* of fetch attributes */
	bool unknown;      /* an event we do not have */
	bool has_selected; /* a filter of the selected mailbox */
	bool modseq;       /* asked for */
};

/* ---- arguments ---- */

static bool
is_selected_filter(const struct imap_filter *f)
{
	return f->kind == FILTER_SELECTED || f->kind == FILTER_SELECTED_DELAYED;
}

/* "(uid body.peek[text])" behind MessageNew, kept as it is written. */
static bool
fetch_items(struct imap_parse *p, struct notify_args *a, struct notify_group *g)
{
	struct slice from = scan_rest(&p->sc);
	struct fetch f = { .nitems = 0 };

	if (!is_selected_filter(&g->filter))
		return imap_wrong(p, "attributes are for selected mailboxes");
	if (!imap_fetch_list(p, &f))
		return false;
	g->fetch = slice_head(from, from.n - scan_rest(&p->sc).n);
	a->bytes += g->fetch.n;
	a->modseq |= f.modseq;
	return true;
}

/* Which events there are shows later: others may follow. */
static bool
event(struct imap_parse *p, struct notify_args *a, struct notify_group *g)
{
	struct imap_parse before;
	struct slice name;
	size_t i = 0;

	if (!imap_atom(p, &name))
		return imap_wrong(p, "expected event");
	while (i < EVENTS && !slice_isi(name, events[i].name))
		i++;
	if (i == EVENTS) {
		a->unknown = true;
		return true;
	}
	g->events |= events[i].bit;
	if (events[i].bit != NOTIFY_NEW)
		return true;
	before = *p;
	if (imap_char(p, ' ') && imap_peek(p, '('))
		return fetch_items(p, a, g);
	*p = before;
	return true;
}

static bool
group(struct imap_parse *p, struct notify_args *a)
{
	struct notify_group *g;

	if (a->n == NOTIFY_GROUPS_MAX)
		return imap_wrong(p, "too many groups");
	a->groups =
	    arena_grow(p->arena, a->groups, a->n, a->n + 1, sizeof(*a->groups));
	g = &a->groups[a->n++];
	*g = (struct notify_group){ .events = 0 };
	if (!imap_char(p, '('))
		return imap_wrong(p, "expected (mailboxes events)");
	if (!imap_filter(p, &g->filter) || !imap_sp(p))
		return false;
	if (imap_word(p, "NONE"))
		return imap_char(p, ')') || imap_wrong(p, "expected )");
	if (!imap_char(p, '('))
		return imap_wrong(p, "expected (events)");
	do {
		if (!event(p, a, g))
			return false;
	} while (imap_char(p, ' '));
	if (!imap_char(p, ')'))
		return imap_wrong(p, "expected ) after events");
	return imap_char(p, ')') || imap_wrong(p, "expected )");
}

static bool
arguments(struct imap_parse *p, struct notify_args *a)
{
	if (!imap_sp(p))
		return false;
	if (imap_word(p, "NONE")) {
		a->none = true;
		return imap_end(p);
	}
	if (!imap_word(p, "SET"))
		return imap_wrong(p, "expected SET or NONE");
	if (!imap_sp(p))
		return false;
	if (imap_word(p, "STATUS")) {
		a->status = true;
		if (!imap_sp(p))
			return false;
	}
	do {
		if (!group(p, a))
			return false;
	} while (imap_char(p, ' '));
	return imap_end(p);
}

/* RFC 5465, 5 and 6.1 */
static bool
makes_sense(struct imap_parse *p, struct notify_args *a)
{
	for (size_t i = 0; i < a->n; i++) {
		unsigned bits = a->groups[i].events;
		if (!(bits & NOTIFY_NEW) != !(bits & NOTIFY_EXPUNGE))
			return imap_wrong(p,
			    "MessageNew and MessageExpunge go together");
		if (bits & NOTIFY_FLAGS && !(bits & NOTIFY_NEW))
			return imap_wrong(p,
			    "FlagChange needs MessageNew and MessageExpunge");
		if (!is_selected_filter(&a->groups[i].filter))
			continue;
		if (a->has_selected)
			return imap_wrong(p,
			    "selected or selected-delayed, and once");
		a->has_selected = true;
		if (bits & ~(unsigned)NOTIFY_MESSAGES)
			return imap_wrong(p,
			    "selected has events of messages only");
	}
	return true;
}

static enum imap_result
bad_event(struct imap_session *s, struct imap_command *c)
{
	struct slice code = SLICE("BADEVENT (");

	for (size_t i = 0; i < EVENTS; i++)
		code = arena_printf(s->arena, "%.*s%s%s", SLICE_FMT(code),
		    i ? " " : "", events[i].name);
	code = arena_printf(s->arena, "%.*s)", SLICE_FMT(code));
	return imap_no(c, arena_cstr(s->arena, code), "unknown event");
}

/* ---- from now on ---- */

/* The arguments live as long as the command; the groups longer. */
static void
keep(struct imap_notify *n, const struct notify_args *a)
{
	arena_reset(n->arena);
	n->given = true;
	n->ngroups = a->n;
	n->groups = arena_array(n->arena, a->n, sizeof(*n->groups));
	for (size_t i = 0; i < a->n; i++) {
		const struct notify_group *from = &a->groups[i];
		struct notify_group *g = &n->groups[i];
		*g = *from;
		g->fetch = arena_dup(n->arena, from->fetch);
		g->filter.names = arena_array(n->arena, g->filter.n,
		    sizeof(*g->filter.names));
		for (size_t k = 0; k < g->filter.n; k++)
			g->filter.names[k] =
			    arena_dup(n->arena, from->filter.names[k]);
	}
}

/* RFC 5465, 3.1: mailboxes that may be listed, not read. */
static void
tell_denied(struct imap_session *s)
{
	const struct imap_notify *n = s->notify;

	for (size_t i = 0; i < n->n; i++)
		if (n->v[i].denied &&
		    imap_notify_wanted(s, n->v[i].name, n->v[i].subscribed))
			imap_notify_put_list(s, &n->v[i], SLICE_NULL);
}

/* RFC 5465, 3.1: but of the selected mailbox. */
static void
tell_status(struct imap_session *s)
{
	const struct imap_notify *n = s->notify;

	for (size_t i = 0; i < n->n; i++) {
		const struct notify_mailbox *m = &n->v[i];
		if (m->counted &&
		    !(s->mb && slice_eq(m->name, imap_full_name(s, s->mb))))
			imap_notify_put_status(s, m);
	}
}

static enum imap_result
set(struct imap_session *s, struct imap_command *c, const struct notify_args *a)
{
	struct imap_notify *n = imap_notify_of(s), before;
	struct err e = ERR_INIT;

	/* What was wanted before, up to now. */
	imap_updates(s, true);
	imap_notify_look(s);
	if (s->logout)
		return IMAP_OK;
	before = *n;
	n->arena = arena_new(0);
	keep(n, a);
	if (imap_notify_list(s, true, SLICE_NULL, SLICE_NULL, &e) == 0) {
		arena_free(&before.arena);
		n->all_ms = 0;
		tell_denied(s);
		if (a->status)
			tell_status(s);
		return IMAP_OK;
	}
	arena_free(&n->arena);
	n->arena = before.arena;
	n->given = before.given;
	n->groups = before.groups;
	n->ngroups = before.ngroups;
	if (e.kind == ERR_LIMIT)
		return imap_no(c, "NOTIFICATIONOVERFLOW", "%s", e.text);
	return imap_store_failed(c, STORE_FAILED, &e);
}

static enum imap_result
none(struct imap_session *s)
{
	struct notify_args nothing = { 0 };

	imap_notify_free(&s->notify);
	keep(imap_notify_of(s), &nothing);
	return IMAP_OK;
}

enum imap_result
imap_cmd_notify(struct imap_session *s, struct imap_command *c)
{
	struct notify_args a = { 0 };

	if (!arguments(&c->p, &a))
		return imap_bad_args(c);
	if (a.none)
		return none(s);
	if (a.unknown)
		return bad_event(s, c);
	if (!makes_sense(&c->p, &a))
		return imap_bad_args(c);
	if (a.bytes > NOTIFY_FETCH_MAX)
		return imap_no(c, "NOTIFICATIONOVERFLOW",
		    "too many fetch attributes");
	if (a.modseq)
		imap_enable_condstore(s);
	store_watch(s->store); /* before looking, so that nothing is missed */
	return set(s, c, &a);
}
