/*
 * GETQUOTA and GETQUOTAROOT (RFC 9208): one root "" for all mailboxes of the
 * account, with one resource, STORAGE.
 */
#include "imap/imap.h"

#define UNIT 1024 /* bytes; RFC 9208, 5.1 */

/* Rounded up: what is stored is never told as nothing. */
static unsigned long long
units(uint64_t bytes)
{
	return bytes / UNIT + (bytes % UNIT != 0);
}

/* Without a limit there is nothing to tell: the line has no form for use
 * alone. */
static int
tell_quota(struct imap_session *s, struct err *e)
{
	uint64_t limit = store_quota(s->store), bytes, count;

	if (limit == 0)
		return 0;
	if (store_quota_used(s->store, &bytes, &count, e) < 0)
		return -1;
	imap_line(s, "QUOTA \"\" (STORAGE %llu %llu)", units(bytes),
	    units(limit));
	return 0;
}

enum imap_result
imap_cmd_getquota(struct imap_session *s, struct imap_command *c)
{
	struct err e = ERR_INIT;
	struct slice root;

	if (!imap_sp(&c->p) || !imap_astring(&c->p, &root) || !imap_end(&c->p))
		return imap_bad_args(c);
	if (root.n > 0)
		return imap_no(c, "NONEXISTENT", "no such quota root");
	if (tell_quota(s, &e) < 0)
		return imap_store_failed(c, STORE_FAILED, &e);
	return IMAP_OK;
}

enum imap_result
imap_cmd_getquotaroot(struct imap_session *s, struct imap_command *c)
{
	struct store_mailbox mb;
	struct err e = ERR_INIT;
	struct slice name;
	int rc;

	if (!imap_sp(&c->p) || !imap_mailbox(&c->p, &name) || !imap_end(&c->p))
		return imap_bad_args(c);
	rc = store_find(s->store, name, s->arena, &mb, &e);
	if (rc < 0)
		return imap_store_failed(c, STORE_FAILED, &e);
	if (rc == 0 || !mb.exists)
		return imap_no(c, "NONEXISTENT", "no such mailbox");
	buf_addz(&s->out, "* QUOTAROOT ");
	imap_put_mailbox(s, name);
	buf_addz(&s->out, " \"\"\r\n");
	if (tell_quota(s, &e) < 0)
		return imap_store_failed(c, STORE_FAILED, &e);
	return IMAP_OK;
}
