/*
 * share - mailboxes of other accounts: who shares what with whom, and opening
 * them.
 *
 * data/shared/ACCOUNT/OWNER lists the mailboxes of OWNER that name ACCOUNT in
 * their lists of rights (acl.h); data/shared/@anyone/OWNER those that name
 * anyone. They only say where to look: what counts is the list of rights, so a
 * name too many is harmless, and one that is missing is found by share_mend.
 */
#ifndef STORE_SHARE_H
#define STORE_SHARE_H

#include "store/acl.h"
#include "store/store.h"

/* ---- what is shared with an account ---- */

#define SHARES_MAX 1000 /* mailboxes; more are left out, and logged */

/* Somebody who shares. */
struct share_owner {
	struct slice account;
	/* Bytes: quota is the caller's to fill in; used as of the reading. */
	uint64_t quota, used;
};

struct share {
	struct share_owner *owner;
	struct slice mailbox; /* of the owner's */
	unsigned rights;      /* ACL_*, as of the reading; not 0 */
};

struct shares {
	struct share *v; /* by owner and mailbox */
	size_t n;
	struct share_owner *owners;
	size_t nowners;
};

/*
 * All mailboxes that account has rights of, in the arena. An owner or mailbox
 * that cannot be read is left out and logged. 0, or -1 with e set.
 */
int shares_read(const struct store_env *env, struct slice account,
    struct arena *arena, struct shares *shares_r, struct err *e);

/*
 * Open the account of an owner for the mailboxes that are shared: reaches
 * nothing but their folders, and the folder `shared` of the account. used and
 * quota as in share_owner. Returns 1, 0 if there is no such account, -1 with e
 * set. Mailboxes whose folders may not be written are for reading only.
 */
int share_open(struct store **st_r, const struct store_env *env,
    const struct share_owner *owner, struct err *e);

/* The folders that rights of a mailbox need, below data/, in the arena: its
 * own, which for Inbox is the whole Maildir, and if writes the account's
 * `shared`. */
struct slice share_folder(const struct share *share, struct arena *arena);
struct slice share_notes(const struct share_owner *owner, struct arena *arena);

/*
 * An account is gone for good: entries for it leave the lists of rights of others,
 * so that no later account of that name has them, and nobody is told of its
 * mailboxes. Its own folder is removed before. 0, or -1 with e set.
 */
int share_account_gone(const struct store_env *env, struct slice account,
    struct err *e);

/* ---- mending ---- */

/* A difference between data/shared and the lists of rights: who is an account,
 * or "@anyone". */
struct share_difference {
	struct slice owner, mailbox, who;
	bool missing; /* else it is one too many */
};
typedef void share_found(void *ctx, const struct share_difference *d);

/* Is all that an account shares in data/shared? Add it if fix. 0, or -1 with e
 * set. */
int share_mend_missing(struct store *st, bool fix, share_found *found,
    void *ctx, struct err *e);
/* Is all that data/shared says shared, by accounts that are there? Remove it
 * if not, and fix. 0, or -1 with e set. */
int share_mend_stale(const struct store_env *env, bool fix, share_found *found,
    void *ctx, struct err *e);

#endif
