/*
 * buf - growing bytes with a maximum; the one way to build output.
 *
 * Going past the maximum sets `over` and drops what does not fit: nothing is
 * added to a buf that is over, so it is tested once, at the end. One call
 * adds all of its bytes or none. Out of memory ends the process (arena.h says why).
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>

#include "base/slice.h"

struct buf {
	char *p;
	size_t n;    /* bytes in use */
	size_t size; /* bytes allocated, but for one more for a NUL */
	size_t max;  /* never more than this */
	bool over;   /* something did not fit */
};

/* No memory is taken before the first byte. */
#define BUF_INIT(maximum) \
	{ \
		NULL, 0, 0, (maximum), false \
	}

void buf_free(struct buf *b);  /* free, and as after BUF_INIT */
void buf_reset(struct buf *b); /* empty, keep the memory, clear over */
void buf_wipe(struct buf *b);  /* overwrite with zeros, then buf_free */

void buf_add(struct buf *b, struct slice s);
void buf_addc(struct buf *b, char c);
void buf_addz(struct buf *b, const char *cstr);
void buf_addf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void buf_addv(struct buf *b, const char *fmt, va_list ap);
void buf_addu(struct buf *b, uint64_t v); /* decimal, fast */

/*
 * Room for n bytes at the end, to be filled by the caller, who then adds to
 * b->n. NULL (and over set) if that passes the maximum.
 */
char *buf_space(struct buf *b, size_t n);

/* Drop the first n bytes, moving the rest down. n <= b->n. */
void buf_consume(struct buf *b, size_t n);
/* Shorten to n bytes. n <= b->n. */
void buf_cut(struct buf *b, size_t n);

struct slice buf_slice(const struct buf *b);
/* The contents with a NUL behind them, valid until the next change. Never
 * NULL; bytes after an inner NUL are invisible to C strings. */
const char *buf_cstr(struct buf *b);

#endif
