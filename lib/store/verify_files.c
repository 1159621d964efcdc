/*
 * verify_files.c - the index of a mailbox against the files in new/ and cur/.
 *
 * Other programs may add, rename and remove files; the index learns it from
 * the mtimes of the folders. So what differs is an error only while both
 * mtimes are as recorded: else it is a change not yet taken in.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db/newfile.h"
#include "store/verify_int.h"

/* Findings of one kind that are told one by one. */
#define TOLD 100
/* A scan believes that a file is gone when mtimes are older than 2 s. */
#define SETTLE_MS 2100
#define SCANS 3
#define COMPARED 16384 /* bytes of two files at a time */

struct files {
	struct verify *v;
	struct mailbox *mb;
	struct listing l;
	struct map *bases; /* base name -> struct found */
	bool quiet;        /* the index knows of all changes */
	bool tell;         /* report */
	uint64_t missing, unknown, sizes, doubles;
};

/* ---- reading ---- */

static int
read_folders(struct files *f, struct err *e)
{
	struct own_change at;

	scan_before(f->mb, &at);
	if (scan_list(f->mb, &f->l, RECORD_NEW, e) != 0 ||
	    scan_list(f->mb, &f->l, RECORD_CUR, e) != 0 ||
	    index_refresh(f->mb, e) < 0)
		return -1;
	f->quiet =
	    at.new.ns == f->mb->ix.new.ns &&at.cur.ns == f->mb->ix.cur.ns;
	return 0;
}

static int
dir_of(const struct mailbox *mb, const struct found *found)
{
	return found->place == RECORD_NEW ? mb->folder.new : mb->folder.cur;
}

/* ---- mending ---- */

/* A name of its own, so that the next scan takes it for a new message. */
static bool
rename_fresh(struct files *f, const struct found *found)
{
	char old[LAYOUT_NAME], base[LAYOUT_NAME], name[LAYOUT_NAME];
	const struct layout_name *n = &found->name;
	int dirfd = dir_of(f->mb, found);

	layout_tmp(f->v->env, base);
	if (found->place == RECORD_NEW)
		memcpy(name, base, sizeof(name));
	else if (!layout_with_flags(slice_str(base), n->flags, n->letters,
		     name))
		return false;
	return slice_cstr(found->file, old, sizeof(old)) &&
	    db_rename(dirfd, old, dirfd, name, NULL) == 1;
}

static bool
same_bytes(int a, int b)
{
	char x[COMPARED], y[COMPARED];
	ssize_t n, m;

	do {
		n = read(a, x, sizeof(x));
		m = read(b, y, sizeof(y));
	} while (n > 0 && n == m && memcmp(x, y, (size_t)n) == 0);
	return n == 0 && m == 0;
}

/* Two links to one file; or, in a copy, what was copied before and after it
 * got another name. */
