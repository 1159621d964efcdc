/*
 * acl.c - the file dovecot-acl: a line an entry,
 *
 *	IDENTIFIER LETTERS [:NAME ...]
 *
 * IDENTIFIER is user=NAME, owner, authenticated, anyone, group=NAME or
 * group-override=NAME, with a minus before it if the rights are taken away; in
 * quotes, with backslashes, if it has spaces or such.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "store/acl.h"
#include "store/store_int.h"

#define FILE_MAX (1 << 20) /* bytes; ACL_ENTRIES_MAX long names */
/* A file may be changed twice within what its time stamp tells apart. */
#define YOUNG_S 2

/* ---- rights as text ---- */

static const struct {
	char letter;
	const char *name; /* Dovecot's */
	unsigned right;
} rights_known[] = {
	{ 'l', "lookup", ACL_LOOKUP },
	{ 'r', "read", ACL_READ },
	{ 's', "write-seen", ACL_SEEN },
	{ 'w', "write", ACL_WRITE },
	{ 'i', "insert", ACL_INSERT },
	{ 'p', "post", ACL_POST },
	{ 'k', "create", ACL_CREATE },
	{ 'x', "delete", ACL_DELETE },
	{ 't', "write-deleted", ACL_TRASH },
	{ 'e', "expunge", ACL_EXPUNGE },
	{ 'c', "", ACL_CREATE | ACL_DELETE },
	{ 'd', "", ACL_TRASH | ACL_EXPUNGE },
	{ 'a', "admin", ACL_ADMIN },
};

#define KNOWN (sizeof(rights_known) / sizeof(*rights_known))

static bool
is_virtual(size_t i)
{
	return rights_known[i].name[0] == '\0';
}

bool
acl_rights_parse(struct slice letters, unsigned *rights_r)
{
	*rights_r = 0;
	for (size_t i = 0; i < letters.n; i++) {
		size_t k = 0;

		while (k < KNOWN && rights_known[k].letter != letters.p[i])
			k++;
		if (k == KNOWN)
			return false;
		*rights_r |= rights_known[k].right;
	}
	return true;
}

void
acl_rights_format(struct buf *b, unsigned rights, bool virtual)
{
	for (size_t i = 0; i < KNOWN; i++)
		if (rights & rights_known[i].right &&
		    (virtual || !is_virtual(i)))
			buf_addc(b, rights_known[i].letter);
}

/* ---- reading a line ---- */

static const struct {
	const char *text;
	enum acl_who who;
	bool named; /* a name follows */
} identifiers[] = {
	{ "user=", ACL_USER, true },
	{ "owner", ACL_THE_OWNER, false },
	{ "authenticated", ACL_AUTHENTICATED, false },
	{ "anyone", ACL_ANYONE, false },
	{ "anonymous", ACL_ANYONE, false },
	{ "group=", ACL_GROUP, true },
	{ "group-override=", ACL_GROUP_OVERRIDE, true },
};

#define IDENTIFIERS (sizeof(identifiers) / sizeof(*identifiers))

static bool
parse_who(struct slice text, struct acl_entry *entry)
{
	entry->negative = slice_starts(text, SLICE("-"));
	text = slice_skip(text, entry->negative);
	for (size_t i = 0; i < IDENTIFIERS; i++) {
		struct slice word = slice_str(identifiers[i].text);

		entry->who = identifiers[i].who;
		entry->name = slice_skip(text, word.n);
		if (identifiers[i].named ? slice_starts(text, word)
					 : slice_eq(text, word))
			return !identifiers[i].named || entry->name.n > 0;
	}
	return false;
}

/* The identifier that a line begins with, what follows to *rest_r. */
static bool
cut_identifier(struct slice line, struct arena *arena, struct slice *id_r,
    struct slice *rest_r)
{
	char *text;
	size_t n = 0, i = 1;

