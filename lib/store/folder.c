#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/scan.h"
#include "db/sync.h"
#include "store/store_int.h"
#include "text/unicode.h"
#include "text/utf7.h"

/* Escaped, a folder name of NAME_MAX bytes fits. */
#define RAW_MAX (3 * NAME_MAX + 1)

static const struct slice inbox = { "Inbox", 5 };

/* ---- the names of mailboxes ---- */

static const char *
element_wrong(struct slice el)
{
	if (el.n == 0)
		return "empty name between slashes";
	if (slice_is(el, ".") || slice_is(el, ".."))
		return "\".\" or \"..\" as name";
	return NULL;
}

static const char *
ordinary_wrong(struct slice name)
{
	struct slice el, rest = name;
	const char *wrong;
	uint32_t c;
	bool more;

	if (name.n > STORE_NAME_MAX)
		return "name too long";
	if (!unicode_is_nfc(name))
		return "not UTF-8 in normal form C";
	do {
		more = slice_cut(rest, '/', &el, &rest);
		wrong = element_wrong(el);
		if (wrong)
			return wrong;
	} while (more);
	for (rest = name; unicode_next(&rest, &c);) {
		if (c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x2028 ||
		    c == 0x2029)
			return "control character";
	}
	slice_cut(name, '/', &el, &rest);
	if (slice_eqi(el, inbox) && !slice_eq(el, inbox))
		return "Inbox in another spelling";
	return NULL;
}

/* ---- ordinary names to folders and back ---- */

static void
encode(struct slice name, struct buf *folder)
{
	struct slice el, piece;
	bool more, dot;

	if (slice_starts(name, SLICE("Inbox/"))) { /* where Dovecot has it */
		buf_addz(folder, ".INBOX");
		name = slice_skip(name, inbox.n + 1);
	}
	do {
		more = slice_cut(name, '/', &el, &name);
		buf_addc(folder, '.');
		do {
			dot = slice_cut(el, '.', &piece, &el);
			utf7_encode(folder, piece);
			if (dot)
				buf_addz(folder, "&AC4-");
		} while (dot);
	} while (more);
}

/* utf7_decode is strict, and to it `&AC4-` is not the way to write a dot; so
 * what stands between is decoded piece by piece. */
static bool
decode_element(struct slice el, struct buf *name)
{
	ssize_t at;

	while ((at = slice_find(el, SLICE("&AC4-"))) >= 0) {
		if (!utf7_decode(name, slice_head(el, (size_t)at)))
			return false;
		buf_addc(name, '.');
		el = slice_skip(el, (size_t)at + 5);
	}
	return utf7_decode(name, el);
}

static bool
decode(struct slice folder, struct buf *name)
{
	struct slice el, rest = slice_skip(folder, 1);
	bool more, first = true;

	do {
		more = slice_cut(rest, '.', &el, &rest);
		if (!first)
			buf_addc(name, '/');
		if (first && more && slice_is(el, "INBOX"))
			buf_add(name, inbox);
		else if (!decode_element(el, name))
			return false;
		first = false;
	} while (more);
	return true;
}

/* Has folder a name of its own that leads back to it? Then it is appended. */
static bool
ordinary(struct slice folder, struct buf *name)
{
	struct buf plain = BUF_INIT(RAW_MAX), back = BUF_INIT(NAME_MAX);
	struct slice s;
	bool good;

	good = decode(folder, &plain);
	s = buf_slice(&plain);
	good = good && !plain.over && s.n > 0 && s.p[0] != '#' &&
	    !slice_eq(s, inbox) && !ordinary_wrong(s);
	if (good) {
		encode(s, &back);
		good = slice_eq(buf_slice(&back), folder);
	}
	if (good)
		buf_add(name, s);
	buf_free(&plain);
	buf_free(&back);
	return good;
}

/* ---- folders that are not in our way of naming ---- */

static bool
is_folder(struct slice folder)
{
	return folder.n >= 2 && folder.n <= NAME_MAX && folder.p[0] == '.' &&
	    folder.p[1] != '.' && slice_chr(folder, '/') < 0 &&
	    slice_chr(folder, '\0') < 0;
}

static void
escape_raw(struct slice folder, struct buf *name)
{
	unsigned char c;

	buf_addc(name, '#');
	for (size_t i = 0; i < folder.n; i++) {
		c = (unsigned char)folder.p[i];
		if ((scan_print[c] || c == ' ') && c != '=' && c != '/')
			buf_addc(name, (char)c);
		else
			buf_addf(name, "=%02X", c);
	}
}

/* name begins with '#'. The folder is appended, if this is the way to say
 * it. */
static bool
unescape_raw(struct slice name, struct buf *folder)
{
	struct buf again = BUF_INIT(RAW_MAX);
	struct slice rest = slice_skip(name, 1), s;
	uint64_t c;
	bool good = true;

	while (rest.n > 0 && good) {
		if (rest.p[0] != '=') {
			buf_addc(folder, rest.p[0]);
			rest = slice_skip(rest, 1);
			continue;
		}
		good = rest.n >= 3 && slice_hex64(slice_sub(rest, 1, 3), &c);
		buf_addc(folder, good ? (char)c : '=');
		rest = slice_skip(rest, 3);
	}
	s = buf_slice(folder);
	good = good && !folder->over && is_folder(s) && !ordinary(s, &again);
	if (good) {
		escape_raw(s, &again);
		good = slice_eq(buf_slice(&again), name);
	}
	buf_free(&again);
	return good;
}

