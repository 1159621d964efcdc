/*
 * renumber.c - the line `g`: all messages get UIDs 1, 2, ... in their order.
 *
 * One line does it for all, so that it is done or not, whenever a crash comes,
 * and the lock is held for no longer than a line takes. Who has the mailbox
 * open finds that it is gone (index_apply); all others make their state over.
 */
#include <stdlib.h>
#include <string.h>

#include "store/index.h"

struct renumber {
	struct index *ix;
	uint32_t *numbers; /* by position; 0: expunged */
	uint32_t n;
};

static void
count(struct renumber *rn)
{
	uint32_t end = index_end(rn->ix);

	rn->numbers = xcalloc((size_t)end + 1, sizeof(*rn->numbers));
	for (uint32_t pos = 0; pos < end; pos++)
		if (record_live(index_at(rn->ix, pos)))
			rn->numbers[pos] = ++rn->n;
}

/* The new UID of a message; 0: there is none with this UID. */
static uint32_t
number_of(const struct renumber *rn, uint32_t uid)
{
	uint32_t pos = index_from(rn->ix, uid);

	return pos < index_end(rn->ix) && index_at(rn->ix, pos)->msg.uid == uid
	    ? rn->numbers[pos]
	    : 0;
}

static void
renumber_renaming(const struct renumber *rn)
{
	struct index *ix = rn->ix;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < ix->nrenaming; i++) {
		struct renaming to = ix->renaming[i];

		to.uid = number_of(rn, to.uid);
		if (to.uid != 0)
			ix->renaming[kept++] = to;
	}
	ix->nrenaming = kept;
}

/* By position, as a line may name any UIDs. */
static void
renumber_leaving(const struct renumber *rn)
{
	struct index *ix = rn->ix;
	struct uidset leaving = UIDSET_INIT(ix->arena);

	for (uint32_t pos = 0; pos < index_end(ix) && ix->leaving.n > 0; pos++)
		if (rn->numbers[pos] != 0 &&
		    uidset_has(&ix->leaving, index_at(ix, pos)->msg.uid))
			uidset_add(&leaving, rn->numbers[pos],
			    rn->numbers[pos]);
	ix->leaving = leaving;
}

/* The first that is there and may not be placed. */
static void
renumber_unplaced(const struct renumber *rn)
{
	struct index *ix = rn->ix;
	uint32_t pos = index_from(ix, ix->unplaced);

	if (ix->unplaced == 0)
		return;
	while (pos < index_end(ix) && rn->numbers[pos] == 0)
		pos++;
	ix->unplaced = pos < index_end(ix) ? rn->numbers[pos] : 0;
}

/* One array of those that are there. */
static void
renumber_records(const struct renumber *rn, uint64_t modseq)
{
	struct index *ix = rn->ix;
	struct record *v = xreallocarray(NULL, (size_t)rn->n + 1, sizeof(*v));

	for (uint32_t pos = 0; pos < index_end(ix); pos++) {
		uint32_t uid = rn->numbers[pos];

		if (uid == 0)
			continue;
		v[uid - 1] = *index_at(ix, pos);
		v[uid - 1].msg.uid = uid;
		v[uid - 1].msg.modseq = modseq;
	}
	if (ix->base_own)
		free(ix->base);
	ix->base = v;
	ix->base_own = true;
	ix->nbase = rn->n;
	ix->ntail = 0;
	ix->newest = NULL;
	ix->ndead = 0;
	ix->unseen_from = 0;
}

void
index_renumber(struct mailbox *mb, const struct line *l)
{
	struct index *ix = &mb->ix;
	struct renumber rn = { .ix = ix };

	if (mb->view.begun) {
		mb->gone = true;
		return;
	}
	count(&rn);
	renumber_renaming(&rn);
	renumber_leaving(&rn);
	renumber_unplaced(&rn);
	renumber_records(&rn, l->modseq);
	free(rn.numbers);
	/* Behind them what is still to be unlinked, which goes by UID, too. */
	for (uint32_t i = 0; i < ix->nunlinks; i++)
		ix->unlinks[i].msg.uid = ++rn.n;
	ix->uidvalidity = l->uidvalidity;
	ix->uidnext = rn.n + 1;
	ix->nvanished = 0;
	ix->floor = l->modseq;
	ix->dirty.n = ix->in_new.n = 0;
	index_letters_changed(ix);
}
