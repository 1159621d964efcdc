/* encword - encoded words in header text, both ways. */
#include "message/encword.h"

#include "message/lex.h"
#include "text/base64.h"
#include "text/charset.h"
#include "text/unicode.h"

/* Most bytes of a run of words with the same charset; a header field that
 * was taken in is never longer. */
#define RUN_MAX (256 * 1024)

/* ---- decode ---- */

struct word {
	struct slice charset;
	char encoding; /* 'Q' or 'B' */
	struct slice text;
};

/*
 * RFC 2047, 2, and the language of RFC 2231, 5. Longer words than allowed,
 * and spaces in Q, are common enough to be taken.
 */
static bool
take_word(struct scan *sc, struct word *w_r)
{
	struct scan at = *sc;
	struct slice language;
	int c;

	if (!scan_lit(&at, SLICE("=?")))
		return false;
	w_r->charset = scan_until(&at, '?');
	if (w_r->charset.n == 0 || w_r->charset.n > ENCWORD_MAX ||
	    !scan_char(&at, '?'))
		return false;
	slice_cut(w_r->charset, '*', &w_r->charset, &language);
	c = scan_peek(&at);
	w_r->encoding = (char)(c & ~0x20);
	if (c < 0 || (w_r->encoding != 'Q' && w_r->encoding != 'B'))
		return false;
	at.p++;
	if (!scan_char(&at, '?'))
		return false;
	w_r->text = scan_until(&at, '?');
	if (!scan_lit(&at, SLICE("?=")) || !charset_known(w_r->charset))
		return false;
	*sc = at;
	return true;
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 2047, 4.2 */
static void
decode_q(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.n; i++) {
		int high, low;

		if (text.p[i] == '_')
			buf_addc(out, ' ');
		else if (text.p[i] == '=' && i + 2 < text.n &&
		    (high = hex_value(text.p[i + 1])) >= 0 &&
		    (low = hex_value(text.p[i + 2])) >= 0) {
			buf_addc(out, (char)(high << 4 | low));
			i += 2;
		} else
			buf_addc(out, text.p[i]);
	}
}

static void
decode_b(struct buf *out, struct slice text)
{
	struct base64_dec d = BASE64_DEC_INIT;

	base64_dec_push(&d, text, out);
	base64_dec_end(&d, out);
}

/*
 * A word, and those after it in the same charset: many senders cut them in
 * the middle of a character. False if there is no word here.
 */
static bool
decode_run(struct buf *out, struct scan *sc)
{
	struct buf bytes = BUF_INIT(RUN_MAX);
	struct word w;
	struct slice charset;

	if (!take_word(sc, &w))
		return false;
	charset = w.charset;
	for (;;) {
		struct scan at = *sc;

		(w.encoding == 'Q' ? decode_q : decode_b)(&bytes, w.text);
		scan_skip(&at, scan_wsp);
		if (!take_word(&at, &w) || !slice_eqi(w.charset, charset))
			break;
		*sc = at;
	}
	charset_decode(out, charset, buf_slice(&bytes));
	buf_free(&bytes);
	return true;
}

void
encword_decode(struct buf *out, struct slice text)
{
	struct scan sc = scan_of(text);
	size_t from = out->n;

	while (!scan_end(&sc) && !out->over) {
		struct slice rest = scan_rest(&sc);
		ssize_t i = slice_find(rest, SLICE("=?"));
		struct scan at, peek;
		struct word w;

		if (i < 0) {
			unicode_repair(out, rest);
			break;
		}
		unicode_repair(out, slice_head(rest, (size_t)i));
		sc.p += i;
		if (!decode_run(out, &sc)) {
			buf_add(out, SLICE("=?"));
			sc.p += 2;
			continue;
		}
		/* White space between two words is none (RFC 2047, 6.2). */
		at = sc;
		scan_skip(&at, scan_wsp);
		peek = at;
		if (take_word(&peek, &w))
			sc = at;
	}
	lex_blank_controls(out, from);
}

/* ---- encode ---- */

#define UTF8_Q "=?utf-8?q?"
#define UTF8_B "=?utf-8?b?"
#define AROUND 12 /* characters of a word that are not its text */

/* What may stand for itself even in a phrase (RFC 2047, 5 (3)). */
static const bool is_q_plain[256] = {
	['0' ... '9'] = true,
	['A' ... 'Z'] = true,
	['a' ... 'z'] = true,
	['!'] = true,
	['*'] = true,
	['+'] = true,
	['-'] = true,
	['/'] = true,
};

bool
encword_needed(struct slice text)
{
	if (slice_find(text, SLICE("=?")) >= 0)
		return true;
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] < ' ' ||
		    (unsigned char)text.p[i] > '~')
			return true;
	return false;
}

static size_t
q_size(struct slice bytes)
{
	size_t n = 0;

	for (size_t i = 0; i < bytes.n; i++) {
		unsigned char c = (unsigned char)bytes.p[i];

		n += is_q_plain[c] || c == ' ' ? 1 : 3;
	}
	return n;
}

static void
add_q(struct buf *out, struct slice bytes)
{
	for (size_t i = 0; i < bytes.n; i++) {
		unsigned char c = (unsigned char)bytes.p[i];

		if (c == ' ')
			buf_addc(out, '_');
		else if (is_q_plain[c])
			buf_addc(out, (char)c);
		else
			buf_addf(out, "=%02X", c);
	}
}

static void
add_word(struct buf *out, struct slice bytes, bool q)
{
	buf_addz(out, q ? UTF8_Q : UTF8_B);
	if (q)
		add_q(out, bytes);
	else
		base64_encode(out, bytes);
	buf_addz(out, "?=");
}

void
encword_encode(struct buf *out, struct slice text, size_t first)
{
	bool q = q_size(text) <= base64_size(text.n);
	struct buf word = BUF_INIT(ENCWORD_MAX), one = BUF_INIT(4);
	size_t room = (first < ENCWORD_MAX ? first : ENCWORD_MAX) - AROUND;
	size_t used = 0;
	uint32_t c;

	while (unicode_next(&text, &c)) {
		size_t size;

		buf_reset(&one);
		unicode_put(&one, c < ' ' || c == 0x7f ? ' ' : c);
		size = q ? q_size(buf_slice(&one)) : one.n;
		/* A word holds whole characters (RFC 2047, 5 (3)). */
		if (used + size > (q ? room : room / 4 * 3)) {
			add_word(out, buf_slice(&word), q);
			buf_addc(out, ' ');
			buf_reset(&word);
			room = ENCWORD_MAX - AROUND;
			used = 0;
		}
		buf_add(&word, buf_slice(&one));
		used += size;
	}
	if (word.n > 0)
		add_word(out, buf_slice(&word), q);
	buf_free(&word);
	buf_free(&one);
}
