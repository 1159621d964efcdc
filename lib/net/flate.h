/*
 * flate - both directions of a connection as raw DEFLATE streams (RFC 1951),
 * for conn_deflate. Fixed memory: about 100 KB to write, 80 KB to read,
 * whatever comes. Depends on zlib.
 *
 * A stream may end before the connection does (RFC 8437, 4.1): as DEFLATE has it,
 * by a last block; or, as what RFC 4978 flushes may look, by an empty stored
 * block, which fills up the last byte.
 */
#ifndef NET_FLATE_H
#define NET_FLATE_H

#include "base/buf.h"
#include "base/slice.h"

#define FLATE_IN (32 * 1024)  /* compressed bytes read at once; as conn */
#define FLATE_OUT (16 * 1024) /* and written */

struct flate;

struct flate *flate_new(void);
void flate_free(struct flate **f); /* accepts NULL; sets it */

/* ---- reading ---- */

enum flate_status {
	FLATE_OK,      /* *n_r > 0 bytes were put out */
	FLATE_HUNGRY,  /* more compressed bytes are needed */
	FLATE_END,     /* the stream has ended as it should */
	FLATE_DAMAGED, /* it is not DEFLATE */
};

/* Where FLATE_IN bytes read from the peer may be put, once it is hungry. */
char *flate_room(struct flate *f);
/* n of them were put there. */
void flate_filled(struct flate *f, size_t n);
/* The next bytes, at most n > 0. */
enum flate_status flate_read(struct flate *f, char *p, size_t n, size_t *n_r);
/*
 * All bytes were read that the peer had to say compressed: pass over the end of its
 * stream. END: *rest_r, good until the next call, is what follows it; HUNGRY;
 * DAMAGED, also if there were more bytes.
 */
enum flate_status flate_read_end(struct flate *f, struct slice *rest_r);
/* May there be more without anything further from the peer? */
bool flate_has_more(const struct flate *f);

/* ---- writing ---- */

/* Take s, which must stay until flate_next says false. */
void flate_write(struct flate *f, struct slice s);
/* The next compressed piece, good until the next call; false: all that was
 * taken is out, or kept for better company unless flush says that the peer is
 * to have it now. */
bool flate_next(struct flate *f, bool flush, struct slice *piece_r);
/* s, and the end of the stream behind it, as they would be sent after what was
 * flushed, appended to out; the stream itself stays as it is. */
void flate_last(const struct flate *f, struct slice s, struct buf *out);

#endif
