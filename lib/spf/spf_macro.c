/* spf_macro - macro strings: RFC 7208, 7. */
#include <string.h>

#include "spf/spf_int.h"

#define PARTS_MAX 256 /* of a value, split at delimiters; more stay whole */

/* ---- syntax ---- */

/* One %-thing under the cursor. */
struct expand {
	char letter;   /* lower case; or one of % _ - for %% %_ %- */
	bool escape;   /* upper case letter: URL escaping */
	unsigned keep; /* right-hand parts to keep; 0: all */
	bool reverse;
	struct slice delimiters; /* empty: "." */
};

static bool
is_delimiter(char c)
{
	return memchr(".-+,/_=", c, 7) != NULL;
}

static bool
take_transformers(struct scan *sc, struct expand *x)
{
	struct slice digits;
	const char *start;
	uint32_t n;

	if (scan_take(sc, scan_digit, &digits)) {
		/* "nonzero"; as many as there can be is the same as all */
		if (!slice_u32(digits, &n))
			n = UINT32_MAX;
		if (n == 0)
			return false;
		x->keep = n;
	}
	x->reverse = scan_char(sc, 'r') || scan_char(sc, 'R');
	start = sc->p;
	while (!scan_end(sc) && is_delimiter(*sc->p))
		sc->p++;
	x->delimiters = slice_of(start, (size_t)(sc->p - start));
	return true;
}

/* Take one; false if it is none (7.1). */
static bool
take_expand(struct scan *sc, struct expand *x_r)
{
	struct scan s = *sc;
	char c;

	*x_r = (struct expand){ 0 };
	if (!scan_char(&s, '%') || scan_end(&s))
		return false;
	c = *s.p++;
	if (c == '%' || c == '_' || c == '-') {
		x_r->letter = c;
		*sc = s;
		return true;
	}
	if (c != '{' || scan_end(&s))
		return false;
	c = *s.p++;
	x_r->escape = c >= 'A' && c <= 'Z';
	x_r->letter = x_r->escape ? (char)(c - 'A' + 'a') : c;
	if (memchr("slodiphcrtv", x_r->letter, 11) == NULL ||
	    !take_transformers(&s, x_r) || !scan_char(&s, '}'))
		return false;
	*sc = s;
	return true;
}

bool
spf_is_macro_string(struct slice s, bool explanation)
{
	struct scan sc = scan_of(s);
	struct expand x;

	while (!scan_end(&sc)) {
		if (*sc.p == '%') {
			if (!take_expand(&sc, &x))
				return false;
		} else if (scan_print[(unsigned char)*sc.p] ||
		    (explanation && *sc.p == ' ')) {
			sc.p++;
		} else {
			return false;
		}
	}
	return true;
}

/* toplabel: letters, digits, inner hyphens, not digits only. */
static bool
is_toplabel(struct slice s)
{
	bool digits = true;

	if (s.n == 0 || s.p[0] == '-' || s.p[s.n - 1] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (!scan_alnum[(unsigned char)s.p[i]] && s.p[i] != '-')
			return false;
		digits = digits && scan_digit[(unsigned char)s.p[i]];
	}
	return !digits;
}

bool
spf_is_domain_spec(struct slice s)
{
	struct scan sc = scan_of(s);
	struct slice tail = s; /* behind the last macro */
	struct expand x;
	ssize_t dot;

	if (s.n == 0 || !spf_is_macro_string(s, false))
		return false;
	while (!scan_end(&sc)) {
		if (!take_expand(&sc, &x)) {
			sc.p++;
			continue;
		}
		if (memchr("crt", x.letter, 3) != NULL)
			return false;
		tail = scan_rest(&sc);
	}
	if (tail.n == 0)
		return true;
	if (tail.p[tail.n - 1] == '.')
		tail = slice_head(tail, tail.n - 1);
	dot = slice_rchr(tail, '.');
	return dot >= 0 && is_toplabel(slice_skip(tail, (size_t)dot + 1));
}

/* ---- expansion ---- */

