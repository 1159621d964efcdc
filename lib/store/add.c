/*
 * add.c - new messages: one log unit for all, so a crash leaves all or none.
 *
 * The log line is what makes a message exist. Files are written in tmp/ under
 * their final names, the lines appended and the files renamed into new/ (cur/
 * with flags), all under the lock; a line `m ... placed` says that the last
 * was done. Without it the next writer finds the rest in tmp/ and finishes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db/newfile.h"
#include "db/sync.h"
#include "message/parse.h"
#include "message/record.h"
#include "store/index.h"

/* ---- writing ---- */

static uint64_t
count_lf(struct slice s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '\n';
	return n;
}

/* The record of prefix and message, in the arena; empty if there is none. */
static struct slice
prefixed_record(const struct mailbox_new *m, struct arena *arena)
{
	struct buf b = BUF_INIT(MSGREC_MAX);
	struct slice piece, record;
	struct msgparse *p;
	uint64_t offset = 0;

	if (m->prefix.n == 0 || m->record.n == 0)
		return m->record;
	if (!msgrec_prefix(m->record, m->prefix, &b)) {
		p = msgparse_new(NULL);
		msgparse_push(p, m->prefix);
		while (spool_read(m->spool, &offset, &piece, NULL) == 1)
			msgparse_push(p, piece);
		msgparse_finish(p, &b);
		msgparse_free(&p);
	}
	record = arena_dup(arena, buf_slice(&b));
	buf_free(&b);
	return record;
}

static int
write_and_sync(const struct mailbox_new *m, struct adding *a, int fd,
    struct err *e)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
		{ .tv_sec = m->received } };
	struct store_msg *msg = &a->record.msg;
	uint64_t size, wire;

	if (spool_write(m->spool, m->prefix, fd, &size, &wire, e) != 0)
		return -1;
	if (size != msg->size || wire != msg->wire_size)
		return err_set(e, ERR_PERM, "message is not as announced");
	/* INTERNALDATE survives a lost index. */
	if (futimens(fd, times) != 0)
		return err_sys(e, "time of message");
	return db_fsync(fd, a->name, e);
}

/* The file in tmp/, synced. */
static int
write_message(struct mailbox *mb, const struct mailbox_new *m, struct adding *a,
    struct arena *arena, struct err *e)
{
	const struct store_env *env = mb->st->env;
	struct store_msg *msg = &a->record.msg;
	bool verbatim = spool_verbatim(m->spool);
	int fd, rc;

	msg->wire_size = m->prefix.n + spool_wire_size(m->spool);
	msg->size = spool_stored_size(m->spool) + m->prefix.n -
	    (verbatim ? 0 : count_lf(m->prefix));
	msg->received = m->received;
	msg->saved = clock_s(env->clock);
	layout_emailid_new(env, msg->emailid);
	layout_base(env, msg->emailid, msg->size, msg->wire_size, a->name);
	fd = openat(mb->folder.tmp, a->name,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, env->file_mode);
	if (fd < 0)
		return err_sys(e, "new message in %s", mb->name);
	rc = write_and_sync(m, a, fd, e);
	close(fd);
	a->cache = prefixed_record(m, arena);
	if (rc == 0 && a->cache.n > 0)
		msg->thread = threads_assign(mb->st, a->cache, msg->received);
	return rc;
}

/* ---- under the lock ---- */

static int
add_line(struct mailbox *mb, struct adding *a, struct lines *ls, struct err *e)
{
	struct record *r = &a->record;
	struct line l = {
		.type = 'a', .modseq = r->msg.modseq, .name = slice_str(a->name)
	};

	if (r->msg.flags != 0 || r->msg.keywords != 0)
		r->place = RECORD_CUR;
	if (r->place == RECORD_CUR) {
		keywords_disk(&mb->ix.kw, r->msg.flags, r->msg.keywords,
		    &r->disk, &r->letters);
		if (!layout_with_flags(l.name, r->disk, r->letters, a->file))
			return err_set(e, ERR_LIMIT, "file name too long");
	}
	l.record = *r;
	lines_add(ls, &l);
	return 0;
}

static void
add_to_cache(struct mailbox *mb, struct adding *v, size_t n)
{
	struct arena *arena = arena_new(0);
	struct cache_entry *entries = arena_array(arena, n, sizeof(*entries));
	struct cache_place *places = arena_array(arena, n, sizeof(*places));

	for (size_t i = 0; i < n; i++)
		entries[i] =
		    (struct cache_entry){ v[i].record.msg.uid, v[i].cache };
	if (cache_append(mb->cache, mb->ix.segment, entries, n, places, NULL) ==
	    0)
		for (size_t i = 0; i < n; i++)
			v[i].record.cache = places[i];
	arena_free(&arena);
}

