/*
 * notify_save - what a client wants and was told, as bytes, for a session that
 * gives up its process. Numbers are little endian; texts have their length
 * before them. Only this program reads it, but from another process, so all is
 * checked.
 */
#include <stdlib.h>

#include "base/le.h"
#include "imap/fetch.h"
#include "imap/notify.h"
#include "store/metadata.h"

#define MAGIC "mxn1"

/* ---- writing ---- */

static void
put32(struct buf *b, uint32_t v)
{
	char bytes[4];

	le_put32(bytes, v);
	buf_add(b, slice_of(bytes, sizeof(bytes)));
}

static void
put64(struct buf *b, uint64_t v)
{
	char bytes[8];

	le_put64(bytes, v);
	buf_add(b, slice_of(bytes, sizeof(bytes)));
}

static void
put_text(struct buf *b, struct slice text)
{
	put32(b, (uint32_t)text.n);
	buf_add(b, text);
}

static void
put_group(struct buf *b, const struct notify_group *g)
{
	put32(b, g->filter.kind);
	put32(b, g->events);
	put_text(b, g->fetch);
	put32(b, (uint32_t)g->filter.n);
	for (size_t i = 0; i < g->filter.n; i++)
		put_text(b, g->filter.names[i]);
}

enum { /* bits */
	HAS_EXISTS = 1,
	HAS_SUBSCRIBED = 2,
	HAS_CHILDREN = 4,
	HAS_COUNTS = 8,
	HAS_OWN = 16,
	HAS_ENTRIES = 32,
	HAS_NO_ACCESS = 64,
	HAS_ALL = 127,
};

static void
put_mailbox(struct buf *b, const struct notify_mailbox *m)
{
	put_text(b, m->name);
	put32(b,
	    (m->exists ? HAS_EXISTS : 0) |
		(m->subscribed ? HAS_SUBSCRIBED : 0) |
		(m->has_children ? HAS_CHILDREN : 0) |
		(m->counted ? HAS_COUNTS : 0) | (m->own ? HAS_OWN : 0) |
		(m->annotated ? HAS_ENTRIES : 0) |
		(m->denied ? HAS_NO_ACCESS : 0));
	put32(b, m->use);
	put32(b, m->events);
	put64(b, m->identity);
	if (m->counted) {
		put32(b, m->uidvalidity);
		put32(b, m->uidnext);
		put32(b, m->messages);
		put32(b, m->unseen);
		put64(b, m->modseq);
		put64(b, m->stamp);
	}
	if (!m->annotated)
		return;
	put64(b, m->metadata_stamp);
	put32(b, (uint32_t)m->nentries);
	for (size_t i = 0; i < m->nentries; i++) {
		put_text(b, m->entries[i].name);
		put64(b, m->entries[i].hash);
	}
}

void
imap_notify_save(const struct imap_notify *n, struct buf *out)
{
	static const struct imap_notify none;

	if (!n)
		n = &none;
	buf_addz(out, MAGIC);
	put32(out, n->given);
	put32(out, (uint32_t)n->ngroups);
	for (size_t i = 0; i < n->ngroups; i++)
		put_group(out, &n->groups[i]);
	put32(out, n->large);
	put32(out, n->listed);
	if (!n->listed)
		return;
	put64(out, n->list_stamp);
	put_mailbox(out, &n->account);
	put32(out, (uint32_t)n->n);
	for (size_t i = 0; i < n->n; i++)
		put_mailbox(out, &n->v[i]);
}

/* ---- reading ---- */

struct in {
	struct scan sc;
	struct arena *arena; /* for what is read */
	bool bad;
};

static uint32_t
get32(struct in *in)
{
	struct slice bytes;

	if (scan_bytes(&in->sc, 4, &bytes))
		return le_get32(bytes.p);
	in->bad = true;
	return 0;
}

static uint64_t
get64(struct in *in)
{
	struct slice bytes;

	if (scan_bytes(&in->sc, 8, &bytes))
		return le_get64(bytes.p);
	in->bad = true;
	return 0;
}

/* At most max; 0 if it makes no sense. */
static uint32_t
get_max(struct in *in, uint32_t max)
{
	uint32_t v = get32(in);

	if (v <= max)
		return v;
	in->bad = true;
	return 0;
}

/* A number of things of so many bytes at least: no more than can follow. */
static uint32_t
get_count(struct in *in, uint32_t max, size_t bytes)
{
	uint32_t v = get_max(in, max);

	if (v <= scan_rest(&in->sc).n / bytes)
		return v;
	in->bad = true;
	return 0;
}

