/*
 * resync - a client comes back to a mailbox it knows (RFC 7162, 3.2.5): what
 * has changed since, told with SELECT.
 */
#ifndef IMAP_RESYNC_H
#define IMAP_RESYNC_H

#include "imap/imap.h"

/* What the client knows. Zeroed: it did not say. */
struct imap_resync {
	bool given;
	uint32_t uidvalidity;
	uint64_t modseq;
	bool has_uids; /* the client keeps these messages only */
	struct uidset uids;
	struct uidset seqs, seq_uids; /* message numbers and their UIDs */
};

/* " (uidvalidity modseq [uids] [(seqs uids)])". */
bool imap_resync_args(struct imap_parse *p, struct imap_resync *r);

/* Tell the selected mailbox's VANISHED (EARLIER) and FETCH lines; nothing if
 * UIDVALIDITY is another one. 0, or -1 with e set. */
int imap_resync(struct imap_session *s, const struct imap_resync *r,
    struct err *e);

/* VANISHED (EARLIER) of what was expunged since, of these UIDs (NULL: all). */
int imap_tell_earlier(struct imap_session *s, uint64_t since,
    const struct uidset *within, struct err *e);

#endif
