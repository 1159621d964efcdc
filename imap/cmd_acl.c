/*
 * SETACL, DELETEACL, GETACL, LISTRIGHTS and MYRIGHTS (RFC 4314).
 *
 * An identifier is the name of an account, an address of one, "anyone",
 * "authenticated", or as Dovecot has it "#owner"; "-" before it is for rights
 * that are taken away. Groups of Dovecot's, "$name" and "!name", are shown and
 * may be deleted.
 */
#include "config/lookup.h"
#include "imap/box.h"
#include "text/precis.h"

/* What may be given to an account, as LISTRIGHTS tells it. */
#define TO_OTHERS " l r s w i p k x t e c d a"
#define TO_OWNER " r s w i p k x t e c d"

/* ---- identifiers ---- */

static const struct {
	const char *text;
	enum acl_who who;
	bool named;
} words[] = {
	{ "anyone", ACL_ANYONE, false },
	{ "authenticated", ACL_AUTHENTICATED, false },
	{ "#owner", ACL_THE_OWNER, false },
	{ "$", ACL_GROUP, true },
	{ "!", ACL_GROUP_OVERRIDE, true },
};

#define WORDS (sizeof(words) / sizeof(*words))

static bool
is_word(struct slice id, struct acl_entry *entry)
{
	for (size_t i = 0; i < WORDS; i++) {
		struct slice word = slice_str(words[i].text);

		entry->who = words[i].who;
		entry->name =
		    words[i].named ? slice_skip(id, word.n) : SLICE_NULL;
		if (words[i].named ? slice_starts(id, word)
				   : slice_eq(id, word))
			return true;
	}
	return false;
}

/* Names of accounts that mean something else here can be given by an address
 * only, and would be shown wrong: they are left alone. */
static bool
is_ambiguous(struct slice account)
{
	struct acl_entry entry;

	return slice_starts(account, SLICE("-")) || is_word(account, &entry);
}

/* The account of a name or address: 1, 0 there is none, -1. */
static int
find_account(struct imap_session *s, struct slice id, struct slice *account_r,
    struct err *e)
{
	const struct conf_account *settings;
	struct lookup_result r;

	*account_r = id;
	if (!s->lookup)
		return 0;
	if (slice_chr(id, '@') < 0)
		return lookup_account(s->lookup, s->arena, id, &settings, e);
	if (lookup_login(s->lookup, s->arena, id, &r, e) < 0)
		return -1;
	if (r.status == LOOKUP_ACCOUNT)
		*account_r = r.account;
	return r.status == LOOKUP_ACCOUNT;
}

/* RFC 4314, 3 names SASLprep, which RFC 8265, 4.2 has replaced: controls and what
 * is not assigned are no part of a name, and its form is C. Names of accounts are
 * as they are configured; addresses are looked up in any form. */
static bool
prepare(struct imap_session *s, struct slice id, struct slice *id_r)
{
	struct buf b = BUF_INIT(PRECIS_MAX);
	bool ok = precis_password(&b, id, NULL) == 0;

	if (ok)
		*id_r = arena_dup(s->arena, buf_slice(&b));
	buf_free(&b);
	return ok;
}

/* known: it must be somebody who can be given rights. */
static enum imap_result
identifier(struct imap_session *s, struct imap_command *c, struct slice id,
    const struct imap_box *box, bool known, struct acl_entry *entry_r)
{
	struct slice account;
	struct err e = ERR_INIT;
	int rc;

	*entry_r =
	    (struct acl_entry){ .negative = slice_starts(id, SLICE("-")) };
	if (!prepare(s, slice_skip(id, entry_r->negative), &id))
		return imap_bad(c, "identifier is no name");
	if (is_word(id, entry_r)) {
		if (known && entry_r->name.p)
			return imap_no(c, "CANNOT", "there are no groups here");
		return IMAP_OK;
	}
	rc = find_account(s, id, &account, &e);
	if (rc < 0)
		return imap_store_failed(c, STORE_FAILED, &e);
	if (known && (rc == 0 || is_ambiguous(account)))
		return imap_no(c, "CANNOT",
		    rc == 0 ? "no such account"
			    : "this account's name means something else");
	entry_r->who = ACL_USER;
	entry_r->name = account;
	if (slice_eq(account, store_account(box->store))) {
		entry_r->who = ACL_THE_OWNER;
		entry_r->name = SLICE_NULL;
	}
	return IMAP_OK;
}

