/*
 * html - the text of an HTML document.
 *
 * A machine that takes one byte at a time; what is common (text, scripts) is
 * passed over in runs. Tags, comments and raw text end where they do in the
 * tokenizer of the HTML standard, so that we see what a reader sees.
 */
#include "text/html.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "text/html_int.h"
#include "text/unicode.h"

#define NAME_ROOM 12 /* bytes of the longest name we know, and one */
#define ALT_MAX 1024 /* bytes of an alt text; more is no description */
#define QUOTE_MAX 8  /* levels shown */

/* ---- elements ---- */

enum {
	BLOCK = 1,     /* lines of its own */
	CELL = 2,      /* a space from its neighbours */
	QUOTE = 4,     /* "> " before its lines */
	SKIP = 8,      /* text inside is not shown */
	DROP = 16,     /* nor are there words in it */
	RAW = 32,      /* no markup inside, up to its end tag */
	IN_HEAD = 64,  /* others end a head that was not closed */
	FOREIGN = 128, /* may be closed by "/>" */
	ALT = 256,
};

/* In order of names. Others have no meaning here. */
static const struct element {
	const char *name;
	unsigned flags;
} elements[] = {
	{ "address", BLOCK },
	{ "article", BLOCK },
	{ "aside", BLOCK },
	{ "base", IN_HEAD },
	{ "blockquote", BLOCK | QUOTE },
	{ "body", BLOCK },
	{ "br", BLOCK },
	{ "center", BLOCK },
	{ "dd", BLOCK },
	{ "details", BLOCK },
	{ "dialog", BLOCK | SKIP },
	{ "dir", BLOCK },
	{ "div", BLOCK },
	{ "dl", BLOCK },
	{ "dt", BLOCK },
	{ "fieldset", BLOCK },
	{ "figcaption", BLOCK },
	{ "figure", BLOCK },
	{ "footer", BLOCK },
	{ "form", BLOCK },
	{ "h1", BLOCK },
	{ "h2", BLOCK },
	{ "h3", BLOCK },
	{ "h4", BLOCK },
	{ "h5", BLOCK },
	{ "h6", BLOCK },
	{ "head", SKIP | IN_HEAD },
	{ "header", BLOCK },
	{ "hgroup", BLOCK },
	{ "hr", BLOCK },
	{ "html", IN_HEAD },
	{ "iframe", RAW | DROP },
	{ "img", ALT },
	{ "li", BLOCK },
	{ "link", IN_HEAD },
	{ "main", BLOCK },
	{ "map", SKIP },
	{ "math", SKIP | FOREIGN },
	{ "menu", BLOCK },
	{ "meta", IN_HEAD },
	{ "nav", BLOCK },
	{ "noembed", RAW | DROP },
	{ "noframes", RAW | DROP | IN_HEAD },
	{ "noscript", IN_HEAD },
	{ "ol", BLOCK },
	{ "option", BLOCK },
	{ "p", BLOCK },
	{ "pre", BLOCK },
	{ "script", RAW | DROP | IN_HEAD },
	{ "section", BLOCK },
	{ "style", RAW | DROP | IN_HEAD },
	{ "summary", BLOCK },
	{ "svg", DROP | FOREIGN },
	{ "table", BLOCK },
	{ "td", CELL },
	{ "template", SKIP | IN_HEAD },
	{ "th", CELL },
	{ "title", RAW | SKIP | IN_HEAD },
	{ "tr", BLOCK },
	{ "ul", BLOCK },
};

#define ELEMENTS (sizeof(elements) / sizeof(elements[0]))

struct html {
	/* Takes a byte; false if the next state shall take it again. */
	bool (*state)(struct html *h, char c);
	struct buf *out; /* of the running push */
	unsigned hidden; /* SKIP and DROP, or DROP only: by mode */

	char name[NAME_ROOM]; /* of the tag, or of its attribute */
	size_t name_n;
	const struct element *tag; /* NULL: of no meaning */
	bool closing;              /* </name> */
	bool slash;                /* ends in "/>" */
	char quote;                /* around the value, or 0 */
	struct buf alt;
	bool in_alt; /* the value is one */

	const struct element *raw; /* in raw text */
	size_t matched;            /* of its "</name", or dashes of a comment */
	char ref[HTML_REF];
	size_t ref_n;

	const struct element *skip; /* hidden element we are in */
	unsigned depth;             /* and how often */

	unsigned quotes;
	bool line;    /* something is on the line */
	bool newline; /* before the next text */
	bool space;
};

/* ---- output ---- */

static void
put(struct html *h, struct slice text)
{
	if (h->skip != NULL || text.n == 0)
		return;
	if (h->newline && h->line) {
		buf_addc(h->out, '\n');
		h->line = false;
	}
	if (!h->line)
		for (unsigned i = 0; i < h->quotes && i < QUOTE_MAX; i++)
			buf_add(h->out, SLICE("> "));
	else if (h->space)
		buf_addc(h->out, ' ');
	h->line = true;
	h->newline = h->space = false;
	buf_add(h->out, text);
}

