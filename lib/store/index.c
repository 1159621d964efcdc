/*
 * index.c - the state of a mailbox: records, and what log lines do to them.
 */
#include "store/index.h"

#include <stdlib.h>
#include <string.h>

/* Names of messages that came since the fold; bounds what a damaged log can
 * make us allocate. */
#define NAMES_MAX (1u << 31)

/* Messages that may have come, or gone, since the state was taken in, for it to
 * stay over a fold: a record and a name are 200 bytes. */
#define STANDS_SHARE 8
#define STANDS_MIN 1000

/* ---- life ---- */

void
index_init(struct index *ix)
{
	*ix = (struct index){ .uidnext = 1,
		.modseq = 1,
		.names = BUF_INIT(NAMES_MAX),
		.arena = arena_new(0) };
	ix->dirty = (struct uidset)UIDSET_INIT(ix->arena);
	ix->in_new = (struct uidset)UIDSET_INIT(ix->arena);
	ix->leaving = (struct uidset)UIDSET_INIT(ix->arena);
	keywords_init(&ix->kw);
}

void
index_free(struct index *ix)
{
	if (ix->base_own)
		free(ix->base);
	free(ix->tail);
	free(ix->vanished);
	free(ix->unlinks);
	free(ix->renaming);
	free(ix->dead);
	buf_free(&ix->names);
	arena_free(&ix->arena);
}

static int
gone(const struct mailbox *mb, struct err *e)
{
	return err_set(e, ERR_PERM, "%s: mailbox is gone", mb->name);
}

static int
reset(void *arg, const struct db_cdb *next, struct err *e)
{
	struct mailbox *mb = arg;
	struct index old = mb->ix;
	int rc;

	/* What the view numbers stays as it was. */
	if (mb->view.begun && mb->gone)
		return gone(mb, e);
	index_init(&mb->ix);
	rc = index_load(mb, next, e);
	if (rc == 0 && mb->view.begun && mb->gone) {
		index_free(&mb->ix);
		mb->ix = old;
		return gone(mb, e);
	}
	if (rc != 0) {
		/* To be made anew; nothing of a CDB that goes away is kept. */
		mb->gone = true;
		index_free(&mb->ix);
		index_init(&mb->ix);
	}
	view_stash(mb, &old);
	index_free(&old);
	return rc;
}

/*
 * The state grows with what is changed while it stands. Only a compacted cache
 * (tidy.c) changes records without lines, and moves to another segment.
 */
static bool
stands(void *arg, const struct db_cdb *next)
{
	const struct mailbox *mb = arg;
	const struct index *ix = &mb->ix;
	uint32_t segment, share = ix->nbase / STANDS_SHARE + STANDS_MIN;

	return !mb->gone && ix->ntail <= share && mb->view.nholes <= share &&
	    ix->nvanished <= 2 * VANISHED_MAX &&
	    index_segment_of(next, &segment) && segment == ix->segment;
}

/* ---- look-up ---- */

