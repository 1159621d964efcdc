/*
 * arena - memory by lifetime: many small allocations, one release.
 *
 * One per connection, one per transaction or command. Functions that return
 * data take the caller's arena. An arena has a limit; passing it, like
 * running out of memory, ends the process with a message on stderr: a
 * supervisor restarts it, and a half-built answer is worse than none. So
 * sizes from outside are checked against named limits before they get here.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>

#include "base/slice.h"

struct arena;

/* limit in bytes; 0 for none. Takes no block before the first allocation. */
struct arena *arena_new(size_t limit);
void arena_free(struct arena **a);
/* Release all allocations; keeps at most one block of 64 KB for reuse. */
void arena_reset(struct arena *a);
size_t arena_used(const struct arena *a); /* bytes handed out */

/* Aligned for any type, filled with zeros; size 0 gives a valid pointer. */
void *arena_alloc(struct arena *a, size_t size);
/* n elements of size bytes; overflow of the product counts as over limit. */
void *arena_array(struct arena *a, size_t n, size_t size);
/* Larger copy of an array of old_n elements; old may be NULL. */
void *arena_grow(struct arena *a, void *old, size_t old_n, size_t new_n,
    size_t size);

struct slice arena_dup(struct arena *a, struct slice s);
char *arena_cstr(struct arena *a, struct slice s); /* with a NUL behind */
struct slice arena_printf(struct arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
struct slice arena_vprintf(struct arena *a, const char *fmt, va_list ap);

/* malloc, calloc, realloc that end the process rather than return NULL: for
 * what outlives every arena. */
void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t size);
void *xreallocarray(void *p, size_t n, size_t size);
char *xstrdup(const char *cstr);

#endif
