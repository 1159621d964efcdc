/*
 * json_read - JSON from outside, over jsmn's tokens.
 *
 * jsmn finds the tokens but is lax about what stands between them, and its
 * time is quadratic in the depth. So the text is measured before, and every
 * token and separator checked after, in one walk each.
 */
#include "text/json_read.h"

#define JSMN_STATIC
#define JSMN_PARENT_LINKS
#include <jsmn.h>

#include "base/scan.h"
#include "text/unicode.h"

struct json_doc {
	struct slice text;
	const jsmntok_t *tokens;
	int n;
};

static const struct json none = { NULL, -1 };

static const bool is_json_space[256] = {
	[' '] = true,
	['\t'] = true,
	['\n'] = true,
	['\r'] = true,
};

/* What may stand before a string. */
static const bool may_precede[256] = {
	[' '] = true,
	['\t'] = true,
	['\n'] = true,
	['\r'] = true,
	['['] = true,
	['{'] = true,
	[','] = true,
	[':'] = true,
};

/* ---- check ---- */

/*
 * Depth of brackets outside of strings. False for a string that begins where
 * none may: jsmn takes such a quote as part of what stands before it, and
 * would see other brackets than we do.
 */
static bool
measure(struct slice text, size_t *most_r)
{
	size_t depth = 0;
	char before = ' ';
	bool quoted = false;

	*most_r = 0;
	for (size_t i = 0; i < text.n; before = text.p[i++]) {
		char c = text.p[i];

		if (quoted && c == '\\' && i + 1 < text.n)
			i++;
		else if (c == '"' && !quoted &&
		    !may_precede[(unsigned char)before])
			return false;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '[' || c == '{'))
			*most_r = ++depth > *most_r ? depth : *most_r;
		else if (!quoted && (c == ']' || c == '}') && depth > 0)
			depth--;
	}
	return true;
}

/* RFC 8259, 6. */
static bool
is_number(struct slice s)
{
	struct scan sc = scan_of(s);
	struct slice digits;

	scan_char(&sc, '-');
	if (!scan_char(&sc, '0') && !scan_take(&sc, scan_digit, &digits))
		return false;
	if (scan_char(&sc, '.') && !scan_take(&sc, scan_digit, &digits))
		return false;
	if (scan_liti(&sc, SLICE("e"))) {
		if (!scan_char(&sc, '+'))
			scan_char(&sc, '-');
		if (!scan_take(&sc, scan_digit, &digits))
			return false;
	}
	return scan_end(&sc);
}

static bool
is_literal(struct slice s)
{
	return slice_is(s, "true") || slice_is(s, "false") ||
	    slice_is(s, "null") || is_number(s);
}

/* Escapes were checked by jsmn. */
static bool
is_string(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20)
			return false;
	return unicode_valid(s);
}

static struct slice
token_text(const struct json_doc *doc, int at)
{
	const jsmntok_t *t = &doc->tokens[at];

	return slice_sub(doc->text, (size_t)t->start, (size_t)t->end);
}

/* Where a token begins or ends, with its quotes. */
static int
begin_of(const jsmntok_t *t)
{
	return t->start - (t->type == JSMN_STRING);
}

static int
end_of(const jsmntok_t *t)
{
	return t->end + (t->type == JSMN_STRING);
}

/* Between from and to stands this character, or nothing if it is 0, and white
 * space. */
static bool
is_between(const struct json_doc *doc, int from, int to, char c)
{
	struct scan sc =
	    scan_of(slice_sub(doc->text, (size_t)from, (size_t)to));

	scan_skip(&sc, is_json_space);
	if (c != 0 && !scan_char(&sc, c))
		return false;
	scan_skip(&sc, is_json_space);
	return scan_end(&sc);
}

/* The first token after that at `at` and all inside it. */
static int
after(const struct json_doc *doc, int at)
{
	int end = doc->tokens[at].end, next = at + 1;

	while (next < doc->n && doc->tokens[next].start < end)
		next++;
	return next;
}

static bool check_value(const struct json_doc *doc, int *at);

