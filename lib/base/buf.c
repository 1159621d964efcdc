/* buf - growing bytes with a maximum. */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#define BUF_FIRST 64 /* bytes of the first allocation */

void
buf_free(struct buf *b)
{
	free(b->p);
	*b = (struct buf)BUF_INIT(b->max);
}

void
buf_reset(struct buf *b)
{
	b->n = 0;
	b->over = false;
}

void
buf_wipe(struct buf *b)
{
	if (b->p != NULL)
		explicit_bzero(b->p, b->size);
	buf_free(b);
}

char *
buf_space(struct buf *b, size_t n)
{
	size_t size = b->size < BUF_FIRST / 2 ? BUF_FIRST : 2 * b->size;

	if (b->over || n > b->max - b->n) {
		b->over = true;
		return NULL;
	}
	if (b->p == NULL || n > b->size - b->n) {
		if (size < b->n + n)
			size = b->n + n;
		if (size > b->max)
			size = b->max;
		b->p = xrealloc(b->p, size + 1); /* one for a NUL */
		b->size = size;
	}
	return b->p + b->n;
}

void
buf_add(struct buf *b, struct slice s)
{
	char *p;

	if (s.n == 0 || (p = buf_space(b, s.n)) == NULL)
		return;
	memcpy(p, s.p, s.n);
	b->n += s.n;
}

void
buf_addc(struct buf *b, char c)
{
	char *p = buf_space(b, 1);

	if (p == NULL)
		return;
	*p = c;
	b->n++;
}

void
buf_addz(struct buf *b, const char *cstr)
{
	buf_add(b, slice_str(cstr));
}

void
buf_addv(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	char *p;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n > 0 && (p = buf_space(b, (size_t)n)) != NULL) {
		vsnprintf(p, (size_t)n + 1, fmt, ap);
		b->n += (size_t)n;
	}
}

void
buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_addv(b, fmt, ap);
	va_end(ap);
}

void
buf_addu(struct buf *b, uint64_t v)
{
	char digits[20], *p = digits + sizeof(digits);

	do
		*--p = (char)('0' + v % 10);
	while ((v /= 10) != 0);
	buf_add(b, slice_of(p, (size_t)(digits + sizeof(digits) - p)));
}

void
buf_consume(struct buf *b, size_t n)
{
	if (n == 0)
		return;
	b->n -= n;
	memmove(b->p, b->p + n, b->n);
}

void
buf_cut(struct buf *b, size_t n)
{
	b->n = n;
}

struct slice
buf_slice(const struct buf *b)
{
	return slice_of(b->p, b->n);
}

const char *
buf_cstr(struct buf *b)
{
	if (b->p == NULL)
		return "";
	b->p[b->n] = '\0';
	return b->p;
}
