/*
 * GETQUOTA and GETQUOTAROOT (RFC 9208): one root "" for all mailboxes of the
 * account, and one for each owner of shared ones, "Other Users/OWNER"; with one
 * resource, STORAGE.
 */
#include "imap/box.h"

#define UNIT 1024 /* bytes; RFC 9208, 5.1 */

/* Rounded up: what is stored is never told as nothing. */
static unsigned long long
units(uint64_t bytes)
{
	return bytes / UNIT + (bytes % UNIT != 0);
}

static void
put_root(struct imap_session *s, struct slice root)
{
	if (root.n > 0)
		imap_put_mailbox(s, root);
	else
		buf_addz(&s->out, "\"\"");
}

/* Without a limit there is nothing to tell: the line has no form for use
 * alone. */
static int
tell_quota(struct imap_session *s, struct store *st, struct slice root,
    struct err *e)
{
	uint64_t limit = store_quota(st), bytes, count;

	if (limit == 0)
		return 0;
	if (store_quota_used(st, &bytes, &count, e) < 0)
		return -1;
	buf_addz(&s->out, "* QUOTA ");
	put_root(s, root);
	buf_addf(&s->out, " (STORAGE %llu %llu)\r\n", units(bytes),
	    units(limit));
	return 0;
}

enum imap_result
imap_cmd_getquota(struct imap_session *s, struct imap_command *c)
{
	struct store *st = s->store;
	struct err e = ERR_INIT;
	struct slice wire, root = SLICE_NULL;

	if (!imap_sp(&c->p) || !imap_astring(&c->p, &wire) || !imap_end(&c->p))
		return imap_bad_args(c);
	if (wire.n > 0)
		st = imap_decode_name(&c->p, wire, &root)
		    ? imap_store_of_root(s, root)
		    : NULL;
	if (!st)
		return imap_no(c, "NONEXISTENT", "no such quota root");
	if (tell_quota(s, st, root, &e) < 0)
		return imap_store_failed(c, STORE_FAILED, &e);
	return IMAP_OK;
}

enum imap_result
imap_cmd_getquotaroot(struct imap_session *s, struct imap_command *c)
{
	struct err e = ERR_INIT;
	struct imap_box box;
	struct slice name, root;

	if (!imap_sp(&c->p) || !imap_mailbox(&c->p, &name) || !imap_end(&c->p))
		return imap_bad_args(c);
	if (imap_box(s, c, name, ACL_READ, &box) != IMAP_OK)
		return IMAP_NO;
	root = imap_root_of(&box);
	buf_addz(&s->out, "* QUOTAROOT ");
	imap_put_mailbox(s, box.full);
	buf_addc(&s->out, ' ');
	put_root(s, root);
	buf_addz(&s->out, "\r\n");
	if (tell_quota(s, box.store, root, &e) < 0)
		return imap_store_failed(c, STORE_FAILED, &e);
	return IMAP_OK;
}
