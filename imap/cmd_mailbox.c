/* CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE. */
#include "imap/box.h"
#include "imap/notify.h"
#include "imap/others.h"
#include "imap/use.h"

/* "(USE (\Sent))", RFC 6154, 3. */
static enum imap_result
create_parameters(struct imap_command *c, unsigned *use_r)
{
	struct imap_parse *p = &c->p;
	unsigned use;

	*use_r = 0;
	if (!imap_char(p, ' '))
		return IMAP_OK;
	if (!imap_char(p, '(') || !imap_word(p, "USE") || !imap_sp(p) ||
	    !imap_char(p, '('))
		return imap_bad(c, "expected (USE (");
	while (!imap_char(p, ')')) {
		struct slice name;
		if (*use_r && !imap_sp(p))
			return imap_bad_args(c);
		if (!imap_char(p, '\\') || !imap_atom(p, &name))
			return imap_bad(c, "expected special use");
		if (!(use = imap_use_of(name)))
			return imap_no(c, "USEATTR",
			    "special use not supported");
		*use_r |= use;
	}
	return imap_char(p, ')') ? IMAP_OK : imap_bad(c, "expected )");
}

/*
 * May a mailbox of this name be made: "k" of the nearest one above it that is
 * there (RFC 4314, 4)? Those of others must have one.
 */
static enum imap_result
may_create(struct imap_session *s, struct imap_command *c, struct slice name)
{
	bool others = imap_is_others(name);
	struct imap_box box;
	ssize_t slash;
	int rc = 0;

	while (rc == 0 && (slash = slice_rchr(name, '/')) > 0) {
		name = slice_head(name, (size_t)slash);
		rc = imap_resolve(s, name, &box, NULL);
	}
	if (rc == 1 ? !(box.rights & ACL_CREATE) : others)
		return imap_no(c, "NOPERM", "you have no right to do that");
	return IMAP_OK;
}

/* Each with its attributes (RFC 9051, 6.3.4). */
void
imap_tell_created(struct imap_session *s, const struct slice *made, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buf_addz(&s->out, "* LIST (\\Subscribed) \"/\" ");
		imap_put_mailbox(s, made[i]);
		buf_addz(&s->out, "\r\n");
	}
}

enum imap_result
imap_cmd_create(struct imap_session *s, struct imap_command *c)
{
	struct mailbox_status status;
	struct err e = ERR_INIT;
	enum imap_result rc;
	enum store_code code;
	struct slice name, *made;
	unsigned use;
	size_t n;

	if (!imap_sp(&c->p) || !imap_mailbox(&c->p, &name))
		return imap_bad_args(c);
	rc = create_parameters(c, &use);
	if (rc != IMAP_OK)
		return rc;
	if (!imap_end(&c->p))
		return imap_bad_args(c);
	if (may_create(s, c, name) != IMAP_OK)
		return IMAP_NO;
	if (imap_is_others(name))
		return imap_others_create(s, c, name, use != 0);
	code =
	    store_mailbox_create(s->store, name, use, s->arena, &made, &n, &e);
	if (code != STORE_OK)
		return imap_store_failed(c, code, &e);
	imap_tell_created(s, made, n);
	imap_notify_own_names(s, name, SLICE_NULL);
	/* RFC 8474, 4.1 */
	if (mailbox_status(s->store, name, false, &status, &e) == 1)
		imap_code(c, "MAILBOXID (%.*s)", STORE_MAILBOXID, status.id);
	return IMAP_OK;
}

enum imap_result
imap_cmd_delete(struct imap_session *s, struct imap_command *c)
{
	struct err e = ERR_INIT;
	enum store_code code;
	struct imap_box box;
	struct slice name;

	if (!imap_sp(&c->p) || !imap_mailbox(&c->p, &name) || !imap_end(&c->p))
		return imap_bad_args(c);
	if (imap_box(s, c, name, ACL_DELETE, &box) != IMAP_OK)
		return IMAP_NO;
	if (box.other) {
		if (imap_others_delete(s, c, &box) != IMAP_OK)
			return IMAP_NO;
	} else {
		code = store_mailbox_delete(box.store, box.name, &e);
		if (code != STORE_OK)
			return imap_store_failed(c, code, &e);
	}
	imap_notify_own_names(s, name, SLICE_NULL);
	/* RFC 9051, 6.3.5 leaves open what becomes of a session that has it
	 * selected; ours gives it up in its own session. */
	if (imap_is_selected(s, &box)) {
		imap_unselect(s);
		imap_line(s, "OK [CLOSED] closed");
	}
	return IMAP_OK;
}

