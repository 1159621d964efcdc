#include "net/flate.h"

#include <stdlib.h>
#include <zlib.h>

#include "base/arena.h"

/*
 * Answers of mail servers repeat themselves within a few KB: a window of 8 KB
 * finds most of what one of 32 KB does, with a third of the memory. Quick
 * rather than small: the connection should not wait for us.
 */
#define OUT_LEVEL 3
#define OUT_WINDOW 13
#define OUT_MEMORY 7
/* The peer may use all that the format has. */
#define IN_WINDOW 15

/* Of z_stream.data_type, after inflate. */
#define AT_BLOCK_END 128
#define BITS_LEFT 7 /* of the last byte */

/* How an empty last block begins, stored or packed; no plain text does. */
#define LAST_STORED 1
#define LAST_PACKED 3

struct flate {
	z_stream in, out;
	size_t block_n; /* bytes of this block so far */
	bool flushed;   /* a flush was read, and nothing behind it */
	bool more;      /* the last call filled all room: there may be more */
	bool ended;     /* the peer's stream */
	bool unsent;    /* bytes are kept that the peer does not have */
	bool flushing;  /* a flush has begun, and may go on */
	char in_bytes[FLATE_IN], out_bytes[FLATE_OUT];
};

static void *
take(void *unused, unsigned n, unsigned size)
{
	(void)unused;
	return xreallocarray(NULL, n, size);
}

static void
give(void *unused, void *p)
{
	(void)unused;
	free(p);
}

struct flate *
flate_new(void)
{
	struct flate *f = xcalloc(1, sizeof(*f));

	f->in.zalloc = f->out.zalloc = take;
	f->in.zfree = f->out.zfree = give;
	/* Memory is all that could fail. */
	inflateInit2(&f->in, -IN_WINDOW);
	deflateInit2(&f->out, OUT_LEVEL, Z_DEFLATED, -OUT_WINDOW, OUT_MEMORY,
	    Z_DEFAULT_STRATEGY);
	return f;
}

void
flate_free(struct flate **f)
{
	if (*f == NULL)
		return;
	inflateEnd(&(*f)->in);
	deflateEnd(&(*f)->out);
	free(*f);
	*f = NULL;
}

char *
flate_room(struct flate *f)
{
	return f->in_bytes;
}

void
flate_filled(struct flate *f, size_t n)
{
	f->in.next_in = (Bytef *)f->in_bytes;
	f->in.avail_in = (uInt)n;
}

/*
 * Go on to the end of a block, or of what there is of it. So nothing is read past
 * a flush: an empty block that fills up the last byte, and may be the end of what
 * is compressed.
 */
static int
read_block(struct flate *f)
{
	uInt in = f->in.avail_in, out = f->in.avail_out;
	int rc = inflate(&f->in, Z_BLOCK);

	f->ended = rc == Z_STREAM_END;
	f->block_n += out - f->in.avail_out;
	if (f->in.avail_in == in && f->in.avail_out == out)
		return rc;
	f->flushed = false;
	if (f->in.data_type & AT_BLOCK_END) {
		f->flushed = f->block_n == 0 && !(f->in.data_type & BITS_LEFT);
		f->block_n = 0;
	}
	return rc;
}

enum flate_status
flate_read(struct flate *f, char *p, size_t n, size_t *n_r)
{
	int rc;

	*n_r = 0;
	if (f->ended)
		return FLATE_END;
	f->in.next_out = (Bytef *)p;
	f->in.avail_out = (uInt)n;
	do
		rc = read_block(f);
	while (rc == Z_OK && f->in.avail_in > 0 && f->in.avail_out > 0 &&
	    !(f->flushed && f->in.avail_out < n));
	*n_r = n - f->in.avail_out;
	f->more = f->in.avail_out == 0;
	/* What came before the damage is good; zlib stays at it. */
	if (*n_r > 0)
		return FLATE_OK;
	return f->ended                       ? FLATE_END
	    : rc == Z_OK || rc == Z_BUF_ERROR ? FLATE_HUNGRY
					      : FLATE_DAMAGED;
}

static bool
last_follows(const struct flate *f)
{
	return f->in.avail_in > 0 &&
	    (*f->in.next_in == LAST_STORED || *f->in.next_in == LAST_PACKED);
}

enum flate_status
flate_read_end(struct flate *f, struct slice *rest_r)
{
	char byte;
	int rc;

	*rest_r = SLICE_NULL;
	/* Some end it by a last block behind a flush, too. */
	while (!f->ended && (!f->flushed || last_follows(f))) {
		f->in.next_out = (Bytef *)&byte;
		f->in.avail_out = 1;
		rc = read_block(f);
		if (f->in.avail_out == 0 || (rc < 0 && rc != Z_BUF_ERROR))
			return FLATE_DAMAGED;
		if (rc == Z_BUF_ERROR)
			return FLATE_HUNGRY;
	}
	*rest_r = slice_of((const char *)f->in.next_in, f->in.avail_in);
	return FLATE_END;
}

bool
flate_has_more(const struct flate *f)
{
	return !f->ended && (f->more || f->in.avail_in > 0);
}

void
flate_write(struct flate *f, struct slice s)
{
	f->out.next_in = (Bytef *)(uintptr_t)s.p;
	f->out.avail_in = (uInt)s.n;
	f->unsent |= s.n > 0;
}

bool
flate_next(struct flate *f, bool flush, struct slice *piece_r)
{
	if (f->out.avail_in == 0 && !(flush && f->unsent) && !f->flushing)
		return false;
	f->out.next_out = (Bytef *)f->out_bytes;
	f->out.avail_out = FLATE_OUT;
	/* Neither can fail: there is room, and the state is ours. */
	deflate(&f->out, flush ? Z_SYNC_FLUSH : Z_NO_FLUSH);
	/* A flush that filled all room goes on with the next call. */
	f->flushing = flush && f->out.avail_out == 0;
	if (flush && !f->flushing)
		f->unsent = false;
	*piece_r = slice_of(f->out_bytes, (size_t)FLATE_OUT - f->out.avail_out);
	return piece_r->n > 0;
}

void
flate_last(const struct flate *f, struct slice s, struct buf *out)
{
	z_stream copy;
	char piece[512];
	int rc;

	/* Memory is all that could fail. */
	deflateCopy(&copy, (z_stream *)(uintptr_t)&f->out);
	copy.next_in = (Bytef *)(uintptr_t)s.p;
	copy.avail_in = (uInt)s.n;
	do {
		copy.next_out = (Bytef *)piece;
		copy.avail_out = sizeof(piece);
		rc = deflate(&copy, Z_FINISH);
		buf_add(out, slice_of(piece, sizeof(piece) - copy.avail_out));
	} while (rc == Z_OK);
	deflateEnd(&copy);
}
