/*
 * copy.c - COPY and MOVE to another mailbox, in batches, so that locks are held
 * shortly and memory does not grow with the messages.
 *
 * COPY is adding (add.c) with links instead of new files: straight into cur/,
 * or, when that failed once, from a copy in tmp/. MOVE renames, so
 * that a message is in one folder whatever happens: a line of the source that
 * they are leaving, then the files, the target's lines, the source's that they
 * have left. A crash leaves a file without a line in the target, where a scan
 * takes it in, and a line without a file in the source, where the next one to
 * lock expunges it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "db/newfile.h"
#include "db/sync.h"
#include "store/index.h"

#define COPY_WINDOW (64 * 1024)
/* Messages between two locks: about 20 ms; each costs two syncs. */
#define COPY_BATCH 2000

struct copy {
	struct mailbox *from, *to;
	const struct mailbox_target *target;
	struct arena *arena;
	struct store_env env; /* with random bytes for many names */
	struct rand_block rand;
	/* In from; of the first `done` of them the UIDs in to. */
	uint32_t *uids, *targets;
	size_t n, size, done;
	uint64_t stored;
	/* The batch, and its UIDs in from. */
	struct arena *batch;
	struct adding *v;
	uint32_t *batch_uids;
	size_t nbatch;
	bool from_new; /* of the batch some were in new/ */
	bool again; /* those whose files were missing are behind the others */
	/* a file was not where it should be, or no link possible */
	bool careful;
	/* Keyword bits of from as bits of to, in so far as asked. */
	uint64_t known;
	uint8_t bits[STORE_KEYWORDS_MAX];
};

/* ---- what to copy ---- */

static void
collect_one(void *arg, const struct record *r)
{
	struct copy *c = arg;

	if (c->n == c->size) {
		size_t size = c->size == 0 ? 16 : 2 * c->size;

		c->uids =
		    arena_grow(c->arena, c->uids, c->n, size, sizeof(*c->uids));
		c->size = size;
	}
	c->uids[c->n++] = r->msg.uid;
	c->stored += r->msg.size;
}

/* The next batch, from the message at `at` on, before `end`; those that are gone are left out.
 * Returns where the one after it begins. */
static size_t
load_batch(struct copy *c, size_t at, size_t end)
{
	size_t max = end - at < COPY_BATCH ? end - at : COPY_BATCH;

	arena_reset(c->batch);
	c->v = arena_array(c->batch, max, sizeof(*c->v));
	c->batch_uids = arena_array(c->batch, max, sizeof(*c->batch_uids));
	for (c->nbatch = 0; at < end && c->nbatch < max; at++) {
		const struct record *r = index_get(&c->from->ix, c->uids[at]);

		if (r == NULL)
			continue;
		c->v[c->nbatch] = (struct adding){ .record = *r };
		c->batch_uids[c->nbatch++] = c->uids[at];
	}
	return at;
}

static uint64_t
batch_stored(const struct copy *c)
{
	uint64_t stored = 0;

	for (size_t i = 0; i < c->nbatch; i++)
		stored += c->v[i].record.msg.size;
	return stored;
}

static void
batch_done(struct copy *c)
{
	for (size_t i = 0; i < c->nbatch; i++) {
		c->uids[c->done] = c->batch_uids[i];
		c->targets[c->done++] = c->v[i].record.msg.uid;
	}
}

/* A record for the target, from one of the source. */
static void
begin_record(struct copy *c, struct adding *a)
{
	struct record *r = &a->record;
	struct slice cached;

	if (r->cache.segment != 0 &&
	    cache_get(c->from->cache, r->cache, r->msg.uid, &cached))
		a->cache = cached;
	r->cache = (struct cache_place){ 0, 0 };
	r->place = RECORD_CUR;
	r->msg.saved = clock_s(c->env.clock);
	layout_base(&c->env, r->msg.emailid, r->msg.size,
	    record_unmeasured(r) ? LAYOUT_UNKNOWN : r->msg.wire_size, a->name);
}

static int
map_bit(struct copy *c, unsigned bit, struct keywords *kw, struct lines *ls,
    struct err *e)
{
	struct store_flags want = { .keywords = &c->from->ix.kw.names[bit],
		.nkeywords = 1 };
	uint16_t flags;
	uint64_t mask;

	if (keywords_need(kw, &want, ls, &flags, &mask, e) != 0)
		return -1;
	c->bits[bit] = (uint8_t)__builtin_ctzll(mask);
	c->known |= 1ull << bit;
	return 0;
}