/* Members or elements of the array or object at *at; *at moves behind. */
static bool
check_inside(const struct json_doc *doc, int *at)
{
	const jsmntok_t *t = &doc->tokens[*at], *item;
	int end = t->start + 1;
	bool first = true;

	for (++*at; *at < doc->n && doc->tokens[*at].start < t->end;
	     first = false) {
		item = &doc->tokens[*at];
		if (!is_between(doc, end, begin_of(item), first ? 0 : ','))
			return false;
		if (t->type == JSMN_OBJECT) {
			end = end_of(item);
			if (item->type != JSMN_STRING ||
			    !is_string(token_text(doc, *at)) ||
			    ++*at == doc->n || doc->tokens[*at].start >= t->end)
				return false;
			item = &doc->tokens[*at];
			if (!is_between(doc, end, begin_of(item), ':'))
				return false;
		}
		if (!check_value(doc, at))
			return false;
		end = end_of(item);
	}
	return is_between(doc, end, t->end - 1, 0);
}

/* No deeper than JSON_DEPTH. */
static bool
check_value(const struct json_doc *doc, int *at)
{
	switch (doc->tokens[*at].type) {
	case JSMN_OBJECT:
	case JSMN_ARRAY:
		return check_inside(doc, at);
	case JSMN_STRING:
		return is_string(token_text(doc, (*at)++));
	case JSMN_PRIMITIVE:
		return is_literal(token_text(doc, (*at)++));
	default:
		return false;
	}
}

/* One value and white space around it. */
static bool
check(const struct json_doc *doc)
{
	int at = 0;

	return doc->n > 0 && check_value(doc, &at) && at == doc->n &&
	    is_between(doc, 0, begin_of(&doc->tokens[0]), 0) &&
	    is_between(doc, end_of(&doc->tokens[0]), (int)doc->text.n, 0);
}

int
json_parse(struct arena *arena, struct slice text, struct json *root_r,
    struct err *e)
{
	struct json_doc *doc;
	jsmntok_t *tokens;
	jsmn_parser parser;
	size_t depth;
	int n;

	*root_r = none;
	if (text.n > JSON_TEXT)
		return err_set(e, ERR_LIMIT, "JSON too long");
	if (!measure(text, &depth))
		return err_set(e, ERR_SYNTAX, "not JSON");
	if (depth > JSON_DEPTH)
		return err_set(e, ERR_LIMIT, "JSON too deep");
	jsmn_init(&parser);
	n = jsmn_parse(&parser, text.p, text.n, NULL, 0);
	if (n > (int)JSON_VALUES)
		return err_set(e, ERR_LIMIT, "JSON with too many values");
	if (n <= 0)
		return err_set(e, ERR_SYNTAX, "not JSON");
	doc = arena_alloc(arena, sizeof(*doc));
	tokens = arena_array(arena, (size_t)n, sizeof(*tokens));
	jsmn_init(&parser);
	doc->text = text;
	doc->tokens = tokens;
	doc->n = jsmn_parse(&parser, text.p, text.n, tokens, (unsigned)n);
	if (!check(doc))
		return err_set(e, ERR_SYNTAX, "not JSON");
	*root_r = (struct json){ doc, 0 };
	return 0;
}

/* ---- look ---- */

enum json_type
json_type(struct json v)
{
	if (v.at < 0)
		return JSON_NONE;
	switch (v.doc->tokens[v.at].type) {
	case JSMN_OBJECT:
		return JSON_OBJECT;
	case JSMN_ARRAY:
		return JSON_ARRAY;
	case JSMN_STRING:
		return JSON_STRING;
	default:
		break;
	}
	switch (v.doc->text.p[v.doc->tokens[v.at].start]) {
	case 'n':
		return JSON_NULL;
	case 't':
	case 'f':
		return JSON_BOOL;
	default:
		return JSON_NUMBER;
	}
}

size_t
json_count(struct json v)
{
	enum json_type type = json_type(v);

	return type == JSON_OBJECT || type == JSON_ARRAY
	    ? (size_t)v.doc->tokens[v.at].size
	    : 0;
}

