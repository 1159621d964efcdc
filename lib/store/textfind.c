/* textfind.c - the segments of a mailbox, and what they say of a search. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "store/text_int.h"

/* Trigrams looked up for one search: more hardly narrow any further. */
#define TRIGRAMS_MAX 24
/* So few are sooner read than narrowed. */
#define FEW 4

/* ---- files ---- */

void
text_name(uint32_t first, uint32_t last, char name_r[TEXT_NAME])
{
	snprintf(name_r, TEXT_NAME, TEXT_PREFIX "%u-%u", (unsigned)first,
	    (unsigned)last);
}

void
text_remove(const struct mailbox *mb, const char *name)
{
	unlinkat(mb->folder.fd, name, 0);
}

static void
remove_damaged(const struct mailbox *mb, const char *name)
{
	log_line("store", LOG_ERROR,
	    "text index is damaged, its messages are indexed again",
	    LOG_Z("account", mb->st->name), LOG_Z("mailbox", mb->name),
	    LOG_Z("file", name));
	text_remove(mb, name);
}

void
text_damaged(const struct mailbox *mb, const struct text_file *file)
{
	remove_damaged(mb, file->name);
}

static bool
is_segment(struct slice name, char name_r[TEXT_NAME])
{
	struct slice first, last;
	uint32_t n;

	if (!slice_starts(name, SLICE(TEXT_PREFIX)) ||
	    !slice_cstr(name, name_r, TEXT_NAME))
		return false;
	slice_cut(slice_skip(name, sizeof(TEXT_PREFIX) - 1), '-', &first,
	    &last);
	return slice_u32(first, &n) && slice_u32(last, &n);
}

static void
open_one(struct text_files *f, struct mailbox *mb, bool clean, const char *name)
{
	struct text_file *file = &f->v[f->n];
	struct err e = ERR_INIT;
	int rc = textseg_open(&file->seg, mb->folder.fd, name, &e);

	if (rc < 0 && e.kind == ERR_SYNTAX)
		remove_damaged(mb, name);
	if (rc != 1)
		return;
	if (file->seg.scope.uidvalidity != mb->ix.uidvalidity) {
		textseg_close(&file->seg);
		f->stale = true;
		if (clean)
			text_remove(mb, name);
		return;
	}
	memcpy(file->name, name, TEXT_NAME);
	f->n++;
}

static int
by_uid(const void *a, const void *b)
{
	const struct textseg_scope *x =
	    &((const struct text_file *)a)->seg.scope;
	const struct textseg_scope *y =
	    &((const struct text_file *)b)->seg.scope;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return x->last > y->last ? -1 : x->last < y->last;
}

/* A merge that was not cleaned up after leaves the segments it is made of. */
static void
drop_covered(struct text_files *f, struct mailbox *mb, bool clean)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++) {
		struct text_file *file = &f->v[i];
		if (n == 0 ||
		    file->seg.scope.last > f->v[n - 1].seg.scope.last) {
			f->bytes += file->seg.size;
			f->v[n++] = *file;
			continue;
		}
		f->stale = true;
		textseg_close(&file->seg);
		if (clean)
			text_remove(mb, file->name);
	}
	f->n = n;
}

int
text_files_open(struct text_files *f, struct mailbox *mb, bool clean,
    struct err *e)
{
	struct arena *arena = arena_new(0);
	char name[TEXT_NAME] = "";
	struct slice *names;
	size_t n;
	int rc = file_list(mb->folder.fd, ".", arena, &names, &n, e);

	*f = (struct text_files){ .v = NULL };
	for (size_t i = 0; rc == 1 && i < n; i++) {
		if (!is_segment(names[i], name))
			continue;
		f->v = xreallocarray(f->v, f->n + 1, sizeof(*f->v));
		open_one(f, mb, clean, name);
	}
	arena_free(&arena);
	if (f->n > 0)
		qsort(f->v, f->n, sizeof(*f->v), by_uid);
	drop_covered(f, mb, clean);
	return rc < 0 ? -1 : 0;
}

void
text_files_close(struct text_files *f)
{
	for (size_t i = 0; i < f->n; i++)
		textseg_close(&f->v[i].seg);
	free(f->v);
	f->v = NULL;
	f->n = 0;
}

/* ---- searching ---- */

