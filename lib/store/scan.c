/*
 * scan.c - notice what foreign programs did in new/ and cur/.
 *
 * The index records the mtimes of both folders as of the last time all was
 * known. Own changes move them along (scan_before, scan_after), so that any
 * other difference is somebody else's change, and the folder is read. The
 * reading is not under the lock; what it found is compared with a state
 * refreshed after it. Since our programs append the line first and rename a
 * file after that, an unknown file is a foreign one.
 *
 * A clock tick may hide a second change behind a first, so a young mtime is
 * recorded as suspect, and the folder is read once more when it has stood
 * still for SUSPECT_NS.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/map.h"
#include "db/newfile.h"
#include "store/index.h"

/* Coarser than the timestamps of any file system we may live on. */
#define SUSPECT_NS (2 * 1000000000ll)
/* Reading folders may take this part of the time: when something is known
 * to have changed, and to make sure. */
#define SHARE_CHANGED 10
#define SHARE_SUSPECT 100
/* Who asks less often than that has nothing done for it in between. */
#define SELDOM_MS 1500
/* With more messages than this, reading cur/ (20 ms and more) waits until
 * the mailbox is open. */
#define OPEN_MAX 20000

/* ---- mtimes ---- */

static int64_t
wall_ns(void)
{
	struct timespec now;

	/* Of the file system, so never a test's clock. */
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static struct mtime
folder_mtime(int fd)
{
	struct mtime m = { 1, false }; /* no folder: never as recorded */
	struct stat st;

	if (fstat(fd, &st) == 0)
		m.ns = (int64_t)st.st_mtim.tv_sec * 1000000000 +
		    st.st_mtim.tv_nsec;
	m.suspect = wall_ns() - m.ns < SUSPECT_NS;
	return m;
}

void
scan_before(const struct mailbox *mb, struct own_change *c)
{
	c->new = folder_mtime(mb->folder.new);
	c->cur = folder_mtime(mb->folder.cur);
}

/* What to record for a folder; ns 0: leave it. */
static struct mtime
moved_along(int fd, struct mtime before, struct mtime recorded)
{
	struct mtime now = folder_mtime(fd);

	if (before.ns != recorded.ns || now.ns == recorded.ns)
		now.ns = 0;
	return now;
}

static int
append_line(struct mailbox *mb, const struct line *l, struct err *e)
{
	struct lines ls = LINES_INIT;
	int rc;

	lines_add(&ls, l);
	rc = index_append(mb, &ls, e);
	lines_free(&ls);
	return rc;
}

static bool
same_mtime(struct mtime a, struct mtime b)
{
	return a.ns == b.ns && a.suspect == b.suspect;
}

/* Does a line `m` say what is not known? */
static bool
mtimes_news(const struct index *ix, const struct line *l)
{
	return (l->new.ns != 0 && !same_mtime(l->new, ix->new)) ||
	    (l->cur.ns != 0 && !same_mtime(l->cur, ix->cur)) ||
	    (l->placed && (ix->unplaced != 0 || ix->leaving.n > 0));
}

int
scan_after(struct mailbox *mb, const struct own_change *c, bool placed,
    struct err *e)
{
	struct line l = { .type = 'm', .placed = placed };

	l.new = moved_along(mb->folder.new, c->new, mb->ix.new);
	l.cur = moved_along(mb->folder.cur, c->cur, mb->ix.cur);
	return mtimes_news(&mb->ix, &l) ? append_line(mb, &l, e) : 0;
}

/* ---- reading a folder ---- */

static void
add_found(struct listing *l, const char *file, uint8_t place)
{
	struct slice s = slice_str(file);
	struct layout_name name;
	struct found *f;

	if (!layout_parse(s, &name))
		return;
	if (l->n == l->size) {
		size_t size = l->size == 0 ? 64 : 2 * l->size;

		l->v = xreallocarray(l->v, size, sizeof(*l->v));
		l->size = size;
	}
	f = &l->v[l->n++];
	*f = (struct found){ .file = arena_dup(l->arena, s), .place = place };
	layout_parse(f->file, &f->name);
}

int
scan_list(struct mailbox *mb, struct listing *l, uint8_t place, struct err *e)
{
	int dirfd = place == RECORD_NEW ? mb->folder.new : mb->folder.cur;
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (dir == NULL) {
		if (fd >= 0)
			close(fd);
		return err_sys(e, "read folder of %s", mb->name);
	}
	errno = 0;
	while ((entry = readdir(dir)) != NULL)
		add_found(l, entry->d_name, place);
	if (errno != 0) {
		err_sys(e, "read folder of %s", mb->name);
		closedir(dir);
		return -1;
	}
	closedir(dir);
	return 0;
}

/* new/ before cur/: a message moved meanwhile is then seen at least once. */
static int
read_folders(struct mailbox *mb, struct listing *l, struct err *e)
{
	l->n = 0;
	l->uidnext = mb->ix.uidnext;
	l->new_at = folder_mtime(mb->folder.new);
	l->cur_at = folder_mtime(mb->folder.cur);
	if (l->new &&scan_list(mb, l, RECORD_NEW, e) != 0)
		return -1;
	return l->cur ? scan_list(mb, l, RECORD_CUR, e) : 0;
}

static void
listing_free(struct listing *l)
{
	free(l->v);
	arena_free(&l->arena);
}

/* ---- base name -> message ---- */

struct names {
	const struct index *ix;
	uint32_t *slots; /* position + 1 */
	size_t mask;
};

static struct slice
base_of(struct slice name)
{
	struct slice base, rest;

	slice_cut(name, ':', &base, &rest);
	return base;
}

static void
names_add(struct names *n, uint32_t pos)
{
	struct slice base = base_of(index_name(n->ix, index_at(n->ix, pos)));
	size_t at = slice_hash(base) & n->mask;

	while (n->slots[at] != 0)
		at = (at + 1) & n->mask;
	n->slots[at] = pos + 1;
}

/* Of all messages, or those of a set. */
static void
names_init(struct names *n, const struct index *ix, const struct uidset *of)
{
	size_t count = of != NULL ? (size_t)uidset_count(of) : index_end(ix);
	struct uidwalk w;
	uint32_t uid;

	*n = (struct names){ .ix = ix, .mask = 16 };
	while (n->mask < 2 * count)
		n->mask *= 2;
	n->slots = xcalloc(n->mask--, sizeof(*n->slots));
	if (of == NULL) {
		for (uint32_t pos = 0; pos < index_end(ix); pos++)
			if (record_live(index_at(ix, pos)))
				names_add(n, pos);
		return;
	}
	w = uidset_walk(of);
	while (uidset_step(&w, &uid))
		if (index_get(ix, uid) != NULL)
			names_add(n, index_from(ix, uid));
}

/* The UID; 0 if there is none. *sound_r turns false if the records are not
 * in order, so that nothing can be found by UID. */
static uint32_t
names_uid(const struct names *n, struct slice base, bool *sound_r)
{
	size_t at = slice_hash(base) & n->mask;

	for (; n->slots[at] != 0; at = (at + 1) & n->mask) {
		const struct record *r = index_at(n->ix, n->slots[at] - 1);

		if (!slice_eq(base_of(index_name(n->ix, r)), base))
			continue;
		*sound_r &= index_from(n->ix, r->msg.uid) == n->slots[at] - 1;
		return r->msg.uid;
	}
	return 0;
}

/* Give each found file the message it is. */
static int
identify(struct mailbox *mb, struct listing *l, struct err *e)
{
	struct err why = ERR_INIT;
	struct names n;
	size_t unknown = l->n;
	bool sound = true;

	/* The messages of new/ are few; if that is all there is to look at,
	 * spare the others. */
	for (int all = l->cur; all < 2 && unknown > 0; all++) {
		names_init(&n, &mb->ix, all ? NULL : &mb->ix.in_new);
		for (size_t i = 0; i < l->n; i++) {
			struct found *f = &l->v[i];

			if (f->uid != 0)
				continue;
			f->uid = names_uid(&n, f->name.base, &sound);
			unknown -= f->uid != 0;
		}
		free(n.slots);
	}
	if (sound)
		return 0;
	err_set(&why, ERR_SYNTAX, "records are not in order");
	index_discard(mb, &why, e);
	return err_set(e, ERR_SYNTAX, "%s: index is damaged", mb->name);
}

/* ---- comparing ---- */

struct scan {
	struct mailbox *mb;
	bool new, cur;                 /* folders to look at */
	struct mtime new_was, cur_was; /* as recorded when it began */
	struct mtime new_at, cur_at;   /* as they were then */
	struct listing l;
	struct found **unknown, **differ;
	size_t nunknown, ndiffer;
	struct uidset missing;
};

/* Messages that should be in what was read, and were not found. */
static void
find_missing(struct scan *s, const unsigned char *seen)
{
	const struct index *ix = &s->mb->ix;

	for (uint32_t pos = 0; pos < index_end(ix); pos++) {
		const struct record *r = index_at(ix, pos);

		if (r->msg.uid >= s->l.uidnext)
			break;
		if (record_live(r) && !seen[pos] &&
		    (r->place == RECORD_NEW ? s->l.new : s->l.cur))
			uidset_add(&s->missing, r->msg.uid, r->msg.uid);
	}
}

/* Does the file have exactly the name that the index says? */
static bool
as_recorded(const struct mailbox *mb, const struct found *f)
{
	const struct record *r = index_get(&mb->ix, f->uid);
	char file[LAYOUT_NAME];

	return r != NULL && r->place == f->place &&
	    record_file(&mb->ix, r, file) && slice_is(f->file, file);
}

/* A file of an expunged message that is still to be removed. */
static bool
to_be_unlinked(const struct index *ix, struct slice base)
{
	for (uint32_t i = 0; i < ix->nunlinks; i++)
		if (slice_eq(base_of(index_name(ix, &ix->unlinks[i])), base))
			return true;
	return false;
}

/* The part of a name that programs which add ",KEY=value" do not touch. */
static struct slice
stem(struct slice base)
{
	struct slice head, rest;

	slice_cut(base, ',', &head, &rest);
	return head;
}

/*
 * A program may have renamed a file more than Maildir allows, like mbsync's
 * ",U=": an unknown file with the stem of exactly one missing message.
 */
static void
match_stems(struct scan *s)
{
	struct map *stems;
	struct uidwalk w = uidset_walk(&s->missing);
	uint32_t uid;

	if (s->missing.n == 0 || s->nunknown == 0)
		return;
	stems = map_new();
	while (uidset_step(&w, &uid)) {
		const struct record *r = index_get(&s->mb->ix, uid);
		struct slice key;

		if (r == NULL)
			continue;
		key = stem(base_of(index_name(&s->mb->ix, r)));
		map_set(stems, key,
		    (void *)(uintptr_t)(map_has(stems, key) ? 0 : uid));
	}
	for (size_t i = 0; i < s->nunknown; i++) {
		struct found *f = s->unknown[i];

		uid = (uint32_t)(uintptr_t)map_set(stems, stem(f->name.base),
		    NULL);
		if (uid == 0)
			continue;
		f->uid = uid;
		uidset_remove(&s->missing, uid, uid);
		s->differ[s->ndiffer++] = f;
		s->unknown[i--] = s->unknown[--s->nunknown];
	}
	map_free(&stems);
}

/* Sort what was read into unknown, different and missing. */
static int
compare(struct scan *s, struct err *e)
{
	struct mailbox *mb = s->mb;
	unsigned char *seen;

	if (identify(mb, &s->l, e) != 0)
		return -1;
	s->unknown = arena_array(s->l.arena, s->l.n, sizeof(*s->unknown));
	s->differ = arena_array(s->l.arena, s->l.n, sizeof(*s->differ));
	seen = arena_array(s->l.arena, index_end(&mb->ix), 1);
	for (size_t i = 0; i < s->l.n; i++) {
		struct found *f = &s->l.v[i];

		if (f->uid != 0)
			seen[index_from(&mb->ix, f->uid)] = 1;
		else if (!to_be_unlinked(&mb->ix, f->name.base))
			s->unknown[s->nunknown++] = f;
		if (f->uid != 0 && !as_recorded(mb, f))
			s->differ[s->ndiffer++] = f;
	}
	find_missing(s, seen);
	match_stems(s);
	return 0;
}

/* ---- what is gone ---- */

/* Leave those out that are there under the name of a fresher state. */
static void
look_again(struct scan *s)
{
	struct mailbox *mb = s->mb;
	struct uidset still = UIDSET_INIT(s->l.arena);
	struct uidwalk w = uidset_walk(&s->missing);
	char file[LAYOUT_NAME];
	uint32_t uid;

	while (uidset_step(&w, &uid)) {
		const struct record *r = index_get(&mb->ix, uid);

		if (r == NULL)
			continue;
		if (record_file(&mb->ix, r, file) &&
		    faccessat(record_dir(mb, r), file, F_OK,
			AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		if (record_file_renamed(&mb->ix, r, file) &&
		    faccessat(mb->folder.cur, file, F_OK,
			AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		uidset_add(&still, uid, uid);
	}
	s->missing = still;
}

/* Both folders read once more, in a time when nothing moved in them: what is
 * not there either is gone. */
static int
confirm(struct scan *s, struct uidset *gone_r, struct err *e)
{
	struct listing *l = &s->l;
	struct mtime new, cur;

	l->new = l->cur = true;
	if (read_folders(s->mb, l, e) != 0)
		return -1;
	new = folder_mtime(s->mb->folder.new);
	cur = folder_mtime(s->mb->folder.cur);
	if (l->new_at.suspect || l->cur_at.suspect || new.ns != l->new_at.ns ||
	    cur.ns != l->cur_at.ns)
		return 0;
	if (identify(s->mb, l, e) != 0)
		return -1;
	*gone_r = s->missing;
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].uid != 0)
			uidset_remove(gone_r, l->v[i].uid, l->v[i].uid);
	return 0;
}

static int
expunge_gone(struct scan *s, const struct uidset *gone, struct err *e)
{
	struct mailbox *mb = s->mb;
	struct line l = { .type = 'y', .uids = *gone };
	int rc;

	if (index_lock(mb, e) != 0)
		return -1;
	l.modseq = mb->ix.modseq + 1;
	/* Nothing may have moved in between. */
	rc = folder_mtime(mb->folder.new).ns != s->l.new_at.ns ||
		folder_mtime(mb->folder.cur).ns != s->l.cur_at.ns
	    ? 0
	    : append_line(mb, &l, e);
	index_unlock(mb);
	return rc;
}

/* *settled_r: nothing is missing that may yet turn up. */
static int
take_missing(struct scan *s, bool *settled_r, struct err *e)
{
	struct uidset gone = UIDSET_INIT(s->l.arena);

	look_again(s);
	*settled_r = s->missing.n == 0;
	if (*settled_r || s->l.new_at.suspect || s->l.cur_at.suspect)
		return 0;
	if (confirm(s, &gone, e) != 0)
		return -1;
	if (gone.n == 0)
		return 0;
	*settled_r = true;
	return expunge_gone(s, &gone, e);
}

/* ---- one scan ---- */

/* Record the mtimes as of before the reading, unless another process has
 * recorded others since. */
static int
record_mtimes(struct mailbox *mb, const struct scan *s, bool settled,
    struct err *e)
{
	struct line l = { .type = 'm' };
	int rc = 0;

	if (s->new)
		l.new = s->new_at;
	if (s->cur)
		l.cur = s->cur_at;
	l.new.suspect |= !settled;
	l.cur.suspect |= !settled;
	if (!mtimes_news(&mb->ix, &l))
		return 0;
	if (index_lock(mb, e) != 0)
		return -1;
	if (mb->ix.new.ns != s->new_was.ns)
		l.new.ns = 0;
	if (mb->ix.cur.ns != s->cur_was.ns)
		l.cur.ns = 0;
	if (mtimes_news(&mb->ix, &l))
		rc = append_line(mb, &l, e);
	index_unlock(mb);
	return rc;
}

static int
take_in(struct scan *s, bool *settled_r, struct err *e)
{
	struct mailbox *mb = s->mb;
	uint32_t uidnext = mb->ix.uidnext;

	if (s->ndiffer > 0 && foreign_change(mb, s->differ, s->ndiffer, e) != 0)
		return -1;
	if (s->nunknown > 0 &&
	    (foreign_measure(mb, s->unknown, s->nunknown, e) != 0 ||
		foreign_add(mb, s->unknown, s->nunknown, uidnext, e) != 0))
		return -1;
	return s->missing.n > 0 ? take_missing(s, settled_r, e) : 0;
}

static int
scan(struct mailbox *mb, bool new, bool cur, struct err *e)
{
	struct scan s = { .mb = mb,
		.new = new,
		.cur = cur,
		.new_was = mb->ix.new,
		.cur_was = mb->ix.cur,
		.l = { .arena = arena_new(0), .new = new, .cur = cur } };
	bool settled = true;
	int rc = -1;

	s.missing = (struct uidset)UIDSET_INIT(s.l.arena);
	if (read_folders(mb, &s.l, e) == 0 && index_refresh(mb, e) >= 0) {
		s.new_at = s.l.new_at;
		s.cur_at = s.l.cur_at;
		rc = compare(&s, e);
		if (rc == 0)
			rc = take_in(&s, &settled, e);
	}
	if (rc == 0)
		rc = record_mtimes(mb, &s, settled, e);
	listing_free(&s.l);
	return rc;
}

/* ---- after a crash ---- */

static int
place_files(struct mailbox *mb, struct err *e)
{
	uint32_t pos = index_from(&mb->ix, mb->ix.unplaced);
	char name[LAYOUT_NAME], file[LAYOUT_NAME];

	for (; pos < index_end(&mb->ix); pos++) {
		const struct record *r = index_at(&mb->ix, pos);

		if (record_live(r) && record_file(&mb->ix, r, file) &&
		    slice_cstr(index_name(&mb->ix, r), name, sizeof(name)) &&
		    db_move(mb->folder.tmp, name, record_dir(mb, r), file, e) <
			0)
			return -1;
	}
	return 0;
}

/* Of the set, those that are there; by position, as a line may name any UIDs. */
static void
add_live(struct uidset *live_r, const struct index *ix, const struct uidset *of)
{
	for (size_t i = 0; i < of->n; i++) {
		uint32_t pos = index_from(ix, of->v[i].first);

		for (; pos < index_end(ix); pos++) {
			const struct record *r = index_at(ix, pos);

			if (r->msg.uid > of->v[i].last)
				break;
			if (record_live(r))
				uidset_add(live_r, r->msg.uid, r->msg.uid);
		}
	}
}

/* Of the set, those at or above first; the others stay. */
static struct uidset
split_set(struct uidset *s, uint32_t first, struct arena *arena)
{
	struct uidset above = UIDSET_INIT(arena);

	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].last >= first)
			uidset_add(&above,
			    s->v[i].first > first ? s->v[i].first : first,
			    s->v[i].last);
	uidset_remove(s, first, UINT32_MAX);
	return above;
}

/* Some were not copied any more: then none are. The files go later. */
static int
expunge_copies(struct mailbox *mb, struct arena *arena, struct err *e)
{
	struct uidset copies = UIDSET_INIT(arena);
	struct line l = { .type = 'x', .modseq = mb->ix.modseq + 1 };

	add_live(&copies, &mb->ix, &mb->ix.leaving);
	l.uids = split_set(&copies, mb->ix.unplaced, arena);
	return append_line(mb, &l, e);
}

/* Of those that were to leave or to come, what is in neither folder is not
 * here: under the lock nobody but foreign programs renames, and these keep the
 * base name. */
static int
finish_moving(struct mailbox *mb, struct err *e)
{
	struct scan s = { .mb = mb, .l = { .arena = arena_new(0) } };
	struct line l = { .type = 'y', .modseq = mb->ix.modseq + 1 };
	int rc = 0;

	s.missing = (struct uidset)UIDSET_INIT(s.l.arena);
	add_live(&s.missing, &mb->ix, &mb->ix.leaving);
	look_again(&s);
	if (s.missing.n > 0) {
		s.l.new = s.l.cur = true;
		rc = read_folders(mb, &s.l, e);
		if (rc == 0)
			rc = identify(mb, &s.l, e);
		for (size_t i = 0; i < s.l.n; i++)
			if (s.l.v[i].uid != 0)
				uidset_remove(&s.missing, s.l.v[i].uid,
				    s.l.v[i].uid);
	}
	if (rc == 0 && mb->ix.unplaced != 0 &&
	    split_set(&s.missing, mb->ix.unplaced, s.l.arena).n > 0)
		rc = expunge_copies(mb, s.l.arena, e);
	l.uids = s.missing;
	if (rc == 0 && s.missing.n > 0)
		rc = append_line(mb, &l, e);
	listing_free(&s.l);
	return rc;
}

int
scan_recover(struct mailbox *mb, struct err *e)
{
	struct own_change own;

	scan_before(mb, &own);
	if ((mb->ix.unplaced != 0 && place_files(mb, e) != 0) ||
	    (mb->ix.leaving.n > 0 && finish_moving(mb, e) != 0))
		return -1;
	scan_after(mb, &own, true, NULL);
	return 0;
}

/* ---- when to scan ---- */

/* Recorded as suspect, and old enough to find out. */
static bool
due(struct mtime recorded)
{
	return recorded.suspect && wall_ns() - recorded.ns > SUSPECT_NS;
}

/* Suspect mtimes are looked into when nobody waits; of one who seldom asks in
 * between, at once, or else it would be told the next time. */
static bool
make_sure(const struct mailbox *mb, enum scan_why why, int64_t now)
{
	return why == SCAN_TIDY ||
	    (why == SCAN_REFRESH && now - mb->looked_at > SELDOM_MS);
}

int
scan_if_changed(struct mailbox *mb, enum scan_why why, struct err *e)
{
	int64_t start = clock_mono_ms(NULL), cost;
	struct err failure = ERR_INIT;
	bool new = folder_mtime(mb->folder.new).ns != mb->ix.new.ns;
	bool cur = folder_mtime(mb->folder.cur).ns != mb->ix.cur.ns;
	int rc;

	if (mb->readonly)
		return 0;
	if (why == SCAN_OPEN && mb->ix.counts.messages > OPEN_MAX)
		cur = false;
	if (why == SCAN_TIDY || (why == SCAN_REFRESH && start < mb->scan_at))
		new = cur = false;
	if (start >= mb->suspect_at && make_sure(mb, why, start)) {
		new |= due(mb->ix.new);
		cur |= due(mb->ix.cur);
	}
	if (why == SCAN_REFRESH || why == SCAN_OPEN)
		mb->looked_at = start;
	if (why == SCAN_NOW)
		new = cur = true;
	if (!new && !cur)
		return 0;
	rc = scan(mb, new, cur, &failure);
	cost = clock_mono_ms(NULL) - start;
	mb->scan_at = start + cost * SHARE_CHANGED;
	mb->suspect_at = start + cost * SHARE_SUSPECT;
	/* With a full disk mail can still be read: what others did is taken in
	 * once there is room for lines about it. */
	if (rc == 0 || (why != SCAN_NOW && failure.kind == ERR_TEMP))
		return 0;
	return err_set(e, failure.kind, "%s", failure.text);
}
