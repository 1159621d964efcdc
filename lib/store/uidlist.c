/*
 * uidlist.c - UIDs that Dovecot or Courier gave, to be kept.
 *
 *   dovecot-uidlist    3 V1275660208 N25022 G3085f0...
 *                      25006 S1355 W1394 :1276528487.M364837P9451.host:2,S
 *   the same, old      1 1275660208 25022
 *   courierimapuiddb   25006 1276528487.M364837P9451.host
 */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/scan.h"
#include "store/store_int.h"

/* A line has 60 to 150 bytes: millions of messages. */
#define UIDLIST_MAX (512u << 20)
/* No mailbox gets here; a list that says so would leave us no UIDs. */
#define UID_MAX INT32_MAX
#define KEYWORDS_MAX 256 /* of Courier, in one mailbox */

struct uidlist_entry {
	struct slice base;
	uint32_t uid;
};

/* ---- head ---- */

/* "3 V1 N2 ...", fields in any order, others ignored. */
static bool
head_v3(struct slice fields, struct uidlist *u)
{
	struct slice field;
	uint32_t v;

	while (slice_next(&fields, ' ', &field)) {
		if (field.n == 0 || !slice_u32(slice_skip(field, 1), &v))
			continue;
		if (field.p[0] == 'V')
			u->uidvalidity = v;
		else if (field.p[0] == 'N')
			u->uidnext = v;
	}
	return true;
}

static bool
head_v1(struct slice fields, struct uidlist *u)
{
	struct slice uidvalidity, uidnext;

	slice_cut(fields, ' ', &uidvalidity, &uidnext);
	slice_cut(slice_trim(uidnext), ' ', &uidnext, &fields);
	return slice_u32(uidvalidity, &u->uidvalidity) &&
	    slice_u32(uidnext, &u->uidnext);
}

/* False if it is of a kind we do not know. */
static bool
head(struct slice line, struct uidlist *u, bool *v3_r)
{
	struct slice version, fields;

	slice_cut(line, ' ', &version, &fields);
	*v3_r = slice_is(version, "3");
	if (*v3_r ? !head_v3(fields, u)
		  : !slice_is(version, "1") || !head_v1(fields, u))
		return false;
	return u->uidvalidity > 0 && u->uidnext <= UID_MAX;
}

/* ---- messages ---- */

/* The slot of base: its entry, or where it would be. */
static uint32_t *
slot(const struct uidlist *u, struct slice base)
{
	size_t i = slice_hash(base) & u->mask;

	while (u->slots[i] != 0 &&
	    !slice_eq(u->entries[u->slots[i] - 1].base, base))
		i = (i + 1) & u->mask;
	return &u->slots[i];
}

static bool
parse_line(struct slice line, bool v3, struct uidlist_entry *entry_r)
{
	struct slice uid, rest;
	ssize_t colon;

	if (!slice_cut(line, ' ', &uid, &rest) ||
	    !slice_u32(uid, &entry_r->uid) || entry_r->uid == 0 ||
	    entry_r->uid > UID_MAX)
		return false;
	if (v3) { /* fields, then a colon and the name */
		colon = slice_find(slice_of(uid.p + uid.n, rest.n + 1),
		    SLICE(" :"));
		if (colon < 0)
			return false;
		rest = slice_skip(rest, (size_t)colon + 1);
	}
	slice_cut(rest, ':', &entry_r->base, &rest);
	return entry_r->base.n > 0 && entry_r->base.n <= NAME_MAX;
}

static int
by_uid(const void *a, const void *b)
{
	const struct uidlist_entry *x = a, *y = b;

	if (x->uid != y->uid)
		return x->uid < y->uid ? -1 : 1;
	return x->base.p < y->base.p ? -1 : 1;
}

