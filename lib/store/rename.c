/*
 * rename.c - rename a mailbox and all below it.
 *
 * A tree is many folders, so what is to be done is written to the account's
 * file `rename` first: `FROM<tab>TO`, the mailbox names, then the same for
 * each folder below the Maildir, all escaped. Every step may be done again. The
 * next one to open the account, or to rename, finishes what is there.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "db/escape.h"
#include "db/newfile.h"
#include "db/sync.h"
#include "store/store_int.h"

#define INTENT "rename"
#define INTENT_MAX (16 << 20) /* ten thousands of folders */

/* ---- doing what the file says ---- */

static bool
next_pair(struct slice *rest, struct buf *from, struct buf *to)
{
	struct slice line, a, b;

	buf_reset(from);
	buf_reset(to);
	return slice_line(rest, &line) && slice_cut(line, '\t', &a, &b) &&
	    db_unescape(from, a) && db_unescape(to, b);
}

/* What is gone has been moved already; what stands in the way was made by
 * somebody else meanwhile, and both stay. */
static int
move_folder(struct store *st, const char *from, const char *to, struct err *e)
{
	int rc = db_move(st->maildir_fd, from, st->maildir_fd, to, e);

	if (rc == 0 && errno == EEXIST)
		log_line("store", LOG_WARN, "rename: folder is in the way",
		    LOG_Z("account", st->name), LOG_Z("from", from),
		    LOG_Z("to", to));
	return rc < 0 ? -1 : 0;
}

static int
apply(struct store *st, struct slice text, struct err *e)
{
	struct buf from = BUF_INIT(INTENT_MAX), to = BUF_INIT(INTENT_MAX);
	struct buf a = BUF_INIT(INTENT_MAX), b = BUF_INIT(INTENT_MAX);
	int rc = 0;

	if (next_pair(&text, &from, &to)) {
		while (rc == 0 && next_pair(&text, &a, &b))
			rc = move_folder(st, buf_cstr(&a), buf_cstr(&b), e);
		if (rc == 0)
			rc = db_fsync_dir(st->maildir_fd, "Maildir", e);
		if (rc == 0)
			rc = subscribe_rename(st, buf_slice(&from),
			    buf_slice(&to), e);
		if (rc == 0)
			rc =
			    use_rename(st, buf_slice(&from), buf_slice(&to), e);
	}
	if (rc == 0 && db_unlink(st->fd, INTENT, e) < 0)
		rc = -1;
	if (rc == 0)
		rc = db_fsync_dir(st->fd, "account", e);
	buf_free(&from);
	buf_free(&to);
	buf_free(&a);
	buf_free(&b);
	return rc;
}

/* Under the lease. */
static int
redo(struct store *st, struct err *e)
{
	struct buf text = BUF_INIT(INTENT_MAX);
	int rc = file_read(st->fd, INTENT, &text, e);

	if (rc == 1)
		rc = apply(st, buf_slice(&text), e);
	buf_free(&text);
	return rc;
}

int
rename_redo(struct store *st, struct err *e)
{
	struct db_lock lock = DB_LOCK_INIT;
	int rc;

	if (faccessat(st->fd, INTENT, F_OK, 0) != 0)
		return 0;
	if (store_lock_list(st, &lock, e) < 0)
		return -1;
	rc = redo(st, e);
	db_unlock(&lock);
	return rc < 0 ? err_prefix(e, "finish a rename") : 0;
}

/* ---- saying what is to be done ---- */

static void
add_pair(struct buf *text, struct slice from, struct slice to)
{
	db_escape(text, from);
	buf_addc(text, '\t');
	db_escape(text, to);
	buf_addc(text, '\n');
}

/* The content of the file; tells whether all can be done. */
static enum store_code
plan(struct store *st, struct slice from, struct slice to, struct buf *text,
    struct err *e)
{
	struct arena *arena = arena_new(0);
	enum store_code code = STORE_NONEXISTENT;
	struct mailbox_folder *v;
	char folder[LAYOUT_NAME];
	struct slice name;
	size_t n = 0;

