/*
 * repair - put one thing of an account right that is known, or suspected, to
 * be wrong. mox-mailbox(8) has a command for each.
 *
 * All may run beside the services: what they change is appended under the
 * mailbox's lock, which is held for a batch at most; between batches the
 * store's progress is asked (store_set_progress) whether to go on. Stopped or
 * killed anywhere, they leave a store that is whole; what was not done yet the
 * next run does.
 *
 * All return 0, or -1 with e set: ERR_TEMP when they were stopped.
 */
#ifndef STORE_REPAIR_H
#define STORE_REPAIR_H

#include "store/store.h"

/* What was done to a mailbox, or (mailbox empty) to the account. */
struct repair_note {
	struct slice mailbox;
	uint64_t messages;    /* looked at */
	uint64_t changed;     /* of them, or counters */
	uint32_t uidvalidity; /* the new one, or 0 */
	const char *text;     /* NULL: nothing had to be done */
};

struct repair {
	/* Given by the caller. */
	struct store *st;
	struct slice only; /* a mailbox; empty: all of the account */
	void (*note)(void *ctx, const struct repair_note *n);
	void *ctx;
	/* For the store's progress. */
	struct slice at; /* the mailbox being worked on */
};

/* A new UIDVALIDITY for each mailbox; UIDs stay. */
int repair_bump_uidvalidity(struct repair *r, struct err *e);
/* UIDs 1, 2, ... in the order they have now, which is that of arrival, with a
 * new UIDVALIDITY. History of what was expunged ends. */
int repair_reassign_uids(struct repair *r, struct err *e);
/* UIDNEXT above all UIDs, the account's counter not below any UIDVALIDITY. */
int repair_uid_meta(struct repair *r, struct err *e);
/*
 * Read all messages: where the content is not as large as the index says, the
 * message gets a new UID, since what was told of it under the old one is wrong;
 * where only the name says another size, the file gets another name. Then
 * maildirsize.
 */
int repair_sizes(struct repair *r, struct err *e);
/* Parse all messages again, and make the text index anew where there is one. */
int repair_reparse(struct repair *r, struct err *e);
/* Those without a record, or with one that is damaged or of another version;
 * messages that the text index does not have yet. */
int repair_ensure_parsed(struct repair *r, struct err *e);
/* Totals of each index from its records, maildirsize from them. */
int repair_recount(struct repair *r, struct err *e);
/* Threads of all messages anew, in the order that they were received; only must
 * be empty. */
int repair_rethread(struct repair *r, struct err *e);

#endif
