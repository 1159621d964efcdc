/* recount.c - totals and UIDNEXT of a mailbox against its records. */
#include "store/index.h"

/* Another process may fold at the same time, from totals that are wrong. */
#define TRIES 10
#define WAIT_MS 100

struct index_sums
index_sums(const struct index *ix)
{
	struct index_sums s = { .stored = 0 };

	for (uint32_t pos = 0; pos < index_end(ix); pos++) {
		const struct record *r = index_at(ix, pos);

		if (!record_live(r))
			continue;
		index_count(&s.counts, &r->msg, true);
		s.stored += r->msg.size;
	}
	return s;
}

static bool
right(const struct index *ix, const struct index_sums *are)
{
	const struct mailbox_counts *a = &ix->counts, *b = &are->counts;

	return a->messages == b->messages && a->unseen == b->unseen &&
	    a->deleted == b->deleted && a->size == b->size &&
	    a->deleted_size == b->deleted_size && ix->stored == are->stored;
}

int
index_recount(struct mailbox *mb, bool mend, struct index_sums *were_r,
    struct err *e)
{
	struct index *ix = &mb->ix;
	struct index_sums are;
	int folded = 0;

	*were_r = ix->said_wrong
	    ? ix->said
	    : (struct index_sums){ ix->counts, ix->stored };
	for (int i = 0; i < TRIES; i++) {
		are = index_sums(ix);
		if (right(ix, &are) && !ix->said_wrong && (folded || i == 0))
			return folded;
		if (!mend)
			return 1;
		ix->counts = are.counts;
		ix->stored = are.stored;
		folded = index_fold(mb, e);
		if (folded == 0)
			clock_sleep_ms(WAIT_MS);
		if (folded < 0 || index_refresh(mb, e) < 0)
			return -1;
	}
	return err_set(e, ERR_TEMP, "%s: totals are folded by another process",
	    mb->name);
}

/* The line says what the state has raised already; the fold, so does the CDB. */
int
index_raise_uidnext(struct mailbox *mb, struct err *e)
{
	struct line l = { .type = 'v' };
	struct lines ls = LINES_INIT;
	int rc = index_lock(mb, e);

	if (rc != 0)
		return -1;
	l.uidvalidity = mb->ix.uidvalidity;
	l.uidnext = mb->ix.uidnext;
	l.name = mailbox_id(mb);
	lines_add(&ls, &l);
	rc = index_append(mb, &ls, e);
	index_unlock(mb);
	lines_free(&ls);
	return rc == 0 && index_sync(mb, NULL, e) == 0 && index_fold(mb, e) >= 0
	    ? 0
	    : -1;
}
