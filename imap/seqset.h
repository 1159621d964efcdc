/*
 * seqset - sequence sets of commands, as UIDs of the selected mailbox.
 *
 * Sequence numbers are turned into UIDs at once: between the UIDs of the
 * first and last message of a range the view has exactly the messages of the
 * range. So all commands work on UIDs.
 */
#ifndef IMAP_SEQSET_H
#define IMAP_SEQSET_H

#include "imap/imap.h"

/*
 * "1,3:5,7:*" or "$" (RFC 9051, 9 sequence-set). uid: the numbers are UIDs. A
 * sequence number beyond the mailbox is an error, a UID that is not there is
 * not. In an empty mailbox "*" stands for nothing.
 */
bool imap_seqset(struct imap_session *s, struct imap_parse *p, bool uid,
    struct uidset *set_r);

/* "1,3:5" as it is: no "*", no "$", of no mailbox. */
bool imap_numbers(struct imap_parse *p, struct uidset *set_r);

/* The messages of the view that are in set, ascending:
 * for (w = imap_walk(s->mb, &set); imap_step(&w, &seq);) */
struct imap_walk {
	const struct mailbox *mb;
	const struct uidset *set;
	uint64_t since; /* only those with a higher modseq */
	size_t range;
	uint32_t seq, last; /* of the range; seq 0: before it */
};
struct imap_walk imap_walk(const struct mailbox *mb, const struct uidset *set);
/* Those of them that have changed since, by modseq. */
struct imap_walk imap_walk_changed(const struct mailbox *mb,
    const struct uidset *set, uint64_t since);
bool imap_step(struct imap_walk *w, uint32_t *seq_r);

/* How many messages the walk would go through; it is not changed. */
uint32_t imap_walk_count(const struct imap_walk *w);
/* Pass over the first n of them. */
void imap_walk_skip(struct imap_walk *w, uint32_t n);

/* "1:100" of the results, or "-1:-100" counted from the last (RFC 9394, 4
 * partial-range), in either order. Zeroed: all. */
struct imap_partial {
	uint32_t first, last; /* first <= last */
	bool from_end;
};
bool imap_partial(struct imap_parse *p, struct imap_partial *partial_r);
/* Positions, from 1, of a partial of total results; false if there are none. */
bool imap_partial_of(const struct imap_partial *partial, uint32_t total,
    uint32_t *first_r, uint32_t *last_r);

/* set, as sequence numbers if not uid, appended as "1:3,5". */
void imap_put_set(struct imap_session *s, struct buf *b,
    const struct uidset *set, bool uid);

#endif
