/* base64 - binary data as text. */
#include "text/base64.h"

#define LINE 76 /* RFC 2045, 6.8 */

static const char std_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* What characters stand for, with bit 6 set; 0 is outside the alphabet. */
#define V(value) (0x40 | (value))
#define COMMON \
	['A'] = V(0), ['B'] = V(1), ['C'] = V(2), ['D'] = V(3), ['E'] = V(4), \
	['F'] = V(5), ['G'] = V(6), ['H'] = V(7), ['I'] = V(8), ['J'] = V(9), \
	['K'] = V(10), ['L'] = V(11), ['M'] = V(12), ['N'] = V(13), \
	['O'] = V(14), ['P'] = V(15), ['Q'] = V(16), ['R'] = V(17), \
	['S'] = V(18), ['T'] = V(19), ['U'] = V(20), ['V'] = V(21), \
	['W'] = V(22), ['X'] = V(23), ['Y'] = V(24), ['Z'] = V(25), \
	['a'] = V(26), ['b'] = V(27), ['c'] = V(28), ['d'] = V(29), \
	['e'] = V(30), ['f'] = V(31), ['g'] = V(32), ['h'] = V(33), \
	['i'] = V(34), ['j'] = V(35), ['k'] = V(36), ['l'] = V(37), \
	['m'] = V(38), ['n'] = V(39), ['o'] = V(40), ['p'] = V(41), \
	['q'] = V(42), ['r'] = V(43), ['s'] = V(44), ['t'] = V(45), \
	['u'] = V(46), ['v'] = V(47), ['w'] = V(48), ['x'] = V(49), \
	['y'] = V(50), ['z'] = V(51), ['0'] = V(52), ['1'] = V(53), \
	['2'] = V(54), ['3'] = V(55), ['4'] = V(56), ['5'] = V(57), \
	['6'] = V(58), ['7'] = V(59), ['8'] = V(60), ['9'] = V(61)

static const unsigned char std_values[256] = {
	COMMON,
	['+'] = V(62),
	['/'] = V(63),
};
static const unsigned char url_values[256] = {
	COMMON,
	['-'] = V(62),
	['_'] = V(63),
};

/* ---- encode ---- */

size_t
base64_size(size_t n)
{
	return (n + 2) / 3 * 4;
}

/* Whole groups of three bytes. Returns the end of what was written. */
static char *
encode_groups(const char *alphabet, const unsigned char *in, size_t groups,
    char *out)
{
	for (; groups > 0; groups--, in += 3, out += 4) {
		unsigned v = (unsigned)in[0] << 16 | in[1] << 8 | in[2];
		out[0] = alphabet[v >> 18];
		out[1] = alphabet[v >> 12 & 63];
		out[2] = alphabet[v >> 6 & 63];
		out[3] = alphabet[v & 63];
	}
	return out;
}

static char *
encode_to(const char *alphabet, struct slice data, bool pad, char *out)
{
	size_t groups = data.n / 3, left = data.n % 3;
	const unsigned char *in = (const unsigned char *)data.p;
	unsigned v;

	out = encode_groups(alphabet, in, groups, out);
	if (left == 0)
		return out;
	in += 3 * groups;
	v = (unsigned)in[0] << 16 | (left == 2 ? in[1] << 8 : 0);
	*out++ = alphabet[v >> 18];
	*out++ = alphabet[v >> 12 & 63];
	if (left == 2)
		*out++ = alphabet[v >> 6 & 63];
	for (; pad && left < 3; left++)
		*out++ = '=';
	return out;
}

static void
encode(struct buf *out, struct slice data, const char *alphabet, bool pad)
{
	char *p = data.n == 0 ? NULL : buf_space(out, base64_size(data.n));

	if (p != NULL)
		out->n = (size_t)(encode_to(alphabet, data, pad, p) - out->p);
}

void
base64_encode(struct buf *out, struct slice data)
{
	encode(out, data, std_alphabet, true);
}

void
base64_encode_url(struct buf *out, struct slice data)
{
	encode(out, data, url_alphabet, false);
}

void
base64_encode_lines(struct buf *out, struct slice data)
{
	while (data.n > 0) {
		struct slice line = slice_head(data, BASE64_LINE);
		char *p = buf_space(out, LINE + 2);

		if (p == NULL)
			return;
		p = encode_to(std_alphabet, line, true, p);
		*p++ = '\r';
		*p++ = '\n';
		out->n = (size_t)(p - out->p);
		data = slice_skip(data, line.n);
	}
}

/* ---- decode ---- */

/*
 * Whole groups of four characters while they are in the alphabet. Returns
 * how many groups were decoded to out.
 */
