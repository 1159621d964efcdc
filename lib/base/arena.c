/*
 * arena - memory by lifetime.
 *
 * Blocks of 512 bytes growing to 64 KB are handed out from the front; what does
 * not fit well gets a block of its own, behind the current one in the list. An
 * idle session has many arenas with little in them: small first blocks share
 * pages.
 * With the address sanitizer everything does, and reset frees everything, so
 * that overruns and use after reset are seen.
 */
#include "base/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/proc.h"

#define ARENA_ALIGN 16 /* enough for any type */
#define ARENA_FIRST 512
#define ARENA_LARGEST 65536

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define ARENA_CHECKED
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define ARENA_CHECKED
#endif

#ifdef ARENA_CHECKED
#define ARENA_OWN(block) 0
#define ARENA_KEEP 0
#else
/* Larger ones do not use up the rest of a block. */
#define ARENA_OWN(block) ((block) / 4)
#define ARENA_KEEP ARENA_LARGEST
#endif

struct block {
	_Alignas(ARENA_ALIGN) struct block *next;
	size_t size; /* bytes that follow */
};

struct arena {
	struct block *blocks; /* the current one first */
	char *next;           /* free bytes of the current block */
	size_t left;
	size_t block; /* size of the last block for small ones */
	size_t used;
	size_t limit;
};

static _Noreturn void
out_of_memory(const char *why)
{
	dprintf(STDERR_FILENO, "out of memory: %s\n", why);
	_exit(EXIT_LATER);
}

struct arena *
arena_new(size_t limit)
{
	struct arena *a = xcalloc(1, sizeof(*a));
	a->limit = limit == 0 ? PTRDIFF_MAX : limit;
	return a;
}

static void
free_blocks(struct block *b)
{
	while (b != NULL) {
		struct block *next = b->next;
		free(b);
		b = next;
	}
}

void
arena_free(struct arena **a)
{
	if (*a == NULL)
		return;
	free_blocks((*a)->blocks);
	free(*a);
	*a = NULL;
}

void
arena_reset(struct arena *a)
{
	struct block *keep = a->blocks;

	a->used = 0;
	if (keep == NULL)
		return;
	free_blocks(keep->next);
	if (keep->size > ARENA_KEEP) {
		free(keep);
		a->blocks = NULL;
		a->next = NULL;
		a->left = a->block = 0;
		return;
	}
	keep->next = NULL;
	a->next = (char *)(keep + 1);
	a->left = keep->size;
}

size_t
arena_used(const struct arena *a)
{
	return a->used;
}

static struct block *
block_new(size_t size)
{
	struct block *b = xmalloc(sizeof(*b) + size);

	b->next = NULL;
	b->size = size;
	return b;
}

/* A block for one large allocation, behind the current block. */
static void *
alloc_own(struct arena *a, size_t size)
{
	struct block *b = block_new(size);

	if (a->blocks != NULL) {
		b->next = a->blocks->next;
		a->blocks->next = b;
	} else {
		a->blocks = b;
	}
	return b + 1;
}

static size_t
next_block(const struct arena *a)
{
	if (a->block == 0)
		return ARENA_FIRST;
	return a->block < ARENA_LARGEST ? 2 * a->block : ARENA_LARGEST;
}

static void
add_block(struct arena *a)
{
	struct block *b;

	a->block = next_block(a);
	b = block_new(a->block - sizeof(*b));
	b->next = a->blocks;
	a->blocks = b;
	a->next = (char *)(b + 1);
	a->left = b->size;
}

void *
arena_alloc(struct arena *a, size_t size)
{
	size_t room;
	char *p;

	if (size == 0)
		size = 1;
	room = (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	if (room < size || room > a->limit - a->used)
		out_of_memory("arena limit");
	a->used += room;
	if (room > a->left && size > ARENA_OWN(next_block(a)))
		return memset(alloc_own(a, size), 0, size);
	if (room > a->left)
		add_block(a);
	p = a->next;
	a->next += room;
	a->left -= room;
	return memset(p, 0, size);
}

void *
arena_array(struct arena *a, size_t n, size_t size)
{
	if (__builtin_mul_overflow(n, size, &size))
		out_of_memory("array overflows");
	return arena_alloc(a, size);
}

void *
arena_grow(struct arena *a, void *old, size_t old_n, size_t new_n, size_t size)
{
	void *p = arena_array(a, new_n, size);

	if (old_n > 0)
		memcpy(p, old, old_n * size);
	return p;
}

struct slice
arena_dup(struct arena *a, struct slice s)
{
	return slice_of(arena_cstr(a, s), s.n);
}

char *
arena_cstr(struct arena *a, struct slice s)
{
	char *p = arena_alloc(a, s.n + 1);

	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return p;
}

struct slice
arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	va_list again;
	char *p;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		out_of_memory("printf");
	p = arena_alloc(a, (size_t)n + 1);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	return slice_of(p, (size_t)n);
}

struct slice
arena_printf(struct arena *a, const char *fmt, ...)
{
	struct slice s;
	va_list ap;

	va_start(ap, fmt);
	s = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return s;
}

/* ---- malloc that does not fail ---- */

void *
xrealloc(void *p, size_t size)
{
	p = realloc(p, size == 0 ? 1 : size);
	if (p == NULL)
		out_of_memory("malloc");
	return p;
}

void *
xmalloc(size_t size)
{
	return xrealloc(NULL, size);
}

void *
xcalloc(size_t n, size_t size)
{
	void *p = calloc(n == 0 ? 1 : n, size == 0 ? 1 : size);

	if (p == NULL)
		out_of_memory("calloc");
	return p;
}

void *
xreallocarray(void *p, size_t n, size_t size)
{
	if (__builtin_mul_overflow(n, size, &size))
		out_of_memory("array overflows");
	return xrealloc(p, size);
}

char *
xstrdup(const char *cstr)
{
	size_t n = strlen(cstr) + 1;
	return memcpy(xmalloc(n), cstr, n);
}
