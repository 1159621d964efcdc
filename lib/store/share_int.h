/*
 * share_int - data/shared as its files share it: share.c, share_index.c,
 * share_mend.c.
 */
#ifndef STORE_SHARE_INT_H
#define STORE_SHARE_INT_H

#include "store/share.h"
#include "store/store_int.h"

#define SHARE_FOLDER "shared"
#define SHARE_EVERYONE "@anyone" /* in place of an account */

struct share_names {
	struct slice *v;
	size_t n;
};

/* Mailboxes that who (an account, or SHARE_EVERYONE) is told of by owner; who
 * is told by whom; who is told anything. In the arena. 0 or -1. */
int share_list(const struct store_env *env, struct slice who,
    struct slice owner, struct arena *arena, struct share_names *names_r,
    struct err *e);
int share_owners(const struct store_env *env, struct slice who,
    struct arena *arena, struct share_names *owners_r, struct err *e);
int share_readers(const struct store_env *env, struct arena *arena,
    struct share_names *who_r, struct err *e);

/* Add a mailbox to the list of owner for who, or take it out. Under the lease
 * of share_lock. 0 or -1. */
int share_edit(int shared_fd, const struct store_env *env, struct slice who,
    struct slice owner, struct slice mailbox, bool on, struct err *e);

/* Who is to find the mailbox by this entry; empty: nobody. */
struct slice share_whom(const struct acl_entry *entry, struct slice owner);

#endif