static bool
is_same(const struct files *f, int dir_a, const char *a, int dir_b,
    const char *b)
{
	int x = openat(dir_a, a, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int y = openat(dir_b, b, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat s, t;
	bool same = x >= 0 && y >= 0 && fstat(x, &s) == 0 &&
	    fstat(y, &t) == 0 &&
	    ((s.st_ino == t.st_ino && s.st_dev == t.st_dev) ||
		(f->v->restored && same_bytes(x, y)));

	if (x >= 0)
		close(x);
	if (y >= 0)
		close(y);
	return same;
}

/* One is enough if they are the same: that in cur/, which it came to later. */
static bool
mend_double(struct files *f, const struct found *a, const struct found *b)
{
	char name_a[LAYOUT_NAME], name_b[LAYOUT_NAME];
	int dir_a = dir_of(f->mb, a), dir_b = dir_of(f->mb, b);

	if (!slice_cstr(a->file, name_a, sizeof(name_a)) ||
	    !slice_cstr(b->file, name_b, sizeof(name_b)) ||
	    !is_same(f, dir_a, name_a, dir_b, name_b))
		return rename_fresh(f, b);
	return a->place == RECORD_NEW && b->place == RECORD_CUR
	    ? unlinkat(dir_a, name_a, 0) == 0
	    : unlinkat(dir_b, name_b, 0) == 0;
}

/* ---- comparing ---- */

#define tell(f, n, level, what, ...) \
	do { \
		if ((f)->tell && (n) <= TOLD) \
			verify_report((f)->v, level, what, (f)->v->fix, \
			    __VA_ARGS__); \
	} while (0)

static void
find_doubles(struct files *f)
{
	for (size_t i = 0; i < f->l.n; i++) {
		struct found *found = &f->l.v[i], *other;

		other = map_set(f->bases, found->name.base, found);
		if (!other)
			continue;
		f->doubles++;
		tell(f, f->doubles, VERIFY_ERROR, "double",
		    "two files of one message: %.*s",
		    SLICE_FMT(found->name.base));
		if (f->v->fix)
			mend_double(f, other, found);
	}
}

static void
check_size(struct files *f, const struct record *r, const struct found *found)
{
	char name[LAYOUT_NAME];
	struct stat s;

	if (!slice_cstr(found->file, name, sizeof(name)) ||
	    fstatat(dir_of(f->mb, found), name, &s, AT_SYMLINK_NOFOLLOW) != 0 ||
	    (uint64_t)s.st_size == r->msg.size)
		return;
	f->sizes++;
	tell(f, f->sizes, VERIFY_ERROR, "size",
	    "UID %u: file has %llu bytes, not %llu: %s", (unsigned)r->msg.uid,
	    (unsigned long long)s.st_size, (unsigned long long)r->msg.size,
	    name);
	if (f->v->fix)
		rename_fresh(f, found);
}

/* The record once more: it may have been renamed while we read. */
static bool
is_there(const struct files *f, const struct record *r)
{
	const struct mailbox *mb = f->mb;
	char name[LAYOUT_NAME];

	return (record_file(&mb->ix, r, name) &&
		   faccessat(record_dir(mb, r), name, F_OK,
		       AT_SYMLINK_NOFOLLOW) == 0) ||
	    (record_file_renamed(&mb->ix, r, name) &&
		faccessat(mb->folder.cur, name, F_OK, AT_SYMLINK_NOFOLLOW) ==
		    0);
}

static void
compare_records(struct files *f)
{
	const struct index *ix = &f->mb->ix;

	for (uint32_t pos = 0; pos < index_end(ix); pos++) {
		const struct record *r = index_at(ix, pos);
		struct slice base, rest;
		struct found *found;

		if (!record_live(r))
			continue;
		slice_cut(index_name(ix, r), ':', &base, &rest);
		found = map_get(f->bases, base);
		if (found) {
			found->uid = r->msg.uid;
			if (!f->v->skip_sizes)
				check_size(f, r, found);
		} else if (!is_there(f, r)) {
			f->missing++;
			tell(f, f->missing,
			    f->quiet ? VERIFY_ERROR : VERIFY_NOTE, "missing",
			    "UID %u has no file: %.*s", (unsigned)r->msg.uid,
			    SLICE_FMT(base));
		}
	}
}

static bool
to_be_unlinked(const struct index *ix, struct slice base)
{
	struct slice other, rest;

	for (uint32_t i = 0; i < ix->nunlinks; i++) {
		slice_cut(index_name(ix, &ix->unlinks[i]), ':', &other, &rest);
		if (slice_eq(base, other))
			return true;
	}
	return false;
}

static bool
is_message(const struct files *f, const struct found *found)
{
	char name[LAYOUT_NAME];
	struct stat s;

	return slice_cstr(found->file, name, sizeof(name)) &&
	    fstatat(dir_of(f->mb, found), name, &s, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(s.st_mode);
}

/* New mail of other programs is no news. */
static void
find_unknown(struct files *f)
{
	for (size_t i = 0; i < f->l.n && f->quiet; i++) {
		const struct found *found = &f->l.v[i];

		if (map_get(f->bases, found->name.base) != found ||
		    found->uid != 0 || !is_message(f, found) ||
		    to_be_unlinked(&f->mb->ix, found->name.base))
			continue;
		f->unknown++;
		tell(f, f->unknown, VERIFY_ERROR, "unknown",
		    "file is in no record: %.*s", SLICE_FMT(found->file));
	}
}

static int
compare(struct files *f, struct err *e)
{
	int rc = read_folders(f, e);

	if (rc == 0) {
		find_doubles(f);
		compare_records(f);
		find_unknown(f);
	}
	map_free(&f->bases);
	free(f->l.v);
	arena_free(&f->l.arena);
	return rc;
}

static struct files
files_of(struct verify *v, struct mailbox *mb, bool report)
{
	return (struct files){ .v = v,
		.mb = mb,
		.tell = report,
		.bases = map_new(),
		.l = { .arena = arena_new(0) } };
}

/* ---- all ---- */

static void
tell_more(struct verify *v, const char *what, uint64_t n)
{
	if (n > TOLD)
		verify_report(v, VERIFY_ERROR, what, v->fix, "and %llu more",
		    (unsigned long long)(n - TOLD));
}

/* Take in what is there until nothing differs. */
static int
mend(struct verify *v, struct mailbox *mb, struct err *e)
{
	struct files f;

	for (int i = 0; i < SCANS; i++) {
		if (scan_if_changed(mb, SCAN_NOW, e) != 0)
			return -1;
		f = files_of(v, mb, false);
		if (compare(&f, e) != 0)
			return -1;
		if (f.missing + f.unknown + f.sizes + f.doubles == 0)
			return 0;
		clock_sleep_ms(SETTLE_MS);
	}
	return err_set(e, ERR_TEMP, "files still differ from the index");
}

int
verify_files(struct verify_account *a, struct mailbox *mb, struct err *e)
{
	struct verify *v = a->v;
	struct files f = files_of(v, mb, true);
	struct err why = ERR_INIT;

	if (compare(&f, e) != 0)
		return -1;
	tell_more(v, "missing", f.missing);
	tell_more(v, "unknown", f.unknown);
	tell_more(v, "size", f.sizes);
	tell_more(v, "double", f.doubles);
	if (v->fix && f.missing + f.unknown + f.sizes + f.doubles > 0 &&
	    mend(v, mb, &why) != 0)
		verify_report(v, VERIFY_ERROR, "files", false, "%s", why.text);
	return 0;
}
