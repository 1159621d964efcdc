/*
 * mailbox - one open mailbox: its messages, what changes them, what changed.
 *
 * An open mailbox is a view: messages in UID order, numbered 1..count. What
 * other processes do (through the log or directly in the Maildir) is taken in
 * by mailbox_refresh, but the numbering changes only when the caller takes
 * the pending changes, since IMAP allows that at certain times only
 * (RFC 9051, 7.5.1):
 *
 *   refresh       flags and keywords of records are updated at once; their
 *                 UIDs are remembered until mailbox_take_flags
 *   new           not counted until mailbox_take_new
 *   expunged      still counted, records marked, until mailbox_take_expunged
 *
 * The take functions sync what they are about to announce if need be
 * (README: nothing announced may be lost by a power cut). Changes made
 * through this handle are durable when the function returns, are visible in
 * the view at once, and are not pending for it, except that messages added or
 * expunged through it wait to be taken like all others, and that keywords it
 * was the first to use are reported (MAILBOX_KEYWORDS).
 */
#ifndef STORE_MAILBOX_H
#define STORE_MAILBOX_H

#include "store/spool.h"
#include "store/store.h"
#include "store/uidset.h"

/* System flags, as in a Maildir name; bits of struct store_msg. */
enum {
	STORE_SEEN = 1,     /* S */
	STORE_ANSWERED = 2, /* R */
	STORE_FLAGGED = 4,  /* F */
	STORE_DELETED = 8,  /* T */
	STORE_DRAFT = 16,   /* D */
	/* $Forwarded, $Junk, $NotJunk, $Phishing, $MDNSent are keywords with a
	 * bit of their own, known in every mailbox. $Forwarded is P on disk. */
	STORE_FORWARDED = 32,
	STORE_JUNK = 64,
	STORE_NOTJUNK = 128,
	STORE_PHISHING = 256,
	STORE_MDNSENT = 512,
	STORE_FLAGS = 1023,
	/* Of one that is expunged, too: all but its UID is lost (resume). */
	STORE_UNKNOWN = 1 << 14,
	STORE_EXPUNGED = 1 << 15, /* gone, not yet taken by the view */
};

#define STORE_KEYWORDS_MAX 64 /* per mailbox, besides the five above */
#define STORE_KEYWORD_MAX 100 /* bytes of a keyword */
#define STORE_EMAILID 20      /* characters of an EMAILID (RFC 8474) */
#define STORE_MAILBOXID 22    /* and of a MAILBOXID */

/* A message of the view. Read only for callers. */
struct store_msg {
	uint32_t uid;
	uint16_t flags;     /* STORE_* */
	uint64_t keywords;  /* bit n: keyword n of the mailbox */
	uint64_t modseq;    /* RFC 7162; > 0 */
	int64_t received;   /* INTERNALDATE, seconds since 1970 */
	int64_t saved;      /* when it came into this mailbox (RFC 8514) */
	uint64_t size;      /* bytes of the file */
	uint64_t wire_size; /* RFC822.SIZE, see mailbox_wire_size */
	uint64_t thread;    /* THREADID, 0 unknown */
	char emailid[STORE_EMAILID]; /* no NUL */
	/* more that is the store's own follows in the record */
};

struct mailbox;

/* Returns 1, 0 if there is no such mailbox, -1 with e set. Takes in what
 * foreign programs did, unless that is known to be nothing. */
int mailbox_open(struct mailbox **mb_r, struct store *st, struct slice name,
    struct err *e);
/* Folds the log if it is due; writes flags into file names if due. */
void mailbox_close(struct mailbox **mb);

/*
 * What a reader knows of an open mailbox: enough for another process to open it
 * with the same numbers and the same pending changes, and those that have come
 * since pending as well.
 */
struct mailbox_known {
	uint32_t uidvalidity, uidnext;
	char id[STORE_MAILBOXID]; /* no NUL */
	uint64_t modseq;   /* all up to here is in the view, or pending */
	uint64_t told;     /* mailbox_modseq */
	uint32_t count;    /* mailbox_count */
	uint32_t keywords; /* mailbox_keywords, as far as told */
	struct uidset gone, changed; /* pending */
};
/* keywords is left to the caller; the sets are good until the mailbox changes.
 * False: this cannot be known of a mailbox that is gone. */