/* The flags are those of the source now; its keywords have other bits. */
static int
flags_of_copy(void *arg, size_t i, struct adding *a, struct keywords *kw,
    struct lines *ls, struct err *e)
{
	struct copy *c = arg;
	uint64_t left = a->record.msg.keywords, mapped = 0;

	(void)i;
	a->record.msg.flags &= (uint16_t)~c->target->without;
	if (c->target->without_keywords)
		left = 0;
	for (; left != 0; left &= left - 1) {
		unsigned bit = (unsigned)__builtin_ctzll(left);

		if (bit >= c->from->ix.kw.n)
			continue;
		if ((c->known >> bit & 1) == 0 &&
		    map_bit(c, bit, kw, ls, e) != 0)
			return -1;
		mapped |= 1ull << c->bits[bit];
	}
	a->record.msg.keywords = mapped;
	return 0;
}

static void
leave_out(struct copy *c, size_t i)
{
	memmove(&c->v[i], &c->v[i + 1], (c->nbatch - i - 1) * sizeof(*c->v));
	memmove(&c->batch_uids[i], &c->batch_uids[i + 1],
	    (c->nbatch - i - 1) * sizeof(*c->batch_uids));
	c->nbatch--;
}

/* ---- letters ---- */

static void
collect_flags(void *arg, const struct record *r)
{
	struct store_msg *all = arg;

	all->flags |= r->msg.flags;
	all->keywords |= r->msg.keywords;
}

/*
 * If a crash leaves a file without its line, the target takes flags and
 * keywords from the name: see that all have letters there.
 */
static int
give_letters(struct copy *c, const struct uidset *uids, struct err *e)
{
	struct adding all = { .placed = false };
	struct keywords kw = c->to->ix.kw;
	struct lines ls = LINES_INIT;
	int rc;

	view_each(c->from, uids, collect_flags, &all.record.msg);
	rc = index_lock(c->to, e);
	if (rc != 0)
		return -1;
	rc = flags_of_copy(c, 0, &all, &kw, &ls, e);
	if (rc == 0 && ls.n > 0)
		rc = index_append(c->to, &ls, e);
	index_unlock(c->to);
	lines_free(&ls);
	c->known = 0; /* bits may differ under the next lock */
	c->to->ix.flags_used |= all.record.msg.flags;
	return rc == 0 ? keywords_share(c->to, e) : -1;
}

/* ---- COPY ---- */

int
message_copy(int from, int dirfd, const char *name, mode_t mode, struct err *e)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT } };
	char *window = xmalloc(COPY_WINDOW);
	struct stat st;
	ssize_t n;
	int rc = 0, to;

	to = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (to < 0)
		rc = err_sys(e, "copy of message");
	while (rc == 0 && (n = read(from, window, COPY_WINDOW)) != 0)
		rc = n < 0 ? err_sys(e, "read message")
			   : file_write(to, slice_of(window, (size_t)n), e);
	if (rc == 0 && fstat(from, &st) == 0) {
		times[1] = st.st_mtim;
		futimens(to, times);
	}
	if (rc == 0)
		rc = db_fsync(to, name, e);
	if (to >= 0)
		close(to);
	free(window);
	return rc;
}

/* The file of a message as a new one in tmp/ of the target. 1, 0 gone, -1. */
static int
link_message(struct copy *c, uint32_t uid, struct adding *a, struct err *e)
{
	struct mailbox *from = c->from;
	const struct record *r = index_get(&from->ix, uid);
	char file[LAYOUT_NAME];
	int fd, rc;

	if (r != NULL && record_file(&from->ix, r, file) &&
	    linkat(record_dir(from, r), file, c->to->folder.tmp, a->name, 0) ==
		0)
		return 1;
	rc = message_open(from, uid, &fd, e);
	if (rc != 1)
		return rc;
	rc = message_copy(fd, c->to->folder.tmp, a->name,
	    c->to->st->env->file_mode, e);
	close(fd);
	return rc == 0 ? 1 : -1;
}

/* All of the batch into tmp/. */
static int
link_messages(struct copy *c, struct err *e)
{
	for (size_t i = 0; i < c->nbatch;) {
		struct adding *a = &c->v[i];
		int rc;

		begin_record(c, a);
		rc = link_message(c, c->batch_uids[i], a, e);
		if (rc < 0) {
			adding_remove(c->to, c->v, i + 1);
			return -1;
		}
		if (rc == 0)
			leave_out(c, i);
		else
			i++;
	}
	return 0;
}

