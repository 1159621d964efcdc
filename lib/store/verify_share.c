/*
 * verify_share.c - lists of rights, and what data/shared says of them.
 */
#include "store/acl.h"
#include "store/share.h"
#include "store/verify_int.h"

/* Until somebody edits it others have no rights. */
int
verify_acl(struct verify_account *a, struct slice mailbox, struct err *e)
{
	struct arena *arena = arena_new(0);
	struct acl acl;
	int rc = acl_read(a->st, mailbox, arena, &acl, e);

	a->v->mailbox = mailbox;
	if (rc == 1 && acl.bad > 0)
		verify_report(a->v, VERIFY_ERROR, "rights", false,
		    "%zu line%s of " ACL_FILE
		    " that make no sense: to be edited",
		    acl.bad, acl.bad == 1 ? "" : "s");
	a->v->mailbox = SLICE_NULL;
	arena_free(&arena);
	return rc < 0 ? -1 : 0;
}

/* The owner is set by who calls. */
static void
found(void *ctx, const struct share_difference *d)
{
	struct verify *v = ctx;

	v->account = d->owner;
	v->mailbox = d->mailbox;
	verify_report(v, d->missing ? VERIFY_ERROR : VERIFY_NOTE, "shared",
	    v->fix,
	    d->missing ? "%.*s is not told that it is shared"
		       : "%.*s is told that it is shared",
	    SLICE_FMT(d->who));
	v->mailbox = SLICE_NULL;
}

int
verify_shares(struct verify_account *a, struct err *e)
{
	return share_mend_missing(a->st, a->v->fix, found, a->v, e);
}

int
verify_shared(struct verify *v, struct err *e)
{
	int rc = share_mend_stale(v->env, v->fix, found, v, e);

	v->account = SLICE_NULL;
	return rc;
}
