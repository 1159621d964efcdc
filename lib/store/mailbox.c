/*
 * mailbox.c - open and close, refresh, totals without opening a view.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "db/newfile.h"
#include "message/record.h"
#include "store/index.h"

/* What is that old the kernel has written by itself, should its writer have
 * died before its sync (vm.dirty_expire_centisecs: 30 s). */
#define AT_REST_S 60
/* Another process makes the index: a second for 100,000 messages. */
#define ADOPT_MS 300000
/* Held by who makes the index. Not the index's own lock file, which says that
 * there is, or was, one. */
#define BEGIN_LOCK INDEX_PAIR ".begin.lock"

/* ---- the index ---- */

static bool
exists(const struct mailbox *mb, const char *file)
{
	return faccessat(mb->folder.fd, file, F_OK, 0) == 0;
}

int
index_discard(struct mailbox *mb, const struct err *why, struct err *e)
{
	log_line("store", LOG_ERROR, "index is damaged, to be made anew",
	    LOG_Z("account", mb->st->name), LOG_Z("mailbox", mb->name),
	    LOG_E(why));
	mb->gone = true;
	return db_pair_discard(mb->folder.fd, INDEX_PAIR, e);
}

static int
open_pair(struct mailbox *mb, struct err *e)
{
	int rc = db_pair_open(&mb->pair, mb->folder.fd, INDEX_PAIR,
	    mb->st->env->file_mode, &index_ops, mb, e);

	mb->gone = false;
	mb->readonly = rc == 1 && mb->st->other &&
	    (fcntl(mb->pair.log.fd, F_GETFL) & O_ACCMODE) == O_RDONLY;
	if (rc == 1 && mb->ix.uidvalidity == 0) {
		db_pair_close(&mb->pair);
		return err_set(e, ERR_SYNTAX, "mox.log: no identity");
	}
	if (rc == 1 && mb->pair.bad > 0)
		log_line("store", LOG_ERROR, "lines of the index are lost",
		    LOG_Z("account", mb->st->name), LOG_Z("mailbox", mb->name),
		    LOG_U("bytes", mb->pair.bad));
	return rc;
}

/* Before anything is told that only the index knows. */
static int
make_lock_file(struct mailbox *mb, struct err *e)
{
	struct db_lock lock = DB_LOCK_INIT;
	int rc =
	    db_lock(&lock, mb->folder.fd, INDEX_PAIR ".lock", 0, DB_LOCK_MS, e);

	db_unlock(&lock);
	return rc == 1 ? 0 : -1;
}

/* What a crash left of making the first index; nobody has been told of it. */
static int
remove_begun(struct mailbox *mb, struct err *e)
{
	return db_unlink(mb->folder.fd, INDEX_PAIR ".log", e) < 0 ||
		db_unlink(mb->folder.fd, INDEX_PAIR ".cdb", e) < 0
	    ? -1
	    : 0;
}

/*
 * Under the lease: another process may have made the index meanwhile. The lock
 * file is made when there is an index, and stays: with it, and without an index,
 * one is lost.
 */
static int
make_index(struct mailbox *mb, struct err *e)
{
	struct err why = ERR_INIT;
	int rc = open_pair(mb, &why);
	bool had_one = exists(mb, INDEX_PAIR ".lock");
	bool lost = rc < 0 || exists(mb, INDEX_PAIR ".cdb");

	if (rc == 1)
		return 0;
	if (rc < 0 && why.kind != ERR_SYNTAX)
		return err_set(e, why.kind, "%s", why.text);
	if (rc == 0)
		err_set(&why, ERR_SYNTAX, "no mox.log");
	if (lost && had_one && index_discard(mb, &why, e) != 0)
		return -1;
	if (lost && !had_one && remove_begun(mb, e) != 0)
		return -1;
	if (adopt(mb, had_one, e) != 0 ||
	    (!had_one && make_lock_file(mb, e) != 0))
		return -1;
	rc = open_pair(mb, e);
	return rc == 0 ? err_set(e, ERR_TEMP, "%s: index vanished", mb->name)
	    : rc < 0   ? -1
		       : 0;
}

