/*
 * view.c - which messages a reader counts, and what it has not been told yet.
 *
 * Positions below view.end are numbered, except holes: messages expunged and
 * taken. Since holes are sorted, holes[k] - k does not fall, and a binary
 * search finds how many holes stand before a sequence number.
 */
#include <stdlib.h>
#include <string.h>

#include "store/index.h"

/* ---- life ---- */

/* What the view numbered before a reset. */
struct stash {
	struct seen {
		uint32_t uid;
		uint64_t modseq;
	} * seen;
	size_t nseen;
	struct record *absent; /* not in the new CDB */
	uint32_t nabsent;
};

static void
stash_free(struct stash **s)
{
	if (*s == NULL)
		return;
	free((*s)->seen);
	free((*s)->absent);
	free(*s);
	*s = NULL;
}

void
view_init(struct view *v)
{
	*v = (struct view){ .arena = arena_new(0) };
	v->gone = (struct uidset)UIDSET_INIT(v->arena);
	v->changed = (struct uidset)UIDSET_INIT(v->arena);
}

void
view_free(struct view *v)
{
	stash_free(&v->stash);
	free(v->holes);
	arena_free(&v->arena);
}

/* Memory of the sets goes when nothing is in them. */
static void
release_sets(struct view *v)
{
	if (v->gone.n > 0 || v->changed.n > 0)
		return;
	arena_reset(v->arena);
	v->gone = (struct uidset)UIDSET_INIT(v->arena);
	v->changed = (struct uidset)UIDSET_INIT(v->arena);
}

static void
add_hole(struct view *v, uint32_t pos)
{
	if (v->nholes == v->holes_size) {
		v->holes_size = 2 * v->holes_size + 16;
		v->holes =
		    xreallocarray(v->holes, v->holes_size, sizeof(*v->holes));
	}
	v->holes[v->nholes++] = pos;
}

/* Number what stands behind the end; expunged ones are holes at once. */
static void
extend(struct mailbox *mb)
{
	struct view *v = &mb->view;
	uint32_t end = index_end(&mb->ix);

	for (; v->end < end; v->end++) {
		const struct record *r = index_at(&mb->ix, v->end);

		if (record_live(r))
			index_count(&v->counts, &r->msg, true);
		else
			add_hole(v, v->end);
	}
	v->uidnext = mb->ix.uidnext;
}

