/*
 * suppress - addresses that nothing more is sent to: a list for each account,
 * which a permanent failure adds to, and people.
 *
 *	data/queue/suppress/ACCOUNT	BASE TIME auto|manual ADDRESS REASON
 *	data/queue/failures/ACCOUNT	ADDRESS COUNT TIME
 *
 * Names of files, BASE and ADDRESS are escaped (lib/db/escape.h); of a line in
 * a list BASE alone is enough, and # begins a comment: any script may append
 * one. Lines of failures say how many messages to an address failed in a row;
 * the last one counts. Both are appended to, under suppress/.lock; what people do
 * writes the list anew, without comments.
 *
 * They are in the queue, and not with the account, because mox-queued decides
 * by them when an attempt is due, and has no right on accounts.
 */
#ifndef QUEUE_SUPPRESS_H
#define QUEUE_SUPPRESS_H

#include "queue/queue.h"

#define SUPPRESS_FILE_MAX (32 * 1024 * 1024) /* bytes: 300,000 addresses */

struct suppress_entry {
	struct slice base;    /* what is compared */
	struct slice address; /* that it was made of */
	struct slice reason;
	int64_t created_us; /* 0: not known */
	bool manual;
};

/* Keeps the lists of a few accounts in memory, and looks whether they are
 * still the same. q must outlive it. */
struct suppress;
struct suppress *suppress_new(const struct queue *q);
void suppress_free(struct suppress **s);

/*
 * The address in the form that lists have: localpart without what follows a
 * plus or minus, without dots, all in lower case; domain in ASCII form. In the
 * arena.
 */
struct slice suppress_base(struct arena *arena, struct slice address);

/* Is the address on the list of the account? 1 and the entry (NULL: no
 * matter), in the arena; 0; -1 with e. */
int suppress_find(struct suppress *s, struct slice account,
    struct slice address, struct arena *arena, struct suppress_entry *entry_r,
    struct err *e);
/* All of a list, in the arena, in the order of the file. 0, or -1. */
int suppress_list(struct suppress *s, struct slice account, struct arena *arena,
    struct suppress_entry **v_r, size_t *n_r, struct err *e);
/* Accounts that have a list; sorted, in the arena. 0, or -1. */
int suppress_accounts(struct suppress *s, struct arena *arena,
    struct slice **names_r, size_t *n_r, struct err *e);

/* 1 added, 0 it was there, -1. Synced if it is manual. */
int suppress_add(struct suppress *s, struct slice account, struct slice address,
    bool manual, struct slice reason, struct err *e);
/* 1 removed, 0 it was not there, -1. Durable; its failures are forgotten. */
int suppress_remove(struct suppress *s, struct slice account,
    struct slice address, struct err *e);
/* All of an account that is gone. */
int suppress_drop(struct suppress *s, struct slice account, struct err *e);

/* ---- results of deliveries ---- */

/*
 * A message to the address has failed for good, reply is what was said ("550
 * 5.1.1 no such user"). Some codes add it to the list at once, other codes from
 * 500 on after two messages before that failed, too. 1 it is on the list now,
 * 0, -1.
 */
int suppress_failed(struct suppress *s, struct slice account,
    struct slice address, struct slice reply, struct err *e);
/* Have messages to it failed: does it matter that one is delivered? */
bool suppress_is_counted(struct suppress *s, struct slice account,
    struct slice address);
/* It was delivered: failures before do not count any more. 0, or -1. */
int suppress_delivered(struct suppress *s, struct slice account,
    struct slice address, struct err *e);

#endif
