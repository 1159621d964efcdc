#include "imap/parse.h"

#include <string.h>

#include "base/clock.h"
#include "imap/months.h"
#include "text/unicode.h"
#include "text/utf7.h"

#define ID_PAIRS_MAX 30                 /* RFC 2971, 3.3 */
#define KEYWORDS_MAX STORE_KEYWORDS_MAX /* in one flag list */

/* CHAR without atom-specials: ( ) { SP CTL list-wildcards quoted-specials ]
 * RFC 9051, 9. */
#define ATOM_COMMON \
	['!'] = 1, ['#'] = 1, ['$'] = 1, ['&'] = 1, ['\''] = 1, ['+'] = 1, \
	[','] = 1, ['-'] = 1, ['.'] = 1, ['/'] = 1, \
	['0' ... '9'] = 1, [':'] = 1, [';'] = 1, ['<'] = 1, ['='] = 1, \
	['>'] = 1, ['?'] = 1, ['@'] = 1, \
	['A' ... 'Z'] = 1, ['['] = 1, ['^'] = 1, ['_'] = 1, ['`'] = 1, \
	['a' ... 'z'] = 1, ['|'] = 1, ['}'] = 1, ['~'] = 1

const bool imap_is_atom[256] = { ATOM_COMMON };
/* resp-specials too. With 8-bit bytes: clients with UTF8=ACCEPT may send names
 * unquoted, and what is no UTF-8 is refused where it is decoded. */
const bool imap_is_astring[256] = { ATOM_COMMON, [']'] = 1,
	[0x80 ... 0xff] = 1 };
const bool imap_is_pattern[256] = {
	ATOM_COMMON, [']'] = 1, ['%'] = 1, ['*'] = 1, [0x80 ... 0xff] = 1
};
/* ASTRING-CHAR except "+"; RFC 9051, 9 tag. */
const bool imap_is_tag[256] = { ['!'] = 1,
	['#'] = 1,
	['$'] = 1,
	['&'] = 1,
	['\''] = 1,
	[','] = 1,
	['-'] = 1,
	['.'] = 1,
	['/'] = 1,
	['0' ... '9'] = 1,
	[':'] = 1,
	[';'] = 1,
	['<'] = 1,
	['='] = 1,
	['>'] = 1,
	['?'] = 1,
	['@'] = 1,
	['A' ... 'Z'] = 1,
	['['] = 1,
	[']'] = 1,
	['^'] = 1,
	['_'] = 1,
	['`'] = 1,
	['a' ... 'z'] = 1,
	['|'] = 1,
	['}'] = 1,
	['~'] = 1 };

bool
imap_wrong(struct imap_parse *p, const char *what)
{
	if (!p->wrong)
		p->wrong = what;
	return false;
}

bool
imap_tag(struct scan *sc, struct slice *tag_r)
{
	*tag_r = SLICE("*");
	return scan_take(sc, imap_is_tag, tag_r);
}

bool
imap_end(struct imap_parse *p)
{
	return scan_end(&p->sc) || imap_wrong(p, "unexpected argument");
}

bool
imap_sp(struct imap_parse *p)
{
	return scan_char(&p->sc, ' ') || imap_wrong(p, "expected space");
}

bool
imap_char(struct imap_parse *p, char c)
{
	return scan_char(&p->sc, c);
}

bool
imap_peek(const struct imap_parse *p, char c)
{
	return scan_peek(&p->sc) == (unsigned char)c;
}

bool
imap_word(struct imap_parse *p, const char *word)
{
	struct scan before = p->sc;

	/* A word ends where an atom would: "UID" is not found in "UIDNEXT". */
	if (scan_liti(&p->sc, slice_str(word)) &&
	    (scan_end(&p->sc) ||
		!imap_is_atom[(unsigned char)scan_peek(&p->sc)] ||
		imap_peek(p, '[') || imap_peek(p, '<') || imap_peek(p, '.')))
		return true;
	p->sc = before;
	return false;
}

/* ---- strings ---- */

bool
imap_atom(struct imap_parse *p, struct slice *s_r)
{
	return scan_take(&p->sc, imap_is_atom, s_r);
}

static bool
take_quoted(struct imap_parse *p, struct slice *s_r)
{
	struct scan sc = p->sc;
	const char *start;
	char *out;
	bool escapes = false;

	if (!scan_char(&sc, '"'))
		return false;
	for (start = sc.p; sc.p < sc.end && *sc.p != '"'; sc.p++) {
		if (*sc.p == '\r' || *sc.p == '\n' || *sc.p == 0)
			return imap_wrong(p, "bad character in quoted string");
		if (*sc.p != '\\')
			continue;
		escapes = true;
		sc.p++;
		if (sc.p == sc.end || (*sc.p != '"' && *sc.p != '\\'))
			return imap_wrong(p, "bad escape in quoted string");
	}
	if (sc.p == sc.end)
		return imap_wrong(p, "quoted string without end");
	*s_r = slice_of(start, (size_t)(sc.p - start));
	p->sc = sc;
	p->sc.p++;
	if (!escapes)
		return true;
	out = arena_alloc(p->arena, s_r->n);
	size_t n = 0;
	for (size_t i = 0; i < s_r->n; i++) {
		if (s_r->p[i] == '\\')
			i++;
		out[n++] = s_r->p[i];
	}
	*s_r = slice_of(out, n);
	return true;
}