/* The file of a message straight into cur/: one change of a folder instead of
 * three. The name is as we know it: the source is not locked. */
static int
link_placed(void *arg, size_t i, const struct adding *a, struct err *e)
{
	struct copy *c = arg;
	const struct record *r = index_get(&c->from->ix, c->batch_uids[i]);
	char file[LAYOUT_NAME];

	if (r != NULL && record_file(&c->from->ix, r, file) &&
	    linkat(record_dir(c->from, r), file, c->to->folder.cur, a->file,
		0) == 0)
		return 0;
	c->careful = true;
	return err_sys(e, "copy of message");
}

static enum store_code
commit_batch(struct copy *c, adding_place_fn *place, struct err *e)
{
	struct adding_fns fns = { flags_of_copy, place, c };
	enum store_code code = STORE_OK;

	if (c->nbatch > 0)
		code = adding_commit(c->to, c->v, c->nbatch, &fns, e);
	c->known = 0; /* bits may differ under the next lock */
	return code;
}

/* From the message at *at, to where the next batch begins. */
static enum store_code
copy_batch(struct copy *c, size_t *at, struct err *e)
{
	enum store_code code = STORE_FAILED;
	size_t next;

	if (!c->careful) {
		next = load_batch(c, *at, c->n);
		for (size_t i = 0; i < c->nbatch; i++)
			begin_record(c, &c->v[i]);
		code = commit_batch(c, link_placed, e);
	}
	if (c->careful) {
		next = load_batch(c, *at, c->n);
		if (link_messages(c, e) != 0)
			return STORE_FAILED;
		code = commit_batch(c, NULL, e);
	}
	if (code != STORE_OK)
		return code;
	*at = next;
	quota_add(c->to->st, (int64_t)batch_stored(c), (int64_t)c->nbatch);
	batch_done(c);
	return STORE_OK;
}

/* RFC 9051, 6.4.7: all, or the target is as it was. */
static void
take_back(struct copy *c)
{
	struct uidset gone = UIDSET_INIT(c->arena);

	for (size_t i = 0; i < c->done; i++)
		uidset_add(&gone, c->targets[i], c->targets[i]);
	if (gone.n > 0)
		expunge_uids(c->to, &gone, NULL);
	c->done = 0;
}

static enum store_code
copy_messages(struct copy *c, struct err *e)
{
	enum store_code code = store_quota_check(c->to->st, c->stored, e);

	for (size_t at = 0; at < c->n && code == STORE_OK;) {
		code = copy_batch(c, &at, e);
		if (code == STORE_OK && at < c->n &&
		    store_progress(c->to->st, at, c->n, e) != 0)
			code = STORE_FAILED;
	}
	if (code != STORE_OK)
		take_back(c);
	return code;
}

/* ---- MOVE ---- */

static int
lock_both(struct copy *c, struct err *e)
{
	int order = strcmp(c->from->st->name, c->to->st->name);
	bool first =
	    (order != 0 ? order
			: strcmp(c->from->folder.name, c->to->folder.name)) < 0;
	struct mailbox *a = first ? c->from : c->to;
	struct mailbox *b = first ? c->to : c->from;

	if (index_lock(a, e) != 0)
		return -1;
	if (index_lock(b, e) == 0)
		return 0;
	index_unlock(a);
	return -1;
}

/* A file in the source, by the name it has. */
struct place {
	int dirfd;
	char file[LAYOUT_NAME];
};

