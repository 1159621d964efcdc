/* imapform - the IMAP forms inside a record. */
#include "message/imapform.h"

#include "base/scan.h"
#include "message/record.h"

/* ---- write ---- */

static const bool is_quotable[256] = {
	[' ' ... '~'] = true,
};

static char
upper(char c)
{
	return (char)(c >= 'a' && c <= 'z' ? c & ~0x20 : c);
}

static void
add_literal(struct buf *out, struct slice s)
{
	size_t nuls = 0;

	for (size_t i = 0; i < s.n; i++)
		nuls += s.p[i] == '\0';
	buf_addc(out, '{');
	buf_addu(out, s.n - nuls);
	buf_addz(out, "}\r\n");
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '\0')
			buf_addc(out, s.p[i]);
}

static void
add_string(struct buf *out, struct slice s, bool up)
{
	size_t start = out->n;

	buf_addc(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!is_quotable[(unsigned char)c]) {
			if (!out->over)
				buf_cut(out, start);
			add_literal(out, s);
			return;
		}
		if (c == '"' || c == '\\')
			buf_addc(out, '\\');
		buf_addc(out, up ? upper(c) : c);
	}
	buf_addc(out, '"');
}

void
imapform_string(struct buf *out, struct slice s)
{
	add_string(out, s, false);
}

void
imapform_upper(struct buf *out, struct slice s)
{
	add_string(out, s, true);
}

void
imapform_nstring(struct buf *out, struct slice s)
{
	if (s.p == NULL)
		buf_add(out, SLICE("NIL"));
	else
		add_string(out, s, false);
}

/* ---- check ---- */

/* From behind the opening quote. */
static bool
quoted(struct scan *sc)
{
	while (!scan_char(sc, '"')) {
		if (scan_end(sc) || !is_quotable[(unsigned char)*sc->p])
			return false;
		if (*sc->p == '\\') {
			sc->p++;
			if (scan_peek(sc) != '"' && scan_peek(sc) != '\\')
				return false;
		}
		sc->p++;
	}
	return true;
}

static bool
literal(struct scan *sc, struct slice *s_r)
{
	uint32_t n;

	return scan_u32(sc, &n) && scan_lit(sc, SLICE("}\r\n")) &&
	    scan_bytes(sc, n, s_r) && slice_chr(*s_r, '\0') < 0;
}

/* What stood in the string, for quoted ones with their escapes. */
static bool
string(struct scan *sc, struct slice *s_r)
{
	const char *from;

	if (scan_char(sc, '{'))
		return literal(sc, s_r);
	if (!scan_char(sc, '"'))
		return false;
	from = sc->p;
	if (!quoted(sc))
		return false;
	*s_r = slice_of(from, (size_t)(sc->p - from) - 1);
	return true;
}

static bool
nil(struct scan *sc)
{
	return scan_lit(sc, SLICE("NIL"));
}

static bool
space(struct scan *sc)
{
	return scan_char(sc, ' ');
}

static bool
nstring(struct scan *sc)
{
	struct slice s;

	return nil(sc) || string(sc, &s);
}

static bool
number(struct scan *sc)
{
	uint64_t n;

	return scan_u64(sc, &n);
}

/* "(" 1*address ")" or NIL */
static bool
addresses(struct scan *sc)
{
	if (nil(sc))
		return true;
	if (!scan_char(sc, '('))
		return false;
	do {
		if (!scan_char(sc, '(') || !nstring(sc) || !space(sc) ||
		    !nstring(sc) || !space(sc) || !nstring(sc) || !space(sc) ||
		    !nstring(sc) || !scan_char(sc, ')'))
			return false;
	} while (scan_peek(sc) == '(');
	return scan_char(sc, ')');
}

static bool
envelope(struct scan *sc)
{
	if (!scan_char(sc, '(') || !nstring(sc) || !space(sc) || !nstring(sc))
		return false;
	for (int i = 0; i < 6; i++)
		if (!space(sc) || !addresses(sc))
			return false;
	return space(sc) && nstring(sc) && space(sc) && nstring(sc) &&
	    scan_char(sc, ')');
}

/* A list of strings in pairs, or of any number, or NIL. */
static bool
strings(struct scan *sc, bool pairs)
{
	struct slice s;
	size_t n = 0;

	if (nil(sc))
		return true;
	if (!scan_char(sc, '('))
		return false;
	do {
		if (!string(sc, &s))
			return false;
		n++;
	} while (space(sc));
	return scan_char(sc, ')') && !(pairs && n % 2 != 0);
}

/* body-fld-dsp SP body-fld-lang SP body-fld-loc, a space before */
static bool
extension(struct scan *sc)
{
	struct slice s;

