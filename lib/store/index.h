/*
 * index - the open mailbox inside: state, view, log lines. Included by the
 * files of lib/store that make up mailbox.h, and by verify.c.
 *
 * The state (struct index) is what mox.cdb and mox.log say: an array of
 * records in UID order, of which the first nbase are those of the CDB, used
 * in place (changed pages are private copies), the rest came with log lines.
 * An expunged record keeps its position until the state is reset by a fold.
 * The view (struct view) numbers positions for one reader.
 *
 *   index_line.c  log lines, both ways
 *   index.c       the state: reset, apply a line; lock, append, sync
 *   index_fold.c  the state as a CDB
 *   resume.c      opening with the view of another process
 *   renumber.c    new UIDs for all
 *   view.c        numbering, pending changes, restoring both after a reset
 *   keywords.c    keywords, their letters, dovecot-keywords
 *   mailbox.c     open and close; making an index for a folder without one
 *   scan.c        what foreign programs did
 *   tidy.c        unlinking, flags into names, new/ to cur/, fold
 *   add.c change.c copy.c message.c parsed.c sizes.c   the calls of mailbox.h
 */
#ifndef STORE_INDEX_H
#define STORE_INDEX_H

#include "db/pair.h"
#include "store/store_int.h"

/* ---- records ---- */

enum { RECORD_NEW, RECORD_CUR };
enum {
	RECORD_MIXED = 1,      /* LF and CRLF: wire offsets need counting */
	RECORD_UNMEASURED = 2, /* wire_size is 0: nobody has asked for it yet */
};

/*
 * A message as in the CDB; host byte order, so a CDB that another kind of
 * machine wrote is noticed by its magic and the index rebuilt.
 *
 * The file is named by place, name, disk and letters. disk and letters are
 * what the name says as last synced; msg.flags and msg.keywords are the truth.
 */
struct record {
	struct store_msg msg;
	uint32_t name; /* offset in the names: file name without flags */
	uint16_t name_n;
	uint8_t place; /* RECORD_NEW, RECORD_CUR */
	uint8_t bits;
	uint32_t letters; /* keyword letters in the file name */
	uint16_t disk;    /* flags in the file name, within LAYOUT_FLAGS */
	uint16_t zero;
	struct cache_place cache;
};
_Static_assert(sizeof(struct record) == 112, "record has no padding");

/* Flags that have a letter in a Maildir name. */
#define LAYOUT_FLAGS \
	(STORE_SEEN | STORE_ANSWERED | STORE_FLAGGED | STORE_DELETED | \
	    STORE_DRAFT | STORE_FORWARDED)

/* Messages expunged with one modseq: a range of UIDs. */
struct vanished {
	uint64_t modseq;
	uint32_t first, last;
};

/* History kept at a fold; below its floor QRESYNC gets the long answer. 10,000
 * ranges are 160 KB and months of a busy mailbox. */
#define VANISHED_MAX 10000

/* The highest modseq of so many records each is kept, so that finding what
 * changed does not look at all: 4,000 numbers for a million messages. */
#define NEWEST_BLOCK 256u

/* Flags that some message of a block has, and that all have; of blocks in which
 * flags changed since the fold, at most and at least. */
struct blockflags {
	uint16_t any, all;
};

/* ---- keywords ---- */

#define LETTERS 26 /* a to z in file names */

struct letter {
	uint16_t flag; /* one of STORE_*, or 0 */
	int8_t bit;    /* keyword, or -1 */
};

struct keywords {
	struct slice names[STORE_KEYWORDS_MAX];
	size_t n;
	struct letter letters[LETTERS];
	uint32_t used; /* letters that mean something */
};

/* ---- state ---- */

/* A folder's mtime as known; suspect: it was young when it was looked at, a
 * change right after it may have the same mtime. */
struct mtime {
	int64_t ns; /* 0: never looked at */
	bool suspect;
};

#define MAILBOXID STORE_MAILBOXID

struct index_sums {
	struct mailbox_counts counts; /* but for first_unseen */
	uint64_t stored;
};

