/*
 * create.c - make and delete mailboxes.
 *
 * A new folder is made whole in the Maildir's tmp/, as `.new.RANDOM.tmp`, and
 * moved; one to be deleted is moved there, as `.old.RANDOM.tmp`, and removed.
 * What a crash leaves there is removed with the next delete.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "db/newfile.h"
#include "db/sync.h"
#include "store/acl.h"
#include "store/store_int.h"

/* Path below the Maildir. */
static void
tmp_path(const struct store *st, const char *kind, char path_r[LAYOUT_NAME])
{
	char random[13];

	rand_text(st->env->rand, random, sizeof(random) - 1);
	snprintf(path_r, LAYOUT_NAME, "tmp/.%s.%s.tmp", kind, random);
}

/* ---- create ---- */

/* Courier and maildrop know a folder from a Maildir by the empty file. */
static int
fill_folder(const struct store *st, int fd, struct err *e)
{
	static const char *const subs[] = { "cur", "new", "tmp" };
	mode_t mode = store_folder_mode(st->env);
	int file;

	for (size_t i = 0; i < 3; i++) {
		if (mkdirat(fd, subs[i], mode) != 0)
			return err_sys(e, "make %s", subs[i]);
	}
	file = openat(fd, "maildirfolder", O_WRONLY | O_CREAT | O_CLOEXEC,
	    st->env->file_mode);
	if (file < 0)
		return err_sys(e, "make maildirfolder");
	close(file);
	return db_fsync_dir(fd, "new folder", e);
}

/* 1 made, 0 it is there already, -1. The Maildir is not synced. */
static int
make_folder(struct store *st, const char *folder, struct err *e)
{
	char tmp[LAYOUT_NAME];
	int fd = -1, rc = -1;

	tmp_path(st, "new", tmp);
	if (mkdirat(st->maildir_fd, tmp, store_folder_mode(st->env)) == 0)
		fd = openat(st->maildir_fd, tmp,
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		err_sys(e, "make folder");
	else if (fill_folder(st, fd, e) == 0)
		rc = db_move(st->maildir_fd, tmp, st->maildir_fd, folder, e);
	if (rc == 0 && errno != EEXIST)
		rc = err_set(e, ERR_TEMP, "new folder is gone");
	if (fd >= 0)
		close(fd);
	if (rc != 1)
		file_remove_tree(st->maildir_fd, tmp, NULL);
	return rc;
}

enum store_code
create_folders(struct store *st, struct slice name, struct arena *arena,
    struct slice **made_r, size_t *n_r, struct err *e)
{
	char folder[LAYOUT_NAME];
	struct slice part;
	size_t end = 0;
	ssize_t slash;
	int rc = 1;

	*made_r = NULL;
	*n_r = 0;
	if (slice_starts(name, SLICE("#"))) {
		err_set(e, ERR_PERM, "name begins with \"#\"");
		return STORE_CANNOT;
	}
	if (layout_folder(name, folder, e) < 0)
		return STORE_CANNOT;
	if (folder_exists(st, name, folder, e) != 0)
		return STORE_EXISTS;
	while (end < name.n && rc >= 0) {
		slash = slice_chr(slice_skip(name, end), '/');
		end = slash < 0 ? name.n : end + (size_t)slash;
		part = slice_head(name, end++);
		rc = folder_exists(st, part, folder, e);
		if (rc != 0)
			continue;
		rc = make_folder(st, folder, e);
		if (rc == 1) {
			*made_r =
			    store_push(arena, *made_r, *n_r, sizeof(**made_r));
			(*made_r)[(*n_r)++] = arena_dup(arena, part);
		}
	}
	if (rc >= 0)
		rc = db_fsync_dir(st->maildir_fd, "Maildir", e);
	return rc < 0 ? STORE_FAILED : STORE_OK;
}

enum store_code
store_mailbox_create(struct store *st, struct slice name, unsigned use,
    struct arena *arena, struct slice **made_r, size_t *n_r, struct err *e)
{
	struct db_lock lock = DB_LOCK_INIT;
	enum store_code code;
	struct slice *made;
	size_t n;

	if (store_lock_list(st, &lock, e) < 0)
		return STORE_FAILED;
	code = create_folders(st, name, arena, &made, &n, e);
	for (size_t i = 0; code == STORE_OK && i < n; i++)
		if (acl_inherit(st, made[i], e) < 0)
			code = STORE_FAILED;
	if (code == STORE_OK &&
	    (subscribe_names(st, made, n, true, e) < 0 ||
		use_assign(st, name, use, e) < 0))
		code = STORE_FAILED;
	db_unlock(&lock);
	if (code != STORE_OK)
		return code;
	store_poke(st);
	if (made_r) {
		*made_r = made;
		*n_r = n;
	}
	return STORE_OK;
}

/* ---- delete ---- */

/* 1, 0, -1. */
static int
has_children(struct store *st, struct slice name, struct err *e)
{
	struct arena *arena = arena_new(0);
	struct mailbox_folder *v;
	size_t n;
	int rc = list_folders(st, arena, &v, &n, e);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (v[i].name.n > name.n && slice_starts(v[i].name, name) &&
		    v[i].name.p[name.n] == '/')
			rc = 1;
	}
	arena_free(&arena);
	return rc;
}

