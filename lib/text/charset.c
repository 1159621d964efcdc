/*
 * charset - text in any character set of mail to UTF-8.
 *
 * UTF-8 is repaired, sets of one byte a character are looked up
 * (charset_single.c), the others go through iconv(3), which loads a module
 * for each.
 */
#include "text/charset.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "text/charset_int.h"
#include "text/unicode.h"

#define NAME 40 /* bytes; names longer than all known are unknown */
#define KEPT 16 /* bytes; no set has longer characters */

static const char utf8_names[] =
    " utf-8 utf8 us-ascii ascii ansi_x3.4-1968 iso646-us 646"
    " unicode-1-1-utf-8 unknown-8bit 8bit binary ";

struct multi {
	const char *names; /* as in charset_int.h */
	const char *iconv;
	size_t unit; /* bytes to pass over when a character is bad */
};

static const struct multi multis[] = {
	{ " gb18030 gb2312 gb_2312-80 gbk cp936 ms936 windows-936 x-gbk euc-cn"
	  " chinese ",
	    "GB18030", 1 },
	{ " big5 big5-hkscs cn-big5 x-x-big5 cp950 ", "BIG5-HKSCS", 1 },
	{ " euc-tw x-euc-tw ", "EUC-TW", 1 },
	{ " shift_jis shift-jis sjis x-sjis ms_kanji windows-31j cp932 ms932 ",
	    "CP932", 1 },
	{ " euc-jp x-euc-jp eucjp ", "EUC-JP", 1 },
	{ " iso-2022-jp iso-2022-jp-1 iso-2022-jp-2 ", "ISO-2022-JP-2", 1 },
	{ " euc-kr ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 korean"
	  " windows-949 cp949 uhc ",
	    "UHC", 1 },
	{ " iso-2022-kr ", "ISO-2022-KR", 1 },
	{ " utf-7 unicode-1-1-utf-7 ", "UTF-7", 1 },
	{ " utf-16 unicode ucs-2 iso-10646-ucs-2 ", "UTF-16", 2 },
	{ " utf-16le unicodefeff ", "UTF-16LE", 2 },
	{ " utf-16be unicodefffe ", "UTF-16BE", 2 },
	{ " utf-32 ucs-4 iso-10646-ucs-4 ", "UTF-32", 4 },
	{ " utf-32le ", "UTF-32LE", 4 },
	{ " utf-32be ", "UTF-32BE", 4 },
};

#define MULTIS (sizeof(multis) / sizeof(multis[0]))

struct charset {
	/* All of in, to out, but what is returned: the begin of a character
	 * at its end, shorter than KEPT. */
	struct slice (*convert)(struct charset *c, struct slice in,
	    struct buf *out);
	uint16_t high[128]; /* what 0x80 to 0xff stand for */
	const struct multi *multi;
	iconv_t cd; /* if multi is set */
	char kept[KEPT];
	size_t n;
};

/* ---- UTF-8 ---- */

static struct slice
convert_utf8(struct charset *c, struct slice in, struct buf *out)
{
	size_t n = in.n - unicode_partial(in);

	(void)c;
	unicode_repair(out, slice_head(in, n));
	return slice_skip(in, n);
}

/* ---- one byte a character ---- */

static struct slice
convert_single(struct charset *c, struct slice in, struct buf *out)
{
	while (in.n > 0 && !out->over) {
		size_t n = unicode_ascii_prefix(in);

		buf_add(out, slice_head(in, n));
		in = slice_skip(in, n);
		for (; in.n > 0 && in.p[0] & 0x80; in = slice_skip(in, 1))
			unicode_put(out, c->high[in.p[0] & 0x7f]);
	}
	return SLICE_NULL;
}

static void
fill_high(struct charset *c, const char *chars)
{
	struct slice rest = slice_str(chars);
	size_t i = 128 - unicode_count(rest);
	uint32_t code;

	for (size_t k = 0; k < i; k++)
		c->high[k] = UNICODE_BAD;
	for (; unicode_next(&rest, &code); i++)
		c->high[i] = (uint16_t)code;
}

/* ---- iconv ---- */

