/*
 * utf7 - mailbox names in IMAP's modified UTF-7 (RFC 3501, 5.1.3).
 *
 * Base64 there is that of RFC 4648, 4, without padding and with "," for "/":
 * the url alphabet with two characters exchanged.
 */
#include "text/utf7.h"

#include "base/scan.h"
#include "text/base64.h"
#include "text/unicode.h"

static void
exchange(char *p, size_t n, const char *from, const char *to)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] == from[0])
			p[i] = to[0];
		else if (p[i] == from[1])
			p[i] = to[1];
}

static bool
is_direct(uint32_t c)
{
	return c >= 0x20 && c <= 0x7e;
}

/* ---- encode ---- */

static void
put_u16(struct buf *b, uint32_t unit)
{
	buf_addc(b, (char)(unit >> 8));
	buf_addc(b, (char)unit);
}

static void
put_utf16(struct buf *b, uint32_t c)
{
	if (c < 0x10000) {
		put_u16(b, c);
	} else {
		put_u16(b, 0xd800 + ((c - 0x10000) >> 10));
		put_u16(b, 0xdc00 + (c & 0x3ff));
	}
}

/* The characters gathered in utf16, as base64 between & and -. */
static void
put_shifted(struct buf *out, struct buf *utf16)
{
	size_t start = out->n + 1;

	if (utf16->n == 0)
		return;
	buf_addc(out, '&');
	base64_encode_url(out, buf_slice(utf16));
	if (!out->over)
		exchange(out->p + start, out->n - start, "-_", "+,");
	buf_addc(out, '-');
	buf_reset(utf16);
}

bool
utf7_encode(struct buf *out, struct slice name)
{
	struct buf utf16 = BUF_INIT(2 * name.n);
	uint32_t c;

	if (!unicode_valid(name))
		return false;
	while (unicode_next(&name, &c)) {
		if (!is_direct(c)) {
			put_utf16(&utf16, c);
			continue;
		}
		put_shifted(out, &utf16);
		if (c == '&')
			buf_addc(out, '&');
		buf_addc(out, c == '&' ? '-' : (char)c);
	}
	put_shifted(out, &utf16);
	buf_free(&utf16);
	return true;
}

/* ---- decode ---- */

static const bool is_base64[256] = {
	['A' ... 'Z'] = true,
	['a' ... 'z'] = true,
	['0' ... '9'] = true,
	['+'] = true,
	[','] = true,
};

static uint32_t
get_u16(struct slice s)
{
	return (uint32_t)((unsigned char)s.p[0] << 8 | (unsigned char)s.p[1]);
}

/* UTF-16 (big endian) of characters that may not be direct to UTF-8. */
static bool
get_utf16(struct buf *out, struct slice s)
{
	while (s.n >= 2) {
		uint32_t c = get_u16(s);

		s = slice_skip(s, 2);
		if (c >= 0xd800 && c < 0xdc00 && s.n >= 2) {
			uint32_t low = get_u16(s);
			if (low < 0xdc00 || low > 0xdfff)
				return false;
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
			s = slice_skip(s, 2);
		} else if (c >= 0xd800 && c <= 0xdfff) {
			return false;
		}
		if (is_direct(c))
			return false;
		unicode_put(out, c);
	}
	return s.n == 0;
}

/* The characters between & and -. */
static bool
get_shifted(struct buf *out, struct slice digits)
{
	struct buf url = BUF_INIT(digits.n), utf16 = BUF_INIT(digits.n);
	bool ok;

	buf_add(&url, digits);
	exchange(url.p, url.n, "+,", "-_");
	ok = base64_decode_url(&utf16, buf_slice(&url)) &&
	    get_utf16(out, buf_slice(&utf16));
	buf_free(&url);
	buf_free(&utf16);
	return ok;
}

bool
utf7_decode(struct buf *out, struct slice name)
{
	struct scan sc = scan_of(name);
	bool shifted = false; /* the last thing was a shift */

	while (!scan_end(&sc)) {
		struct slice digits;
		int c = scan_peek(&sc);

		sc.p++;
		if (!is_direct((uint32_t)c))
			return false;
		if (c != '&') {
			buf_addc(out, (char)c);
			shifted = false;
		} else if (scan_char(&sc, '-')) {
			buf_addc(out, '&');
			shifted = false;
		} else {
			if (shifted || !scan_take(&sc, is_base64, &digits) ||
			    !scan_char(&sc, '-') || !get_shifted(out, digits))
				return false;
			shifted = true;
		}
	}
	return true;
}