/* Under the name that is recorded; careful: it is looked whether it is there. */
static bool
find_file(const struct mailbox *mb, uint32_t uid, bool careful, struct place *p)
{
	const struct record *r = index_get(&mb->ix, uid);

	if (r == NULL || !record_file(&mb->ix, r, p->file))
		return false;
	p->dirfd = record_dir(mb, r);
	if (!careful)
		return true;
	if (faccessat(p->dirfd, p->file, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return true;
	p->dirfd = mb->folder.cur;
	return record_file_renamed(&mb->ix, r, p->file) &&
	    faccessat(p->dirfd, p->file, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Once more, at the end. */
static void
move_later(struct copy *c, uint32_t uid)
{
	if (c->n == c->size) {
		c->size = 2 * c->size;
		c->uids = arena_grow(c->arena, c->uids, c->n, c->size,
		    sizeof(*c->uids));
	}
	c->uids[c->n++] = uid;
}

/* Messages that are not there are left out, for now: another program may have
 * just given them another name. */
static struct place *
find_files(struct copy *c)
{
	struct place *places =
	    arena_array(c->batch, c->nbatch, sizeof(*places));

	c->from_new = false;
	for (size_t i = 0; i < c->nbatch;) {
		if (!find_file(c->from, c->batch_uids[i], c->careful,
			&places[i])) {
			if (!c->again)
				move_later(c, c->batch_uids[i]);
			leave_out(c, i);
			continue;
		}
		c->from_new |= places[i].dirfd == c->from->folder.new;
		begin_record(c, &c->v[i++]);
	}
	return places;
}

/* The first n back to where they were. */
static void
move_back(struct copy *c, const struct place *places, size_t n)
{
	for (size_t i = 0; i < n; i++)
		db_move(c->to->folder.cur, c->v[i].file, places[i].dirfd,
		    places[i].file, NULL);
}

static int
move_files(struct copy *c, const struct place *places, struct err *e)
{
	for (size_t i = 0; i < c->nbatch; i++)
		if (db_move(places[i].dirfd, places[i].file, c->to->folder.cur,
			c->v[i].file, e) != 1) {
			c->careful |= errno == ENOENT;
			if (errno == ENOENT || errno == EEXIST)
				err_sys(e, "move message");
			move_back(c, places, i);
			return -1;
		}
	return 0;
}

/* A line of the source about the messages: `o`, they are leaving; `y`, they
 * have left. */
static int
append_source(struct copy *c, char type, struct err *e)
{
	struct line l = { .type = type,
		.modseq = c->from->ix.modseq + 1,
		.uids = UIDSET_INIT(c->batch) };
	struct lines ls = LINES_INIT;
	int rc;

	for (size_t i = 0; i < c->nbatch; i++)
		uidset_add(&l.uids, c->batch_uids[i], c->batch_uids[i]);
	lines_add(&ls, &l);
	rc = index_append(c->from, &ls, e);
	lines_free(&ls);
	return rc;
}

/* From the message at *at, to where the next batch begins. */
static int
move_locked(struct copy *c, size_t *at, size_t end, struct err *e)
{
	struct adding_fns fns = { .flags = flags_of_copy, .arg = c };
	struct own_change own_from, own_to;
	struct lines ls = LINES_INIT;
	struct place *places;
	uint64_t log_end = c->to->pair.log.end;
	int rc;

	*at = load_batch(c, *at, end);
	places = find_files(c);
	if (c->nbatch == 0)
		return 0;
	rc = adding_lines(c->to, c->v, c->nbatch, &fns, &ls, e);
	scan_before(c->from, &own_from);
	scan_before(c->to, &own_to);
	if (rc == 0)
		rc = append_source(c, 'o', e);
	if (rc == 0)
		rc = move_files(c, places, e);
	if (rc == 0) {
		rc = index_append(c->to, &ls, e);
		if (rc != 0)
			move_back(c, places, c->nbatch);
	}
	if (rc == 0) {
		rc = append_source(c, 'y', e);
		/* On a full disk the next one with the lock could not write
		 * it either: nothing has moved then. */
		if (rc != 0) {
			move_back(c, places, c->nbatch);
			index_undo(c->to, log_end);
		}
	}
	if (rc == 0)
		scan_after(c->to, &own_to, true, NULL);
	if (rc == 0 || c->from->ix.leaving.n == 0)
		scan_after(c->from, &own_from, true, NULL);
	lines_free(&ls);
	return rc;
}

/* The sync of the source failed and took back the line that says they have
 * left; which they have. Into the new log that the lock begins. */
static void
leave_again(struct copy *c)
{
	if (index_lock(c->from, NULL) != 0)
		return;
	append_source(c, 'y', NULL);
	index_unlock(c->from);
}

static int
sync_move(struct copy *c, struct err *e)
{
	bool stays;

	if (db_fsync_dir(c->to->folder.cur, "cur", e) != 0 ||
	    db_fsync_dir(c->from->folder.cur, "cur", e) != 0 ||
	    (c->from_new && db_fsync_dir(c->from->folder.new, "new", e) != 0) ||
	    index_sync(c->to, NULL, e) != 0)
		return -1;
	if (index_sync(c->from, &stays, e) == 0)
		return 0;
	if (!stays)
		leave_again(c);
	return -1;
}

/* From one account to another. */
static void
account_moved(struct copy *c)
{
	int64_t bytes = (int64_t)batch_stored(c), n = (int64_t)c->nbatch;

	quota_add(c->from->st, -bytes, -n);
	quota_add(c->to->st, bytes, n);
}

/* If all else fails halfway, the folders say what is so, and scans make both
 * indexes follow. */
static enum store_code
move_batch(struct copy *c, size_t *at, size_t end, struct err *e)
{
	const size_t begin = *at;
	bool careful;
	int rc;

	do {
		if (lock_both(c, e) != 0)
			return STORE_FAILED;
		*at = begin;
		careful = c->careful;
		rc = move_locked(c, at, end, e);
		c->known = 0;
		index_unlock(c->from);
		index_unlock(c->to);
	} while (rc != 0 && c->careful != careful);
	if (rc == 0 && c->nbatch > 0)
		rc = sync_move(c, e);
	if (rc != 0)
		return STORE_FAILED;
	if (!folder_current(&c->to->folder, c->to->st)) {
		err_set(e, ERR_PERM, "%s: mailbox was deleted", c->to->name);
		return STORE_NONEXISTENT;
	}
	if (c->to->st != c->from->st)
		account_moved(c);
	batch_done(c);
	store_poke_folder(c->to->st, c->to->folder.name);
	store_poke_folder(c->from->st, c->from->folder.name);
	return STORE_OK;
}

static enum store_code
move_messages(struct copy *c, struct err *e)
{
	enum store_code code = c->to->st == c->from->st
	    ? STORE_OK
	    : store_quota_check(c->to->st, c->stored, e);
	size_t all = c->n;

	for (size_t at = 0; at < c->n && code == STORE_OK;) {
		if (at == all && !c->again) {
			c->again = true;
			if (scan_if_changed(c->from, SCAN_NOW, e) != 0)
				return STORE_FAILED;
		}
		code = move_batch(c, &at, c->again ? c->n : all, e);
		if (code == STORE_OK && at < c->n &&
		    store_progress(c->to->st, at, c->n, e) != 0)
			code = STORE_FAILED;
	}
	return code;
}

/* ---- both ---- */

static void
fill_result(const struct copy *c, struct arena *arena,
    struct mailbox_copy_result *r)
{
	const size_t size = c->done * sizeof(uint32_t);

	r->uidvalidity = c->to->ix.uidvalidity;
	r->n = c->done;
	r->source = arena_array(arena, c->done, sizeof(uint32_t));
	r->target = arena_array(arena, c->done, sizeof(uint32_t));
	if (size > 0) {
		memcpy(r->source, c->uids, size);
		memcpy(r->target, c->targets, size);
	}
}

static enum store_code
copy_or_move(struct copy *c, const struct uidset *uids, bool move,
    struct err *e)
{
	if (give_letters(c, uids, e) != 0)
		return STORE_FAILED;
	view_each(c->from, uids, collect_one, c);
	c->targets = arena_array(c->arena, c->n, sizeof(*c->targets));
	return move ? move_messages(c, e) : copy_messages(c, e);
}

enum store_code
mailbox_copy(struct mailbox *mb, const struct uidset *uids,
    const struct mailbox_target *target, bool move, struct arena *arena,
    struct mailbox_copy_result *result_r, struct err *e)
{
	struct copy c = { .from = mb,
		.target = target,
		.arena = arena_new(0),
		.batch = arena_new(0) };
	enum store_code code = STORE_FAILED;
	int rc;

	rand_block(&c.rand);
	c.env = *mb->st->env;
	if (c.env.rand == NULL)
		c.env.rand = &c.rand.rand;
	mb->reader = true;
	result_r->n = 0;
	if (move && target->store == mb->st &&
	    slice_eq(target->name, mailbox_name(mb))) {
		err_set(e, ERR_PERM, "move to the same mailbox");
		code = STORE_CANNOT;
		goto out;
	}
	if (index_refresh(mb, e) < 0)
		goto out;
	rc = mailbox_open(&c.to, target->store, target->name, e);
	if (rc != 1) {
		code = rc == 0 ? STORE_NONEXISTENT : STORE_FAILED;
		goto out;
	}
	code = copy_or_move(&c, uids, move, e);
	fill_result(&c, arena, result_r);
	store_close_later(target->store, &c.to);
out:
	arena_free(&c.batch);
	arena_free(&c.arena);
	return code;
}
