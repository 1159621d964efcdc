#include "smtp/data.h"

#include <string.h>

/* Bytes up to the next CR or LF go out as they are. */
static size_t
plain_run(struct slice in, struct buf *out)
{
	const char *cr = memchr(in.p, '\r', in.n);
	size_t n = cr ? (size_t)(cr - in.p) : in.n;
	const char *lf = memchr(in.p, '\n', n);

	if (lf)
		n = (size_t)(lf - in.p);
	buf_add(out, slice_head(in, n));
	return n;
}

/* One byte in the states where single bytes matter. */
static void
step(struct smtp_data *d, char c, struct buf *out)
{
	switch (d->state) {
	case DATA_LINE:
		if (c == '.') {
			d->state = DATA_DOT;
			return;
		}
		break;
	case DATA_DOT:
		if (c == '\r') {
			d->state = DATA_DOT_CR;
			return;
		}
		break; /* the dot is dropped, RFC 5321, 4.5.2 */
	case DATA_DOT_CR:
		if (c == '\n') {
			d->state = DATA_END;
			return;
		}
		d->bare = true;
		buf_addc(out, '\r');
		break;
	case DATA_CR:
		buf_addc(out, '\r');
		if (c == '\n') {
			buf_addc(out, '\n');
			d->state = DATA_LINE;
			return;
		}
		d->bare = true;
		break;
	default:
		break;
	}
	if (c == '\r') {
		d->state = DATA_CR;
		return;
	}
	if (c == '\n')
		d->bare = true;
	d->state = DATA_TEXT;
	buf_addc(out, c);
}

size_t
smtp_data_push(struct smtp_data *d, struct slice in, struct buf *out)
{
	size_t at = 0;

	while (at < in.n && d->state != DATA_END) {
		if (d->state == DATA_TEXT)
			at += plain_run(slice_skip(in, at), out);
		if (at < in.n)
			step(d, in.p[at++], out);
	}
	return at;
}
