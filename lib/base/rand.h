/*
 * rand - random bytes and ids, replaceable by tests.
 *
 * A NULL handle is getrandom(2).
 */
#ifndef BASE_RAND_H
#define BASE_RAND_H

#include <stddef.h>
#include <stdint.h>

struct rand {
	void (*fill)(struct rand *r, void *p, size_t n);
	uint64_t state; /* for rand_fake only */
};

void rand_fill(struct rand *r, void *p, size_t n);
/* Uniform in 0 .. bound-1; bound > 0. */
uint64_t rand_below(struct rand *r, uint64_t bound);
/* n characters of 0-9a-zA-Z and a NUL; text has room for n + 1. */
void rand_text(struct rand *r, char *text, size_t n);

/* Repeatable numbers from a seed (xorshift); never for secrets. */
void rand_fake(struct rand *r, uint64_t seed);

#endif