struct index {
	uint32_t uidvalidity, uidnext;
	uint64_t modseq;
	uint64_t floor; /* history of expunged is complete above this modseq */
	char id[MAILBOXID];
	struct mtime new, cur;
	/* A writer is, or was when it crashed, moving files: */
	uint32_t unplaced; /* first UID whose file may still be in tmp/, or 0 */
	struct uidset
	    leaving; /* to another mailbox; from unplaced on: coming */

	struct record *base;
	uint32_t nbase;
	bool base_own;    /* malloc'd: the CDB's records and ghosts */
	uint64_t *newest; /* of each block of base; NULL: look at all */
	struct blockflags *blockflags; /* likewise */
	struct record *tail;
	uint32_t ntail, tail_size;
	struct slice base_names; /* offsets below base_names.n */
	struct buf names;        /* the others */

	struct vanished *vanished; /* by modseq */
	size_t nvanished, vanished_size;
	struct record *unlinks; /* expunged, file perhaps still there */
	uint32_t nunlinks, unlinks_size;

	/* Names being given by tidy.c, which are on disk or not yet; by UID. */
	struct renaming {
		uint32_t uid, letters;
		uint16_t disk;
	} * renaming;
	uint32_t nrenaming, renaming_size;
	uint32_t *dead; /* positions expunged before the view began */
	size_t ndead, dead_size;

	struct arena *arena; /* until the next reset */
	struct keywords kw;
	struct uidset dirty; /* name does not have the flags of the record */
	struct uidset in_new;

	struct mailbox_counts counts; /* first_unseen is not kept here */
	uint64_t stored;              /* bytes of files */
	uint32_t unmeasured;    /* messages whose wire_size is not known */
	uint32_t unseen_from;   /* no unseen message at positions below */
	uint32_t segment;       /* highest of the cache referred to */
	uint16_t flags_used;    /* by some message at some time */
	uint32_t uidnext_said;  /* by mox.cdb, which is too low; 0: it is not */
	struct index_sums said; /* by mox.cdb, if that cannot be */
	bool said_wrong;
};

static inline uint32_t
index_end(const struct index *ix)
{
	return ix->nbase + ix->ntail;
}

static inline struct record *
index_at(const struct index *ix, uint32_t pos)
{
	return pos < ix->nbase ? &ix->base[pos] : &ix->tail[pos - ix->nbase];
}

/* Lowest position with a UID >= uid. */
uint32_t index_from(const struct index *ix, uint32_t uid);
/* The record of a UID that is not expunged, or NULL. */
struct record *index_get(const struct index *ix, uint32_t uid);
/* File name without flags; empty if the record is damaged. */
struct slice index_name(const struct index *ix, const struct record *r);
/* What the file name should say; letters that mean nothing to us stay. */
void index_wanted(const struct index *ix, const struct record *r,
    uint16_t *disk_r, uint32_t *letters_r);
/* The name being given to a message, or NULL. */
const struct renaming *index_renaming(const struct index *ix, uint32_t uid);
/* The letters have changed: look at all names. */
void index_letters_changed(struct index *ix);
/* Add a message to totals, or take it out. */
void index_count(struct mailbox_counts *c, const struct store_msg *m, bool add);

static inline bool
record_live(const struct record *r)
{
	return (r->msg.flags & STORE_EXPUNGED) == 0;
}

static inline bool
record_unmeasured(const struct record *r)
{
	return (r->bits & RECORD_UNMEASURED) != 0;
}

/* ---- view ---- */

struct view {
	bool begun;
	uint32_t end; /* positions below are numbered, but for holes */
	uint32_t uidvalidity, uidnext; /* as announced */
	uint64_t modseq;               /* all up to here has been announced */
	uint32_t *holes; /* positions of messages taken as expunged, sorted */
	size_t nholes, holes_size;
	size_t hint; /* holes before the message asked for last */

	struct arena *arena; /* of the two sets, renewed when both are empty */
	struct uidset gone;  /* expunged, still numbered */
	struct uidset changed; /* flags changed by others */
	bool keywords;         /* there are new ones */
	struct mailbox_counts counts;
	struct stash *stash; /* during a reset */
};