static int
open_index(struct mailbox *mb, struct err *e)
{
	struct err why = ERR_INIT;
	struct db_lock lease = DB_LOCK_INIT;
	int rc = open_pair(mb, &why);

	if (rc == 1)
		return 0;
	if (rc < 0 && why.kind != ERR_SYNTAX)
		return err_set(e, why.kind, "%s", why.text);
	if (db_lock(&lease, mb->folder.fd, BEGIN_LOCK, DB_LOCK_LEASE, ADOPT_MS,
		e) != 1)
		return -1;
	rc = make_index(mb, e);
	/* Who waits for it finds an index, whatever is locked then. */
	if (rc == 0)
		unlinkat(mb->folder.fd, BEGIN_LOCK, 0);
	db_unlock(&lease);
	return rc;
}

/* ---- open and close ---- */

static char *
text_of(struct slice s)
{
	char *p = xmalloc(s.n + 1);

	memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return p;
}

void
index_close(struct mailbox **mbp)
{
	struct mailbox *mb = *mbp;

	db_pair_close(&mb->pair);
	index_free(&mb->ix);
	view_free(&mb->view);
	cache_free(&mb->cache);
	folder_close(&mb->folder);
	arena_free(&mb->line_arena);
	buf_free(&mb->record);
	free(mb->name);
	free(mb);
	*mbp = NULL;
}

/* What could be opened turned out to make no sense. */
static int
reopen_index(struct mailbox *mb, struct err *e)
{
	struct err why = *e;

	if (!mb->gone && index_discard(mb, &why, e) != 0)
		return -1;
	db_pair_close(&mb->pair);
	return open_index(mb, e);
}

struct mailbox *
index_new(struct store *st, struct slice name, const struct folder *folder)
{
	struct mailbox *mb = xcalloc(1, sizeof(*mb));

	mb->st = st;
	mb->name = text_of(name);
	mb->folder = *folder;
	mb->cache = cache_new(folder->fd, st->env->file_mode);
	mb->pair.dirfd = mb->pair.log.fd = mb->pair.lock.fd = -1;
	mb->line_arena = arena_new(0);
	mb->record = (struct buf)BUF_INIT(MSGREC_MAX);
	index_init(&mb->ix);
	view_init(&mb->view);
	return mb;
}

int
index_open(struct mailbox **mb_r, struct store *st, struct slice name,
    bool scan, struct err *e)
{
	struct err why = ERR_INIT;
	struct mailbox *mb;
	struct folder folder;
	int rc = folder_open(&folder, st, name, e);

	*mb_r = NULL;
	if (rc != 1)
		return rc;
	mb = index_new(st, name, &folder);
	rc = open_index(mb, &why);
	if (rc == 0 && scan)
		rc = scan_if_changed(mb, SCAN_OPEN, &why);
	if (rc != 0 && why.kind == ERR_SYNTAX)
		rc = reopen_index(mb, &why);
	if (rc != 0) {
		index_close(&mb);
		return err_set(e, why.kind, "mailbox %.*s: %s", SLICE_FMT(name),
		    why.text);
	}
	*mb_r = mb;
	return 1;
}

int
mailbox_open(struct mailbox **mb_r, struct store *st, struct slice name,
    struct err *e)
{
	int rc = index_open(mb_r, st, name, true, e);

	if (rc == 1)
		view_begin(*mb_r);
	return rc;
}

void
mailbox_close(struct mailbox **mbp)
{
	if (*mbp == NULL)
		return;
	tidy_all(*mbp);
	index_close(mbp);
}

void
store_tidy(struct store *st)
{
	if (st->later == NULL)
		return;
	if (folder_current(&st->later->folder, st))
		mailbox_close(&st->later);
	else
		index_close(&st->later);
}

void
store_close_later(struct store *st, struct mailbox **mb)
{
	store_tidy(st);
	st->later = *mb;
	*mb = NULL;
}