uint32_t
index_from(const struct index *ix, uint32_t uid)
{
	uint32_t low = 0, high = index_end(ix);

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (index_at(ix, mid)->msg.uid < uid)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct record *
index_get(const struct index *ix, uint32_t uid)
{
	uint32_t pos = index_from(ix, uid);
	struct record *r;

	if (pos == index_end(ix))
		return NULL;
	r = index_at(ix, pos);
	return r->msg.uid == uid && record_live(r) ? r : NULL;
}

struct slice
index_name(const struct index *ix, const struct record *r)
{
	size_t base = ix->base_names.n;
	struct slice all = ix->base_names, name;
	size_t at = r->name;

	if (at >= base) {
		all = buf_slice(&ix->names);
		at -= base;
	}
	name = slice_sub(all, at, at + r->name_n);
	/* Never a path, whatever a damaged CDB says. */
	return slice_chr(name, '/') < 0 ? name : SLICE_NULL;
}

static void
set_name(struct index *ix, struct record *r, struct slice name)
{
	size_t at = ix->base_names.n + ix->names.n;

	r->name_n = 0;
	if (name.n > NAME_MAX || at > UINT32_MAX)
		return;
	buf_add(&ix->names, name);
	if (ix->names.over)
		return;
	r->name = (uint32_t)at;
	r->name_n = (uint16_t)name.n;
}

/* ---- totals and sets that follow each record ---- */

static void
count(struct mailbox_counts *c, const struct store_msg *m, int sign)
{
	uint32_t unit = (uint32_t)sign;
	uint64_t size = m->wire_size * (uint64_t)(int64_t)sign;

	c->messages += unit;
	c->size += size;
	if ((m->flags & STORE_SEEN) == 0)
		c->unseen += unit;
	if (m->flags & STORE_DELETED) {
		c->deleted += unit;
		c->deleted_size += size;
	}
}

void
index_count(struct mailbox_counts *c, const struct store_msg *m, bool add)
{
	count(c, m, add ? 1 : -1);
}

void
index_wanted(const struct index *ix, const struct record *r, uint16_t *disk_r,
    uint32_t *letters_r)
{
	keywords_disk(&ix->kw, r->msg.flags, r->msg.keywords, disk_r,
	    letters_r);
	*letters_r |= r->letters & ~ix->kw.used;
}

static bool
name_stale(const struct index *ix, const struct record *r)
{
	uint32_t letters;
	uint16_t disk;

	index_wanted(ix, r, &disk, &letters);
	return disk != r->disk || letters != r->letters;
}

static void
set_member(struct uidset *s, uint32_t uid, bool in)
{
	if (in)
		uidset_add(s, uid, uid);
	else if (s->n > 0)
		uidset_remove(s, uid, uid);
}

static void
follow_name(struct index *ix, const struct record *r)
{
	bool live = record_live(r);

	set_member(&ix->dirty, r->msg.uid, live && name_stale(ix, r));
	set_member(&ix->in_new, r->msg.uid, live && r->place == RECORD_NEW);
}

void
index_letters_changed(struct index *ix)
{
	for (uint32_t pos = 0; pos < index_end(ix); pos++)
		follow_name(ix, index_at(ix, pos));
}

/* ---- lines ---- */

static void
apply_identity(struct mailbox *mb, const struct line *l)
{
	struct index *ix = &mb->ix;

	if (mb->view.begun && l->uidvalidity != mb->view.uidvalidity)
		mb->gone = true;
	ix->uidvalidity = l->uidvalidity;
	memcpy(ix->id, l->name.p, MAILBOXID);
	if (l->uidnext > ix->uidnext)
		ix->uidnext = l->uidnext;
}

static struct record *
grow(struct record **v, uint32_t *n, uint32_t *size)
{
	if (*n == *size) {
		*size = *size == 0 ? 16 : 2 * *size;
		*v = xreallocarray(*v, *size, sizeof(**v));
	}
	return &(*v)[(*n)++];
}

static void
apply_add(struct index *ix, const struct line *l)
{
	const struct store_msg *m = &l->record.msg;
	struct record *r;

	/* UIDs only grow: such a line was written by nobody. */
	if (m->uid < ix->uidnext)
		return;
	r = grow(&ix->tail, &ix->ntail, &ix->tail_size);
	*r = l->record;
	set_name(ix, r, l->name);
	ix->uidnext = m->uid + 1;
	ix->stored += m->size;
	ix->unmeasured += record_unmeasured(r);
	count(&ix->counts, m, 1);
	if (ix->unplaced == 0)
		ix->unplaced = m->uid;
	if (r->cache.segment > ix->segment)
		ix->segment = r->cache.segment;
	ix->flags_used |= m->flags;
	follow_name(ix, r);
}

static void
change_flags(struct mailbox *mb, uint32_t pos, const struct line *l)
{
	struct index *ix = &mb->ix;
	struct record *r = index_at(ix, pos);
	struct store_msg was = r->msg;

	count(&ix->counts, &r->msg, -1);
	flags_change(l->op, l->flags, l->keywords, &r->msg.flags,
	    &r->msg.keywords);
	r->msg.modseq = l->modseq;
	if (pos < ix->nbase && ix->newest != NULL &&
	    l->modseq > ix->newest[pos / NEWEST_BLOCK])
		ix->newest[pos / NEWEST_BLOCK] = l->modseq;
	if (pos < ix->nbase && ix->blockflags != NULL) {
		ix->blockflags[pos / NEWEST_BLOCK].any |= r->msg.flags;
		ix->blockflags[pos / NEWEST_BLOCK].all &= r->msg.flags;
	}
	ix->flags_used |= r->msg.flags;
	count(&ix->counts, &r->msg, 1);
	if ((r->msg.flags & STORE_SEEN) == 0 && pos < ix->unseen_from)
		ix->unseen_from = pos;
	follow_name(ix, r);
	view_flags(mb, pos, &was);
}

/* Where a UID is among the names being given, or belongs. */
static uint32_t
renaming_from(const struct index *ix, uint32_t uid)
{
	uint32_t low = 0, high = ix->nrenaming;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (ix->renaming[mid].uid < uid)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct renaming *
index_renaming(const struct index *ix, uint32_t uid)
{
	uint32_t i = renaming_from(ix, uid);

	return i < ix->nrenaming && ix->renaming[i].uid == uid
	    ? &ix->renaming[i]
	    : NULL;
}

/* A line names them in ascending order, so most go to the end. */
static void
add_renaming(struct index *ix, uint32_t uid, const struct record *name)
{
	uint32_t i = renaming_from(ix, uid);

	if (i == ix->nrenaming || ix->renaming[i].uid != uid) {
		if (ix->nrenaming == ix->renaming_size) {
			ix->renaming_size = 2 * ix->renaming_size + 16;
			ix->renaming = xreallocarray(ix->renaming,
			    ix->renaming_size, sizeof(*ix->renaming));
		}
		memmove(&ix->renaming[i + 1], &ix->renaming[i],
		    (ix->nrenaming - i) * sizeof(*ix->renaming));
		ix->nrenaming++;
	}
	ix->renaming[i] = (struct renaming){ uid, name->letters, name->disk };
}

static void
drop_renaming(struct index *ix, const struct uidset *uids)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < ix->nrenaming; i++)
		if (!uidset_has(uids, ix->renaming[i].uid))
			ix->renaming[kept++] = ix->renaming[i];
	ix->nrenaming = kept;
}

