#include "smtp/params.h"

#include <string.h>
#include <time.h>

#include "base/scan.h"

/* esmtp-keyword and esmtp-value (RFC 5321, 4.1.2); values of RFC 6531 may hold
 * UTF-8. */
static const bool is_keyword[256] = {
	['0' ... '9'] = 1, ['A' ... 'Z'] = 1, ['a' ... 'z'] = 1, ['-'] = 1
};
static const bool is_hex[256] = { ['0' ... '9'] = 1, ['A' ... 'F'] = 1 };
static const bool is_value[256] = {
	[0x21 ... 0x3c] = 1, [0x3e ... 0x7e] = 1, [0x80 ... 0xff] = 1
};

static bool
refuse(struct smtp_refusal *why_r, int code, const char *enhanced,
    const char *text)
{
	*why_r = (struct smtp_refusal){ code, enhanced, text };
	return false;
}

static bool
syntax(struct smtp_refusal *why_r, const char *text)
{
	return refuse(why_r, 501, "5.5.4", text);
}

/* "KEYWORD" or "KEYWORD=value" behind a space; false at the end. */
static bool
next_param(struct scan *sc, struct slice *keyword_r, struct slice *value_r,
    bool *bad_r)
{
	size_t spaces = 0;

	*value_r = SLICE_NULL;
	*bad_r = false;
	while (scan_char(sc, ' '))
		spaces++;
	if (scan_end(sc))
		return false;
	*bad_r = !spaces || !scan_take(sc, is_keyword, keyword_r) ||
	    (scan_char(sc, '=') && !scan_take(sc, is_value, value_r));
	return !*bad_r;
}

/* Printable but "+" and "=", or "+" and two digits (RFC 3461, 4). */
static bool
is_xtext(struct slice s)
{
	size_t i = 0;

	while (i < s.n)
		if (s.p[i] == '+') {
			if (s.n - i < 3 || !is_hex[(unsigned char)s.p[i + 1]] ||
			    !is_hex[(unsigned char)s.p[i + 2]])
				return false;
			i += 3;
		} else if (!scan_print[(unsigned char)s.p[i++]])
			return false;
	return s.n > 0;
}

/* "type;xtext" (RFC 3461, 4.2); for type utf-8 more may stand there than
 * xtext has (RFC 6533, 3). */
static bool
is_orcpt(struct slice s)
{
	struct slice type, address;

	return s.n <= 500 && slice_cut(s, ';', &type, &address) && type.n &&
	    address.n && (slice_isi(type, "utf-8") || is_xtext(address));
}

/* ---- the path ---- */

static bool
path(struct arena *arena, struct scan *sc, bool from,
    const struct smtp_offer *offer, struct smtpaddr *addr_r,
    struct smtp_refusal *why_r)
{
	unsigned flags = SMTPADDR_UTF8 |
	    (from ? SMTPADDR_EMPTY : SMTPADDR_BARE) |
	    (offer->pedantic ? 0 : SMTPADDR_LONG);
	struct err e = ERR_INIT;

	if (!scan_liti(sc, from ? SLICE(" FROM:") : SLICE(" TO:")))
		return refuse(why_r, 501, "5.5.2",
		    from ? "syntax: MAIL FROM:<address>"
			 : "syntax: RCPT TO:<address>");
	/* RFC 5321, 3.3: no space there, but many send one. */
	if (!offer->pedantic)
		scan_skip(sc, scan_wsp);
	if (smtpaddr_path(arena, sc, flags, addr_r, &e) == 0)
		return true;
	return refuse(why_r, 501, from ? "5.1.7" : "5.1.3",
	    arena_cstr(arena, slice_str(e.text)));
}

/* RFC 6531, 3.4: known once the parameters are. */
static bool
needs_smtputf8(const struct smtpaddr *addr, bool smtputf8,
    struct smtp_refusal *why_r)
{
	return addr->utf8 && !smtputf8 &&
	    !refuse(why_r, 550, "5.6.7", "address needs SMTPUTF8");
}

/* ---- parameters of MAIL ---- */

struct mail_parser {
	const struct smtp_offer *offer;
	struct smtp_mail_args *args;
	struct smtp_refusal *why;
};

static bool
mail_size(struct mail_parser *mp, struct slice value)
{
	struct smtp_mail *m = &mp->args->mail;

	/* RFC 1870, 4: up to 20 digits; what does not fit is too large. */
	if (value.n == 0 || value.n > 20)
		return syntax(mp->why, "bad SIZE");
	m->has_size = true;
	if (!slice_u64(value, &m->size)) {
		for (size_t i = 0; i < value.n; i++)
			if (value.p[i] < '0' || value.p[i] > '9')
				return syntax(mp->why, "bad SIZE");
		m->size = UINT64_MAX;
	}
	return m->size <= mp->offer->max_size ||
	    refuse(mp->why, 552,
		mp->offer->max_size < SMTP_BIG ? "5.2.3" : "5.3.4",
		"message too large");
}

