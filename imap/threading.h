/*
 * threading - messages as trees (RFC 5256, BASE.6.4.THREAD).
 *
 * Knows nothing of mailboxes: it is given what counts of each message. Takes
 * O(n log n) time and O(n) memory for any input, as references of a message
 * are few (message/record.h) and the way up from one is bounded.
 */
#ifndef IMAP_THREADING_H
#define IMAP_THREADING_H

#include "base/arena.h"
#include "base/buf.h"

enum thread_algorithm {
	THREAD_ORDEREDSUBJECT,
	THREAD_REFERENCES,
	/* draft-ietf-morg-inthread: as REFERENCES, but subjects do not count,
	 * times are those of arrival, and a thread is as old as its newest
	 * message. */
	THREAD_REFS,
};

/*
 * Parents further up than this are not looked at for loops: what would need
 * them is not linked. People do not answer answers a thousand deep; who makes
 * such mail should not make us walk it for each message.
 */
#define THREAD_DEPTH_MAX 1000

struct thread_message {
	uint32_t number;      /* ascending: who is first of equal ones */
	int64_t sent;         /* date and time sent; of REFS: of arrival */
	struct slice id;      /* canonical, may be empty */
	struct slice refs;    /* canonical ids with a space between */
	struct slice subject; /* base subject, folded, may be empty */
	bool reply;           /* or forward, by its subject */
};

struct thread_node {
	const struct thread_message *m; /* NULL: dummy */
	struct thread_node *parent, *child, *next, *prev;
	int64_t when; /* what it is sorted by */
	uint32_t number;
};

/* The first thread; others are its siblings. NULL if there are none. */
struct thread_node *imap_thread(struct arena *arena,
    enum thread_algorithm algorithm, const struct thread_message *v, size_t n);

/* "(166)(167 (168)(169))", with each message as told by number_of. */
void imap_put_threads(struct buf *b, const struct thread_node *first,
    uint32_t (*number_of)(void *ctx, const struct thread_message *m),
    void *ctx);

#endif