/* For resume.c: number messages below uidnext as known says, with those that
 * have gone since, which the state may no longer have. */
void view_resume(struct mailbox *mb, const struct mailbox_known *known,
    const struct uidset *gone);

/* Expunged since then, as far as history goes: mailbox_remembers. */
void index_history(const struct mailbox *mb, uint64_t since,
    struct uidset *uids_r);

/* ---- lines ----
 *
 * TYPE and fields, one space between; README has them all.
 */

struct line {
	char type;
	uint64_t modseq; /* a f x y n g */
	/* a; c: uid, cache, thread, bits; d w: disk, letters, place; r: uid;
	 * s: uid, wire_size, bits */
	struct record record;
	struct slice name;             /* a r k l v (id) */
	enum mailbox_flagop op;        /* f */
	uint16_t flags;                /* f */
	uint64_t keywords;             /* f */
	struct uidset uids;            /* f x y u d w o */
	unsigned number;               /* k (bit), l (letter) */
	uint32_t uidvalidity, uidnext; /* v; n: uidnext; g: uidvalidity */
	struct mtime new, cur;         /* m; ns 0: as it was */
	bool placed;                   /* m */
};

/* Parse; sets and names are in the arena. False if it makes no sense. */
bool line_parse(struct slice text, struct arena *arena, struct line *l_r);
void line_format(const struct line *l, struct buf *b);

/* Lines of one unit, to be appended together. */
struct lines {
	struct buf text;
	size_t *ends;
	size_t n, size;
};

#define LINES_INIT \
	{ \
		BUF_INIT(DB_UNIT_MAX), NULL, 0, 0 \
	}

void lines_add(struct lines *ls, const struct line *l);
void lines_free(struct lines *ls);
/* Slices of the lines, in the arena. */
struct slice *lines_slices(const struct lines *ls, struct arena *arena);

/* ---- the open mailbox ---- */

/* Where a reader is that asks for one message after the other. */
struct walk {
	uint32_t to;    /* position behind what was worked on last */
	uint32_t ahead; /* messages to work on at once there */
};

struct mailbox {
	struct store *st;
	char *name;
	struct folder folder;
	struct db_pair pair;
	struct index ix;
	struct view view;
	struct cache *cache;
	struct arena *line_arena; /* one line */
	struct buf record;        /* parsed, not cached */
	struct walk parsed, sized;
	bool own;  /* flags being changed now are the caller's doing */
	bool gone; /* UIDVALIDITY changed or folder removed */
	/* Its files cannot be written (share.h): nothing is taken in but what
	 * the log says. */
	bool readonly;
	bool reader; /* has looked at messages: they may go to cur/ */

	/* Monotonic ms; not before: */
	int64_t scan_at;     /* a scan for a changed mtime */
	int64_t suspect_at;  /* a scan for a suspect mtime */
	int64_t looked_at;   /* when it was last refreshed */
	int64_t names_at;    /* flags into names */
	int64_t tidy_at;     /* any tidying, after it failed */
	int64_t keywords_ns; /* mtime of dovecot-keywords as read */
};

#define INDEX_PAIR "mox"

/* One that is not open yet, or never will be; the folder's descriptors are
 * taken over. */
struct mailbox *index_new(struct store *st, struct slice name,
    const struct folder *folder);
/* Open without a view; scan: take in foreign changes. 1, 0 no such mailbox,
 * -1. Close does no tidying. */
int index_open(struct mailbox **mb_r, struct store *st, struct slice name,
    bool scan, struct err *e);
void index_close(struct mailbox **mb);

extern const struct db_pair_ops index_ops;

/* The index makes no sense: keep it aside and say so; who opens the mailbox
 * next makes one anew. The handle is gone. */
int index_discard(struct mailbox *mb, const struct err *why, struct err *e);

/* Make an empty state, before the pair is opened. */
void index_init(struct index *ix);
void index_free(struct index *ix);

/* Apply one line to state and view. A view whose mailbox is gone stays as it
 * is. */
void index_apply(struct mailbox *mb, const struct line *l);
void index_apply_text(struct mailbox *mb, struct slice text);

