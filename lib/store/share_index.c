/*
 * share_index.c - data/shared: whose mailboxes name whom in their lists of
 * rights.
 *
 *	shared/ACCOUNT/OWNER    mailboxes of OWNER, a line each, escaped, sorted
 *	shared/@anyone/OWNER    the same for everybody
 *	shared/.lock            the lease of all changes
 *
 * ACCOUNT and OWNER are escaped, so that none of them begins with "@" or ".".
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "db/escape.h"
#include "db/newfile.h"
#include "db/sync.h"
#include "store/share_int.h"

#define FILE_MAX (4 << 20) /* bytes of a list; ten thousands of mailboxes */

/* ---- a list ---- */

static void
push(struct share_names *names, struct arena *arena, struct slice name)
{
	names->v = store_push(arena, names->v, names->n, sizeof(*names->v));
	names->v[names->n++] = name;
}

/*
 * The file of a list: 1, 0 there is none, -1. All sessions may write here, so
 * links are not followed, and what is no file, or too large, is no list.
 */
static int
read_list(int folder_fd, const char *file, struct buf *text, struct err *e)
{
	struct stat st;
	int rc = 0,
	    fd = openat(folder_fd, file,
		O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT || errno == ELOOP || errno == ENXIO
		    ? 0
		    : err_sys(e, SHARE_FOLDER ": %s", file);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_size <= FILE_MAX)
		rc = file_read_fd(fd, text, e);
	close(fd);
	return rc;
}

static int
read_names(int folder_fd, const char *file, struct arena *arena,
    struct share_names *names_r, struct err *e)
{
	struct buf text = BUF_INIT(FILE_MAX), name = BUF_INIT(STORE_NAME_MAX);
	struct slice rest, line;
	int rc = read_list(folder_fd, file, &text, e);

	*names_r = (struct share_names){ NULL, 0 };
	rest = buf_slice(&text);
	while (rc >= 0 && slice_line(&rest, &line)) {
		buf_reset(&name);
		if (line.n > 0 && db_unescape(&name, line) && !name.over)
			push(names_r, arena,
			    arena_dup(arena, buf_slice(&name)));
	}
	buf_free(&text);
	buf_free(&name);
	return rc < 0 ? -1 : 0;
}

