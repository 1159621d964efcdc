/*
 * metadata.c - annotations: a file in each folder, and one of the account, with
 * a line an entry, NAME <tab> VALUE, the value escaped. Written anew with each
 * change, under the lease of the list, for the limits are those of the account.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "db/escape.h"
#include "db/newfile.h"
#include "db/sync.h"
#include "store/metadata.h"
#include "store/store_int.h"

#define FILE_NAME METADATA_FILE
#define ACCOUNT_FILE METADATA_ACCOUNT_FILE
#define FILE_MAX (4 * 1024 * 1024) /* all bytes escaped, and names */

/* ---- names ---- */

const char *
metadata_name_wrong(struct slice name)
{
	if (name.n == 0 || name.p[0] != '/')
		return "entry does not begin with a slash";
	if (name.n > METADATA_NAME_MAX)
		return "entry name is too long";
	if (name.p[name.n - 1] == '/' || slice_find(name, SLICE("//")) >= 0)
		return "entry has an empty component";
	for (size_t i = 0; i < name.n; i++) {
		unsigned char c = (unsigned char)name.p[i];

		if (c < ' ' || c >= 0x7f || c == '*' || c == '%')
			return "bad character in entry name";
	}
	return NULL;
}

const char *
metadata_new_wrong(struct slice name)
{
	const char *wrong = metadata_name_wrong(name);
	struct slice rest, vendor, below;

	if (wrong)
		return wrong;
	if (slice_startsi(name, SLICE("/private/")))
		rest = slice_skip(name, 9);
	else if (slice_startsi(name, SLICE("/shared/")))
		rest = slice_skip(name, 8);
	else
		return "entry is neither in /private/ nor in /shared/";
	if (!slice_cut(rest, '/', &rest, &vendor))
		vendor = SLICE_NULL;
	if (slice_isi(rest, "vendor") &&
	    !slice_cut(vendor, '/', &vendor, &below))
		return "vendor entry without vendor and name";
	return NULL;
}

/* ---- reading ---- */

/* "Lists.qmail/mox.metadata", or NULL for what has no folder. 1, 0, -1. */
static int
path_of(struct store *st, struct slice mailbox, struct arena *arena,
    const char **path_r, struct err *e)
{
	char folder[LAYOUT_NAME];
	int rc;

	*path_r = NULL;
	if (mailbox.n == 0)
		return 1;
	rc = folder_exists(st, mailbox, folder, e);
	if (rc == 1)
		*path_r = arena_cstr(arena,
		    arena_printf(arena, "%s/" FILE_NAME, folder));
	return rc;
}

static int
by_name(const void *a, const void *b)
{
	const struct metadata_entry *x = a, *y = b;

	return slice_cmp(x->name, y->name);
}

/* Lines that make no sense are passed over, and counted. */
static size_t
parse(struct slice text, struct arena *arena, struct metadata_entry **v_r,
    size_t *n_r)
{
	struct buf value = BUF_INIT(FILE_MAX);
	struct slice line, name, escaped;
	size_t bad = 0;

	*v_r = NULL;
	*n_r = 0;
	while (slice_line(&text, &line)) {
		buf_reset(&value);
		if (!slice_cut(line, '\t', &name, &escaped) ||
		    metadata_name_wrong(name) ||
		    !db_unescape(&value, escaped)) {
			bad++;
			continue;
		}
		*v_r = store_push(arena, *v_r, *n_r, sizeof(**v_r));
		(*v_r)[*n_r].name = arena_dup(arena, name);
		(*v_r)[(*n_r)++].value = arena_dup(arena, buf_slice(&value));
	}
	if (*n_r > 0)
		qsort(*v_r, *n_r, sizeof(**v_r), by_name);
	buf_free(&value);
	return bad;
}

static int
read_file(struct store *st, const char *path, struct arena *arena,
    struct metadata_entry **v_r, size_t *n_r, size_t *bad_r, struct err *e)
{
	struct buf text = BUF_INIT(FILE_MAX);
	int rc = path ? file_read(st->maildir_fd, path, &text, e)
		      : file_read(st->fd, ACCOUNT_FILE, &text, e);

	*bad_r = parse(buf_slice(&text), arena, v_r, n_r);
	buf_free(&text);
	return rc < 0 ? err_prefix(e, "annotations") : 0;
}

int
metadata_read(struct store *st, struct slice mailbox, struct arena *arena,
    struct metadata_entry **v_r, size_t *n_r, struct err *e)
{
	const char *path;
	size_t bad;
	int rc = path_of(st, mailbox, arena, &path, e);

	if (rc == 1 && read_file(st, path, arena, v_r, n_r, &bad, e) < 0)
		rc = -1;
	return rc;
}

int
metadata_bad_lines(struct store *st, struct slice mailbox, size_t *bad_r,
    struct err *e)
{
	struct arena *arena = arena_new(0);
	struct metadata_entry *v;
	const char *path;
	size_t n;
	int rc = path_of(st, mailbox, arena, &path, e);

	*bad_r = 0;
	if (rc == 1)
		rc = read_file(st, path, arena, &v, &n, bad_r, e);
	arena_free(&arena);
	return rc < 0 ? -1 : 0;
}

/* ---- limits ---- */

struct totals {
	size_t n, bytes;
};

static void
add(struct totals *t, const struct metadata_entry *v, size_t n)
{
	t->n += n;
	for (size_t i = 0; i < n; i++)
		t->bytes += v[i].name.n + v[i].value.n;
}

