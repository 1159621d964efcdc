/*
 * textseg - one segment of a mailbox's text index: for each trigram (three
 * bytes of folded text) the messages that have it.
 *
 * A file that is written once and never changed; README has its layout. A
 * reader trusts nothing in it: tables are checked when it is opened, blocks
 * when they are read. Depends on lib/base and lib/db.
 */
#ifndef STORE_TEXTSEG_H
#define STORE_TEXTSEG_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "db/newfile.h"

/* Messages of a segment: a set of them is 128 KB at most. */
#define TEXTSEG_DOCS_MAX (1u << 20)
#define TEXTSEG_TRIGRAMS (1u << 24)

/* What a segment is about. */
struct textseg_scope {
	uint32_t uidvalidity;
	uint32_t first, last; /* UIDs: messages between them are all in it */
	uint32_t ndocs;
	const uint32_t *uids; /* of documents 0 to ndocs - 1, ascending */
	/* A bit a document: not indexed, any text may be in it. */
	const unsigned char *any;
};

static inline size_t
textseg_bits(uint32_t ndocs)
{
	return ((size_t)ndocs + 7) / 8;
}

/* ---- writing ---- */

struct textseg_block {
	uint32_t first, last; /* trigrams */
	uint64_t offset;
	uint32_t size, crc;
};

struct textseg_writer {
	struct db_newfile file;
	struct textseg_scope scope;
	struct buf out;   /* not yet written */
	struct buf block; /* being filled */
	uint64_t offset;  /* of what comes after out */
	uint32_t block_first, block_last;
	struct textseg_block *blocks;
	size_t nblocks, size;
	bool failed;
};

/* Begin a segment that will be called name. scope and its arrays must stay.
 * 0 or -1; textseg_write_free in any case. */
int textseg_write_begin(struct textseg_writer *w, int dirfd, const char *name,
    mode_t mode, const struct textseg_scope *scope, struct err *e);
/* The documents, ascending, n > 0, of a trigram; trigrams ascending. */
void textseg_write_add(struct textseg_writer *w, uint32_t trigram,
    const uint32_t *docs, uint32_t n);
/* Finish, and put in place as name. Nothing is synced: what a power cut takes
 * away is noticed, and can be made again. */
int textseg_write_end(struct textseg_writer *w, const char *name,
    struct err *e);
void textseg_write_free(struct textseg_writer *w);

/* ---- reading ---- */

struct textseg {
	const unsigned char *map;
	uint64_t size;
	struct textseg_scope scope; /* arrays are in the map */
	const unsigned char *table;
	uint32_t nblocks;
};

/* 1, 0 there is no such file, -1: ERR_SYNTAX if it is damaged. */
int textseg_open(struct textseg *s, int dirfd, const char *name, struct err *e);
void textseg_close(struct textseg *s);

/*
 * Set the bits in docs (textseg_bits bytes) of the documents that have one of
 * the trigrams from..to. *n_r is how many documents were in their lists. 0, or
 * -1 if the segment is damaged.
 */
int textseg_find(const struct textseg *s, uint32_t from, uint32_t to,
    unsigned char *docs, uint64_t *n_r);

/* All of it in order, for merging. */
struct textseg_cursor {
	const struct textseg *s;
	uint32_t block;
	struct slice rest; /* of the block */
	uint32_t trigram;  /* of the entry read last */
	struct slice list; /* its documents */
	bool bitmap;
	uint32_t n;
	bool damaged;
};

void textseg_first(struct textseg_cursor *c, const struct textseg *s);
/* The next trigram; false at the end, or if c->damaged. */
bool textseg_next(struct textseg_cursor *c);
/* Its documents, c->n of them; false if damaged. */
bool textseg_docs(struct textseg_cursor *c, uint32_t *docs);

#endif
