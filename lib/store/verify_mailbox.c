/*
 * verify_mailbox.c - one mailbox: is there an index, can it be read, and what
 * does it say?
 */
#include <unistd.h>

#include "store/verify_int.h"

static void
leftovers(struct verify *v, const struct folder *f)
{
	verify_leftovers(v, f->fd, ".", SLICE("."), SLICE(".tmp"),
	    VERIFY_OWN_S);
	verify_leftovers(v, f->tmp, ".", SLICE_NULL, SLICE_NULL, VERIFY_TMP_S);
}

/* The lock file comes with the first index and stays; without it, what is lost
 * is what a crash has left of making that. */
static enum verify_pair
look_at_pair(const struct folder *f, struct err *why_r, struct err *e)
{
	enum verify_pair state =
	    verify_pair(f->fd, INDEX_PAIR, index_ops.magic, why_r, e);

	bool locked = faccessat(f->fd, INDEX_PAIR ".lock", F_OK, 0) == 0;

	if (state == VERIFY_PAIR_LOST && !locked)
		return VERIFY_PAIR_NONE;
	if (state != VERIFY_PAIR_NONE || !locked)
		return state;
	err_set(why_r, ERR_SYNTAX, "mox.log is missing");
	return VERIFY_PAIR_LOST;
}

/*
 * Before it is opened, which would begin anew what is lost. 1 go on, 0 leave
 * it alone, -1. *lines_r: there are bad lines in the log.
 */
static int
before_open(struct verify *v, const struct folder *f, bool *lines_r,
    struct err *e)
{
	struct err why = ERR_INIT;
	enum verify_pair state = look_at_pair(f, &why, e);

	*lines_r = state == VERIFY_PAIR_LINES;
	switch (state) {
	case VERIFY_PAIR_NONE:
		verify_report(v, VERIFY_NOTE, "new", v->fix,
		    "no index yet: nobody has opened it");
		return v->fix;
	case VERIFY_PAIR_LOST:
		verify_report(v, VERIFY_ERROR, "index", v->fix,
		    "%s: UIDVALIDITY changes", why.text);
		return v->fix;
	case VERIFY_PAIR_LINES:
		verify_report(v, VERIFY_ERROR, "log", v->fix, "%s", why.text);
		return 1;
	case VERIFY_PAIR_GOOD:
		return 1;
	case VERIFY_PAIR_FAILED:
		break;
	}
	return -1;
}

/* The lock lets the next writer's work be done: torn tails, half folds, files
 * in tmp/. */
static int
settle(struct mailbox *mb, bool lines, struct err *e)
{
	if (index_lock(mb, e) != 0)
		return -1;
	index_unlock(mb);
	return lines && index_fold(mb, e) < 0 ? -1 : 0;
}

static int
begin_anew(struct verify_account *a, struct mailbox **mb, struct slice name,
    struct err *e)
{
	int rc = db_pair_discard((*mb)->folder.fd, INDEX_PAIR, e);

	index_close(mb);
	return rc == 0 && index_open(mb, a->st, name, false, e) == 1 ? 0 : -1;
}

static void
add_totals(struct verify_account *a, const struct mailbox *mb)
{
	a->v->mailboxes++;
	a->v->messages += mb->ix.counts.messages;
	a->count += mb->ix.counts.messages;
	a->stored += mb->ix.stored;
	if (mb->ix.uidvalidity > a->uidvalidity)
		a->uidvalidity = mb->ix.uidvalidity;
}

static int
check_open(struct verify_account *a, struct mailbox **mb, struct slice name,
    bool lines, struct err *e)
{
	struct verify *v = a->v;

	if (settle(*mb, lines && v->fix, e) != 0)
		return -1;
	if (!verify_state(a, *mb)) {
		if (!v->fix)
			return 0;
		if (begin_anew(a, mb, name, e) != 0)
			return -1;
	}
	if (verify_files(a, *mb, e) != 0)
		return -1;
	if (v->fix && index_sync(*mb, NULL, e) != 0)
		return -1;
	add_totals(a, *mb);
	return 1;
}

/* 1 read, 0 not, -1. */
static int
check(struct verify_account *a, const struct folder *f, struct slice name,
    struct err *e)
{
	struct mailbox *mb = NULL;
	bool lines;
	int rc = before_open(a->v, f, &lines, e);

	if (rc == 1)
		rc = index_open(&mb, a->st, name, false, e);
	if (rc == 1)
		rc = check_open(a, &mb, name, lines, e);
	if (mb)
		index_close(&mb);
	return rc;
}

int
verify_mailbox(struct verify_account *a, struct slice name, struct err *e)
{
	struct verify *v = a->v;
	struct err why = ERR_INIT;
	struct folder f;
	int rc = folder_open(&f, a->st, name, &why);

	if (rc == 0)
		return 0; /* removed meanwhile */
	v->mailbox = name;
	if (rc == 1) {
		leftovers(v, &f);
		rc = check(a, &f, name, &why);
	}
	if (rc < 0)
		verify_report(v, VERIFY_ERROR, "mailbox", false, "%s",
		    why.text);
	if (rc <= 0)
		a->complete = false;
	folder_close(&f);
	rc = rc >= 0 && v->restored ? index_renew(a->st, name, e) : 0;
	v->mailbox = SLICE_NULL;
	return rc;
}