/* "{3}" CRLF "abc", also {3+}; the reader has checked sizes. */
static bool
take_literal(struct imap_parse *p, struct slice *s_r)
{
	struct scan sc = p->sc;
	uint64_t n;

	if (!scan_char(&sc, '{') || !scan_u64(&sc, &n))
		return false;
	scan_char(&sc, '+');
	if (!scan_lit(&sc, SLICE("}\r\n")) || !scan_bytes(&sc, (size_t)n, s_r))
		return false;
	p->sc = sc;
	return true;
}

bool
imap_string(struct imap_parse *p, struct slice *s_r)
{
	return take_quoted(p, s_r) || take_literal(p, s_r) ||
	    imap_wrong(p, "expected string");
}

bool
imap_astring(struct imap_parse *p, struct slice *s_r)
{
	return scan_take(&p->sc, imap_is_astring, s_r) || take_quoted(p, s_r) ||
	    take_literal(p, s_r) || imap_wrong(p, "expected string or atom");
}

bool
imap_nstring(struct imap_parse *p, struct slice *s_r)
{
	*s_r = SLICE_NULL;
	return imap_word(p, "NIL") || imap_string(p, s_r);
}

bool
imap_number(struct imap_parse *p, uint32_t *v_r)
{
	return scan_u32(&p->sc, v_r) || imap_wrong(p, "expected number");
}

bool
imap_number64(struct imap_parse *p, uint64_t *v_r)
{
	/* RFC 9051, 9: number64 is at most 2^63 - 1. */
	struct scan before = p->sc;

	if (scan_u64(&p->sc, v_r) && *v_r <= INT64_MAX)
		return true;
	p->sc = before;
	return imap_wrong(p, "expected number");
}

bool
imap_id(struct imap_parse *p)
{
	struct slice name, value;
	int pairs = 0;

	if (!imap_sp(p))
		return false;
	if (imap_word(p, "NIL"))
		return true;
	if (!imap_char(p, '('))
		return imap_wrong(p, "expected ( or NIL");
	while (!imap_char(p, ')')) {
		if (pairs && !imap_sp(p))
			return false;
		if (!imap_string(p, &name) || !imap_sp(p) ||
		    !imap_nstring(p, &value))
			return false;
		if (++pairs > ID_PAIRS_MAX || name.n > 30 || value.n > 1024)
			return imap_wrong(p, "too much in ID");
	}
	return true;
}

/* ---- names of mailboxes ---- */

bool
imap_decode_name(struct imap_parse *p, struct slice wire, struct slice *name_r)
{
	struct buf b = BUF_INIT(4 * STORE_NAME_MAX);
	bool ok = false;

	/*
	 * RFC 6855, 3 and RFC 9051, 5.1: once UTF-8 is on, names are UTF-8, and
	 * "&" is a character like others. Without it, UTF-8 is accepted where it
	 * can be nothing else.
	 */
	if (p->utf8 || !unicode_is_ascii(wire)) {
		if (!unicode_valid(wire))
			return imap_wrong(p, "mailbox name is not UTF-8");
		*name_r = wire;
		return true;
	}
	if (utf7_decode(&b, wire) && !b.over) {
		*name_r = arena_dup(p->arena, buf_slice(&b));
		ok = true;
	} else
		imap_wrong(p, "mailbox name is not modified UTF-7");
	buf_free(&b);
	return ok;
}

bool
imap_mailbox(struct imap_parse *p, struct slice *name_r)
{
	struct slice wire, name;
	struct err e = ERR_INIT;

	if (!imap_astring(p, &wire) || !imap_decode_name(p, wire, &name))
		return false;
	/* Clients that add the separator mean the mailbox: RFC 3501, 6.3.3. */
	if (name.n > 1 && name.p[name.n - 1] == '/')
		name.n--;
	if (store_name_check(p->arena, name, name_r, &e) == 0)
		return true;
	p->code = "CANNOT";
	return imap_wrong(p, arena_cstr(p->arena, slice_str(e.text)));
}

bool
imap_pattern(struct imap_parse *p, struct slice *pattern_r)
{
	struct slice wire;

	if (!scan_take(&p->sc, imap_is_pattern, &wire) &&
	    !take_quoted(p, &wire) && !take_literal(p, &wire))
		return imap_wrong(p, "expected mailbox pattern");
	return imap_decode_name(p, wire, pattern_r);
}

