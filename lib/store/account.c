/*
 * account.c - open and make accounts, the UIDVALIDITY counter, waiting.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "db/escape.h"
#include "db/newfile.h"
#include "db/sync.h"
#include "store/store_int.h"

#define PIPE_BYTES (1 << 20) /* what a FIFO may hold, and more */
#define UIDVALIDITY_TEXT 16  /* bytes of the counter file */
/* The counter must not be driven to its end by a file from elsewhere. */
#define UIDVALIDITY_NOTE_MAX (UINT32_MAX - (1u << 20))

/* ---- open and close ---- */

struct store *
store_new(const struct store_env *env, struct slice account)
{
	struct store *st = xcalloc(1, sizeof(*st));

	st->env = env;
	st->name = xmalloc(account.n + 1);
	memcpy(st->name, account.p, account.n);
	st->name[account.n] = '\0';
	st->fd = st->maildir_fd = -1;
	st->watch = (struct db_watch)DB_WATCH_INIT;
	return st;
}

void
store_close(struct store **stp)
{
	struct store *st = *stp;

	if (!st)
		return;
	store_tidy(st);
	store_unwatch(st);
	db_table_close(&st->threads);
	acl_forget(st);
	if (st->maildir_fd >= 0)
		close(st->maildir_fd);
	if (st->fd >= 0)
		close(st->fd);
	free(st->name);
	free(st);
	*stp = NULL;
}

int
store_account_path(const char *prefix, struct slice account, const char *suffix,
    char path_r[PATH_MAX], struct err *e)
{
	struct buf b = BUF_INIT(PATH_MAX - 1);
	int rc = 0;

	buf_addz(&b, prefix);
	db_escape(&b, account);
	buf_addz(&b, suffix);
	if (account.n == 0 || slice_chr(account, '\0') >= 0 ||
	    !slice_cstr(buf_slice(&b), path_r, PATH_MAX))
		rc = err_set(e, ERR_SYNTAX, "bad account name");
	buf_free(&b);
	return rc;
}

