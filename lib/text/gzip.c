/* gzip - reading RFC 1952 by zlib. */
#include "text/gzip.h"

#include <zlib.h>

#define STEP (64 * 1024) /* bytes of output at a time */
#define GZIP_ONLY (16 + MAX_WBITS)

bool
gzip_is(struct slice s)
{
	return slice_starts(s, SLICE("\x1f\x8b"));
}

static int
refused(const z_stream *z, int rc, struct err *e)
{
	if (rc == Z_MEM_ERROR)
		return err_set(e, ERR_TEMP, "gzip: out of memory");
	if (rc == Z_BUF_ERROR)
		return err_set(e, ERR_SYNTAX, "gzip: ends too early");
	return err_set(e, ERR_SYNTAX, "gzip: %s",
	    z->msg != NULL ? z->msg : "damaged");
}

/* One byte more than the maximum shows that it does not fit. */
static int
inflate_all(z_stream *z, struct buf *out, struct err *e)
{
	unsigned char piece[STEP];
	int rc;

	do {
		z->next_out = piece;
		z->avail_out = sizeof(piece);
		rc = inflate(z, Z_NO_FLUSH);
		if (rc != Z_OK && rc != Z_STREAM_END)
			return refused(z, rc, e);
		buf_add(out,
		    slice_of((const char *)piece, STEP - z->avail_out));
		if (out->over)
			return err_set(e, ERR_LIMIT,
			    "gzip: more than %zu bytes", out->max);
		if (rc == Z_STREAM_END &&
		    gzip_is(slice_of((char *)z->next_in, z->avail_in))) {
			inflateReset(z);
			rc = Z_OK;
		}
	} while (rc != Z_STREAM_END);
	return 0;
}

int
gzip_read(struct slice in, struct buf *out, struct err *e)
{
	z_stream z = { .next_in = (unsigned char *)in.p,
		.avail_in = (uInt)in.n };
	int rc;

	if (in.n > UINT32_MAX)
		return err_set(e, ERR_LIMIT, "gzip: too large");
	if (inflateInit2(&z, GZIP_ONLY) != Z_OK)
		return err_set(e, ERR_TEMP, "gzip: zlib does not start");
	rc = inflate_all(&z, out, e);
	inflateEnd(&z);
	return rc;
}