/* Not seen by a reader; used to pad previews. */
static bool
is_invisible(uint32_t c)
{
	return c == 0xad || c == 0x34f || (c >= 0x200b && c <= 0x200f) ||
	    c == 0x2060 || c == 0xfeff;
}

static void
put_char(struct html *h, uint32_t c)
{
	char text[4 + 1];
	struct buf b = { text, 0, 4, 4, false };

	if (c <= ' ' || c == 0xa0) {
		h->space = true;
	} else if (!is_invisible(c)) {
		unicode_put(&b, c);
		put(h, buf_slice(&b));
	}
}

static void
break_around(struct html *h, unsigned flags)
{
	if (h->skip != NULL)
		return;
	h->newline |= (flags & BLOCK) != 0;
	h->space |= (flags & CELL) != 0;
}

/* ---- the states ---- */

static bool in_text(struct html *h, char c);
static bool in_tag(struct html *h, char c);

/* The reference that ended: its character, or as it stands. */
static void
end_ref(struct html *h, struct slice end)
{
	struct slice ref = slice_of(h->ref, h->ref_n);
	uint32_t c = html_reference(ref);

	if (c != 0) {
		put_char(h, c);
		return;
	}
	put(h, SLICE("&"));
	put(h, ref);
	put(h, end);
}

static bool
in_ref(struct html *h, char c)
{
	bool more = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z') || (c == '#' && h->ref_n == 0);

	if (more && h->ref_n < HTML_REF) {
		h->ref[h->ref_n++] = c;
		return true;
	}
	h->state = in_text;
	end_ref(h, c == ';' ? SLICE(";") : SLICE_NULL);
	return c == ';';
}

static bool
in_bogus(struct html *h, char c)
{
	if (c == '>')
		h->state = in_text;
	return true;
}

static bool
in_comment(struct html *h, char c)
{
	if (c == '>' && h->matched >= 2)
		h->state = in_text;
	h->matched = c == '-' ? h->matched + 1 : 0;
	return true;
}