	if (!slice_starts(line, SLICE("\""))) {
		slice_cut(line, ' ', id_r, rest_r);
		return true;
	}
	text = arena_alloc(arena, line.n);
	for (; i < line.n && line.p[i] != '"'; i++) {
		if (line.p[i] == '\\' && ++i == line.n)
			return false;
		text[n++] = line.p[i];
	}
	*id_r = slice_of(text, n);
	*rest_r = slice_skip(line, i + 1);
	return i < line.n &&
	    (rest_r->n == 0 || slice_starts(*rest_r, SLICE(" ")));
}

/* ":lookup read": those we know are as good as their letters. */
static void
parse_names(struct slice names, struct arena *arena, struct acl_entry *entry)
{
	struct buf other = BUF_INIT(FILE_MAX);
	struct slice name;

	while (slice_next(&names, ' ', &name)) {
		size_t i = 0;

		while (i < KNOWN && !slice_is(name, rights_known[i].name))
			i++;
		if (i < KNOWN)
			entry->rights |= rights_known[i].right;
		else if (name.n > 0) {
			buf_addc(&other, ' ');
			buf_add(&other, name);
		}
	}
	entry->other = arena_dup(arena, slice_skip(buf_slice(&other), 1));
	buf_free(&other);
}

static bool
parse_line(struct slice line, struct arena *arena, struct acl_entry *entry)
{
	struct slice id, rest, letters, names;

	*entry = (struct acl_entry){ 0 };
	if (!cut_identifier(line, arena, &id, &rest) || !parse_who(id, entry))
		return false;
	slice_cut(rest, ':', &letters, &names);
	if (!acl_rights_parse(slice_trim(letters), &entry->rights))
		return false;
	parse_names(names, arena, entry);
	return true;
}

void
acl_parse(struct slice text, struct arena *arena, struct acl *acl_r)
{
	struct slice line;

	*acl_r = (struct acl){ NULL, 0, 0 };
	text = arena_dup(arena, text);
	while (slice_line(&text, &line)) {
		line = slice_trim(line);
		if (line.n == 0 || line.p[0] == '#')
			continue;
		acl_r->v =
		    store_push(arena, acl_r->v, acl_r->n, sizeof(*acl_r->v));
		if (parse_line(line, arena, &acl_r->v[acl_r->n]))
			acl_r->n++;
		else
			acl_r->bad++;
	}
}

/* ---- writing ---- */

void
acl_who_format(struct buf *b, const struct acl_entry *entry)
{
	size_t i = 0;

	while (identifiers[i].who != entry->who)
		i++;
	if (entry->negative)
		buf_addc(b, '-');
	buf_addz(b, identifiers[i].text);
	if (identifiers[i].named)
		buf_add(b, entry->name);
}

static bool
is_plain(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == '"' ||
		    s.p[i] == '\\')
			return false;
	return true;
}

static void
add_identifier(struct buf *b, const struct acl_entry *entry)
{
	struct buf id = BUF_INIT(FILE_MAX);
	struct slice s;

	acl_who_format(&id, entry);
	s = buf_slice(&id);
	if (is_plain(s)) {
		buf_add(b, s);
	} else {
		buf_addc(b, '"');
		for (size_t i = 0; i < s.n; i++) {
			if (s.p[i] == '"' || s.p[i] == '\\')
				buf_addc(b, '\\');
			buf_addc(b, s.p[i]);
		}
		buf_addc(b, '"');
	}
	buf_free(&id);
}

void
acl_format(const struct acl *acl, struct buf *b)
{
	for (size_t i = 0; i < acl->n; i++) {
		const struct acl_entry *entry = &acl->v[i];

		add_identifier(b, entry);
		buf_addc(b, ' ');
		acl_rights_format(b, entry->rights, false);
		if (entry->other.n > 0) {
			buf_addz(b, " :");
			buf_add(b, entry->other);
		}
		buf_addc(b, '\n');
	}
}

/* ---- what follows ---- */

/* Is the entry for this account? The lower the rank, the more it counts; 0: it
 * is not. */
static unsigned
rank(const struct acl_entry *entry, struct slice owner, struct slice account)
{
	bool own = slice_eq(owner, account);

	switch (entry->who) {
	case ACL_USER:
		return slice_eq(entry->name, account) ? 1 : 0;
	case ACL_THE_OWNER:
		return own ? 2 : 0;
	case ACL_AUTHENTICATED:
		return own ? 0 : 3; /* nor is it taken from the owner */
	case ACL_ANYONE:
		return own ? 0 : 4;
	case ACL_GROUP:
	case ACL_GROUP_OVERRIDE:
		break;
	}
	return 0;
}

