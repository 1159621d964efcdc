/*
 * verify.c - all accounts of a data folder, and what belongs to an account
 * rather than to a mailbox. verify_mailbox.c goes on.
 */
#include "store/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "db/escape.h"
#include "store/forward.h"
#include "store/urlkeys.h"
#include "store/verify_int.h"

/* Mailboxes that an account may have made between a backup and the loss of
 * what came after; so many values of UIDVALIDITY are skipped. */
#define RESTORE_SKIP (1u << 16)

void
verify_report(struct verify *v, enum verify_level level, const char *what,
    bool fixed, const char *fmt, ...)
{
	struct err text = ERR_INIT; /* for its care with control characters */
	struct buf b = BUF_INIT(sizeof(text.text));
	va_list ap;

	va_start(ap, fmt);
	buf_addv(&b, fmt, ap);
	va_end(ap);
	err_set(&text, ERR_SYNTAX, "%s", buf_cstr(&b));
	buf_free(&b);
	if (fixed)
		v->fixed++;
	else if (level == VERIFY_ERROR)
		v->errors++;
	else
		v->notes++;
	v->found(v->ctx,
	    &(struct verify_finding){
		level, what, v->account, v->mailbox, text.text, fixed });
}

/* ---- leftovers ---- */

static bool
old(int dirfd, const char *path, int64_t age_s)
{
	struct stat s;

	return fstatat(dirfd, path, &s, AT_SYMLINK_NOFOLLOW) == 0 &&
	    s.st_mtime < clock_s(NULL) - age_s;
}

static bool
remove_path(int dirfd, const char *path)
{
	return unlinkat(dirfd, path, 0) == 0 || errno == ENOENT ||
	    file_remove_tree(dirfd, path, NULL) == 0;
}

void
verify_leftovers(struct verify *v, int dirfd, const char *path,
    struct slice prefix, struct slice suffix, int64_t age_s)
{
	struct arena *arena = arena_new(0);
	struct slice *names;
	size_t n = 0;

	if (file_list(dirfd, path, arena, &names, &n, NULL) != 1)
		n = 0;
	for (size_t i = 0; i < n; i++) {
		const char *file = arena_cstr(arena,
		    arena_printf(arena, "%s/%.*s", path, SLICE_FMT(names[i])));

		if (slice_starts(names[i], prefix) &&
		    slice_ends(names[i], suffix) && old(dirfd, file, age_s))
			verify_report(v, VERIFY_NOTE, "leftover",
			    v->fix && remove_path(dirfd, file),
			    "left over by a crash: %.*s", SLICE_FMT(names[i]));
	}
	arena_free(&arena);
}

/* ---- an account ---- */

static int
check_uidvalidity(struct verify_account *a, struct err *e)
{
	uint32_t last;

	if (store_last_uidvalidity(a->st, &last, e) < 0)
		return -1;
	if (a->uidvalidity > last)
		verify_report(a->v, VERIFY_ERROR, "uidvalidity",
		    a->v->fix &&
			store_note_uidvalidity(a->st, a->uidvalidity, NULL) ==
			    0,
		    "the counter says %u, a mailbox has %u", (unsigned)last,
		    (unsigned)a->uidvalidity);
	return 0;
}

/* Appended without lock and sync: it may differ. */
static int
check_quota(struct verify_account *a, struct err *e)
{
	struct quota q;
	int rc = quota_read(a->st, &q, e);

	if (faccessat(a->st->maildir_fd, "maildirsize", F_OK, 0) != 0)
		return 0;
	if (rc < 0 ||
	    (rc == 1 &&
		(!a->complete ||
		    (q.bytes == a->stored && q.count == a->count))))
		return rc < 0 ? -1 : 0;
	verify_report(a->v, VERIFY_NOTE, "quota",
	    a->v->fix && quota_rebuild(a->st, q.limit, NULL) == 0,
	    "maildirsize says %llu bytes in %llu messages, not %llu in %llu",
	    (unsigned long long)q.bytes, (unsigned long long)q.count,
	    (unsigned long long)a->stored, (unsigned long long)a->count);
	return 0;
}

/* Who changes them next leaves out what nobody understands. */
static int
check_metadata(struct verify_account *a, struct slice mailbox, struct err *e)
{
	size_t bad;

	if (metadata_bad_lines(a->st, mailbox, &bad, e) < 0)
		return -1;
	a->v->mailbox = mailbox.n ? mailbox : SLICE_NULL;
	if (bad > 0)
		verify_report(a->v, VERIFY_ERROR, "metadata", false,
		    "%zu line%s of %s that make no sense: to be edited", bad,
		    bad == 1 ? "" : "s",
		    mailbox.n ? METADATA_FILE : "metadata");
	a->v->mailbox = SLICE_NULL;
	return 0;
}

