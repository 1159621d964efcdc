/*
 * change.c - flags and expunging: one line for a set of messages, one sync.
 */
#include "store/index.h"

/* ---- flags ---- */

void
flags_change(enum mailbox_flagop op, uint16_t flags, uint64_t keywords,
    uint16_t *flags_r, uint64_t *keywords_r)
{
	switch (op) {
	case MAILBOX_ADD:
		*flags_r |= flags;
		*keywords_r |= keywords;
		break;
	case MAILBOX_REMOVE:
		*flags_r &= (uint16_t)~flags;
		*keywords_r &= ~keywords;
		break;
	case MAILBOX_SET:
		*flags_r = (uint16_t)((*flags_r & ~STORE_FLAGS) | flags);
		*keywords_r = keywords;
		break;
	}
}

/* A message before the change, to go back to if it cannot be synced. */
struct before {
	uint32_t uid;
	uint16_t flags;
	uint64_t keywords;
};

struct change {
	struct mailbox *mb;
	enum mailbox_flagop op;
	uint16_t flags;
	uint64_t keywords;
	/* What MAILBOX_SET leaves: flags_change would not. */
	uint16_t kept;
	uint64_t keywords_kept;
	bool conditional;
	uint64_t unchanged_since;
	struct mailbox_store_result *result;
	struct arena *arena;
	struct before *before;
	size_t n, size;
};

static void
consider(struct change *c, const struct store_msg *m)
{
	uint16_t flags = m->flags;
	uint64_t keywords = m->keywords;

	if (c->conditional && m->modseq > c->unchanged_since) {
		uidset_add(&c->result->modified, m->uid, m->uid);
		return;
	}
	flags_change(c->op, c->flags, c->keywords, &flags, &keywords);
	flags = (uint16_t)((flags & ~c->kept) | (m->flags & c->kept));
	keywords =
	    (keywords & ~c->keywords_kept) | (m->keywords & c->keywords_kept);
	if (flags == m->flags && keywords == m->keywords)
		return;
	uidset_add(&c->result->changed, m->uid, m->uid);
	if (c->n == c->size) {
		size_t size = c->size == 0 ? 64 : 2 * c->size;

		c->before = arena_grow(c->arena, c->before, c->n, size,
		    sizeof(*c->before));
		c->size = size;
	}
	c->before[c->n++] = (struct before){ m->uid, m->flags, m->keywords };
}

static void
consider_fn(void *arg, const struct record *r)
{
	consider(arg, &r->msg);
}

/* A line that sets all leaves nothing: these two leave what is kept. */
static void
add_partly(struct lines *ls, struct line *l, const struct change *c)
{
	l->op = MAILBOX_ADD;
	lines_add(ls, l);
	l->op = MAILBOX_REMOVE;
	l->flags = (uint16_t)(STORE_FLAGS & ~c->flags & ~c->kept);
	l->keywords = ~c->keywords & ~c->keywords_kept;
	lines_add(ls, l);
}

/* Under the lock: find what changes and append the line. */
static int
append_flags(struct change *c, const struct uidset *uids,
    const struct store_flags *want, struct err *e)
{
	struct mailbox *mb = c->mb;
	struct lines ls = LINES_INIT;
	struct line l = { .type = 'f', .op = c->op };
	struct keywords kw = mb->ix.kw;
	int rc;

	/* Removing a keyword nobody has is no reason to define it. */
	rc = keywords_need(&kw, want, c->op == MAILBOX_REMOVE ? NULL : &ls,
	    &c->flags, &c->keywords, e);
	if (rc == 0)
		view_each(mb, uids, consider_fn, c);
	if (rc == 0 && c->n > 0) {
		l.flags = c->flags;
		l.keywords = c->keywords;
		l.uids = c->result->changed;
		l.modseq = c->result->modseq = mb->ix.modseq + 1;
		if (c->kept || c->keywords_kept)
			add_partly(&ls, &l, c);
		else
			lines_add(&ls, &l);
		mb->own = true;
		rc = index_append(mb, &ls, e);
		mb->own = false;
	}
	lines_free(&ls);
	return rc;
}

