/*
 * notify_look - what is so now, beside what was told.
 *
 * Pokes name mailboxes; all are looked at every few seconds, for what foreign
 * programs and other hosts do, and less often if that takes long.
 */
#include "base/clock.h"
#include "base/le.h"
#include "base/log.h"
#include "base/sha.h"
#include "imap/box.h"
#include "imap/notify.h"
#include "store/metadata.h"

#define LOOK_MS 3000
#define LOOK_MAX_MS 10000
#define LOOK_SHARE 100 /* of the time, looking takes one part in so many */
#define ARENA_SLACK (64 << 10)
/* Bytes of a METADATA line, about. */
#define ENTRIES_LINE 4000

static void
failed(const char *what, struct slice name, const struct err *e)
{
	log_line("imapserver", LOG_ERROR, what, LOG_S("mailbox", name),
	    LOG_E(e));
}

/* ---- messages ---- */

/* The stamp is from before, so that nothing gets lost in between. */
int
imap_notify_count(struct imap_session *s, struct notify_mailbox *m,
    struct err *e)
{
	struct mailbox_status st;
	struct imap_box box;
	uint64_t stamp;
	int rc = imap_resolve(s, m->name, &box, e);

	/* Gone: the list will say so. RFC 5465, 5.9: not watched, as long as
	 * it may not be read. */
	if (rc != 1 || !(box.rights & ACL_READ))
		return rc < 0 ? -1 : 0;
	stamp = store_mailbox_stamp(box.store, box.name);
	rc = mailbox_status(box.store, box.name, false, &st, e);
	if (rc != 1)
		return rc;
	m->stamp = stamp;
	m->counted = true;
	m->own = false;
	m->uidvalidity = st.uidvalidity;
	m->uidnext = st.uidnext;
	m->messages = st.counts.messages;
	m->unseen = st.counts.unseen;
	m->modseq = st.modseq;
	return 0;
}

/* RFC 5465, 5.1 to 5.3; UNSEEN is told with all, as clients show it. */
void
imap_notify_put_status(struct imap_session *s, const struct notify_mailbox *m)
{
	buf_addz(&s->out, "* STATUS ");
	imap_put_mailbox(s, m->name);
	buf_addf(&s->out, " (MESSAGES %u UIDNEXT %u UIDVALIDITY %u UNSEEN %u",
	    m->messages, m->uidnext, m->uidvalidity, m->unseen);
	if (s->enabled & IMAP_CONDSTORE)
		buf_addf(&s->out, " HIGHESTMODSEQ %llu",
		    (unsigned long long)m->modseq);
	buf_addz(&s->out, ")\r\n");
	imap_flush_large(s);
}

static bool
is_selected(const struct imap_session *s, struct slice name)
{
	return s->mb && slice_eq(imap_full_name(s, s->mb), name);
}

/* Rights on one's own mailboxes are looked at when there is a change. Of one
 * that may not be known any more the list will tell. */
static uint64_t
stamp_of(struct imap_session *s, const struct notify_mailbox *m, bool messages)
{
	struct imap_box box = { .store = s->store, .name = m->name };

	if (imap_is_others(m->name) &&
	    imap_resolve(s, m->name, &box, NULL) != 1)
		return m->stamp;
	return messages ? store_mailbox_stamp(box.store, box.name)
			: store_metadata_stamp(box.store, box.name);
}

static void
look_at_messages(struct imap_session *s, struct notify_mailbox *m)
{
	struct notify_mailbox told = *m;
	struct err e = ERR_INIT;
	bool other, flags;

	if (!(m->events & NOTIFY_MESSAGES) || !m->counted ||
	    is_selected(s, m->name) ||
	    (m->stamp != STORE_STAMP_YOUNG && m->stamp == stamp_of(s, m, true)))
		return;
	if (imap_notify_count(s, m, &e) < 0) {
		failed("looking for changes", m->name, &e);
		return;
	}
	other = m->uidvalidity != told.uidvalidity ||
	    m->messages != told.messages || m->uidnext != told.uidnext;
	/* Without HIGHESTMODSEQ there is nothing to say of other flags. */
	flags = m->unseen != told.unseen ||
	    (m->modseq != told.modseq && s->enabled & IMAP_CONDSTORE);
	if (other || (flags && m->events & NOTIFY_FLAGS && !told.own))
		imap_notify_put_status(s, m);
}

/* ---- annotations ---- */

