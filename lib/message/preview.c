/*
 * preview - the first words of a message.
 *
 * Bytes are decoded a little at a time, cut into lines, and lines wait in a
 * short queue, since what follows a line decides whether it introduces a
 * quotation or begins a signature.
 */
#include "message/preview.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/scan.h"
#include "message/body.h"
#include "text/html.h"
#include "text/unicode.h"

#define TEXT_MAX (100 * 1024)  /* bytes of a text that are looked at */
#define HTML_MAX (1024 * 1024) /* of HTML: much of it is not text */
#define STEP 1024              /* decoded at a time: most end in the first */
#define LINE_KEEP (4 * PREVIEW_MAX) /* bytes of a line that can show */
#define AHEAD 10                    /* lines: signature, blank lines behind */
#define SIGNATURE 4                 /* lines of one */
#define ENOUGH 250 /* bytes, then the line that passes is last */

#define SNIP "[...]\n"

struct preview {
	struct body *body;
	struct html *html; /* NULL for plain text */
	size_t left;       /* bytes of the part still to be looked at */
	struct buf decoded, text;
	struct buf line; /* the one that is not complete yet */
	struct buf result;
	char ahead[AHEAD][LINE_KEEP];
	size_t len[AHEAD]; /* trimmed; 0: blank */
	size_t first, n;   /* the queue */
	bool done;
};

/* ---- lines ---- */

/* White space and what takes no room: HTML mail is padded with it. */
static bool
is_blank(uint32_t c)
{
	return c <= ' ' || c == 0x7f || c == 0xa0 || c == 0xad || c == 0x34f ||
	    (c >= 0x2000 && c <= 0x200f) || (c >= 0x2028 && c <= 0x202f) ||
	    c == 0x205f || c == 0x2060 || c == 0x3000 || c == 0xfeff;
}

static bool
is_solid(char c)
{
	return c > ' ' && c < 0x7f;
}

static struct slice
trim(struct slice s)
{
	struct slice rest, before;
	const char *from = NULL, *to = NULL;
	uint32_t c;

	/* Mostly there is nothing else than ASCII at the ends. */
	s = rest = before = slice_trim(s);
	if (s.n == 0 || (is_solid(s.p[0]) && is_solid(s.p[s.n - 1])))
		return s;
	while (unicode_next(&rest, &c)) {
		if (!is_blank(c)) {
			if (from == NULL)
				from = before.p;
			to = rest.p;
		}
		before = rest;
	}
	return from == NULL ? SLICE_NULL : slice_of(from, (size_t)(to - from));
}

static struct slice
line_at(const struct preview *p, size_t i)
{
	size_t at = (p->first + i) % AHEAD;

	return slice_of(p->ahead[at], p->len[at]);
}

static void
drop_line(struct preview *p)
{
	p->first = (p->first + 1) % AHEAD;
	p->n--;
}

static bool
is_snip(struct slice s)
{
	return slice_is(s, "[...]") || slice_is(s, "[\u2026]") ||
	    slice_is(s, "...");
}

static bool
is_quoted(struct slice s)
{
	return s.n > 0 && s.p[0] == '>';
}

/* Is the text behind line i, a blank line apart, quoted or left out? */
static bool
quote_follows(const struct preview *p, size_t i)
{
	i++;
	if (i < p->n && line_at(p, i).n == 0)
		i++;
	return i < p->n && (is_quoted(line_at(p, i)) || is_snip(line_at(p, i)));
}

/* Dashes, and behind them few lines without a blank one between. */
static bool
is_signature(const struct preview *p)
{
	struct slice s = line_at(p, 0);
	size_t end = p->n;

	if (s.n < 2)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '-')
			return false;
	while (end > 1 && line_at(p, end - 1).n == 0)
		end--;
	for (size_t i = 1; i < end; i++)
		if (line_at(p, i).n == 0)
			return false;
	return end - 1 <= SIGNATURE;
}

static bool
has_digit(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (scan_digit[(unsigned char)s.p[i]])
			return true;
	return false;
}

static void
add_snip(struct preview *p)
{
	if (!slice_ends(buf_slice(&p->result), SLICE(SNIP)))
		buf_addz(&p->result, SNIP);
}

/* "On Monday, somebody", "wrote:" at the very begin. */
static bool
is_wrapped_intro(const struct preview *p)
{
	return p->result.n == 0 && p->n > 3 &&
	    slice_starts(line_at(p, 0), SLICE("On ")) &&
	    !slice_ends(line_at(p, 0), SLICE(":")) &&
	    slice_ends(line_at(p, 1), SLICE(":")) && quote_follows(p, 1);
}