	if (!space(sc))
		return false;
	if (!nil(sc) &&
	    !(scan_char(sc, '(') && string(sc, &s) && space(sc) &&
		strings(sc, true) && scan_char(sc, ')')))
		return false;
	return space(sc) && strings(sc, false) && space(sc) && nstring(sc);
}

/* What one walk over a body is for. */
struct walk {
	struct buf *out;     /* gets all but the extension data, or NULL */
	uint32_t n;          /* bodies that were begun */
	uint32_t wanted;     /* the number of one, from 0 */
	struct slice *found; /* it, or NULL if none is wanted */
};

static void
copy(struct walk *w, const char *from, const struct scan *to)
{
	if (w->out != NULL)
		buf_add(w->out, slice_of(from, (size_t)(to->p - from)));
}

static bool body(struct scan *sc, unsigned depth, struct walk *w);

/* body-type-mpart, from its first part on */
static bool
multipart(struct scan *sc, unsigned depth, struct walk *w)
{
	struct slice subtype;
	const char *from;

	do {
		if (!body(sc, depth + 1, w))
			return false;
	} while (scan_peek(sc) == '(');
	from = sc->p;
	if (!space(sc) || !string(sc, &subtype))
		return false;
	copy(w, from, sc);
	return space(sc) && strings(sc, true) && extension(sc);
}

/* body-type-1part, from its type on */
static bool
single(struct scan *sc, unsigned depth, struct walk *w)
{
	const char *from = sc->p;
	struct slice type, subtype, encoding;

	if (!string(sc, &type) || !space(sc) || !string(sc, &subtype) ||
	    !space(sc) || !strings(sc, true) || !space(sc) || !nstring(sc) ||
	    !space(sc) || !nstring(sc) || !space(sc) ||
	    !string(sc, &encoding) || !space(sc) || !number(sc))
		return false;
	if (slice_is(type, "MESSAGE") &&
	    (slice_is(subtype, "RFC822") || slice_is(subtype, "GLOBAL"))) {
		if (!space(sc) || !envelope(sc) || !space(sc))
			return false;
		copy(w, from, sc);
		if (!body(sc, depth + 1, w))
			return false;
		from = sc->p;
		if (!space(sc) || !number(sc))
			return false;
	} else if (slice_is(type, "TEXT") && (!space(sc) || !number(sc)))
		return false;
	copy(w, from, sc);
	return space(sc) && nstring(sc) && extension(sc);
}

static bool
body(struct scan *sc, unsigned depth, struct walk *w)
{
	const char *begin = sc->p, *from = begin;
	uint32_t number_of_it = w->n++;

	if (depth > MSGREC_DEPTH_MAX || !scan_char(sc, '('))
		return false;
	copy(w, from, sc);
	if (scan_peek(sc) == '(' ? !multipart(sc, depth, w)
				 : !single(sc, depth, w))
		return false;
	from = sc->p;
	if (!scan_char(sc, ')'))
		return false;
	copy(w, from, sc);
	if (w->found != NULL && w->wanted == number_of_it)
		*w->found = slice_of(begin, (size_t)(sc->p - begin));
	return true;
}

bool
imapform_envelope_ok(struct slice text)
{
	struct scan sc = scan_of(text);

	return envelope(&sc) && scan_end(&sc);
}

bool
imapform_structure_ok(struct slice text)
{
	struct scan sc = scan_of(text);
	struct walk w = { 0 };

	return body(&sc, 0, &w) && scan_end(&sc);
}

void
imapform_basic(struct slice structure, struct buf *out)
{
	struct scan sc = scan_of(structure);
	struct walk w = { .out = out };

	body(&sc, 0, &w);
}

struct slice
imapform_part(struct slice structure, uint32_t i)
{
	struct scan sc = scan_of(structure);
	struct slice found = SLICE_NULL;
	struct walk w = { .wanted = i, .found = &found };

	body(&sc, 0, &w);
	return found;
}

bool
imapform_decoded(struct slice part, uint64_t size, uint64_t lines,
    struct buf *out)
{
	struct scan sc = scan_of(part);
	struct slice type, subtype, encoding, before;
	bool text;

	if (!scan_char(&sc, '(') || !string(&sc, &type) || !space(&sc) ||
	    !string(&sc, &subtype) || !space(&sc) || !strings(&sc, true) ||
	    !space(&sc) || !nstring(&sc) || !space(&sc) || !nstring(&sc) ||
	    !space(&sc))
		return false;
	before = slice_head(part, (size_t)(sc.p - part.p));
	text = slice_is(type, "TEXT");
	if (!string(&sc, &encoding) || !space(&sc) || !number(&sc) ||
	    (text && (!space(&sc) || !number(&sc))))
		return false;
	buf_add(out, before);
	buf_addf(out, "\"BINARY\" %llu", (unsigned long long)size);
	if (text)
		buf_addf(out, " %llu", (unsigned long long)lines);
	buf_add(out, scan_rest(&sc));
	return true;
}
