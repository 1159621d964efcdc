/* lex - tokens of structured header fields. */
#include "message/lex.h"

const bool lex_atext[256] = {
	['!'] = true,
	['#' ... '\''] = true,
	['*' ... '+'] = true,
	['-'] = true,
	['/' ... '9'] = true,
	['='] = true,
	['?'] = true,
	['A' ... 'Z'] = true,
	['^' ... '~'] = true,
	[0x80 ... 0xff] = true,
};

const bool lex_space[256] = {
	[' '] = true, ['\t'] = true, ['\r'] = true, ['\n'] = true
};

/* Without backslashes that quote, and line breaks. */
static struct slice
unquote(struct arena *arena, struct slice raw)
{
	char *out = arena_alloc(arena, raw.n);
	size_t n = 0;

	for (size_t i = 0; i < raw.n; i++) {
		if (raw.p[i] == '\r' || raw.p[i] == '\n')
			continue;
		if (raw.p[i] == '\\' && i + 1 < raw.n)
			i++;
		out[n++] = raw.p[i];
	}
	return slice_of(out, n);
}

/*
 * From behind the opening delimiter to behind the closing one. Comments nest
 * (open is '('), quoted strings do not (open is -1).
 */
static struct slice
take_delimited(struct arena *arena, struct scan *sc, int open, char close,
    bool *closed_r)
{
	const char *from = sc->p, *to;
	size_t depth = 0;
	bool plain = true;

	for (; !scan_end(sc); sc->p++) {
		char c = *sc->p;

		if (c == close && depth == 0)
			break;
		if (c == close)
			depth--;
		else if ((unsigned char)c == open)
			depth++;
		else if (c == '\\' || c == '\r' || c == '\n') {
			plain = false;
			if (c == '\\' && sc->end - sc->p > 1)
				sc->p++;
		}
	}
	to = sc->p;
	if (closed_r != NULL)
		*closed_r = !scan_end(sc);
	scan_char(sc, close);
	if (plain || arena == NULL)
		return slice_of(from, (size_t)(to - from));
	return unquote(arena, slice_of(from, (size_t)(to - from)));
}

bool
lex_comment(struct arena *arena, struct scan *sc, struct slice *text_r,
    bool *closed_r)
{
	if (!scan_char(sc, '('))
		return false;
	*text_r = take_delimited(arena, sc, '(', ')', closed_r);
	return true;
}

bool
lex_quoted(struct arena *arena, struct scan *sc, struct slice *text_r,
    bool *closed_r)
{
	if (!scan_char(sc, '"'))
		return false;
	*text_r = take_delimited(arena, sc, -1, '"', closed_r);
	return true;
}

bool
lex_skip(struct scan *sc)
{
	const char *from = sc->p;
	struct slice text;

	do
		scan_skip(sc, lex_space);
	while (lex_comment(NULL, sc, &text, NULL));
	return sc->p > from;
}

void
lex_blank_controls(struct buf *b, size_t from)
{
	for (size_t i = from; i < b->n; i++)
		if ((unsigned char)b->p[i] < ' ' || b->p[i] == 0x7f)
			b->p[i] = ' ';
}
