/*
 * keywords.c - keywords of a mailbox and their letters in file names.
 *
 * Keywords have a bit each, five of them a flag. Letters a to z are shared
 * with Dovecot through its file dovecot-keywords, lines `NUMBER NAME`; letters
 * are given out when flags are written into names, not when a keyword is
 * first used.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/file.h"
#include "db/newfile.h"
#include "store/index.h"

#define FILE_NAME "dovecot-keywords"
#define FILE_MAX (64 * 1024)
/* Dovecot's lock, and when it takes one for left behind. */
#define LOCK_NAME "dovecot-keywords.lock"
#define LOCK_STALE_S 60
#define LOCK_TEXT "mox\n" /* in locks of ours */
#define LOCK_MAX 1000
#define LEASE_MS 1000

static const struct {
	uint16_t flag;
	const char *name;
} named_flags[] = {
	{ STORE_FORWARDED, "$Forwarded" },
	{ STORE_JUNK, "$Junk" },
	{ STORE_NOTJUNK, "$NotJunk" },
	{ STORE_PHISHING, "$Phishing" },
	{ STORE_MDNSENT, "$MDNSent" },
};

#define NAMED (sizeof(named_flags) / sizeof(named_flags[0]))

/* ---- names ---- */

void
keywords_init(struct keywords *kw)
{
	memset(kw, 0, sizeof(*kw));
	for (int i = 0; i < LETTERS; i++)
		kw->letters[i].bit = -1;
}

bool
store_keyword_check(struct slice keyword)
{
	if (keyword.n == 0 || keyword.n > STORE_KEYWORD_MAX)
		return false;
	for (size_t i = 0; i < keyword.n; i++) {
		unsigned char c = (unsigned char)keyword.p[i];

		/* RFC 9051, 9: atom without resp-specials. */
		if (c <= ' ' || c >= 127 || strchr("(){%*\"\\]", c) != NULL)
			return false;
	}
	return true;
}

uint16_t
keywords_flag(struct slice name)
{
	for (size_t i = 0; i < NAMED; i++)
		if (slice_isi(name, named_flags[i].name))
			return named_flags[i].flag;
	return 0;
}

int
keywords_bit(const struct keywords *kw, struct slice name)
{
	for (size_t i = 0; i < kw->n; i++)
		if (slice_eqi(kw->names[i], name))
			return (int)i;
	return -1;
}

struct slice
keywords_letter(const struct keywords *kw, unsigned letter)
{
	const struct letter *l = &kw->letters[letter];

	if (l->bit >= 0)
		return kw->names[l->bit];
	for (size_t i = 0; i < NAMED; i++)
		if (l->flag == named_flags[i].flag)
			return slice_str(named_flags[i].name);
	return SLICE_NULL;
}

size_t
mailbox_keywords(const struct mailbox *mb, const struct slice **names_r)
{
	*names_r = mb->ix.kw.names;
	return mb->ix.kw.n;
}

int
mailbox_keyword(const struct mailbox *mb, struct slice name)
{
	return keywords_bit(&mb->ix.kw, name);
}

/* ---- lines ---- */

static void
apply_letter(struct index *ix, unsigned number, struct slice name)
{
	struct letter *l = &ix->kw.letters[number];

	l->flag = keywords_flag(name);
	l->bit = (int8_t)keywords_bit(&ix->kw, name);
	if (l->flag != 0 || l->bit >= 0)
		ix->kw.used |= 1u << number;
	else
		ix->kw.used &= ~(1u << number);
	index_letters_changed(ix);
}

void
keywords_apply(struct mailbox *mb, const struct line *l)
{
	struct keywords *kw = &mb->ix.kw;

	if (l->type == 'l') {
		apply_letter(&mb->ix, l->number, l->name);
		return;
	}
	/* In order, and for good: other lines refer to the number. */
	if (l->number != kw->n || kw->n == STORE_KEYWORDS_MAX)
		return;
	kw->names[kw->n++] = arena_dup(mb->ix.arena, l->name);
	mb->view.keywords = mb->view.begun;
}

static void
add_line(struct lines *ls, char type, size_t number, struct slice name)
{
	struct line l = {
		.type = type, .number = (unsigned)number, .name = name
	};

	lines_add(ls, &l);
}

/* The bit of a name; new ones are added to names behind those of kw. -1: no
 * room. */
static int
need_bit(struct keywords *kw, struct slice name, struct lines *ls)
{
	int bit = keywords_bit(kw, name);

	if (bit >= 0 || kw->n == STORE_KEYWORDS_MAX)
		return bit;
	add_line(ls, 'k', kw->n, name);
	kw->names[kw->n] = name;
	return (int)kw->n++;
}

