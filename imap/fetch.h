/*
 * fetch - the parts of FETCH: what was asked for, and writing it.
 */
#ifndef IMAP_FETCH_H
#define IMAP_FETCH_H

#include "imap/imap.h"
#include "imap/seqset.h"
#include "message/section.h"

#define FETCH_ITEMS_MAX 200 /* in one command */
#define FETCH_PATH_MAX MSGREC_DEPTH_MAX
#define FETCH_LABEL_MAX 16384
#define FETCH_FIELDS_MAX 500 /* names in one HEADER.FIELDS */

enum fetch_kind {
	FETCH_INTERNALDATE,
	FETCH_SIZE,     /* RFC822.SIZE */
	FETCH_SAVEDATE, /* RFC 8514 */
	FETCH_EMAILID,  /* RFC 8474 */
	FETCH_THREADID,
	FETCH_PREVIEW,      /* RFC 8970 */
	FETCH_PREVIEW_LAZY, /* only if it costs nothing */
	FETCH_ENVELOPE,
	FETCH_BODY,      /* BODY without section */
	FETCH_STRUCTURE, /* BODYSTRUCTURE */
	FETCH_SECTION,   /* BODY[...] and RFC822, .HEADER, .TEXT */
	FETCH_FIELDS,    /* BODY[HEADER.FIELDS...] */
	FETCH_BINARY,
	FETCH_BINARY_SIZE,
};

struct fetch_item {
	enum fetch_kind kind;
	struct slice label; /* as it is echoed: "BODY[1.MIME]<0>" */
	uint32_t path[FETCH_PATH_MAX];
	size_t npath;
	enum section_kind section;
	struct slice *fields;
	size_t nfields;
	bool not ; /* HEADER.FIELDS.NOT */
	bool partial;
	uint64_t offset, length;
};

struct fetch {
	struct uidset uids;
	bool uid, flags, modseq; /* asked for; told first and last */
	bool sets_seen;          /* some item does */
	bool changed;            /* CHANGEDSINCE */
	uint64_t since;
	bool vanished;               /* VANISHED, too (RFC 7162, 3.2.6) */
	struct imap_partial partial; /* PARTIAL (RFC 9394, 3.4) */
	struct fetch_item **items;   /* the rest, in the order asked */
	size_t nitems;
};

/* The arguments behind the set: items and modifiers. */
bool imap_fetch_args(struct imap_parse *p, struct fetch *f);

/* "(UID BODY[TEXT])" without macros and modifiers (RFC 5465, 8). */
bool imap_fetch_list(struct imap_parse *p, struct fetch *f);
/*
 * Tell new messages of the view that nobody asked for by a command, with what
 * text lists; it was taken by imap_fetch_list before. What cannot be told is
 * said in a NO (RFC 5465, 5.2).
 */
void imap_fetch_new(struct imap_session *s, struct slice text,
    const uint32_t *seqs, size_t n);

/* Why an item could not be written. */
enum fetch_status {
	FETCH_OK,
	FETCH_GONE,        /* the message was expunged by another */
	FETCH_NO_PART,     /* the section does not exist */
	FETCH_UNKNOWN_CTE, /* RFC 3516, 4.3 */
	FETCH_FAILED,      /* e says why */
};

/*
 * Write label and value of a FETCH_SECTION, _FIELDS, _BINARY or _BINARY_SIZE
 * item of any open mailbox. Anything but FETCH_OK has written nothing, or has
 * marked the session dead since a literal could not be kept.
 */
enum fetch_status imap_fetch_body(struct imap_session *s, struct mailbox *mb,
    uint32_t seq, const struct fetch_item *item, struct err *e);

/*
 * Write the BODYSTRUCTURE of the part a FETCH_SECTION item means, or for
 * FETCH_BINARY as it is without transfer encoding (RFC 5524, 3.2). FETCH_NO_PART
 * for what is not a whole part. Anything but FETCH_OK has written nothing.
 */
enum fetch_status imap_fetch_part_structure(struct mailbox *mb, uint32_t seq,
    const struct fetch_item *item, struct buf *out, struct err *e);

/*
 * Give the octets of a FETCH_SECTION or FETCH_FIELDS item of any open mailbox
 * to put(), piece by piece. FETCH_GONE and FETCH_NO_PART before the first.
 */
enum fetch_status imap_fetch_octets(struct mailbox *mb, uint32_t seq,
    const struct fetch_item *item, void (*put)(void *ctx, struct slice wire),
    void *ctx, struct err *e);

#endif