/* The selected mailbox stays so if it got another name; names as in its own
 * account. */
static void
follow_rename(struct imap_session *s, const struct store *st, struct slice from,
    struct slice to)
{
	struct slice name = s->mb ? mailbox_name(s->mb) : SLICE_NULL;

	if (slice_is(from, "Inbox") || !slice_starts(name, from) ||
	    mailbox_store_of(s->mb) != st ||
	    (name.n > from.n && name.p[from.n] != '/'))
		return;
	name = slice_skip(name, from.n);
	mailbox_renamed(s->mb,
	    arena_printf(s->arena, "%.*s%.*s", SLICE_FMT(to), SLICE_FMT(name)));
}

/* RFC 4314, 4: "x" of what is renamed, "k" where it goes, unless it stays below
 * the same one. */
static enum imap_result
may_rename(struct imap_session *s, struct imap_command *c, struct slice from,
    struct slice to, struct imap_box *box_r)
{
	ssize_t slash = slice_rchr(from, '/');
	struct slice above = slice_head(from, slash > 0 ? (size_t)slash : 0);
	enum imap_result rc = imap_box(s, c, from, ACL_DELETE, box_r);

	slash = slice_rchr(to, '/');
	if (rc == IMAP_OK &&
	    !slice_eq(above, slice_head(to, slash > 0 ? (size_t)slash : 0)))
		rc = may_create(s, c, to);
	return rc;
}

enum imap_result
imap_cmd_rename(struct imap_session *s, struct imap_command *c)
{
	struct slice from, to, name;
	struct err e = ERR_INIT;
	enum store_code code;
	struct imap_box box;

	if (!imap_sp(&c->p) || !imap_mailbox(&c->p, &from) || !imap_sp(&c->p) ||
	    !imap_mailbox(&c->p, &to) || !imap_end(&c->p))
		return imap_bad_args(c);
	if (may_rename(s, c, from, to, &box) != IMAP_OK)
		return IMAP_NO;
	name = to;
	if (box.other || imap_is_others(to)) {
		if (imap_others_rename(s, c, &box, to, &name) != IMAP_OK)
			return IMAP_NO;
		from = box.full;
		to = imap_name_of(s, store_account(box.store), name);
	} else {
		code = store_mailbox_rename(s->store, from, to, &e);
		if (code != STORE_OK)
			return imap_store_failed(c, code, &e);
	}
	follow_rename(s, box.store, box.name, name);
	imap_notify_own_names(s, from, to);
	/* RFC 9051, 6.3.6.1: the old name, for those who know it. */
	if (s->enabled & IMAP_REV2 && !slice_is(from, "Inbox")) {
		buf_addz(&s->out, "* LIST () \"/\" ");
		imap_put_mailbox(s, to);
		buf_addz(&s->out, " (\"OLDNAME\" (");
		imap_put_mailbox(s, from);
		buf_addz(&s->out, "))\r\n");
	}
	return IMAP_OK;
}

enum imap_result
imap_cmd_subscribe(struct imap_session *s, struct imap_command *c)
{
	bool on = slice_isi(c->name, "SUBSCRIBE");
	struct err e = ERR_INIT;
	struct imap_box box;
	struct slice name;

	if (!imap_sp(&c->p) || !imap_mailbox(&c->p, &name) || !imap_end(&c->p))
		return imap_bad_args(c);
	/* There or not (RFC 9051, 6.3.7), but in its one spelling. */
	imap_resolve(s, name, &box, NULL);
	if (store_subscribe(s->store, box.full, on, &e) < 0)
		return imap_store_failed(c, STORE_FAILED, &e);
	imap_notify_own_names(s, name, SLICE_NULL);
	return IMAP_OK;
}