static void
put_identifier(struct imap_session *s, const struct imap_box *box,
    const struct acl_entry *entry)
{
	struct buf text = BUF_INIT(IMAP_LITERAL_MAX);

	buf_addz(&text, entry->negative ? "-" : "");
	for (size_t i = 0; i < WORDS; i++)
		if (words[i].who == entry->who && entry->who != ACL_THE_OWNER)
			buf_addz(&text, words[i].text);
	buf_add(&text,
	    entry->who == ACL_THE_OWNER ? store_account(box->store)
					: entry->name);
	imap_put_string(&s->out, buf_slice(&text));
	buf_free(&text);
}

static void
put_rights(struct imap_session *s, unsigned rights)
{
	size_t start = s->out.n;

	acl_rights_format(&s->out, rights, true);
	if (s->out.n == start)
		buf_addz(&s->out, "\"\"");
}

/* ---- changing ---- */

/* "+lr" */
static enum imap_result
modification(struct imap_command *c, struct slice text, enum acl_op *op_r,
    unsigned *rights_r)
{
	*op_r = slice_starts(text, SLICE("+")) ? ACL_ADD
	    : slice_starts(text, SLICE("-"))   ? ACL_REMOVE
					       : ACL_SET;
	if (acl_rights_parse(slice_skip(text, *op_r != ACL_SET), rights_r))
		return IMAP_OK;
	return imap_bad(c, "rights are among lrswipkxtecda");
}

static enum imap_result
change(struct imap_command *c, const struct imap_box *box,
    const struct acl_entry *entry, enum acl_op op)
{
	struct err e = ERR_INIT;
	enum store_code code = acl_change(box->store, box->name, entry, op, &e);

	return code == STORE_OK ? IMAP_OK : imap_store_failed(c, code, &e);
}

enum imap_result
imap_cmd_setacl(struct imap_session *s, struct imap_command *c)
{
	struct slice name, id, text;
	struct acl_entry entry;
	struct imap_box box;
	enum imap_result rc;
	enum acl_op op;
	unsigned rights;

	if (!imap_sp(&c->p) || !imap_mailbox(&c->p, &name) || !imap_sp(&c->p) ||
	    !imap_astring(&c->p, &id) || !imap_sp(&c->p) ||
	    !imap_astring(&c->p, &text) || !imap_end(&c->p))
		return imap_bad_args(c);
	rc = modification(c, text, &op, &rights);
	if (rc == IMAP_OK)
		rc = imap_box(s, c, name, ACL_ADMIN, &box);
	if (rc == IMAP_OK)
		rc = identifier(s, c, id, &box, true, &entry);
	if (rc != IMAP_OK)
		return rc;
	entry.rights = rights;
	return change(c, &box, &entry, op);
}

enum imap_result
imap_cmd_deleteacl(struct imap_session *s, struct imap_command *c)
{
	struct slice name, id;
	struct acl_entry entry;
	struct imap_box box;
	enum imap_result rc;

	if (!imap_sp(&c->p) || !imap_mailbox(&c->p, &name) || !imap_sp(&c->p) ||
	    !imap_astring(&c->p, &id) || !imap_end(&c->p))
		return imap_bad_args(c);
	rc = imap_box(s, c, name, ACL_ADMIN, &box);
	if (rc == IMAP_OK)
		rc = identifier(s, c, id, &box, false, &entry);
	return rc == IMAP_OK ? change(c, &box, &entry, ACL_FORGET) : rc;
}

/* ---- telling ---- */

static void
put_entry(struct imap_session *s, const struct imap_box *box,
    const struct acl_entry *entry, unsigned rights)
{
	buf_addc(&s->out, ' ');
	put_identifier(s, box, entry);
	buf_addc(&s->out, ' ');
	put_rights(s, rights);
}

