#include "imap/box.h"

#include <limits.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/map.h"
#include "config/lookup.h"
#include "db/escape.h"

#define OTHERS SLICE(IMAP_OTHERS)

struct imap_boxes {
	struct shares shares;
	struct slice *names;   /* of each share, as clients know it */
	struct store **stores; /* of each owner, opened when needed, or NULL */
	const struct store_env *env;
};

/* ---- at login ---- */

/* "Other Users/anna/INBOX/x": Inbox as Dovecot shows it there. */
static struct slice
full_name(struct arena *arena, struct slice account, struct slice mailbox)
{
	struct buf owner = BUF_INIT(STORE_NAME_MAX);
	struct slice name;
	bool inbox = slice_is(mailbox, "Inbox") ||
	    slice_starts(mailbox, SLICE("Inbox/"));

	db_escape(&owner, account);
	name = arena_printf(arena, IMAP_OTHERS "/%s/%s%.*s", buf_cstr(&owner),
	    inbox ? "INBOX" : "",
	    SLICE_FMT(inbox ? slice_skip(mailbox, 5) : mailbox));
	buf_free(&owner);
	return name;
}

int
imap_boxes_load(struct imap_session *s, struct host *host, struct arena *arena,
    struct err *e)
{
	struct imap_boxes *b = arena_alloc(arena, sizeof(*b));
	const struct conf_account *settings;

	*b = (struct imap_boxes){ .env = &host->env };
	if (shares_read(b->env, store_account(s->store), arena, &b->shares, e) <
	    0)
		return -1;
	b->names = arena_array(arena, b->shares.n, sizeof(*b->names));
	for (size_t i = 0; i < b->shares.n; i++)
		b->names[i] = full_name(arena, b->shares.v[i].owner->account,
		    b->shares.v[i].mailbox);
	b->stores = arena_array(arena, b->shares.nowners, sizeof(*b->stores));
	for (size_t i = 0; i < b->shares.nowners; i++) {
		struct share_owner *owner = &b->shares.owners[i];

		b->stores[i] = NULL;
		if (lookup_account(host->lookup, arena, owner->account,
			&settings, e) == 1)
			owner->quota =
			    (uint64_t)lookup_quota(host->config, settings);
	}
	s->boxes = b;
	s->lookup = host->lookup;
	return 0;
}

struct paths {
	struct sandbox_path *v;
	size_t n;
	const struct config *config;
	struct arena *arena;
};

/* Below data/. */
static void
add_path(struct paths *p, struct slice path, bool writes)
{
	if (path.n > 0)
		p->v[p->n++] =
		    (struct sandbox_path){ config_data(p->config, p->arena,
					       arena_cstr(p->arena, path)),
			    SANDBOX_READ | (writes ? SANDBOX_WRITE : 0) };
}

static void
add_account(struct paths *p, struct slice account)
{
	struct buf path = BUF_INIT(PATH_MAX);

	buf_addz(&path, "accounts/");
	db_escape(&path, account);
	add_path(p, arena_dup(p->arena, buf_slice(&path)), true);
	buf_free(&path);
}

int
imap_narrow(const struct imap_session *s, const struct config *config,
    struct arena *arena, struct err *e)
{
	const struct shares *all = &s->boxes->shares;
	struct paths p = { .config = config, .arena = arena };

	p.v = arena_array(arena, 2 * all->n + 4, sizeof(*p.v));
	add_account(&p, store_account(s->store));
	add_path(&p, SLICE("tmp"), true);
	add_path(&p, SLICE("../run/watch"), true);
	/* To tell those whom this account gives rights. */
	add_path(&p, SLICE("shared"), true);
	for (size_t i = 0; i < all->n; i++) {
		const struct share *share = &all->v[i];
		bool writes = share->rights & ACL_WRITES;

		add_path(&p, share_folder(share, arena), writes);
		if (writes)
			add_path(&p, share_notes(share->owner, arena), true);
	}
	return sandbox_narrow(p.v, p.n, e);
}

void
imap_boxes_free(struct imap_session *s)
{
	struct imap_boxes *b = s->boxes;

	for (size_t i = 0; b && i < b->shares.nowners; i++)
		store_close(&b->stores[i]);
	s->boxes = NULL;
}

bool
imap_boxes_any(const struct imap_session *s)
{
	return s->boxes && s->boxes->shares.n > 0;
}

void
imap_boxes_tidy(struct imap_session *s)
{
	struct imap_boxes *b = s->boxes;

	for (size_t i = 0; b && i < b->shares.nowners; i++)
		if (b->stores[i])
			store_tidy(b->stores[i]);
}

/* ---- names ---- */

bool
imap_is_others(struct slice name)
{
	return slice_starts(name, OTHERS) &&
	    (name.n == OTHERS.n || name.p[OTHERS.n] == '/');
}

