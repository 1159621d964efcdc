/* compose - write header fields. */
#include "message/compose.h"

#include "message/date.h"
#include "message/encword.h"
#include "message/lex.h"
#include "message/smtpaddr.h"
#include "text/unicode.h"

/* A word no line may be longer than is encoded (RFC 5322, 2.1.1: 998, and the
 * name of the field comes before it). */
#define LONG_WORD 900

/* Every value is made in one of these; a To of 100,000 addresses fits. */
#define VALUE_MAX (8 * 1024 * 1024)

/* ---- lines ---- */

/* s with controls as spaces, and UTF-8. */
static void
add_clean(struct buf *out, struct slice s)
{
	size_t from = out->n;

	unicode_repair(out, s);
	lex_blank_controls(out, from);
}

/*
 * The value, with a line break before a space wherever the line would get too
 * long. Not before the first word: the line with the name must have one.
 */
static void
add_folded(struct buf *out, const char *name, struct slice value)
{
	struct slice rest = slice_trim(value);
	size_t column;
	bool first = true;

	buf_addz(out, name);
	buf_addc(out, ':');
	column = slice_str(name).n + 1;
	while (rest.n > 0) {
		size_t n = 0;

		while (n < rest.n && rest.p[n] == ' ')
			n++;
		while (n < rest.n && rest.p[n] != ' ')
			n++;
		if (first) {
			buf_addc(out, ' ');
			column++;
		} else if (column + n > COMPOSE_COLUMNS) {
			buf_addz(out, "\r\n");
			column = 0;
		}
		buf_add(out, slice_head(rest, n));
		column += n;
		rest = slice_skip(rest, n);
		first = false;
	}
	buf_addz(out, "\r\n");
}

void
compose_folded(struct buf *out, const char *name, struct slice value)
{
	struct buf b = BUF_INIT(VALUE_MAX);

	add_clean(&b, value);
	add_folded(out, name, buf_slice(&b));
	buf_free(&b);
}

/* ---- text ---- */

static bool
has_long_word(struct slice text)
{
	struct slice word;

	while (slice_next(&text, ' ', &word))
		if (word.n > LONG_WORD)
			return true;
	return false;
}

void
compose_text(struct buf *out, const char *name, struct slice text, bool utf8)
{
	struct buf clean = BUF_INIT(VALUE_MAX), b = BUF_INIT(VALUE_MAX);
	size_t used = slice_str(name).n + 2;
	struct slice s;

	add_clean(&clean, text);
	s = buf_slice(&clean);
	if (has_long_word(s) || (encword_needed(s) && !utf8))
		encword_encode(&b, s,
		    used < 40 ? COMPOSE_COLUMNS - used : ENCWORD_MAX);
	else
		buf_add(&b, s);
	add_folded(out, name, buf_slice(&b));
	buf_free(&clean);
	buf_free(&b);
}

/* ---- addresses ---- */

static bool
is_atoms(struct slice s)
{
	struct scan sc = scan_of(s);

	while (scan_skip(&sc, lex_atext) > 0 && scan_char(&sc, ' '))
		continue;
	return scan_end(&sc) && s.n > 0 && s.p[s.n - 1] != ' ';
}

static void
add_phrase(struct buf *out, struct slice name, bool utf8)
{
	struct buf b = BUF_INIT(VALUE_MAX);
	struct slice s;

	add_clean(&b, name);
	s = slice_trim(buf_slice(&b));
	if (has_long_word(s) || (encword_needed(s) && !utf8))
		encword_encode(out, s, ENCWORD_MAX);
	else if (is_atoms(s))
		buf_add(out, s);
	else {
		buf_addc(out, '"');
		for (size_t i = 0; i < s.n; i++) {
			if (s.p[i] == '"' || s.p[i] == '\\')
				buf_addc(out, '\\');
			buf_addc(out, s.p[i]);
		}
		buf_addc(out, '"');
	}
	buf_free(&b);
}

static void
add_spec(struct buf *out, const struct address *a)
{
	struct buf b = BUF_INIT(VALUE_MAX);

	smtpaddr_write_local(&b, a->local);
	buf_addc(&b, '@');
	buf_add(&b, a->domain);
	add_clean(out, buf_slice(&b));
	buf_free(&b);
}

