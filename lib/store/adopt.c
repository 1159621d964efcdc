/*
 * adopt.c - an index for a folder that has none: a new one, one that another
 * program has filled, or one whose index is lost.
 *
 * All that is there becomes a state, written as one new CDB, which counts once its
 * log is there. UIDs that Dovecot or Courier gave are kept, with their
 * UIDVALIDITY.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/map.h"
#include "store/index.h"

struct adopt {
	struct mailbox *mb;
	struct listing l;
	struct found **v;
	struct uidlist uids;
	bool has_uids;
	struct line identity;
	char id[MAILBOXID + 1];
	struct lines lines;
	struct map *bases; /* -> found */
	struct keywords kw;
};

/* ---- UIDs ---- */

static int
identity(struct adopt *a, bool fresh, struct err *e)
{
	struct store *st = a->mb->st;
	struct line *l = &a->identity;
	int rc = fresh ? 0 : uidlist_read(&a->uids, a->mb->folder.fd, e);

	if (rc < 0)
		return -1;
	a->has_uids = rc == 1;
	*l = (struct line){
		.type = 'v', .uidnext = 1, .name = { a->id, MAILBOXID }
	};
	if (a->has_uids) {
		l->uidvalidity = a->uids.uidvalidity;
		rc = store_note_uidvalidity(st, l->uidvalidity, e);
	} else
		rc = store_next_uidvalidity(st, &l->uidvalidity, e);
	rand_text(st->env->rand, a->id, MAILBOXID);
	index_apply(a->mb, l);
	return rc;
}

static void
find_uids(struct adopt *a)
{
	for (size_t i = 0; i < a->l.n; i++) {
		struct found *f = &a->l.v[i];

		if (a->has_uids)
			f->uid = uidlist_uid(&a->uids, f->name.base);
		a->v[i] = f;
		/* A second file of one name: for the next scan to mend. */
		if (map_set(a->bases, f->name.base, f) != NULL) {
			a->l.new_at.suspect = a->l.cur_at.suspect = true;
			f->twin = true;
		}
	}
}

/* ---- keywords ---- */

static void
courier_keywords(void *arg, struct slice base, const struct slice *keywords,
    size_t n)
{
	struct adopt *a = arg;
	struct found *f = map_get(a->bases, base);

	for (size_t i = 0; i < n && f != NULL; i++) {
		struct store_flags want = { .keywords = &keywords[i],
			.nkeywords = 1 };
		uint16_t flags;
		uint64_t bits;

		/* Those for which there is no room are left out. */
		if (!store_keyword_check(keywords[i]) ||
		    keywords_need(&a->kw, &want, &a->lines, &flags, &bits,
			NULL) != 0)
			continue;
		f->flags |= flags;
		f->keywords |= bits;
	}
}

static void
apply_lines(struct adopt *a, size_t from)
{
	struct arena *arena = arena_new(0);
	struct slice *v = lines_slices(&a->lines, arena);

	for (size_t i = from; i < a->lines.n; i++)
		index_apply_text(a->mb, v[i]);
	arena_free(&arena);
}

/* First those that names of files mean something with. */
static int
add_keywords(struct adopt *a, struct err *e)
{
	struct mailbox *mb = a->mb;
	int rc = keywords_lines(mb, &a->lines, e);
	size_t n = a->lines.n;

	apply_lines(a, 0);
	a->kw = mb->ix.kw;
	if (rc == 0)
		rc = uidlist_courier_keywords(mb->folder.fd, courier_keywords,
		    a, e);
	apply_lines(a, n);
	return rc;
}

/* ---- messages ---- */

static void
add_messages(struct adopt *a)
{
	struct mailbox *mb = a->mb;
	struct arena *arena = arena_new(0);
	uint64_t modseq = mb->ix.modseq + 1;
	uint32_t uid, next = 1;

	for (size_t i = 0; i < a->l.n; i++) {
		struct found *f = a->v[i];
		struct line l;

		/* Behind the last of those UIDs that others gave. */
		if (f->uid == 0 && a->has_uids && next < a->uids.uidnext)
			next = a->uids.uidnext;
		uid = f->uid == 0 ? next : f->uid;
		if (f->gone || f->twin || uid < next || uid == UINT32_MAX ||
		    (!foreign_is_regular(f) && !foreign_regular(mb, f, arena)))
			continue;
		foreign_line(mb, f, arena, &l);
		l.record.msg.uid = uid;
		l.record.msg.modseq = l.modseq = modseq;
		index_apply(mb, &l);
		arena_reset(arena);
		next = uid + 1;
	}
	arena_free(&arena);
}

/* UIDNEXT of the others, whose last messages may be gone, and what the
 * folders looked like. */
static void
add_end(struct adopt *a)
{
	struct line m = { .type = 'm',
		.placed = true,
		.new = a->l.new_at,
		.cur = a->l.cur_at };

	if (a->has_uids) {
		a->identity.uidnext = a->uids.uidnext;
		index_apply(a->mb, &a->identity);
	}
	index_apply(a->mb, &m);
}

static int
list(struct adopt *a, struct err *e)
{
	struct own_change at;

	scan_before(a->mb, &at);
	a->l.new_at = at.new;
	a->l.cur_at = at.cur;
	if (scan_list(a->mb, &a->l, RECORD_NEW, e) != 0 ||
	    scan_list(a->mb, &a->l, RECORD_CUR, e) != 0)
		return -1;
	a->v = arena_array(a->l.arena, a->l.n, sizeof(*a->v));
	return 0;
}

static int
create(struct mailbox *mb, struct err *e)
{
	cache_clear(mb->folder.fd);
	/* 0: somebody else made one meanwhile, which is as good. */
	return db_pair_create_built(mb->folder.fd, INDEX_PAIR,
		   mb->st->env->file_mode, &index_ops, mb, e) < 0
	    ? -1
	    : 0;
}

int
adopt(struct mailbox *mb, bool fresh, struct err *e)
{
	struct adopt a = { .mb = mb,
		.l = { .arena = arena_new(0) },
		.lines = LINES_INIT,
		.bases = map_new() };
	int rc = -1;

	index_free(&mb->ix);
	index_init(&mb->ix);
	if (list(&a, e) == 0 && identity(&a, fresh, e) == 0) {
		find_uids(&a);
		if (add_keywords(&a, e) >= 0 &&
		    foreign_measure(mb, a.v, a.l.n, e) == 0) {
			add_messages(&a);
			add_end(&a);
			rc = create(mb, e);
		}
	}
	uidlist_free(&a.uids);
	lines_free(&a.lines);
	map_free(&a.bases);
	free(a.l.v);
	arena_free(&a.l.arena);
	return rc;
}