/*
 * db_pair's functions for a mailbox: they restore the view when the state was
 * reset. All return 0 or -1; refresh 1 if something came.
 */
int index_refresh(struct mailbox *mb, struct err *e);
int index_lock(struct mailbox *mb, struct err *e);
void index_unlock(struct mailbox *mb);
/* Append as one unit and apply. Under the lock. */
int index_append(struct mailbox *mb, const struct lines *ls, struct err *e);
/* Take back what this handle appended since the log ended at offset, but for
 * the UIDs and modseqs given there. Under the lock, before anything else is
 * done with it. */
void index_undo(struct mailbox *mb, uint64_t offset);
int index_sync(struct mailbox *mb, bool *stays_r, struct err *e);
int index_fold(struct mailbox *mb, struct err *e);
/* When nobody waits: a state that stayed over folds is taken in anew. */
void index_settle(struct mailbox *mb);

/* The line `g`. */
void index_renumber(struct mailbox *mb, const struct line *l);

/* Totals as the records have them. */
struct index_sums index_sums(const struct index *ix);
/*
 * Compare the totals with the records. 1 they were wrong: were_r, and with
 * mend they are right and folded; 0 they are right, -1 (mend only).
 */
int index_recount(struct mailbox *mb, bool mend, struct index_sums *were_r,
    struct err *e);

/* Write down the UIDNEXT of the state, where mox.cdb has a lower one. 0, -1. */
int index_raise_uidnext(struct mailbox *mb, struct err *e);

/* ---- index_fold.c ---- */

int index_build(void *arg, struct db_cdb_make *m, struct err *e);
/* Fill an empty state from a CDB (NULL: the empty state). ERR_SYNTAX if it
 * is not one of ours. */
int index_load(struct mailbox *mb, const struct db_cdb *cdb, struct err *e);
/* The highest segment of the cache that the CDB refers to. False if it is not
 * one of ours. */
bool index_segment_of(const struct db_cdb *cdb, uint32_t *segment_r);
/* Is the checksum of records and names right? Looked at when folding, since it
 * costs reading all. True if there is no CDB. */
bool index_intact(const struct mailbox *mb);

/* ---- view.c ---- */

void view_init(struct view *v);
void view_free(struct view *v);
/* Begin to number: all that is there. */
void view_begin(struct mailbox *mb);
/* Around a reset: remember what the view numbers, while the new state is the
 * CDB's only; number it anew when the log is replayed. */
void view_stash(struct mailbox *mb, const struct index *old);
void view_restore(struct mailbox *mb);
/* The flags of a numbered record changed, its size became known, or it was
 * expunged. */
void view_flags(struct mailbox *mb, uint32_t pos, const struct store_msg *was);
void view_sized(struct mailbox *mb, uint32_t pos, const struct store_msg *was);
void view_expunged(struct mailbox *mb, uint32_t pos);
bool view_numbered(const struct view *v, uint32_t pos);
/* Call fn for messages of the view that are in the set and not expunged. */
typedef void view_fn(void *arg, const struct record *r);
void view_each(const struct mailbox *mb, const struct uidset *uids, view_fn *fn,
    void *arg);
/* The same for all messages, numbered or not. */
void index_each(const struct mailbox *mb, const struct uidset *uids,
    view_fn *fn, void *arg);
unsigned view_pending(const struct mailbox *mb); /* MAILBOX_NEW and so on */

/* ---- keywords.c ---- */

/* What an operation makes of flags and keywords. */
void flags_change(enum mailbox_flagop op, uint16_t flags, uint64_t keywords,
    uint16_t *flags_r, uint64_t *keywords_r);

void keywords_init(struct keywords *kw);
/* The five keywords that have a flag: the flag, or 0. */
uint16_t keywords_flag(struct slice name);
struct slice keywords_flag_name(uint16_t flag);
int keywords_bit(const struct keywords *kw, struct slice name);
void keywords_apply(struct mailbox *mb, const struct line *l);
/* Name of a letter's keyword; empty if it means nothing. */
struct slice keywords_letter(const struct keywords *kw, unsigned letter);
/*
 * Flags and keyword bits of want, under the lock. kw is a copy of the
 * mailbox's: keywords that it lacks are added, with lines for them in ls; NULL:
 * they are left out. ERR_LIMIT: too many.
 */