static size_t
decode_groups(const unsigned char values[256], const char *in, size_t groups,
    char *out)
{
	const unsigned char *p = (const unsigned char *)in;
	size_t i;

	for (i = 0; i < groups; i++, p += 4, out += 3) {
		unsigned a = values[p[0]], b = values[p[1]], c = values[p[2]],
			 d = values[p[3]];
		if ((a & b & c & d) == 0)
			break;
		out[0] = (char)(a << 2 | (b >> 4 & 3));
		out[1] = (char)(b << 4 | (c >> 2 & 15));
		out[2] = (char)(c << 6 | (d & 63));
	}
	return i;
}

/* The last group: 2 or 3 characters without padding. */
static bool
decode_last(const unsigned char values[256], struct slice s, char *out)
{
	unsigned v = 0;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char d = values[(unsigned char)s.p[i]];
		if (d == 0)
			return false;
		v = v << 6 | (d & 63);
	}
	v <<= 6 * (4 - s.n);
	/* RFC 4648, 3.5: the bits left over must be zero. */
	if (s.n == 1 || (v & (s.n == 2 ? 0xffff : 0xff)) != 0)
		return false;
	out[0] = (char)(v >> 16);
	if (s.n == 3)
		out[1] = (char)(v >> 8);
	return true;
}

/* Padding dropped; false if it is not as the alphabet wants it. */
static bool
unpad(struct slice *s, bool may_be_missing)
{
	size_t n = s->n;

	while (n > 0 && s->n - n < 2 && s->p[n - 1] == '=')
		n--;
	if ((n == s->n && may_be_missing) || s->n % 4 == 0) {
		s->n = n;
		return true;
	}
	return false;
}

static bool
decode(struct buf *out, struct slice text, const unsigned char values[256])
{
	size_t groups = text.n / 4, left = text.n % 4;
	char *p;

	if (text.n == 0)
		return true;
	p = buf_space(out, groups * 3 + (left == 0 ? 0 : left - 1));
	if (p == NULL)
		return true; /* out is over, which says it */
	if (decode_groups(values, text.p, groups, p) < groups)
		return false;
	p += groups * 3;
	if (left > 0 && !decode_last(values, slice_skip(text, groups * 4), p))
		return false;
	out->n += groups * 3 + (left == 0 ? 0 : left - 1);
	return true;
}

bool
base64_decode(struct buf *out, struct slice text)
{
	return unpad(&text, false) && decode(out, text, std_values);
}

bool
base64_decode_url(struct buf *out, struct slice text)
{
	return unpad(&text, true) && decode(out, text, url_values);
}

/* ---- stream ---- */

/* What the characters of an unfinished group hold. */
static void
flush_group(struct base64_dec *d, struct buf *out)
{
	uint32_t v = d->bits << 6 * (4 - d->n);

	if (d->n >= 2)
		buf_addc(out, (char)(v >> 16));
	if (d->n == 3)
		buf_addc(out, (char)(v >> 8));
	d->bad |= d->n == 1;
	d->bits = d->n = 0;
}

static void
decode_one(struct base64_dec *d, char c, struct buf *out)
{
	unsigned char v = std_values[(unsigned char)c];

	if (v != 0) {
		d->bits = d->bits << 6 | (v & 63);
		if (++d->n == 4) {
			buf_addc(out, (char)(d->bits >> 16));
			buf_addc(out, (char)(d->bits >> 8));
			buf_addc(out, (char)d->bits);
			d->bits = d->n = 0;
		}
	} else if (c == '=') {
		flush_group(d, out);
	} else if (c != '\n' && c != '\r' && c != ' ' && c != '\t') {
		d->bad = true;
	}
}

static bool
begins_group(struct slice text)
{
	return text.n >= 4 && std_values[(unsigned char)text.p[0]] != 0;
}

void
base64_dec_push(struct base64_dec *d, struct slice text, struct buf *out)
{
	while (text.n > 0) {
		size_t groups = text.n / 4;

		/* Fast from the start of a group to the end of its line. */
		if (d->n == 0 && !out->over &&
		    groups * 3 <= out->max - out->n) {
			groups = decode_groups(std_values, text.p, groups,
			    buf_space(out, groups * 3));
			out->n += groups * 3;
			text = slice_skip(text, groups * 4);
		}
		while (text.n > 0) {
			decode_one(d, text.p[0], out);
			text = slice_skip(text, 1);
			if (d->n == 0 && begins_group(text))
				break;
		}
	}
}

void
base64_dec_end(struct base64_dec *d, struct buf *out)
{
	flush_group(d, out);
}