/* A UID stands for one message only: the first line that has it. */
static void
drop_doubles(struct uidlist *u)
{
	size_t n = 0;

	if (u->n > 1)
		qsort(u->entries, u->n, sizeof(*u->entries), by_uid);
	for (size_t i = 0; i < u->n; i++) {
		if (n == 0 || u->entries[n - 1].uid != u->entries[i].uid)
			u->entries[n++] = u->entries[i];
	}
	u->n = n;
	if (n > 0 && u->uidnext <= u->entries[n - 1].uid)
		u->uidnext = u->entries[n - 1].uid + 1;
}

static void
read_lines(struct uidlist *u, struct slice rest, bool v3)
{
	struct slice line, all = rest;
	size_t lines = 0;
	uint32_t *at;

	while (slice_line(&all, &line))
		lines++;
	u->entries = xcalloc(lines + 1, sizeof(*u->entries));
	while (slice_line(&rest, &line)) {
		if (parse_line(line, v3, &u->entries[u->n]))
			u->n++;
	}
	drop_doubles(u);
	for (u->mask = 1; u->mask < 2 * u->n;)
		u->mask = 2 * u->mask + 1;
	u->slots = xcalloc(u->mask + 1, sizeof(*u->slots));
	for (size_t i = 0; i < u->n; i++) {
		at = slot(u, u->entries[i].base);
		if (*at == 0)
			*at = (uint32_t)i + 1;
	}
}

static int
read_file(struct uidlist *u, int dirfd, const char *name, struct err *e)
{
	struct slice rest, line;
	bool v3;
	int rc;

	*u = (struct uidlist){ .text = BUF_INIT(UIDLIST_MAX) };
	rc = file_read(dirfd, name, &u->text, e);
	rest = buf_slice(&u->text);
	if (rc == 1 && slice_line(&rest, &line) && head(line, u, &v3)) {
		read_lines(u, rest, v3);
		return 1;
	}
	uidlist_free(u);
	return rc < 0 ? -1 : 0;
}

int
uidlist_read(struct uidlist *u, int dirfd, struct err *e)
{
	int rc = read_file(u, dirfd, "dovecot-uidlist", e);

	return rc == 0 ? read_file(u, dirfd, "courierimapuiddb", e) : rc;
}

uint32_t
uidlist_uid(const struct uidlist *u, struct slice base)
{
	uint32_t at = u->slots ? *slot(u, base) : 0;

	return at > 0 ? u->entries[at - 1].uid : 0;
}

void
uidlist_free(struct uidlist *u)
{
	buf_free(&u->text);
	free(u->entries);
	free(u->slots);
	*u = (struct uidlist){ .text = BUF_INIT(UIDLIST_MAX) };
}

/* ---- keywords of Courier ---- */

/* courierimapkeywords/:list is keywords, a line each, an empty line, then
 * `BASE:0 3`, counting keywords from 0. */
static void
keyword_line(struct slice line, const struct slice *names, size_t n,
    uidlist_keywords_fn *fn, void *arg)
{
	struct slice base, rest, number, found[KEYWORDS_MAX];
	size_t nfound = 0;
	uint32_t at;

	if (!slice_cut(line, ':', &base, &rest) || base.n == 0)
		return;
	while (nfound < KEYWORDS_MAX && slice_next(&rest, ' ', &number)) {
		if (slice_u32(number, &at) && at < n)
			found[nfound++] = names[at];
	}
	if (nfound > 0)
		fn(arg, base, found, nfound);
}

int
uidlist_courier_keywords(int dirfd, uidlist_keywords_fn *fn, void *arg,
    struct err *e)
{
	struct buf text = BUF_INIT(UIDLIST_MAX);
	struct slice names[KEYWORDS_MAX], rest, line;
	size_t n = 0;
	int rc = file_read(dirfd, "courierimapkeywords/:list", &text, e);

	rest = buf_slice(&text);
	while (slice_line(&rest, &line) && line.n > 0) {
		if (n < KEYWORDS_MAX)
			names[n++] = line;
	}
	while (slice_line(&rest, &line))
		keyword_line(line, names, n, fn, arg);
	buf_free(&text);
	return rc;
}