static int
by_name(const void *a, const void *b)
{
	return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

static int
write_names(const struct store_env *env, int folder_fd, const char *file,
    const struct share_names *names, struct err *e)
{
	struct buf text = BUF_INIT(FILE_MAX);
	int rc;

	if (names->n > 0)
		qsort(names->v, names->n, sizeof(*names->v), by_name);
	for (size_t i = 0; i < names->n; i++) {
		db_escape(&text, names->v[i]);
		buf_addc(&text, '\n');
	}
	if (text.over)
		rc = err_set(e, ERR_LIMIT, "too many mailboxes are shared");
	else if (names->n > 0)
		rc = db_write_file(folder_fd, file, buf_slice(&text),
		    env->file_mode, e);
	else
		rc = db_unlink(folder_fd, file, e);
	buf_free(&text);
	return rc < 0 ? -1 : 0;
}

static ssize_t
position(const struct share_names *names, struct slice name)
{
	for (size_t i = 0; i < names->n; i++)
		if (slice_eq(names->v[i], name))
			return (ssize_t)i;
	return -1;
}

/* The folder for who (an account, or SHARE_EVERYONE), NULL if it is no name. */
static const char *
folder_of(struct arena *arena, struct slice who)
{
	char path[PATH_MAX];

	if (slice_is(who, SHARE_EVERYONE))
		return SHARE_EVERYONE;
	if (store_account_path("", who, "", path, NULL) < 0)
		return NULL;
	return arena_cstr(arena, slice_str(path));
}

/* Add the mailbox to the list of owner for who, or take it out. */
int
share_edit(int shared_fd, const struct store_env *env, struct slice who,
    struct slice owner, struct slice mailbox, bool on, struct err *e)
{
	struct arena *arena = arena_new(0);
	const char *folder = folder_of(arena, who);
	const char *file = folder_of(arena, owner);
	struct share_names names = { NULL, 0 };
	ssize_t at;
	int fd = -1, rc = 0;

	if (!folder || !file)
		goto out;
	if (on && mkdirat(shared_fd, folder, store_folder_mode(env)) == 0)
		rc = db_fsync_dir(shared_fd, SHARE_FOLDER, e);
	fd = openat(shared_fd, folder,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		rc = on ? err_sys(e, SHARE_FOLDER "/%s", folder) : 0;
		goto out;
	}
	if (rc == 0)
		rc = read_names(fd, file, arena, &names, e);
	at = rc == 0 ? position(&names, mailbox) : -1;
	if (rc < 0 || (at >= 0) == on)
		goto out;
	if (at < 0 || names.n == 0)
		push(&names, arena, mailbox);
	else
		names.v[at] = names.v[--names.n];
	rc = write_names(env, fd, file, &names, e);
out:
	if (fd >= 0)
		close(fd);
	arena_free(&arena);
	return rc;
}

/* errno: whom nothing is told, or somebody put something else there. */
static bool
no_folder(void)
{
	return errno == ENOENT || errno == ENOTDIR || errno == ELOOP;
}

int
share_list(const struct store_env *env, struct slice who, struct slice owner,
    struct arena *arena, struct share_names *names_r, struct err *e)
{
	const char *folder = folder_of(arena, who);
	const char *file = folder_of(arena, owner);
	char path[PATH_MAX];
	int fd, rc;

	*names_r = (struct share_names){ NULL, 0 };
	if (!folder || !file)
		return 0;
	snprintf(path, sizeof(path), SHARE_FOLDER "/%s", folder);
	fd = openat(env->data_fd, path,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return no_folder() ? 0 : err_sys(e, "%s", path);
	rc = read_names(fd, file, arena, names_r, e);
	close(fd);
	return rc;
}

int
share_owners(const struct store_env *env, struct slice who, struct arena *arena,
    struct share_names *owners_r, struct err *e)
{
	const char *folder = folder_of(arena, who);
	char path[PATH_MAX];

	*owners_r = (struct share_names){ NULL, 0 };
	if (!folder)
		return 0;
	snprintf(path, sizeof(path), SHARE_FOLDER "/%s", folder);
	if (faccessat(env->data_fd,
		arena_cstr(arena, arena_printf(arena, "%s/.", path)), F_OK,
		0) != 0)
		return no_folder() ? 0 : err_sys(e, "%s", path);
	return db_escaped_list(env->data_fd, path, arena, &owners_r->v,
	    &owners_r->n, e);
}

int
share_readers(const struct store_env *env, struct arena *arena,
    struct share_names *who_r, struct err *e)
{
	return db_escaped_list(env->data_fd, SHARE_FOLDER, arena, &who_r->v,
	    &who_r->n, e);
}

/* ---- whom a list of rights names ---- */

/* Who is to find the mailbox by this entry; empty: nobody. */
struct slice
share_whom(const struct acl_entry *entry, struct slice owner)
{
	if (entry->negative || entry->rights == 0)
		return SLICE_NULL;
	if (entry->who == ACL_ANYONE || entry->who == ACL_AUTHENTICATED)
		return SLICE(SHARE_EVERYONE);
	if (entry->who == ACL_USER && !slice_eq(entry->name, owner))
		return entry->name;
	return SLICE_NULL;
}

static bool
names_whom(const struct acl *acl, struct slice owner, struct slice who)
{
	for (size_t i = 0; acl->bad == 0 && i < acl->n; i++)
		if (slice_eq(share_whom(&acl->v[i], owner), who))
			return true;
	return false;
}

int
share_note_but(int shared_fd, struct store *st, struct slice mailbox,
    const struct acl *acl, const struct acl *but, bool on, struct err *e)
{
	struct slice owner = store_account(st);

	for (size_t i = 0; acl->bad == 0 && i < acl->n; i++) {
		struct slice who = share_whom(&acl->v[i], owner);

		if (who.n > 0 && !names_whom(but, owner, who) &&
		    share_edit(shared_fd, st->env, who, owner, mailbox, on, e) <
			0)
			return -1;
	}
	return 0;
}

int
share_note(int shared_fd, struct store *st, struct slice mailbox,
    const struct acl *acl, bool on, struct err *e)
{
	const struct acl none = { NULL, 0, 0 };

	return share_note_but(shared_fd, st, mailbox, acl, &none, on, e);
}

int
share_lock(const struct store_env *env, struct db_lock *lock, int *fd_r,
    struct err *e)
{
	if (file_mkdirs(env->data_fd, SHARE_FOLDER, store_folder_mode(env), e) <
	    0)
		return -1;
	*fd_r = openat(env->data_fd, SHARE_FOLDER,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd_r < 0)
		return err_sys(e, "folder " SHARE_FOLDER);
	if (db_lock(lock, *fd_r, ".lock", DB_LOCK_LEASE, DB_LOCK_MS, e) == 1)
		return 0;
	close(*fd_r);
	*fd_r = -1;
	return -1;
}

/* ---- after a rename or delete ---- */

static void
not_noted(const struct store *st, const struct err *e)
{
	log_line("store", LOG_ERROR, "noting what is shared",
	    LOG_Z("account", st->name), LOG_E(e));
}

static int
note_renamed(int shared_fd, struct store *st, struct slice was,
    struct slice now, struct arena *arena, struct err *e)
{
	struct acl acl;

	if (acl_read(st, now, arena, &acl, e) != 1)
		return 0;
	if (share_note(shared_fd, st, now, &acl, true, e) < 0)
		return -1;
	return share_note(shared_fd, st, was, &acl, false, e);
}

void
share_renamed(struct store *st, struct slice from, struct slice to)
{
	struct arena *arena = arena_new(0);
	struct db_lock lock = DB_LOCK_INIT;
	struct err e = ERR_INIT;
	struct mailbox_folder *v;
	struct slice was;
	size_t n = 0;
	int fd, rc = list_folders(st, arena, &v, &n, &e);

	if (rc == 0)
		rc = share_lock(st->env, &lock, &fd, &e);
	if (rc == 0) {
		for (size_t i = 0; rc == 0 && i < n; i++) {
			was = v[i].name;
			if (store_renamed(&was, to, from, arena))
				rc = note_renamed(fd, st, was, v[i].name, arena,
				    &e);
		}
		db_unlock(&lock);
		close(fd);
	}
	if (rc < 0)
		not_noted(st, &e);
	arena_free(&arena);
}

void
share_removed(struct store *st, struct slice mailbox, const struct acl *acl)
{
	struct db_lock lock = DB_LOCK_INIT;
	struct err e = ERR_INIT;
	int fd, rc = share_lock(st->env, &lock, &fd, &e);

	if (rc == 0) {
		rc = share_note(fd, st, mailbox, acl, false, &e);
		db_unlock(&lock);
		close(fd);
	}
	if (rc < 0)
		not_noted(st, &e);
}
