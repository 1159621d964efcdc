/* param - fields with parameters. */
#include "message/param.h"

#include "message/encword.h"
#include "message/lex.h"
#include "text/charset.h"
#include "text/unicode.h"

/* RFC 2045, 5.1: printable but space and tspecials. */
const bool param_token[256] = {
	['!'] = true,
	['#' ... '\''] = true,
	['*' ... '+'] = true,
	['-' ... '.'] = true,
	['0' ... '9'] = true,
	['A' ... 'Z'] = true,
	['^' ... '~'] = true,
};

/*
 * What is taken as a value without quotes: much more than a token, since
 * boundaries with "=" and file names in 8 bit are sent so.
 */
static const bool is_loose[256] = {
	['!'] = true,
	['#' ... '\''] = true,
	['*' ... ':'] = true,
	['<' ... '~'] = true,
	[0x80 ... 0xff] = true,
};

/* RFC 2231, 7: what a value with %XX may have as it is. */
static const bool is_attribute_char[256] = {
	['!'] = true,
	['#'] = true,
	['$'] = true,
	['&'] = true,
	['+'] = true,
	['-' ... '.'] = true,
	['0' ... '9'] = true,
	['A' ... 'Z'] = true,
	['^' ... '~'] = true,
};

/* ---- reading ---- */

static struct slice
lower(struct arena *arena, struct slice s)
{
	char *out = arena_alloc(arena, s.n);

	for (size_t i = 0; i < s.n; i++)
		out[i] = (char)(s.p[i] >= 'A' && s.p[i] <= 'Z' ? s.p[i] | 0x20
							       : s.p[i]);
	return slice_of(out, s.n);
}

/* name "=" value, both as they stand; then on to behind the next ";". */
static bool
take_param(struct arena *arena, struct scan *sc, struct param *param_r)
{
	bool ok;

	lex_skip(sc);
	ok = scan_take(sc, param_token, &param_r->name);
	lex_skip(sc);
	ok = ok && scan_char(sc, '=');
	lex_skip(sc);
	ok = ok &&
	    (lex_quoted(arena, sc, &param_r->value, NULL) ||
		scan_take(sc, is_loose, &param_r->value));
	if (ok)
		param_r->name = lower(arena, param_r->name);
	scan_until(sc, ';');
	scan_char(sc, ';');
	return ok;
}

/*
 * RFC 2231, 3 and 4.1: name*N or name*N* is piece N of name. False if this
 * is no such name; 0 <= N < PARAM_MAX.
 */
static bool
split_piece(struct slice name, struct slice *base_r, uint32_t *n_r, bool *ext_r)
{
	struct slice number;

	*ext_r = slice_ends(name, SLICE("*"));
	if (*ext_r)
		name.n--;
	return slice_cut(name, '*', base_r, &number) && base_r->n > 0 &&
	    slice_u32(number, n_r) && *n_r < PARAM_MAX;
}

static void
add_percent(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (is_attribute_char[c])
			buf_addc(out, (char)c);
		else
			buf_addf(out, "%%%02X", c);
	}
}

static bool
find_piece(const struct param *v, size_t n, struct slice base, uint32_t number,
    struct slice *value_r, bool *ext_r)
{
	for (size_t i = 0; i < n; i++) {
		struct slice name;
		uint32_t at;

		if (split_piece(v[i].name, &name, &at, ext_r) && at == number &&
		    slice_eq(name, base)) {
			*value_r = v[i].value;
			return true;
		}
	}
	return false;
}

/* All pieces of base in order of their numbers, up to the first gap. */
static struct param
join_pieces(struct arena *arena, const struct param *v, size_t n,
    struct slice base)
{
	struct buf value = BUF_INIT(SIZE_MAX);
	struct param joined = { base, SLICE_NULL };
	struct slice piece;
	bool any_ext = false, ext;

	for (uint32_t i = 0; find_piece(v, n, base, i, &piece, &ext); i++)
		any_ext = any_ext || ext;
	for (uint32_t i = 0; find_piece(v, n, base, i, &piece, &ext); i++) {
		if (any_ext && !ext)
			add_percent(&value, piece);
		else
			buf_add(&value, piece);
	}
	joined.value = arena_dup(arena, buf_slice(&value));
	if (any_ext)
		joined.name = arena_printf(arena, "%.*s*", SLICE_FMT(base));
	buf_free(&value);
	return joined;
}

/* Replace each first piece by the whole value; other pieces go. */
static void
join_all(struct arena *arena, struct param_field *field)
{
	struct param *joined = arena_array(arena, field->n, sizeof(*joined));
	size_t n = 0;

	for (size_t i = 0; i < field->n; i++) {
		struct slice base;
		uint32_t number;
		bool ext;

		if (!split_piece(field->v[i].name, &base, &number, &ext))
			joined[n++] = field->v[i];
		else if (number == 0)
			joined[n++] =
			    join_pieces(arena, field->v, field->n, base);
	}
	field->v = joined;
	field->n = n;
}