static bool
mail_body(struct mail_parser *mp, struct slice value)
{
	if (slice_isi(value, "7BIT"))
		mp->args->mail.body = SMTP_BODY_7BIT;
	else if (slice_isi(value, "8BITMIME"))
		mp->args->mail.body = SMTP_BODY_8BITMIME;
	else if (slice_isi(value, "BINARYMIME")) /* RFC 3030, 3 */
		mp->args->mail.body = SMTP_BODY_BINARYMIME;
	else
		return syntax(mp->why, "bad BODY");
	return true;
}

/* RFC 4954, 5: known, and not used: this host trusts nobody's word. */
static bool
mail_auth(struct mail_parser *mp, struct slice value)
{
	return value.n || syntax(mp->why, "bad AUTH");
}

static bool
mail_smtputf8(struct mail_parser *mp, struct slice value)
{
	mp->args->mail.smtputf8 = true;
	return value.n == 0 || syntax(mp->why, "SMTPUTF8 takes no value");
}

static bool
mail_requiretls(struct mail_parser *mp, struct slice value)
{
	if (value.n)
		return syntax(mp->why, "REQUIRETLS takes no value");
	if (!mp->offer->tls)
		return refuse(mp->why, 523, "5.7.10", "TLS is needed first");
	if (!mp->offer->requiretls)
		return refuse(mp->why, 555, "5.3.3", "REQUIRETLS not offered");
	mp->args->mail.requiretls = true;
	return true;
}

static bool
mail_ret(struct mail_parser *mp, struct slice value)
{
	if (slice_isi(value, "FULL"))
		mp->args->mail.ret = SMTP_RET_FULL;
	else if (slice_isi(value, "HDRS"))
		mp->args->mail.ret = SMTP_RET_HDRS;
	else
		return syntax(mp->why, "bad RET");
	return true;
}

static bool
mail_envid(struct mail_parser *mp, struct slice value)
{
	mp->args->envid = value;
	return (value.n <= 100 && is_xtext(value)) || /* RFC 3461, 5.4 */
	    syntax(mp->why, "bad ENVID");
}

/* RFC 4865 */
static bool
hold(struct mail_parser *mp, int64_t at)
{
	if (!mp->offer->submission)
		return refuse(mp->why, 555, "5.3.3",
		    "FUTURERELEASE not offered");
	if (mp->args->mail.hold_until)
		return syntax(mp->why, "both HOLDFOR and HOLDUNTIL");
	if (at <= mp->offer->now_s || at > mp->offer->now_s + SMTP_HOLD_MAX_S)
		return refuse(mp->why, 554, "5.5.4",
		    "release is past or more than 60 days away");
	mp->args->mail.hold_until = at;
	return true;
}

static bool
mail_holdfor(struct mail_parser *mp, struct slice value)
{
	uint32_t seconds;

	if (value.n > 9 || !slice_u32(value, &seconds))
		return syntax(mp->why, "bad HOLDFOR");
	return hold(mp, mp->offer->now_s + seconds);
}

/* RFC 3339: "2026-11-21T07:00:00Z" or with an offset. */
static bool
rfc3339(struct slice s, int64_t *at_r)
{
	struct scan sc = scan_of(s);
	unsigned y, mo, d, h, mi, sec, zh = 0, zm = 0;
	struct tm tm;
	int sign = 0;

	if (!scan_digits(&sc, 4, &y) || !scan_char(&sc, '-') ||
	    !scan_digits(&sc, 2, &mo) || !scan_char(&sc, '-') ||
	    !scan_digits(&sc, 2, &d) || !scan_liti(&sc, SLICE("T")) ||
	    !scan_digits(&sc, 2, &h) || !scan_char(&sc, ':') ||
	    !scan_digits(&sc, 2, &mi) || !scan_char(&sc, ':') ||
	    !scan_digits(&sc, 2, &sec))
		return false;
	if (scan_char(&sc, '.') && !scan_skip(&sc, scan_digit))
		return false;
	if (!scan_liti(&sc, SLICE("Z"))) {
		sign = scan_char(&sc, '-') ? -1 : scan_char(&sc, '+');
		if (!sign || !scan_digits(&sc, 2, &zh) ||
		    !scan_char(&sc, ':') || !scan_digits(&sc, 2, &zm))
			return false;
	}
	if (!scan_end(&sc) || mo < 1 || mo > 12 || d < 1 || d > 31 || h > 23 ||
	    mi > 59 || sec > 60 || zh > 23 || zm > 59)
		return false;
	memset(&tm, 0, sizeof(tm));
	tm.tm_year = (int)y - 1900;
	tm.tm_mon = (int)mo - 1;
	tm.tm_mday = (int)d;
	tm.tm_hour = (int)h;
	tm.tm_min = (int)mi;
	tm.tm_sec = (int)sec;
	*at_r = timegm(&tm) - sign * (int64_t)(zh * 3600 + zm * 60);
	return true;
}