/* Trigrams that all must be there; or one of those from..to. */
struct query {
	struct {
		uint32_t from, to;
	} v[TRIGRAMS_MAX];
	size_t n;
};

static uint32_t
trigram(struct slice s, size_t at)
{
	return (uint32_t)(unsigned char)s.p[at] << 16 |
	    (uint32_t)(unsigned char)s.p[at + 1] << 8 |
	    (at + 2 < s.n ? (uint32_t)(unsigned char)s.p[at + 2] : 0);
}

static void
add_trigram(struct query *q, uint32_t from, uint32_t to)
{
	for (size_t i = 0; i < q->n; i++)
		if (q->v[i].from == from && q->v[i].to == to)
			return;
	if (q->n < TRIGRAMS_MAX) {
		q->v[q->n].from = from;
		q->v[q->n++].to = to;
	}
}

/* Spread over the needle, if it has more than are looked up. Two bytes are
 * followed by some third one, or by the end of a text, which counts as NUL. */
static void
add_needle(struct query *q, struct slice needle, size_t share)
{
	size_t n = needle.n - 2, step = n / share + 1;

	if (needle.n == 2) {
		uint32_t first = trigram(needle, 0);
		add_trigram(q, first, first + 0xff);
		return;
	}
	for (size_t i = 0; i < n; i += step) {
		uint32_t t = trigram(needle, i);
		add_trigram(q, t, t);
	}
}

static size_t
count_bits(const unsigned char *p, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += (size_t)__builtin_popcount(p[i]);
	return count;
}

/* The documents that have all trigrams, in docs. */
static int
find_docs(const struct textseg *s, const struct query *q, unsigned char *docs,
    unsigned char *one)
{
	size_t bits = textseg_bits(s->scope.ndocs);
	uint64_t n;

	memset(docs, 0xff, bits);
	for (size_t i = 0; i < q->n; i++) {
		memset(one, 0, bits);
		if (textseg_find(s, q->v[i].from, q->v[i].to, one, &n) < 0)
			return -1;
		for (size_t k = 0; k < bits; k++)
			docs[k] &= one[k];
		if (count_bits(docs, bits) <= FEW)
			break;
	}
	for (size_t k = 0; k < bits; k++)
		docs[k] |= s->scope.any[k];
	return 0;
}

/* UIDs of a segment that may match; all of it if it is damaged. */
static void
find_in(const struct mailbox *mb, const struct text_file *file,
    const struct query *q, struct uidset *may)
{
	const struct textseg_scope *c = &file->seg.scope;
	size_t bits = textseg_bits(c->ndocs);
	unsigned char *docs = xcalloc(2, bits + 1);

	if (find_docs(&file->seg, q, docs, docs + bits) < 0) {
		text_damaged(mb, file);
		uidset_add(may, c->first, c->last);
	} else
		for (uint32_t i = 0; i < c->ndocs; i++)
			if (docs[i / 8] & 1u << i % 8)
				uidset_add(may, c->uids[i], c->uids[i]);
	free(docs);
}

static bool
make_query(struct query *q, const struct slice *needles, size_t n)
{
	size_t usable = 0;

	q->n = 0;
	for (size_t i = 0; i < n; i++)
		usable += needles[i].n >= TEXT_NEEDLE_MIN;
	for (size_t i = 0; i < n; i++)
		if (needles[i].n >= TEXT_NEEDLE_MIN)
			add_needle(q, needles[i], TRIGRAMS_MAX / usable + 1);
	return q->n > 0;
}

void
mailbox_text_may(struct mailbox *mb, const struct slice *needles, size_t n,
    struct uidset *may_r)
{
	struct text_files f = { .v = NULL };
	uint64_t next = 1; /* UID behind what was looked at */
	struct query q;

	if (make_query(&q, needles, n) &&
	    text_files_open(&f, mb, false, NULL) < 0)
		f.n = 0;
	for (size_t i = 0; i < f.n; i++) {
		const struct textseg_scope *c = &f.v[i].seg.scope;
		if (c->first > next)
			uidset_add(may_r, (uint32_t)next, c->first - 1);
		find_in(mb, &f.v[i], &q, may_r);
		next = (uint64_t)c->last + 1;
	}
	if (next <= UINT32_MAX)
		uidset_add(may_r, (uint32_t)next, UINT32_MAX);
	text_files_close(&f);
}