static void
add_dotted(struct buf *out, const struct ip *ip)
{
	if (ip->family == 4)
		buf_addf(out, "%u.%u.%u.%u", ip->b[0], ip->b[1], ip->b[2],
		    ip->b[3]);
	else
		for (unsigned i = 0; i < 32; i++)
			buf_addf(out, "%s%x", i > 0 ? "." : "",
			    i % 2 == 0 ? ip->b[i / 2] >> 4 : ip->b[i / 2] & 15);
}

static void
add_value(struct buf *out, char letter, const struct spf_macros *m)
{
	char text[IP_TEXT];

	switch (letter) {
	case 's':
		buf_add(out, m->local);
		buf_addc(out, '@');
		buf_add(out, m->sender_domain);
		break;
	case 'l':
		buf_add(out, m->local);
		break;
	case 'o':
		buf_add(out, m->sender_domain);
		break;
	case 'd':
		buf_add(out, m->domain);
		break;
	case 'i':
		add_dotted(out, &m->args->ip);
		break;
	case 'p':
		buf_add(out, m->validated(m->ctx));
		break;
	case 'v':
		buf_addz(out, m->args->ip.family == 4 ? "in-addr" : "ip6");
		break;
	case 'h':
		buf_add(out, m->args->helo);
		break;
	case 'c':
		buf_addz(out, ip_text(&m->args->ip, text));
		break;
	case 'r':
		buf_add(out,
		    m->args->receiver.n > 0 ? m->args->receiver
					    : SLICE("unknown"));
		break;
	case 't':
		buf_addf(out, "%lld", (long long)m->args->now_s);
		break;
	default:
		break;
	}
}

static bool
has_char(struct slice set, char c)
{
	return slice_chr(set, c) >= 0;
}

/* Split at delimiters, turn round, keep the right-hand parts, join by dots. */
static void
transform(struct buf *out, struct slice value, const struct expand *x)
{
	struct slice delimiters =
	    x->delimiters.n > 0 ? x->delimiters : SLICE(".");
	struct slice parts[PARTS_MAX];
	size_t n = 0, from = 0, first = 0;

	for (size_t i = 0; i < value.n && n < PARTS_MAX - 1; i++)
		if (has_char(delimiters, value.p[i])) {
			parts[n++] = slice_sub(value, from, i);
			from = i + 1;
		}
	parts[n++] = slice_skip(value, from);
	if (x->reverse)
		for (size_t i = 0; i < n / 2; i++) {
			struct slice other = parts[n - 1 - i];
			parts[n - 1 - i] = parts[i];
			parts[i] = other;
		}
	if (x->keep > 0 && x->keep < n)
		first = n - x->keep;
	for (size_t i = first; i < n; i++) {
		if (i > first)
			buf_addc(out, '.');
		buf_add(out, parts[i]);
	}
}

/* RFC 3986, 2.3: all but unreserved characters. */
static void
add_escaped(struct buf *out, struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (scan_alnum[c] || memchr("-._~", c, 4) != NULL)
			buf_addc(out, (char)c);
		else
			buf_addf(out, "%%%02X", c);
	}
}

static void
expand(struct buf *out, const struct expand *x, const struct spf_macros *m)
{
	struct buf value = BUF_INIT(out->max), changed = BUF_INIT(out->max);

	switch (x->letter) {
	case '%':
		buf_addc(out, '%');
		return;
	case '_':
		buf_addc(out, ' ');
		return;
	case '-':
		buf_addz(out, "%20");
		return;
	default:
		break;
	}
	add_value(&value, x->letter, m);
	transform(&changed, buf_slice(&value), x);
	if (value.over || changed.over)
		out->over = true;
	if (x->escape)
		add_escaped(out, buf_slice(&changed));
	else
		buf_add(out, buf_slice(&changed));
	buf_free(&value);
	buf_free(&changed);
}

void
spf_macro_expand(struct buf *out, struct slice s, const struct spf_macros *m)
{
	struct scan sc = scan_of(s);
	struct expand x;

	while (!scan_end(&sc))
		if (take_expand(&sc, &x))
			expand(out, &x, m);
		else
			buf_addc(out, *sc.p++);
}