int
mailbox_announce(struct mailbox *mb, struct err *e)
{
	struct stat st;

	if (fstat(mb->pair.log.fd, &st) == 0 &&
	    st.st_mtime < clock_s(NULL) - AT_REST_S)
		return 0;
	return index_sync(mb, NULL, e);
}

struct slice
mailbox_name(const struct mailbox *mb)
{
	return slice_str(mb->name);
}

void
mailbox_renamed(struct mailbox *mb, struct slice name)
{
	free(mb->name);
	mb->name = text_of(name);
	layout_folder(name, mb->folder.name, NULL); /* it exists, so it fits */
}

struct store *
mailbox_store_of(const struct mailbox *mb)
{
	return mb->st;
}

struct slice
mailbox_id(const struct mailbox *mb)
{
	return slice_of(mb->ix.id, MAILBOXID);
}

void
mailbox_idle(struct mailbox *mb)
{
	index_settle(mb);
	cache_idle(mb->cache);
}

/* ---- refresh ---- */

int
mailbox_refresh(struct mailbox *mb, struct err *e)
{
	struct err why = ERR_INIT;

	mb->reader = true;
	if (mb->gone || !folder_current(&mb->folder, mb->st))
		mb->gone = true;
	else if (index_refresh(mb, &why) < 0 ||
	    scan_if_changed(mb, SCAN_REFRESH, &why) != 0) {
		if (!mb->gone)
			return err_set(e, why.kind, "%s", why.text);
	}
	return (int)view_pending(mb);
}

/* ---- without a view ---- */

int
mailbox_status(struct store *st, struct slice name, bool sizes,
    struct mailbox_status *status_r, struct err *e)
{
	struct mailbox *mb;
	int rc = mailbox_open(&mb, st, name, e);

	if (rc != 1)
		return rc;
	/* What is told is announced. */
	if ((sizes && mailbox_measure(mb, e) != 0) ||
	    index_sync(mb, NULL, e) != 0)
		rc = -1;
	memcpy(status_r->id, mb->ix.id, sizeof(status_r->id));
	status_r->uidvalidity = mailbox_uidvalidity(mb);
	status_r->uidnext = mailbox_uidnext(mb);
	status_r->modseq = mailbox_modseq(mb);
	mailbox_counts(mb, &status_r->counts);
	index_close(&mb);
	return rc;
}

int
index_totals(struct store *st, struct slice name, uint64_t *count_r,
    uint64_t *stored_r, struct err *e)
{
	struct mailbox *mb;
	int rc = index_open(&mb, st, name, true, e);

	if (rc != 1)
		return rc;
	*count_r = mb->ix.counts.messages;
	*stored_r = mb->ix.stored;
	index_close(&mb);
	return 1;
}

int
mailbox_renew(struct mailbox *mb, uint32_t *uidvalidity_r, struct err *e)
{
	struct line l = { .type = 'v' };
	struct lines ls = LINES_INIT;
	int rc = store_next_uidvalidity(mb->st, &l.uidvalidity, e);

	if (rc == 0)
		rc = index_lock(mb, e);
	if (rc == 0) {
		l.uidnext = mb->ix.uidnext;
		l.name = mailbox_id(mb);
		lines_add(&ls, &l);
		rc = index_append(mb, &ls, e);
		index_unlock(mb);
	}
	if (rc == 0)
		rc = index_sync(mb, NULL, e);
	if (rc == 0)
		store_poke(mb->st);
	lines_free(&ls);
	*uidvalidity_r = l.uidvalidity;
	return rc;
}

int
index_renew(struct store *st, struct slice name, struct err *e)
{
	struct mailbox *mb;
	uint32_t uidvalidity;
	int rc = index_open(&mb, st, name, true, e);

	if (rc != 1)
		return rc == 0 ? err_set(e, ERR_PERM, "no such mailbox") : -1;
	rc = mailbox_renew(mb, &uidvalidity, e);
	index_close(&mb);
	return rc;
}