static enum store_code
move_away(struct store *st, struct slice name, struct err *e)
{
	char folder[LAYOUT_NAME], tmp[LAYOUT_NAME];
	uint64_t count = 0, bytes = 0;
	int rc;

	if (slice_is(name, "Inbox"))
		return STORE_CANNOT;
	rc = folder_exists(st, name, folder, e);
	if (rc <= 0)
		return rc < 0 ? STORE_FAILED : STORE_NONEXISTENT;
	rc = has_children(st, name, e);
	if (rc != 0)
		return rc < 0 ? STORE_FAILED : STORE_HASCHILDREN;
	if (index_totals(st, name, &count, &bytes, NULL) != 1)
		count = bytes = 0; /* a damaged mailbox can be deleted too */
	tmp_path(st, "old", tmp);
	rc = db_move(st->maildir_fd, folder, st->maildir_fd, tmp, e);
	if (rc <= 0)
		return rc < 0 ? STORE_FAILED : STORE_NONEXISTENT;
	if (db_fsync_dir(st->maildir_fd, "Maildir", e) < 0 ||
	    use_assign(st, name, 0, e) < 0)
		return STORE_FAILED;
	quota_add(st, -(int64_t)bytes, -(int64_t)count);
	return STORE_OK;
}

/* Ours, and what others did not come to. */
static void
remove_old(struct store *st)
{
	struct arena *arena = arena_new(0);
	struct slice *names, path;
	size_t n = 0;

	if (file_list(st->maildir_fd, "tmp", arena, &names, &n, NULL) != 1)
		n = 0;
	for (size_t i = 0; i < n; i++) {
		if (!slice_starts(names[i], SLICE(".old.")))
			continue;
		path = arena_printf(arena, "tmp/%.*s", SLICE_FMT(names[i]));
		file_remove_tree(st->maildir_fd, arena_cstr(arena, path), NULL);
	}
	arena_free(&arena);
}

/* Names stay subscribed (RFC 9051, 6.3.9). */
enum store_code
store_mailbox_delete(struct store *st, struct slice name, struct err *e)
{
	struct db_lock lock = DB_LOCK_INIT;
	struct arena *arena;
	struct acl acl;
	enum store_code code;

	if (store_lock_list(st, &lock, e) < 0)
		return STORE_FAILED;
	arena = arena_new(0);
	if (acl_read(st, name, arena, &acl, NULL) != 1)
		acl.n = 0;
	code = move_away(st, name, e);
	if (code == STORE_OK && acl.n > 0)
		share_removed(st, name, &acl);
	arena_free(&arena);
	db_unlock(&lock);
	if (code != STORE_OK)
		return code;
	store_poke(st);
	remove_old(st);
	return STORE_OK;
}