static uint64_t
hash_of(struct slice value)
{
	unsigned char digest[SHA_MAX];

	sha_digest(SHA_256, value, digest);
	return le_get64(digest);
}

int
imap_notify_entries(struct imap_session *s, struct notify_mailbox *m,
    struct err *e)
{
	struct arena *arena = s->notify->told_arena;
	uint64_t stamp = stamp_of(s, m, false);
	struct metadata_entry *v;
	size_t n;
	int rc = imap_read_entries(s, m->name, &v, &n, e);

	if (rc <= 0)
		return rc;
	m->metadata_stamp = stamp;
	m->entries = arena_array(arena, n, sizeof(*m->entries));
	m->nentries = n;
	for (size_t i = 0; i < n; i++) {
		m->entries[i].name = arena_dup(arena, v[i].name);
		m->entries[i].hash = hash_of(v[i].value);
	}
	return 0;
}

/* A name in one of these lists, or NULL; they are sorted. */
static const struct notify_entry *
entry(const struct notify_mailbox *m, size_t *at, struct slice name)
{
	while (*at < m->nentries && slice_cmp(m->entries[*at].name, name) < 0)
		++*at;
	return *at < m->nentries && slice_eq(m->entries[*at].name, name)
	    ? &m->entries[*at]
	    : NULL;
}

struct telling {
	struct imap_session *s;
	struct slice mailbox;
	const struct slice *own; /* names not to be told */
	size_t nown;
	size_t start; /* of the line; 0: none is begun */
};

/* RFC 5464, 4.4.2: without values. */
static void
tell_entry(struct telling *t, struct slice name)
{
	struct imap_session *s = t->s;

	for (size_t i = 0; i < t->nown; i++)
		if (slice_eq(t->own[i], name))
			return;
	if (t->start && s->out.n - t->start > ENTRIES_LINE) {
		buf_addz(&s->out, "\r\n");
		t->start = 0;
		imap_flush_large(s);
	}
	if (!t->start) {
		buf_addz(&s->out, "* METADATA ");
		t->start = s->out.n;
		if (t->mailbox.n)
			imap_put_mailbox(s, t->mailbox);
		else
			buf_addz(&s->out, "\"\"");
	}
	buf_addc(&s->out, ' ');
	imap_put_entry_name(&s->out, name);
}

/* What is set, changed, and removed: both lists are sorted. */
static void
tell_entries(struct telling *t, const struct notify_mailbox *was,
    const struct notify_mailbox *is)
{
	const struct notify_entry *same;
	size_t at = 0;

	for (size_t i = 0; i < is->nentries; i++) {
		same = entry(was, &at, is->entries[i].name);
		if (!same || same->hash != is->entries[i].hash)
			tell_entry(t, is->entries[i].name);
	}
	at = 0;
	for (size_t i = 0; i < was->nentries; i++)
		if (!entry(is, &at, was->entries[i].name))
			tell_entry(t, was->entries[i].name);
	if (t->start)
		buf_addz(&t->s->out, "\r\n");
}

static void
look_at_entries(struct imap_session *s, struct notify_mailbox *m,
    const struct slice *own, size_t nown)
{
	struct telling t = {
		.s = s, .mailbox = m->name, .own = own, .nown = nown
	};
	struct notify_mailbox was = *m;
	struct err e = ERR_INIT;

	if (!m->annotated ||
	    (m->metadata_stamp != STORE_STAMP_YOUNG &&
		m->metadata_stamp == stamp_of(s, m, false)))
		return;
	if (imap_notify_entries(s, m, &e) < 0) {
		failed("looking for annotations", m->name, &e);
		return;
	}
	tell_entries(&t, &was, m);
}

/* ---- looking ---- */

void
imap_notify_overflow(struct imap_session *s, const char *why)
{
	struct imap_notify *n = s->notify;

	imap_line(s, "OK [NOTIFICATIONOVERFLOW] %s", why);
	n->ngroups = 0;
	n->listed = false;
	n->v = NULL;
	n->n = 0;
	n->account = (struct notify_mailbox){ .annotated = false };
	arena_reset(n->told_arena);
}

static void
look_at_list(struct imap_session *s, bool quiet, struct slice from,
    struct slice to)
{
	struct imap_notify *n = s->notify;
	struct err e = ERR_INIT;

	if (imap_notify_list(s, quiet, from, to, &e) == 0)
		return;
	if (e.kind != ERR_LIMIT)
		failed("looking at the list", SLICE(""), &e);
	else if (n->given)
		imap_notify_overflow(s, e.text);
	else {
		/* Nobody asked for it. */
		n->large = true;
		n->listed = false;
	}
}