/* ---- flags ---- */

static const struct {
	const char *name;
	uint16_t flag;
} known_flags[] = {
	{ "\\Seen", STORE_SEEN },
	{ "\\Answered", STORE_ANSWERED },
	{ "\\Flagged", STORE_FLAGGED },
	{ "\\Deleted", STORE_DELETED },
	{ "\\Draft", STORE_DRAFT },
	{ "$Forwarded", STORE_FORWARDED },
	{ "$Junk", STORE_JUNK },
	{ "$NotJunk", STORE_NOTJUNK },
	{ "$Phishing", STORE_PHISHING },
	{ "$MDNSent", STORE_MDNSENT },
};

static bool
add_keyword(struct imap_parse *p, struct store_flags *flags,
    struct slice keyword)
{
	struct slice *v;

	if (!store_keyword_check(keyword))
		return imap_wrong(p, "bad keyword");
	for (size_t i = 0; i < flags->nkeywords; i++)
		if (slice_eqi(flags->keywords[i], keyword))
			return true;
	if (flags->nkeywords == KEYWORDS_MAX)
		return imap_wrong(p, "too many keywords");
	v = arena_grow(p->arena, (void *)flags->keywords, flags->nkeywords,
	    flags->nkeywords + 1, sizeof(*v));
	v[flags->nkeywords++] = keyword;
	flags->keywords = v;
	return true;
}

bool
imap_flag(struct imap_parse *p, struct store_flags *flags)
{
	struct slice name;
	struct scan start = p->sc;

	imap_char(p, '\\');
	if (!imap_atom(p, &name))
		return imap_wrong(p, "expected flag");
	name = slice_of(start.p, (size_t)(p->sc.p - start.p));
	for (size_t i = 0; i < sizeof(known_flags) / sizeof(*known_flags); i++)
		if (slice_isi(name, known_flags[i].name)) {
			flags->flags |= known_flags[i].flag;
			return true;
		}
	if (*name.p == '\\')
		return imap_wrong(p, "unknown system flag");
	return add_keyword(p, flags, name);
}

bool
imap_flags(struct imap_parse *p, bool bare, struct store_flags *flags_r)
{
	bool paren = imap_char(p, '(');

	*flags_r = (struct store_flags){ 0 };
	if (!paren && !bare)
		return imap_wrong(p, "expected flag list");
	/* One space too many, before keywords without system flags, is how
	 * Dovecot's imapc appends. */
	if (paren)
		imap_char(p, ' ');
	if (paren && imap_char(p, ')'))
		return true;
	do {
		if (!imap_flag(p, flags_r))
			return false;
	} while (imap_char(p, ' '));
	return !paren || imap_char(p, ')') ||
	    imap_wrong(p, "expected ) after flags");
}

/* ---- dates ---- */

bool
imap_date(struct imap_parse *p, int64_t *midnight_r)
{
	struct scan before = p->sc;
	bool quoted = imap_char(p, '"');
	struct tm tm;

	if (imap_scan_day(&p->sc, &tm) && (!quoted || imap_char(p, '"'))) {
		*midnight_r = timegm(&tm);
		return true;
	}
	p->sc = before;
	return imap_wrong(p, "expected date");
}

bool
imap_date_time(struct imap_parse *p, int64_t *s_r)
{
	struct scan sc = p->sc;
	unsigned h, m, s, zone;
	struct tm tm;
	int sign;

	/* RFC 9051, 9: date-day-fixed is two digits or a space and a digit. */
	if (!scan_char(&sc, '"'))
		return imap_wrong(p, "expected date-time");
	scan_char(&sc, ' ');
	if (!imap_scan_day(&sc, &tm) || !scan_char(&sc, ' ') ||
	    !scan_digits(&sc, 2, &h) || !scan_char(&sc, ':') ||
	    !scan_digits(&sc, 2, &m) || !scan_char(&sc, ':') ||
	    !scan_digits(&sc, 2, &s) || !scan_char(&sc, ' '))
		return imap_wrong(p, "bad date-time");
	sign = scan_char(&sc, '-') ? -1 : scan_char(&sc, '+') ? 1 : 0;
	if (!sign || !scan_digits(&sc, 4, &zone) || !scan_char(&sc, '"') ||
	    h > 23 || m > 59 || s > 60 || zone % 100 > 59)
		return imap_wrong(p, "bad date-time");
	tm.tm_hour = (int)h;
	tm.tm_min = (int)m;
	tm.tm_sec = (int)s;
	*s_r =
	    timegm(&tm) - sign * (int64_t)(zone / 100 * 3600 + zone % 100 * 60);
	p->sc = sc;
	return true;
}
