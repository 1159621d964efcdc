/*
 * notify - telling a client what changes elsewhere: in other mailboxes, in the
 * list of mailboxes, in annotations (RFC 5465; RFC 9051, 6.3.9 and 7.2).
 *
 * What a client was told last is kept, and compared with what is so when
 * somebody pokes, and every few seconds. Stamps (store.h) say where there is
 * anything to compare. Nothing is queued, so memory is bounded by the list of
 * mailboxes, however many changes there are.
 *
 * Without NOTIFY a client that has asked for the list, or has waited in IDLE, is
 * told of mailboxes and subscriptions, and of annotations after ENABLE METADATA.
 */
#ifndef IMAP_NOTIFY_H
#define IMAP_NOTIFY_H

#include "imap/filter.h"

#define NOTIFY_GROUPS_MAX 100  /* in one command */
#define NOTIFY_FETCH_MAX 8192  /* bytes of fetch attributes */
#define NOTIFY_NAMES_MAX 10000 /* of the list: above, it is not watched */

enum { /* events, bits */
	NOTIFY_NEW = 1,
	NOTIFY_EXPUNGE = 2,
	NOTIFY_FLAGS = 4,
	NOTIFY_MESSAGES = 7, /* those three */
	NOTIFY_NAME = 8,
	NOTIFY_SUBSCRIPTION = 16,
	NOTIFY_METADATA = 32,
	NOTIFY_ACCOUNT_METADATA = 64,
	NOTIFY_EVENTS = 127,
};

/* "(mailboxes a (MessageNew MessageExpunge))" */
struct notify_group {
	struct imap_filter filter;
	unsigned events;    /* 0: NONE */
	struct slice fetch; /* "(UID FLAGS)" of MessageNew, as written */
};

/* An annotation as it was told. */
struct notify_entry {
	struct slice name;
	uint64_t hash; /* of its value */
};

/* A name of the list, and what was told of it. */
struct notify_mailbox {
	struct slice name;
	bool exists, subscribed, has_children;
	bool denied;     /* it may be listed, not read */
	unsigned use;    /* STORE_USE_* */
	unsigned events; /* wanted of it while it is not selected */
	uint64_t identity;

	bool counted; /* these are known: */
	bool own;     /* this session has added messages since */
	uint32_t uidvalidity, uidnext, messages, unseen;
	uint64_t modseq;
	uint64_t stamp;

	bool annotated; /* these are known: */
	struct notify_entry *entries;
	size_t nentries;
	uint64_t metadata_stamp;
};

struct imap_notify {
	bool given; /* NOTIFY was; without groups: NONE */
	struct arena *arena;
	struct notify_group *groups;
	size_t ngroups;

	bool listed; /* what follows is known */
	bool large;  /* there are too many names */
	struct arena *told_arena;
	struct notify_mailbox *v; /* in the order of store_list */
	size_t n;
	struct notify_mailbox account; /* its annotations */
	size_t told_bytes; /* of the arena, when the list was taken in */
	uint64_t list_stamp;
	int64_t all_ms; /* when to look at all again, monotonic */
};

/* ---- notify.c: what is wanted ---- */

/* One as of a session that has not said anything. */
struct imap_notify *imap_notify_new(void);
/* The session's, made if there is none. */
struct imap_notify *imap_notify_of(struct imap_session *s);
void imap_notify_free(struct imap_notify **n);
/* Wanted of a mailbox that is not selected; name empty: of the account. */
unsigned imap_notify_wanted(const struct imap_session *s, struct slice name,
    bool subscribed);
/* Are names of any mailbox wanted? */
bool imap_notify_names(const struct imap_session *s);
/* Is there anything to be told while no command runs? */
bool imap_notify_waits(const struct imap_session *s);

/* What is wanted of the selected mailbox. */
struct notify_selected {
	unsigned events;
	bool delayed;       /* until a command that allows it */
	struct slice fetch; /* of new messages; empty: UID and FLAGS */
};
struct notify_selected imap_notify_selected(const struct imap_session *s);

/* ---- notify_list.c: the list ---- */

/*
 * Take in the list of mailboxes. If it was known, tell what is different, but
 * of names that are from or to, above or below one of them (p NULL: none). Then
 * make known what is wanted of mailboxes and is not known; quiet: without telling
 * of it. 0, -1 with e set: ERR_LIMIT when there are too many names.
 */
int imap_notify_list(struct imap_session *s, bool quiet, struct slice from,
    struct slice to, struct err *e);
/* Tell of a mailbox by LIST; oldname: what it was renamed from, or empty. */
void imap_notify_put_list(struct imap_session *s,
    const struct notify_mailbox *m, struct slice oldname);
/* The name of the list, or NULL. */
struct notify_mailbox *imap_notify_find(const struct imap_notify *n,
    struct slice name);

/* ---- notify_look.c: looking ---- */

/* Without NOTIFY: from now on the list is watched, and annotations if ENABLE
 * said so. Costs nothing if they are. */
void imap_notify_begin(struct imap_session *s);
/* Tell what has changed. */
void imap_notify_look(struct imap_session *s);
/* Out of bounds: tell NOTIFICATIONOVERFLOW, as if NOTIFY NONE came. */
void imap_notify_overflow(struct imap_session *s, const char *why);
/* Messages and annotations of one name, without telling. 0 or -1. */
int imap_notify_count(struct imap_session *s, struct notify_mailbox *m,
    struct err *e);
int imap_notify_entries(struct imap_session *s, struct notify_mailbox *m,
    struct err *e);
/* "* STATUS name (MESSAGES ...)", as it is known. */
void imap_notify_put_status(struct imap_session *s,
    const struct notify_mailbox *m);

/* ---- cmd_metadata.c ---- */

struct metadata_entry;
/* metadata_read of what the user may know, in the session's arena: 1, 0 there is
 * none, -1 with e set. */
int imap_read_entries(struct imap_session *s, struct slice mailbox,
    struct metadata_entry **v_r, size_t *n_r, struct err *e);

/* ---- what this session does itself, which is not told ---- */

/* The list: created, deleted, (un)subscribed; or from became to. */
void imap_notify_own_names(struct imap_session *s, struct slice from,
    struct slice to);
/* Annotations of a mailbox, or (empty) of the account. */
void imap_notify_own_metadata(struct imap_session *s, struct slice name,
    const struct slice *entries, size_t n);
/* n messages were added to a mailbox, with these UIDs. */
void imap_notify_own_messages(struct imap_session *s, struct slice name,
    uint32_t uidvalidity, const uint32_t *uids, size_t n);
/* The selected mailbox is about to be left: the client knows this much. */
void imap_notify_left(struct imap_session *s);

/* ---- notify_save.c: for a session that gives up its process ---- */

/* All of it, to be read by the same program. n NULL: as if new. */
void imap_notify_save(const struct imap_notify *n, struct buf *out);
/* The other way round; false, and *n_r NULL, if it makes no sense. Any bytes
 * may be given. */
bool imap_notify_load(struct imap_notify **n_r, struct slice saved);

#endif