/* The owner comes first, with what he has if nothing is said of him. */
static void
tell_acl(struct imap_session *s, const struct imap_box *box, struct acl *acl)
{
	struct slice owner = store_account(box->store);
	const struct acl_entry himself = { .who = ACL_THE_OWNER };
	struct acl positive = { NULL, 0, acl->bad };

	positive.v = arena_array(s->arena, acl->n, sizeof(*positive.v));
	for (size_t i = 0; i < acl->n; i++)
		if (!acl->v[i].negative)
			positive.v[positive.n++] = acl->v[i];
	buf_addz(&s->out, "* ACL ");
	imap_put_mailbox(s, box->full);
	put_entry(s, box, &himself, acl_rights(&positive, owner, owner));
	for (size_t i = 0; i < acl->n; i++) {
		const struct acl_entry *entry = &acl->v[i];
		bool own = entry->who == ACL_THE_OWNER ||
		    (entry->who == ACL_USER && slice_eq(entry->name, owner));

		if (!own || entry->negative)
			put_entry(s, box, entry, entry->rights);
	}
	buf_addz(&s->out, "\r\n");
}

enum imap_result
imap_cmd_getacl(struct imap_session *s, struct imap_command *c)
{
	struct err e = ERR_INIT;
	enum imap_result rc;
	struct imap_box box;
	struct slice name;
	struct acl acl;

	if (!imap_sp(&c->p) || !imap_mailbox(&c->p, &name) || !imap_end(&c->p))
		return imap_bad_args(c);
	rc = imap_box(s, c, name, ACL_ADMIN, &box);
	if (rc != IMAP_OK)
		return rc;
	if (acl_read(box.store, box.name, s->arena, &acl, &e) < 0)
		return imap_store_failed(c, STORE_FAILED, &e);
	tell_acl(s, &box, &acl);
	return IMAP_OK;
}

enum imap_result
imap_cmd_listrights(struct imap_session *s, struct imap_command *c)
{
	struct slice name, id;
	struct acl_entry entry;
	struct imap_box box;
	enum imap_result rc;
	bool owner;

	if (!imap_sp(&c->p) || !imap_mailbox(&c->p, &name) || !imap_sp(&c->p) ||
	    !imap_astring(&c->p, &id) || !imap_end(&c->p))
		return imap_bad_args(c);
	rc = imap_box(s, c, name, ACL_ADMIN, &box);
	if (rc == IMAP_OK)
		rc = identifier(s, c, id, &box, true, &entry);
	if (rc != IMAP_OK)
		return rc;
	owner = entry.who == ACL_THE_OWNER && !entry.negative;
	buf_addz(&s->out, "* LISTRIGHTS ");
	imap_put_mailbox(s, box.full);
	buf_addc(&s->out, ' ');
	imap_put_string(&s->out, id);
	buf_addc(&s->out, ' ');
	put_rights(s, owner ? ACL_REQUIRED : 0);
	buf_addz(&s->out, owner ? TO_OWNER "\r\n" : TO_OTHERS "\r\n");
	return IMAP_OK;
}

static void
tell_myrights(struct imap_session *s, const struct imap_box *box)
{
	buf_addz(&s->out, "* MYRIGHTS ");
	imap_put_mailbox(s, box->full);
	buf_addc(&s->out, ' ');
	put_rights(s, box->rights);
	buf_addz(&s->out, "\r\n");
}

void
imap_tell_myrights(struct imap_session *s, struct slice name)
{
	struct imap_box box;

	if (imap_resolve(s, name, &box, NULL) == 1)
		tell_myrights(s, &box);
}

enum imap_result
imap_cmd_myrights(struct imap_session *s, struct imap_command *c)
{
	/* RFC 4314, 4 */
	const unsigned any = ACL_LOOKUP | ACL_READ | ACL_INSERT | ACL_CREATE |
	    ACL_DELETE | ACL_ADMIN;
	enum imap_result rc;
	struct imap_box box;
	struct slice name;

	if (!imap_sp(&c->p) || !imap_mailbox(&c->p, &name) || !imap_end(&c->p))
		return imap_bad_args(c);
	rc = imap_box(s, c, name, 0, &box);
	if (rc != IMAP_OK)
		return rc;
	if (!(box.rights & any))
		return imap_no(c, "NONEXISTENT", "no such mailbox");
	tell_myrights(s, &box);
	return IMAP_OK;
}