/* "Other Users/anna/inbox/x" with INBOX as it is told. */
static struct slice
with_inbox(struct arena *arena, struct slice name)
{
	struct slice owner, mailbox, first, rest;
	bool more;

	if (!slice_cut(slice_skip(name, OTHERS.n + 1), '/', &owner, &mailbox))
		return name;
	more = slice_cut(mailbox, '/', &first, &rest);
	if (!slice_isi(first, "INBOX"))
		return name;
	return arena_printf(arena, IMAP_OTHERS "/%.*s/INBOX%s%.*s",
	    SLICE_FMT(owner), more ? "/" : "", SLICE_FMT(rest));
}

/* What was shared by this name at the login, or NULL. */
static const struct share *
find_share(const struct imap_session *s, struct slice name)
{
	const struct imap_boxes *b = s->boxes;

	for (size_t i = 0; b && i < b->shares.n; i++)
		if (slice_eq(b->names[i], name))
			return &b->shares.v[i];
	return NULL;
}

/* NULL: it cannot be opened, which is logged. */
static struct store *
store_of(struct imap_session *s, const struct share *share)
{
	struct imap_boxes *b = s->boxes;
	size_t i = (size_t)(share->owner - b->shares.owners);
	struct err e = ERR_INIT;

	if (b->stores[i])
		return b->stores[i];
	if (share_open(&b->stores[i], b->env, share->owner, &e) < 0)
		log_line("imapserver", LOG_ERROR, "account of another user",
		    LOG_S("account", share->owner->account), LOG_E(&e));
	if (b->stores[i])
		store_set_progress(b->stores[i], imap_progress_of_store, s);
	return b->stores[i];
}

static int
rights_of(struct imap_session *s, struct imap_box *box, struct err *e)
{
	int rc = acl_rights_of(box->store, box->name, store_account(s->store),
	    &box->rights, e);

	return rc == 1 ? box->rights != 0 : rc;
}

int
imap_resolve(struct imap_session *s, struct slice name, struct imap_box *box_r,
    struct err *e)
{
	const struct share *share = NULL;

	*box_r = (struct imap_box){ s->store, name, name, 0, false };
	if (imap_is_others(name)) {
		box_r->full = with_inbox(s->arena, name);
		share = find_share(s, box_r->full);
	}
	if (share) {
		box_r->other = true;
		box_r->name = share->mailbox;
		box_r->store = store_of(s, share);
		if (!box_r->store)
			return 0;
	}
	return rights_of(s, box_r, e);
}

static enum imap_result
not_there(struct imap_command *c)
{
	return imap_no(c, "NONEXISTENT", "no such mailbox");
}

enum imap_result
imap_box(struct imap_session *s, struct imap_command *c, struct slice name,
    unsigned need, struct imap_box *box_r)
{
	struct err e = ERR_INIT;
	int rc = imap_resolve(s, name, box_r, &e);

	if (rc < 0)
		return imap_store_failed(c, STORE_FAILED, &e);
	if (rc == 0)
		return not_there(c);
	if ((box_r->rights & need) == need)
		return IMAP_OK;
	/* RFC 4314, 6: whether it is there is nobody's business. */
	if (!(box_r->rights & ACL_LOOKUP))
		return not_there(c);
	return imap_no(c, "NOPERM", "you have no right to do that");
}

enum imap_result
imap_box_target(struct imap_session *s, struct imap_command *c,
    struct slice name, struct imap_box *box_r)
{
	enum imap_result rc = imap_box(s, c, name, ACL_INSERT, box_r);

	if (rc == IMAP_NO && slice_is(c->code, "NONEXISTENT") &&
	    !imap_is_others(name))
		imap_code(c, "TRYCREATE");
	return rc;
}

bool
imap_is_selected(const struct imap_session *s, const struct imap_box *box)
{
	return s->mb && mailbox_store_of(s->mb) == box->store &&
	    slice_eq(mailbox_name(s->mb), box->name);
}

struct slice
imap_full_name(const struct imap_session *s, const struct mailbox *mb)
{
	const struct imap_boxes *b = s->boxes;
	const struct store *st = mailbox_store_of(mb);
	struct slice name = mailbox_name(mb);

	if (st == s->store)
		return name;
	for (size_t i = 0; b && i < b->shares.n; i++) {
		const struct share *share = &b->shares.v[i];

		if (b->stores[share->owner - b->shares.owners] == st &&
		    slice_eq(share->mailbox, name))
			return b->names[i];
	}
	/* It has another one since. */
	return full_name(s->arena, store_account(st), name);
}

struct slice
imap_name_of(struct imap_session *s, struct slice account, struct slice name)
{
	return full_name(s->arena, account, name);
}

int
imap_owner_of(struct imap_session *s, struct slice full,
    struct slice *account_r, struct slice *name_r)
{
	const struct imap_boxes *b = s->boxes;
	struct slice owner, first, rest;
	struct buf text = BUF_INIT(STORE_NAME_MAX);
	int found = 0;
	bool more;

	slice_cut(slice_skip(full, OTHERS.n + 1), '/', &owner, name_r);
	for (size_t i = 0; b && found == 0 && i < b->shares.nowners; i++) {
		*account_r = b->shares.owners[i].account;
		buf_reset(&text);
		db_escape(&text, *account_r);
		found = slice_eq(buf_slice(&text), owner);
	}
	buf_free(&text);
	more = slice_cut(*name_r, '/', &first, &rest);
	if (slice_isi(first, "INBOX"))
		*name_r = arena_printf(s->arena, "Inbox%s%.*s", more ? "/" : "",
		    SLICE_FMT(rest));
	return found;
}

