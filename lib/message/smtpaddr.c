/* smtpaddr - paths and mailboxes of SMTP commands. */
#include "message/smtpaddr.h"

#include <arpa/inet.h>

#include "message/lex.h"
#include "text/unicode.h"

/* RFC 5321, 4.1.2: qtextSMTP, and what a backslash may stand before. */
static const bool is_qtext[256] = {
	[' ' ... '!'] = true,
	['#' ... '['] = true,
	[']' ... '~'] = true,
	[0x80 ... 0xff] = true,
};
static const bool is_quotable[256] = {
	[' ' ... '~'] = true,
};

/* Let-dig and the hyphen; RFC 6531, 3.3 adds U-labels. */
static const bool is_label[256] = {
	['-'] = true,
	['0' ... '9'] = true,
	['A' ... 'Z'] = true,
	['a' ... 'z'] = true,
	[0x80 ... 0xff] = true,
};

#define LABEL_MAX 63 /* RFC 1035, 2.3.4; in octets here, U-labels too */

/* ---- domains ---- */

bool
smtpaddr_domain(struct slice s, bool utf8)
{
	struct scan sc = scan_of(s);
	struct slice label;

	if (s.n > SMTPADDR_DOMAIN_MAX || !unicode_valid(s) ||
	    (!utf8 && !unicode_is_ascii(s)))
		return false;
	do {
		if (!scan_take(&sc, is_label, &label) || label.n > LABEL_MAX ||
		    label.p[0] == '-' || label.p[label.n - 1] == '-')
			return false;
	} while (scan_char(&sc, '.'));
	return scan_end(&sc);
}

bool
smtpaddr_literal(struct slice s)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr ip6;
	struct in_addr ip4;

	if (s.n < 2 || s.p[0] != '[' || s.p[s.n - 1] != ']')
		return false;
	s = slice_sub(s, 1, s.n - 1);
	if (slice_startsi(s, SLICE("IPv6:")))
		return slice_cstr(slice_skip(s, 5), text, sizeof(text)) &&
		    inet_pton(AF_INET6, text, &ip6) == 1;
	/* General-address-literal: no tag but IPv6 was ever registered. */
	return slice_cstr(s, text, sizeof(text)) &&
	    inet_pton(AF_INET, text, &ip4) == 1;
}

/* ---- mailboxes ---- */

static bool
take_dot_atom(struct scan *sc, struct slice *local_r)
{
	const char *from = sc->p;

	do {
		if (scan_skip(sc, lex_atext) == 0)
			return false;
	} while (scan_char(sc, '.'));
	*local_r = slice_of(from, (size_t)(sc->p - from));
	return true;
}

/* Quoted-string, behind its first quote. */
static bool
take_quoted(struct arena *arena, struct scan *sc, struct slice *local_r)
{
	char *out = arena_alloc(arena, (size_t)(sc->end - sc->p));
	size_t n = 0;

	while (!scan_end(sc) && *sc->p != '"') {
		scan_class *class = &is_qtext;

		if (scan_char(sc, '\\'))
			class = &is_quotable;
		if (scan_end(sc) || !(*class)[(unsigned char)*sc->p])
			return false;
		out[n++] = *sc->p++;
	}
	*local_r = slice_of(out, n);
	return scan_char(sc, '"');
}

static bool
take_local(struct arena *arena, struct scan *sc, unsigned flags,
    struct slice *local_r)
{
	if (scan_char(sc, '"')) {
		if (!take_quoted(arena, sc, local_r))
			return false;
	} else if (!take_dot_atom(sc, local_r))
		return false;
	if (!(flags & SMTPADDR_LONG) && local_r->n > SMTPADDR_LOCAL_MAX)
		return false;
	return (flags & SMTPADDR_UTF8) ? unicode_valid(*local_r)
				       : unicode_is_ascii(*local_r);
}