int
adding_lines(struct mailbox *mb, struct adding *v, size_t n,
    const struct adding_fns *fns, struct lines *ls, struct err *e)
{
	struct keywords kw = mb->ix.kw;

	if (n > UINT32_MAX - mb->ix.uidnext)
		return err_set(e, ERR_PERM, "no UID left in %s", mb->name);
	for (size_t i = 0; i < n; i++) {
		v[i].record.msg.uid = mb->ix.uidnext + (uint32_t)i;
		v[i].record.msg.modseq = mb->ix.modseq + 1;
		if (fns->flags(fns->arg, i, &v[i], &kw, ls, e) != 0)
			return -1;
	}
	add_to_cache(mb, v, n);
	for (size_t i = 0; i < n; i++)
		if (add_line(mb, &v[i], ls, e) != 0)
			return -1;
	return 0;
}

/* From tmp/ to new/ or cur/. */
static int
place(const struct mailbox *mb, struct adding *a, struct err *e)
{
	bool new = a->record.place == RECORD_NEW;
	int rc = db_move(mb->folder.tmp, a->name,
	    new ? mb->folder.new : mb->folder.cur, new ? a->name : a->file, e);

	if (rc == 0)
		err_sys(e, "new message in %s", mb->name);
	a->placed = rc == 1;
	return rc == 1 ? 0 : -1;
}

static int
place_all(const struct mailbox *mb, struct adding *v, size_t n,
    const struct adding_fns *fns, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++)
		if (fns->place == NULL)
			rc = place(mb, &v[i], e);
		else {
			rc = fns->place(fns->arg, i, &v[i], e);
			v[i].placed = rc == 0;
		}
	return rc;
}

/* Their files are made behind the lines: should not all be made, none are. */
static void
add_coming(const struct adding *v, size_t n, struct lines *ls)
{
	struct arena *arena = arena_new(0);
	struct line l = { .type = 'o', .uids = UIDSET_INIT(arena) };

	uidset_add(&l.uids, v[0].record.msg.uid, v[n - 1].record.msg.uid);
	lines_add(ls, &l);
	arena_free(&arena);
}

/* -1: neither lines nor files are there. */
static int
add_locked(struct mailbox *mb, struct adding *v, size_t n,
    const struct adding_fns *fns, struct err *e)
{
	uint64_t end = mb->pair.log.end;
	struct lines ls = LINES_INIT;
	struct own_change own;
	int rc = adding_lines(mb, v, n, fns, &ls, e);

	if (rc == 0 && fns->place != NULL)
		add_coming(v, n, &ls);

	if (rc == 0)
		rc = index_append(mb, &ls, e);
	lines_free(&ls);
	if (rc != 0) {
		adding_remove(mb, v, n);
		return -1;
	}
	scan_before(mb, &own);
	if (place_all(mb, v, n, fns, e) == 0 &&
	    (scan_after(mb, &own, true, e) == 0 || fns->place == NULL))
		return 0;
	/* Files first: what a crash leaves then has no file. */
	adding_remove(mb, v, n);
	index_undo(mb, end);
	return -1;
}

/* ---- after ---- */

static int
sync_folders(const struct mailbox *mb, const struct adding *v, size_t n,
    struct err *e)
{
	bool new = false, cur = false;

	for (size_t i = 0; i < n; i++) {
		new |= v[i].record.place == RECORD_NEW;
		cur |= v[i].record.place == RECORD_CUR;
	}
	if (new &&db_fsync_dir(mb->folder.new, "new", e) != 0)
		return -1;
	return cur ? db_fsync_dir(mb->folder.cur, "cur", e) : 0;
}

void
adding_remove(const struct mailbox *mb, const struct adding *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct adding *a = &v[i];

		if (!a->placed)
			unlinkat(mb->folder.tmp, a->name, 0);
		else if (a->record.place == RECORD_NEW)
			unlinkat(mb->folder.new, a->name, 0);
		else
			unlinkat(mb->folder.cur, a->file, 0);
	}
}

/* Take the messages out of the log again. */
static void
expunge_added(struct mailbox *mb, const struct adding *v, size_t n)
{
	struct arena *arena = arena_new(0);
	struct line l = { .type = 'y', .uids = UIDSET_INIT(arena) };
	struct lines ls = LINES_INIT;

	for (size_t i = 0; i < n; i++)
		uidset_add(&l.uids, v[i].record.msg.uid, v[i].record.msg.uid);
	if (index_lock(mb, NULL) == 0) {
		l.modseq = mb->ix.modseq + 1;
		lines_add(&ls, &l);
		index_append(mb, &ls, NULL);
		index_unlock(mb);
	}
	lines_free(&ls);
	arena_free(&arena);
}

/* Log, then folder. *stays_r: the lines are in the log all the same. */
static int
make_durable(struct mailbox *mb, const struct adding *v, size_t n,
    bool *stays_r, struct err *e)
{
	if (index_sync(mb, stays_r, e) != 0)
		return -1;
	*stays_r = true;
	return sync_folders(mb, v, n, e);
}

