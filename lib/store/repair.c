/*
 * repair.c - over all mailboxes of an account; the counters. resize.c,
 * reparse.c, reassign.c and rethread.c have the rest.
 */
#include <stdarg.h>
#include <stdio.h>

#include "store/repair_int.h"

/* ---- all mailboxes ---- */

int
repair_open(struct mailbox **mb_r, struct store *st, struct slice name,
    struct err *e)
{
	return index_open(mb_r, st, name, true, e);
}

static int
one(struct repair *r, struct slice name, repair_open_fn *open, repair_fn *fn,
    struct err *e)
{
	struct mailbox *mb;
	int rc;

	r->at = name;
	if (store_progress(r->st, 0, 0, e) < 0)
		return -1;
	rc = open(&mb, r->st, name, e);
	if (rc == 0) /* removed meanwhile */
		return r->only.n > 0
		    ? err_set(e, ERR_PERM, "no mailbox \"%.*s\"",
			  SLICE_FMT(name))
		    : 0;
	if (rc < 0)
		return -1;
	rc = fn(r, mb, e);
	mailbox_close(&mb);
	if (rc < 0)
		err_prefix(e, "%.*s", SLICE_FMT(name));
	return rc < 0 ? -1 : 0;
}

/* As people write it, or one of those that cannot be made (#...). */
static int
only_one(struct repair *r, repair_open_fn *open, repair_fn *fn, struct err *e)
{
	struct arena *arena = arena_new(0);
	struct slice name;
	int rc;

	if (store_name_check(arena, r->only, &name, NULL) < 0)
		name = r->only;
	rc = one(r, name, open, fn, e);
	r->at = SLICE_NULL;
	arena_free(&arena);
	return rc;
}

int
repair_each(struct repair *r, repair_open_fn *open, repair_fn *fn,
    struct err *e)
{
	struct arena *arena;
	struct mailbox_folder *v;
	size_t n;
	int rc;

	if (r->only.n > 0)
		return only_one(r, open, fn, e);
	arena = arena_new(0);
	rc = list_folders(r->st, arena, &v, &n, e);
	if (rc == 0)
		rc = one(r, SLICE("Inbox"), open, fn, e);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = one(r, v[i].name, open, fn, e);
	r->at = SLICE_NULL;
	arena_free(&arena);
	return rc;
}

void
repair_tell(struct repair *r, const struct mailbox *mb, struct repair_note n,
    const char *fmt, ...)
{
	struct buf b = BUF_INIT(4096);
	va_list ap;

	if (mb != NULL)
		n.mailbox = slice_str(mb->name);
	if (fmt != NULL) {
		va_start(ap, fmt);
		buf_addv(&b, fmt, ap);
		va_end(ap);
		n.text = buf_cstr(&b);
	}
	r->note(r->ctx, &n);
	buf_free(&b);
}

/* ---- messages ---- */

const struct record *
repair_next(const struct mailbox *mb, uint32_t *uid)
{
	uint32_t pos = index_from(&mb->ix, *uid + 1);

	for (; pos < index_end(&mb->ix); pos++) {
		const struct record *r = index_at(&mb->ix, pos);

		if (!record_live(r))
			continue;
		*uid = r->msg.uid;
		return r;
	}
	return NULL;
}

int
repair_append(struct mailbox *mb, struct lines *ls, struct err *e)
{
	return ls->n > 0 ? index_append(mb, ls, e) : 0;
}

void
repair_cache_line(struct lines *ls, const struct record *r,
    struct cache_place place, uint64_t thread)
{
	struct line l = { .type = 'c', .record = *r };

	l.record.cache = place;
	l.record.msg.thread = thread;
	lines_add(ls, &l);
}

/* ---- bumpuidvalidity ---- */