struct store *
imap_watched(const struct imap_session *s)
{
	return s->mb ? mailbox_store_of(s->mb) : s->store;
}

struct slice
imap_root_of(const struct imap_box *box)
{
	ssize_t slash = slice_chr(slice_skip(box->full, OTHERS.n + 1), '/');

	if (!box->other || slash < 0)
		return SLICE_NULL;
	return slice_head(box->full, OTHERS.n + 1 + (size_t)slash);
}

struct store *
imap_store_of_root(struct imap_session *s, struct slice root)
{
	const struct imap_boxes *b = s->boxes;
	struct imap_box box;

	for (size_t i = 0; b && i < b->shares.n; i++)
		if (slice_starts(b->names[i], root) &&
		    imap_resolve(s, b->names[i], &box, NULL) == 1 &&
		    box.rights & ACL_READ && slice_eq(imap_root_of(&box), root))
			return box.store;
	return NULL;
}

/* ---- all of them ---- */

struct listing {
	struct arena *arena;
	struct map *index; /* name -> 1 + position */
	struct store_mailbox *v;
	size_t n, size;
};

static struct store_mailbox *
entry(struct listing *l, struct slice name)
{
	size_t at = (uintptr_t)map_get(l->index, name);

	if (at > 0)
		return &l->v[at - 1];
	if (l->n == l->size) {
		l->size = 2 * l->size + 16;
		l->v = arena_grow(l->arena, l->v, l->n, l->size, sizeof(*l->v));
	}
	l->v[l->n] = (struct store_mailbox){ .name = name };
	map_set(l->index, name, (void *)(uintptr_t)++l->n);
	return &l->v[l->n - 1];
}

static void
add_share(struct listing *l, struct slice name)
{
	ssize_t slash;

	entry(l, name)->exists = true;
	while ((slash = slice_rchr(name, '/')) > 0) {
		name = slice_head(name, (size_t)slash);
		entry(l, name)->has_children = true;
	}
}

static int
by_name(const void *a, const void *b)
{
	return store_order(((const struct store_mailbox *)a)->name,
	    ((const struct store_mailbox *)b)->name);
}

int
imap_mailboxes(struct imap_session *s, struct store_mailbox **list_r,
    size_t *n_r, struct err *e)
{
	const struct imap_boxes *b = s->boxes;
	struct listing l = { .arena = s->arena };
	struct imap_box box;

	if (store_list(s->store, s->arena, list_r, n_r, e) < 0)
		return -1;
	if (!b || b->shares.n == 0)
		return 0;
	l.index = map_new();
	for (size_t i = 0; i < *n_r; i++)
		*entry(&l, (*list_r)[i].name) = (*list_r)[i];
	for (size_t i = 0; i < b->shares.n; i++)
		if (imap_resolve(s, b->names[i], &box, NULL) == 1 &&
		    box.rights & ACL_LOOKUP)
			add_share(&l, b->names[i]);
	map_free(&l.index);
	qsort(l.v, l.n, sizeof(*l.v), by_name);
	*list_r = l.v;
	*n_r = l.n;
	return 0;
}

/* ---- rights ---- */

bool
imap_may(const struct imap_session *s, unsigned rights)
{
	return !s->readonly && s->rights & rights;
}

enum imap_result
imap_need(const struct imap_session *s, struct imap_command *c, unsigned rights)
{
	if (s->readonly)
		return imap_no(c, "READ-ONLY", "mailbox is opened read-only");
	if ((s->rights & rights) != rights)
		return imap_no(c, "NOPERM", "you have no right to do that");
	return IMAP_OK;
}

void
imap_look_at_rights(struct imap_session *s)
{
	unsigned rights = 0;

	/* One that is gone is noticed elsewhere. */
	if (!s->mb || s->logout ||
	    acl_rights_of(mailbox_store_of(s->mb), mailbox_name(s->mb),
		store_account(s->store), &rights, NULL) == 0 ||
	    rights == s->rights)
		return;
	s->rights = rights;
	if (rights & ACL_READ) {
		imap_tell_flags(s, true);
		return;
	}
	imap_line(s, "BYE you may no longer read this mailbox");
	s->logout = true;
}

uint16_t
imap_kept_flags(unsigned rights)
{
	uint16_t kept = 0;

	if (!(rights & ACL_SEEN))
		kept |= STORE_SEEN;
	if (!(rights & ACL_TRASH))
		kept |= STORE_DELETED;
	if (!(rights & ACL_WRITE))
		kept |= STORE_FLAGS & ~(STORE_SEEN | STORE_DELETED);
	return kept;
}

void
imap_allowed_flags(struct store_flags *flags, unsigned rights)
{
	flags->flags &= (uint16_t)~imap_kept_flags(rights);
	if (!(rights & ACL_WRITE))
		flags->nkeywords = 0;
}
