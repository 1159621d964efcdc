#include "smtp/answer.h"

#include "base/scan.h"

#define AUTH_MAX 2048 /* names of mechanisms */

/* ---- replies ---- */

/* RFC 3463, 2: class "." subject "." detail, and a space or the end. The class
 * is that of the reply. */
static size_t
enhanced_len(struct slice text, int code)
{
	struct scan sc = scan_of(text);
	struct slice part;
	char class = (char)('0' + code / 100);

	if (class != '3' && scan_char(&sc, class) && scan_char(&sc, '.') &&
	    scan_take(&sc, scan_digit, &part) && part.n <= 3 &&
	    scan_char(&sc, '.') && scan_take(&sc, scan_digit, &part) &&
	    part.n <= 3 && (scan_end(&sc) || scan_peek(&sc) == ' '))
		return (size_t)(sc.p - text.p);
	return 0;
}

/* CR and NUL have no place in a text; what does not fit is left out. */
static void
add_text(struct buf *b, struct slice text)
{
	if (b->n > 0)
		buf_addc(b, '\n');
	for (size_t i = 0; i < text.n; i++)
		buf_addc(b,
		    text.p[i] == '\r' || text.p[i] == '\0' ? '?' : text.p[i]);
	b->over = false;
}

int
smtp_answer_line(struct smtp_answer_parse *a, struct slice line, struct err *e)
{
	struct scan sc = scan_of(line);
	bool more = false;
	struct slice text;
	unsigned code;
	size_t n;

	if (!scan_digits(&sc, 3, &code) || code < 200 || code > 599)
		return err_set(e, ERR_SYNTAX, "no SMTP reply: \"%.*s\"",
		    SLICE_FMT(slice_head(line, 60)));
	if (!scan_end(&sc) && !scan_char(&sc, ' ')) {
		more = scan_char(&sc, '-');
		if (!more)
			return err_set(e, ERR_SYNTAX, "no SMTP reply: \"%.*s\"",
			    SLICE_FMT(slice_head(line, 60)));
	}
	if (a->lines > 0 && (int)code != a->code)
		return err_set(e, ERR_SYNTAX, "reply has codes %d and %u",
		    a->code, code);
	if (++a->lines > SMTP_ANSWER_LINES)
		return err_set(e, ERR_LIMIT, "reply of more than %d lines",
		    SMTP_ANSWER_LINES);
	a->code = (int)code;
	text = scan_rest(&sc);
	n = enhanced_len(text, a->code);
	if (n > 0 && a->enhanced[0] == '\0')
		slice_cstr(slice_head(text, n), a->enhanced,
		    sizeof(a->enhanced));
	add_text(&a->text, n > 0 ? slice_trim(slice_skip(text, n)) : text);
	return more ? 0 : 1;
}

/* ---- offers ---- */

static void
offer_size(struct smtp_offers *o, struct slice args, struct buf *auth)
{
	(void)auth;
	o->size = true;
	/* RFC 1870, 4: 0 is no limit, and so is nothing. */
	if (!slice_u64(slice_trim(args), &o->max_size))
		o->max_size = 0;
}

static void
offer_auth(struct smtp_offers *o, struct slice args, struct buf *auth)
{
	struct slice token;

	(void)o;
	while (slice_next(&args, ' ', &token)) {
		if (token.n == 0)
			continue;
		if (auth->n > 0)
			buf_addc(auth, ' ');
		buf_add(auth, token);
	}
}

/* RFC 9422, 3: "RCPTMAX=100 MAILMAX=10". */
static void
offer_limits(struct smtp_offers *o, struct slice args, struct buf *auth)
{
	struct slice token, name, value;
	uint32_t v;

	(void)auth;
	while (slice_next(&args, ' ', &token)) {
		slice_cut(token, '=', &name, &value);
		if (!slice_u32(value, &v) || v == 0)
			continue;
		if (slice_isi(name, "RCPTMAX"))
			o->rcpt_max = v;
		else if (slice_isi(name, "MAILMAX"))
			o->mail_max = v;
	}
}

#define FLAG(field) offsetof(struct smtp_offers, field)

static const struct {
	const char *name;
	size_t flag; /* a bool that is set, or */
	void (*parse)(struct smtp_offers *o, struct slice args,
	    struct buf *auth);
} keywords[] = {
	{ "PIPELINING", FLAG(pipelining), NULL },
	{ "STARTTLS", FLAG(starttls), NULL },
	{ "8BITMIME", FLAG(eightbitmime), NULL },
	{ "SMTPUTF8", FLAG(smtputf8), NULL },
	{ "ENHANCEDSTATUSCODES", FLAG(enhanced), NULL },
	{ "DSN", FLAG(dsn), NULL },
	{ "CHUNKING", FLAG(chunking), NULL },
	{ "BINARYMIME", FLAG(binarymime), NULL },
	{ "REQUIRETLS", FLAG(requiretls), NULL },
	{ "SIZE", 0, offer_size },
	{ "AUTH", 0, offer_auth },
	{ "LIMITS", 0, offer_limits },
};

static void
offer(struct smtp_offers *o, struct slice line, struct buf *auth)
{
	struct slice name, args;

	slice_cut(slice_trim(line), ' ', &name, &args);
	if (slice_startsi(name, SLICE("AUTH="))) { /* older than RFC 4954 */
		args = slice_skip(slice_trim(line), 5);
		name = SLICE("AUTH");
	}
	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
		if (!slice_isi(name, keywords[i].name))
			continue;
		if (keywords[i].parse != NULL)
			keywords[i].parse(o, args, auth);
		else
			*(bool *)((char *)o + keywords[i].flag) = true;
	}
}

void
smtp_offers_parse(struct slice text, struct buf *auth,
    struct smtp_offers *offers_r)
{
	struct slice line;

	*offers_r = (struct smtp_offers){ .esmtp = true };
	buf_reset(auth);
	auth->max = AUTH_MAX;
	slice_line(&text, &line); /* the server's name */
	while (slice_line(&text, &line))
		offer(offers_r, line, auth);
	offers_r->auth = buf_slice(auth);
}
