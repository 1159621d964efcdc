/* unicode - UTF-8: checking, walking, normal form C, folding for search. */
#include "text/unicode.h"

#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <uninorm.h>

#include "base/arena.h"

#define HIGH_BITS 0x8080808080808080

/* ---- UTF-8 ---- */

size_t
unicode_ascii_prefix(struct slice s)
{
	size_t i = 0;
	uint64_t word;

	for (; i + 8 <= s.n; i += 8) {
		memcpy(&word, s.p + i, 8);
		if (word & HIGH_BITS)
			break;
	}
	while (i < s.n && (unsigned char)s.p[i] < 0x80)
		i++;
	return i;
}

bool
unicode_is_ascii(struct slice s)
{
	return unicode_ascii_prefix(s) == s.n;
}

/*
 * The character at the begin of s, which is not empty (Unicode 15.0, table
 * 3-7). Returns its length; *ok_r is false if it is none, and then the length
 * is that of the maximal part.
 */
static size_t
decode(struct slice s, uint32_t *c_r, bool *ok_r)
{
	unsigned char lead = (unsigned char)s.p[0], low = 0x80, high = 0xbf;
	uint32_t c;
	size_t n;

	*ok_r = true;
	*c_r = lead;
	if (lead < 0x80)
		return 1;
	*c_r = UNICODE_BAD;
	*ok_r = false;
	if (lead < 0xc2 || lead > 0xf4)
		return 1;
	n = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	c = lead & (0x7fU >> n);
	if (lead == 0xe0)
		low = 0xa0; /* no longer than needed */
	else if (lead == 0xed)
		high = 0x9f; /* no surrogates */
	else if (lead == 0xf0)
		low = 0x90;
	else if (lead == 0xf4)
		high = 0x8f; /* up to U+10FFFF */
	for (size_t i = 1; i < n; i++) {
		unsigned char next = i < s.n ? (unsigned char)s.p[i] : 0;
		if (next < low || next > high)
			return i;
		c = c << 6 | (next & 0x3f);
		low = 0x80;
		high = 0xbf;
	}
	*c_r = c;
	*ok_r = true;
	return n;
}

/* Length of the valid UTF-8 at the begin of s. */
static size_t
valid_prefix(struct slice s)
{
	size_t at = 0, n;
	uint32_t c;
	bool ok;

	while ((at += unicode_ascii_prefix(slice_skip(s, at))) < s.n) {
		n = decode(slice_skip(s, at), &c, &ok);
		if (!ok)
			break;
		at += n;
	}
	return at;
}

bool
unicode_valid(struct slice s)
{
	return valid_prefix(s) == s.n;
}

bool
unicode_next(struct slice *rest, uint32_t *c_r)
{
	bool ok;

	if (rest->n == 0)
		return false;
	*rest = slice_skip(*rest, decode(*rest, c_r, &ok));
	return true;
}

void
unicode_put(struct buf *out, uint32_t c)
{
	size_t n;
	char *p;

	if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		c = UNICODE_BAD;
	n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	p = buf_space(out, n);
	if (p == NULL)
		return;
	out->n += n;
	if (n == 1) {
		*p = (char)c;
		return;
	}
	for (size_t i = n - 1; i > 0; i--, c >>= 6)
		p[i] = (char)(0x80 | (c & 0x3f));
	p[0] = (char)(0xf00 >> n | c);
}

void
unicode_repair(struct buf *out, struct slice s)
{
	uint32_t c;

	while (s.n > 0) {
		size_t n = valid_prefix(s);

		buf_add(out, slice_head(s, n));
		s = slice_skip(s, n);
		if (unicode_next(&s, &c))
			unicode_put(out, UNICODE_BAD);
	}
}

size_t
unicode_count(struct slice s)
{
	uint32_t c;
	size_t n = 0;

	while (unicode_next(&s, &c))
		n++;
	return n;
}

struct slice
unicode_head(struct slice s, size_t n)
{
	struct slice rest = s;
	uint32_t c;

	while (n > 0 && unicode_next(&rest, &c))
		n--;
	return slice_head(s, s.n - rest.n);
}

size_t
unicode_partial(struct slice s)
{
	uint32_t c;
	bool ok;

	for (size_t n = 1; n <= 3 && n <= s.n; n++) {
		struct slice end = slice_skip(s, s.n - n);
		unsigned char lead = (unsigned char)end.p[0];

		if (lead < 0x80)
			return 0;
		if (lead >= 0xc0) /* all that follows belongs to it? */
			return lead >= 0xc2 && lead <= 0xf4 &&
				decode(end, &c, &ok) == n && !ok
			    ? n
			    : 0;
	}
	return 0;
}

/* ---- normal form C ---- */

bool
unicode_nfc(struct buf *out, struct slice s)
{
	uint8_t *normal;
	size_t n;

	if (unicode_is_ascii(s)) {
		buf_add(out, s);
		return true;
	}
	if (!unicode_valid(s))
		return false;
	normal = u8_normalize(UNINORM_NFC, (const uint8_t *)s.p, s.n, NULL, &n);
	if (normal == NULL)
		return false;
	buf_add(out, slice_of((const char *)normal, n));
	free(normal);
	return true;
}

bool
unicode_is_nfc(struct slice s)
{
	struct buf normal = BUF_INIT(SIZE_MAX);
	bool is = unicode_is_ascii(s) ||
	    (unicode_nfc(&normal, s) && slice_eq(buf_slice(&normal), s));

	buf_free(&normal);
	return is;
}

/* ---- folding ---- */

/* Lower case of ASCII, eight characters at a time. */
static void
fold_ascii(char *to, struct slice s)
{
	size_t i = 0;
	uint64_t word;

	for (; i + 8 <= s.n; i += 8) {
		memcpy(&word, s.p + i, 8);
		/* Bit 7 of each byte: is it above 'A' - 1, above 'Z'? */
		uint64_t from_a = word + 0x3f3f3f3f3f3f3f3f;
		uint64_t past_z = word + 0x2525252525252525;
		word |= (from_a & ~past_z & HIGH_BITS) >> 2;
		memcpy(to + i, &word, 8);
	}
	for (; i < s.n; i++)
		to[i] = (char)(s.p[i] |
		    (s.p[i] >= 'A' && s.p[i] <= 'Z' ? 0x20 : 0));
}

/* Unicode's decompositions end after a few steps; the depth is for proof. */
static void
fold_char(struct buf *out, uint32_t c, int depth)
{
	ucs4_t parts[UC_DECOMPOSITION_MAX_LENGTH];
	int tag, n = depth == 0 ? -1 : uc_decomposition(c, &tag, parts);

	if (n <= 0) {
		unicode_put(out, uc_tolower(uc_toupper(c)));
		return;
	}
	for (int i = 0; i < n; i++)
		fold_char(out, parts[i], depth - 1);
}

void
unicode_fold(struct buf *out, struct slice s)
{
	uint32_t c;

	while (s.n > 0 && !out->over) {
		size_t n = unicode_ascii_prefix(s);
		char *p = n == 0 ? NULL : buf_space(out, n);

		if (p != NULL) {
			fold_ascii(p, slice_head(s, n));
			out->n += n;
			s = slice_skip(s, n);
		}
		while (s.n > 0 && (unsigned char)s.p[0] >= 0x80 &&
		    unicode_next(&s, &c))
			fold_char(out, c, 8);
	}
}