static int
open_dir(int at, const char *name)
{
	return openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* What is missing is made: a foreign or half-copied account may lack some. */
static int
open_maildir(struct store *st, struct err *e)
{
	struct folder inbox;

	st->maildir_fd = open_dir(st->fd, "Maildir");
	if (st->maildir_fd < 0 && errno == ENOENT &&
	    (mkdirat(st->fd, "Maildir", store_folder_mode(st->env)) == 0 ||
		errno == EEXIST)) {
		if (db_fsync_dir(st->fd, "account", e) < 0)
			return -1;
		st->maildir_fd = open_dir(st->fd, "Maildir");
	}
	if (st->maildir_fd < 0)
		return err_sys(e, "open Maildir");
	if (folder_open(&inbox, st, SLICE("Inbox"), e) != 1)
		return -1;
	folder_close(&inbox);
	return 0;
}

static int
open_path(struct store **st_r, const struct store_env *env,
    struct slice account, const char *path, struct err *e)
{
	struct store *st = store_new(env, account);
	int rc;

	*st_r = NULL;
	st->fd = open_dir(env->data_fd, path);
	if (st->fd < 0)
		rc = errno == ENOENT || errno == ENOTDIR
		    ? 0
		    : err_sys(e, "open account");
	else if (open_maildir(st, e) < 0 || rename_redo(st, e) < 0)
		rc = err_prefix(e, "account %s", st->name);
	else
		rc = 1;
	if (rc == 1)
		*st_r = st;
	else
		store_close(&st);
	return rc;
}

int
store_open(struct store **st_r, const struct store_env *env,
    struct slice account, struct err *e)
{
	char path[PATH_MAX];

	*st_r = NULL;
	if (store_account_path("accounts/", account, "", path, e) < 0)
		return -1;
	return open_path(st_r, env, account, path, e);
}

/* ---- make ---- */

static int
fill_account(struct store *st, const struct store_initial *initial, size_t n,
    struct err *e)
{
	struct arena *arena = arena_new(0);
	struct slice inbox = SLICE("Inbox");
	int rc = subscribe_names(st, &inbox, 1, true, e);

	for (size_t i = 0; i < n && rc == 0; i++) {
		switch (store_mailbox_create(st, initial[i].name,
		    initial[i].use, arena, NULL, NULL, e)) {
		case STORE_OK:
			break;
		case STORE_EXISTS: /* Inbox, or the parent of one before */
			rc = use_assign(st, initial[i].name, initial[i].use, e);
			break;
		default:
			rc = -1;
		}
	}
	arena_free(&arena);
	if (rc == 0)
		rc = db_fsync_dir(st->maildir_fd, "Maildir", e);
	if (rc == 0)
		rc = db_fsync_dir(st->fd, "account", e);
	return rc;
}

/* 1 in place, 0 somebody else was faster, -1. */
static int
place_account(const struct store_env *env, const char *tmp, const char *path,
    struct err *e)
{
	int fd, rc = db_move(env->data_fd, tmp, env->data_fd, path, e);

	if (rc != 1)
		return rc == 0 && errno != EEXIST
		    ? err_set(e, ERR_TEMP, "new account is gone")
		    : rc;
	fd = open_dir(env->data_fd, "accounts");
	if (fd < 0)
		return err_sys(e, "open accounts");
	if (db_fsync_dir(fd, "accounts", e) < 0 ||
	    db_fsync_dir(env->data_fd, "data", e) < 0) /* may be new too */
		rc = -1;
	close(fd);
	return rc;
}

int
store_create(struct store **st_r, const struct store_env *env,
    struct slice account, const struct store_initial *initial, size_t n,
    struct err *e)
{
	char path[PATH_MAX], tmp[PATH_MAX], suffix[] = ".RRRRRRRRRRRR.tmp";
	mode_t mode = store_folder_mode(env);
	int rc = store_open(st_r, env, account, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	rand_text(env->rand, suffix + 1, 12);
	suffix[1 + 12] = '.';
	if (store_account_path("accounts/", account, "", path, e) < 0 ||
	    store_account_path("accounts/.", account, suffix, tmp, e) < 0 ||
	    file_mkdirs(env->data_fd, tmp, mode, e) < 0)
		return -1;
	rc = open_path(st_r, env, account, tmp, e);
	if (rc == 1)
		rc = fill_account(*st_r, initial, n, e) < 0
		    ? -1
		    : place_account(env, tmp, path, e);
	if (rc == 1)
		return 0;
	store_close(st_r);
	file_remove_tree(env->data_fd, tmp, NULL);
	if (rc < 0)
		return -1;
	rc = store_open(st_r, env, account, e);
	if (rc == 0)
		return err_set(e, ERR_TEMP, "account is being removed");
	return rc < 0 ? -1 : 0;
}

bool
store_is_current(const struct store *st)
{
	char path[PATH_MAX];
	struct stat ours, named;

	return store_account_path("accounts/", slice_str(st->name), "/Maildir",
		   path, NULL) == 0 &&
	    fstat(st->maildir_fd, &ours) == 0 &&
	    fstatat(st->env->data_fd, path, &named, 0) == 0 &&
	    ours.st_ino == named.st_ino && ours.st_dev == named.st_dev;
}

struct slice
store_account(const struct store *st)
{
	return slice_str(st->name);
}

const struct store_env *
store_env_of(const struct store *st)
{
	return st->env;
}

void
store_set_progress(struct store *st, store_progress_fn *fn, void *ctx)
{
	st->progress = fn;
	st->progress_ctx = ctx;
}

int
store_progress(struct store *st, uint64_t done, uint64_t total, struct err *e)
{
	if (st->progress == NULL || st->progress(st->progress_ctx, done, total))
		return 0;
	return err_set(e, ERR_TEMP, "stopped on the way");
}

void
store_set_quota(struct store *st, uint64_t bytes)
{
	st->quota = bytes;
}

uint64_t
store_quota(const struct store *st)
{
	return st->quota;
}

/* ---- changing the account's own files ---- */

int
store_lock_list(struct store *st, struct db_lock *lock, struct err *e)
{
	int rc =
	    db_lock(lock, st->fd, "list.lock", DB_LOCK_LEASE, DB_LOCK_MS, e);

	return rc == 1 ? 0 : -1;
}

/* ---- UIDVALIDITY ---- */

/* What the counter says: 1, 0 nothing, -1. bad_r: -1 since it is no number. */
static int
read_counter(struct store *st, uint32_t *v_r, bool *bad_r, struct err *e)
{
	struct buf b = BUF_INIT(UIDVALIDITY_TEXT);
	struct err why = ERR_INIT;
	int rc = file_read(st->fd, "uidvalidity", &b, &why);

	*v_r = 0;
	*bad_r = (rc < 0 && why.kind == ERR_LIMIT) ||
	    (rc == 1 && !slice_u32(slice_trim(buf_slice(&b)), v_r));
	buf_free(&b);
	if (*bad_r)
		return err_set(e, ERR_PERM, "bad file uidvalidity");
	return rc < 0 ? err_set(e, why.kind, "%s", why.text) : rc;
}

/* As mox: leaves room above, and below time(2). */
static uint32_t
first_uidvalidity(const struct store *st)
{
	return (uint32_t)(clock_s(st->env->clock) / 2);
}

int
store_last_uidvalidity(struct store *st, uint32_t *v_r, struct err *e)
{
	bool bad;
	int rc = read_counter(st, v_r, &bad, e);

	if (rc == 0)
		*v_r = first_uidvalidity(st);
	return rc < 0 ? -1 : 0;
}

static int
write_counter(struct store *st, uint32_t v, struct err *e)
{
	char text[UIDVALIDITY_TEXT];

	snprintf(text, sizeof(text), "%" PRIu32 "\n", v);
	return db_write_file(st->fd, "uidvalidity", slice_str(text),
	    st->env->file_mode, e);
}

static int
lock_counter(struct store *st, struct db_lock *lock, struct err *e)
{
	return db_lock(lock, st->fd, "list.lock",
		   DB_LOCK_LEASE | DB_LOCK_SECOND, DB_LOCK_MS, e) == 1
	    ? 0
	    : -1;
}

/*
 * Raise the counter to at least floor and by at least step. The lock is the
 * second byte of the list's, since an index may be made while the list is
 * changed.
 */
static int
raise_counter(struct store *st, uint32_t floor, uint32_t step, uint32_t *v_r,
    struct err *e)
{
	struct db_lock lock = DB_LOCK_INIT;
	uint32_t old = 0, v;
	int rc = -1;

	if (lock_counter(st, &lock, e) < 0)
		return -1;
	if (store_last_uidvalidity(st, &old, e) < 0)
		goto out;
	v = old > floor ? old : floor;
	if (v > UINT32_MAX - step) {
		err_set(e, ERR_LIMIT, "no UIDVALIDITY left");
		goto out;
	}
	*v_r = v += step;
	rc = v != old ? write_counter(st, v, e) : 0;
out:
	db_unlock(&lock);
	return rc;
}

int
store_mend_uidvalidity(struct store *st, uint32_t floor, uint32_t *was_r,
    uint32_t *is_r, struct err *e)
{
	struct db_lock lock = DB_LOCK_INIT;
	bool bad;
	int rc;

	if (floor > UIDVALIDITY_NOTE_MAX)
		return err_set(e, ERR_LIMIT, "UIDVALIDITY too large");
	if (lock_counter(st, &lock, e) < 0)
		return -1;
	rc = read_counter(st, was_r, &bad, e);
	*is_r = rc == 1 ? *was_r : first_uidvalidity(st);
	if (rc == 0)
		*was_r = *is_r; /* as good as said */
	if (*is_r < floor)
		*is_r = floor;
	if (rc >= 0 || bad)
		rc = !bad && *is_r == *was_r          ? 0
		    : write_counter(st, *is_r, e) < 0 ? -1
						      : 1;
	db_unlock(&lock);
	return rc;
}

int
store_next_uidvalidity(struct store *st, uint32_t *uidvalidity_r, struct err *e)
{
	return raise_counter(st, 0, 1, uidvalidity_r, e);
}

int
store_note_uidvalidity(struct store *st, uint32_t uidvalidity, struct err *e)
{
	uint32_t v;

	if (uidvalidity > UIDVALIDITY_NOTE_MAX)
		return err_set(e, ERR_LIMIT, "UIDVALIDITY too large");
	return raise_counter(st, uidvalidity, 0, &v, e);
}

/* ---- waiting ---- */

static struct slice
topic(const struct store *st, struct buf *b)
{
	buf_addz(b, "account ");
	buf_addz(b, st->name);
	return buf_slice(b);
}

int
store_watch(struct store *st)
{
	struct buf b = BUF_INIT(PATH_MAX);

	if (st->watch.fd < 0 && st->env->run_fd >= 0)
		db_watch_open(&st->watch, st->env->run_fd, topic(st, &b), NULL);
	buf_free(&b);
	return st->watch.fd;
}

struct slice
store_watch_name(const struct store *st)
{
	return db_watch_name(&st->watch);
}

void
store_watch_resume(struct store *st, struct slice name, int fd)
{
	struct buf b = BUF_INIT(PATH_MAX);

	store_unwatch(st);
	db_watch_resume(&st->watch, st->env->run_fd, topic(st, &b), name, fd,
	    NULL);
	buf_free(&b);
}

void
store_watch_drain(struct store *st)
{
	if (st->watch.fd >= 0)
		db_watch_drain(&st->watch);
}

void
store_poke(struct store *st)
{
	struct buf b = BUF_INIT(PATH_MAX);

	if (st->env->run_fd >= 0)
		db_poke(st->env->run_fd, topic(st, &b));
	buf_free(&b);
}

/* Words are folders. */
bool
store_watch_take(struct store *st, struct arena *arena, struct slice **names_r,
    size_t *n_r)
{
	struct buf words = BUF_INIT(PIPE_BYTES),
		   name = BUF_INIT(STORE_NAME_MAX);
	struct slice rest, word;
	bool all = true;

	*names_r = NULL;
	*n_r = 0;
	if (st->watch.fd >= 0)
		all = !db_watch_words(&st->watch, &words);
	for (rest = buf_slice(&words); !all && rest.n > 0;) {
		slice_cut(rest, '\0', &word, &rest);
		buf_reset(&name);
		all = !layout_mailbox(word, &name) || name.over;
		*names_r = store_push(arena, *names_r, *n_r, sizeof(**names_r));
		(*names_r)[(*n_r)++] = arena_dup(arena, buf_slice(&name));
	}
	buf_free(&words);
	buf_free(&name);
	return !all;
}

void
store_poke_folder(struct store *st, const char *folder)
{
	struct buf b = BUF_INIT(PATH_MAX);

	if (st->env->run_fd >= 0)
		db_poke_word(st->env->run_fd, topic(st, &b), slice_str(folder));
	buf_free(&b);
}

void
store_unwatch(struct store *st)
{
	if (st->watch.fd >= 0)
		db_watch_close(&st->watch);
}
