/* dsn_read - notifications that others sent. */
#include "base/buf.h"
#include "base/scan.h"
#include "message/body.h"
#include "message/date.h"
#include "message/dsn_int.h"
#include "message/header.h"
#include "message/lex.h"

#define VALUE_MAX (16 * 1024) /* of a field; longer ones are passed over */

/* ---- values ---- */

/* What is it, of one line, without comments before or behind. */
static struct slice
value_of(struct arena *arena, struct slice folded)
{
	struct buf line = BUF_INIT(VALUE_MAX);
	struct slice s;

	header_unfold(&line, folded);
	lex_blank_controls(&line, 0);
	s = line.over ? SLICE_NULL
		      : arena_dup(arena, slice_trim(buf_slice(&line)));
	buf_free(&line);
	return s;
}

static struct dsn_typed
typed_of(struct arena *arena, struct slice folded)
{
	struct slice value = value_of(arena, folded), type, text;

	if (!slice_cut(value, ';', &type, &text))
		return (struct dsn_typed){ SLICE_NULL, value };
	return (struct dsn_typed){ slice_trim(type), slice_trim(text) };
}

/* Names of hosts: "dns; name (comment)". */
static struct dsn_typed
host_of(struct arena *arena, struct slice folded)
{
	struct dsn_typed t = typed_of(arena, folded);
	struct scan sc = scan_of(t.text);

	lex_skip(&sc);
	t.text = slice_trim(scan_until(&sc, ' '));
	return t;
}

/* An address, with quotes if it has any; what is behind it is dropped. */
static struct dsn_typed
address_of(struct arena *arena, struct slice folded)
{
	struct dsn_typed t = typed_of(arena, folded);
	struct scan sc = scan_of(t.text);
	struct buf out = BUF_INIT(VALUE_MAX);
	bool angle, quoted = false;
	const char *begin;

	lex_skip(&sc);
	angle = scan_char(&sc, '<');
	begin = sc.p;
	for (; !scan_end(&sc); sc.p++) {
		if (*sc.p == '"')
			quoted = !quoted;
		else if (*sc.p == '\\' && quoted && sc.end - sc.p > 1)
			sc.p++;
		else if (!quoted && (*sc.p == ' ' || (angle && *sc.p == '>')))
			break;
	}
	t.text = slice_of(begin, (size_t)(sc.p - begin));
	if (slice_isi(t.type, "utf-8")) {
		dsn_unitext_read(&out, t.text);
		lex_blank_controls(&out, 0);
		t.text = arena_dup(arena, buf_slice(&out));
	}
	buf_free(&out);
	return t;
}

static int64_t
date_of(struct slice folded)
{
	struct date date;

	return date_parse(folded, &date) ? date.s : 0;
}

/* ---- groups of fields ---- */

static void
take_message_field(struct arena *arena, const struct header_field *f,
    struct dsn_status *s)
{
	if (slice_isi(f->name, "Original-Envelope-Id"))
		s->envid = value_of(arena, f->value);
	else if (slice_isi(f->name, "Reporting-MTA"))
		s->reporting_mta = host_of(arena, f->value);
	else if (slice_isi(f->name, "Received-From-MTA"))
		s->received_from = host_of(arena, f->value);
	else if (slice_isi(f->name, "Arrival-Date"))
		s->arrival = date_of(f->value);
	else if (slice_isi(f->name, "Future-Release-Request"))
		s->future_release = value_of(arena, f->value);
}

/* "5.1.1 (no such user)" */
static struct slice
status_of(struct arena *arena, struct slice folded)
{
	struct slice value = value_of(arena, folded), head, rest;

	slice_cut(value, ' ', &head, &rest);
	return head;
}

struct group {
	struct dsn_recipient rcpt;
	bool any;    /* it is one of a recipient */
	bool action; /* which is known */
};

static void
take_recipient_field(struct arena *arena, const struct header_field *f,
    struct group *g)
{
	struct dsn_recipient *r = &g->rcpt;

