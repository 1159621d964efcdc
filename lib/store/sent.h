/*
 * sent - whom an account has written to and when, and how much it has sent
 * lately: limits of submission, and who is known to an account.
 *
 * A table (lib/db/table.h) `sent` in the account's folder, not synced on the
 * way: what a power cut takes back is some counts. Keys and values:
 *
 *	r ADDRESS    FIRST LAST       seconds since 1970
 *	h HOUR       RECIPIENTS NEW   queued in that hour since 1970
 */
#ifndef STORE_SENT_H
#define STORE_SENT_H

#include "store/store.h"

enum sent_code {
	SENT_OK,
	SENT_MESSAGES,   /* more recipients in 24 hours than allowed */
	SENT_FIRST_TIME, /* more that were never written to before */
	SENT_FAILED,     /* e says why */
};

struct sent_limits {
	int64_t messages, first_time; /* in 24 hours */
};

struct sent;

/* store must outlive it. NULL with e. */
struct sent *sent_open(struct store *store, struct err *e);
void sent_close(struct sent **s);

/*
 * May a message go to these addresses now? If so they are counted and
 * remembered. Others' counts are seen, and wait.
 */
enum sent_code sent_take(struct sent *s, const struct slice *rcpts, size_t n,
    const struct sent_limits *limits, struct err *e);

/* When was this address last written to: seconds since 1970, 0 never. */
int64_t sent_last(struct sent *s, struct slice address);

/* Housekeeping, when nobody waits. */
void sent_tidy(struct sent *s);

#endif
