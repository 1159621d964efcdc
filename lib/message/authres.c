/* authres - the Authentication-Results field. */
#include "message/authres.h"

#include "base/scan.h"
#include "message/lex.h"

#define COLUMNS 76

/* RFC 2045, 5.1: token. */
static const bool is_token[256] = {
	['!'] = true,
	['#' ... '\''] = true,
	['*' ... '+'] = true,
	['-' ... '.'] = true,
	['0' ... '9'] = true,
	['A' ... 'Z'] = true,
	['^' ... '~'] = true,
	[0x80 ... 0xff] = true, /* RFC 8616, 6 */
};

/* RFC 5321, 4.1.2: Keyword. */
static const bool is_keyword[256] = {
	['-'] = true,
	['_'] = true,
	['0' ... '9'] = true,
	['A' ... 'Z'] = true,
	['a' ... 'z'] = true,
};

/* What stands in values that nobody quoted: "a@b", "x/y=". */
static const bool is_loose[256] = {
	['!'] = true,
	['#' ... '\''] = true,
	['*' ... ':'] = true,
	['<' ... '~'] = true,
	[0x80 ... 0xff] = true,
};

/* ---- reading ---- */

static int
wrong(struct err *e, const struct scan *sc, const char *what)
{
	return err_set(e, ERR_SYNTAX,
	    "authentication-results: %s expected at \"%.*s\"", what,
	    SLICE_FMT(slice_head(scan_rest(sc), 40)));
}

static bool
keyword(struct scan *sc, struct slice *word_r)
{
	lex_skip(sc);
	return scan_take(sc, is_keyword, word_r);
}

static bool
symbol(struct scan *sc, char c)
{
	lex_skip(sc);
	return scan_char(sc, c);
}

/* A value, quoted or not. False if there is none. */
static bool
value(struct arena *arena, struct scan *sc, struct slice *value_r)
{
	const char *start;
	struct slice rest;

	lex_skip(sc);
	start = sc->p;
	if (!lex_quoted(arena, sc, value_r, NULL))
		return scan_take(sc, is_loose, value_r);
	/* A quoted local part: the address as it stands. */
	if (scan_peek(sc) == '@' && scan_take(sc, is_loose, &rest))
		*value_r = slice_of(start, (size_t)(sc->p - start));
	return true;
}

/* The comment behind a result; white space around. */
static struct slice
comment(struct arena *arena, struct scan *sc)
{
	struct slice text = SLICE_NULL;

	scan_skip(sc, lex_space);
	lex_comment(arena, sc, &text, NULL);
	lex_skip(sc);
	return text;
}

static int
parse_props(struct arena *arena, struct scan *sc, struct authres_method *m,
    struct err *e)
{
	struct authres_prop p;

	while (lex_skip(sc), !scan_end(sc) && *sc->p != ';') {
		if (!keyword(sc, &p.type))
			return wrong(e, sc, "a property");
		if (m->n == 0 && slice_isi(p.type, "reason") &&
		    symbol(sc, '=')) {
			if (!value(arena, sc, &m->reason))
				return wrong(e, sc, "a reason");
			continue;
		}
		if (!symbol(sc, '.') || !keyword(sc, &p.name) ||
		    !symbol(sc, '='))
			return wrong(e, sc, "a property");
		if (!value(arena, sc, &p.value))
			p.value = SLICE_NULL;
		if (m->n == AUTHRES_PROPS_MAX)
			return err_set(e, ERR_LIMIT,
			    "authentication-results: more than %d properties",
			    AUTHRES_PROPS_MAX);
		m->props = arena_grow(arena, m->props, m->n, m->n + 1,
		    sizeof(*m->props));
		m->props[m->n++] = p;
	}
	return 0;
}

/* 1, or 0 for "none", which stands alone: nothing was checked. */
static int
parse_method(struct arena *arena, struct scan *sc, struct authres_method *m,
    struct err *e)
{
	uint32_t version = 1;

	*m = (struct authres_method){ .props = NULL };
	if (!keyword(sc, &m->method))
		return wrong(e, sc, "a method");
	if (slice_isi(m->method, "none")) {
		lex_skip(sc);
		if (scan_end(sc) || *sc->p == ';')
			return 0;
	}
	if (symbol(sc, '/') && (lex_skip(sc), !scan_u32(sc, &version)))
		return wrong(e, sc, "a version");
	if (!symbol(sc, '=') || !keyword(sc, &m->result))
		return wrong(e, sc, "a result");
	m->comment = comment(arena, sc);
	return parse_props(arena, sc, m, e) < 0 ? -1 : 1;
}

static int
parse_id(struct arena *arena, struct scan *sc, struct authres *a, struct err *e)
{
	uint32_t version = 1;
	struct scan ahead;

	if (!value(arena, sc, &a->id))
		return wrong(e, sc, "the name of a host");
	lex_skip(sc);
	ahead = *sc;
	if (scan_u32(&ahead, &version))
		*sc = ahead;
	if (version != 1)
		return err_set(e, ERR_PERM,
		    "authentication-results: version %u is not known", version);
	return 0;
}

int
authres_parse(struct arena *arena, struct slice text, struct authres *a_r,
    struct err *e)
{
	struct scan sc = scan_of(text);
	struct authres_method m;
	bool any = false;

