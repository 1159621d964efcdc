/*
 * scan - a cursor over a slice for hand-written parsers.
 *
 * Every function that takes returns false and leaves the cursor where it was
 * when the input does not match. Nothing looks at or past end.
 */
#ifndef BASE_SCAN_H
#define BASE_SCAN_H

#include "base/slice.h"

struct scan {
	const char *p;
	const char *end;
};

/* A character class: table[byte] is true for members. Named after the RFC
 * token it stands for: is_atext, is_ftext. */
typedef const bool scan_class[256];

/* The classes everybody needs. */
extern const bool scan_digit[256];
extern const bool scan_hexdigit[256];
extern const bool scan_alpha[256];
extern const bool scan_alnum[256];
extern const bool scan_wsp[256];   /* space and tab */
extern const bool scan_print[256]; /* 0x21 to 0x7e */

struct scan scan_of(struct slice s);
struct slice scan_rest(const struct scan *sc);
bool scan_end(const struct scan *sc);
/* The byte under the cursor, 0 to 255, or -1 at the end. */
int scan_peek(const struct scan *sc);

bool scan_char(struct scan *sc, char c);
bool scan_lit(struct scan *sc, struct slice literal);
bool scan_liti(struct scan *sc, struct slice literal); /* case ignored */
/* One or more bytes of the class. */
bool scan_take(struct scan *sc, scan_class c, struct slice *taken_r);
/* Zero or more; returns how many were passed. */
size_t scan_skip(struct scan *sc, scan_class c);
/* Up to but without the byte c, or to the end. */
struct slice scan_until(struct scan *sc, char c);
/* Exactly n bytes. */
bool scan_bytes(struct scan *sc, size_t n, struct slice *taken_r);
/* A decimal number without sign; false on overflow (cursor stays). */
bool scan_u32(struct scan *sc, uint32_t *v_r);
bool scan_u64(struct scan *sc, uint64_t *v_r);
/* Exactly n decimal digits. */
bool scan_digits(struct scan *sc, size_t n, unsigned *v_r);

#endif