void
param_parse(struct arena *arena, struct slice field,
    struct param_field *field_r)
{
	struct scan sc = scan_of(field);
	struct param v[PARAM_MAX];
	bool pieces = false;
	size_t n = 0;

	lex_skip(&sc);
	field_r->value = slice_trim(scan_until(&sc, ';'));
	scan_char(&sc, ';');
	while (!scan_end(&sc) && n < PARAM_MAX)
		if (take_param(arena, &sc, &v[n])) {
			pieces |= slice_chr(v[n].name, '*') >= 0;
			n++;
		}
	field_r->v = arena_grow(arena, v, n, n, sizeof(*v));
	field_r->n = n;
	if (pieces)
		join_all(arena, field_r);
}

bool
param_media_type(struct arena *arena, struct slice value, struct slice *type_r,
    struct slice *subtype_r)
{
	struct scan sc = scan_of(value);

	lex_skip(&sc);
	if (!scan_take(&sc, param_token, type_r))
		return false;
	lex_skip(&sc);
	if (!scan_char(&sc, '/'))
		return false;
	lex_skip(&sc);
	if (!scan_take(&sc, param_token, subtype_r))
		return false;
	*type_r = lower(arena, *type_r);
	*subtype_r = lower(arena, *subtype_r);
	return true;
}

/* ---- values ---- */

static bool
find(const struct param_field *field, struct slice name, struct slice *value_r)
{
	for (size_t i = 0; i < field->n; i++)
		if (slice_eq(field->v[i].name, name)) {
			*value_r = field->v[i].value;
			return true;
		}
	return false;
}

/* name with a star behind it, compared without building it. */
static bool
find_extended(const struct param_field *field, struct slice name,
    struct slice *value_r)
{
	for (size_t i = 0; i < field->n; i++) {
		struct slice s = field->v[i].name;

		if (s.n == name.n + 1 && slice_starts(s, name) &&
		    s.p[name.n] == '*') {
			*value_r = field->v[i].value;
			return true;
		}
	}
	return false;
}

struct slice
param_get(const struct param_field *field, const char *name)
{
	struct slice value = SLICE_NULL;

	if (!find(field, slice_str(name), &value))
		find_extended(field, slice_str(name), &value);
	return value;
}

static void
undo_percent(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.n; i++) {
		uint64_t byte;

		if (text.p[i] == '%' && i + 2 < text.n &&
		    slice_hex64(slice_sub(text, i + 1, i + 3), &byte)) {
			buf_addc(out, (char)byte);
			i += 2;
		} else
			buf_addc(out, text.p[i]);
	}
}

/* charset'language'text (RFC 2231, 4); senders forget the quotes. */
static void
decode_extended(struct buf *out, struct slice value)
{
	struct slice charset, language, text, rest;
	struct buf bytes = BUF_INIT(value.n);
	size_t from = out->n;

	if (!slice_cut(value, '\'', &charset, &rest) ||
	    !slice_cut(rest, '\'', &language, &text)) {
		charset = SLICE("utf-8");
		text = value;
	}
	undo_percent(&bytes, text);
	if (!charset_decode(out, charset, buf_slice(&bytes)))
		unicode_repair(out, buf_slice(&bytes));
	lex_blank_controls(out, from);
	buf_free(&bytes);
}

bool
param_text(const struct param_field *field, const char *name, struct buf *out)
{
	struct slice value;

	if (find_extended(field, slice_str(name), &value)) {
		decode_extended(out, value);
		return true;
	}
	if (!find(field, slice_str(name), &value))
		return false;
	encword_decode(out, value);
	return true;
}

/* ---- writing ---- */

void
param_write(struct buf *out, const char *name, struct slice value)
{
	struct scan sc = scan_of(value);

	if (!unicode_is_ascii(value)) {
		buf_addf(out, "; %s*=utf-8''", name);
		add_percent(out, value);
		return;
	}
	buf_addf(out, "; %s=", name);
	if (scan_skip(&sc, param_token) > 0 && scan_end(&sc)) {
		buf_add(out, value);
		return;
	}
	buf_addc(out, '"');
	for (size_t i = 0; i < value.n; i++) {
		char c = value.p[i];

		if (c == '"' || c == '\\')
			buf_addc(out, '\\');
		buf_addc(out, (unsigned char)c < ' ' || c == 0x7f ? ' ' : c);
	}
	buf_addc(out, '"');
}