/* "@" behind the local part, up to something that ends every domain. */
static bool
take_domain(struct scan *sc, unsigned flags, struct smtpaddr *a)
{
	const char *from = sc->p;

	if (scan_char(sc, '[')) {
		scan_until(sc, ']');
		scan_char(sc, ']');
	} else
		while (scan_skip(sc, is_label) > 0 || scan_char(sc, '.'))
			continue;
	a->domain = slice_of(from, (size_t)(sc->p - from));
	a->literal = *from == '[';
	return a->literal ? smtpaddr_literal(a->domain)
			  : smtpaddr_domain(a->domain, flags & SMTPADDR_UTF8);
}

static int
take_mailbox(struct arena *arena, struct scan *sc, unsigned flags,
    struct smtpaddr *a, struct err *e)
{
	if (!take_local(arena, sc, flags, &a->local))
		return err_set(e, ERR_SYNTAX, "invalid local part");
	if (!scan_char(sc, '@')) {
		if (flags & SMTPADDR_BARE && slice_isi(a->local, "postmaster"))
			return 0; /* RFC 5321, 4.1.1.3 */
		return err_set(e, ERR_SYNTAX, "address without @");
	}
	if (scan_end(sc) || !take_domain(sc, flags, a))
		return err_set(e, ERR_SYNTAX, "invalid domain");
	a->utf8 = !unicode_is_ascii(a->local) || !unicode_is_ascii(a->domain);
	return 0;
}

/* "@a,@b:", to be accepted and ignored (RFC 5321, 4.1.2 and appendix C). */
static bool
skip_route(struct scan *sc, unsigned flags)
{
	struct smtpaddr a;

	if (scan_peek(sc) != '@')
		return true;
	do {
		if (!scan_char(sc, '@') || scan_end(sc) ||
		    !take_domain(sc, flags, &a))
			return false;
	} while (scan_char(sc, ','));
	return scan_char(sc, ':');
}

int
smtpaddr_path(struct arena *arena, struct scan *sc, unsigned flags,
    struct smtpaddr *addr_r, struct err *e)
{
	struct scan at = *sc;

	*addr_r = (struct smtpaddr){ .empty = false };
	if (!scan_char(&at, '<'))
		return err_set(e, ERR_SYNTAX, "missing <");
	if (flags & SMTPADDR_EMPTY && scan_char(&at, '>')) {
		addr_r->empty = true;
		*sc = at;
		return 0;
	}
	if (!skip_route(&at, flags))
		return err_set(e, ERR_SYNTAX, "invalid source route");
	if (take_mailbox(arena, &at, flags, addr_r, e) < 0)
		return -1;
	if (!scan_char(&at, '>'))
		return err_set(e, ERR_SYNTAX, "missing >");
	*sc = at;
	return 0;
}

int
smtpaddr_mailbox(struct arena *arena, struct slice s, unsigned flags,
    struct smtpaddr *addr_r, struct err *e)
{
	struct scan sc = scan_of(s);

	*addr_r = (struct smtpaddr){ .empty = false };
	if (take_mailbox(arena, &sc, flags, addr_r, e) < 0)
		return -1;
	if (!scan_end(&sc))
		return err_set(e, ERR_SYNTAX, "text behind the address");
	return 0;
}

/* ---- writing ---- */

void
smtpaddr_write_local(struct buf *out, struct slice local)
{
	struct scan sc = scan_of(local);
	struct slice atoms;

	if (take_dot_atom(&sc, &atoms) && scan_end(&sc)) {
		buf_add(out, local);
		return;
	}
	buf_addc(out, '"');
	for (size_t i = 0; i < local.n; i++) {
		if (local.p[i] == '"' || local.p[i] == '\\')
			buf_addc(out, '\\');
		buf_addc(out, local.p[i]);
	}
	buf_addc(out, '"');
}

void
smtpaddr_write(struct buf *out, const struct smtpaddr *addr)
{
	if (addr->empty)
		return;
	smtpaddr_write_local(out, addr->local);
	if (addr->domain.n > 0) {
		buf_addc(out, '@');
		buf_add(out, addr->domain);
	}
}