int keywords_need(struct keywords *kw, const struct store_flags *want,
    struct lines *ls, uint16_t *flags_r, uint64_t *bits_r, struct err *e);
/* Lines for what dovecot-keywords says and the mailbox does not know. */
int keywords_lines(const struct mailbox *mb, struct lines *ls, struct err *e);
/* Take in what others wrote into dovecot-keywords. Under the lock. */
int keywords_read(struct mailbox *mb, struct err *e);
/* Give letters to keywords without one, in dovecot-keywords and by lines. Not
 * under the lock. */
int keywords_share(struct mailbox *mb, struct err *e);
/* What the file name should say for these flags. */
void keywords_disk(const struct keywords *kw, uint16_t flags, uint64_t keywords,
    uint16_t *disk_r, uint32_t *letters_r);
/* What flags and letters of a file name mean. */
void keywords_meaning(const struct keywords *kw, uint16_t disk,
    uint32_t letters, uint16_t *flags_r, uint64_t *keywords_r);

/* ---- message.c ---- */

/* Name in new/ or cur/ as the record says, and the folder. False if the name
 * is damaged. */
bool record_file(const struct index *ix, const struct record *r,
    char file_r[LAYOUT_NAME]);
int record_dir(const struct mailbox *mb, const struct record *r);
/* The name that tidy.c was giving when it last worked on this message; false
 * if there is none. */
bool record_file_renamed(const struct index *ix, const struct record *r,
    char file_r[LAYOUT_NAME]);
/* Size of a file, and in wire form; mixed: both kinds of line ends. */
int message_measure(int fd, uint64_t *size_r, uint64_t *wire_r, bool *mixed_r,
    struct err *e);
/* The whole record of a message, which callers may hold a copy of. NULL when
 * it is not there any more. */
const struct record *record_of_msg(const struct mailbox *mb,
    const struct store_msg *m);
/* Of a message read to its end: did some line end in CRLF? */
bool message_read_mixed(const struct mailbox_reader *r);
/* Open the file, looking where others or a crash may have put it: 1, 0 gone,
 * -1. Not under the lock. */
int message_open(struct mailbox *mb, uint32_t uid, int *fd_r, struct err *e);
/* The content of a file into a new one, synced, with its mtime, where links are
 * not possible (EMLINK, EXDEV). Reads on from where fd is. */
int message_copy(int fd, int dirfd, const char *name, mode_t mode,
    struct err *e);
/* Is its record cached, as it should be? */
bool message_cached(struct mailbox *mb, const struct record *r);
/* Parse the message again, and cache what came out if it is not what is cached:
 * 1 it was another, or none; 0 the same, or the message is gone; -1. */
int message_reparse(struct mailbox *mb, uint32_t uid, struct err *e);

/* ---- add.c ---- */

/* A message on its way into a mailbox: its file is in tmp/. */
struct adding {
	struct record record;   /* uid, modseq and what the name says: by add */
	char name[LAYOUT_NAME]; /* in tmp/ and new/ */
	char file[LAYOUT_NAME]; /* with flags, in cur/ */
	struct slice cache;     /* record for the cache, may be empty */
	bool placed;
};

/* Give a->record its flags and keywords, under the lock. kw and ls are for
 * keywords_need. */
typedef int adding_flags_fn(void *arg, size_t i, struct adding *a,
    struct keywords *kw, struct lines *ls, struct err *e);
/* Make the file of a message, in new/ or cur/ as it says, under the lock when
 * its line is written. 0 or -1. */
typedef int adding_place_fn(void *arg, size_t i, const struct adding *a,
    struct err *e);
struct adding_fns {
	adding_flags_fn *flags;
	adding_place_fn *place; /* NULL: the files are in tmp/ */
	void *arg;
};
/*
 * Under the lock: UIDs, cache, file names, and the lines that add n messages
 * (record.place stays RECORD_NEW only for those without flags). -1: nothing
 * has happened.
 */
int adding_lines(struct mailbox *mb, struct adding *v, size_t n,
    const struct adding_fns *fns, struct lines *ls, struct err *e);