	add_pair(text, from, to);
	if (list_folders(st, arena, &v, &n, e) < 0)
		code = STORE_FAILED;
	for (size_t i = 0; i < n && code != STORE_FAILED; i++) {
		name = v[i].name;
		if (!store_renamed(&name, from, to, arena))
			continue;
		if (layout_folder(name, folder, e) < 0) {
			code = STORE_CANNOT; /* too long */
			break;
		}
		if (folder_exists(st, name, folder, e) != 0) {
			code = STORE_EXISTS;
			break;
		}
		if (slice_eq(v[i].name, from))
			code = STORE_OK;
		add_pair(text, v[i].folder, slice_str(folder));
	}
	if (text->over) {
		err_set(e, ERR_LIMIT, "too many mailboxes below");
		code = STORE_CANNOT;
	}
	arena_free(&arena);
	return code;
}

/* Parents of the new name. */
static enum store_code
make_parents(struct store *st, struct slice to, struct err *e)
{
	struct arena *arena;
	enum store_code code;
	struct slice *made;
	size_t n;
	ssize_t slash = slice_rchr(to, '/');

	if (slash < 0)
		return STORE_OK;
	arena = arena_new(0);
	code = create_folders(st, slice_head(to, (size_t)slash), arena, &made,
	    &n, e);
	if (code == STORE_EXISTS)
		code = STORE_OK;
	else if (code == STORE_OK && subscribe_names(st, made, n, true, e) < 0)
		code = STORE_FAILED;
	for (size_t i = 0; code == STORE_OK && i < n; i++)
		if (acl_inherit(st, made[i], e) < 0)
			code = STORE_FAILED;
	arena_free(&arena);
	return code;
}

static enum store_code
rename_tree(struct store *st, struct slice from, struct slice to, struct err *e)
{
	struct buf text = BUF_INIT(INTENT_MAX);
	enum store_code code;

	if (redo(st, e) < 0)
		return STORE_FAILED;
	code = plan(st, from, to, &text, e);
	if (code == STORE_OK)
		code = make_parents(st, to, e);
	if (code == STORE_OK &&
	    (db_write_file(st->fd, INTENT, buf_slice(&text), st->env->file_mode,
		 e) < 0 ||
		apply(st, buf_slice(&text), e) < 0))
		code = STORE_FAILED;
	buf_free(&text);
	return code;
}

/* RFC 9051, 6.3.6: the messages move, Inbox stays, as does what is below. */
static enum store_code
rename_inbox(struct store *st, struct slice to, struct err *e)
{
	struct arena *arena = arena_new(0);
	struct uidset all = UIDSET_INIT(arena);
	const struct mailbox_target target = { .store = st, .name = to };
	struct mailbox_copy_result copied;
	struct mailbox *mb = NULL;
	enum store_code code;

	uidset_add(&all, 1, UINT32_MAX);
	code = store_mailbox_create(st, to, 0, arena, NULL, NULL, e);
	/* RFC 5464, 4.1: they stay with Inbox, too. */
	if (code == STORE_OK)
		code = metadata_copy(st, SLICE("Inbox"), to, e);
	if (code == STORE_OK && mailbox_open(&mb, st, SLICE("Inbox"), e) != 1)
		code = STORE_FAILED;
	if (code == STORE_OK)
		code = mailbox_copy(mb, &all, &target, true, arena, &copied, e);
	mailbox_close(&mb);
	arena_free(&arena);
	return code;
}

enum store_code
store_mailbox_rename(struct store *st, struct slice from, struct slice to,
    struct err *e)
{
	struct db_lock lock = DB_LOCK_INIT;
	enum store_code code;

	if (slice_starts(to, SLICE("#")) ||
	    (to.n > from.n && slice_starts(to, from) && to.p[from.n] == '/' &&
		!slice_is(from, "Inbox")))
		return STORE_CANNOT;
	if (slice_is(to, "Inbox"))
		return STORE_EXISTS;
	if (slice_is(from, "Inbox"))
		return rename_inbox(st, to, e);
	if (store_lock_list(st, &lock, e) < 0)
		return STORE_FAILED;
	code = rename_tree(st, from, to, e);
	if (code == STORE_OK)
		share_renamed(st, from, to);
	db_unlock(&lock);
	if (code == STORE_OK)
		store_poke(st);
	return code;
}
