/* rand - random bytes and ids. */
#include "base/rand.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/proc.h"

static void
fill_kernel(char *p, size_t n)
{
	while (n > 0) {
		ssize_t got = getrandom(p, n, 0);
		if (got < 0 && errno != EINTR) {
			dprintf(STDERR_FILENO, "getrandom: %s\n",
			    strerrordesc_np(errno));
			_exit(EXIT_LATER);
		}
		if (got > 0) {
			p += got;
			n -= (size_t)got;
		}
	}
}

void
rand_fill(struct rand *r, void *p, size_t n)
{
	if (r == NULL)
		fill_kernel(p, n);
	else
		r->fill(r, p, n);
}

uint64_t
rand_below(struct rand *r, uint64_t bound)
{
	uint64_t v, reject = -bound % bound; /* 2^64 modulo bound */

	do
		rand_fill(r, &v, sizeof(v));
	while (v < reject);
	return v % bound;
}

void
rand_text(struct rand *r, char *text, size_t n)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz"
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	unsigned char bytes[64];
	size_t left = 0;

	for (size_t i = 0; i < n;) {
		if (left == 0)
			rand_fill(r, bytes, left = sizeof(bytes));
		unsigned char b = bytes[--left];
		if (b < 256 / 62 * 62) /* the rest would favour some */
			text[i++] = digits[b % 62];
	}
	text[n] = '\0';
	explicit_bzero(bytes, sizeof(bytes));
}

static void
fill_block(struct rand *r, void *p, size_t n)
{
	struct rand_block *b = (struct rand_block *)r;

	if (n > sizeof(b->bytes)) {
		fill_kernel(p, n);
		return;
	}
	if (b->left < n) {
		fill_kernel((char *)b->bytes, sizeof(b->bytes));
		b->left = sizeof(b->bytes);
	}
	b->left -= n;
	memcpy(p, b->bytes + b->left, n);
}

void
rand_block(struct rand_block *b)
{
	b->rand = (struct rand){ fill_block, 0 };
	b->left = 0;
}

/* xorshift64 (Marsaglia 2003). */
static void
fill_fake(struct rand *r, void *p, size_t n)
{
	unsigned char *out = p;

	for (size_t i = 0; i < n; i++) {
		r->state ^= r->state << 13;
		r->state ^= r->state >> 7;
		r->state ^= r->state << 17;
		out[i] = (unsigned char)(r->state >> 32);
	}
}

void
rand_fake(struct rand *r, uint64_t seed)
{
	*r = (struct rand){ fill_fake, seed == 0 ? 1 : seed };
}