/* The next key that is made leaves them out. */
static int
check_urlkeys(struct verify_account *a, struct err *e)
{
	size_t bad;

	if (urlkeys_bad_lines(a->st, &bad, e) < 0)
		return -1;
	if (bad > 0)
		verify_report(a->v, VERIFY_ERROR, "urlkeys", false,
		    "%zu line%s that make no sense: remove the file, and URLs "
		    "of messages that were given away become invalid",
		    bad, bad == 1 ? "" : "s");
	return 0;
}

/* Mail waits at its senders until it is mended. */
static int
check_forward(struct verify_account *a, struct err *e)
{
	struct arena *arena = arena_new(0);
	struct err why = ERR_INIT;
	struct forward f;
	int rc =
	    forward_read(a->st->env, store_account(a->st), arena, &f, &why);

	if (rc < 0 && (why.kind == ERR_SYNTAX || why.kind == ERR_LIMIT)) {
		verify_report(a->v, VERIFY_ERROR, "forward", false, "%s",
		    why.text);
		rc = 0;
	} else if (rc < 0)
		rc = err_set(e, why.kind, "%s", why.text);
	arena_free(&arena);
	return rc < 0 ? -1 : 0;
}

static int
check_mailboxes(struct verify_account *a, struct err *e)
{
	struct arena *arena = arena_new(0);
	struct mailbox_folder *folders;
	size_t n;
	int rc = list_folders(a->st, arena, &folders, &n, e);

	if (rc == 0)
		rc = verify_mailbox(a, SLICE("Inbox"), e);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = verify_mailbox(a, folders[i].name, e);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		rc = check_metadata(a, folders[i].name, e);
		if (rc == 0)
			rc = verify_acl(a, folders[i].name, e);
	}
	if (rc == 0)
		rc = verify_acl(a, SLICE("Inbox"), e);
	if (rc == 0)
		rc = check_metadata(a, SLICE("Inbox"), e);
	if (rc == 0)
		rc = check_metadata(a, SLICE_NULL, e);
	arena_free(&arena);
	return rc;
}

/* Clients may have seen higher ones than the copy knows of. */
static int
skip_uidvalidity(struct store *st, struct err *e)
{
	uint32_t last, now = (uint32_t)(clock_s(st->env->clock) / 2);

	if (store_last_uidvalidity(st, &last, e) < 0)
		return -1;
	return store_note_uidvalidity(st,
	    last + RESTORE_SKIP > now ? last + RESTORE_SKIP : now, e);
}

static int
check_account(struct verify_account *a, struct err *e)
{
	struct verify *v = a->v;

	v->accounts++;
	verify_leftovers(v, a->st->fd, ".", SLICE("."), SLICE(".tmp"),
	    VERIFY_OWN_S);
	verify_leftovers(v, a->st->maildir_fd, ".", SLICE(".subscriptions."),
	    SLICE(".tmp"), VERIFY_OWN_S);
	if (v->restored && skip_uidvalidity(a->st, e) < 0)
		return -1;
	if (check_mailboxes(a, e) < 0 || check_uidvalidity(a, e) < 0 ||
	    check_quota(a, e) < 0 || check_urlkeys(a, e) < 0 ||
	    check_forward(a, e) < 0)
		return -1;
	if (verify_shares(a, e) < 0 || verify_threads(a, e) < 0)
		return -1;
	return verify_history(a, e);
}

int
verify_account(struct verify *v, struct slice account, struct err *e)
{
	struct verify_account a = { .v = v, .complete = true };
	struct err why = ERR_INIT;
	int rc = store_open(&a.st, v->env, account, &why);

	if (rc == 0)
		return err_set(e, ERR_PERM, "no such account");
	v->account = account;
	a.ids = map_new();
	if (rc == 1)
		rc = check_account(&a, &why);
	if (rc < 0)
		verify_report(v, VERIFY_ERROR, "account", false, "%s",
		    why.text);
	map_free(&a.ids);
	store_close(&a.st);
	v->account = SLICE_NULL;
	return 0;
}

/* ---- all ---- */

int
verify_data(struct verify *v, struct err *e)
{
	struct arena *arena = arena_new(0);
	struct buf name = BUF_INIT(NAME_MAX);
	struct slice *files;
	size_t n = 0;
	int rc = file_list(v->env->data_fd, "accounts", arena, &files, &n, e);

	for (size_t i = 0; rc == 1 && i < n; i++) {
		buf_reset(&name);
		if (slice_starts(files[i], SLICE(".")) ||
		    !db_unescape(&name, files[i]))
			continue;
		if (verify_account(v, buf_slice(&name), e) < 0)
			rc = -1;
	}
	if (rc >= 0 && verify_shared(v, e) < 0)
		rc = -1;
	verify_leftovers(v, v->env->data_fd, "accounts", SLICE("."),
	    SLICE(".tmp"), VERIFY_OWN_S);
	verify_leftovers(v, v->env->data_fd, "tmp", SLICE_NULL, SLICE_NULL,
	    VERIFY_TMP_S);
	buf_free(&name);
	arena_free(&arena);
	return rc < 0 ? -1 : 0;
}