bool mailbox_known(const struct mailbox *mb, struct mailbox_known *known_r);
/*
 * Open it again. known is not trusted. Returns 1; 0 when what happened since
 * then is no longer known, or known makes no sense; -1 with e set. If the
 * mailbox is no longer there, or another one is, it is 1: an empty view, and
 * MAILBOX_GONE with the next mailbox_refresh.
 */
int mailbox_resume(struct mailbox **mb_r, struct store *st, struct slice name,
    const struct mailbox_known *known, struct err *e);
/* Its folder, whose times and those of new, cur, mox.log show changes. */
int mailbox_folder_fd(const struct mailbox *mb);

/* Before a mailbox that was just opened is told about: make sure of lines that
 * a power cut could take back. Costs nothing if the log is at rest. */
int mailbox_announce(struct mailbox *mb, struct err *e);
struct slice mailbox_name(const struct mailbox *mb);
/* It was renamed, itself or with one above it, by store_mailbox_rename of this
 * process: go on under its new name. */
void mailbox_renamed(struct mailbox *mb, struct slice name);
struct store *mailbox_store_of(const struct mailbox *mb);

uint32_t mailbox_uidvalidity(const struct mailbox *mb);
uint32_t mailbox_uidnext(const struct mailbox *mb); /* of the view */
uint64_t mailbox_modseq(const struct mailbox *mb);  /* HIGHESTMODSEQ */
/* MAILBOXID (RFC 8474), stable over renames. */
struct slice mailbox_id(const struct mailbox *mb);

/* Totals of the view (as of the last take_new and take_expunged). */
struct mailbox_counts {
	uint32_t messages, unseen, deleted;
	uint64_t size, deleted_size; /* wire bytes, after mailbox_measure */
	uint32_t first_unseen;       /* sequence number, 0 for none */
};
void mailbox_counts(const struct mailbox *mb, struct mailbox_counts *c_r);

/*
 * RFC822.SIZE of a message: that of a file which another program put there is 0
 * in the index until it is asked for, since all of the file is read for it; then
 * it is kept. 1, 0 the message is gone, -1. May take in changes.
 */
int mailbox_wire_size(struct mailbox *mb, const struct store_msg *m,
    uint64_t *size_r, struct err *e);
/* The same for all of the mailbox, as totals need it; what cannot be read is
 * left out. Tells store_progress, whose -1 ends it with -1. */
int mailbox_measure(struct mailbox *mb, struct err *e);

/* ---- messages ---- */

uint32_t mailbox_count(const struct mailbox *mb);
/* Message of a sequence number, 1 <= seq <= count. The pointer is good until
 * the next call that changes or refreshes. */
const struct store_msg *mailbox_msg(const struct mailbox *mb, uint32_t seq);
/* Sequence number of a UID; 0 if it is not in the view. */
uint32_t mailbox_seq(const struct mailbox *mb, uint32_t uid);
/* Lowest sequence number with a UID >= uid; count + 1 if there is none. */
uint32_t mailbox_seq_from(const struct mailbox *mb, uint32_t uid);

/* Lowest sequence number of first..last (both in the view) whose message has a
 * modseq above since; last + 1 if there is none. The cost grows with what is
 * found, not with the mailbox. */
uint32_t mailbox_changed(const struct mailbox *mb, uint32_t first,
    uint32_t last, uint64_t since);
/* The same for messages whose flags under the mask are value. */
uint32_t mailbox_flagged(const struct mailbox *mb, uint32_t first,
    uint32_t last, uint16_t mask, uint16_t value);

/* Keywords of this mailbox beyond the five; index is the bit. Names in the
 * spelling of their first use; compared without case. */
size_t mailbox_keywords(const struct mailbox *mb, const struct slice **names_r);
/* Bit number of a keyword, -1 if the mailbox does not have it. */
int mailbox_keyword(const struct mailbox *mb, struct slice name);

/* ---- content ---- */

/*
 * The record of the message (message/record.h), from the cache, checked.
 * A message without one (foreign, or cache lost) is parsed and cached.
 * The slice is good until the next call with this mailbox. Returns 1, 0 if
 * the message is gone, -1 with e set.
 */
int mailbox_record(struct mailbox *mb, const struct store_msg *m,
    struct slice *record_r, struct err *e);