static int
by_position(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

void
view_begin(struct mailbox *mb)
{
	struct view *v = &mb->view;
	struct index *ix = &mb->ix;

	v->begun = true;
	v->uidvalidity = ix->uidvalidity;
	v->end = index_end(ix);
	v->uidnext = ix->uidnext;
	v->modseq = ix->modseq;
	v->counts = ix->counts;
	/* Looking at every record would cost more than all the rest. */
	for (size_t i = 0; i < ix->ndead; i++)
		add_hole(v, ix->dead[i]);
	if (v->nholes > 0)
		qsort(v->holes, v->nholes, sizeof(*v->holes), by_position);
}

/* ---- numbers ---- */

/* Holes below a position. */
static size_t
holes_below(const struct view *v, uint32_t pos)
{
	size_t low = 0, high = v->nholes;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (v->holes[mid] < pos)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

bool
view_numbered(const struct view *v, uint32_t pos)
{
	size_t k;

	if (pos >= v->end)
		return false;
	k = holes_below(v, pos);
	return k == v->nholes || v->holes[k] != pos;
}

/* Is k the number of holes before the message with index i (from 0)? */
static bool
holes_fit(const struct view *v, size_t k, uint32_t i)
{
	return (k == 0 || v->holes[k - 1] - (k - 1) <= i) &&
	    (k == v->nholes || v->holes[k] - k > i);
}

static size_t
holes_before_index(const struct view *v, uint32_t i)
{
	size_t low = 0, high = v->nholes;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (v->holes[mid] - mid <= i)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

uint32_t
mailbox_count(const struct mailbox *mb)
{
	return mb->view.end - (uint32_t)mb->view.nholes;
}

/* Of a sequence number. */
static uint32_t
position(const struct mailbox *mb, uint32_t seq)
{
	struct view *v = (struct view *)(uintptr_t)&mb->view; /* its hint */
	uint32_t i = seq - 1;

	/* Callers walk: the holes are those of the message before, or a few
	 * more. */
	if (!holes_fit(v, v->hint, i)) {
		if (v->hint < v->nholes && holes_fit(v, v->hint + 1, i))
			v->hint++;
		else
			v->hint = holes_before_index(v, i);
	}
	return i + (uint32_t)v->hint;
}

const struct store_msg *
mailbox_msg(const struct mailbox *mb, uint32_t seq)
{
	return &index_at(&mb->ix, position(mb, seq))->msg;
}

uint32_t
mailbox_seq_from(const struct mailbox *mb, uint32_t uid)
{
	uint32_t pos = index_from(&mb->ix, uid);

	if (pos > mb->view.end)
		pos = mb->view.end;
	return pos - (uint32_t)holes_below(&mb->view, pos) + 1;
}

uint32_t
mailbox_seq(const struct mailbox *mb, uint32_t uid)
{
	uint32_t pos = index_from(&mb->ix, uid);

	if (!view_numbered(&mb->view, pos) ||
	    index_at(&mb->ix, pos)->msg.uid != uid)
		return 0;
	return pos - (uint32_t)holes_below(&mb->view, pos) + 1;
}

/* Lowest position from pos up to and with last that may have a modseq above
 * since; last + 1 if there is none. */
static uint32_t
maybe_changed(const struct index *ix, uint32_t pos, uint32_t last,
    uint64_t since)
{
	while (pos <= last) {
		uint32_t block = pos / NEWEST_BLOCK;

		if (pos < ix->nbase && ix->newest != NULL &&
		    ix->newest[block] <= since)
			pos = (block + 1) * NEWEST_BLOCK < ix->nbase
			    ? (block + 1) * NEWEST_BLOCK
			    : ix->nbase;
		else if (index_at(ix, pos)->msg.modseq > since)
			return pos;
		else
			pos++;
	}
	return last + 1;
}

/* The same for flags that under the mask are value. */
static uint32_t
maybe_flagged(const struct index *ix, uint32_t pos, uint32_t last,
    uint16_t mask, uint16_t value)
{
	while (pos <= last) {
		uint32_t next = (pos / NEWEST_BLOCK + 1) * NEWEST_BLOCK;
		bool in_base = pos < ix->nbase && ix->blockflags != NULL;
		const struct blockflags *f =
		    in_base ? &ix->blockflags[pos / NEWEST_BLOCK] : NULL;

		if (in_base && ((value & ~f->any) | (f->all & mask & ~value)))
			pos = next < ix->nbase ? next : ix->nbase;
		else if ((index_at(ix, pos)->msg.flags & mask) == value)
			return pos;
		else
			pos++;
	}
	return last + 1;
}

uint32_t
mailbox_flagged(const struct mailbox *mb, uint32_t first, uint32_t last,
    uint16_t mask, uint16_t value)
{
	const struct view *v = &mb->view;
	const struct index *ix = &mb->ix;
	uint32_t pos, end;

	if (first > last)
		return last + 1;
	end = position(mb, last);
	pos = position(mb, first);
	while ((pos = maybe_flagged(ix, pos, end, mask, value)) <= end) {
		if (view_numbered(v, pos))
			return pos - (uint32_t)holes_below(v, pos) + 1;
		pos++;
	}
	return last + 1;
}

uint32_t
mailbox_changed(const struct mailbox *mb, uint32_t first, uint32_t last,
    uint64_t since)
{
	const struct view *v = &mb->view;
	const struct index *ix = &mb->ix;
	uint32_t pos, end;

	if (first > last)
		return last + 1;
	end = position(mb, last);
	pos = position(mb, first);
	while ((pos = maybe_changed(ix, pos, end, since)) <= end) {
		if (view_numbered(v, pos))
			return pos - (uint32_t)holes_below(v, pos) + 1;
		pos++;
	}
	return last + 1;
}

uint32_t
mailbox_uidvalidity(const struct mailbox *mb)
{
	return mb->view.uidvalidity;
}

uint32_t
mailbox_uidnext(const struct mailbox *mb)
{
	return mb->view.uidnext;
}

uint64_t
mailbox_modseq(const struct mailbox *mb)
{
	/* A client that has been told of a modseq never asks for what is
	 * below, so it must know all that. */
	return view_pending(mb) == 0 ? mb->ix.modseq : mb->view.modseq;
}

/* The first message without \Seen; what is passed over stays passed over
 * until a flag changes below. */
static uint32_t
first_unseen(struct mailbox *mb)
{
	struct index *ix = &mb->ix;
	uint32_t pos = ix->unseen_from;

	for (; pos < mb->view.end; pos++) {
		const struct record *r = index_at(ix, pos);

		if (record_live(r) && (r->msg.flags & STORE_SEEN) == 0)
			break;
	}
	ix->unseen_from = pos;
	return pos < mb->view.end
	    ? pos - (uint32_t)holes_below(&mb->view, pos) + 1
	    : 0;
}

void
mailbox_counts(const struct mailbox *mb, struct mailbox_counts *c_r)
{
	*c_r = mb->view.counts;
	c_r->first_unseen = first_unseen((struct mailbox *)(uintptr_t)mb);
}

static void
each_below(const struct mailbox *mb, uint32_t end, const struct uidset *uids,
    view_fn *fn, void *arg)
{
	for (size_t i = 0; i < uids->n; i++) {
		uint32_t pos = index_from(&mb->ix, uids->v[i].first);

		for (; pos < end; pos++) {
			const struct record *r = index_at(&mb->ix, pos);

			if (r->msg.uid > uids->v[i].last)
				break;
			if (record_live(r))
				fn(arg, r);
		}
	}
}

void
view_each(const struct mailbox *mb, const struct uidset *uids, view_fn *fn,
    void *arg)
{
	each_below(mb, mb->view.end, uids, fn, arg);
}

void
index_each(const struct mailbox *mb, const struct uidset *uids, view_fn *fn,
    void *arg)
{
	each_below(mb, index_end(&mb->ix), uids, fn, arg);
}

/* ---- pending ---- */

void
view_sized(struct mailbox *mb, uint32_t pos, const struct store_msg *was)
{
	struct view *v = &mb->view;

	if (!view_numbered(v, pos))
		return;
	index_count(&v->counts, was, false);
	index_count(&v->counts, &index_at(&mb->ix, pos)->msg, true);
}

void
view_flags(struct mailbox *mb, uint32_t pos, const struct store_msg *was)
{
	struct view *v = &mb->view;
	uint32_t uid = index_at(&mb->ix, pos)->msg.uid;

	view_sized(mb, pos, was);
	if (view_numbered(v, pos) && !mb->own)
		uidset_add(&v->changed, uid, uid);
}

void
view_expunged(struct mailbox *mb, uint32_t pos)
{
	struct view *v = &mb->view;
	uint32_t uid = index_at(&mb->ix, pos)->msg.uid;

	if (view_numbered(v, pos))
		uidset_add(&v->gone, uid, uid);
}

unsigned
view_pending(const struct mailbox *mb)
{
	const struct view *v = &mb->view;

	return (v->end < index_end(&mb->ix) ? MAILBOX_NEW : 0u) |
	    (v->changed.n > 0 ? MAILBOX_FLAGS : 0u) |
	    (v->gone.n > 0 ? MAILBOX_EXPUNGE : 0u) |
	    (v->keywords ? MAILBOX_KEYWORDS : 0u) |
	    (mb->gone ? MAILBOX_GONE : 0u);
}

unsigned
mailbox_pending(const struct mailbox *mb)
{
	return view_pending(mb);
}

/* Nothing may be announced that a power cut could take back. */
static int
sync_before(struct mailbox *mb, struct err *e)
{
	return index_sync(mb, NULL, e);
}

int
mailbox_take_new(struct mailbox *mb, uint32_t *first_r, struct err *e)
{
	if (sync_before(mb, e) != 0)
		return -1;
	*first_r = mailbox_count(mb) + 1;
	extend(mb);
	mb->reader = true;
	return 0;
}

int
mailbox_take_flags(struct mailbox *mb, struct uidset *uids_r, struct err *e)
{
	struct view *v = &mb->view;

	if (sync_before(mb, e) != 0)
		return -1;
	uidset_add_set(uids_r, &v->changed);
	v->changed.n = 0;
	v->keywords = false;
	release_sets(v);
	return 0;
}

/* Merge the new holes, sorted, into the holes. */
static void
merge_holes(struct view *v, const uint32_t *new, size_t n)
{
	size_t i = v->nholes, k = n;

	for (size_t j = 0; j < n; j++)
		add_hole(v, 0); /* room */
	for (size_t at = v->nholes; k > 0; at--) {
		bool old = i > 0 && v->holes[i - 1] > new[k - 1];

		v->holes[at - 1] = old ? v->holes[--i] : new[--k];
	}
	v->hint = 0;
}

int
mailbox_take_expunged(struct mailbox *mb, struct arena *arena,
    uint32_t **seqs_r, size_t *n_r, struct uidset *uids_r, struct err *e)
{
	struct view *v = &mb->view;
	struct uidwalk w;
	uint32_t uid, *positions, *seqs;
	size_t max, n = 0;

	if (sync_before(mb, e) != 0)
		return -1;
	max = (size_t)uidset_count(&v->gone);
	positions = arena_array(arena, max, sizeof(*positions));
	seqs = arena_array(arena, max, sizeof(*seqs));
	w = uidset_walk(&v->gone);
	while (uidset_step(&w, &uid)) {
		uint32_t pos = index_from(&mb->ix, uid);

		if (!view_numbered(v, pos) ||
		    index_at(&mb->ix, pos)->msg.uid != uid)
			continue;
		index_count(&v->counts, &index_at(&mb->ix, pos)->msg, false);
		positions[n] = pos;
		/* Descending: the last first. */
		seqs[max - ++n] = pos - (uint32_t)holes_below(v, pos) + 1;
	}
	merge_holes(v, positions, n);
	if (uids_r != NULL)
		uidset_add_set(uids_r, &v->gone);
	for (size_t i = 0; i < v->gone.n; i++)
		uidset_remove(&v->changed, v->gone.v[i].first,
		    v->gone.v[i].last);
	v->gone.n = 0;
	release_sets(v);
	*seqs_r = seqs + (max - n);
	*n_r = n;
	return 0;
}

/* ---- around a reset ---- */

/* Note what is numbered, in order. */
static struct stash *
stash_new(const struct view *v, const struct index *old)
{
	struct stash *s = xcalloc(1, sizeof(*s));
	size_t hole = 0;

	s->seen = xreallocarray(NULL, (size_t)v->end + 1, sizeof(*s->seen));
	for (uint32_t pos = 0; pos < v->end; pos++) {
		const struct store_msg *m = &index_at(old, pos)->msg;

		if (hole < v->nholes && v->holes[hole] == pos)
			hole++;
		else
			s->seen[s->nseen++] =
			    (struct seen){ m->uid, m->modseq };
	}
	return s;
}

/* Keep records of what was seen and is not in the next state: they were in
 * the old one, or absent before already. */
static void
keep_absent(struct stash *s, const struct index *old, const struct index *next)
{
	struct record *kept = NULL;
	uint32_t n = 0, size = 0, absent = 0, pos = 0;

	for (size_t i = 0; i < s->nseen; i++) {
		uint32_t uid = s->seen[i].uid, from;

		while (pos < index_end(next) &&
		    index_at(next, pos)->msg.uid < uid)
			pos++;
		if (pos < index_end(next) &&
		    index_at(next, pos)->msg.uid == uid)
			continue;
		if (n == size) {
			size = 2 * size + 16;
			kept = xreallocarray(kept, size, sizeof(*kept));
		}
		while (absent < s->nabsent && s->absent[absent].msg.uid < uid)
			absent++;
		from = index_from(old, uid);
		if (from < index_end(old) &&
		    index_at(old, from)->msg.uid == uid)
			kept[n++] = *index_at(old, from);
		else if (absent < s->nabsent)
			kept[n++] = s->absent[absent];
	}
	free(s->absent);
	s->absent = kept;
	s->nabsent = n;
}

void
view_stash(struct mailbox *mb, const struct index *old)
{
	struct view *v = &mb->view;

	if (!v->begun)
		return;
	/* A second reset may come before the view was restored. */
	if (v->stash == NULL)
		v->stash = stash_new(v, old);
	keep_absent(v->stash, old, &mb->ix);
	v->end = 0;
	v->nholes = 0;
	v->hint = 0;
}

/*
 * Messages that the view numbers and that are no longer in the state get
 * records of their own, marked expunged: all records move to one array.
 */
static void
add_ghosts(struct index *ix, const struct record *ghosts, uint32_t n)
{
	uint32_t end = index_end(ix), from = 0, all = end + n;
	struct record *v = xreallocarray(NULL, all, sizeof(*v));

	for (uint32_t i = 0, g = 0; i < all; i++) {
		bool ghost = g < n &&
		    (from == end ||
			ghosts[g].msg.uid < index_at(ix, from)->msg.uid);

		v[i] = ghost ? ghosts[g++] : *index_at(ix, from++);
	}
	if (ix->base_own)
		free(ix->base);
	ix->base = v;
	ix->nbase = all;
	ix->base_own = true;
	ix->newest = NULL;
	ix->blockflags = NULL;
	ix->ntail = 0;
	ix->unseen_from = 0;
}

/* Of the absent, those that the log has not brought back. Returns how many,
 * at the beginning of the array. */
static uint32_t
find_ghosts(const struct index *ix, struct record *absent, uint32_t n)
{
	uint32_t ghosts = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t pos = index_from(ix, absent[i].msg.uid);

		if (pos < index_end(ix) &&
		    index_at(ix, pos)->msg.uid == absent[i].msg.uid)
			continue;
		absent[ghosts] = absent[i];
		absent[ghosts].msg.flags |= STORE_EXPUNGED;
		absent[ghosts++].name_n = 0;
	}
	return ghosts;
}

/* The record at pos was numbered before the reset. */
static void
renumber(struct mailbox *mb, uint32_t pos, const struct seen *seen)
{
	struct view *v = &mb->view;
	const struct record *r = index_at(&mb->ix, pos);

	index_count(&v->counts, &r->msg, true);
	if (!record_live(r))
		uidset_add(&v->gone, seen->uid, seen->uid);
	else if (r->msg.modseq != seen->modseq)
		uidset_add(&v->changed, seen->uid, seen->uid);
}

void
view_restore(struct mailbox *mb)
{
	struct view *v = &mb->view;
	struct index *ix = &mb->ix;
	struct stash *s = v->stash;
	uint32_t ghosts;
	size_t i = 0;

	if (s == NULL)
		return;
	ghosts = find_ghosts(ix, s->absent, s->nabsent);
	if (ghosts > 0)
		add_ghosts(ix, s->absent, ghosts);
	memset(&v->counts, 0, sizeof(v->counts));
	for (; v->end < index_end(ix); v->end++) {
		uint32_t uid = index_at(ix, v->end)->msg.uid;

		if (uid >= v->uidnext)
			break;
		if (i < s->nseen && s->seen[i].uid == uid)
			renumber(mb, v->end, &s->seen[i++]);
		else
			add_hole(v, v->end);
	}
	stash_free(&v->stash);
}

/* ---- as another process left it ---- */

/* Records for those that the state does not have. */
static void
add_unknown(struct index *ix, const struct uidset *uids, uint64_t modseq)
{
	struct record *v = NULL;
	uint32_t uid, n = 0, size = 0;
	struct uidwalk w;

	for (w = uidset_walk(uids); uidset_step(&w, &uid);) {
		uint32_t pos = index_from(ix, uid);

		if (pos < index_end(ix) && index_at(ix, pos)->msg.uid == uid)
			continue;
		if (n == size) {
			size = 2 * size + 16;
			v = xreallocarray(v, size, sizeof(*v));
		}
		v[n++] = (struct record){ .msg = { .uid = uid,
					      .flags = STORE_EXPUNGED |
						  STORE_UNKNOWN,
					      .modseq = modseq } };
	}
	if (n > 0)
		add_ghosts(ix, v, n);
	free(v);
}

/* Positions expunged before the view began are holes, but for those that the
 * reader still counts. */
static void
add_dead(struct mailbox *mb, const uint32_t *uids, size_t n,
    const struct uidset *gone)
{
	struct view *v = &mb->view;

	for (size_t i = 0; i < n; i++)
		if (uids[i] < v->uidnext && !uidset_has(gone, uids[i]))
			add_hole(v, index_from(&mb->ix, uids[i]));
	if (v->nholes > 0)
		qsort(v->holes, v->nholes, sizeof(*v->holes), by_position);
}

/* All live messages, but those not numbered yet, and those gone. */
static void
count_resumed(struct mailbox *mb, const struct uidset *gone)
{
	struct view *v = &mb->view;
	struct index *ix = &mb->ix;
	struct uidwalk w = uidset_walk(gone);
	uint32_t uid;

	v->counts = ix->counts;
	for (uint32_t pos = v->end; pos < index_end(ix); pos++)
		if (record_live(index_at(ix, pos)))
			index_count(&v->counts, &index_at(ix, pos)->msg, false);
	while (uidset_step(&w, &uid))
		index_count(&v->counts, &index_at(ix, index_from(ix, uid))->msg,
		    true);
}

static void
find_changed(struct mailbox *mb, uint64_t since)
{
	struct view *v = &mb->view;
	const struct index *ix = &mb->ix;
	uint32_t pos = 0;

	while (v->end > 0 &&
	    (pos = maybe_changed(ix, pos, v->end - 1, since)) < v->end) {
		const struct record *r = index_at(ix, pos++);

		if (record_live(r))
			uidset_add(&v->changed, r->msg.uid, r->msg.uid);
	}
}

void
view_resume(struct mailbox *mb, const struct mailbox_known *known,
    const struct uidset *gone)
{
	struct view *v = &mb->view;
	struct index *ix = &mb->ix;
	size_t ndead = ix->ndead;
	uint32_t *dead = xreallocarray(NULL, ndead + 1, sizeof(*dead));

	/* Positions change with the records that are added. */
	for (size_t i = 0; i < ndead; i++)
		dead[i] = index_at(ix, ix->dead[i])->msg.uid;
	add_unknown(ix, gone, known->modseq);
	v->begun = true;
	v->uidvalidity = ix->uidvalidity;
	v->uidnext = known->uidnext;
	v->end = index_from(ix, v->uidnext);
	v->modseq = known->told;
	v->keywords = known->keywords != ix->kw.n;
	add_dead(mb, dead, ndead, gone);
	free(dead);
	uidset_add_set(&v->gone, gone);
	count_resumed(mb, gone);
	uidset_add_set(&v->changed, &known->changed);
	find_changed(mb, known->modseq);
	for (size_t i = 0; i < gone->n; i++)
		uidset_remove(&v->changed, gone->v[i].first, gone->v[i].last);
}
