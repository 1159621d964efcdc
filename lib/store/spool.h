/*
 * spool - a message on its way in, before it belongs to a mailbox.
 *
 * Bytes come in wire form (CRLF). They are kept with LF line ends; content
 * with any bare CR or LF is kept verbatim instead. Up to SPOOL_MEMORY in
 * memory, beyond that in an unnamed file under tmp/, so that a process needs
 * little memory whatever is sent. Nothing is durable until it is delivered.
 */
#ifndef STORE_SPOOL_H
#define STORE_SPOOL_H

#include "store/store.h"

#define SPOOL_MEMORY (512 * 1024) /* most mail is below; one write then */

struct spool;

/* limit: most wire bytes taken; 0 for none. */
struct spool *spool_new(const struct store_env *env, uint64_t limit);
void spool_free(struct spool **sp);

/*
 * Returns 0, or -1 with e set: ERR_LIMIT when the limit is passed, ERR_TEMP
 * when the disk is full. After a failure the spool takes no more, and
 * answers with the same error again.
 */
int spool_add(struct spool *sp, struct slice wire, struct err *e);
/* No more bytes follow. */
int spool_end(struct spool *sp, struct err *e);

uint64_t spool_wire_size(const struct spool *sp);
uint64_t spool_stored_size(const struct spool *sp);
bool spool_verbatim(const struct spool *sp); /* known after spool_end */

/* Read the message in wire form from the start, in pieces, after spool_end:
 * 1 and a piece valid until the next call, 0 at the end, -1 error. */
int spool_read(struct spool *sp, uint64_t *offset, struct slice *wire_r,
    struct err *e);

/*
 * Write prefix (wire form, header lines to stand before the message, may be
 * empty) and the message to fd, in stored form. With a verbatim message the
 * prefix keeps its CRLF. Sizes of what was written go to *stored_r, *wire_r.
 * Does not sync.
 */
int spool_write(struct spool *sp, struct slice prefix, int fd,
    uint64_t *stored_r, uint64_t *wire_r, struct err *e);

/* A file under tmp/ without a name, to read and write: a descriptor, or -1 with e
 * set. */
int spool_unnamed(const struct store_env *env, struct err *e);

#endif