static void
expunge(struct mailbox *mb, uint32_t pos, const struct line *l)
{
	struct index *ix = &mb->ix;
	struct record *r = index_at(ix, pos);

	count(&ix->counts, &r->msg, -1);
	ix->stored -= r->msg.size;
	ix->unmeasured -= record_unmeasured(r);
	r->msg.flags |= STORE_EXPUNGED;
	follow_name(ix, r);
	if (!mb->view.begun) {
		if (ix->ndead == ix->dead_size) {
			ix->dead_size = 2 * ix->dead_size + 16;
			ix->dead = xreallocarray(ix->dead, ix->dead_size,
			    sizeof(*ix->dead));
		}
		ix->dead[ix->ndead++] = pos;
	}
	if (l->type == 'x')
		*grow(&ix->unlinks, &ix->nunlinks, &ix->unlinks_size) = *r;
	view_expunged(mb, pos);
}

static void
begin_rename(struct mailbox *mb, uint32_t pos, const struct line *l)
{
	add_renaming(&mb->ix, index_at(&mb->ix, pos)->msg.uid, &l->record);
}

static void
set_disk(struct mailbox *mb, uint32_t pos, const struct line *l)
{
	struct record *r = index_at(&mb->ix, pos);

	r->place = l->record.place;
	r->disk = l->record.disk;
	r->letters = l->record.letters;
	follow_name(&mb->ix, r);
}

typedef void change_fn(struct mailbox *mb, uint32_t pos, const struct line *l);

/* For the live records of the line's set. */
static void
each(struct mailbox *mb, const struct line *l, change_fn *fn)
{
	uint32_t end = index_end(&mb->ix);

	for (size_t i = 0; i < l->uids.n; i++) {
		const struct uidrange *range = &l->uids.v[i];
		uint32_t pos = index_from(&mb->ix, range->first);

		for (; pos < end; pos++) {
			struct record *r = index_at(&mb->ix, pos);

			if (r->msg.uid > range->last)
				break;
			if (record_live(r))
				fn(mb, pos, l);
		}
	}
}