static int
bump(struct repair *r, struct mailbox *mb, struct err *e)
{
	uint32_t n = mb->ix.counts.messages, uidvalidity = 0;

	if (mailbox_renew(mb, &uidvalidity, e) != 0)
		return -1;
	repair_tell(r, mb,
	    (struct repair_note){
		.messages = n, .changed = n, .uidvalidity = uidvalidity },
	    "uid validity for \"%s\" updated to %u", mb->name,
	    (unsigned)uidvalidity);
	return 0;
}

int
repair_bump_uidvalidity(struct repair *r, struct err *e)
{
	return repair_each(r, repair_open, bump, e);
}

/* ---- fixuidmeta ---- */

struct uid_meta {
	struct repair r; /* its ctx is this */
	struct repair *caller;
	uint32_t uidvalidity; /* highest */
};

static int
check_meta(struct repair *r, struct mailbox *mb, struct err *e)
{
	struct uid_meta *m = r->ctx;
	struct repair_note n = { .messages = mb->ix.counts.messages };
	uint32_t said = mb->ix.uidnext_said;

	m->caller->at = r->at;
	if (mb->ix.uidvalidity > m->uidvalidity)
		m->uidvalidity = mb->ix.uidvalidity;
	if (said == 0) {
		repair_tell(m->caller, mb, n, NULL);
		return 0;
	}
	if (index_raise_uidnext(mb, e) != 0)
		return -1;
	n.changed = 1;
	repair_tell(m->caller, mb, n,
	    "updating uidnext for mailbox \"%s\" from %u to %u", mb->name,
	    (unsigned)said, (unsigned)mb->ix.uidnext);
	return 0;
}

int
repair_uid_meta(struct repair *r, struct err *e)
{
	struct uid_meta m = { .r = *r, .caller = r };
	uint32_t was = 0, is = 0;
	int rc;

	m.r.ctx = &m;
	rc = repair_each(&m.r, repair_open, check_meta, e);
	if (rc == 0)
		rc = store_mend_uidvalidity(r->st, m.uidvalidity, &was, &is, e);
	if (rc == 1)
		repair_tell(r, NULL, (struct repair_note){ .changed = 1 },
		    "updating uid validity of the account from %u to %u",
		    (unsigned)was, (unsigned)is);
	return rc < 0 ? -1 : 0;
}

/* ---- recalculatemailboxcounts ---- */

#define SUMS "%u messages, %u deleted, %u unseen, %llu bytes"
#define SUMS_OF(s) \
	(unsigned)(s).counts.messages, (unsigned)(s).counts.deleted, \
	    (unsigned)(s).counts.unseen, (unsigned long long)(s).counts.size

static int
recount(struct repair *r, struct mailbox *mb, struct err *e)
{
	struct index_sums were = { .stored = 0 }, are = index_sums(&mb->ix);
	struct repair_note n = { .messages = are.counts.messages };
	int rc = index_recount(mb, true, &were, e);

	if (rc < 0)
		return -1;
	n.changed = (uint64_t)rc;
	if (rc == 0)
		repair_tell(r, mb, n, NULL);
	else
		repair_tell(r, mb, n,
		    "for %s setting new counts <" SUMS "> (was <" SUMS ">)",
		    mb->name, SUMS_OF(are), SUMS_OF(were));
	return 0;
}

int
repair_quota(struct repair *r, struct err *e)
{
	struct quota was = { 0 }, is = { 0 };
	int rc = quota_recount(r->st, &was, &is, e);

	if (rc == 1)
		repair_tell(r, NULL, (struct repair_note){ .changed = 1 },
		    "maildirsize set to %llu bytes in %llu messages (was %llu "
		    "in %llu)",
		    (unsigned long long)is.bytes, (unsigned long long)is.count,
		    (unsigned long long)was.bytes,
		    (unsigned long long)was.count);
	return rc < 0 ? -1 : 0;
}

int
repair_recount(struct repair *r, struct err *e)
{
	return repair_each(r, repair_open, recount, e) == 0 ? repair_quota(r, e)
							    : -1;
}
