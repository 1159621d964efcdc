/*
 * box - which mailbox a name means, whose it is, and what may be done with it
 * (RFC 4314).
 *
 * Names are those of the account, or "Other Users/OWNER/MAILBOX" for what others
 * share (RFC 2342). The latter are only looked for among what was shared at the
 * login: a client's name never becomes a path into another account.
 */
#ifndef IMAP_BOX_H
#define IMAP_BOX_H

#include "host/host.h"
#include "imap/imap.h"
#include "service/sandbox.h"
#include "store/acl.h"
#include "store/share.h"

#define IMAP_OTHERS "Other Users"

struct imap_boxes;

struct imap_box {
	struct store *store; /* of its owner */
	struct slice name;   /* there */
	struct slice full;   /* as clients know it */
	unsigned rights;     /* ACL_*, as of now */
	bool other;          /* another account's */
};

/* ---- at login ---- */

/* What is shared with the account of s. texts live in arena. 0, or -1 with e
 * set. */
int imap_boxes_load(struct imap_session *s, struct host *host,
    struct arena *arena, struct err *e);
/* From here on this process reaches the files of its account, and the folders of
 * what is shared with it; for reading only where it has no more rights. */
int imap_narrow(const struct imap_session *s, const struct config *config,
    struct arena *arena, struct err *e);
void imap_boxes_free(struct imap_session *s);
/* Was anything shared at the login? */
bool imap_boxes_any(const struct imap_session *s);
/* Housekeeping in the stores of others, as store_tidy. */
void imap_boxes_tidy(struct imap_session *s);

/* ---- names ---- */

/* Is it "Other Users" or below? */
bool imap_is_others(struct slice name);

/* Which mailbox is it: 1, 0 there is none, or one of which the user has no
 * right at all, -1 with e set. */
int imap_resolve(struct imap_session *s, struct slice name,
    struct imap_box *box_r, struct err *e);

/*
 * The same for a command that needs all of these rights. IMAP_OK, or the
 * command's result: NONEXISTENT for one that is not there, or that the user must
 * not know of; NOPERM.
 */
enum imap_result imap_box(struct imap_session *s, struct imap_command *c,
    struct slice name, unsigned need, struct imap_box *box_r);
/* For the target of APPEND and its kin: needs ACL_INSERT; TRYCREATE. */
enum imap_result imap_box_target(struct imap_session *s, struct imap_command *c,
    struct slice name, struct imap_box *box_r);

/* Whose mailbox a name below "Other Users" is: 1 with the account, and the name
 * as it is there (empty: none), or 0 if nobody of that name shares anything. */
int imap_owner_of(struct imap_session *s, struct slice full,
    struct slice *account_r, struct slice *name_r);
/* The name of a mailbox of another account as clients know it, in the arena. */
struct slice imap_name_of(struct imap_session *s, struct slice account,
    struct slice name);

/* Is this the selected one? */
bool imap_is_selected(const struct imap_session *s, const struct imap_box *box);
/* The name of an open mailbox as clients know it; perhaps in the arena. */
struct slice imap_full_name(const struct imap_session *s,
    const struct mailbox *mb);

/* The quota root of a mailbox: "", or "Other Users/OWNER"; and whose that is,
 * if a mailbox of theirs may be read now, or NULL. */
struct slice imap_root_of(const struct imap_box *box);
struct store *imap_store_of_root(struct imap_session *s, struct slice root);

/* The account whose changes are waited for: that of the selected mailbox. */
struct store *imap_watched(const struct imap_session *s);

/* store_list with what others share now, and those above it. */
int imap_mailboxes(struct imap_session *s, struct store_mailbox **list_r,
    size_t *n_r, struct err *e);

/* ---- rights ---- */

/* Of the selected mailbox: has the user one of these, and is it not opened
 * read-only? */
bool imap_may(const struct imap_session *s, unsigned rights);
/* IMAP_OK, or READ-ONLY, NOPERM. */
enum imap_result imap_need(const struct imap_session *s, struct imap_command *c,
    unsigned rights);
/* They may have changed: tell, or end the session if it may not read any
 * more (RFC 4314, 5.1.1). */
void imap_look_at_rights(struct imap_session *s);

/* Leave of flags those that these rights allow to set (RFC 4314, 4); keywords
 * too. */
void imap_allowed_flags(struct store_flags *flags, unsigned rights);
/* Flags among STORE_FLAGS that these rights do not allow to change. */
uint16_t imap_kept_flags(unsigned rights);

#endif