/* Add messages, durably; after a failure they are in no folder. Pokes. */
enum store_code adding_commit(struct mailbox *mb, struct adding *v, size_t n,
    const struct adding_fns *fns, struct err *e);
/* Remove the files. */
void adding_remove(const struct mailbox *mb, const struct adding *v, size_t n);

/* ---- sizes.c ---- */

/* How many messages to work on from a position on, up to max: twice as many
 * as before if it is where the last ones ended, else one. The caller sets
 * w->to. */
uint32_t walk_step(struct walk *w, uint32_t pos, uint32_t max);

/* ---- change.c ---- */

/* Expunge these, \Deleted or not, durably. */
int expunge_uids(struct mailbox *mb, const struct uidset *uids, struct err *e);

/* ---- scan.c ---- */

enum scan_why {
	SCAN_OPEN,    /* not a large cur/: that is left to the first refresh */
	SCAN_REFRESH, /* now and then */
	SCAN_TIDY,    /* nobody waits: make sure of suspect mtimes */
	SCAN_NOW,     /* the index is known to be wrong */
};
/* Take in foreign changes if there may be some. */
int scan_if_changed(struct mailbox *mb, enum scan_why why, struct err *e);

/* Before and after own changes in new/ and cur/, under the lock: moves the
 * recorded mtimes along unless somebody else changed the folder too. If the
 * line cannot be written there is a scan more, or another placing. */
struct own_change {
	struct mtime new, cur;
};
void scan_before(const struct mailbox *mb, struct own_change *c);
int scan_after(struct mailbox *mb, const struct own_change *c, bool placed,
    struct err *e);
/* Under the lock: put files that a crashed writer left in tmp/ in place, and
 * expunge messages that it has moved away, or was copying to here. */
int scan_recover(struct mailbox *mb, struct err *e);

/* A file in new/ or cur/. */
struct found {
	struct slice file;
	struct layout_name name;
	uint8_t place;
	uint32_t uid; /* of the message it is; 0: not known */
	bool twin;    /* another file has the base name, too */
	/* Of unknown files, after foreign_measure. */
	bool gone, unmeasured;
	int64_t mtime_ns;
	uint64_t size, wire;
	uint16_t flags; /* besides those in the name */
	uint64_t keywords;
};

struct listing {
	struct arena *arena;
	struct found *v;
	size_t n, size;
	bool new, cur;               /* folders that are in it */
	struct mtime new_at, cur_at; /* before they were read */
	uint32_t uidnext;            /* before they were read */
};

/* Append what is in new/ or cur/. */
int scan_list(struct mailbox *mb, struct listing *l, uint8_t place,
    struct err *e);

/* ---- foreign.c ---- */

/* Size and times of unknown files; sorts them in the order of arrival. */
int foreign_measure(struct mailbox *mb, struct found **v, size_t n,
    struct err *e);
/* Add messages for unknown files, in batches. */
int foreign_add(struct mailbox *mb, struct found **v, size_t n,
    uint32_t known_uidnext, struct err *e);
/* Take in what the names of known files say. */
int foreign_change(struct mailbox *mb, struct found **v, size_t n,
    struct err *e);
/*
 * An unknown file as a line `a`, but for UID and modseq; its keywords are
 * those of the mailbox's letters. The name lives in the arena.
 */
void foreign_line(const struct mailbox *mb, const struct found *f,
    struct arena *arena, struct line *l_r);

/*
 * Give the file the name that the index would give it: flags in order, none in
 * new/ (a file there that has some goes to cur/). False if it is gone.
 */
bool foreign_regular(struct mailbox *mb, struct found *f, struct arena *arena);
/* It has that name. */
bool foreign_is_regular(const struct found *f);

/* ---- tidy.c ---- */

/* At closing. */
void tidy_all(struct mailbox *mb);

/* ---- adopt.c ---- */

/*
 * Make an index for the folder with all messages that are in it. fresh: UIDs
 * that others gave are not kept, since ours may have been lost.
 */
int adopt(struct mailbox *mb, bool fresh, struct err *e);

#endif