static void
add_vanished(struct index *ix, uint64_t modseq, uint32_t first, uint32_t last)
{
	if (ix->nvanished == ix->vanished_size) {
		ix->vanished_size = 2 * ix->vanished_size + 16;
		ix->vanished = xreallocarray(ix->vanished, ix->vanished_size,
		    sizeof(*ix->vanished));
	}
	ix->vanished[ix->nvanished++] =
	    (struct vanished){ modseq, first, last };
}

static void
apply_expunge(struct mailbox *mb, const struct line *l)
{
	each(mb, l, expunge);
	drop_renaming(&mb->ix, &l->uids);
	for (size_t i = 0; i < l->uids.n; i++)
		add_vanished(&mb->ix, l->modseq, l->uids.v[i].first,
		    l->uids.v[i].last);
}

/* UIDs were given by lines that are not there any more: to somebody who has
 * been told of them, they have vanished. */
static void
apply_numbers(struct index *ix, const struct line *l)
{
	if (l->uidnext <= ix->uidnext)
		return;
	add_vanished(ix, l->modseq, ix->uidnext, l->uidnext - 1);
	ix->uidnext = l->uidnext;
}

static void
apply_unlinked(struct index *ix, const struct line *l)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < ix->nunlinks; i++)
		if (!uidset_has(&l->uids, ix->unlinks[i].msg.uid))
			ix->unlinks[kept++] = ix->unlinks[i];
	ix->nunlinks = kept;
}

static void
apply_cache(struct index *ix, const struct line *l)
{
	struct record *r = index_get(ix, l->record.msg.uid);

	if (r == NULL)
		return;
	r->cache = l->record.cache;
	r->bits = (uint8_t)((r->bits & RECORD_UNMEASURED) |
	    (l->record.bits & RECORD_MIXED));
	if (l->record.msg.thread != 0)
		r->msg.thread = l->record.msg.thread;
	if (r->cache.segment > ix->segment)
		ix->segment = r->cache.segment;
}

/* A size that is known does not change; a file that was cut off meanwhile is
 * for mox-mailbox fixmsgsize. */
static void
apply_size(struct mailbox *mb, const struct line *l)
{
	struct index *ix = &mb->ix;
	struct record *r = index_get(ix, l->record.msg.uid);
	struct store_msg was;

	if (r == NULL || !record_unmeasured(r))
		return;
	was = r->msg;
	count(&ix->counts, &was, -1);
	r->msg.wire_size = l->record.msg.wire_size > was.size
	    ? l->record.msg.wire_size
	    : was.size;
	r->bits = r->msg.wire_size > was.size ? l->record.bits : 0;
	ix->unmeasured--;
	count(&ix->counts, &r->msg, 1);
	view_sized(mb, index_from(ix, r->msg.uid), &was);
}

static void
apply_mtimes(struct index *ix, const struct line *l)
{
	if (l->new.ns != 0)
		ix->new = l->new;
	if (l->cur.ns != 0)
		ix->cur = l->cur;
	if (l->placed) {
		ix->unplaced = 0;
		ix->leaving.n = 0;
	}
}