static struct slice
get_text(struct in *in, uint32_t max)
{
	struct slice text = SLICE_NULL;
	uint32_t n = get_max(in, max);

	if (in->bad || !scan_bytes(&in->sc, n, &text)) {
		in->bad = true;
		return SLICE_NULL;
	}
	return arena_dup(in->arena, text);
}

/* What was a command once is one still. */
static bool
is_fetch(struct in *in, struct slice text)
{
	struct imap_parse p = { .sc = scan_of(text), .arena = in->arena };
	struct fetch f = { .nitems = 0 };

	return text.n == 0 || (imap_fetch_list(&p, &f) && scan_end(&p.sc));
}

static void
get_group(struct in *in, struct notify_group *g)
{
	g->filter.kind = get_max(in, FILTER_KINDS - 1);
	g->events = get_max(in, NOTIFY_EVENTS);
	g->fetch = get_text(in, NOTIFY_FETCH_MAX);
	in->bad |= !is_fetch(in, g->fetch);
	g->filter.n = get_count(in, FILTER_NAMES_MAX, 4);
	g->filter.names =
	    arena_array(in->arena, g->filter.n, sizeof(*g->filter.names));
	for (size_t i = 0; i < g->filter.n; i++)
		g->filter.names[i] = get_text(in, STORE_NAME_MAX);
}

static void
get_mailbox(struct in *in, struct notify_mailbox *m)
{
	uint32_t bits;

	m->name = get_text(in, STORE_NAME_MAX);
	bits = get_max(in, HAS_ALL);
	m->exists = bits & HAS_EXISTS;
	m->subscribed = bits & HAS_SUBSCRIBED;
	m->has_children = bits & HAS_CHILDREN;
	m->counted = bits & HAS_COUNTS;
	m->own = bits & HAS_OWN;
	m->annotated = bits & HAS_ENTRIES;
	m->denied = bits & HAS_NO_ACCESS;
	m->use = get32(in);
	m->events = get_max(in, NOTIFY_EVENTS);
	m->identity = get64(in);
	if (m->counted) {
		m->uidvalidity = get32(in);
		m->uidnext = get32(in);
		m->messages = get32(in);
		m->unseen = get32(in);
		m->modseq = get64(in);
		m->stamp = get64(in);
	}
	if (!m->annotated)
		return;
	m->metadata_stamp = get64(in);
	m->nentries = get_count(in, METADATA_ENTRIES_MAX, 12);
	m->entries = arena_array(in->arena, m->nentries, sizeof(*m->entries));
	for (size_t i = 0; i < m->nentries; i++) {
		m->entries[i].name = get_text(in, METADATA_NAME_MAX);
		m->entries[i].hash = get64(in);
	}
}

static void
get_told(struct in *in, struct imap_notify *n)
{
	in->arena = n->told_arena;
	n->list_stamp = get64(in);
	get_mailbox(in, &n->account);
	in->bad |= n->account.name.n != 0;
	n->n = get_count(in, NOTIFY_NAMES_MAX, 24);
	n->v = arena_array(in->arena, n->n, sizeof(*n->v));
	for (size_t i = 0; i < n->n && !in->bad; i++) {
		get_mailbox(in, &n->v[i]);
		in->bad |= n->v[i].name.n == 0 ||
		    (i > 0 && store_order(n->v[i - 1].name, n->v[i].name) >= 0);
	}
	n->told_bytes = arena_used(n->told_arena);
}

bool
imap_notify_load(struct imap_notify **n_r, struct slice saved)
{
	struct imap_notify *n = imap_notify_new();
	struct in in = { .sc = scan_of(saved), .arena = n->arena };

	in.bad = !scan_lit(&in.sc, SLICE(MAGIC));
	n->given = get_max(&in, 1);
	n->ngroups = get_count(&in, NOTIFY_GROUPS_MAX, 16);
	n->groups = arena_array(n->arena, n->ngroups, sizeof(*n->groups));
	for (size_t i = 0; i < n->ngroups && !in.bad; i++)
		get_group(&in, &n->groups[i]);
	n->large = get_max(&in, 1);
	n->listed = get_max(&in, 1);
	if (n->listed)
		get_told(&in, n);
	if (in.bad || !scan_end(&in.sc))
		imap_notify_free(&n);
	*n_r = n;
	return n != NULL;
}
