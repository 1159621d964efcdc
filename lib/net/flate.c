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

struct flate {
	z_stream in, out;
	bool more;     /* the last call filled all room: there may be more */
	bool ended;    /* the peer's stream */
	bool unsent;   /* bytes are kept that the peer does not have */
	bool flushing; /* a flush has begun, and may go on */
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

enum flate_status
flate_read(struct flate *f, char *p, size_t n, size_t *n_r)
{
	int rc;

	*n_r = 0;
	if (f->ended)
		return FLATE_END;
	f->in.next_out = (Bytef *)p;
	f->in.avail_out = (uInt)n;
	rc = inflate(&f->in, Z_SYNC_FLUSH);
	*n_r = n - f->in.avail_out;
	f->more = f->in.avail_out == 0;
	f->ended = rc == Z_STREAM_END;
	/* What came before the damage is good; zlib stays at it. */
	if (*n_r > 0)
		return FLATE_OK;
	return f->ended                       ? FLATE_END
	    : rc == Z_OK || rc == Z_BUF_ERROR ? FLATE_HUNGRY
					      : FLATE_DAMAGED;
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