static void
add_address(struct buf *out, const struct address *a, bool utf8)
{
	switch (a->kind) {
	case ADDRESS_GROUP:
		add_phrase(out, a->name, utf8);
		buf_addc(out, ':');
		break;
	case ADDRESS_END:
		buf_addc(out, ';');
		break;
	case ADDRESS_MAILBOX:
		if (a->name.n == 0) {
			add_spec(out, a);
			break;
		}
		add_phrase(out, a->name, utf8);
		buf_addz(out, " <");
		add_spec(out, a);
		buf_addc(out, '>');
		break;
	}
}

void
compose_addresses(struct buf *out, const char *name, const struct address *v,
    size_t n, bool utf8)
{
	struct buf b = BUF_INIT(VALUE_MAX);

	if (n == 0)
		return;
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && v[i].kind != ADDRESS_END)
			buf_addz(&b,
			    v[i - 1].kind == ADDRESS_GROUP ? " " : ", ");
		add_address(&b, &v[i], utf8);
	}
	add_folded(out, name, buf_slice(&b));
	buf_free(&b);
}

/* ---- others ---- */

void
compose_ids(struct buf *out, const char *name, const struct slice *ids,
    size_t n)
{
	struct buf b = BUF_INIT(VALUE_MAX);

	for (size_t i = 0; i < n; i++) {
		buf_addz(&b, i > 0 ? " <" : "<");
		add_clean(&b, ids[i]);
		buf_addc(&b, '>');
	}
	add_folded(out, name, buf_slice(&b));
	buf_free(&b);
}

void
compose_date(struct buf *out, const char *name, int64_t s, int zone_s)
{
	char text[DATE_TEXT];

	add_folded(out, name, date_format(text, s, zone_s));
}

void
compose_delivered_to(struct buf *out, struct slice address)
{
	compose_folded(out, "Delivered-To", address);
}

void
compose_return_path(struct buf *out, struct slice address)
{
	struct buf b = BUF_INIT(VALUE_MAX);

	buf_addc(&b, '<');
	buf_add(&b, address);
	buf_addc(&b, '>');
	compose_folded(out, "Return-Path", buf_slice(&b));
	buf_free(&b);
}

/* ---- Received ---- */

/* A word that peers may have chosen: nothing that would end it, a comment or
 * the field. */
static void
add_word(struct buf *out, const char *before, struct slice word)
{
	size_t from;

	if (word.n == 0)
		return;
	buf_addz(out, before);
	from = out->n;
	unicode_repair(out, word);
	for (size_t i = from; i < out->n; i++)
		if ((unsigned char)out->p[i] <= ' ' ||
		    slice_chr(SLICE("()<>;\"\\\x7f"), out->p[i]) >= 0)
			out->p[i] = '?';
}

static void
add_ip(struct buf *out, struct slice ip)
{
	add_word(out, slice_chr(ip, ':') >= 0 ? "[IPv6:" : "[", ip);
	buf_addc(out, ']');
}

/* TCP-info and what else is known, as a comment. */
static void
add_host(struct buf *out, struct slice name, struct slice ip)
{
	if (name.n == 0 && ip.n == 0)
		return;
	buf_addz(out, " (");
	add_word(out, "", name);
	if (name.n > 0 && ip.n > 0)
		buf_addc(out, ' ');
	if (ip.n > 0)
		add_ip(out, ip);
	buf_addc(out, ')');
}

void
compose_received(struct buf *out, const struct compose_received *r)
{
	struct buf b = BUF_INIT(VALUE_MAX);
	char date[DATE_TEXT];
	struct slice version, cipher;

	add_word(&b, "from ", r->helo);
	add_host(&b, r->from_name, r->from_ip);
	add_word(&b, " by ", r->by);
	add_host(&b, SLICE_NULL, r->by_ip);
	buf_addz(&b, " via tcp");
	add_word(&b, " with ", r->with);
	if (r->requiretls)
		buf_addz(&b, " (requiretls)"); /* RFC 8689, 4.1 */
	add_word(&b, " id ", r->id);
	if (r->tls.n > 0) {
		slice_cut(r->tls, ' ', &version, &cipher);
		add_word(&b, " (", version);
		add_word(&b, " ", cipher);
		buf_addc(&b, ')');
	}
	if (r->rcpt.n > 0) {
		/* May be quoted: of the field, only ">" could end it. */
		buf_addz(&b, " for <");
		add_clean(&b, r->rcpt);
		buf_addc(&b, '>');
	}
	buf_addz(&b, "; ");
	buf_add(&b, date_format(date, r->s, r->zone_s));
	add_folded(out, "Received", buf_slice(&b));
	buf_free(&b);
}
