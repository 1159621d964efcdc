/*
 * store_int - what the files of lib/store share; nobody else includes it.
 *
 *   layout    names of files and folders, both ways
 *   folder    the open folder of a mailbox
 *   cache     records of messages, in segments beside the index
 *   threads   message id -> thread, per account
 *   quota     maildirsize
 *   metadata  annotations
 *   uidlist   UIDs that Dovecot or Courier gave, read once
 *   account   locks and the UIDVALIDITY counter
 */
#ifndef STORE_STORE_INT_H
#define STORE_STORE_INT_H

#include <limits.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "db/lock.h"
#include "db/table.h"
#include "db/watch.h"
#include "store/mailbox.h"
#include "store/store.h"

struct mailbox;
struct acl;

/* The list of rights that was asked about last (acl.c). */
struct acl_last {
	char *path, *account; /* NULL: none */
	struct stat file;
	unsigned rights;
};

struct store {
	const struct store_env *env;
	char *name;               /* of the account */
	int fd;                   /* accounts/NAME */
	int maildir_fd;           /* accounts/NAME/Maildir */
	uint64_t quota;           /* bytes, 0 for none */
	struct db_table *threads; /* NULL until needed */
	struct db_watch watch;
	struct acl_last acl;
	/* Opened for another account (share.h): what it may not reach is done
	 * without. */
	bool other;
	uint64_t other_used;         /* bytes, without the notes of others */
	uint64_t other_noted;        /* bytes in those, when last looked at */
	struct mailbox *later;       /* to be closed by store_tidy, or NULL */
	store_progress_fn *progress; /* or NULL */
	void *progress_ctx;
};

/* Poke with the folder that changed (below the Maildir), so that who watches
 * many need not look at all. */
void store_poke_folder(struct store *st, const char *folder);

/* Without any folder open yet. */
struct store *store_new(const struct store_env *env, struct slice account);

/* Close it, but with the next store_tidy or the one after it. */
void store_close_later(struct store *st, struct mailbox **mb);

/* May this go on? 0, or -1 with e set. */
int store_progress(struct store *st, uint64_t done, uint64_t total,
    struct err *e);

/* prefix, the folder of an account, suffix. Escaped, no name begins with a
 * dot. -1 with e if it is no name. */
int store_account_path(const char *prefix, struct slice account,
    const char *suffix, char path_r[PATH_MAX], struct err *e);

mode_t store_folder_mode(const struct store_env *env); /* 0700 or 0770 */

/* ---- layout: file names ----
 *
 *   TIME.RrrrrrrrrrrrrEeeeeeeeeeeeeeeeeeeee.HOST,S=bytes,W=wire-bytes:2,FLAGS
 *
 * R and 12 characters are random; E and 20 are the EMAILID, the same in all
 * copies of a message. The base name, before the colon, never changes and is
 * unique in its folder. Foreign names of any form are fine.
 */

#define LAYOUT_UNKNOWN UINT64_MAX

struct layout_name {
	struct slice base;
	int64_t time;         /* the number it begins with; -1 for none */
	uint64_t size, wire;  /* S= and W=; LAYOUT_UNKNOWN if not there */
	struct slice emailid; /* STORE_EMAILID characters, or empty */
	uint16_t flags;       /* system flags and STORE_FORWARDED */
	uint32_t letters;     /* bit n: keyword letter 'a' + n */
	struct slice other;   /* letters after ":2,", all as found */
};

/* Take a name found in cur/ or new/ apart; slices point into file. False if
 * it is no message: it begins with a dot or a colon. */
bool layout_parse(struct slice file, struct layout_name *name_r);

/* Room for any name and a NUL. */
#define LAYOUT_NAME (NAME_MAX + 1)

/* Is there nothing behind the base name but flags and letters, in order, once
 * each? So layout_with_flags would make it. */
bool layout_plain(struct slice file, const struct layout_name *name);
/* A new EMAILID. */
void layout_emailid_new(const struct store_env *env,
    char emailid_r[STORE_EMAILID]);
/* The EMAILID in the name, or one that always follows from a foreign base
 * name. */
void layout_emailid(const struct layout_name *name,
    char emailid_r[STORE_EMAILID]);

/* A new base name, for a new message or a copy of one; wire may be
 * LAYOUT_UNKNOWN. */
void layout_base(const struct store_env *env, const char emailid[STORE_EMAILID],
    uint64_t size, uint64_t wire, char base_r[LAYOUT_NAME]);
/* A new name for tmp/, while the size is not known yet. */
void layout_tmp(const struct store_env *env, char name_r[LAYOUT_NAME]);

/*
 * The name of file (a base name, or with flags) with these flags and keyword
 * letters instead of what it has; letters unknown to us stay. False if it
 * gets longer than NAME_MAX.
 */