/*
 * The change could not be synced, but readers may have told of it: lines, in
 * the new log that the lock begins, that reverse it if it stays, or that only
 * give the messages a new modseq if it was taken back.
 */
static void
reverse(struct change *c, bool stays)
{
	struct mailbox *mb = c->mb;
	struct lines ls = LINES_INIT;
	struct line touch = {
		.type = 'f', .op = MAILBOX_ADD, .uids = c->result->changed
	};

	if (index_lock(mb, NULL) != 0)
		return;
	touch.modseq = mb->ix.modseq + 1;
	for (size_t i = 0; stays && i < c->n; i++) {
		const struct before *b = &c->before[i];
		struct line l = { .type = 'f',
			.op = MAILBOX_SET,
			.flags = b->flags & STORE_FLAGS,
			.keywords = b->keywords,
			.modseq = mb->ix.modseq + 1,
			.uids = UIDSET_INIT(c->arena) };

		uidset_add(&l.uids, b->uid, b->uid);
		lines_add(&ls, &l);
	}
	if (!stays)
		lines_add(&ls, &touch);
	index_append(mb, &ls, NULL);
	index_unlock(mb);
	lines_free(&ls);
}

int
mailbox_store(struct mailbox *mb, const struct uidset *uids,
    enum mailbox_flagop op, const struct store_flags *flags, bool conditional,
    uint64_t unchanged_since, struct arena *arena,
    struct mailbox_store_result *result_r, struct err *e)
{
	struct change c = { .mb = mb,
		.op = op,
		.kept = op == MAILBOX_SET ? flags->kept : 0,
		.keywords_kept =
		    op == MAILBOX_SET && flags->keywords_kept ? UINT64_MAX : 0,
		.conditional = conditional,
		.unchanged_since = unchanged_since,
		.result = result_r,
		.arena = arena };
	bool stays;
	int rc;

	result_r->changed = (struct uidset)UIDSET_INIT(arena);
	result_r->modified = (struct uidset)UIDSET_INIT(arena);
	result_r->modseq = 0;
	mb->reader = true;
	if (index_lock(mb, e) != 0)
		return -1;
	rc = append_flags(&c, uids, flags, e);
	index_unlock(mb);
	if (rc != 0)
		return -1;
	if (result_r->modseq == 0)
		result_r->modseq = mb->ix.modseq;
	if (index_sync(mb, &stays, e) != 0) {
		if (c.n > 0)
			reverse(&c, stays);
		return -1;
	}
	if (c.n > 0)
		store_poke_folder(mb->st, mb->folder.name);
	return 0;
}

/* ---- expunge ---- */

struct expunge {
	struct uidset *uids;
	bool all; /* not only those that are \Deleted */
	uint64_t stored;
	int64_t n;
};

static void
take_message(void *arg, const struct record *r)
{
	const struct store_msg *m = &r->msg;
	struct expunge *x = arg;

	if (!x->all && (m->flags & STORE_DELETED) == 0)
		return;
	uidset_add(x->uids, m->uid, m->uid);
	x->stored += m->size;
	x->n++;
}

static int
expunge(struct mailbox *mb, const struct uidset *uids, struct expunge *x,
    uint64_t *modseq_r, struct err *e)
{
	struct line l = { .type = 'x' };
	struct lines ls = LINES_INIT;
	int rc = 0;

	if (index_lock(mb, e) != 0)
		return -1;
	if (x->all)
		index_each(mb, uids, take_message, x);
	else
		view_each(mb, uids, take_message, x);
	*modseq_r = mb->ix.modseq;
	if (x->n > 0) {
		l.modseq = *modseq_r = mb->ix.modseq + 1;
		l.uids = *x->uids;
		lines_add(&ls, &l);
		rc = index_append(mb, &ls, e);
	}
	index_unlock(mb);
	lines_free(&ls);
	/*
	 * If the line stays though its sync failed, the messages remain
	 * expunged: they were to be deleted, and files go only after a sync.
	 */
	if (rc != 0 || index_sync(mb, NULL, e) != 0)
		return -1;
	if (x->n > 0) {
		quota_add(mb->st, -(int64_t)x->stored, -x->n);
		store_poke_folder(mb->st, mb->folder.name);
	}
	return 0;
}