static bool
in_object(struct json it)
{
	const jsmntok_t *t = it.doc->tokens;
	int parent = t[it.at].parent;

	return parent >= 0 && t[parent].type == JSMN_STRING;
}

struct json
json_first(struct json v)
{
	bool object = json_type(v) == JSON_OBJECT;

	return json_count(v) == 0
	    ? none
	    : (struct json){ v.doc, v.at + (object ? 2 : 1) };
}

struct json
json_next(struct json it)
{
	const jsmntok_t *t = it.doc->tokens;
	bool object = in_object(it);
	int holder = object ? t[t[it.at].parent].parent : t[it.at].parent;
	int next = after(it.doc, it.at);

	if (holder < 0 || next >= it.doc->n || t[next].start >= t[holder].end)
		return none;
	return (struct json){ it.doc, next + (object ? 1 : 0) };
}

/* Four hexadecimal digits at the begin of s, passed over. */
static uint32_t
take_u16(struct slice *s)
{
	uint64_t v = 0;

	slice_hex64(slice_head(*s, 4), &v);
	*s = slice_skip(*s, 4);
	return (uint32_t)v;
}

/* What follows "\u"; the other half of a pair as well. */
static void
put_unicode(struct buf *out, struct slice *s)
{
	uint32_t c = take_u16(s), low;
	struct slice after_low = slice_skip(*s, 2);

	if (c >= 0xd800 && c < 0xdc00 && slice_starts(*s, SLICE("\\u"))) {
		low = take_u16(&after_low);
		if (low >= 0xdc00 && low <= 0xdfff) {
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
			*s = after_low;
		}
	}
	unicode_put(out, c); /* half a pair alone becomes U+FFFD */
}

/* RFC 8259, 7. jsmn let only known escapes through. */
static struct slice
unescape(struct arena *arena, struct slice s)
{
	static const char plain[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	struct buf out = BUF_INIT(s.n);
	struct slice head, result;

	if (slice_chr(s, '\\') < 0)
		return s;
	while (slice_cut(s, '\\', &head, &s)) {
		char c = s.p[0];

		buf_add(&out, head);
		s = slice_skip(s, 1);
		if (c == 'u')
			put_unicode(&out, &s);
		else
			buf_addc(&out, meant[slice_chr(slice_str(plain), c)]);
	}
	buf_add(&out, head);
	result = arena_dup(arena, buf_slice(&out));
	buf_free(&out);
	return result;
}

bool
json_name(struct arena *arena, struct json it, struct slice *name_r)
{
	if (it.at < 0 || !in_object(it))
		return false;
	*name_r = unescape(arena, token_text(it.doc, it.at - 1));
	return true;
}

bool
json_str(struct arena *arena, struct json v, struct slice *s_r)
{
	if (json_type(v) != JSON_STRING)
		return false;
	*s_r = unescape(arena, token_text(v.doc, v.at));
	return true;
}

/* Names are looked for as they stand: ours need no escapes, and who writes
 * them with some will not be understood by others either. */
struct json
json_get(struct json object, const char *name)
{
	struct json found = none;

	if (json_type(object) != JSON_OBJECT)
		return none;
	for (struct json it = json_first(object); it.at >= 0;
	     it = json_next(it))
		if (slice_is(token_text(it.doc, it.at - 1), name))
			found = it;
	return found;
}

bool
json_bool(struct json v, bool *b_r)
{
	if (json_type(v) != JSON_BOOL)
		return false;
	*b_r = slice_is(json_raw(v), "true");
	return true;
}

bool
json_i64(struct json v, int64_t *n_r)
{
	return json_type(v) == JSON_NUMBER && slice_i64(json_raw(v), n_r);
}

bool
json_u64(struct json v, uint64_t *n_r)
{
	return json_type(v) == JSON_NUMBER && slice_u64(json_raw(v), n_r);
}

struct slice
json_raw(struct json v)
{
	const jsmntok_t *t;

	if (v.at < 0)
		return SLICE_NULL;
	t = &v.doc->tokens[v.at];
	return slice_sub(v.doc->text, (size_t)begin_of(t), (size_t)end_of(t));
}