int
keywords_need(struct keywords *kw, const struct store_flags *want,
    struct lines *ls, uint16_t *flags_r, uint64_t *bits_r, struct err *e)
{
	*flags_r = want->flags & STORE_FLAGS;
	*bits_r = 0;
	for (size_t i = 0; i < want->nkeywords; i++) {
		struct slice name = want->keywords[i];
		uint16_t flag = keywords_flag(name);
		int bit;

		*flags_r |= flag;
		if (flag != 0)
			continue;
		bit = ls != NULL ? need_bit(kw, name, ls)
				 : keywords_bit(kw, name);
		if (bit >= 0)
			*bits_r |= 1ull << bit;
		else if (ls != NULL)
			return err_set(e, ERR_LIMIT, "too many keywords");
	}
	return 0;
}

/* ---- letters ---- */

void
keywords_disk(const struct keywords *kw, uint16_t flags, uint64_t keywords,
    uint16_t *disk_r, uint32_t *letters_r)
{
	*disk_r = flags & LAYOUT_FLAGS;
	*letters_r = 0;
	for (uint32_t left = kw->used; left != 0; left &= left - 1) {
		int i = ffs((int)left) - 1;
		const struct letter *l = &kw->letters[i];

		if ((l->flag & flags) != 0 ||
		    (l->bit >= 0 && (keywords >> l->bit & 1) != 0))
			*letters_r |= 1u << i;
	}
}

void
keywords_meaning(const struct keywords *kw, uint16_t disk, uint32_t letters,
    uint16_t *flags_r, uint64_t *keywords_r)
{
	*flags_r = disk & LAYOUT_FLAGS;
	*keywords_r = 0;
	for (uint32_t left = letters & kw->used; left != 0; left &= left - 1) {
		const struct letter *l = &kw->letters[ffs((int)left) - 1];

		*flags_r |= l->flag;
		if (l->bit >= 0)
			*keywords_r |= 1ull << l->bit;
	}
}

/* ---- dovecot-keywords ---- */

/* Names by letter, as in the file; slices of text. */
struct shared {
	struct buf text;
	struct slice names[LETTERS];
};

static int
read_file(const struct mailbox *mb, struct shared *f, struct err *e)
{
	struct slice rest, line, number, name;
	uint32_t n;

	memset(f, 0, sizeof(*f));
	f->text = (struct buf)BUF_INIT(FILE_MAX);
	if (file_read(mb->folder.fd, FILE_NAME, &f->text, e) < 0) {
		buf_free(&f->text);
		return -1;
	}
	rest = buf_slice(&f->text);
	while (slice_line(&rest, &line))
		if (slice_cut(line, ' ', &number, &name) &&
		    slice_u32(number, &n) && n < LETTERS &&
		    store_keyword_check(name))
			f->names[n] = name;
	return 0;
}