void
index_apply(struct mailbox *mb, const struct line *l)
{
	struct index *ix = &mb->ix;
	struct record *r;

	/* It is another mailbox now: the view must not see other messages
	 * under its UIDs until it is closed. */
	if (mb->gone && mb->view.begun)
		return;
	if (view_pending(mb) == 0)
		mb->view.modseq = ix->modseq;
	if (l->modseq > ix->modseq)
		ix->modseq = l->modseq;
	switch (l->type) {
	case 'v':
		apply_identity(mb, l);
		break;
	case 'n':
		apply_numbers(ix, l);
		break;
	case 'a':
		apply_add(ix, l);
		break;
	case 'f':
		each(mb, l, change_flags);
		break;
	case 'x':
	case 'y':
		apply_expunge(mb, l);
		break;
	case 'u':
		apply_unlinked(ix, l);
		break;
	case 'o':
		uidset_add_set(&ix->leaving, &l->uids);
		break;
	case 'd':
		drop_renaming(ix, &l->uids);
		each(mb, l, set_disk);
		break;
	case 'w':
		each(mb, l, begin_rename);
		break;
	case 'r':
		r = index_get(ix, l->record.msg.uid);
		if (r != NULL)
			set_name(ix, r, l->name);
		break;
	case 'k':
	case 'l':
		keywords_apply(mb, l);
		break;
	case 'c':
		apply_cache(ix, l);
		break;
	case 's':
		apply_size(mb, l);
		break;
	case 'm':
		apply_mtimes(ix, l);
		break;
	case 'g':
		index_renumber(mb, l);
		break;
	}
}

void
index_apply_text(struct mailbox *mb, struct slice text)
{
	struct line l;

	if (line_parse(text, mb->line_arena, &l))
		index_apply(mb, &l);
	arena_reset(mb->line_arena);
}

static int
apply_line(void *arg, struct slice payload, uint64_t unit_end, struct err *e)
{
	(void)unit_end, (void)e;
	index_apply_text(arg, payload);
	return 0;
}

/* In the place of lines that are taken back. */
static void
instead(void *arg, struct buf *line)
{
	const struct index *ix = &((struct mailbox *)arg)->ix;
	struct line l = {
		.type = 'n', .uidnext = ix->uidnext, .modseq = ix->modseq + 1
	};

	line_format(&l, line);
}

const struct db_pair_ops index_ops = {
	.magic = "mox-mailbox 1",
	.private_map = true,
	.reset = reset,
	.stands = stands,
	.line = apply_line,
	.build = index_build,
	.instead = instead,
};

/* ---- the pair, with the view kept ---- */

int
index_refresh(struct mailbox *mb, struct err *e)
{
	int rc;

	if (mb->gone && mb->view.begun)
		return 0;
	rc = db_pair_refresh(&mb->pair, e);
	view_restore(mb);
	return rc;
}

void
index_settle(struct mailbox *mb)
{
	/* What fails is told by the next refresh. */
	if (!mb->gone)
		db_pair_renew(&mb->pair, NULL);
	view_restore(mb);
}

int
index_lock(struct mailbox *mb, struct err *e)
{
	int rc;

	if (mb->gone)
		return err_set(e, ERR_PERM, "%s: mailbox is gone", mb->name);
	if (mb->readonly)
		return err_set(e, ERR_PERM, "%s: mailbox is for reading only",
		    mb->name);
	rc = db_pair_lock(&mb->pair, DB_LOCK_MS, e);
	view_restore(mb);
	if (rc != 0)
		return -1;
	if (mb->gone)
		rc = gone(mb, e);
	else if (mb->ix.unplaced != 0 || mb->ix.leaving.n > 0)
		rc = scan_recover(mb, e);
	if (rc != 0)
		db_pair_unlock(&mb->pair);
	return rc;
}

void
index_unlock(struct mailbox *mb)
{
	db_pair_unlock(&mb->pair);
}

int
index_append(struct mailbox *mb, const struct lines *ls, struct err *e)
{
	struct arena *arena = arena_new(0);
	int rc;

	if (ls->text.over)
		rc = err_set(e, ERR_LIMIT, "%s: change too large", mb->name);
	else
		rc = db_pair_append(&mb->pair, lines_slices(ls, arena), ls->n,
		    e);
	arena_free(&arena);
	return rc;
}

void
index_undo(struct mailbox *mb, uint64_t offset)
{
	db_pair_undo(&mb->pair, offset);
	view_restore(mb);
}

int
index_sync(struct mailbox *mb, bool *stays_r, struct err *e)
{
	int rc = db_pair_sync(&mb->pair, stays_r, e);

	view_restore(mb);
	return rc;
}

int
index_fold(struct mailbox *mb, struct err *e)
{
	int rc = db_pair_fold(&mb->pair, e);

	view_restore(mb);
	return rc;
}
