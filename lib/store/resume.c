/*
 * resume.c - what a reader knows of a mailbox, and opening it again with that.
 *
 * The state is read as it is now; what happened since then is found by modseqs
 * and in the history of expunged messages, and is pending as if the mailbox had
 * been open all the time.
 */
#include <string.h>

#include "store/index.h"

bool
mailbox_known(const struct mailbox *mb, struct mailbox_known *known_r)
{
	*known_r = (struct mailbox_known){
		.uidvalidity = mb->view.uidvalidity,
		.uidnext = mb->view.uidnext,
		.modseq = mb->ix.modseq,
		.told = mailbox_modseq(mb),
		.count = mailbox_count(mb),
		.gone = mb->view.gone,
		.changed = mb->view.changed,
	};
	memcpy(known_r->id, mb->ix.id, sizeof(known_r->id));
	return !mb->gone;
}

int
mailbox_folder_fd(const struct mailbox *mb)
{
	return mb->folder.fd;
}

/* Is it the mailbox that is known? */
static bool
is_same(const struct mailbox *mb, const struct mailbox_known *known)
{
	return mb->ix.uidvalidity == known->uidvalidity &&
	    memcmp(mb->ix.id, known->id, sizeof(known->id)) == 0;
}

/* UIDs of the set are below uidnext. */
static bool
is_below(const struct uidset *s, uint32_t uidnext)
{
	return s->n == 0 || s->v[s->n - 1].last < uidnext;
}

/* How many messages are not expunged and below uidnext. */
static uint32_t
live_below(const struct index *ix, uint32_t uidnext)
{
	uint32_t n = index_from(ix, uidnext);

	for (size_t i = 0; i < ix->ndead; i++)
		n -= index_at(ix, ix->dead[i])->msg.uid < uidnext;
	return n;
}

/*
 * What the reader counts that is expunged: in part told to it as pending, in
 * part by history. False unless that adds up to what it counts.
 */
static bool
find_gone(const struct mailbox *mb, const struct mailbox_known *known,
    struct uidset *gone_r)
{
	uidset_add_set(gone_r, &known->gone);
	if (mailbox_remembers(mb, known->modseq))
		index_history(mb, known->modseq, gone_r);
	uidset_remove(gone_r, known->uidnext, UINT32_MAX);
	return live_below(&mb->ix, known->uidnext) + uidset_count(gone_r) ==
	    known->count;
}

/* 1; 0 if known does not fit. */
static int
begin_view(struct mailbox *mb, const struct mailbox_known *known)
{
	struct arena *arena = arena_new(0);
	struct uidset gone = UIDSET_INIT(arena);
	bool fits = known->uidnext > 0 && known->uidnext <= mb->ix.uidnext &&
	    known->modseq <= mb->ix.modseq &&
	    is_below(&known->gone, known->uidnext) &&
	    is_below(&known->changed, known->uidnext) &&
	    find_gone(mb, known, &gone);

	if (fits)
		view_resume(mb, known, &gone);
	arena_free(&arena);
	return fits;
}

int
mailbox_resume(struct mailbox **mb_r, struct store *st, struct slice name,
    const struct mailbox_known *known, struct err *e)
{
	const struct folder none = FOLDER_INIT;
	int rc = index_open(mb_r, st, name, true, e);

	if (rc < 0)
		return -1;
	if (rc == 0)
		*mb_r = index_new(st, name, &none);
	if (rc == 0 || !is_same(*mb_r, known)) {
		(*mb_r)->gone = true;
		return 1;
	}
	rc = begin_view(*mb_r, known);
	if (rc == 0)
		index_close(mb_r);
	return rc;
}