static int64_t
file_ns(const struct mailbox *mb)
{
	struct stat st;

	if (fstatat(mb->folder.fd, FILE_NAME, &st, 0) != 0)
		return 0;
	return (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
}

/* Lines for the letters of the file that are new or mean something else. */
static void
letter_lines(const struct mailbox *mb, const struct shared *f, struct lines *ls)
{
	struct keywords kw = mb->ix.kw;

	for (unsigned i = 0; i < LETTERS; i++) {
		struct slice name = f->names[i];

		if (name.n == 0 || slice_eqi(name, keywords_letter(&kw, i)))
			continue;
		if (keywords_flag(name) != 0 || need_bit(&kw, name, ls) >= 0)
			add_line(ls, 'l', i, name);
	}
}

int
keywords_lines(const struct mailbox *mb, struct lines *ls, struct err *e)
{
	struct shared f;

	if (read_file(mb, &f, e) != 0)
		return -1;
	letter_lines(mb, &f, ls);
	buf_free(&f.text);
	return 0;
}

int
keywords_read(struct mailbox *mb, struct err *e)
{
	struct lines ls = LINES_INIT;
	int64_t ns = file_ns(mb);
	int rc;

	if (ns == mb->keywords_ns)
		return 0;
	rc = keywords_lines(mb, &ls, e);
	if (rc == 0 && ls.n > 0)
		rc = index_append(mb, &ls, e);
	if (rc == 0)
		mb->keywords_ns = ns;
	lines_free(&ls);
	return rc;
}

static bool
has_letter(const struct shared *f, struct slice name)
{
	for (int i = 0; i < LETTERS; i++)
		if (slice_eqi(f->names[i], name))
			return true;
	return false;
}

/* Put a name on the first free letter. */
static bool
give_letter(struct shared *f, struct slice name)
{
	if (has_letter(f, name))
		return false;
	for (int i = 0; i < LETTERS; i++)
		if (f->names[i].n == 0) {
			f->names[i] = name;
			return true;
		}
	return false;
}

/* Keywords, and flags in use that are keywords, without a letter. */
static size_t
without_letter(const struct index *ix,
    struct slice names_r[NAMED + STORE_KEYWORDS_MAX])
{
	const struct keywords *kw = &ix->kw;
	uint16_t flags;
	uint64_t bits;
	size_t n = 0;

	keywords_meaning(kw, 0, kw->used, &flags, &bits);
	for (size_t i = 0; i < NAMED; i++)
		if (ix->flags_used & ~flags & named_flags[i].flag)
			names_r[n++] = slice_str(named_flags[i].name);
	for (size_t i = 0; i < kw->n; i++)
		if ((bits >> i & 1) == 0)
			names_r[n++] = kw->names[i];
	return n;
}

/* Put names on free letters. */
static bool
give_letters(struct shared *f, const struct slice *names, size_t n)
{
	bool given = false;

	for (size_t i = 0; i < n; i++)
		given |= give_letter(f, names[i]);
	return given;
}

static int
write_file(const struct mailbox *mb, const struct shared *f, struct err *e)
{
	struct buf b = BUF_INIT(FILE_MAX);
	int rc;

	for (int i = 0; i < LETTERS; i++)
		if (f->names[i].n > 0)
			buf_addf(&b, "%d %.*s\n", i, SLICE_FMT(f->names[i]));
	rc = db_write_file(mb->folder.fd, FILE_NAME, buf_slice(&b),
	    mb->st->env->file_mode, e);
	buf_free(&b);
	return rc;
}

/* Was it a process of ours that left LOCK_NAME, or is it old? */
static bool
lock_is_stale(const struct mailbox *mb)
{
	struct buf b = BUF_INIT(LOCK_MAX);
	struct stat st;
	bool ours = file_read(mb->folder.fd, LOCK_NAME, &b, NULL) == 1 &&
	    slice_is(buf_slice(&b), LOCK_TEXT);

	buf_free(&b);
	return ours ||
	    (fstatat(mb->folder.fd, LOCK_NAME, &st, 0) == 0 &&
		st.st_mtim.tv_sec + LOCK_STALE_S < clock_s(NULL));
}

/* Dovecot's way of locking the file: whoever can make LOCK_NAME. */
static bool
make_lock(const struct mailbox *mb)
{
	const int flags = O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC;
	int fd =
	    openat(mb->folder.fd, LOCK_NAME, flags, mb->st->env->file_mode);

	if (fd < 0)
		return false;
	file_write(fd, SLICE(LOCK_TEXT), NULL);
	close(fd);
	return true;
}

/* Among ourselves the lease is what counts. */
static bool
lock_file(const struct mailbox *mb, struct db_lock *lease)
{
	if (db_lock(lease, mb->folder.fd, INDEX_PAIR ".lock",
		DB_LOCK_SECOND | DB_LOCK_LEASE, LEASE_MS, NULL) != 1)
		return false;
	if (make_lock(mb))
		return true;
	if (lock_is_stale(mb))
		unlinkat(mb->folder.fd, LOCK_NAME, 0);
	if (make_lock(mb))
		return true;
	db_unlock(lease);
	return false;
}

static void
unlock_file(const struct mailbox *mb, struct db_lock *lease)
{
	unlinkat(mb->folder.fd, LOCK_NAME, 0);
	db_unlock(lease);
}

static int
share_locked(struct mailbox *mb, const struct slice *names, size_t n,
    struct err *e)
{
	struct shared f;
	int rc;

	if (read_file(mb, &f, e) != 0)
		return -1;
	rc = give_letters(&f, names, n) ? write_file(mb, &f, e) : 0;
	buf_free(&f.text);
	return rc;
}

int
keywords_share(struct mailbox *mb, struct err *e)
{
	struct slice names[NAMED + STORE_KEYWORDS_MAX];
	size_t n = without_letter(&mb->ix, names);
	struct db_lock lease = DB_LOCK_INIT;
	int rc = 0;

	if (n > 0 && mb->ix.kw.used != (1u << LETTERS) - 1 &&
	    lock_file(mb, &lease)) {
		rc = share_locked(mb, names, n, e);
		unlock_file(mb, &lease);
	}
	if (rc != 0 || file_ns(mb) == mb->keywords_ns)
		return rc;
	rc = index_lock(mb, e);
	if (rc != 0)
		return rc;
	rc = keywords_read(mb, e);
	index_unlock(mb);
	return rc;
}
