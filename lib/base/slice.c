/* slice - bytes somebody else owns. */
#include "base/slice.h"

#include <string.h>

struct slice
slice_of(const char *p, size_t n)
{
	return (struct slice){ p, n };
}

struct slice
slice_str(const char *cstr)
{
	return cstr == NULL ? SLICE_NULL : slice_of(cstr, strlen(cstr));
}

/* ---- compare ---- */

static unsigned char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c | 0x20)
				    : (unsigned char)c;
}

/* As memcmp, for n == 0 too where a pointer may be NULL. */
static int
compare(const char *a, const char *b, size_t n)
{
	return n == 0 ? 0 : memcmp(a, b, n);
}

static int
comparei(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int d = lower(a[i]) - lower(b[i]);
		if (d != 0)
			return d;
	}
	return 0;
}

static int
by_length(struct slice a, struct slice b)
{
	return (a.n > b.n) - (a.n < b.n);
}

bool
slice_eq(struct slice a, struct slice b)
{
	return a.n == b.n && compare(a.p, b.p, a.n) == 0;
}

bool
slice_eqi(struct slice a, struct slice b)
{
	return a.n == b.n && comparei(a.p, b.p, a.n) == 0;
}

bool
slice_is(struct slice a, const char *cstr)
{
	return slice_eq(a, slice_str(cstr));
}

bool
slice_isi(struct slice a, const char *cstr)
{
	return slice_eqi(a, slice_str(cstr));
}

int
slice_cmp(struct slice a, struct slice b)
{
	int d = compare(a.p, b.p, a.n < b.n ? a.n : b.n);
	return d != 0 ? d : by_length(a, b);
}

bool
slice_starts(struct slice s, struct slice prefix)
{
	return slice_eq(slice_head(s, prefix.n), prefix);
}

bool
slice_startsi(struct slice s, struct slice prefix)
{
	return slice_eqi(slice_head(s, prefix.n), prefix);
}

bool
slice_ends(struct slice s, struct slice suffix)
{
	return s.n >= suffix.n &&
	    slice_eq(slice_skip(s, s.n - suffix.n), suffix);
}

bool
slice_endsi(struct slice s, struct slice suffix)
{
	return s.n >= suffix.n &&
	    slice_eqi(slice_skip(s, s.n - suffix.n), suffix);
}

bool
slice_eq_secret(struct slice a, struct slice b)
{
	volatile unsigned char differ = a.n != b.n;

	/* With other lengths, a with itself: the time says nothing new. */
	for (size_t i = 0; i < a.n; i++)
		differ |= a.p[i] ^ (a.n == b.n ? b.p[i] : a.p[i]);
	return differ == 0;
}

/* ---- find ---- */

ssize_t
slice_chr(struct slice s, char c)
{
	const char *p = s.n == 0 ? NULL : memchr(s.p, c, s.n);
	return p == NULL ? -1 : p - s.p;
}

ssize_t
slice_rchr(struct slice s, char c)
{
	const char *p = s.n == 0 ? NULL : memrchr(s.p, c, s.n);
	return p == NULL ? -1 : p - s.p;
}

ssize_t
slice_find(struct slice s, struct slice needle)
{
	const char *p;

	if (needle.n == 0)
		return 0;
	if (needle.n > s.n)
		return -1;
	p = memmem(s.p, s.n, needle.p, needle.n);
	return p == NULL ? -1 : p - s.p;
}

ssize_t
slice_findi(struct slice s, struct slice needle)
{
	if (needle.n == 0)
		return 0;
	for (size_t i = 0; i + needle.n <= s.n; i++)
		if (lower(s.p[i]) == lower(needle.p[0]) &&
		    comparei(s.p + i, needle.p, needle.n) == 0)
			return (ssize_t)i;
	return -1;
}

/* ---- parts ---- */

struct slice
slice_head(struct slice s, size_t n)
{
	return slice_of(s.p, n < s.n ? n : s.n);
}

struct slice
slice_skip(struct slice s, size_t n)
{
	if (s.n == 0)
		return s;
	if (n > s.n)
		n = s.n;
	return slice_of(s.p + n, s.n - n);
}

struct slice
slice_sub(struct slice s, size_t from, size_t to)
{
	return to <= from ? slice_skip(slice_head(s, from), from)
			  : slice_skip(slice_head(s, to), from);
}

static bool
is_trimmed(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice
slice_trim(struct slice s)
{
	while (s.n > 0 && is_trimmed(s.p[0]))
		s = slice_skip(s, 1);
	while (s.n > 0 && is_trimmed(s.p[s.n - 1]))
		s.n--;
	return s;
}

bool
slice_cut(struct slice s, char c, struct slice *head_r, struct slice *rest_r)
{
	ssize_t at = slice_chr(s, c);

	*head_r = slice_head(s, at < 0 ? s.n : (size_t)at);
	*rest_r = slice_skip(s, at < 0 ? s.n : (size_t)at + 1);
	return at >= 0;
}

bool
slice_next(struct slice *rest, char c, struct slice *token_r)
{
	if (rest->n == 0)
		return false;
	slice_cut(*rest, c, token_r, rest);
	return true;
}

bool
slice_line(struct slice *rest, struct slice *line_r)
{
	struct slice line;
	bool ended;

	if (rest->n == 0)
		return false;
	ended = slice_cut(*rest, '\n', &line, rest);
	if (ended && line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	*line_r = line;
	return true;
}

/* ---- numbers ---- */

bool
slice_u64(struct slice s, uint64_t *v_r)
{
	uint64_t v = 0;

	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned digit = (unsigned char)s.p[i] - (unsigned)'0';
		if (digit > 9 || __builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, digit, &v))
			return false;
	}
	*v_r = v;
	return true;
}

bool
slice_u32(struct slice s, uint32_t *v_r)
{
	uint64_t v;

	if (!slice_u64(s, &v) || v > UINT32_MAX)
		return false;
	*v_r = (uint32_t)v;
	return true;
}

bool
slice_i64(struct slice s, int64_t *v_r)
{
	bool negative = s.n > 0 && s.p[0] == '-';
	uint64_t v;

	if (!slice_u64(negative ? slice_skip(s, 1) : s, &v) ||
	    v > (uint64_t)INT64_MAX + negative)
		return false;
	*v_r = (int64_t)(negative ? -v : v);
	return true;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (lower(c) >= 'a' && lower(c) <= 'f')
		return lower(c) - 'a' + 10;
	return -1;
}

bool
slice_hex64(struct slice s, uint64_t *v_r)
{
	uint64_t v = 0;

	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		int digit = hex_digit(s.p[i]);
		if (digit < 0 || v >> 60 != 0)
			return false;
		v = v << 4 | (unsigned)digit;
	}
	*v_r = v;
	return true;
}

uint64_t
slice_hash(struct slice s)
{
	uint64_t h = 0xcbf29ce484222325;

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3;
	return h;
}

bool
slice_cstr(struct slice s, char *dst, size_t size)
{
	if (s.n >= size || slice_chr(s, '\0') >= 0)
		return false;
	if (s.n > 0)
		memcpy(dst, s.p, s.n);
	dst[s.n] = '\0';
	return true;
}