/* Of all but the file at path. */
static int
totals_of_others(struct store *st, const char *path, struct totals *t,
    struct err *e)
{
	struct arena *arena = arena_new(0);
	struct mailbox_folder *folders;
	struct metadata_entry *v;
	size_t nfolders, n, bad;
	int rc = list_folders(st, arena, &folders, &nfolders, e);

	/* Behind the folders: Inbox, and the account. */
	for (size_t i = 0; rc == 0 && i < nfolders + 2; i++) {
		const char *other = i == nfolders + 1 ? NULL : "./" FILE_NAME;

		if (i < nfolders)
			other = arena_cstr(arena,
			    arena_printf(arena, "%.*s/" FILE_NAME,
				SLICE_FMT(folders[i].folder)));
		if ((!other && !path) ||
		    (other && path &&
			slice_eq(slice_str(other), slice_str(path))))
			continue;
		rc = read_file(st, other, arena, &v, &n, &bad, e);
		if (rc == 0)
			add(t, v, n);
	}
	arena_free(&arena);
	return rc;
}

/* ---- changing ---- */

static int
write_file(struct store *st, const char *path, const struct metadata_entry *v,
    size_t n, struct err *e)
{
	const char *name = path ? FILE_NAME : ACCOUNT_FILE;
	struct buf text = BUF_INIT(FILE_MAX);
	char folder[LAYOUT_NAME];
	int fd, rc;

	for (size_t i = 0; i < n; i++) {
		buf_add(&text, v[i].name);
		buf_addc(&text, '\t');
		db_escape(&text, v[i].value);
		buf_addc(&text, '\n');
	}
	snprintf(folder, sizeof(folder), "%.*s",
	    path ? (int)slice_rchr(slice_str(path), '/') : 1,
	    path ? path : ".");
	fd = openat(path ? st->maildir_fd : st->fd, folder,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		rc = err_sys(e, "annotations");
	else if (n > 0)
		rc = db_write_file(fd, name, buf_slice(&text),
		    st->env->file_mode, e);
	else {
		rc = db_unlink(fd, name, e);
		rc = rc == 1 ? db_fsync_dir(fd, "folder", e) : rc;
	}
	if (fd >= 0)
		close(fd);
	buf_free(&text);
	return rc;
}

/* One change to an array with room. */
static void
apply(struct metadata_entry *v, size_t *n, const struct metadata_entry *change)
{
	size_t i = 0;

	while (i < *n && !slice_eq(v[i].name, change->name))
		i++;
	if (change->value.p)
		v[i] = *change;
	if (change->value.p && i == *n)
		++*n;
	if (!change->value.p && i < *n)
		v[i] = v[--*n];
}

static enum metadata_code
change(struct store *st, struct slice mailbox,
    const struct metadata_entry *changes, size_t nchanges, struct arena *arena,
    struct err *e)
{
	struct totals others = { 0 }, before, after;
	struct metadata_entry *v;
	const char *path;
	size_t n, bad;
	int rc = path_of(st, mailbox, arena, &path, e);

	if (rc == 0)
		return METADATA_NONEXISTENT;
	if (rc < 0 || read_file(st, path, arena, &v, &n, &bad, e) < 0 ||
	    totals_of_others(st, path, &others, e) < 0)
		return METADATA_FAILED;
	before = after = others;
	add(&before, v, n);
	v = arena_grow(arena, v, n, n + nchanges, sizeof(*v));
	for (size_t i = 0; i < nchanges; i++)
		apply(v, &n, &changes[i]);
	add(&after, v, n);
	if (after.n > METADATA_ENTRIES_MAX && after.n > before.n)
		return METADATA_TOOMANY;
	if (after.bytes > METADATA_BYTES_MAX && after.bytes > before.bytes)
		return METADATA_TOOLARGE;
	if (n > 0)
		qsort(v, n, sizeof(*v), by_name);
	return write_file(st, path, v, n, e) < 0 ? METADATA_FAILED
						 : METADATA_OK;
}

static void
poke(struct store *st, struct slice mailbox)
{
	char folder[LAYOUT_NAME];

	if (mailbox.n > 0 && layout_folder(mailbox, folder, NULL) == 0)
		store_poke_folder(st, folder);
	else
		store_poke(st);
}

enum metadata_code
metadata_change(struct store *st, struct slice mailbox,
    const struct metadata_entry *changes, size_t n, struct err *e)
{
	struct db_lock lock = DB_LOCK_INIT;
	struct arena *arena;
	enum metadata_code code;

	if (store_lock_list(st, &lock, e) < 0)
		return METADATA_FAILED;
	arena = arena_new(0);
	code = change(st, mailbox, changes, n, arena, e);
	arena_free(&arena);
	db_unlock(&lock);
	if (code == METADATA_OK)
		poke(st, mailbox);
	return code;
}

enum store_code
metadata_copy(struct store *st, struct slice from, struct slice to,
    struct err *e)
{
	struct arena *arena = arena_new(0);
	enum metadata_code code = METADATA_OK;
	struct metadata_entry *v;
	size_t n = 0;

	if (metadata_read(st, from, arena, &v, &n, e) < 0)
		code = METADATA_FAILED;
	else if (n > 0)
		code = metadata_change(st, to, v, n, e);
	arena_free(&arena);
	if (code == METADATA_TOOMANY || code == METADATA_TOOLARGE)
		err_set(e, ERR_LIMIT, "too many annotations to copy");
	return code == METADATA_OK ? STORE_OK : STORE_FAILED;
}