unsigned
acl_rights(const struct acl *acl, struct slice owner, struct slice account)
{
	bool own = slice_eq(owner, account);
	unsigned rights = own ? ACL_ALL : 0, taken = 0, best = UINT32_MAX, r;

	for (size_t i = 0; acl->bad == 0 && i < acl->n; i++) {
		const struct acl_entry *entry = &acl->v[i];

		r = rank(entry, owner, account);
		if (r == 0)
			continue;
		if (entry->negative) {
			taken |= entry->rights;
		} else if (r < best) {
			best = r;
			rights = entry->rights;
		} else if (r == best) {
			rights |= entry->rights;
		}
	}
	rights &= ~taken;
	return own ? rights | ACL_REQUIRED : rights;
}

/* ---- mailboxes ---- */

/* "./dovecot-acl". 1, 0 no such mailbox, -1. */
static int
path_of(struct store *st, struct slice mailbox, char path_r[PATH_MAX],
    struct err *e)
{
	char folder[LAYOUT_NAME];
	int rc = folder_exists(st, mailbox, folder, e);

	if (rc == 1)
		snprintf(path_r, PATH_MAX, "%s/" ACL_FILE, folder);
	return rc;
}

int
acl_read(struct store *st, struct slice mailbox, struct arena *arena,
    struct acl *acl_r, struct err *e)
{
	struct buf text = BUF_INIT(FILE_MAX);
	char path[PATH_MAX];
	int rc = path_of(st, mailbox, path, e);

	*acl_r = (struct acl){ NULL, 0, 0 };
	if (rc == 1 && file_read(st->maildir_fd, path, &text, e) < 0)
		rc = err_prefix(e, "rights of %.*s", SLICE_FMT(mailbox));
	if (rc == 1)
		acl_parse(buf_slice(&text), arena, acl_r);
	buf_free(&text);
	return rc;
}

/* Of the mailbox that was asked about last. */
static bool
remembered(const struct store *st, const char *path, const struct stat *s,
    struct slice account)
{
	const struct acl_last *last = &st->acl;

	return last->path && slice_eq(slice_str(last->path), slice_str(path)) &&
	    slice_eq(slice_str(last->account), account) &&
	    file_same(&last->file, s);
}

static void
remember(struct store *st, const char *path, const struct stat *s,
    struct slice account, unsigned rights)
{
	struct acl_last *last = &st->acl;

	acl_forget(st);
	if (s->st_mtime + YOUNG_S > clock_s(NULL))
		return;
	last->path = xstrdup(path);
	last->account = xmalloc(account.n + 1);
	slice_cstr(account, last->account, account.n + 1);
	last->file = *s;
	last->rights = rights;
}

void
acl_forget(struct store *st)
{
	free(st->acl.path);
	free(st->acl.account);
	st->acl = (struct acl_last){ 0 };
}

int
acl_rights_of(struct store *st, struct slice mailbox, struct slice account,
    unsigned *rights_r, struct err *e)
{
	struct arena *arena;
	char path[PATH_MAX];
	struct stat s;
	struct acl acl = { NULL, 0, 0 };
	int rc = path_of(st, mailbox, path, e);

	if (rc != 1)
		return rc;
	if (fstatat(st->maildir_fd, path, &s, 0) != 0) {
		if (errno != ENOENT)
			return err_sys(e, "%s", path);
		*rights_r = acl_rights(&acl, store_account(st), account);
		return 1;
	}
	if (remembered(st, path, &s, account)) {
		*rights_r = st->acl.rights;
		return 1;
	}
	arena = arena_new(0);
	rc = acl_read(st, mailbox, arena, &acl, e);
	if (rc == 1) {
		*rights_r = acl_rights(&acl, store_account(st), account);
		remember(st, path, &s, account, *rights_r);
	}
	arena_free(&arena);
	return rc;
}
