/*
 * share.c - what others share with an account, and opening it.
 */
#include "store/share.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "db/escape.h"
#include "store/share_int.h"

/* A login looks at so many names, true or not. */
#define NAMES_MAX (10 * SHARES_MAX)

/* ---- opening ---- */

int
share_open(struct store **st_r, const struct store_env *env,
    const struct share_owner *owner, struct err *e)
{
	struct store *st = store_new(env, owner->account);
	char path[PATH_MAX];
	/* Enough to go on to a folder, and that is all. */
	const int flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
	int rc = store_account_path("accounts/", owner->account, "", path, e);

	*st_r = NULL;
	st->other = true;
	st->other_used = owner->used;
	st->quota = owner->quota;
	if (rc == 0)
		st->fd = openat(env->data_fd, path, flags);
	if (st->fd >= 0)
		st->maildir_fd = openat(st->fd, "Maildir", flags);
	if (rc == 0 && st->maildir_fd >= 0) {
		*st_r = st;
		return 1;
	}
	if (rc == 0 && errno != ENOENT && errno != ENOTDIR)
		rc = err_sys(e, "open account %.*s", SLICE_FMT(owner->account));
	store_close(&st);
	return rc;
}

/* ---- what is shared with an account ---- */

struct reading {
	const struct store_env *env;
	struct slice account; /* who reads */
	struct arena *arena;
	struct shares *shares;
	size_t names; /* looked at */
	bool left_out;
};

static bool
is_known(const struct shares *shares, const struct share_owner *owner,
    struct slice mailbox)
{
	for (size_t i = shares->n; i-- > 0;)
		if (shares->v[i].owner == owner &&
		    slice_eq(shares->v[i].mailbox, mailbox))
			return true;
	return false;
}

static void
add_share(struct reading *r, struct share_owner *owner, struct slice mailbox,
    unsigned rights)
{
	struct shares *all = r->shares;

	if (all->n == SHARES_MAX) {
		r->left_out = true;
		return;
	}
	all->v[all->n++] = (struct share){ owner, mailbox, rights };
}

static struct share_owner *
find_owner(const struct shares *shares, struct slice account)
{
	for (size_t i = 0; i < shares->nowners; i++)
		if (slice_eq(shares->owners[i].account, account))
			return &shares->owners[i];
	return NULL;
}

/* Not in the list of owners until it is known to share something. */
static int
add_owner(struct reading *r, struct store *st, const struct share_names *names,
    struct err *e)
{
	struct shares *all = r->shares;
	struct share_owner *owner = find_owner(all, store_account(st));
	bool known = owner != NULL;

	if (!owner)
		owner = &all->owners[all->nowners];
	for (size_t i = 0; i < names->n && r->names < NAMES_MAX; i++) {
		unsigned rights = 0;
		int rc = acl_rights_of(st, names->v[i], r->account, &rights, e);

		r->left_out |= ++r->names == NAMES_MAX;
		if (rc < 0)
			return -1;
		if (rc == 0 || rights == 0 || is_known(all, owner, names->v[i]))
			continue;
		if (!known && all->nowners == SHARES_MAX)
			return 0;
		if (!known) {
			known = true;
			all->nowners++;
			owner->account = arena_dup(r->arena, store_account(st));
			owner->used = quota_own(st);
		}
		add_share(r, owner, names->v[i], rights);
	}
	return 0;
}

static void
read_owner(struct reading *r, struct slice who, struct slice owner)
{
	struct share_owner account = { .account = owner };
	struct store *st = NULL;
	struct err e = ERR_INIT;
	struct share_names names;
	int rc;

	if (slice_eq(owner, r->account))
		return;
	rc = share_list(r->env, who, owner, r->arena, &names, &e);
	if (rc == 0)
		rc = share_open(&st, r->env, &account, &e);
	if (rc == 1)
		rc = add_owner(r, st, &names, &e);
	if (rc < 0)
		log_line("store", LOG_ERROR, "mailboxes of another account",
		    LOG_S("owner", owner), LOG_S("account", r->account),
		    LOG_E(&e));
	store_close(&st);
}

static int
read_all(struct reading *r, struct slice who, struct err *e)
{
	struct share_names owners;

	if (share_owners(r->env, who, r->arena, &owners, e) < 0)
		return -1;
	for (size_t i = 0; i < owners.n; i++)
		read_owner(r, who, owners.v[i]);
	return 0;
}

static int
by_owner(const void *a, const void *b)
{
	const struct share *x = a, *y = b;
	int order = slice_cmp(x->owner->account, y->owner->account);

	return order != 0 ? order : slice_cmp(x->mailbox, y->mailbox);
}

int
shares_read(const struct store_env *env, struct slice account,
    struct arena *arena, struct shares *shares_r, struct err *e)
{
	struct reading r = { .env = env, .account = account, .arena = arena };

	*shares_r = (struct shares){ NULL, 0, NULL, 0 };
	r.shares = shares_r;
	shares_r->v = arena_array(arena, SHARES_MAX, sizeof(*shares_r->v));
	shares_r->owners =
	    arena_array(arena, SHARES_MAX + 1, sizeof(*shares_r->owners));
	if (read_all(&r, account, e) < 0 ||
	    read_all(&r, SLICE(SHARE_EVERYONE), e) < 0)
		return -1;
	if (r.left_out)
		log_line("store", LOG_WARN,
		    "more mailboxes are shared with an account than it is shown",
		    LOG_S("account", account), LOG_U("most", SHARES_MAX));
	qsort(shares_r->v, shares_r->n, sizeof(*shares_r->v), by_owner);
	return 0;
}

struct slice
share_folder(const struct share *share, struct arena *arena)
{
	char path[PATH_MAX], folder[LAYOUT_NAME];

	if (store_account_path("accounts/", share->owner->account, "/Maildir",
		path, NULL) < 0 ||
	    layout_folder(share->mailbox, folder, NULL) < 0)
		return SLICE_NULL;
	return arena_printf(arena, "%s/%s", path, folder);
}

struct slice
share_notes(const struct share_owner *owner, struct arena *arena)
{
	char path[PATH_MAX];

	if (store_account_path("accounts/", owner->account, "/" SHARED_NOTES,
		path, NULL) < 0)
		return SLICE_NULL;
	return arena_dup(arena, slice_str(path));
}
