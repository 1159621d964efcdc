/*
 * repair_int - what the files of the repairs share.
 */
#ifndef STORE_REPAIR_INT_H
#define STORE_REPAIR_INT_H

#include "store/index.h"
#include "store/repair.h"

/* Messages between two questions whether to go on; lines appended at once. */
#define REPAIR_BATCH 256

typedef int repair_fn(struct repair *r, struct mailbox *mb, struct err *e);
typedef int repair_open_fn(struct mailbox **mb_r, struct store *st,
    struct slice name, struct err *e);

/* Open without a view; with foreign changes taken in. */
repair_open_fn repair_open;
/* Call fn with each mailbox, or the one that is wanted. 0 or -1. */
int repair_each(struct repair *r, repair_open_fn *open, repair_fn *fn,
    struct err *e);

/* n->text is made from fmt, which may be NULL. mb NULL: of the account. */
void repair_tell(struct repair *r, const struct mailbox *mb,
    struct repair_note n, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/*
 * The next live message after *uid, whose UID *uid becomes; NULL: no more.
 * Good until the state changes.
 */
const struct record *repair_next(const struct mailbox *mb, uint32_t *uid);

/* maildirsize against the totals. 0 or -1. */
int repair_quota(struct repair *r, struct err *e);

/* Append lines under the lock, if there are any. 0 or -1. */
int repair_append(struct mailbox *mb, struct lines *ls, struct err *e);
/* A line that gives a message a cache place and a thread. */
void repair_cache_line(struct lines *ls, const struct record *r,
    struct cache_place place, uint64_t thread);

#endif
