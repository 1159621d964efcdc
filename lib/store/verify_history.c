/*
 * verify_history.c - the history of an account. What is lost of it comes again
 * with the mail, so a damaged one is put aside.
 */
#include "store/history_int.h"
#include "store/verify_int.h"

int
verify_history(struct verify_account *a, struct err *e)
{
	struct err why = ERR_INIT;

	switch (verify_pair(a->st->fd, "history", HISTORY_MAGIC, &why, e)) {
	case VERIFY_PAIR_NONE:
	case VERIFY_PAIR_GOOD:
		return 0;
	case VERIFY_PAIR_FAILED:
		return -1;
	default:
		break;
	}
	if (a->v->fix && db_pair_discard(a->st->fd, "history", e) < 0)
		return -1;
	verify_report(a->v, VERIFY_ERROR, "history", a->v->fix, "history: %s",
	    why.text);
	return 0;
}
