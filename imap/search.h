/*
 * search - a search program: what SEARCH asks, as a tree, and whether a
 * message matches.
 */
#ifndef IMAP_SEARCH_H
#define IMAP_SEARCH_H

#include "imap/imap.h"
#include "imap/seqset.h"

#define SEARCH_DEPTH_MAX 50  /* nesting of NOT, OR and parentheses */
#define SEARCH_KEYS_MAX 1000 /* in one command */

/* In order of cost: index, record, header in the file, whole message. */
enum search_kind {
	SEARCH_ALL,
	SEARCH_UIDS,    /* sequence sets and UID sets */
	SEARCH_FLAGS,   /* flags under mask are value */
	SEARCH_KEYWORD, /* of the mailbox, in text */
	SEARCH_LARGER,
	SEARCH_SMALLER,
	SEARCH_MODSEQ,
	SEARCH_BEFORE, /* of INTERNALDATE */
	SEARCH_ON,
	SEARCH_SINCE,
	SEARCH_OLDER,       /* RFC 5032; INTERNALDATE is number or before */
	SEARCH_YOUNGER,     /* number or after */
	SEARCH_SAVEDBEFORE, /* RFC 8514, as those of INTERNALDATE */
	SEARCH_SAVEDON,
	SEARCH_SAVEDSINCE,
	SEARCH_EMAILID,    /* RFC 8474; of name */
	SEARCH_THREADID,   /* number */
	SEARCH_SENTBEFORE, /* of the Date field */
	SEARCH_SENTON,
	SEARCH_SENTSINCE,
	SEARCH_FIELD,  /* one of the texts in the record */
	SEARCH_ID,     /* Message-ID or In-Reply-To, in its ENVELOPE */
	SEARCH_HEADER, /* any field, from the file */
	SEARCH_BODY,
	SEARCH_TEXT,
	SEARCH_AND,
	SEARCH_OR,
	SEARCH_FUZZY, /* RFC 6203: the key as it is, and word by word */
};

struct search_key {
	enum search_kind kind;
	bool not ;
	struct uidset uids;
	uint16_t mask, value;
	uint64_t number; /* size, modseq, seconds since 1970, thread */
	int64_t day;     /* midnight, as if UTC */
	int field;       /* enum msgrec_text of SEARCH_FIELD, envelope_field */
	struct slice name;        /* header field, keyword, EMAILID */
	struct slice text;        /* folded for comparing, may be empty */
	struct search_key **keys; /* of AND and OR */
	size_t nkeys;
	/* Of those that read the message: UIDs that the text index does not
	 * rule out. */
	bool narrowed;
	struct uidset may;
};

struct search {
	struct search_key *program; /* an AND */
	bool modseq;                /* a MODSEQ key is in it */
	bool numbers;               /* message numbers or "$" are in it */
	bool fuzzy;                 /* a FUZZY key is in it */
	size_t nkeys;
};

/* The keys up to the end of the arguments. BADCHARSET and such set p->code. */
bool imap_search_program(struct imap_session *s, struct imap_parse *p,
    struct search *search_r);
/* The same with a charset before it, as SORT and THREAD have (RFC 5256, 5
 * search-criteria). */
bool imap_search_criteria(struct imap_session *s, struct imap_parse *p,
    struct search *search_r);

/*
 * Does the message match? 1, 0, or -1 with e. A message that is gone matches nothing
 * that needs its content. Bounded memory; reads the file at most once a key.
 * *score_r (may be NULL) is how well FUZZY keys match, 1 to 100 (RFC 6203, 4).
 */
int imap_search_match(struct mailbox *mb, const struct search *search,
    uint32_t seq, uint8_t *score_r, struct err *e);

/* Does the index decide it alone? 1, 0, or -1: it takes more than that. */
int imap_search_by_index(struct mailbox *mb, const struct search *search,
    uint32_t seq);

/* ---- search_run.c ---- */

/* What was found: sequence numbers in the order they are told, in the arena
 * of the command. They are good for as long as the view does not change. */
struct search_found {
	uint32_t *seqs;
	uint8_t *scores; /* of each, of a fuzzy search; or NULL */
	uint32_t count;
};

