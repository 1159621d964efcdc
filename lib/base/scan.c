/* scan - a cursor over a slice. */
#include "base/scan.h"

#define DIGITS ['0' ... '9'] = true
#define LETTERS ['A' ... 'Z'] = true, ['a' ... 'z'] = true

const bool scan_digit[256] = { DIGITS };
const bool scan_hexdigit[256] = { DIGITS, ['A' ... 'F'] = true,
	['a' ... 'f'] = true };
const bool scan_alpha[256] = { LETTERS };
const bool scan_alnum[256] = { DIGITS, LETTERS };
const bool scan_wsp[256] = { [' '] = true, ['\t'] = true };
const bool scan_print[256] = { [0x21 ... 0x7e] = true };

struct scan
scan_of(struct slice s)
{
	/* A NULL end would make end - p arithmetic on NULL elsewhere. */
	const char *p = s.p == NULL ? "" : s.p;
	return (struct scan){ p, p + s.n };
}

struct slice
scan_rest(const struct scan *sc)
{
	return slice_of(sc->p, (size_t)(sc->end - sc->p));
}

bool
scan_end(const struct scan *sc)
{
	return sc->p == sc->end;
}

int
scan_peek(const struct scan *sc)
{
	return sc->p == sc->end ? -1 : (unsigned char)*sc->p;
}

bool
scan_char(struct scan *sc, char c)
{
	if (sc->p == sc->end || *sc->p != c)
		return false;
	sc->p++;
	return true;
}

bool
scan_lit(struct scan *sc, struct slice literal)
{
	if (!slice_starts(scan_rest(sc), literal))
		return false;
	sc->p += literal.n;
	return true;
}

bool
scan_liti(struct scan *sc, struct slice literal)
{
	if (!slice_startsi(scan_rest(sc), literal))
		return false;
	sc->p += literal.n;
	return true;
}

size_t
scan_skip(struct scan *sc, scan_class c)
{
	const char *start = sc->p;

	while (sc->p < sc->end && c[(unsigned char)*sc->p])
		sc->p++;
	return (size_t)(sc->p - start);
}

bool
scan_take(struct scan *sc, scan_class c, struct slice *taken_r)
{
	const char *start = sc->p;
	size_t n = scan_skip(sc, c);

	if (n == 0)
		return false;
	*taken_r = slice_of(start, n);
	return true;
}

struct slice
scan_until(struct scan *sc, char c)
{
	struct slice rest = scan_rest(sc);
	ssize_t at = slice_chr(rest, c);

	if (at >= 0)
		rest.n = (size_t)at;
	sc->p += rest.n;
	return rest;
}

bool
scan_bytes(struct scan *sc, size_t n, struct slice *taken_r)
{
	struct slice rest = scan_rest(sc);

	if (n > rest.n)
		return false;
	*taken_r = slice_head(rest, n);
	sc->p += n;
	return true;
}

bool
scan_u64(struct scan *sc, uint64_t *v_r)
{
	struct scan after = *sc;
	struct slice digits;

	if (!scan_take(&after, scan_digit, &digits) || !slice_u64(digits, v_r))
		return false;
	*sc = after;
	return true;
}

bool
scan_u32(struct scan *sc, uint32_t *v_r)
{
	struct scan after = *sc;
	uint64_t v;

	if (!scan_u64(&after, &v) || v > UINT32_MAX)
		return false;
	*v_r = (uint32_t)v;
	*sc = after;
	return true;
}

bool
scan_digits(struct scan *sc, size_t n, unsigned *v_r)
{
	struct scan after = *sc;
	struct slice digits;
	uint32_t v;

	if (!scan_bytes(&after, n, &digits) || !slice_u32(digits, &v))
		return false;
	*v_r = v;
	*sc = after;
	return true;
}