/* After "<!". "<!-->" is a whole comment, so its dashes count. */
static bool
in_bang(struct html *h, char c)
{
	if (c != '-') {
		h->state = in_bogus;
		return false;
	}
	if (++h->matched == 2)
		h->state = in_comment;
	return true;
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static char
to_lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

/* Add c to the name; one too long is left at its maximum. */
static void
add_name(struct html *h, char c)
{
	if (h->name_n < NAME_ROOM)
		h->name[h->name_n++] = to_lower(c);
}

static bool
in_value(struct html *h, char c)
{
	if (h->quote != 0 ? c == h->quote : is_space(c) || c == '>') {
		h->state = in_tag;
		return h->quote != 0;
	}
	if (h->in_alt)
		buf_addc(&h->alt, c);
	return true;
}

static bool
before_value(struct html *h, char c)
{
	if (is_space(c))
		return true;
	h->state = c == '>' ? in_tag : in_value;
	h->quote = c == '"' || c == '\'' ? c : 0;
	h->in_alt = h->tag != NULL && (h->tag->flags & ALT) &&
	    slice_is(slice_of(h->name, h->name_n), "alt");
	return h->quote != 0;
}

static bool
after_attribute(struct html *h, char c)
{
	if (is_space(c))
		return true;
	h->state = c == '=' ? before_value : in_tag;
	return c == '=';
}

static bool
in_attribute(struct html *h, char c)
{
	if (is_space(c) || c == '/' || c == '>' ||
	    (c == '=' && h->name_n > 0)) {
		h->state = after_attribute;
		return false;
	}
	add_name(h, c);
	return true;
}

/* In raw text: nothing but "</name" matters. */
static bool
in_raw(struct html *h, char c)
{
	const char *name = h->raw->name;
	size_t n = strlen(name);

	if (h->matched == n + 2 && (is_space(c) || c == '/' || c == '>')) {
		h->tag = h->raw;
		h->closing = true;
		h->state = in_tag;
		return false;
	}
	if (h->matched == 1 && c == '/')
		h->matched = 2;
	else if (h->matched >= 2 && h->matched < n + 2 &&
	    to_lower(c) == name[h->matched - 2])
		h->matched++;
	else
		h->matched = c == '<';
	return true;
}

/* ---- tags ---- */

static const struct element *
find_element(struct slice name)
{
	size_t low = 0, high = ELEMENTS;

	while (low < high) {
		size_t mid = (low + high) / 2;
		int d = slice_cmp(name, slice_str(elements[mid].name));

		if (d == 0)
			return &elements[mid];
		if (d < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

static void
put_alt(struct html *h)
{
	struct slice text = buf_slice(&h->alt);

	h->space = true;
	for (h->state = in_text; text.n > 0; text = slice_skip(text, 1))
		if (text.p[0] != '<')
			while (!h->state(h, text.p[0]))
				;
	if (h->state == in_ref)
		end_ref(h, SLICE_NULL);
	h->state = in_text;
	h->space = true;
}

static void
begin_element(struct html *h, const struct element *el)
{
	if (h->skip != NULL && strcmp(h->skip->name, "head") == 0 &&
	    !(el->flags & IN_HEAD)) {
		h->skip = NULL;
		h->depth = 0;
	}
	if ((el->flags & RAW) && (el->flags & h->hidden)) {
		h->raw = el;
		h->matched = 0;
		h->state = in_raw;
		return;
	}
	break_around(h, el->flags);
	if (h->skip == NULL && (el->flags & QUOTE))
		h->quotes++;
	if (h->skip == NULL && (el->flags & ALT) && !(h->hidden & SKIP))
		put_alt(h);
	if ((el->flags & h->hidden) && !(h->slash && (el->flags & FOREIGN))) {
		if (h->skip == NULL)
			h->skip = el;
		if (h->skip == el)
			h->depth++;
	}
}

static void
end_element(struct html *h, const struct element *el)
{
	if (h->skip == el && --h->depth == 0)
		h->skip = NULL;
	if (h->skip == NULL && (el->flags & QUOTE) && h->quotes > 0)
		h->quotes--;
	break_around(h, el->flags);
}

/* Between the attributes of a tag. */
static bool
in_tag(struct html *h, char c)
{
	if (c == '>') {
		h->state = in_text;
		if (h->tag != NULL && h->closing)
			end_element(h, h->tag);
		else if (h->tag != NULL)
			begin_element(h, h->tag);
		return true;
	}
	h->slash = c == '/';
	if (is_space(c) || c == '/')
		return true;
	h->name_n = 0;
	h->state = in_attribute;
	return false;
}

static bool
in_name(struct html *h, char c)
{
	if (!is_space(c) && c != '/' && c != '>') {
		add_name(h, c);
		return true;
	}
	h->tag = find_element(slice_of(h->name, h->name_n));
	h->slash = false;
	buf_reset(&h->alt);
	h->state = in_tag;
	return false;
}

/* After "<" or "</". */
static bool
after_less(struct html *h, char c)
{
	if (to_lower(c) >= 'a' && to_lower(c) <= 'z') {
		h->name_n = 0;
		h->state = in_name;
		return false;
	}
	if (c == '/' && !h->closing) {
		h->closing = true;
		return true;
	}
	if (c == '!' && !h->closing) {
		h->matched = 0;
		h->state = in_bang;
		return true;
	}
	if (c == '?' || h->closing) {
		h->state = in_bogus;
		return false;
	}
	h->state = in_text;
	put(h, SLICE("<"));
	return false;
}

static bool
in_text(struct html *h, char c)
{
	if (c == '<') {
		h->closing = false;
		h->state = after_less;
	} else if (c == '&') {
		h->ref_n = 0;
		h->state = in_ref;
	} else if ((unsigned char)c <= ' ') {
		h->space = true;
	} else {
		put(h, slice_of(&c, 1));
	}
	return true;
}

/* ---- streams ---- */

/* Bytes at the begin of s that state would take one after the other with
 * nothing happening but output. */
static size_t
run_of(const struct html *h, struct slice s)
{
	ssize_t at;
	size_t n = 0;

	if (h->state == in_text) {
		while (n < s.n && (unsigned char)s.p[n] > ' ' &&
		    s.p[n] != '<' && s.p[n] != '&')
			n++;
		return n;
	}
	if (h->state == in_raw && h->matched == 0) {
		at = slice_chr(s, '<');
		return at < 0 ? s.n : (size_t)at;
	}
	return 0;
}

void
html_push(struct html *h, struct slice text, struct buf *out)
{
	h->out = out;
	while (text.n > 0 && !out->over) {
		size_t n = run_of(h, text);

		if (n > 0 && h->state == in_text)
			put(h, slice_head(text, n));
		text = slice_skip(text, n);
		if (text.n > 0 && h->state(h, text.p[0]))
			text = slice_skip(text, 1);
	}
}

void
html_end(struct html *h, struct buf *out)
{
	h->out = out;
	if (h->state == in_ref)
		end_ref(h, SLICE_NULL);
	else if (h->state == after_less)
		put(h, h->closing ? SLICE("</") : SLICE("<"));
	if (h->line)
		buf_addc(out, '\n');
	h->state = in_text;
	h->line = false;
}

struct html *
html_new(enum html_mode mode)
{
	struct html *h = xcalloc(1, sizeof(*h));

	h->state = in_text;
	h->hidden = mode == HTML_TEXT ? SKIP | DROP : DROP;
	h->alt = (struct buf)BUF_INIT(ALT_MAX);
	return h;
}

void
html_free(struct html **h)
{
	if (*h == NULL)
		return;
	buf_free(&(*h)->alt);
	free(*h);
	*h = NULL;
}

void
html_text(struct buf *out, struct slice html, enum html_mode mode)
{
	struct html *h = html_new(mode);

	html_push(h, html, out);
	html_end(h, out);
	html_free(&h);
}
