/*
 * foreign.c - what others did to files, as log lines: new messages, and flags
 * in names.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/map.h"
#include "db/newfile.h"
#include "db/sync.h"
#include "store/index.h"

/* Files whose lines are appended under one lock: some milliseconds. */
#define BATCH 500

static int
found_dir(const struct mailbox *mb, const struct found *f)
{
	return f->place == RECORD_NEW ? mb->folder.new : mb->folder.cur;
}

/* ---- unknown files ---- */

/* W= is believed if S= is right: Dovecot and we write both. Without it the file
 * would have to be read: that waits until somebody asks for it. */
static void
measure(const struct mailbox *mb, struct found *f)
{
	char file[LAYOUT_NAME];
	struct stat st;

	f->gone = true;
	if (!slice_cstr(f->file, file, sizeof(file)) ||
	    fstatat(found_dir(mb, f), file, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !S_ISREG(st.st_mode))
		return;
	f->mtime_ns =
	    (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	f->size = (uint64_t)st.st_size;
	f->gone = false;
	f->unmeasured = f->size > 0 &&
	    (f->name.size != f->size || f->name.wire == LAYOUT_UNKNOWN ||
		f->name.wire < f->size);
	f->wire = f->unmeasured || f->size == 0 ? 0 : f->name.wire;
}

/* Messages with a UID from elsewhere first, then as they came. */
static int
by_arrival(const void *a, const void *b)
{
	const struct found *x = *(struct found *const *)a;
	const struct found *y = *(struct found *const *)b;

	if (x->uid != y->uid)
		return x->uid == 0                   ? 1
		    : y->uid == 0 || x->uid < y->uid ? -1
						     : 1;
	if (x->mtime_ns != y->mtime_ns)
		return x->mtime_ns < y->mtime_ns ? -1 : 1;
	return slice_cmp(x->file, y->file);
}

/* Files that are looked at between two questions. */
#define ASK_EVERY 1024

int
foreign_measure(struct mailbox *mb, struct found **v, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		measure(mb, v[i]);
		if (i % ASK_EVERY == 0 && store_progress(mb->st, i, n, e) != 0)
			return -1;
	}
	qsort(v, n, sizeof(struct found *), by_arrival);
	return 0;
}

/* The name as a record keeps it: without our flags and letters. */
static struct slice
bare_name(const struct found *f, struct arena *arena)
{
	struct slice name;
	char text[LAYOUT_NAME];

	if (layout_plain(f->file, &f->name) ||
	    !layout_with_flags(f->file, 0, 0, text))
		return f->name.base;
	name = slice_str(text);
	if (slice_ends(name, SLICE(":2,")))
		return f->name.base;
	return arena_dup(arena, name);
}

void
foreign_line(const struct mailbox *mb, const struct found *f,
    struct arena *arena, struct line *l)
{
	struct store_msg *m = &l->record.msg;

	memset(l, 0, sizeof(*l));
	l->type = 'a';
	l->name = bare_name(f, arena);
	l->record.place = f->place;
	l->record.bits = f->unmeasured ? RECORD_UNMEASURED : 0;
	m->received = f->mtime_ns / 1000000000;
	m->saved = clock_s(mb->st->env->clock);
	m->size = f->size;
	m->wire_size = f->wire;
	layout_emailid(&f->name, m->emailid);
	if (f->place == RECORD_CUR) {
		l->record.disk = f->name.flags;
		l->record.letters = f->name.letters;
		keywords_meaning(&mb->ix.kw, f->name.flags, f->name.letters,
		    &m->flags, &m->keywords);
	}
	m->flags |= f->flags;
	m->keywords |= f->keywords;
}

/* The name in cur/, with flags in order. */
static bool
cur_name(const struct found *f, char name_r[LAYOUT_NAME])
{
	return layout_with_flags(f->file, f->name.flags, f->name.letters,
	    name_r);
}

bool
foreign_is_regular(const struct found *f)
{
	char regular[LAYOUT_NAME];

	if (f->place == RECORD_NEW)
		return slice_chr(f->file, ':') < 0;
	return layout_plain(f->file, &f->name) ||
	    (cur_name(f, regular) && slice_is(f->file, regular));
}

bool
foreign_regular(struct mailbox *mb, struct found *f, struct arena *arena)
{
	char file[LAYOUT_NAME], regular[LAYOUT_NAME];

	if (!slice_cstr(f->file, file, sizeof(file)))
		return false;
	if (foreign_is_regular(f))
		return faccessat(found_dir(mb, f), file, F_OK,
			   AT_SYMLINK_NOFOLLOW) == 0;
	if (!cur_name(f, regular) ||
	    db_move(found_dir(mb, f), file, mb->folder.cur, regular, NULL) != 1)
		return false;
	f->place = RECORD_CUR;
	f->file = arena_dup(arena, slice_str(regular));
	layout_parse(f->file, &f->name);
	return true;
}

/* ---- two files with one base name ---- */

/* A name of its own, so that the next scan takes it for a new message. */
static void
rename_second(struct mailbox *mb, const struct found *f, const char *file)
{
	char emailid[STORE_EMAILID], base[LAYOUT_NAME], to[LAYOUT_NAME];
	int dirfd = found_dir(mb, f);
	uint64_t size, wire;
	bool mixed;
	int fd = openat(dirfd, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return;
	if (message_measure(fd, &size, &wire, &mixed, NULL) == 0) {
		layout_emailid(&f->name, emailid);
		layout_base(mb->st->env, emailid, size, wire, base);
		if (layout_with_flags(slice_str(base), f->name.flags,
			f->name.letters, to))
			db_move(dirfd, file, mb->folder.cur, to, NULL);
	}
	close(fd);
}

/*
 * f has the base name of the file kept. A power cut may leave both names of a
 * rename from new/ to cur/: then one goes. Other files were copied there by
 * somebody.
 */
static void
second_file(struct mailbox *mb, int kept_dir, const char *kept,
    const struct found *f)
{
	char file[LAYOUT_NAME];
	struct stat x, y;

	if (!slice_cstr(f->file, file, sizeof(file)) ||
	    (kept_dir == found_dir(mb, f) && strcmp(kept, file) == 0) ||
	    fstatat(kept_dir, kept, &x, AT_SYMLINK_NOFOLLOW) != 0 ||
	    fstatat(found_dir(mb, f), file, &y, AT_SYMLINK_NOFOLLOW) != 0)
		return;
	if (x.st_dev != y.st_dev || x.st_ino != y.st_ino)
		rename_second(mb, f, file);
	else if (x.st_nlink > 1)
		unlinkat(found_dir(mb, f), file, 0);
}

/* ---- adding ---- */

/* Base names that have come in since, by another process at the same; names
 * itself is their value. */
static void
enter_since(const struct index *ix, uint32_t uidnext, struct map *names)
{
	for (uint32_t pos = index_from(ix, uidnext); pos < index_end(ix);
	     pos++) {
		struct slice base, rest;

		slice_cut(index_name(ix, index_at(ix, pos)), ':', &base, &rest);
		map_set(names, base, names);
	}
}

static int
add_batch(struct mailbox *mb, struct found **v, size_t n, uint32_t uidnext,
    struct map *names, struct err *e)
{
	struct arena *arena = arena_new(0);
	struct lines ls = LINES_INIT;
	uint64_t modseq = mb->ix.modseq + 1;
	uint32_t uid = mb->ix.uidnext;
	int rc = keywords_read(mb, e);

	enter_since(&mb->ix, uidnext, names);
	for (size_t i = 0; i < n && rc == 0; i++) {
		void *known = map_get(names, v[i]->name.base);
		const struct found *first = known == names ? NULL : known;
		struct line l;

		if (first != NULL)
			second_file(mb, found_dir(mb, first),
			    arena_cstr(arena, first->file), v[i]);
		if (known != NULL || v[i]->gone ||
		    !foreign_regular(mb, v[i], arena))
			continue;
		map_set(names, v[i]->name.base, v[i]);
		foreign_line(mb, v[i], arena, &l);
		l.record.msg.uid = uid++;
		l.record.msg.modseq = l.modseq = modseq;
		lines_add(&ls, &l);
	}
	if (rc == 0 && ls.n > 0)
		lines_add(&ls, &(struct line){ .type = 'm', .placed = true });
	if (rc == 0 && ls.n > 0)
		rc = index_append(mb, &ls, e);
	lines_free(&ls);
	arena_free(&arena);
	return rc;
}

int
foreign_add(struct mailbox *mb, struct found **v, size_t n,
    uint32_t known_uidnext, struct err *e)
{
	struct map *names = map_new();
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i += BATCH) {
		rc = index_lock(mb, e);
		if (rc != 0)
			break;
		rc = add_batch(mb, v + i, n - i < BATCH ? n - i : BATCH,
		    known_uidnext, names, e);
		index_unlock(mb);
	}
	map_free(&names);
	return rc;
}

/* ---- flags in names ---- */

struct flag_change {
	uint16_t on, off;
	uint64_t keywords_on, keywords_off;
};

/*
 * What has changed between the name we gave and the name found. If a name was
 * being given, the other program may have been before us or behind us: only
 * what differs from both names was its doing.
 */
static struct flag_change
difference(const struct mailbox *mb, const struct record *r,
    const struct found *f)
{
	const struct renaming *name = index_renaming(&mb->ix, r->msg.uid);
	uint16_t disk = r->place == RECORD_NEW ? 0 : r->disk, other = disk;
	uint32_t letters = r->place == RECORD_NEW ? 0 : r->letters,
		 other_letters = letters;
	struct flag_change c;

	if (name != NULL) {
		other = name->disk;
		other_letters = name->letters;
	}
	keywords_meaning(&mb->ix.kw, (uint16_t)(f->name.flags & ~disk & ~other),
	    f->name.letters & ~letters & ~other_letters, &c.on, &c.keywords_on);
	keywords_meaning(&mb->ix.kw, (uint16_t)(disk & other & ~f->name.flags),
	    letters & other_letters & ~f->name.letters, &c.off,
	    &c.keywords_off);
	return c;
}

static void
flag_line(struct lines *ls, uint64_t modseq, enum mailbox_flagop op,
    uint16_t flags, uint64_t keywords, const struct uidset *uids)
{
	struct line l = { .type = 'f',
		.modseq = modseq,
		.op = op,
		.flags = flags,
		.keywords = keywords,
		.uids = *uids };

	if (flags != 0 || keywords != 0)
		lines_add(ls, &l);
}

/* Lines for one file. */
static void
change_lines(struct mailbox *mb, const struct found *f, const struct record *r,
    uint64_t modseq, struct arena *arena, struct lines *ls)
{
	struct uidset uids = UIDSET_INIT(arena);
	struct line name = {
		.type = 'r', .record = *r, .name = bare_name(f, arena)
	};
	struct line disk = { .type = 'd', .record = { .place = f->place } };
	struct flag_change c;

	uidset_add(&uids, r->msg.uid, r->msg.uid);
	if (!slice_eq(name.name, index_name(&mb->ix, r)))
		lines_add(ls, &name);
	if (f->place == RECORD_CUR) {
		c = difference(mb, r, f);
		flag_line(ls, modseq, MAILBOX_ADD, c.on, c.keywords_on, &uids);
		flag_line(ls, modseq, MAILBOX_REMOVE, c.off, c.keywords_off,
		    &uids);
		disk.record.disk = f->name.flags;
		disk.record.letters = f->name.letters;
	}
	disk.uids = uids;
	lines_add(ls, &disk);
}

/* Is this a name that we gave and that is not recorded yet? tidy.c does it. */
static bool
being_renamed(const struct mailbox *mb, const struct record *r,
    const struct found *f)
{
	char file[LAYOUT_NAME];

	return f->place == RECORD_CUR &&
	    record_file_renamed(&mb->ix, r, file) && slice_is(f->file, file);
}

static bool
recorded(const struct mailbox *mb, const struct record *r,
    const struct found *f)
{
	char file[LAYOUT_NAME];

	return r->place == f->place && record_file(&mb->ix, r, file) &&
	    slice_is(f->file, file);
}

/* Does the file with the recorded name exist besides this one? */
static bool
is_second(struct mailbox *mb, const struct record *r, const struct found *f)
{
	char file[LAYOUT_NAME];

	if (!record_file(&mb->ix, r, file) ||
	    (record_dir(mb, r) == found_dir(mb, f) && slice_is(f->file, file)))
		return false;
	if (faccessat(record_dir(mb, r), file, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	second_file(mb, record_dir(mb, r), file, f);
	return true;
}

static int
change_batch(struct mailbox *mb, struct found **v, size_t n, struct err *e)
{
	struct arena *arena = arena_new(0);
	struct lines ls = LINES_INIT;
	uint64_t modseq = mb->ix.modseq + 1;
	int rc = keywords_read(mb, e);

	for (size_t i = 0; i < n && rc == 0; i++) {
		const struct record *r = index_get(&mb->ix, v[i]->uid);

		/* The state may be younger than the reading; a file that
		 * still has the name found says what is so now. */
		if (r == NULL || recorded(mb, r, v[i]) ||
		    being_renamed(mb, r, v[i]) || is_second(mb, r, v[i]) ||
		    !foreign_regular(mb, v[i], arena))
			continue;
		change_lines(mb, v[i], r, modseq, arena, &ls);
	}
	if (rc == 0 && ls.n > 0)
		rc = index_append(mb, &ls, e);
	lines_free(&ls);
	arena_free(&arena);
	return rc;
}

int
foreign_change(struct mailbox *mb, struct found **v, size_t n, struct err *e)
{
	int rc;

	/* If a power cut took their renames and left our lines, the old
	 * names would look like another change, back. */
	rc = db_fsync_dir(mb->folder.cur, "cur", e);
	for (size_t i = 0; i < n && rc == 0; i += BATCH) {
		rc = index_lock(mb, e);
		if (rc != 0)
			break;
		rc = change_batch(mb, v + i, n - i < BATCH ? n - i : BATCH, e);
		index_unlock(mb);
	}
	return rc;
}
