/*
 * park - a session that waits gives up its process (service.h), and goes on in
 * another one later: what it takes along.
 */
#ifndef IMAP_PARK_H
#define IMAP_PARK_H

#include "imap/imap.h"

/* How long a session waits before it is parked, in ms; 0: never. Option -park. */
#define IMAP_PARK_MS 5000

/* A session that is parked. Not: contexts of searches, the place a partial
 * FETCH ended at. NOTIFY for more mailboxes than SERVICE_STATE_MAX has room for,
 * some 300, or beside mailboxes that others share, keeps its process. */
struct imap_parked {
	unsigned enabled;
	bool idle; /* in IDLE, else between commands */
	bool readonly, searches_text;
	uint32_t rights; /* ACL_*, as last told */
	uint32_t indexed_uidnext;
	int64_t end_ms;     /* clock_mono_ms: inactive then */
	uint64_t in, out;   /* bytes so far */
	struct slice tag;   /* of IDLE */
	struct slice watch; /* store_watch_name */
	struct slice name;  /* of the mailbox; empty: none is selected */
	/* imap_notify_save; empty: nothing. */
	struct slice notify;
	struct slice unread; /* of the client's, by another process */
	struct mailbox_known known;
	struct uidset saved; /* "$" */
};

/* As bytes. False if they are more than the service takes. */
bool imap_parked_write(const struct imap_parked *p, struct buf *b);
/* And back; slices are of bytes, sets in the arena. False for what no write
 * made: the bytes come from a session, as if from a client. */
bool imap_parked_read(struct imap_parked *p_r, struct slice bytes,
    struct arena *arena);

/* May this session be parked, should it wait for long? */
bool imap_park_allowed(const struct imap_session *s);
/*
 * Park the session, which has said and been told all; in IDLE with the tag of
 * it, else between commands (tag empty). Returns only if it is not parked: it
 * goes on, and may have told changes.
 */
void imap_park(struct imap_session *s, struct slice tag, int64_t end_ms);
/*
 * Go on in a fresh process at once, which reaches what is shared with the account
 * now: between commands, when s->renew asks for it. Returns if that cannot be, as
 * for a session that cannot be parked, or with more than some 16 KB of commands
 * waiting: it may be asked again.
 */
void imap_renew(struct imap_session *s);
/* Be that session again. False: a BYE has been written. */
bool imap_park_restore(struct imap_session *s, const struct imap_parked *p,
    int watch_fd);

#endif
