/*
 * dsn_write - a notification as a message: multipart/report (RFC 3462) of
 * text, message/delivery-status, and what it is about.
 */
#include "message/compose.h"
#include "message/date.h"
#include "message/dsn_int.h"
#include "message/header.h"
#include "message/lex.h"
#include "text/qp.h"
#include "text/unicode.h"

#define BOUNDARY 32 /* random characters: nothing inside can contain it */
#define LINE 900    /* longer ones are folded; RFC 5322, 2.1.1: 998 */

/* What is written at once: the text for DSN_RCPTS_MAX recipients. */
#define PIECE_MAX (16 * 1024 * 1024)

struct writer {
	const struct dsn_letter *l;
	bool utf8; /* some address is not ASCII: RFC 6533 */
	char boundary[BOUNDARY + 1];
	struct buf out;
	dsn_write_fn *write;
	void *ctx;
};

static int
flush(struct writer *w, struct err *e)
{
	int rc = 0;

	if (w->out.over)
		return err_set(e, ERR_LIMIT, "notification too large");
	if (w->out.n > 0)
		rc = w->write(w->ctx, buf_slice(&w->out), e);
	buf_reset(&w->out);
	return rc;
}

static void
put_part(struct writer *w, const char *type)
{
	buf_addf(&w->out, "\r\n--%s\r\nContent-Type: %s\r\n", w->boundary,
	    type);
}

/* ---- the header ---- */

static void
put_header(struct writer *w)
{
	const struct dsn_letter *l = w->l;
	struct buf type = BUF_INIT(256);

	compose_folded(&w->out, "From", l->from);
	compose_folded(&w->out, "To", l->to);
	compose_text(&w->out, "Subject",
	    l->subject.n ? l->subject : slice_str(dsn_subject(l->status)),
	    w->utf8);
	compose_date(&w->out, "Date", l->date, l->zone_s);
	if (l->msgid.n)
		compose_ids(&w->out, "Message-Id", &l->msgid, 1);
	if (l->about_msgid.n) {
		compose_ids(&w->out, "In-Reply-To", &l->about_msgid, 1);
		compose_ids(&w->out, "References", &l->about_msgid, 1);
	}
	/* RFC 3834, 5: no vacation program answers this. */
	compose_folded(&w->out, "Auto-Submitted", SLICE("auto-replied"));
	compose_folded(&w->out, "MIME-Version", SLICE("1.0"));
	buf_addf(&type,
	    "multipart/report; report-type=\"delivery-status\"; "
	    "boundary=\"%s\"",
	    w->boundary);
	compose_folded(&w->out, "Content-Type", buf_slice(&type));
	buf_free(&type);
}

/* ---- the text ---- */

