/*
 * store - the mail of one account: mailboxes over Maildir++ folders.
 *
 * This header is about the account and its list of mailboxes; mailbox.h
 * opens one mailbox, spool.h takes in a message. README has the formats and
 * what a crash can leave. Not thread-safe: one store belongs to one process.
 *
 * Mailbox names are UTF-8 in NFC with '/' between levels, "Inbox" for the
 * inbox in any case; how they look on the wire is the caller's.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/rand.h"
#include "base/slice.h"

/* What all stores of a process share. Owned by the caller, outlives them. */
struct store_env {
	int data_fd;          /* the data folder */
	int run_fd;           /* the run folder (watch/), or -1: nobody is
				 * poked, nobody waits */
	const char *hostname; /* for unique file names; '/' and ':' escaped */
	const struct clock *clock; /* NULL: the real one */
	struct rand *rand;         /* NULL: the real one */
	mode_t file_mode;          /* 0600, or 0660 for shared Maildirs */
	uint64_t
	    text_max; /* bytes of a mailbox's text index; 0: none is made */
};

struct store;

/* Special use of a mailbox (RFC 6154); bits. */
enum {
	STORE_USE_ARCHIVE = 1,
	STORE_USE_DRAFTS = 2,
	STORE_USE_JUNK = 4,
	STORE_USE_SENT = 8,
	STORE_USE_TRASH = 16,
};

struct store_initial {
	struct slice name;
	unsigned use;
};

/*
 * Open accounts/NAME under the data folder. Finishes what a crash left half
 * done in the account's own files. Returns 1, 0 if there is no such account
 * folder, -1 with e set.
 */
int store_open(struct store **st_r, const struct store_env *env,
    struct slice account, struct err *e);

/*
 * Make the account folder with Inbox and the given mailboxes, all subscribed,
 * durable before it returns. An account that exists is opened as it is (a
 * Maildir put in place by hand is adopted when its mailboxes are opened).
 */
int store_create(struct store **st_r, const struct store_env *env,
    struct slice account, const struct store_initial *initial, size_t n,
    struct err *e);

void store_close(struct store **st);
/* Housekeeping in mailboxes that were used in passing (targets of copies),
 * which can wait until the answer is out. store_close does it, too. */
void store_tidy(struct store *st);
struct slice store_account(const struct store *st);
const struct store_env *store_env_of(const struct store *st);

/* Is this still the Maildir under the account's name? For who keeps a store
 * open: accounts may be removed, or put back from a backup. */
bool store_is_current(const struct store *st);

/* Quota in bytes of stored messages for this account; 0 for none. */
void store_set_quota(struct store *st, uint64_t bytes);
uint64_t store_quota(const struct store *st);
/* Use as maildirsize says. */
int store_quota_used(struct store *st, uint64_t *bytes_r, uint64_t *count_r,
    struct err *e);

/*
 * Long work (an index for a folder that other programs filled, a copy of many
 * messages) asks between its batches whether it is to go on; done of total are
 * messages. False: it stops, and the call fails with ERR_TEMP.
 */
typedef bool store_progress_fn(void *ctx, uint64_t done, uint64_t total);
void store_set_progress(struct store *st, store_progress_fn *fn, void *ctx);

/* ---- names ---- */

/*
 * Check and normalise a name from a client: NFC, "inbox" as first element to
 * "Inbox", and the rules of RFC 9051, 5.1: no empty, "." or ".." element, no
 * leading '#', no control characters, at most STORE_NAME_MAX bytes. ERR_SYNTAX
 * with the reason.
 */
#define STORE_NAME_MAX 1000 /* bytes of UTF-8 */
int store_name_check(struct arena *arena, struct slice name,
    struct slice *name_r, struct err *e);

/* ---- the list ---- */

struct store_mailbox {
	struct slice name;
	unsigned use; /* STORE_USE_* */
	bool exists;  /* false: only subscribed, or parent of others */
	bool subscribed;
	bool has_children; /* among existing mailboxes */
};

/*
 * All existing mailboxes, subscribed names without mailbox, and missing
 * parents, sorted by name ("Inbox" first), in the arena.
 */