/* ---- both ---- */

const char *
layout_name_wrong(struct slice name)
{
	struct buf folder = BUF_INIT(NAME_MAX);
	bool good;

	if (name.n == 0)
		return "empty name";
	if (name.p[0] != '#')
		return ordinary_wrong(name);
	good = unescape_raw(name, &folder);
	buf_free(&folder);
	return good ? NULL : "name begins with \"#\"";
}

int
layout_folder(struct slice name, char folder_r[LAYOUT_NAME], struct err *e)
{
	struct buf b = BUF_INIT(NAME_MAX);
	bool good = true, over;

	if (slice_eq(name, inbox))
		buf_addc(&b, '.');
	else if (slice_starts(name, SLICE("#")))
		good = unescape_raw(name, &b);
	else
		encode(name, &b);
	over = b.over;
	good =
	    good && !over && slice_cstr(buf_slice(&b), folder_r, LAYOUT_NAME);
	buf_free(&b);
	if (over)
		return err_set(e, ERR_LIMIT,
		    "mailbox name too long for a file");
	if (!good)
		return err_set(e, ERR_SYNTAX, "bad mailbox name");
	return 0;
}

bool
layout_mailbox(struct slice folder, struct buf *name)
{
	if (slice_is(folder, ".")) {
		buf_add(name, inbox);
		return true;
	}
	if (!is_folder(folder))
		return false;
	if (!ordinary(folder, name))
		escape_raw(folder, name);
	return true;
}

int
store_name_check(struct arena *arena, struct slice name, struct slice *name_r,
    struct err *e)
{
	struct buf nfc = BUF_INIT(STORE_NAME_MAX);
	struct slice first, rest;
	const char *wrong = NULL;
	bool more;

	if (!unicode_nfc(&nfc, name))
		wrong = "not UTF-8";
	else if (nfc.over)
		wrong = "name too long";
	*name_r = arena_dup(arena, buf_slice(&nfc));
	buf_free(&nfc);
	more = slice_cut(*name_r, '/', &first, &rest);
	if (slice_eqi(first, inbox))
		*name_r = more
		    ? arena_printf(arena, "Inbox/%.*s", SLICE_FMT(rest))
		    : inbox;
	if (!wrong)
		wrong = layout_name_wrong(*name_r);
	if (wrong)
		return err_set(e, ERR_SYNTAX, "mailbox name: %s", wrong);
	return 0;
}

/* ---- open folders ---- */

mode_t
store_folder_mode(const struct store_env *env)
{
	return env->file_mode & 0060 ? 0770 : 0700;
}

static int
open_dir(int at, const char *name, int *fd_r)
{
	*fd_r = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *fd_r < 0 ? -1 : 0;
}

/* Made by others, a folder may lack one. */
static int
open_sub(const struct folder *f, const struct store *st, const char *name,
    int *fd_r, struct err *e)
{
	if (open_dir(f->fd, name, fd_r) == 0)
		return 0;
	if (errno == ENOENT &&
	    (mkdirat(f->fd, name, store_folder_mode(st->env)) == 0 ||
		errno == EEXIST)) {
		if (db_fsync_dir(f->fd, f->name, e) < 0)
			return -1;
		if (open_dir(f->fd, name, fd_r) == 0)
			return 0;
	}
	return err_sys(e, "open %s of folder %s", name, f->name);
}

int
folder_open(struct folder *f, struct store *st, struct slice name,
    struct err *e)
{
	*f = (struct folder)FOLDER_INIT;
	if (layout_folder(name, f->name, NULL) < 0)
		return 0;
	if (open_dir(st->maildir_fd, f->name, &f->fd) < 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			return 0;
		return err_sys(e, "open folder %s", f->name);
	}
	if (open_sub(f, st, "cur", &f->cur, e) < 0 ||
	    open_sub(f, st, "new", &f->new, e) < 0 ||
	    open_sub(f, st, "tmp", &f->tmp, e) < 0) {
		folder_close(f);
		return -1;
	}
	return 1;
}

int
folder_exists(struct store *st, struct slice name, char folder_r[LAYOUT_NAME],
    struct err *e)
{
	struct stat s;

	if (layout_folder(name, folder_r, NULL) < 0)
		return 0;
	if (fstatat(st->maildir_fd, folder_r, &s, 0) == 0)
		return S_ISDIR(s.st_mode);
	return errno == ENOENT ? 0 : err_sys(e, "folder %s", folder_r);
}

void
folder_close(struct folder *f)
{
	int *fds[] = { &f->fd, &f->cur, &f->new, &f->tmp };

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
}

bool
folder_current(const struct folder *f, const struct store *st)
{
	struct stat a, b;

	return fstat(f->fd, &a) == 0 &&
	    fstatat(st->maildir_fd, f->name, &b, 0) == 0 &&
	    a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}
