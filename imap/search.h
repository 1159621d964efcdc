/*
 * search - a search program: what SEARCH asks, as a tree, and whether a
 * message matches.
 */
#ifndef IMAP_SEARCH_H
#define IMAP_SEARCH_H

#include "imap/imap.h"

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
	SEARCH_SENTBEFORE, /* of the Date field */
	SEARCH_SENTON,
	SEARCH_SENTSINCE,
	SEARCH_FIELD,  /* one of the texts in the record */
	SEARCH_HEADER, /* any field, from the file */
	SEARCH_BODY,
	SEARCH_TEXT,
	SEARCH_AND,
	SEARCH_OR,
};

struct search_key {
	enum search_kind kind;
	bool not ;
	struct uidset uids;
	uint16_t mask, value;
	uint64_t number;          /* size, modseq */
	int64_t day;              /* midnight, as if UTC */
	int field;                /* enum msgrec_text, of SEARCH_FIELD */
	struct slice name;        /* of the header field or keyword */
	struct slice text;        /* folded for comparing, may be empty */
	struct search_key **keys; /* of AND and OR */
	size_t nkeys;
};

struct search {
	struct search_key *program; /* an AND */
	bool modseq;                /* a MODSEQ key is in it */
	size_t nkeys;
};

/* The keys up to the end of the arguments. BADCHARSET and such set p->code. */
bool imap_search_program(struct imap_session *s, struct imap_parse *p,
    struct search *search_r);

/*
 * Does the message match? 1, 0, or -1 with e. A message that is gone matches nothing
 * that needs its content. Bounded memory; reads the file at most once a key.
 */
int imap_search_match(struct mailbox *mb, const struct search *search,
    uint32_t seq, struct err *e);

#endif