bool layout_with_flags(struct slice file, uint16_t flags, uint32_t letters,
    char name_r[LAYOUT_NAME]);

/* The name with these sizes in its S= and W=, where it has them. False if it
 * gets longer than NAME_MAX. */
bool layout_with_sizes(struct slice name, uint64_t size, uint64_t wire,
    char name_r[LAYOUT_NAME]);

/* ---- layout: folder names ----
 *
 * Maildir++: mailbox `Lists/qmail` is the folder `.Lists.qmail` beside cur/,
 * Inbox is the Maildir itself. Elements are in modified UTF-7, a '.' inside
 * one is `&AC4-`; Inbox as first of several is INBOX as with Dovecot. A folder
 * that does not come out of this is the mailbox `#` and its name, with `=XX`
 * for bytes that are not printable ASCII and for '=' and '/'.
 */

/* The folder of a mailbox, "." for Inbox. name as by store_name_check or
 * layout_mailbox. ERR_LIMIT if it is too long for a file name. */
int layout_folder(struct slice name, char folder_r[LAYOUT_NAME], struct err *e);
/* Append the mailbox name of a folder; false if this is no mailbox ("..",
 * no leading dot). */
bool layout_mailbox(struct slice folder, struct buf *name);
/* The rules of store_name_check for a name as it is. NULL, or what is
 * wrong. */
const char *layout_name_wrong(struct slice name);

/* ---- folder ---- */

struct folder {
	int fd, cur, new, tmp;  /* -1 when closed */
	char name[LAYOUT_NAME]; /* below the Maildir */
};

#define FOLDER_INIT \
	{ \
		-1, -1, -1, -1, "" \
	}

/* Open the folder of a mailbox; missing cur, new and tmp are made. Returns 1,
 * 0 if there is no such mailbox, -1 with e set. */
int folder_open(struct folder *f, struct store *st, struct slice name,
    struct err *e);
void folder_close(struct folder *f);
/* Is there a folder of this mailbox? folder_r: its name. 1, 0, -1. */
int folder_exists(struct store *st, struct slice name,
    char folder_r[LAYOUT_NAME], struct err *e);
/* Is this still the folder its name stands for? False after delete or rename
 * by others. */
bool folder_current(const struct folder *f, const struct store *st);

/* ---- cache ----
 *
 * Files mox.cache.N of up to CACHE_SEGMENT bytes, only appended to; what is
 * lost is parsed again, so nothing is synced. An entry:
 *
 *   0  4  magic "mxc1"
 *   4  4  UID        } little-endian
 *   8  4  length     }
 *   12 4  CRC-32 of UID, length and payload
 *   16    payload: the record (message/record.h); zeros up to a multiple of 16
 */

#define CACHE_SEGMENT (64u << 20)

struct cache;

struct cache_place {
	uint32_t segment; /* from 1; 0: not cached */
	uint32_t offset;
};

/* The cache in a folder, which stays open. Opens nothing yet. */
struct cache *cache_new(int dirfd, mode_t mode);
void cache_free(struct cache **c);

struct cache_entry {
	uint32_t uid;
	struct slice record;
};

/*
 * Append n records with one write, under the index lock. last is the highest
 * segment that the index refers to. Places go to places_r[n]; for an empty
 * record, or one past MSGREC_MAX, that is none. On -1 (ERR_TEMP: disk full)
 * nothing may be referred to; the message is as good without.
 */
int cache_append(struct cache *c, uint32_t last,
    const struct cache_entry *entries, size_t n, struct cache_place *places_r,
    struct err *e);

/*
 * The record at a place, valid until cache_idle. False if it is not there or
 * damaged: then parse. CRC and bounds are looked at the first time in the life
 * of this cache handle; texts are as they were checked before they were
 * written.
 */
bool cache_get(struct cache *c, struct cache_place place, uint32_t uid,
    struct slice *record_r);

/* Bytes that an entry with a record of so many takes. */
uint64_t cache_entry_size(size_t record);
/* Bytes that the entry at this place takes, unchecked; 0 if it is not there. */
uint64_t cache_size(struct cache *c, struct cache_place place);

/*
 * Compaction, at a fold. live is all that the index refers to. Records of
 * segments that are mostly dead are appended to a new one, and their places
 * in live changed, for the CDB to be written; others may append meanwhile, so
 * no lock is needed. Returns 1 if places changed, 0 if it was not worth it, -1
 * with e set (live may have changed and is good). Mappings are dropped.
 */
struct cache_live {
	uint32_t uid;
	struct cache_place place;
};
int cache_compact(struct cache *c, struct cache_live *live, size_t n,
    struct err *e);
/* When the new CDB is in place: remove segments that nothing refers to but
 * the highest, so that no number is used again. */
void cache_sweep(int dirfd, const struct cache_live *live, size_t n);
/* Remove all: the index begins anew. */
void cache_clear(int dirfd);