int store_list(struct store *st, struct arena *arena,
    struct store_mailbox **list_r, size_t *n_r, struct err *e);
/* The order of names in it: Inbox first. < 0, 0 or > 0. */
int store_order(struct slice a, struct slice b);

/*
 * These change the list, durably. Names as checked by store_name_check.
 * Failures the client caused have a code for its response.
 */
enum store_code {
	STORE_OK,
	STORE_EXISTS, /* RFC 9051 ALREADYEXISTS */
	STORE_NONEXISTENT,
	STORE_HASCHILDREN, /* delete is for leaves */
	STORE_CANNOT,      /* Inbox deleted; rename below itself */
	STORE_OVERQUOTA,
	STORE_FAILED, /* e says why */
};

/*
 * Make a mailbox and its missing parents, all subscribed; uses are taken away
 * from other mailboxes. made_r (may be NULL): the names made, in the arena.
 */
enum store_code store_mailbox_create(struct store *st, struct slice name,
    unsigned use, struct arena *arena, struct slice **made_r, size_t *n_r,
    struct err *e);
enum store_code store_mailbox_delete(struct store *st, struct slice name,
    struct err *e);
/*
 * Children move along, missing parents are made. Inbox: its messages move to
 * the new mailbox, Inbox stays (RFC 9051, 6.3.6).
 */
enum store_code store_mailbox_rename(struct store *st, struct slice from,
    struct slice to, struct err *e);
enum store_code store_set_use(struct store *st, struct slice name, unsigned use,
    struct err *e);
int store_subscribe(struct store *st, struct slice name, bool on,
    struct err *e);

/* May so many more bytes be stored? STORE_OK, STORE_OVERQUOTA, STORE_FAILED. */
enum store_code store_quota_check(struct store *st, uint64_t bytes,
    struct err *e);

/* ---- waiting ---- */

/*
 * A descriptor that becomes readable when somebody changed this account
 * (mail, flags, list), for poll; -1 if run_fd is -1 or on error (callers then
 * rely on looking every few seconds, as they must anyway).
 */
int store_watch(struct store *st);
/* Forget what was signalled so far; then look at the state. */
void store_watch_drain(struct store *st);
/* Tell the waiters of this account, after the change is synced. */
void store_poke(struct store *st);
/*
 * The same as drain, and the mailboxes that pokes were about, each once or more,
 * in the arena. False: anything may have changed.
 */
bool store_watch_take(struct store *st, struct arena *arena,
    struct slice **names_r, size_t *n_r);
/*
 * For another process to go on waiting: the name of what store_watch made here
 * (empty: nothing), and there the same with its descriptor, which is taken
 * over. If that makes no sense there is no watch.
 */
struct slice store_watch_name(const struct store *st);
void store_watch_resume(struct store *st, struct slice name, int fd);
/* Stop waiting (before handing the process's work to another). */
void store_unwatch(struct store *st);

/*
 * Stamps: numbers that differ when there was a change in between, by whomever,
 * made of sizes and mtimes. Each costs two to four calls of stat. While a change
 * is so young that another one could hide behind it: STORE_STAMP_YOUNG, which is
 * never to be taken for unchanged.
 */
#define STORE_STAMP_YOUNG UINT64_C(0)
/* Which mailboxes there are, which names are subscribed. */
uint64_t store_list_stamp(const struct store *st);
/* Messages and flags of a mailbox; also changes that nobody is to be told. */
uint64_t store_mailbox_stamp(const struct store *st, struct slice mailbox);
/* Annotations of a mailbox, or with an empty name of the account. */
uint64_t store_metadata_stamp(const struct store *st, struct slice mailbox);
/*
 * For who has another process look whether stamps may be others: the account's
 * folder, the path of a mailbox's below it (empty name: "."), appended with a NUL,
 * and the names there, ended by NULL, whose times and sizes tell.
 */
int store_folder_fd(const struct store *st);
void store_put_folder(struct slice mailbox, struct buf *b);
extern const char *const store_look_names[];
/* The folder behind a name: the same number after a rename, another one for a
 * new mailbox of that name. 0: there is none. */
uint64_t store_mailbox_identity(const struct store *st, struct slice mailbox);

#endif