/*
 * Search the selected mailbox, ascending. A long search tells INPROGRESS (RFC
 * 9585) under the command's tag and ends when the client is gone or the process
 * is to end: ERR_TEMP. 0 or -1 with e set.
 */
int imap_search_run(struct imap_session *s, struct slice tag,
    const struct search *search, struct search_found *found_r, struct err *e);

/*
 * Nobody waits: bring the text index of the selected mailbox up to date, if it
 * has one or searches of this session would have used it, until the client says
 * something or watch (may be -1) becomes readable. Costs nothing if there is
 * no new message.
 */
void imap_search_idle(struct imap_session *s, int watch);

/* ---- search_return.c: RETURN (...) and the answer to it ---- */

enum {
	SEARCH_RETURN_MIN = 1,
	SEARCH_RETURN_MAX = 2,
	SEARCH_RETURN_ALL = 4,
	SEARCH_RETURN_COUNT = 8,
	SEARCH_RETURN_SAVE = 16,
	SEARCH_RETURN_PARTIAL = 32,
	SEARCH_RETURN_CONTEXT = 64, /* RFC 5267, 4.2: a hint, not needed */
	SEARCH_RETURN_UPDATE = 128,
	SEARCH_RETURN_RELEVANCY = 256,
	/* Those that say what is told or saved; one is always there. */
	SEARCH_RETURN_RESULTS = 63,
};

struct search_return {
	bool given;
	bool mailbox; /* tell name and UIDVALIDITY, and nothing if nothing was
		       * found (RFC 7377, 2.1) */
	unsigned options; /* ALL if none was given */
	/* PARTIAL (RFC 5267, 4.4; RFC 9394, 3.1), and as it was written. */
	struct imap_partial partial;
	struct slice range;
	struct slice fetch; /* of UPDATE, as written (RFC 5465, 7); or empty */
};

/* "RETURN (MIN COUNT) ", or nothing. */
bool imap_search_return(struct imap_parse *p, struct search_return *ret_r);

/* Set "$" if SAVE is asked for (RFC 5182, 2.4), and tell what else is: "*
 * ESEARCH (TAG "t") UID MIN 1 ...". MIN and MAX are the first and the last
 * in the order of the result (RFC 5267, 3.1). */
void imap_search_answer(struct imap_session *s, const struct imap_command *c,
    const struct search_return *ret, const struct search_found *found,
    bool modseq);

/* May the options be used with this search, and this tag? Notes what is wrong
 * for BAD. */
bool imap_search_return_ok(struct imap_session *s, struct imap_command *c,
    const struct search_return *ret, const struct search *search);

/* All numbers on one line, as the answers to SEARCH and SORT have them: "*
 * SORT 3 1 2 (MODSEQ 9)", with the highest modseq of them if that is asked
 * for (RFC 7162, 3.1.5). */
void imap_tell_numbers(struct imap_session *s, const char *name,
    const struct search_found *found, bool uid, bool modseq);

/* The number to be told for the message: its UID if uid. */
uint32_t imap_search_number(const struct imap_session *s, uint32_t seq,
    bool uid);

/* ---- search_context.c: results that are kept up to date (RFC 5267, 4.3) ---- */

#define SEARCH_CONTEXTS_MAX 16 /* of a session */

struct sort;

/*
 * Tell changes of this result (of messages that are new, what fetch lists, if it
 * is not empty) from now on, until the mailbox is left or the
 * client cancels. program: the arguments of the command from the search program
 * on (with charset, if sorted). Tells NOUPDATE when there are too many.
 */
void imap_context_begin(struct imap_session *s, const struct imap_command *c,
    struct slice program, struct slice fetch, const struct sort *sort,
    const struct search_found *found);
/* Is there a context of that tag? */
bool imap_context_has(const struct imap_session *s, struct slice tag);
/* These messages leave the view: seqs as they stand, descending, and their
 * UIDs. Before EXPUNGE is told. */
void imap_contexts_expunged(struct imap_session *s, const uint32_t *seqs,
    size_t n, const struct uidset *uids);
/* After all else was told: what came and changed. */
void imap_contexts_update(struct imap_session *s);
void imap_contexts_free(struct imap_session *s);

#endif