static int
put_text(struct writer *w, struct err *e)
{
	struct buf text = BUF_INIT(PIECE_MAX);
	struct slice s;

	dsn_text(w->l, &text);
	s = buf_slice(&text);
	put_part(w, "text/plain; charset=utf-8");
	if (unicode_is_ascii(s)) {
		buf_addz(&w->out, "\r\n");
		buf_add(&w->out, s);
	} else {
		buf_addz(&w->out,
		    "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
		qp_encode(&w->out, s);
	}
	w->out.over |= text.over;
	buf_free(&text);
	return flush(w, e);
}

/* ---- the status ---- */

/* Where only ASCII may stand. */
static void
ascii(struct buf *out, struct slice s)
{
	uint32_t c;

	while (unicode_next(&s, &c))
		buf_addc(out, c < 0x80 ? (char)c : '?');
}

static void
put_field(struct writer *w, const char *name, struct slice text)
{
	struct buf b = BUF_INIT(2 * DSN_TEXT_MAX);

	text = dsn_clip(text);
	if (w->utf8)
		buf_add(&b, text);
	else
		ascii(&b, text);
	if (b.n > 0)
		compose_folded(&w->out, name, buf_slice(&b));
	buf_free(&b);
}

static void
put_typed(struct writer *w, const char *name, const struct dsn_typed *t,
    const char *usual)
{
	struct buf b = BUF_INIT(2 * DSN_TEXT_MAX);
	struct slice text = dsn_clip(t->text);

	if (text.n) {
		buf_add(&b,
		    t->type.n ? slice_head(t->type, 32) : slice_str(usual));
		buf_addz(&b, "; ");
		buf_add(&b, text);
		put_field(w, name, buf_slice(&b));
	}
	buf_free(&b);
}

/* RFC 6533, 3: type utf-8 for what is not ASCII. */
static void
put_address(struct writer *w, const char *name, const struct dsn_typed *t)
{
	struct buf b = BUF_INIT(12 * DSN_TEXT_MAX);
	struct dsn_typed encoded = { SLICE("utf-8"), SLICE_NULL };

	if (!slice_isi(t->type, "utf-8") &&
	    (unicode_is_ascii(t->text) ||
		(t->type.n && !slice_isi(t->type, "rfc822")))) {
		put_typed(w, name, t, "rfc822");
		return;
	}
	dsn_unitext_write(&b, dsn_clip(t->text));
	encoded.text = buf_slice(&b);
	put_typed(w, name, &encoded, NULL);
	buf_free(&b);
}

static void
put_date(struct writer *w, const char *name, int64_t s)
{
	if (s)
		compose_date(&w->out, name, s, w->l->zone_s);
}

static void
put_recipient(struct writer *w, const struct dsn_recipient *r)
{
	static const char *const status[DSN_ACTIONS] = {
		[DSN_FAILED] = "5.0.0",
		[DSN_DELAYED] = "4.0.0",
		[DSN_DELIVERED] = "2.0.0",
		[DSN_RELAYED] = "2.0.0",
		[DSN_EXPANDED] = "2.0.0",
	};

	buf_addz(&w->out, "\r\n");
	put_address(w, "Original-Recipient", &r->original);
	put_address(w, "Final-Recipient", &r->final);
	put_field(w, "Action", slice_str(dsn_action_name(r->action)));
	put_field(w, "Status",
	    r->status.n ? r->status : slice_str(status[r->action]));
	put_typed(w, "Remote-MTA", &r->remote_mta, "dns");
	put_typed(w, "Diagnostic-Code", &r->diagnostic, "smtp");
	put_date(w, "Last-Attempt-Date", r->last_attempt);
	if (r->action == DSN_DELAYED) /* RFC 3464, 2.3.9 */
		put_date(w, "Will-Retry-Until", r->will_retry_until);
}

static int
put_status(struct writer *w, struct err *e)
{
	const struct dsn_status *s = w->l->status;

	put_part(w,
	    w->utf8 ? "message/global-delivery-status\r\n"
		      "Content-Transfer-Encoding: 8bit"
		    : "message/delivery-status");
	buf_addz(&w->out, "\r\n");
	put_field(w, "Original-Envelope-Id", s->envid);
	put_typed(w, "Reporting-MTA", &s->reporting_mta, "dns");
	put_typed(w, "Received-From-MTA", &s->received_from, "dns");
	put_date(w, "Arrival-Date", s->arrival);
	put_field(w, "Future-Release-Request", s->future_release);
	for (int action = 0; action < DSN_ACTIONS; action++)
		for (size_t i = 0; i < s->nrcpts; i++)
			if (s->rcpts[i].action == (enum dsn_action)action) {
				put_recipient(w, &s->rcpts[i]);
				if (flush(w, e) < 0)
					return -1;
			}
	return flush(w, e);
}

/* ---- what it is about ---- */

/* The header, as far as it is whole lines; nothing that lines must not have. */
static void
put_about_header(struct writer *w)
{
	struct slice rest = slice_head(w->l->header, DSN_HEADER_MAX);
	ssize_t last = slice_rchr(rest, '\n');
	struct slice line;

	rest = slice_head(rest, (size_t)(last + 1));
	while (slice_line(&rest, &line) && line.n > 0)
		for (bool first = true; line.n > 0; first = false) {
			size_t from, n = line.n > LINE ? LINE : line.n;
			struct slice piece = slice_head(line, n);
			piece.n -= unicode_partial(piece);
			if (piece.n == 0)
				piece.n = n;
			if (!first)
				buf_addc(&w->out, ' ');
			from = w->out.n;
			buf_add(&w->out, piece);
			lex_blank_controls(&w->out, from);
			buf_addz(&w->out, "\r\n");
			line = slice_skip(line, piece.n);
		}
}

static int
put_about(struct writer *w, struct err *e)
{
	const struct dsn_letter *l = w->l;
	struct slice header = slice_head(l->header, DSN_HEADER_MAX), piece;
	bool utf8 = !unicode_is_ascii(header);
	int rc;

	if (!l->read)
		put_part(w,
		    utf8 ? "message/global-headers" : "text/rfc822-headers");
	else
		put_part(w, utf8 ? "message/global" : "message/rfc822");
	if (l->read && l->binary)
		buf_addz(&w->out, "Content-Transfer-Encoding: binary\r\n");
	else if (utf8 || (l->read && l->is_8bit))
		buf_addz(&w->out, "Content-Transfer-Encoding: 8bit\r\n");
	buf_addz(&w->out, "\r\n");
	if (!l->read) {
		put_about_header(w);
		return flush(w, e);
	}
	if (flush(w, e) < 0)
		return -1;
	while ((rc = l->read(l->ctx, &piece, e)) > 0)
		if (w->write(w->ctx, piece, e) < 0)
			return -1;
	return rc;
}

/* ---- all ---- */

static bool
needs_utf8(const struct dsn_letter *l)
{
	bool ascii = unicode_is_ascii(l->from) && unicode_is_ascii(l->to);

	for (size_t i = 0; i < l->status->nrcpts && ascii; i++)
		ascii = unicode_is_ascii(l->status->rcpts[i].final.text) &&
		    unicode_is_ascii(l->status->rcpts[i].original.text);
	return !ascii;
}

int
dsn_write(const struct dsn_letter *letter, dsn_write_fn *write, void *ctx,
    struct err *e)
{
	struct writer w = { .l = letter,
		.utf8 = needs_utf8(letter),
		.out = BUF_INIT(PIECE_MAX),
		.write = write,
		.ctx = ctx };
	int rc = -1;

	rand_text(letter->rand, w.boundary, BOUNDARY);
	put_header(&w);
	if (put_text(&w, e) < 0 || put_status(&w, e) < 0 ||
	    put_about(&w, e) < 0)
		goto out;
	buf_addf(&w.out, "\r\n--%s--\r\n", w.boundary);
	rc = flush(&w, e);
out:
	buf_free(&w.out);
	return rc;
}