/* Segments on disk, in order. */
struct cache_file {
	uint32_t segment;
	uint64_t size;
};
int cache_files(int dirfd, struct arena *arena, struct cache_file **files_r,
    size_t *n_r, struct err *e);
#define CACHE_PREFIX "mox.cache."
#define CACHE_NAME 32
void cache_name(uint32_t segment, char name_r[CACHE_NAME]);
int cache_dir(const struct cache *c);
mode_t cache_mode(const struct cache *c);

/* Drop mappings; the next get maps again. */
void cache_idle(struct cache *c);

/* ---- threads ---- */

/*
 * The thread of a new message (a checked record), and remember the message
 * for later ones. Never 0. Not under a lock (the table may have to be made).
 * Unsynced, since the index keeps what was assigned. If the table cannot be
 * used the message has a thread of its own.
 */
uint64_t threads_assign(struct store *st, struct slice record,
    int64_t received);
/* The same for several, with one change of the table. */
struct thread_asked {
	struct slice record;
	int64_t received;
	uint64_t thread; /* the answer */
};
void threads_assign_all(struct store *st, struct thread_asked *v, size_t n);
/*
 * The thread of a message when all are given anew, in order: it follows from
 * what was entered before alone. late: it has been assigned one before that may
 * be wrong now, its references know better.
 */
uint64_t threads_assign_anew(struct store *st, struct slice record,
    const struct store_msg *m, bool late);
/* Enter all that another table has. Between batches the store's progress is
 * asked. Not under a lock. 0 or -1. */
int threads_take(struct store *st, struct db_table *from, struct err *e);
/* Enter a message whose thread is known, for rebuilding the table. Not under
 * a lock. */
void threads_enter(struct store *st, struct slice record, uint64_t thread,
    int64_t received);
/* Fold if due. Not under a lock. */
void threads_tidy(struct store *st);

/* ---- quota ----
 *
 * Changes of ours are appended to maildirsize if it exists; it exists if a
 * quota was ever set. Foreign changes come in when it is written anew, from
 * the totals of the indexes (index_totals).
 */

/* Note what was added (positive) or removed (negative). One small append,
 * unsynced; errors are for the next writing anew to mend. */
void quota_add(struct store *st, int64_t bytes, int64_t count);
/* Write it anew if it has grown long. Not under a lock. */
void quota_tidy(struct store *st);
/* Write it anew. */
int quota_rebuild(struct store *st, uint64_t limit, struct err *e);
/* What it says: 1, 0 there is none or it makes no sense, -1. */
struct quota {
	uint64_t limit; /* bytes; 0 for none */
	uint64_t bytes, count;
	size_t lines; /* behind the first */
	int64_t age_s;
};
int quota_read(struct store *st, struct quota *q_r, struct err *e);
/* Write it anew if it does not say what the indexes do: 1, 0 it does or there
 * is none, -1. */
int quota_recount(struct store *st, struct quota *was_r, struct quota *is_r,
    struct err *e);
/* What the file says by itself, without what others noted; 0 if nothing. */
uint64_t quota_own(struct store *st);

/* ---- uidlist ---- */

struct uidlist {
	uint32_t uidvalidity, uidnext;
	size_t n;
	/* below: private */
	struct buf text;
	struct uidlist_entry *entries;
	uint32_t *slots;
	size_t mask;
};

/*
 * Read dovecot-uidlist (versions 1 and 3) or else courierimapuiddb of a
 * folder. Lines that make no sense are skipped; of two lines with a name or
 * UID the first counts. Returns 1, 0 if there is none, or none with a header
 * that can be used, -1 with e set.
 */
int uidlist_read(struct uidlist *u, int dirfd, struct err *e);
/* UID of a base name; 0 if unknown. */
uint32_t uidlist_uid(const struct uidlist *u, struct slice base);
void uidlist_free(struct uidlist *u);

/* Keywords of Courier (courierimapkeywords/:list): calls fn for each message
 * that has some. 1, 0 no such file, -1. */
typedef void uidlist_keywords_fn(void *arg, struct slice base,
    const struct slice *keywords, size_t n);
int uidlist_courier_keywords(int dirfd, uidlist_keywords_fn *fn, void *arg,
    struct err *e);

/* ---- account ---- */

/* The lease that all changes of the list of mailboxes hold. 0 or -1. */
int store_lock_list(struct store *st, struct db_lock *lock, struct err *e);

/* Room for one more in an arena array that grows by doubling. */
void *store_push(struct arena *arena, void *v, size_t n, size_t size);

/* Mailboxes and their folders, not in order; Inbox is not among them. */
struct mailbox_folder {
	struct slice name, folder;
};
int list_folders(struct store *st, struct arena *arena,
    struct mailbox_folder **v_r, size_t *n_r, struct err *e);

