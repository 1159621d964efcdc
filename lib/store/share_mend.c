/*
 * share_mend.c - data/shared against the lists of rights. Each name is looked at
 * once from either side, so the cost grows with what is shared, not with the
 * accounts that share nothing.
 */
#include <unistd.h>

#include "store/share_int.h"

struct mending {
	const struct store_env *env;
	bool fix;
	share_found *found;
	void *ctx;
	struct arena *arena;
	int shared_fd; /* only if fix; the lease is held */
};

static int
begin(struct mending *m, struct db_lock *lock, struct err *e)
{
	m->arena = arena_new(0);
	return m->fix ? share_lock(m->env, lock, &m->shared_fd, e) : 0;
}

static void
end(struct mending *m, struct db_lock *lock)
{
	arena_free(&m->arena);
	db_unlock(lock);
	if (m->shared_fd >= 0)
		close(m->shared_fd);
}

static int
mend(struct mending *m, const struct share_difference *d, struct err *e)
{
	if (m->fix &&
	    share_edit(m->shared_fd, m->env, d->who, d->owner, d->mailbox,
		d->missing, e) < 0)
		return -1;
	m->found(m->ctx, d);
	return 0;
}

/* ---- what is missing ---- */

static bool
has(const struct share_names *names, struct slice name)
{
	for (size_t i = 0; i < names->n; i++)
		if (slice_eq(names->v[i], name))
			return true;
	return false;
}

static int
look_at_mailbox(struct mending *m, struct store *st, struct slice mailbox,
    struct err *e)
{
	struct share_difference d = { store_account(st), mailbox, SLICE_NULL,
		true };
	struct share_names told;
	struct acl acl;

	if (acl_read(st, mailbox, m->arena, &acl, e) < 0)
		return -1;
	for (size_t i = 0; acl.bad == 0 && i < acl.n; i++) {
		d.who = share_whom(&acl.v[i], d.owner);
		if (d.who.n == 0)
			continue;
		if (share_list(m->env, d.who, d.owner, m->arena, &told, e) <
			0 ||
		    (!has(&told, mailbox) && mend(m, &d, e) < 0))
			return -1;
	}
	return 0;
}

int
share_mend_missing(struct store *st, bool fix, share_found *found, void *ctx,
    struct err *e)
{
	struct mending m = { st->env, fix, found, ctx, NULL, -1 };
	struct db_lock lock = DB_LOCK_INIT;
	struct mailbox_folder *v = NULL;
	size_t n = 0;
	int rc = begin(&m, &lock, e);

	if (rc == 0)
		rc = list_folders(st, m.arena, &v, &n, e);
	if (rc == 0)
		rc = look_at_mailbox(&m, st, SLICE("Inbox"), e);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = look_at_mailbox(&m, st, v[i].name, e);
	end(&m, &lock);
	return rc;
}

/* ---- what is one too many ---- */

/* Is the mailbox for who, by its list? No account, no mailbox: no. */
static int
is_for(struct store *st, struct slice mailbox, struct slice who,
    struct arena *arena, struct err *e)
{
	struct acl acl;
	int rc = st ? acl_read(st, mailbox, arena, &acl, e) : 0;

	for (size_t i = 0; rc == 1 && i < acl.n; i++)
		if (slice_eq(share_whom(&acl.v[i], store_account(st)), who))
			return 1;
	/* Until it is edited it is for nobody, but that may be mended. */
	return rc == 1 ? acl.bad > 0 : rc;
}

static int
look_at_owner(struct mending *m, struct slice who, struct slice owner,
    struct err *e)
{
	struct share_owner account = { .account = owner };
	struct share_difference d = { owner, SLICE_NULL, who, false };
	struct store *st = NULL;
	struct share_names names;
	int rc = share_list(m->env, who, owner, m->arena, &names, e);

	if (rc == 0 && share_open(&st, m->env, &account, e) < 0)
		rc = -1;
	for (size_t i = 0; rc == 0 && i < names.n; i++) {
		int right = is_for(st, names.v[i], who, m->arena, e);

		d.mailbox = names.v[i];
		if (right < 0 || (right == 0 && mend(m, &d, e) < 0))
			rc = -1;
	}
	store_close(&st);
	return rc;
}

int
share_mend_stale(const struct store_env *env, bool fix, share_found *found,
    void *ctx, struct err *e)
{
	struct mending m = { env, fix, found, ctx, NULL, -1 };
	struct db_lock lock = DB_LOCK_INIT;
	struct share_names who = { NULL, 0 }, owners;
	int rc = begin(&m, &lock, e);

	if (rc == 0)
		rc = share_readers(env, m.arena, &who, e);
	for (size_t i = 0; rc == 0 && i < who.n; i++) {
		rc = share_owners(env, who.v[i], m.arena, &owners, e);
		for (size_t k = 0; rc == 0 && k < owners.n; k++)
			rc = look_at_owner(&m, who.v[i], owners.v[k], e);
	}
	end(&m, &lock);
	return rc;
}

/* ---- an account that is gone ---- */

static void
not_told(void *ctx, const struct share_difference *d)
{
	(void)ctx, (void)d;
}

/* The entries for who in the lists of one owner. */
static int
forget_entries(const struct store_env *env, struct slice owner,
    struct slice who, struct arena *arena, struct err *e)
{
	const struct acl_entry entry = { .who = ACL_USER, .name = who };
	struct share_owner account = { .account = owner };
	struct share_names names;
	struct store *st = NULL;
	int rc = share_list(env, who, owner, arena, &names, e);

	if (rc == 0)
		rc = share_open(&st, env, &account, e);
	for (size_t i = 0; rc == 1 && i < names.n; i++)
		if (acl_change(st, names.v[i], &entry, ACL_FORGET, e) ==
		    STORE_FAILED)
			rc = -1;
	store_close(&st);
	return rc < 0 ? -1 : 0;
}

int
share_account_gone(const struct store_env *env, struct slice account,
    struct err *e)
{
	struct arena *arena = arena_new(0);
	struct share_names owners;
	int rc = share_owners(env, account, arena, &owners, e);

	for (size_t i = 0; rc == 0 && i < owners.n; i++)
		rc = forget_entries(env, owners.v[i], account, arena, e);
	if (rc == 0)
		rc = share_mend_stale(env, true, not_told, NULL, e);
	arena_free(&arena);
	return rc;
}
