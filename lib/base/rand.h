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

/* The kernel's bytes, taken many at a time: for names of many files. Not for
 * secrets; not to be used on both sides of a fork. */
struct rand_block {
	struct rand rand;
	unsigned char bytes[4096];
	size_t left;
};
void rand_block(struct rand_block *b);

/* Repeatable numbers from a seed (xorshift); never for secrets. */
void rand_fake(struct rand *r, uint64_t seed);

#endif