enum store_code
adding_commit(struct mailbox *mb, struct adding *v, size_t n,
    const struct adding_fns *fns, struct err *e)
{
	bool stays;

	if (index_lock(mb, e) != 0) {
		adding_remove(mb, v, n);
		return mb->gone ? STORE_NONEXISTENT : STORE_FAILED;
	}
	if (add_locked(mb, v, n, fns, e) != 0) {
		index_unlock(mb);
		return STORE_FAILED;
	}
	index_unlock(mb);
	if (make_durable(mb, v, n, &stays, e) != 0) {
		adding_remove(mb, v, n);
		if (stays)
			expunge_added(mb, v, n);
		return STORE_FAILED;
	}
	if (!folder_current(&mb->folder, mb->st)) {
		err_set(e, ERR_PERM, "%s: mailbox was deleted", mb->name);
		return STORE_NONEXISTENT;
	}
	store_poke_folder(mb->st, mb->folder.name);
	return STORE_OK;
}

/* ---- new messages ---- */

/* Records of messages that wait are held up to here, the rest parsed later. */
#define RECORDS_MAX (16 << 20)

struct mailbox_adding {
	struct mailbox *mb;
	struct arena *arena;
	struct adding *v;
	struct store_flags *flags;
	size_t n;
	uint64_t freed, stored;
	size_t records; /* bytes */
};

struct mailbox_adding *
mailbox_adding_new(struct mailbox *mb, uint64_t freed, struct arena *arena)
{
	struct mailbox_adding *a = arena_alloc(arena, sizeof(*a));

	a->mb = mb;
	a->arena = arena;
	a->freed = freed;
	return a;
}

static struct store_flags
copy_flags(const struct store_flags *flags, struct arena *arena)
{
	struct slice *v = arena_array(arena, flags->nkeywords, sizeof(*v));

	for (size_t i = 0; i < flags->nkeywords; i++)
		v[i] = arena_dup(arena, flags->keywords[i]);
	return (struct store_flags){ .flags = flags->flags,
		.keywords = v,
		.nkeywords = flags->nkeywords };
}

static enum store_code
check_quota(const struct mailbox_adding *a, const struct mailbox_new *m,
    struct err *e)
{
	uint64_t bytes = a->stored + spool_stored_size(m->spool) + m->prefix.n;

	return bytes <= a->freed
	    ? STORE_OK
	    : store_quota_check(a->mb->st, bytes - a->freed, e);
}

enum store_code
mailbox_adding_message(struct mailbox_adding *a, const struct mailbox_new *m,
    struct err *e)
{
	enum store_code code = check_quota(a, m, e);
	struct adding *adding;

	if (code != STORE_OK)
		return code;
	if (a->n == MAILBOX_ADDING_MAX) {
		err_set(e, ERR_LIMIT, "more than %d messages at once",
		    MAILBOX_ADDING_MAX);
		return STORE_FAILED;
	}
	a->v = store_push(a->arena, a->v, a->n, sizeof(*a->v));
	a->flags = store_push(a->arena, a->flags, a->n, sizeof(*a->flags));
	a->flags[a->n] = copy_flags(&m->flags, a->arena);
	adding = &a->v[a->n++];
	if (write_message(a->mb, m, adding, a->arena, e) != 0)
		return STORE_FAILED;
	a->stored += adding->record.msg.size;
	a->records += adding->cache.n;
	adding->cache = a->records > RECORDS_MAX
	    ? SLICE_NULL
	    : arena_dup(a->arena, adding->cache);
	return STORE_OK;
}

static int
flags_of_new(void *arg, size_t i, struct adding *v, struct keywords *kw,
    struct lines *ls, struct err *e)
{
	const struct mailbox_adding *a = arg;

	return keywords_need(kw, &a->flags[i], ls, &v->record.msg.flags,
	    &v->record.msg.keywords, e);
}

enum store_code
mailbox_adding_commit(struct mailbox_adding *a,
    struct mailbox_new_result *result_r, struct err *e)
{
	struct mailbox *mb = a->mb;
	struct adding_fns fns = { .flags = flags_of_new, .arg = a };
	enum store_code code = adding_commit(mb, a->v, a->n, &fns, e);

	if (code != STORE_OK)
		return code;
	quota_add(mb->st, (int64_t)a->stored, (int64_t)a->n);
	result_r->uidvalidity = mb->ix.uidvalidity;
	result_r->uids = arena_array(a->arena, a->n, sizeof(uint32_t));
	result_r->emailids = arena_array(a->arena, a->n, STORE_EMAILID);
	for (size_t i = 0; i < a->n; i++) {
		const struct store_msg *m = &a->v[i].record.msg;

		result_r->uids[i] = m->uid;
		memcpy(result_r->emailids[i], m->emailid, STORE_EMAILID);
	}
	return STORE_OK;
}

void
mailbox_adding_abort(struct mailbox_adding *a)
{
	adding_remove(a->mb, a->v, a->n);
	a->n = 0;
}

enum store_code
mailbox_add(struct mailbox *mb, const struct mailbox_new *msgs, size_t n,
    struct arena *arena, struct mailbox_new_result *result_r, struct err *e)
{
	struct mailbox_adding *a = mailbox_adding_new(mb, 0, arena);
	enum store_code code = STORE_OK;

	for (size_t i = 0; i < n && code == STORE_OK; i++)
		code = mailbox_adding_message(a, &msgs[i], e);
	if (code == STORE_OK)
		return mailbox_adding_commit(a, result_r, e);
	mailbox_adding_abort(a);
	return code;
}