/* The same if it costs no parsing; false if it does. */
bool mailbox_record_cached(struct mailbox *mb, const struct store_msg *m,
    struct slice *record_r);

/*
 * Content in wire form. Reads go through one window of the file, so memory
 * does not grow with the message. Offsets are of the wire form; breaks says
 * how many line breaks stand before offset (part positions in the record
 * carry it, so no reading from the start is needed); with unknown breaks pass
 * MAILBOX_BREAKS_UNKNOWN.
 */
#define MAILBOX_BREAKS_UNKNOWN UINT64_MAX
struct mailbox_reader;
/* 1; 0 the message is gone; -1. Survives renames and expunge by others. */
int mailbox_read_open(struct mailbox_reader **r_r, struct mailbox *mb,
    const struct store_msg *m, struct err *e);
int mailbox_read_seek(struct mailbox_reader *r, uint64_t offset,
    uint64_t breaks, struct err *e);
/* Next piece, at most max bytes: 1 piece, 0 end of message, -1. The piece is
 * good until the next call. */
int mailbox_read(struct mailbox_reader *r, size_t max, struct slice *wire_r,
    struct err *e);
void mailbox_read_close(struct mailbox_reader **r);

/* ---- what others did ---- */

enum {
	MAILBOX_NEW = 1,
	MAILBOX_FLAGS = 2,
	MAILBOX_EXPUNGE = 4,
	MAILBOX_KEYWORDS = 8,
	MAILBOX_GONE = 16 /* deleted or UIDVALIDITY
       changed: the view must be closed */
};

/*
 * Take in log lines of others and changes in the folders. Returns the bits of
 * what is pending now (also from earlier refreshes), or -1 with e set.
 */
int mailbox_refresh(struct mailbox *mb, struct err *e);
/* The bits of what is pending, without looking for more. */
unsigned mailbox_pending(const struct mailbox *mb);

/* Returns 0 or -1 with e set (a sync failed; the changes stay pending). */
/* Sequence numbers of expunged messages, descending, so that they can be
 * announced one by one as they stand; and their UIDs. */
int mailbox_take_expunged(struct mailbox *mb, struct arena *arena,
    uint32_t **seqs_r, size_t *n_r, struct uidset *uids_r, struct err *e);
/* The view grows; *first_r is the first new sequence number. */
int mailbox_take_new(struct mailbox *mb, uint32_t *first_r, struct err *e);
/* UIDs whose flags changed; messages not yet counted are left out. Clears
 * MAILBOX_KEYWORDS too. */
int mailbox_take_flags(struct mailbox *mb, struct uidset *uids_r,
    struct err *e);

/* Is it known what was expunged since then? */
bool mailbox_remembers(const struct mailbox *mb, uint64_t since);
/*
 * Expunged UIDs with modseq > since, limited to within (NULL: all). If history
 * does not reach back to since, all absent UIDs below uidnext (RFC 7162,
 * 3.2.5.2). Messages that the view still numbers are not among them: they are
 * told when they are taken.
 */
int mailbox_vanished(struct mailbox *mb, uint64_t since,
    const struct uidset *within, struct uidset *uids_r, struct err *e);

/* ---- changes ---- */

struct store_flags {
	uint16_t flags;               /* STORE_FLAGS bits */
	const struct slice *keywords; /* checked by store_keyword_check */
	size_t nkeywords;
	/* MAILBOX_SET leaves these flags, and keywords, as they are. */
	uint16_t kept;
	bool keywords_kept;
};

/* A keyword a client may set: printable ASCII without (){%*"\] and space, at
 * most STORE_KEYWORD_MAX. */
bool store_keyword_check(struct slice keyword);

enum mailbox_flagop { MAILBOX_ADD, MAILBOX_REMOVE, MAILBOX_SET };

/*
 * Change flags of the messages of uids in the view. With unchanged_since > 0
 * (RFC 7162, 3.1.3) messages with a larger modseq are left alone and put into
 * *modified_r. *changed_r: those whose flags really changed; all with one
 * modseq. ERR_LIMIT when there are too many keywords.
 */
struct mailbox_store_result {
	struct uidset changed, modified;
	uint64_t modseq;
};
int mailbox_store(struct mailbox *mb, const struct uidset *uids,
    enum mailbox_flagop op, const struct store_flags *flags, bool conditional,
    uint64_t unchanged_since, struct arena *arena,
    struct mailbox_store_result *result_r, struct err *e);