void
imap_notify_begin(struct imap_session *s)
{
	struct imap_notify *n = imap_notify_of(s);

	if (n->given || n->large)
		return;
	if (!n->listed ||
	    n->account.events != imap_notify_wanted(s, SLICE(""), false))
		look_at_list(s, true, SLICE_NULL, SLICE_NULL);
}

static void
look_at(struct imap_session *s, struct notify_mailbox *m)
{
	if (!m || !m->exists)
		return;
	look_at_messages(s, m);
	look_at_entries(s, m, NULL, 0);
}

static void
look_at_all(struct imap_session *s)
{
	struct imap_notify *n = s->notify;
	int64_t start = clock_mono_ms(NULL), took, rest_ms;

	for (size_t i = 0; i < n->n; i++)
		look_at(s, &n->v[i]);
	look_at(s, &n->account);
	took = clock_mono_ms(NULL) - start;
	rest_ms = took * LOOK_SHARE;
	n->all_ms = start + took +
	    (rest_ms < LOOK_MS              ? LOOK_MS
		    : rest_ms > LOOK_MAX_MS ? LOOK_MAX_MS
					    : rest_ms);
}

/* Is the list, or has the arena grown by annotations that changed? */
static bool
is_list_due(const struct imap_session *s, bool all)
{
	const struct imap_notify *n = s->notify;
	uint64_t stamp = store_list_stamp(s->store);

	return (stamp == STORE_STAMP_YOUNG ? all : stamp != n->list_stamp) ||
	    (all && n->given && imap_boxes_any(s)) || /* rights may be others */
	    arena_used(n->told_arena) > 2 * n->told_bytes + ARENA_SLACK;
}

void
imap_notify_look(struct imap_session *s)
{
	struct imap_notify *n = s->notify;
	struct slice *names;
	size_t nnames;
	bool all;

	if (!n || !n->listed)
		return;
	all = !store_watch_take(s->store, s->arena, &names, &nnames) ||
	    clock_mono_ms(NULL) >= n->all_ms;
	if (is_list_due(s, all))
		look_at_list(s, false, SLICE_NULL, SLICE_NULL);
	if (all)
		look_at_all(s);
	else
		for (size_t i = 0; i < nnames; i++)
			look_at(s, imap_notify_find(n, names[i]));
}

/* ---- what this session does ---- */

void
imap_notify_own_names(struct imap_session *s, struct slice from,
    struct slice to)
{
	if (s->notify && s->notify->listed)
		look_at_list(s, true, from, to);
}

void
imap_notify_own_metadata(struct imap_session *s, struct slice name,
    const struct slice *entries, size_t nentries)
{
	struct imap_notify *n = s->notify;
	struct notify_mailbox *m;

	if (!n || !n->listed)
		return;
	m = name.n ? imap_notify_find(n, name) : &n->account;
	if (m)
		look_at_entries(s, m, entries, nentries);
}

/* Only if nobody else has added some in between: then the client knows. */
void
imap_notify_own_messages(struct imap_session *s, struct slice name,
    uint32_t uidvalidity, const uint32_t *uids, size_t nuids)
{
	struct imap_notify *n = s->notify;
	struct notify_mailbox *m;

	if (!n || !n->listed || nuids == 0 || is_selected(s, name))
		return;
	m = imap_notify_find(n, name);
	if (!m || !m->counted || m->uidvalidity != uidvalidity ||
	    m->uidnext != uids[0] || uids[nuids - 1] != uids[0] + nuids - 1)
		return;
	m->uidnext += (uint32_t)nuids;
	m->messages += (uint32_t)nuids;
	m->own = true;
}

void
imap_notify_left(struct imap_session *s)
{
	struct imap_notify *n = s->notify;
	struct mailbox_counts counts;
	struct notify_mailbox *m;

	if (!n || !n->listed)
		return;
	m = imap_notify_find(n, imap_full_name(s, s->mb));
	if (!m || !m->counted)
		return;
	mailbox_counts(s->mb, &counts);
	m->uidvalidity = mailbox_uidvalidity(s->mb);
	m->uidnext = mailbox_uidnext(s->mb);
	m->messages = counts.messages;
	m->unseen = counts.unseen;
	m->modseq = mailbox_modseq(s->mb);
	m->stamp = STORE_STAMP_YOUNG;
	m->own = false;
	n->all_ms = 0;
}