static void
take_line(struct preview *p)
{
	struct slice s = line_at(p, 0);

	if (is_signature(p)) {
		p->done = true;
		return;
	}
	if (is_wrapped_intro(p)) {
		add_snip(p);
		drop_line(p);
	} else if (is_quoted(s) || is_snip(s) ||
	    (slice_ends(s, SLICE(":")) && (has_digit(s) || p->result.n == 0) &&
		quote_follows(p, 0)))
		add_snip(p);
	else if (s.n > 0) {
		unicode_repair(&p->result, s);
		buf_addc(&p->result, '\n');
	}
	drop_line(p);
	p->done = p->result.n > ENOUGH;
}

/* The line is complete: into the queue. */
static void
end_line(struct preview *p)
{
	struct slice s = trim(buf_slice(&p->line));
	size_t at = (p->first + p->n) % AHEAD;

	s = slice_head(s, LINE_KEEP);
	s.n -= unicode_partial(s);
	for (size_t i = 0; i < s.n; i++)
		p->ahead[at][i] = (unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f
		    ? ' '
		    : s.p[i];
	p->len[at] = s.n;
	p->n++;
	buf_reset(&p->line);
	if (p->n == AHEAD)
		take_line(p);
}

static void
take_text(struct preview *p, struct slice text)
{
	while (text.n > 0 && !p->done) {
		struct slice piece;
		bool ended = slice_cut(text, '\n', &piece, &text);
		size_t room = p->line.max - p->line.n;

		buf_add(&p->line, slice_head(piece, room));
		if (ended)
			end_line(p);
	}
}

/* ---- bytes ---- */

struct preview *
preview_new(bool html, enum msgrec_encoding encoding, struct slice charset)
{
	/* An empty charset would mean bytes as they are. */
	struct body *body =
	    body_new(encoding, charset.n > 0 ? charset : SLICE("us-ascii"));
	struct preview *p;

	if (body == NULL)
		return NULL;
	p = xmalloc(sizeof(*p));
	p->body = body;
	p->html = html ? html_new(HTML_TEXT) : NULL;
	p->left = html ? HTML_MAX : TEXT_MAX;
	/* A byte may become a character of four; in HTML a <q> becomes two
	 * marks of three. */
	p->decoded = (struct buf)BUF_INIT(8 * STEP);
	p->text = (struct buf)BUF_INIT(32 * 8 * STEP);
	/* Blanks at its begin do not count. */
	p->line = (struct buf)BUF_INIT(2 * LINE_KEEP);
	p->result = (struct buf)BUF_INIT(ENOUGH + LINE_KEEP + sizeof(SNIP));
	p->first = p->n = 0;
	p->done = false;
	return p;
}

static void
take_decoded(struct preview *p, bool last)
{
	if (p->html == NULL) {
		take_text(p, buf_slice(&p->decoded));
	} else {
		html_push(p->html, buf_slice(&p->decoded), &p->text);
		if (last)
			html_end(p->html, &p->text);
		take_text(p, buf_slice(&p->text));
		buf_reset(&p->text);
	}
	buf_reset(&p->decoded);
}

bool
preview_push(struct preview *p, struct slice wire)
{
	while (wire.n > 0 && p->left > 0 && !p->done) {
		size_t n = p->left < STEP ? p->left : STEP;
		struct slice piece = slice_head(wire, n);

		body_push(p->body, piece, &p->decoded);
		take_decoded(p, false);
		p->left -= piece.n;
		wire = slice_skip(wire, piece.n);
	}
	return p->left > 0 && !p->done;
}

void
preview_end(struct preview **pp, struct buf *out)
{
	struct preview *p = *pp;

	if (p == NULL)
		return;
	if (!p->done) {
		body_end(p->body, &p->decoded);
		take_decoded(p, true);
		if (p->line.n > 0 && !p->done)
			end_line(p);
	}
	while (p->n > 0 && !p->done)
		take_line(p);
	buf_add(out, unicode_head(buf_slice(&p->result), PREVIEW_MAX));
	body_free(&p->body);
	html_free(&p->html);
	buf_free(&p->decoded);
	buf_free(&p->text);
	buf_free(&p->line);
	buf_free(&p->result);
	free(p);
	*pp = NULL;
}
