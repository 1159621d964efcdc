/*
 * subscribe.c - the names that a user wants to see.
 *
 * Maildir/subscriptions is Dovecot's. Version 2 is a head `V<tab>2`, an empty
 * line, then a name a line: the elements of the folder name with tabs
 * between, \1 beginning an escape. Version 1, without head, has dots between
 * elements; it is read, and becomes version 2 with the first change.
 */
#include <string.h>

#include "base/file.h"
#include "base/scan.h"
#include "db/newfile.h"
#include "store/store_int.h"

#define FILE_MAX (4 << 20) /* bytes; ten thousands of mailboxes */

/* ---- subscriptions: the file ---- */

static const struct {
	char raw, letter;
} escapes[] = { { '\0', '0' }, { '\1', '1' }, { '\t', 't' }, { '\r', 'r' },
	{ '\n', 'n' } };

static char
unescape(char letter)
{
	for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
		if (escapes[i].letter == letter)
			return escapes[i].raw;
	}
	return letter;
}

static void
add_escaped(struct buf *b, char c)
{
	for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
		if (escapes[i].raw == c) {
			buf_addc(b, '\1');
			buf_addc(b, escapes[i].letter);
			return;
		}
	}
	buf_addc(b, c);
}

/* A line of the file as a folder name. */
static void
line_to_folder(struct slice line, bool v2, struct buf *folder)
{
	buf_reset(folder);
	if (slice_isi(line, "INBOX")) {
		buf_addc(folder, '.');
		return;
	}
	buf_addc(folder, '.');
	for (size_t i = 0; i < line.n; i++) {
		char c = line.p[i];

		if (v2 && c == '\1' && i + 1 < line.n)
			buf_addc(folder, unescape(line.p[++i]));
		else
			buf_addc(folder, v2 && c == '\t' ? '.' : c);
	}
}

static void
add_line(struct buf *b, struct slice name)
{
	char folder[LAYOUT_NAME];

	if (layout_folder(name, folder, NULL) < 0)
		return;
	if (strcmp(folder, ".") == 0)
		buf_addz(b, "INBOX");
	for (const char *p = folder + 1; *p != '\0'; p++) {
		if (*p == '.')
			buf_addc(b, '\t');
		else
			add_escaped(b, *p);
	}
	buf_addc(b, '\n');
}

int
subscribe_read(struct store *st, struct arena *arena, struct slice **names_r,
    size_t *n_r, struct err *e)
{
	struct buf text = BUF_INIT(FILE_MAX), folder = BUF_INIT(FILE_MAX);
	struct buf name = BUF_INIT(STORE_NAME_MAX);
	struct slice rest, line;
	bool v2;
	int rc;

	*names_r = NULL;
	*n_r = 0;
	rc = file_read(st->maildir_fd, "subscriptions", &text, e);
	rest = buf_slice(&text);
	v2 = slice_starts(rest, SLICE("V\t2\n"));
	if (v2)
		slice_line(&rest, &line);
	while (slice_line(&rest, &line)) {
		if (line.n == 0)
			continue;
		line_to_folder(line, v2, &folder);
		buf_reset(&name);
		if (!layout_mailbox(buf_slice(&folder), &name) || name.over)
			continue;
		*names_r = store_push(arena, *names_r, *n_r, sizeof(**names_r));
		(*names_r)[(*n_r)++] = arena_dup(arena, buf_slice(&name));
	}
	buf_free(&text);
	buf_free(&folder);
	buf_free(&name);
	return rc < 0 ? -1 : 0;
}

static int
subscribe_write(struct store *st, const struct slice *names, size_t n,
    struct err *e)
{
	struct buf b = BUF_INIT(FILE_MAX);
	int rc;

	buf_addz(&b, "V\t2\n\n");
	for (size_t i = 0; i < n; i++)
		add_line(&b, names[i]);
	if (b.over)
		rc = err_set(e, ERR_LIMIT, "too many subscriptions");
	else
		rc = db_write_file(st->maildir_fd, "subscriptions",
		    buf_slice(&b), st->env->file_mode, e);
	buf_free(&b);
	return rc;
}

/* ---- subscriptions: changes ---- */

static ssize_t
position(const struct slice *names, size_t n, struct slice name)
{
	for (size_t i = 0; i < n; i++) {
		if (slice_eq(names[i], name))
			return (ssize_t)i;
	}
	return -1;
}

int
subscribe_names(struct store *st, const struct slice *names, size_t n, bool on,
    struct err *e)
{
	struct arena *arena = arena_new(0);
	struct slice *have;
	size_t nhave;
	ssize_t at;
	bool changed = false;
	int rc = subscribe_read(st, arena, &have, &nhave, e);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		at = position(have, nhave, names[i]);
		if ((at >= 0) == on)
			continue;
		changed = true;
		if (on) {
			have = store_push(arena, have, nhave, sizeof(*have));
			have[nhave++] = names[i];
		} else {
			nhave--;
			memmove(have + at, have + at + 1,
			    (nhave - (size_t)at) * sizeof(*have));
		}
	}
	if (changed)
		rc = subscribe_write(st, have, nhave, e);
	arena_free(&arena);
	return rc;
}

int
subscribe_rename(struct store *st, struct slice from, struct slice to,
    struct err *e)
{
	struct arena *arena = arena_new(0);
	struct slice *names, name;
	size_t n, kept = 0;
	bool changed = false;
	int rc = subscribe_read(st, arena, &names, &n, e);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		name = names[i];
		if (store_renamed(&name, from, to, arena)) {
			changed = true;
			if (position(names, n, name) >= 0)
				continue;
		}
		names[kept++] = name;
	}
	if (changed)
		rc = subscribe_write(st, names, kept, e);
	arena_free(&arena);
	return rc;
}

int
store_subscribe(struct store *st, struct slice name, bool on, struct err *e)
{
	struct db_lock lock = DB_LOCK_INIT;
	char folder[LAYOUT_NAME];
	int rc;

	if (on && layout_folder(name, folder, e) < 0)
		return -1;
	if (store_lock_list(st, &lock, e) < 0)
		return -1;
	rc = subscribe_names(st, &name, 1, on, e);
	db_unlock(&lock);
	if (rc == 0)
		store_poke(st);
	return rc;
}
