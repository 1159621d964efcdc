/* dsn_text - a notification as people read it. */
#include "message/date.h"
#include "message/dsn_int.h"
#include "message/encword.h"
#include "message/header.h"
#include "message/lex.h"
#include "text/unicode.h"

#define COLUMNS 72
#define FIELD_MAX (16 * 1024) /* of a header field that is shown */

/* What is said of the recipients of an action: before them, after them. */
static const struct {
	const char *subject, *before, *after;
} said[DSN_ACTIONS] = {
	[DSN_FAILED] = { "mail delivery failed",
	    "Your message could not be delivered to:",
	    "It will not be tried again." },
	[DSN_DELAYED] = { "mail delivery delayed",
	    "Your message has not been delivered yet to:",
	    "You need not send it again: you will be told if it cannot be "
	    "delivered in the end." },
	[DSN_DELIVERED] = { "mail delivered",
	    "Your message has been delivered to:", NULL },
	[DSN_RELAYED] = { "mail passed on",
	    "Your message has been passed on to hosts that do not tell of "
	    "deliveries, for:",
	    NULL },
	[DSN_EXPANDED] = { "mail passed on",
	    "Your message has been passed on to the members of:", NULL },
};

const char *
dsn_subject(const struct dsn_status *status)
{
	enum dsn_action worst = DSN_EXPANDED;

	for (size_t i = 0; i < status->nrcpts; i++)
		if (status->rcpts[i].action < worst)
			worst = status->rcpts[i].action;
	return said[worst].subject;
}

/* ---- lines ---- */

/* Words of text in lines of COLUMNS characters, behind indent spaces. */
static void
fill(struct buf *out, size_t indent, struct slice text)
{
	struct buf clean = BUF_INIT(2 * FIELD_MAX);
	size_t column = 0;
	struct slice rest, word;

	unicode_repair(&clean, text);
	lex_blank_controls(&clean, 0);
	rest = buf_slice(&clean);
	while (slice_next(&rest, ' ', &word)) {
		size_t n = unicode_count(word);
		if (n == 0)
			continue;
		if (column > 0 && column + 1 + n > COLUMNS) {
			buf_addz(out, "\r\n");
			column = 0;
		}
		if (column == 0)
			buf_addf(out, "%*s", (int)indent, "");
		else
			buf_addc(out, ' ');
		column += (column == 0 ? indent : 1) + n;
		buf_add(out, word);
	}
	if (column > 0)
		buf_addz(out, "\r\n");
	buf_free(&clean);
}

static void
fillz(struct buf *out, size_t indent, const char *text)
{
	fill(out, indent, slice_str(text));
}

/* ---- recipients ---- */

/* RFC 3463, for those that say no more. */
static const char *
meaning(const struct dsn_recipient *r)
{
	static const struct {
		const char *status, *text;
	} known[] = {
		{ ".1.1", "There is no such address." },
		{ ".1.2", "There is no such host." },
		{ ".2.1", "The mailbox is disabled." },
		{ ".2.2", "The mailbox is full." },
		{ ".3.4", "The message is too large." },
		{ ".4.1", "The host does not answer." },
		{ ".4.6", "The message went in a circle." },
		{ ".4.7", "It took too long." },
		{ ".7.1", "It is not allowed." },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (slice_is(slice_skip(r->status, 1), known[i].status))
			return known[i].text;
	return NULL;
}

static void
reply(const struct dsn_recipient *r, struct buf *line)
{
	struct slice text = dsn_clip(r->diagnostic.text);
	const char *what = meaning(r);

	if (text.n && r->remote_mta.text.n)
		buf_addf(line, "%.*s said: %.*s",
		    SLICE_FMT(dsn_clip(r->remote_mta.text)), SLICE_FMT(text));
	else if (text.n)
		buf_add(line, text);
	else if (what && r->action <= DSN_DELAYED)
		buf_addz(line, what);
	else if (r->remote_mta.text.n)
		buf_addf(line, "by way of %.*s",
		    SLICE_FMT(dsn_clip(r->remote_mta.text)));
}

static void
recipient(const struct dsn_letter *l, const struct dsn_recipient *r,
    struct buf *out)
{
	struct buf line = BUF_INIT(4096);
	char date[DATE_TEXT];

	buf_addz(out, "\r\n");
	fill(out, 4, dsn_clip(r->final.text));
	/* Who forwarded: the sender knows another address. */
	if (r->original.text.n && !slice_eq(r->original.text, r->final.text)) {
		buf_addf(&line, "which you wrote as %.*s",
		    SLICE_FMT(dsn_clip(r->original.text)));
		fill(out, 8, buf_slice(&line));
		buf_reset(&line);
	}
	reply(r, &line);
	fill(out, 8, buf_slice(&line));
	buf_reset(&line);
	if (r->action == DSN_DELAYED && r->will_retry_until) {
		buf_addf(&line, "It is tried again until %.*s.",
		    SLICE_FMT(date_format(date, r->will_retry_until,
			l->zone_s)));
		fill(out, 8, buf_slice(&line));
	}
	buf_free(&line);
}

static void
section(const struct dsn_letter *l, enum dsn_action action, struct buf *out)
{
	bool any = false;

	for (size_t i = 0; i < l->status->nrcpts; i++) {
		const struct dsn_recipient *r = &l->status->rcpts[i];
		if (r->action != action)
			continue;
		if (!any) {
			buf_addz(out, "\r\n");
			fillz(out, 0, said[action].before);
		}
		any = true;
		recipient(l, r, out);
	}
	if (any && said[action].after) {
		buf_addz(out, "\r\n");
		fillz(out, 0, said[action].after);
	}
}

/* ---- the message ---- */

static void
about(struct slice header, const char *name, struct buf *out)
{
	struct buf line = BUF_INIT(FIELD_MAX), text = BUF_INIT(FIELD_MAX);
	struct header_field field;

	if (header_find(header, name, &field) && field.value.n < FIELD_MAX) {
		header_unfold(&line, field.value);
		buf_addf(&text, "%s: ", name);
		encword_decode(&text, buf_slice(&line));
		fill(out, 4, dsn_clip(buf_slice(&text)));
	}
	buf_free(&line);
	buf_free(&text);
}

void
dsn_text(const struct dsn_letter *l, struct buf *out)
{
	struct buf line = BUF_INIT(4096);
	size_t n;

	buf_addf(&line, "This is the mail server %.*s.",
	    SLICE_FMT(dsn_clip(l->status->reporting_mta.text)));
	fill(out, 0, buf_slice(&line));
	buf_free(&line);
	for (int action = 0; action < DSN_ACTIONS; action++)
		section(l, (enum dsn_action)action, out);
	buf_addz(out, "\r\nThe message:\r\n\r\n");
	n = out->n;
	about(l->header, "Subject", out);
	about(l->header, "Date", out);
	about(l->header, "To", out);
	if (out->n > n)
		buf_addz(out, "\r\n");
	fillz(out, 0, l->read ? "It is attached." : "Its header is attached.");
}