/* Expunge those of uids (NULL: all) that are \Deleted. */
int mailbox_expunge(struct mailbox *mb, const struct uidset *uids,
    struct uidset *expunged_r, uint64_t *modseq_r, struct err *e);
/* Expunge the message with this UID, \Deleted or not, durably. 0, also when it
 * is gone already, or -1. */
int mailbox_remove(struct mailbox *mb, uint32_t uid, struct err *e);

/* Where to, and what may not be set there: flags and keywords that copies do
 * not have. */
struct mailbox_target {
	struct store *store;
	struct slice name;
	uint16_t without;
	bool without_keywords;
};

/*
 * Copy or move to another mailbox, also of another account, in batches between which
 * the store's progress is asked. A copy that fails leaves nothing behind; of a
 * move those moved before stay so, and are in *result_r also then. Messages
 * that are gone are left out. source and target are arrays of n UIDs, in order
 * (RFC 4315 COPYUID).
 */
struct mailbox_copy_result {
	uint32_t uidvalidity;
	uint32_t *source, *target;
	size_t n;
};
enum store_code mailbox_copy(struct mailbox *mb, const struct uidset *uids,
    const struct mailbox_target *target, bool move, struct arena *arena,
    struct mailbox_copy_result *result_r, struct err *e);

/* ---- new messages ---- */

struct mailbox_new {
	struct spool *spool; /* ended */
	struct slice prefix; /* wire form header lines, may be empty */
	struct slice record; /* checked; of the spooled message without
				   * prefix; empty: parsed later */
	struct store_flags flags;
	int64_t received; /* INTERNALDATE */
};

struct mailbox_new_result {
	uint32_t uidvalidity;
	uint32_t *uids; /* n of them, in the arena, ascending */
	char (*emailids)[STORE_EMAILID]; /* theirs, likewise */
};

/*
 * Add messages, all or nothing (RFC 3502), with one log append and one sync
 * of each file. Durable when it returns STORE_OK; STORE_OVERQUOTA and
 * STORE_FAILED leave nothing behind that anybody sees. The view need not be
 * refreshed before. Pokes waiters.
 */
enum store_code mailbox_add(struct mailbox *mb, const struct mailbox_new *msgs,
    size_t n, struct arena *arena, struct mailbox_new_result *result_r,
    struct err *e);

/*
 * The same, one message after the other, so that a caller holds one at a time:
 * files wait in tmp/, synced, until commit makes them messages. What begins
 * here lives in the arena and ends with commit or abort. freed: bytes that the
 * caller is going to free, for the quota. At most MAILBOX_ADDING_MAX messages:
 * ERR_LIMIT. A message that failed is to be followed by abort.
 */
#define MAILBOX_ADDING_MAX 10000
struct mailbox_adding;
struct mailbox_adding *mailbox_adding_new(struct mailbox *mb, uint64_t freed,
    struct arena *arena);
/* The spool, record and keywords are the caller's again afterwards. */
enum store_code mailbox_adding_message(struct mailbox_adding *a,
    const struct mailbox_new *m, struct err *e);
enum store_code mailbox_adding_commit(struct mailbox_adding *a,
    struct mailbox_new_result *result_r, struct err *e);
void mailbox_adding_abort(struct mailbox_adding *a);

/* Before a long wait: give back what can be had again. */
void mailbox_idle(struct mailbox *mb);

/* Housekeeping that a caller does after it has answered: fold if due, flags
 * into names, messages from new/ to cur/. Bounded to about budget_ms. */
void mailbox_tidy(struct mailbox *mb, int budget_ms);
/* The same, but a fold, which takes as long as the mailbox is large, only if it
 * cannot wait for mailbox_tidy or mailbox_close. */
void mailbox_tidy_busy(struct mailbox *mb, int budget_ms);

/* For STATUS of a mailbox that is not open: opens, reads the header and tail,
 * closes. 1, 0 no such mailbox, -1. */
struct mailbox_status {
	char id[STORE_MAILBOXID]; /* no NUL */
	uint32_t uidvalidity, uidnext;
	uint64_t modseq;
	struct mailbox_counts counts;
};
int mailbox_status(struct store *st, struct slice name, bool sizes,
    struct mailbox_status *status_r, struct err *e);

#endif
