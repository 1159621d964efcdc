/*
 * unicode - UTF-8: checking, walking, normal form C, folding for search.
 */
#ifndef TEXT_UNICODE_H
#define TEXT_UNICODE_H

#include "base/buf.h"

#define UNICODE_BAD 0xfffd /* replacement character */

/* Shortest form, no surrogates, up to U+10FFFF (RFC 3629). */
bool unicode_valid(struct slice s);
/* No byte above 0x7f; how many of these s begins with. */
bool unicode_is_ascii(struct slice s);
size_t unicode_ascii_prefix(struct slice s);

/*
 * The next character of *rest; false at the end. Bytes that are no UTF-8 are
 * UNICODE_BAD, one for each maximal part of a character as Unicode 3.9 says.
 */
bool unicode_next(struct slice *rest, uint32_t *c_r);
/* Append c in UTF-8; what is no character as UNICODE_BAD. */
void unicode_put(struct buf *out, uint32_t c);

/* Append s with UNICODE_BAD in place of what is no UTF-8. */
void unicode_repair(struct buf *out, struct slice s);

size_t unicode_count(struct slice s); /* characters */
/* The first n characters, or all. */
struct slice unicode_head(struct slice s, size_t n);
/* Bytes at the end of s that are the beginning of a character cut off: 0 to
 * 3. For streams. */
size_t unicode_partial(struct slice s);

/* Normal form C (UAX 15) appended; false if s is not UTF-8. */
bool unicode_nfc(struct buf *out, struct slice s);
bool unicode_is_nfc(struct slice s); /* false too if not UTF-8 */

/*
 * For searching: append s so that texts which differ in case or in compatible
 * forms only (full width, ligatures, composed or not) become the same bytes;
 * like the collation i;unicode-casemap (RFC 5051), in lower case. Works by
 * character, so a stream can be folded in pieces that end between characters.
 * Fast for ASCII.
 */
void unicode_fold(struct buf *out, struct slice s);

#endif