static bool
mail_holduntil(struct mail_parser *mp, struct slice value)
{
	int64_t at;

	if (!rfc3339(value, &at))
		return syntax(mp->why, "bad HOLDUNTIL");
	return hold(mp, at);
}

static const struct {
	const char *keyword;
	bool (*take)(struct mail_parser *mp, struct slice value);
} mail_params[] = {
	{ "SIZE", mail_size },
	{ "BODY", mail_body },
	{ "AUTH", mail_auth },
	{ "SMTPUTF8", mail_smtputf8 },
	{ "REQUIRETLS", mail_requiretls },
	{ "RET", mail_ret },
	{ "ENVID", mail_envid },
	{ "HOLDFOR", mail_holdfor },
	{ "HOLDUNTIL", mail_holduntil },
};

#define MAIL_PARAMS (sizeof(mail_params) / sizeof(*mail_params))

static bool
mail_param(struct mail_parser *mp, struct slice keyword, struct slice value,
    unsigned *seen)
{
	for (size_t i = 0; i < MAIL_PARAMS; i++) {
		if (!slice_isi(keyword, mail_params[i].keyword))
			continue;
		if (*seen & 1u << i)
			return syntax(mp->why, "parameter given twice");
		*seen |= 1u << i;
		return mail_params[i].take(mp, value);
	}
	return refuse(mp->why, 555, "5.3.3", "unknown parameter");
}

bool
smtp_mail_args(struct arena *arena, struct slice text,
    const struct smtp_offer *offer, struct smtp_mail_args *args_r,
    struct smtp_refusal *why_r)
{
	struct mail_parser mp = { offer, args_r, why_r };
	struct scan sc = scan_of(text);
	struct slice keyword, value;
	unsigned seen = 0;
	bool bad;

	memset(args_r, 0, sizeof(*args_r));
	if (!path(arena, &sc, true, offer, &args_r->from, why_r))
		return false;
	while (next_param(&sc, &keyword, &value, &bad)) {
		if (!offer->esmtp)
			return refuse(why_r, 555, "5.3.3",
			    "parameters need EHLO");
		if (!mail_param(&mp, keyword, value, &seen))
			return false;
	}
	if (bad)
		return syntax(why_r, "bad parameters");
	args_r->mail.esmtp = offer->esmtp;
	args_r->mail.empty = args_r->from.empty;
	return !needs_smtputf8(&args_r->from, args_r->mail.smtputf8, why_r);
}

/* ---- parameters of RCPT ---- */

/* "NEVER" or a list of the others (RFC 3461, 4.1). */
static bool
rcpt_notify(struct slice value, unsigned *notify_r)
{
	struct slice word;

	*notify_r = 0;
	while (slice_next(&value, ',', &word)) {
		if (slice_isi(word, "NEVER"))
			*notify_r |= SMTP_NOTIFY_NEVER;
		else if (slice_isi(word, "SUCCESS"))
			*notify_r |= SMTP_NOTIFY_SUCCESS;
		else if (slice_isi(word, "FAILURE"))
			*notify_r |= SMTP_NOTIFY_FAILURE;
		else if (slice_isi(word, "DELAY"))
			*notify_r |= SMTP_NOTIFY_DELAY;
		else
			return false;
	}
	return *notify_r &&
	    (!(*notify_r & SMTP_NOTIFY_NEVER) ||
		*notify_r == SMTP_NOTIFY_NEVER);
}

bool
smtp_rcpt_args(struct arena *arena, struct slice text,
    const struct smtp_offer *offer, bool smtputf8,
    struct smtp_rcpt_args *args_r, struct smtp_refusal *why_r)
{
	struct scan sc = scan_of(text);
	struct slice keyword, value;
	bool bad;

	memset(args_r, 0, sizeof(*args_r));
	if (!path(arena, &sc, false, offer, &args_r->to, why_r))
		return false;
	while (next_param(&sc, &keyword, &value, &bad)) {
		if (!offer->esmtp)
			return refuse(why_r, 555, "5.3.3",
			    "parameters need EHLO");
		if (slice_isi(keyword, "NOTIFY")) {
			if (args_r->rcpt.notify ||
			    !rcpt_notify(value, &args_r->rcpt.notify))
				return syntax(why_r, "bad NOTIFY");
		} else if (slice_isi(keyword, "ORCPT")) {
			if (args_r->orcpt.n || !is_orcpt(value))
				return syntax(why_r, "bad ORCPT");
			args_r->orcpt = value;
		} else
			return refuse(why_r, 555, "5.3.3", "unknown parameter");
	}
	if (bad)
		return syntax(why_r, "bad parameters");
	return !needs_smtputf8(&args_r->to, smtputf8, why_r);
}

bool
smtp_bdat_args(struct slice text, uint64_t *size_r, bool *last_r)
{
	struct scan sc = scan_of(slice_trim(text));

	if (text.n == 0 || text.p[0] != ' ' || !scan_u64(&sc, size_r))
		return false;
	*last_r = scan_liti(&sc, SLICE(" LAST"));
	return scan_end(&sc);
}