/* If name is from or below it: its new name when from becomes to, in the
 * arena. False: not concerned. */
bool store_renamed(struct slice *name, struct slice from, struct slice to,
    struct arena *arena);
/* Finish a rename that a crash has interrupted. Costs one system call if
 * there is none. */
int rename_redo(struct store *st, struct err *e);

/* Make the mailbox and its missing parents, under the lease. Their names go
 * to made_r, in the arena. The Maildir is synced, the list not subscribed. */
enum store_code create_folders(struct store *st, struct slice name,
    struct arena *arena, struct slice **made_r, size_t *n_r, struct err *e);

/* Subscribed names in the order of the file. 0 or -1. */
int subscribe_read(struct store *st, struct arena *arena,
    struct slice **names_r, size_t *n_r, struct err *e);
/* These change under the lease, durably; nothing is written if nothing
 * changes. */
int subscribe_names(struct store *st, const struct slice *names, size_t n,
    bool on, struct err *e);
int subscribe_rename(struct store *st, struct slice from, struct slice to,
    struct err *e);

/* The same for special uses; a mailbox may be there several times. */
struct use {
	struct slice name;
	unsigned use; /* STORE_USE_* */
};
int use_read(struct store *st, struct arena *arena, struct use **uses_r,
    size_t *n_r, struct err *e);
/* name has exactly these uses, and no other name has them. */
int use_assign(struct store *st, struct slice name, unsigned use,
    struct err *e);
int use_rename(struct store *st, struct slice from, struct slice to,
    struct err *e);

/*
 * The next UIDVALIDITY of the account: never given before, greater than all
 * that were. Durable. Not under a lock. 0 or -1 with e set.
 */
int store_next_uidvalidity(struct store *st, uint32_t *uidvalidity_r,
    struct err *e);
/* A mailbox that was adopted has this one: give only greater ones. */
int store_note_uidvalidity(struct store *st, uint32_t uidvalidity,
    struct err *e);

/*
 * Make sure that the counter is a number, and none below floor: 1 it was not
 * and is now, 0 it was, -1. was_r: what it said, 0 for no number.
 */
int store_mend_uidvalidity(struct store *st, uint32_t floor, uint32_t *was_r,
    uint32_t *is_r, struct err *e);

/* The last one given. */
int store_last_uidvalidity(struct store *st, uint32_t *uidvalidity_r,
    struct err *e);

/* ---- annotations (metadata.h) ---- */

#define METADATA_FILE "mox.metadata"     /* in a mailbox's folder */
#define METADATA_ACCOUNT_FILE "metadata" /* of the account */
/* Those of a mailbox to another one as well. Not under a lock. */
enum store_code metadata_copy(struct store *st, struct slice from,
    struct slice to, struct err *e);
/* Lines that make no sense, in the file of a mailbox or (empty name) of the
 * account. No file: none. 0 or -1. */
int metadata_bad_lines(struct store *st, struct slice mailbox, size_t *bad_r,
    struct err *e);

/* ---- rights and sharing (acl.h, share.h) ---- */

void acl_forget(struct store *st);
/* A new mailbox has the list of the one above it (RFC 4314, 4). 0 or -1. */
int acl_inherit(struct store *st, struct slice mailbox, struct err *e);

#define SHARED_NOTES "shared" /* folder of an account: see quota.c */

/* The lease that all changes of data/shared and of lists of rights hold. fd_r:
 * the folder. */
int share_lock(const struct store_env *env, struct db_lock *lock, int *fd_r,
    struct err *e);
/* Whom a list names is told of the mailbox, or (on false) no more. Under the
 * lease. 0 or -1. */
int share_note(int shared_fd, struct store *st, struct slice mailbox,
    const struct acl *acl, bool on, struct err *e);
/* The same for those in acl who are not in but. */
int share_note_but(int shared_fd, struct store *st, struct slice mailbox,
    const struct acl *acl, const struct acl *but, bool on, struct err *e);
/* After a rename, with all below; a failure is logged: share_mend finds it. */
void share_renamed(struct store *st, struct slice from, struct slice to);
/* The same of a mailbox with this list that is gone. */
void share_removed(struct store *st, struct slice mailbox,
    const struct acl *acl);

/* ---- of the index, for the account ---- */

/* Messages and their stored bytes in a mailbox, from the index (made if there
 * is none). 1, 0 no such mailbox, -1. */
int index_totals(struct store *st, struct slice name, uint64_t *count_r,
    uint64_t *stored_r, struct err *e);
/* Give the mailbox a new UIDVALIDITY, keeping UIDs: after restoring an old
 * copy. Pokes. */
int index_renew(struct store *st, struct slice name, struct err *e);
/* The same for an open one; once durable. */
int mailbox_renew(struct mailbox *mb, uint32_t *uidvalidity_r, struct err *e);

#endif
