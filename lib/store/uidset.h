/*
 * uidset - a set of UIDs (or sequence numbers) as sorted ranges.
 *
 * Ranges are disjoint and not adjacent, so 1:* is one range however large
 * the mailbox. Memory is the arena's.
 */
#ifndef STORE_UIDSET_H
#define STORE_UIDSET_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct uidrange {
	uint32_t first, last; /* first <= last, both in the set; never 0 */
};

struct uidset {
	struct arena *arena;
	struct uidrange *v;
	size_t n, size;
};

#define UIDSET_INIT(arena_) \
	{ \
		(arena_), NULL, 0, 0 \
	}

/* Add first..last; cheap when past the end of the set. */
void uidset_add(struct uidset *s, uint32_t first, uint32_t last);
void uidset_add_set(struct uidset *s, const struct uidset *other);
void uidset_remove(struct uidset *s, uint32_t first, uint32_t last);
bool uidset_has(const struct uidset *s, uint32_t uid);
uint64_t uidset_count(const struct uidset *s);
/* "1:3,5"; nothing for the empty set. */
void uidset_format(const struct uidset *s, struct buf *b);
/* The same, back; no "*". Fails with ERR_SYNTAX, or ERR_LIMIT when more than
 * max_ranges. */
int uidset_parse(struct uidset *s, struct slice text, size_t max_ranges,
    struct err *e);

/*
 * for (struct uidwalk w = uidset_walk(s); uidset_step(&w, &uid);)
 */
struct uidwalk {
	const struct uidset *s;
	size_t i;
	uint64_t next;
};
struct uidwalk uidset_walk(const struct uidset *s);
bool uidset_step(struct uidwalk *w, uint32_t *uid_r);

#endif