/* As iconv(3), growing out as needed: E2BIG only if out is at its maximum. */
static size_t
run_iconv(iconv_t cd, struct slice *in, struct buf *out)
{
	size_t rc = 0, room, left;

	do {
		char *from = (char *)in->p, *to;

		room = 2 * in->n + KEPT;
		if (room > out->max - out->n)
			room = out->max - out->n;
		to = buf_space(out, room);
		if (to == NULL) {
			errno = E2BIG;
			return (size_t)-1;
		}
		left = room;
		rc = iconv(cd, from == NULL ? NULL : &from, &in->n, &to, &left);
		in->p = from;
		out->n += room - left;
	} while (rc == (size_t)-1 && errno == E2BIG && left < room);
	return rc;
}

static struct slice
convert_multi(struct charset *c, struct slice in, struct buf *out)
{
	while (in.n > 0 && run_iconv(c->cd, &in, out) == (size_t)-1) {
		if (errno == EINVAL && in.n < KEPT)
			return in;
		if (errno == E2BIG) {
			out->over = true;
			break;
		}
		unicode_put(out, UNICODE_BAD);
		in = slice_skip(in, c->multi->unit);
	}
	return SLICE_NULL;
}

/* ---- names ---- */

/* Set c up for the set of this name; false if there is none. */
static bool
open_set(struct charset *c, struct slice name)
{
	char word[NAME] = " ";
	size_t n;

	*c = (struct charset){ .convert = convert_utf8 };
	name = slice_trim(name);
	if (name.n == 0)
		return true;
	if (name.n > NAME - 3)
		return false;
	for (n = 1; n <= name.n; n++) {
		char l = name.p[n - 1];
		if (l <= ' ' || l > '~')
			return false;
		word[n] = (char)(l >= 'A' && l <= 'Z' ? l | 0x20 : l);
	}
	word[n] = ' ';
	if (strstr(utf8_names, word) != NULL)
		return true;
	c->convert = convert_single;
	for (size_t i = 0; i < charset_nsingles; i++)
		if (strstr(charset_singles[i].names, word) != NULL) {
			fill_high(c, charset_singles[i].chars);
			return true;
		}
	c->convert = convert_multi;
	for (size_t i = 0; i < MULTIS; i++)
		if (strstr(multis[i].names, word) != NULL) {
			c->multi = &multis[i];
			c->cd = iconv_open("UTF-8", c->multi->iconv);
			return c->cd != (iconv_t)-1;
		}
	return false;
}

static void
close_set(struct charset *c)
{
	if (c->multi != NULL)
		iconv_close(c->cd);
}

bool
charset_known(struct slice name)
{
	struct charset c;
	bool known = open_set(&c, name);

	if (known)
		close_set(&c);
	return known;
}

void
charset_warm(void)
{
	/* While one is open its module stays. */
	static iconv_t open[MULTIS];

	for (size_t i = 0; i < MULTIS; i++)
		if (open[i] == NULL)
			open[i] = iconv_open("UTF-8", multis[i].iconv);
}

/* ---- streams ---- */

/* Convert, and keep what is no character yet. */
static void
convert(struct charset *c, struct slice in, struct buf *out)
{
	struct slice left = c->convert(c, in, out);

	if (left.p != NULL)
		memmove(c->kept, left.p, left.n);
	c->n = left.n;
}

void
charset_push(struct charset *c, struct slice text, struct buf *out)
{
	while (c->n > 0 && text.n > 0) {
		c->kept[c->n++] = text.p[0];
		text = slice_skip(text, 1);
		convert(c, slice_of(c->kept, c->n), out);
	}
	if (text.n > 0 && !out->over)
		convert(c, text, out);
}

void
charset_end(struct charset *c, struct buf *out)
{
	struct slice nothing = SLICE_NULL;

	if (c->n > 0)
		unicode_put(out, UNICODE_BAD);
	c->n = 0;
	if (c->multi != NULL) /* back to the first state, for what was held */
		run_iconv(c->cd, &nothing, out);
}

struct charset *
charset_new(struct slice name)
{
	struct charset *c = xmalloc(sizeof(*c));

	if (open_set(c, name))
		return c;
	free(c);
	return NULL;
}

void
charset_free(struct charset **c)
{
	if (*c == NULL)
		return;
	close_set(*c);
	free(*c);
	*c = NULL;
}

bool
charset_decode(struct buf *out, struct slice charset, struct slice text)
{
	struct charset c;

	if (!open_set(&c, charset))
		return false;
	charset_push(&c, text, out);
	charset_end(&c, out);
	close_set(&c);
	return true;
}
