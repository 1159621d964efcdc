/*
 * acl_change.c - changing lists of rights. data/shared gets new names before
 * the list does, and loses old ones after it: a crash leaves a name too many.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "db/newfile.h"
#include "db/sync.h"
#include "store/acl.h"
#include "store/store_int.h"

#define FILE_MAX (1 << 20)

/* ---- entries ---- */

static bool
same_who(const struct acl_entry *a, const struct acl_entry *b)
{
	return a->who == b->who && a->negative == b->negative &&
	    slice_eq(a->name, b->name);
}

static void
remove_entries(struct acl *acl, const struct acl_entry *who)
{
	size_t kept = 0;

	for (size_t i = 0; i < acl->n; i++)
		if (!same_who(&acl->v[i], who))
			acl->v[kept++] = acl->v[i];
	acl->n = kept;
}

/* Without an entry the owner has all, so that is what is added to or taken
 * from. */
static struct acl_entry
present(const struct acl *acl, const struct acl_entry *who)
{
	struct acl_entry now = *who;
	bool there = false;

	now.rights = 0;
	now.other = SLICE_NULL;
	for (size_t i = 0; i < acl->n; i++) {
		if (!same_who(&acl->v[i], who))
			continue;
		there = true;
		now.rights |= acl->v[i].rights;
		if (acl->v[i].other.n > 0)
			now.other = acl->v[i].other;
	}
	if (!there && who->who == ACL_THE_OWNER && !who->negative)
		now.rights = ACL_ALL;
	return now;
}

static void
apply(struct store *st, struct acl *acl, const struct acl_entry *change,
    enum acl_op op, struct arena *arena)
{
	struct acl_entry by_name = { ACL_USER, change->negative,
		store_account(st), 0, SLICE_NULL };
	struct acl_entry now = present(acl, change);

	if (op == ACL_ADD)
		now.rights |= change->rights;
	else if (op == ACL_REMOVE)
		now.rights &= ~change->rights;
	else
		now.rights = change->rights;
	if (change->who == ACL_THE_OWNER) {
		remove_entries(acl, &by_name);
		if (!change->negative)
			now.rights |= ACL_REQUIRED;
	}
	remove_entries(acl, change);
	if (op == ACL_FORGET)
		return;
	acl->v = arena_grow(arena, acl->v, acl->n, acl->n + 1, sizeof(now));
	acl->v[acl->n++] = now;
}

/* ---- the file ---- */

static int
open_folder(struct store *st, struct slice mailbox, struct err *e)
{
	char folder[LAYOUT_NAME];
	int fd;

	if (layout_folder(mailbox, folder, e) < 0)
		return -1;
	fd = openat(st->maildir_fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "folder %s", folder) : fd;
}

static int
write_list(struct store *st, struct slice mailbox, const struct acl *acl,
    struct err *e)
{
	struct buf text = BUF_INIT(FILE_MAX);
	int fd = open_folder(st, mailbox, e), rc = -1;

	acl_format(acl, &text);
	if (fd < 0 || text.over) {
		if (fd >= 0)
			err_set(e, ERR_LIMIT, "list of rights is too long");
	} else if (acl->n > 0) {
		rc = db_write_file(fd, ACL_FILE, buf_slice(&text),
		    st->env->file_mode, e);
	} else {
		rc = db_unlink(fd, ACL_FILE, e);
		rc = rc == 1 ? db_fsync_dir(fd, "folder", e) : rc;
	}
	if (fd >= 0)
		close(fd);
	buf_free(&text);
	acl_forget(st);
	return rc < 0 ? -1 : 0;
}

/* Where those who may write note what they add (quota.c). */
static int
make_notes(struct store *st, const struct acl *acl, struct err *e)
{
	bool writes = false;

	for (size_t i = 0; i < acl->n; i++)
		writes |= acl->v[i].who != ACL_THE_OWNER &&
		    !acl->v[i].negative && acl->v[i].rights & ACL_WRITES;
	if (!writes || st->other ||
	    mkdirat(st->fd, SHARED_NOTES, store_folder_mode(st->env)) == 0 ||
	    errno == EEXIST)
		return 0;
	return err_sys(e, "folder " SHARED_NOTES);
}

/* Under the lease. */
static int
replace(int shared_fd, struct store *st, struct slice mailbox,
    const struct acl *before, const struct acl *after, struct err *e)
{
	if (make_notes(st, after, e) < 0 ||
	    share_note_but(shared_fd, st, mailbox, after, before, true, e) <
		0 ||
	    write_list(st, mailbox, after, e) < 0)
		return -1;
	return share_note_but(shared_fd, st, mailbox, before, after, false, e);
}

static enum store_code
change_locked(int shared_fd, struct store *st, struct slice mailbox,
    const struct acl_entry *change, enum acl_op op, struct arena *arena,
    struct err *e)
{
	struct acl before, after;
	int rc = acl_read(st, mailbox, arena, &before, e);

	if (rc <= 0)
		return rc < 0 ? STORE_FAILED : STORE_NONEXISTENT;
	if (before.bad > 0) {
		err_set(e, ERR_PERM,
		    "the list of rights has %zu line%s that "
		    "make no sense: the administrator is to edit it",
		    before.bad, before.bad == 1 ? "" : "s");
		return STORE_CANNOT;
	}
	after = before;
	after.v = arena_array(arena, before.n, sizeof(*after.v));
	if (before.n > 0)
		memcpy(after.v, before.v, before.n * sizeof(*after.v));
	apply(st, &after, change, op, arena);
	if (after.n > ACL_ENTRIES_MAX && after.n > before.n) {
		err_set(e, ERR_LIMIT, "a list of rights has at most %d entries",
		    ACL_ENTRIES_MAX);
		return STORE_CANNOT;
	}
	return replace(shared_fd, st, mailbox, &before, &after, e) < 0
	    ? STORE_FAILED
	    : STORE_OK;
}

enum store_code
acl_change(struct store *st, struct slice mailbox,
    const struct acl_entry *change, enum acl_op op, struct err *e)
{
	struct db_lock lock = DB_LOCK_INIT;
	struct arena *arena;
	enum store_code code;
	int fd;

	if (share_lock(st->env, &lock, &fd, e) < 0)
		return STORE_FAILED;
	arena = arena_new(0);
	code = change_locked(fd, st, mailbox, change, op, arena, e);
	arena_free(&arena);
	db_unlock(&lock);
	close(fd);
	if (code == STORE_OK)
		store_poke(st);
	return code;
}

int
acl_inherit(struct store *st, struct slice mailbox, struct err *e)
{
	struct arena *arena = arena_new(0);
	ssize_t slash = slice_rchr(mailbox, '/');
	struct db_lock lock = DB_LOCK_INIT;
	struct acl none = { NULL, 0, 0 }, acl = none;
	int fd, rc = 0;

	if (slash > 0)
		rc = acl_read(st, slice_head(mailbox, (size_t)slash), arena,
		    &acl, e);
	if (rc == 1 && acl.n > 0 && acl.bad == 0) {
		rc = share_lock(st->env, &lock, &fd, e);
		if (rc == 0) {
			rc = replace(fd, st, mailbox, &none, &acl, e);
			db_unlock(&lock);
			close(fd);
		}
	}
	arena_free(&arena);
	return rc < 0 ? -1 : 0;
}