int
mailbox_expunge(struct mailbox *mb, const struct uidset *uids,
    struct uidset *expunged_r, uint64_t *modseq_r, struct err *e)
{
	struct uidrange every = { 1, UINT32_MAX - 1 };
	struct uidset all = { NULL, &every, 1, 1 };
	struct expunge x = { .uids = expunged_r };

	mb->reader = true;
	return expunge(mb, uids != NULL ? uids : &all, &x, modseq_r, e);
}

int
expunge_uids(struct mailbox *mb, const struct uidset *uids, struct err *e)
{
	struct arena *arena = arena_new(0);
	struct uidset gone = UIDSET_INIT(arena);
	struct expunge x = { .uids = &gone, .all = true };
	uint64_t modseq;
	int rc = expunge(mb, uids, &x, &modseq, e);

	arena_free(&arena);
	return rc;
}

int
mailbox_remove(struct mailbox *mb, uint32_t uid, struct err *e)
{
	struct uidrange one = { uid, uid };
	struct uidset uids = { NULL, &one, 1, 1 };

	mb->reader = true;
	return expunge_uids(mb, &uids, e);
}

/* ---- what was expunged ---- */

/* All UIDs below uidnext that are not there. */
static void
absent(const struct mailbox *mb, struct uidset *uids_r)
{
	uint32_t next = 1, end = index_end(&mb->ix);

	for (uint32_t pos = 0; pos < end; pos++) {
		const struct record *r = index_at(&mb->ix, pos);

		if (!record_live(r))
			continue;
		if (r->msg.uid > next)
			uidset_add(uids_r, next, r->msg.uid - 1);
		next = r->msg.uid + 1;
	}
	if (mb->ix.uidnext > next)
		uidset_add(uids_r, next, mb->ix.uidnext - 1);
}

void
index_history(const struct mailbox *mb, uint64_t since, struct uidset *uids_r)
{
	size_t i = mb->ix.nvanished;

	while (i > 0 && mb->ix.vanished[i - 1].modseq > since)
		i--;
	for (; i < mb->ix.nvanished; i++)
		uidset_add(uids_r, mb->ix.vanished[i].first,
		    mb->ix.vanished[i].last);
}

static void
intersect(const struct uidset *a, const struct uidset *b, struct uidset *both_r)
{
	for (size_t i = 0, j = 0; i < a->n && j < b->n;) {
		uint32_t first = a->v[i].first > b->v[j].first ? a->v[i].first
							       : b->v[j].first;
		uint32_t last =
		    a->v[i].last < b->v[j].last ? a->v[i].last : b->v[j].last;

		if (first <= last)
			uidset_add(both_r, first, last);
		if (a->v[i].last < b->v[j].last)
			i++;
		else
			j++;
	}
}

bool
mailbox_remembers(const struct mailbox *mb, uint64_t since)
{
	return since >= mb->ix.floor;
}

int
mailbox_vanished(struct mailbox *mb, uint64_t since,
    const struct uidset *within, struct uidset *uids_r, struct err *e)
{
	struct arena *arena = arena_new(0);
	struct uidset found = UIDSET_INIT(arena);

	if (index_sync(mb, NULL, e) != 0) {
		arena_free(&arena);
		return -1;
	}
	if (mailbox_remembers(mb, since))
		index_history(mb, since, &found);
	else
		absent(mb, &found);
	for (size_t i = 0; i < mb->view.gone.n; i++)
		uidset_remove(&found, mb->view.gone.v[i].first,
		    mb->view.gone.v[i].last);
	if (within == NULL)
		uidset_add_set(uids_r, &found);
	else
		intersect(&found, within, uids_r);
	arena_free(&arena);
	return 0;
}
