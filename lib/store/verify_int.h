/*
 * verify_int - what the files of the verifier share.
 */
#ifndef STORE_VERIFY_INT_H
#define STORE_VERIFY_INT_H

#include "base/map.h"
#include "store/index.h"
#include "store/verify.h"

/* Maildir: what is older than 36 hours in tmp/ belongs to nobody. Of ours,
 * nothing is at work on a file for an hour. */
#define VERIFY_TMP_S (36 * 3600)
#define VERIFY_OWN_S 3600

/* What the verifier keeps while it is in an account. */
struct verify_account {
	struct verify *v;
	struct store *st;
	struct map *ids;        /* MAILBOXID -> itself */
	uint32_t uidvalidity;   /* highest of the mailboxes */
	uint64_t count, stored; /* of all mailboxes */
	bool complete;          /* all mailboxes could be read */
	bool threads_lost;      /* enter all messages anew */
};

/* verify_pair.c: the files of a pair as they are, without opening it. */
enum verify_pair {
	VERIFY_PAIR_FAILED = -1,
	VERIFY_PAIR_NONE,
	VERIFY_PAIR_GOOD,
	VERIFY_PAIR_LINES, /* good, but for bad lines in the log */
	VERIFY_PAIR_LOST,  /* whoever opens it begins anew */
};
/* why_r: what is wrong, for LINES and LOST. e: for FAILED. */
enum verify_pair verify_pair(int dirfd, const char *name, const char *magic,
    struct err *why_r, struct err *e);

/* Report files in a folder (a path below dirfd) that begin with prefix, end
 * with suffix and are older than age_s; remove them if we fix. */
void verify_leftovers(struct verify *v, int dirfd, const char *path,
    struct slice prefix, struct slice suffix, int64_t age_s);

/* verify_mailbox.c; 0, or -1 with e set: could not go on. */
int verify_mailbox(struct verify_account *a, struct slice name, struct err *e);
/* verify_state.c: the index by itself. False: it must be made anew. */
bool verify_state(struct verify_account *a, struct mailbox *mb);
/* verify_files.c: the index against the files. */
int verify_files(struct verify_account *a, struct mailbox *mb, struct err *e);

/* verify_share.c: the list of rights of a mailbox; those whom an account's lists
 * name; whom data/shared tells too much. */
int verify_acl(struct verify_account *a, struct slice mailbox, struct err *e);
int verify_shares(struct verify_account *a, struct err *e);
int verify_shared(struct verify *v, struct err *e);

/* verify_threads.c */
int verify_threads(struct verify_account *a, struct err *e);
/* verify_history.c */
int verify_history(struct verify_account *a, struct err *e);

#endif
