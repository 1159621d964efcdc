#include "imap/envelope.h"

#include <string.h>

#include "imap/parse.h"

/* "(name NIL mailbox host)" */
static bool
address(struct imap_parse *p, struct envelope_address *a_r)
{
	struct slice route;

	return imap_char(p, '(') && imap_nstring(p, &a_r->name) && imap_sp(p) &&
	    imap_nstring(p, &route) && imap_sp(p) &&
	    imap_nstring(p, &a_r->mailbox) && imap_sp(p) &&
	    imap_nstring(p, &a_r->host) && imap_char(p, ')');
}

/* ---- what is not asked for is passed over ---- */

/* To behind the closing quote: the first that has an even number of backslashes
 * before it. */
static bool
skip_quoted(struct scan *sc)
{
	const char *start = ++sc->p, *quote, *p;

	while ((quote = memchr(sc->p, '"', (size_t)(sc->end - sc->p)))) {
		for (p = quote; p > start && p[-1] == '\\'; p--)
			;
		sc->p = quote + 1;
		if ((quote - p) % 2 == 0)
			return true;
	}
	return false;
}

static bool
skip_literal(struct scan *sc)
{
	uint64_t n;

	if (!scan_char(sc, '{') || !scan_u64(sc, &n) ||
	    !scan_lit(sc, SLICE("}\r\n")) || n > (size_t)(sc->end - sc->p))
		return false;
	sc->p += n;
	return true;
}

static bool
skip_nstring(struct scan *sc)
{
	if (sc->p < sc->end && *sc->p == '"')
		return skip_quoted(sc);
	return scan_lit(sc, SLICE("NIL")) || skip_literal(sc);
}

/* NIL, or addresses in parentheses, of four strings each. */
static bool
skip_addresses(struct scan *sc)
{
	if (scan_lit(sc, SLICE("NIL")))
		return true;
	if (!scan_char(sc, '('))
		return false;
	while (!scan_char(sc, ')')) {
		if (!scan_char(sc, '('))
			return false;
		for (int i = 0; i < 4; i++)
			if ((i > 0 && !scan_char(sc, ' ')) || !skip_nstring(sc))
				return false;
		if (!scan_char(sc, ')'))
			return false;
	}
	return true;
}

/* Sender and Reply-To mostly are as From: addresses of which the text was just
 * passed over end where it ended. */
static bool
skip_same(struct scan *sc, struct slice last)
{
	if (last.n == 0 || !slice_starts(scan_rest(sc), last))
		return false;
	sc->p += last.n;
	return true;
}

static bool
skip_fields(struct scan *sc, unsigned from, unsigned to)
{
	struct slice last = SLICE_NULL;

	for (unsigned i = from; i < to; i++) {
		const char *start = sc->p + 1;

		if (!scan_char(sc, ' '))
			return false;
		if (i >= ENVELOPE_IN_REPLY_TO) {
			if (!skip_nstring(sc))
				return false;
			continue;
		}
		if (!skip_same(sc, last) && !skip_addresses(sc))
			return false;
		last = slice_of(start, (size_t)(sc->p - start));
	}
	return true;
}

/* To the field, which is behind date and subject. */
static bool
skip_to(struct scan *sc, enum envelope_field field)
{
	if (!scan_char(sc, '(') || !skip_nstring(sc) || !scan_char(sc, ' ') ||
	    !skip_nstring(sc))
		return false;
	return skip_fields(sc, ENVELOPE_FROM, field) && scan_char(sc, ' ');
}

/* ---- a field ---- */

bool
imap_envelope_mailbox(struct arena *arena, struct slice envelope,
    enum envelope_field field, struct slice *mailbox_r)
{
	struct imap_parse p = { .sc = scan_of(envelope), .arena = arena };

	return skip_to(&p.sc, field) && scan_lit(&p.sc, SLICE("((")) &&
	    skip_nstring(&p.sc) && scan_char(&p.sc, ' ') &&
	    skip_nstring(&p.sc) && scan_char(&p.sc, ' ') &&
	    imap_nstring(&p, mailbox_r);
}

bool
imap_envelope_first(struct arena *arena, struct slice envelope,
    enum envelope_field field, struct envelope_address *address_r)
{
	struct imap_parse p = { .sc = scan_of(envelope), .arena = arena };

	return skip_to(&p.sc, field) && imap_char(&p, '(') &&
	    address(&p, address_r);
}

bool
imap_envelope_text(struct arena *arena, struct slice envelope,
    enum envelope_field field, struct slice *text_r)
{
	struct imap_parse p = { .sc = scan_of(envelope), .arena = arena };

	return skip_to(&p.sc, field) && imap_nstring(&p, text_r) &&
	    text_r->p != NULL;
}
