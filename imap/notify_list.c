/*
 * notify_list - which mailboxes came, went, and were renamed.
 *
 * The list as it is beside the list as it was told. A folder that has another
 * name now was renamed: its identity says so.
 */
#include <string.h>

#include "base/map.h"
#include "imap/box.h"
#include "imap/notify.h"
#include "imap/use.h"

struct diff {
	struct imap_session *s;
	struct notify_mailbox *old, *new;
	size_t nold, nnew;
	/* By position in new: the same name before, and the one it was renamed
	 * from; NULL for none. */
	struct notify_mailbox **same, **from;
	bool *told; /* by position in new: its rename was, or need not be */
	/* By position in old: what it is now, as was told; or NULL. */
	const struct notify_mailbox **moved;
	struct map *by_identity; /* of folders whose name is gone */
	struct slice own[2];
};

/* ---- names ---- */

static struct notify_mailbox *
find(struct notify_mailbox *v, size_t n, struct slice name)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = store_order(v[mid].name, name);
		if (c == 0)
			return &v[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

struct notify_mailbox *
imap_notify_find(const struct imap_notify *n, struct slice name)
{
	return find(n->v, n->n, name);
}

/* ---- what is ---- */

/* Which folder it is, and whether it may be read (RFC 5465, 5.9): rights on
 * one's own are looked at when there is a change. */
static void
look_up(struct imap_session *s, struct notify_mailbox *m, bool identity)
{
	struct imap_box box = { .store = s->store, .name = m->name };

	if (imap_is_others(m->name)) {
		m->denied = imap_resolve(s, m->name, &box, NULL) != 1 ||
		    !(box.rights & ACL_READ);
		m->events &= ~(unsigned)(m->denied ? NOTIFY_MESSAGES : 0);
	}
	if (identity)
		m->identity = store_mailbox_identity(box.store, box.name);
}

static int
read_list(struct diff *d, struct arena *arena, struct err *e)
{
	struct imap_session *s = d->s;
	struct store_mailbox *list;
	bool names = imap_notify_names(s);
	size_t n;

	if (imap_mailboxes(s, &list, &n, e) < 0)
		return -1;
	if (n > NOTIFY_NAMES_MAX)
		return err_set(e, ERR_LIMIT, "too many mailboxes to watch");
	d->new = arena_array(arena, n, sizeof(*d->new));
	d->nnew = n;
	for (size_t i = 0; i < n; i++) {
		struct notify_mailbox *m = &d->new[i];
		*m = (struct notify_mailbox){
			.name = arena_dup(arena, list[i].name),
			.exists = list[i].exists,
			.subscribed = list[i].subscribed,
			.has_children = list[i].has_children,
			.use = list[i].use,
			.events = imap_notify_wanted(s, list[i].name,
			    list[i].subscribed),
		};
		if (m->exists)
			look_up(s, m, names);
	}
	return 0;
}

/* ---- what became of it ---- */

static struct slice
key_of(const uint64_t *identity)
{
	return slice_of((const char *)identity, sizeof(*identity));
}

static void
match(struct diff *d)
{
	struct arena *arena = d->s->arena;

	d->same = arena_array(arena, d->nnew, sizeof(struct notify_mailbox *));
	d->from = arena_array(arena, d->nnew, sizeof(struct notify_mailbox *));
	d->told = arena_array(arena, d->nnew, sizeof(*d->told));
	d->moved = arena_array(arena, d->nold, sizeof(struct notify_mailbox *));
	for (size_t i = 0; i < d->nnew; i++)
		d->same[i] = find(d->old, d->nold, d->new[i].name);
	for (size_t i = 0; i < d->nold; i++) {
		struct notify_mailbox *m = &d->old[i];
		struct notify_mailbox *now = find(d->new, d->nnew, m->name);
		if (m->exists && m->identity &&
		    (!now || now->identity != m->identity))
			map_set(d->by_identity, key_of(&m->identity), m);
	}
	for (size_t i = 0; i < d->nnew; i++) {
		struct notify_mailbox *m = &d->new[i];
		if (m->exists && m->identity &&
		    (!d->same[i] || d->same[i]->identity != m->identity))
			d->from[i] =
			    map_get(d->by_identity, key_of(&m->identity));
	}
}

/* What was told of a mailbox stays told of it. */
static void
carry_over(struct notify_mailbox *m, const struct notify_mailbox *from,
    struct arena *arena)
{
	if (from->identity && m->identity && from->identity != m->identity) {
		/* Another one of that name: all is to be looked at. */
		m->stamp = m->metadata_stamp = STORE_STAMP_YOUNG;
	} else {
		m->stamp = from->stamp;
		m->metadata_stamp = from->metadata_stamp;
	}
	m->counted = from->counted && m->exists && m->events & NOTIFY_MESSAGES;
	m->own = from->own;
	m->uidvalidity = from->uidvalidity;
	m->uidnext = from->uidnext;
	m->messages = from->messages;
	m->unseen = from->unseen;
	m->modseq = from->modseq;
	m->annotated = from->annotated &&
	    m->events & (NOTIFY_METADATA | NOTIFY_ACCOUNT_METADATA);
	if (!m->annotated || !from->nentries)
		return;
	m->nentries = from->nentries;
	m->entries = arena_array(arena, m->nentries, sizeof(*m->entries));
	for (size_t i = 0; i < m->nentries; i++) {
		m->entries[i].name = arena_dup(arena, from->entries[i].name);
		m->entries[i].hash = from->entries[i].hash;
	}
}

/* ---- telling ---- */

/* Is one the other, or a level above it? */
static bool
related(struct slice a, struct slice b)
{
	struct slice top = a.n < b.n ? a : b, name = a.n < b.n ? b : a;

	return slice_starts(name, top) &&
	    (name.n == top.n || name.p[top.n] == '/');
}

static bool
is_own(const struct diff *d, struct slice name)
{
	return (d->own[0].p && related(name, d->own[0])) ||
	    (d->own[1].p && related(name, d->own[1]));
}

/*
 * RFC 5465, 5.4 and 5.5. Clients without NOTIFY or IMAP4rev2 do not know
 * \NonExistent, and would take the name for a new one.
 */
void
imap_notify_put_list(struct imap_session *s, const struct notify_mailbox *m,
    struct slice oldname)
{
	bool given = s->notify->given, modern = s->enabled & IMAP_REV2;
	struct buf words = BUF_INIT(1024);

	if (m->subscribed)
		buf_addz(&words, " \\Subscribed");
	if (!m->exists)
		buf_addz(&words, " \\NonExistent");
	if (m->denied && given)
		buf_addz(&words, " \\NoAccess");
	if (given)
		buf_addz(&words,
		    m->has_children ? " \\HasChildren" : " \\HasNoChildren");
	imap_put_use(&words, m->use);
	buf_addz(&s->out, "* LIST (");
	buf_add(&s->out, slice_skip(buf_slice(&words), 1));
	buf_addz(&s->out, ") \"/\" ");
	imap_put_mailbox(s, m->name);
	if (oldname.n && (given || modern)) {
		buf_addz(&s->out, " (\"OLDNAME\" (");
		imap_put_mailbox(s, oldname);
		buf_addz(&s->out, "))");
	}
	buf_addz(&s->out, "\r\n");
	buf_free(&words);
	imap_flush_large(s);
}

/* Is it different enough from what was told, to be told? */
static bool
differs(const struct diff *d, const struct notify_mailbox *m,
    const struct notify_mailbox *old)
{
	static const struct notify_mailbox none;
	unsigned events = m->events | (old ? old->events : 0);
	const struct imap_session *s = d->s;
	bool name, subscription;

	if (!old)
		old = &none;
	name = m->exists != old->exists ||
	    (s->notify->given &&
		(m->has_children != old->has_children ||
		    m->denied != old->denied));
	subscription = m->subscribed != old->subscribed;
	if (subscription && events & NOTIFY_SUBSCRIPTION)
		return true;
	return name && events & NOTIFY_NAME &&
	    (m->exists || s->notify->given || s->enabled & IMAP_REV2);
}

/* Was it renamed by a rename of the one above it, at *at_r? */
static bool
with_parent(const struct diff *d, size_t i, size_t *at_r)
{
	struct slice to = d->new[i].name, from = d->from[i]->name;
	ssize_t a = slice_rchr(to, '/'), b = slice_rchr(from, '/');
	struct notify_mailbox *parent;

	if (a <= 0 || b <= 0 ||
	    !slice_eq(slice_skip(to, (size_t)a), slice_skip(from, (size_t)b)))
		return false;
	parent = find(d->new, d->nnew, slice_head(to, (size_t)a));
	if (!parent)
		return false;
	*at_r = (size_t)(parent - d->new);
	return d->from[*at_r] &&
	    slice_eq(d->from[*at_r]->name, slice_head(from, (size_t)b));
}

/* RFC 5465, 5.4: what is below a renamed mailbox is not told if it moved with
 * it, and is nothing else than before. */
static bool
moved_along(const struct diff *d, size_t i)
{
	size_t at;

	return with_parent(d, i, &at) && d->told[at];
}

static bool
exists(struct notify_mailbox *v, size_t n, struct slice name)
{
	const struct notify_mailbox *m = find(v, n, name);

	return m && m->exists;
}

/*
 * Would a client that believes in renames know what is? Not if there were
 * several since the last look, for what one gave may be what another took, or
 * if others have the names now. Then some names go, and others come.
 */
static bool
can_be_followed(const struct diff *d)
{
	size_t renames = 0, at;

	for (size_t i = 0; i < d->nnew; i++) {
		struct slice name = d->new[i].name, old;
		if (!d->from[i] || is_own(d, name) || with_parent(d, i, &at))
			continue;
		old = d->from[i]->name;
		if (++renames > 1 || related(old, name) ||
		    exists(d->new, d->nnew, old) ||
		    exists(d->old, d->nold, name))
			return false;
	}
	return true;
}

/* False if nothing is to be told of the name before. */
static bool
tell_renamed(struct diff *d, size_t i)
{
	const struct notify_mailbox *m = &d->new[i], *old = d->from[i];

	if (!((m->events | old->events) & NOTIFY_NAME))
		return false;
	d->told[i] = true;
	d->moved[old - d->old] = m;
	if (is_own(d, m->name) || (moved_along(d, i) && !differs(d, m, old)))
		return true;
	imap_notify_put_list(d->s, m, old->name);
	return true;
}

/*
 * Where a client expects a name that is below a renamed one: it moves along
 * (RFC 5465, 5.4). False if no level above was renamed.
 */
static bool
expected(const struct diff *d, struct slice name, struct slice *name_r)
{
	struct slice above = name;
	ssize_t slash;

	while ((slash = slice_rchr(above, '/')) > 0) {
		const struct notify_mailbox *old, *now;
		above = slice_head(above, (size_t)slash);
		old = find(d->old, d->nold, above);
		now = old ? d->moved[old - d->old] : NULL;
		if (!now)
			continue;
		*name_r = arena_printf(d->s->arena, "%.*s%.*s",
		    SLICE_FMT(now->name), SLICE_FMT(slice_skip(name, above.n)));
		return true;
	}
	return false;
}

static void
tell_name(struct diff *d, struct slice name)
{
	struct notify_mailbox gone = { .name = name };
	struct notify_mailbox *now = find(d->new, d->nnew, name);

	imap_notify_put_list(d->s, now ? now : &gone, SLICE_NULL);
}

/* What a client that believes in renames has wrong: names that are there again,
 * and those that did not move along. */
static void
tell_after_renames(struct diff *d, size_t i)
{
	struct slice name = d->old[i].name, moved = SLICE_NULL;
	bool below = expected(d, name, &moved);
	struct notify_mailbox *now;

	if ((below || d->moved[i]) && find(d->new, d->nnew, name))
		tell_name(d, name);
	if (!below)
		return;
	now = find(d->new, d->nnew, moved);
	if (!now || d->from[now - d->new] != &d->old[i])
		tell_name(d, moved);
}

/* Names that are in the list no more. */
static void
tell_old(struct diff *d)
{
	for (size_t i = 0; i < d->nold; i++) {
		const struct notify_mailbox *old = &d->old[i];
		struct notify_mailbox gone = { .name = old->name };
		if (is_own(d, gone.name))
			continue;
		tell_after_renames(d, i);
		if (!find(d->new, d->nnew, gone.name) && !d->moved[i] &&
		    differs(d, &gone, old))
			imap_notify_put_list(d->s, &gone, SLICE_NULL);
	}
}

/* Renames first: what is told of names then is so afterwards. */
static void
tell_all(struct diff *d)
{
	bool *done = arena_array(d->s->arena, d->nnew, sizeof(*done));

	for (size_t i = 0; i < d->nnew; i++)
		done[i] = d->from[i] && tell_renamed(d, i);
	for (size_t i = 0; i < d->nnew; i++)
		if (!done[i] && !is_own(d, d->new[i].name) &&
		    differs(d, &d->new[i], d->same[i]))
			imap_notify_put_list(d->s, &d->new[i], SLICE_NULL);
	tell_old(d);
}

/* ---- all ---- */

/* What is wanted of a mailbox and was not known. A client that did not know of
 * the mailbox does not know that it is not empty, either. */
static void
make_known(struct imap_session *s, struct notify_mailbox *m, bool quiet)
{
	const unsigned metadata = NOTIFY_METADATA | NOTIFY_ACCOUNT_METADATA;
	struct err e = ERR_INIT;

	if (m->exists && m->events & NOTIFY_MESSAGES && !m->counted &&
	    imap_notify_count(s, m, &e) == 0 && !quiet && m->counted &&
	    m->messages > 0)
		imap_notify_put_status(s, m);
	if (!m->exists || !(m->events & metadata) || m->annotated)
		return;
	m->annotated = true;
	if (quiet)
		imap_notify_entries(s, m, &e);
}

static void
take(struct diff *d, struct arena *arena, uint64_t stamp)
{
	struct imap_notify *n = d->s->notify;
	struct notify_mailbox account = { .exists = true,
		.events = imap_notify_wanted(d->s, SLICE(""), false) };

	carry_over(&account, &n->account, arena);
	arena_free(&n->told_arena);
	n->told_arena = arena;
	n->v = d->new;
	n->n = d->nnew;
	n->account = account;
	n->list_stamp = stamp;
	n->listed = true;
}

int
imap_notify_list(struct imap_session *s, bool quiet, struct slice from,
    struct slice to, struct err *e)
{
	struct imap_notify *n = s->notify;
	struct arena *arena = arena_new(0);
	struct diff d = { .s = s, .old = n->v, .nold = n->n };
	uint64_t stamp = store_list_stamp(s->store);

	if (read_list(&d, arena, e) < 0) {
		arena_free(&arena);
		return -1;
	}
	d.own[0] = from;
	d.own[1] = to;
	d.by_identity = map_new();
	match(&d);
	if (!can_be_followed(&d))
		memset(d.from, 0, d.nnew * sizeof(*d.from));
	for (size_t i = 0; i < d.nnew; i++)
		if (d.from[i] || d.same[i])
			carry_over(&d.new[i], d.from[i] ? d.from[i] : d.same[i],
			    arena);
	if (n->listed)
		tell_all(&d);
	map_free(&d.by_identity);
	take(&d, arena, stamp);
	for (size_t i = 0; i < n->n; i++)
		make_known(s, &n->v[i], quiet);
	make_known(s, &n->account, quiet);
	n->told_bytes = arena_used(n->told_arena);
	return 0;
}