	if (slice_isi(f->name, "Original-Recipient"))
		r->original = address_of(arena, f->value);
	else if (slice_isi(f->name, "Final-Recipient"))
		r->final = address_of(arena, f->value);
	else if (slice_isi(f->name, "Action"))
		g->action =
		    dsn_action_parse(status_of(arena, f->value), &r->action);
	else if (slice_isi(f->name, "Status"))
		r->status = status_of(arena, f->value);
	else if (slice_isi(f->name, "Remote-MTA"))
		r->remote_mta = host_of(arena, f->value);
	else if (slice_isi(f->name, "Diagnostic-Code"))
		r->diagnostic = typed_of(arena, f->value);
	else if (slice_isi(f->name, "Last-Attempt-Date"))
		r->last_attempt = date_of(f->value);
	else if (slice_isi(f->name, "Will-Retry-Until"))
		r->will_retry_until = date_of(f->value);
	else
		return;
	g->any = true;
}

static int
add_recipient(struct arena *arena, struct group *g, struct dsn_status *s,
    struct err *e)
{
	if (!g->rcpt.final.text.n)
		g->rcpt.final = g->rcpt.original;
	if (!g->rcpt.final.text.n || !g->action)
		return err_set(e, ERR_SYNTAX,
		    "notification: recipient without %s",
		    g->action ? "address" : "known action");
	if (s->nrcpts == DSN_RCPTS_MAX)
		return err_set(e, ERR_LIMIT,
		    "notification: more than %d recipients", DSN_RCPTS_MAX);
	if ((s->nrcpts & (s->nrcpts - 1)) == 0)
		s->rcpts = arena_grow(arena, s->rcpts, s->nrcpts,
		    s->nrcpts ? 2 * s->nrcpts : 1, sizeof(*s->rcpts));
	s->rcpts[s->nrcpts++] = g->rcpt;
	return 0;
}

/* Some do without the empty line between the message and the first recipient,
 * so every group may have fields of both. */
int
dsn_parse(struct arena *arena, struct slice text, struct dsn_status *status_r,
    struct err *e)
{
	struct dsn_status *s = status_r;

	*s = (struct dsn_status){ 0 };
	if (text.n > DSN_STATUS_MAX)
		return err_set(e, ERR_LIMIT, "notification: too large");
	while (text.n > 0) {
		struct group g = { 0 };
		struct header_field field;
		while (header_next(&text, &field)) {
			take_message_field(arena, &field, s);
			take_recipient_field(arena, &field, &g);
		}
		if (g.any && add_recipient(arena, &g, s, e) < 0)
			return -1;
	}
	if (s->nrcpts == 0)
		return err_set(e, ERR_SYNTAX, "notification: no recipient");
	return 0;
}

/* ---- the message ---- */

bool
dsn_find(struct slice record, uint32_t *status_r, uint32_t *about_r)
{
	uint32_t n = msgrec_parts(record);
	struct msgrec_part part;

	*status_r = *about_r = MSGREC_NONE;
	if (!(msgrec_flags(record) & MSGREC_DSN))
		return false;
	for (uint32_t i = 1; i < n; i = part.next) {
		msgrec_part(record, i, &part);
		if (slice_is(part.type, "message/delivery-status") ||
		    slice_is(part.type, "message/global-delivery-status"))
			*status_r = i;
		else if (*status_r != MSGREC_NONE && *about_r == MSGREC_NONE)
			*about_r = i;
	}
	return *status_r != MSGREC_NONE;
}

int
dsn_parse_message(struct arena *arena, struct slice record,
    struct slice message, struct dsn_status *status_r, struct err *e)
{
	struct buf text = BUF_INIT(DSN_STATUS_MAX);
	uint32_t status, about;
	struct msgrec_part part;
	struct body *body;
	int rc;

	if (!dsn_find(record, &status, &about))
		return err_set(e, ERR_SYNTAX, "no notification");
	msgrec_part(record, status, &part);
	body = body_new(part.encoding, SLICE_NULL);
	if (!body)
		return err_set(e, ERR_SYNTAX, "notification: unknown encoding");
	body_push(body,
	    slice_sub(message, (size_t)part.body.off, (size_t)part.end.off),
	    &text);
	body_end(body, &text);
	body_free(&body);
	rc = text.over ? err_set(e, ERR_LIMIT, "notification: too large")
		       : dsn_parse(arena, buf_slice(&text), status_r, e);
	buf_free(&text);
	return rc;
}