	*a_r = (struct authres){ .v = NULL };
	if (parse_id(arena, &sc, a_r, e) < 0)
		return -1;
	while (symbol(&sc, ';')) {
		int rc;

		lex_skip(&sc);
		if (scan_end(&sc) && any)
			break; /* one too many is common */
		any = true;
		rc = parse_method(arena, &sc, &m, e);
		if (rc < 0)
			return -1;
		if (rc == 0)
			continue;
		if (a_r->n == AUTHRES_METHODS_MAX)
			return err_set(e, ERR_LIMIT,
			    "authentication-results: more than %d methods",
			    AUTHRES_METHODS_MAX);
		a_r->v = arena_grow(arena, a_r->v, a_r->n, a_r->n + 1,
		    sizeof(*a_r->v));
		a_r->v[a_r->n++] = m;
	}
	if (!scan_end(&sc))
		return wrong(e, &sc, "\";\"");
	return 0;
}

struct slice
authres_prop(const struct authres_method *m, const char *type, const char *name)
{
	for (size_t i = 0; i < m->n; i++)
		if (slice_isi(m->props[i].type, type) &&
		    slice_isi(m->props[i].name, name))
			return m->props[i].value;
	return SLICE_NULL;
}

/* ---- building ---- */

struct authres_method *
authres_add(struct arena *arena, struct authres *a, const char *method,
    const char *result)
{
	a->v = arena_grow(arena, a->v, a->n, a->n + 1, sizeof(*a->v));
	a->v[a->n] = (struct authres_method){ .method = slice_str(method),
		.result = slice_str(result) };
	return &a->v[a->n++];
}

void
authres_add_prop(struct arena *arena, struct authres_method *m,
    const char *type, const char *name, struct slice text)
{
	if (text.n == 0)
		return;
	m->props =
	    arena_grow(arena, m->props, m->n, m->n + 1, sizeof(*m->props));
	m->props[m->n++] =
	    (struct authres_prop){ slice_str(type), slice_str(name), text };
}

/* ---- writing ---- */

static bool
all(struct slice s, scan_class c)
{
	struct scan sc = scan_of(s);

	scan_skip(&sc, c);
	return s.n > 0 && scan_end(&sc);
}

/* One quoted string, without line breaks. */
static bool
is_quoted(struct slice s)
{
	struct scan sc = scan_of(s);
	struct slice text;
	bool closed;

	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return false;
	return lex_quoted(NULL, &sc, &text, &closed) && closed && scan_end(&sc);
}

/* [local@]domain may stand without quotes (RFC 8601, 2.2: pvalue). */
static bool
is_address(struct slice s)
{
	ssize_t at = slice_rchr(s, '@');
	struct slice local = slice_head(s, at < 0 ? 0 : (size_t)at);
	struct slice atom;

	if (at < 0 || !all(slice_skip(s, (size_t)at + 1), is_token))
		return false;
	if (local.n == 0 || is_quoted(local))
		return true;
	for (bool more = true; more;) {
		more = slice_cut(local, '.', &atom, &local);
		if (!all(atom, lex_atext))
			return false;
	}
	return true;
}

static void
add_escaped(struct buf *out, struct slice s, const char *special)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (slice_chr(slice_str(special), (char)c) >= 0)
			buf_addc(out, '\\');
		buf_addc(out, c < ' ' || c == 0x7f ? ' ' : (char)c);
	}
}

static void
add_value(struct buf *out, struct slice s)
{
	if (all(s, is_token) || is_address(s)) {
		buf_add(out, s);
		return;
	}
	buf_addc(out, '"');
	add_escaped(out, s, "\"\\");
	buf_addc(out, '"');
}

/* A word of the line, on the next line if it does not fit. */
static void
add_word(struct buf *out, size_t *column, struct slice word)
{
	if (*column + 1 + word.n > COLUMNS) {
		buf_addz(out, "\r\n\t\t");
		*column = 16;
	} else {
		buf_addc(out, ' ');
		*column += 1;
	}
	buf_add(out, word);
	*column += word.n;
}

static void
write_method(struct buf *out, const struct authres_method *m, bool last)
{
	struct buf word = BUF_INIT(SIZE_MAX);
	size_t column = 8 + m->method.n + 1 + m->result.n;

	buf_addf(out, "\r\n\t%.*s=%.*s", SLICE_FMT(m->method),
	    SLICE_FMT(m->result));
	if (m->comment.n > 0) {
		buf_addc(&word, '(');
		add_escaped(&word, m->comment, "()\\");
		buf_addc(&word, ')');
		add_word(out, &column, buf_slice(&word));
	}
	if (m->reason.n > 0) {
		buf_reset(&word);
		buf_addz(&word, "reason=\"");
		add_escaped(&word, m->reason, "\"\\");
		buf_addc(&word, '"');
		add_word(out, &column, buf_slice(&word));
	}
	for (size_t i = 0; i < m->n; i++) {
		buf_reset(&word);
		buf_addf(&word, "%.*s.%.*s=", SLICE_FMT(m->props[i].type),
		    SLICE_FMT(m->props[i].name));
		add_value(&word, m->props[i].value);
		add_word(out, &column, buf_slice(&word));
	}
	if (!last)
		buf_addc(out, ';');
	buf_free(&word);
}

void
authres_write(struct buf *out, const char *begin, const struct authres *a)
{
	buf_addz(out, begin);
	buf_addc(out, ' ');
	add_value(out, a->id);
	buf_addz(out, a->n == 0 ? "; none" : ";");
	for (size_t i = 0; i < a->n; i++)
		write_method(out, &a->v[i], i + 1 == a->n);
	buf_addz(out, "\r\n");
}
