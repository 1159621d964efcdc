/* append - messages of APPEND (RFC 9051, 6.3.12; RFC 3502), literals and
 * literal8 (RFC 3516), UTF8 (RFC 6855), CATENATE (RFC 4469). */
#include "imap/append.h"

#include "base/clock.h"
#include "imap/limit.h"
#include "imap/notify.h"
#include "imap/url.h"
#include "message/parse.h"
#include "message/record.h"

/* Lines between messages are kept until the last has come. */
#define HEADS_MAX (4 * 1024 * 1024) /* bytes of them, in one command */

struct appending {
	const struct imap_append *a;
	struct mailbox *mb;
	struct mailbox_adding *adding;
	struct buf record;
	size_t heads; /* bytes so far */
	size_t n;
};

/* One message: what stands before its literal. */
struct head {
	struct store_flags flags;
	int64_t received;
	bool utf8;     /* "UTF8 (" literal8 ")" */
	bool catenate; /* "CATENATE (" parts ")" */
};

/* A message on its way into a spool. */
struct taking {
	struct spool *spool;
	struct msgparse *parse;
};

bool
imap_append_streams(struct slice text)
{
	struct imap_parse p = { .sc = scan_of(text) };
	struct slice s;
	bool replace, yes;

	if (!scan_take(&p.sc, imap_is_tag, &s) || !imap_sp(&p))
		return false;
	if (imap_word(&p, "UID") && !imap_sp(&p))
		return false;
	replace = imap_word(&p, "REPLACE");
	if ((!replace && !imap_word(&p, "APPEND")) || !imap_sp(&p))
		return false;
	if (replace &&
	    ((!imap_char(&p, '*') && !imap_atom(&p, &s)) || !imap_sp(&p)))
		return false;
	p.arena = arena_new(0);
	yes = imap_astring(&p, &s) && imap_sp(&p);
	arena_free(&p.arena);
	return yes;
}

static bool
parse_head(struct imap_session *s, struct imap_parse *p, struct head *h)
{
	*h =
	    (struct head){ .received = clock_s(store_env_of(s->store)->clock) };
	if (!imap_sp(p))
		return false;
	if (imap_peek(p, '(') &&
	    (!imap_flags(p, false, &h->flags) || !imap_sp(p)))
		return false;
	if (imap_peek(p, '"') &&
	    (!imap_date_time(p, &h->received) || !imap_sp(p)))
		return false;
	if (imap_word(p, "UTF8")) {
		if (!(s->enabled & IMAP_UTF8))
			return imap_wrong(p, "UTF8 is not enabled");
		if (!imap_sp(p) || !imap_char(p, '('))
			return imap_wrong(p, "expected UTF8 (");
		h->utf8 = true;
	}
	if (!h->utf8 && imap_word(p, "CATENATE")) {
		h->catenate = true;
		return (imap_sp(p) && imap_char(p, '(')) ||
		    imap_wrong(p, "expected CATENATE (");
	}
	/* RFC 6855, 4: what may be UTF-8 is a literal8. */
	if (!imap_char(p, '~') && h->utf8)
		return imap_wrong(p, "expected ~{");
	return imap_end(p);
}

/* ---- one message ---- */

/* Refuse before the client sends what we would not take. */
static enum imap_result
refuse(struct imap_session *s, struct imap_command *c,
    const struct appending *ap)
{
	uint64_t size = imap_reader_literal_size(&s->in), least;
	struct err e = ERR_INIT;
	enum store_code code;

	/* RFC 3502: so a client takes back what it has begun. */
	if (size == 0)
		return imap_no(c, NULL, "empty message");
	if (size > IMAP_APPEND_MAX)
		return imap_no(c, "TOOBIG", "message is larger than %llu bytes",
		    (unsigned long long)IMAP_APPEND_MAX);
	least = (size + 1) / 2; /* a line end may be stored as one byte */
	if (least <= ap->a->freed)
		return IMAP_OK;
	code = store_quota_check(ap->a->box.store, least - ap->a->freed, &e);
	return code == STORE_OK ? IMAP_OK : imap_store_failed(c, code, &e);
}

static int
take_piece(void *ctx, struct slice wire, struct err *e)
{
	struct taking *t = ctx;

	msgparse_push(t->parse, wire);
	return spool_add(t->spool, wire, e);
}

/* Take the literal into the spool, parsing as it passes. */
static int
take_literal(struct imap_session *s, struct taking *t, struct err *e)
{
	enum imap_read rc;
	struct slice piece;
	int failed = 0;

	imap_reader_continue(&s->in);
	while ((rc = imap_reader_literal(&s->in, &piece)) == IMAP_READ_OK &&
	    piece.n)
		if (!failed && take_piece(t, piece, e) < 0)
			failed = -1; /* read on: the client is sending */
	if (rc != IMAP_READ_OK)
		s->dead = true;
	return failed || s->dead ? -1 : 0;
}

/* The line behind a literal goes on as c->p. */
static enum imap_result
next_line(struct imap_session *s, struct imap_command *c, struct appending *ap)
{
	struct slice line;

	if (imap_reader_rest(&s->in, &line) != IMAP_READ_OK) {
		s->dead = true;
		return IMAP_ANSWERED;
	}
	ap->heads += line.n;
	if (ap->heads > HEADS_MAX)
		return imap_no(c, "LIMIT", "too much between the messages");
	c->p.sc = scan_of(arena_dup(s->arena, line));
	return IMAP_OK;
}

static enum imap_result
failed(struct imap_session *s, struct imap_command *c, const struct err *e)
{
	if (s->dead)
		return IMAP_ANSWERED;
	if (e->kind == ERR_LIMIT)
		return imap_no(c, "TOOBIG", "message is larger than %llu bytes",
		    (unsigned long long)IMAP_APPEND_MAX);
	return imap_store_failed(c, STORE_FAILED, e);
}

/* ---- CATENATE ---- */

/* The URL in the text, or the literal that follows it. */
static enum imap_result
take_url(struct imap_session *s, struct imap_command *c, struct appending *ap,
    struct slice *url_r)
{
	struct buf b = BUF_INIT(IMAP_LINE_MAX);
	enum imap_read rc;
	struct slice piece;

	if (!scan_end(&c->p.sc) || !s->in.literal)
		return imap_astring(&c->p, url_r) ? IMAP_OK : imap_bad_args(c);
	if (imap_reader_literal_size(&s->in) > IMAP_LINE_MAX)
		return imap_no(c, "TOOBIG", "URL is too long");
	imap_reader_continue(&s->in);
	while ((rc = imap_reader_literal(&s->in, &piece)) == IMAP_READ_OK &&
	    piece.n)
		buf_add(&b, piece);
	*url_r = arena_dup(s->arena, buf_slice(&b));
	ap->heads += b.n;
	buf_free(&b);
	if (rc != IMAP_READ_OK) {
		s->dead = true;
		return IMAP_ANSWERED;
	}
	return next_line(s, c, ap);
}

/* RFC 4469, 5: what a response code can hold. */
static enum imap_result
bad_url(struct imap_session *s, struct imap_command *c, struct slice url)
{
	char *text = arena_alloc(s->arena, url.n);

	for (size_t i = 0; i < url.n; i++) {
		unsigned char ch = (unsigned char)url.p[i];

		text[i] = ch < ' ' || ch >= 0x7f || ch == ']' || ch == '"' ||
			ch == '\\'
		    ? '?'
		    : url.p[i];
	}
	imap_no(c, NULL, "there is no such message, or part of it");
	imap_code(c, "BADURL \"%.*s\"", (int)url.n, text);
	return IMAP_NO;
}

static enum imap_result
catenate_url(struct imap_session *s, struct imap_command *c,
    struct appending *ap, struct taking *t)
{
	struct err e = ERR_INIT;
	struct slice url = SLICE_NULL;
	enum imap_result rc = take_url(s, c, ap, &url);
	int found;

	if (rc != IMAP_OK)
		return rc;
	found = imap_url_read(s, url, take_piece, t, &e);
	if (found == 0)
		return bad_url(s, c, url);
	return found < 0 ? failed(s, c, &e) : IMAP_OK;
}

static enum imap_result
catenate_text(struct imap_session *s, struct imap_command *c,
    struct appending *ap, struct taking *t)
{
	struct err e = ERR_INIT;

	imap_char(&c->p, '~');
	if (!scan_end(&c->p.sc) || !s->in.literal)
		return imap_bad(c, "expected literal behind TEXT");
	if (imap_reader_literal_size(&s->in) > IMAP_APPEND_MAX)
		return imap_no(c, "TOOBIG", "text is too large");
	if (take_literal(s, t, &e) < 0)
		return failed(s, c, &e);
	return next_line(s, c, ap);
}

/* "TEXT {42}" ... " URL /Drafts/;UID=20)" */
static enum imap_result
take_parts(struct imap_session *s, struct imap_command *c, struct appending *ap,
    struct taking *t)
{
	enum imap_result rc;
	bool url;

	do {
		url = imap_word(&c->p, "URL");
		if ((!url && !imap_word(&c->p, "TEXT")) || !imap_sp(&c->p))
			return imap_bad(c, "expected TEXT or URL");
		rc = url ? catenate_url(s, c, ap, t)
			 : catenate_text(s, c, ap, t);
	} while (rc == IMAP_OK && imap_char(&c->p, ' '));
	if (rc == IMAP_OK && !imap_char(&c->p, ')'))
		return imap_bad(c, "expected ) behind parts");
	return rc;
}

/* ---- each message ---- */

static enum imap_result
take_data(struct imap_session *s, struct imap_command *c, struct appending *ap,
    const struct head *h, struct taking *t)
{
	struct err e = ERR_INIT;
	enum imap_result rc;

	if (h->catenate)
		return take_parts(s, c, ap, t);
	if (!s->in.literal)
		return imap_bad_args(c);
	rc = refuse(s, c, ap);
	if (rc != IMAP_OK)
		return rc;
	if (take_literal(s, t, &e) < 0)
		return failed(s, c, &e);
	rc = next_line(s, c, ap);
	if (rc == IMAP_OK && h->utf8 && !imap_char(&c->p, ')'))
		return imap_bad(c, "expected ) after message");
	return rc;
}

/* The spool as a message. */
static enum imap_result
add_message(struct imap_command *c, struct appending *ap, const struct head *h,
    struct taking *t)
{
	struct mailbox_new message = {
		.spool = t->spool, .flags = h->flags, .received = h->received
	};
	struct err e = ERR_INIT;
	enum store_code code = STORE_FAILED;

	if (spool_wire_size(t->spool) == 0)
		return imap_no(c, NULL, "empty message");
	buf_reset(&ap->record);
	msgparse_finish(t->parse, &ap->record);
	message.record = buf_slice(&ap->record);
	if (spool_end(t->spool, &e) == 0)
		code = mailbox_adding_message(ap->adding, &message, &e);
	return code == STORE_OK ? IMAP_OK : imap_store_failed(c, code, &e);
}

static enum imap_result
take_message(struct imap_session *s, struct imap_command *c,
    struct appending *ap)
{
	struct taking t;
	enum imap_result rc;
	struct head h;

	if (!parse_head(s, &c->p, &h))
		return imap_bad_args(c);
	imap_allowed_flags(&h.flags, ap->a->box.rights);
	t.spool = spool_new(store_env_of(s->store), IMAP_APPEND_MAX);
	t.parse = msgparse_new(NULL);
	rc = take_data(s, c, ap, &h, &t);
	if (rc == IMAP_OK)
		rc = add_message(c, ap, &h, &t);
	msgparse_free(&t.parse);
	spool_free(&t.spool);
	return rc;
}

/* ---- all ---- */

static enum imap_result
take_all(struct imap_session *s, struct imap_command *c, struct appending *ap)
{
	enum imap_result rc;

	do {
		if (imap_over_limit((uint32_t)ap->n + 1))
			return imap_limit_refuse(c);
		rc = take_message(s, c, ap);
		ap->n++;
		if (rc != IMAP_OK || (scan_end(&c->p.sc) && !s->in.literal))
			return rc;
	} while (ap->a->many);
	return imap_bad(c, "unexpected text after message");
}

static enum imap_result
open_target(struct imap_session *s, struct imap_command *c,
    struct appending *ap)
{
	struct err e = ERR_INIT;
	int rc = 1;

	ap->mb = s->mb;
	if (!imap_is_selected(s, &ap->a->box)) {
		ap->mb = NULL;
		rc = mailbox_open(&ap->mb, ap->a->box.store, ap->a->box.name,
		    &e);
	}
	if (rc < 0)
		return imap_store_failed(c, STORE_FAILED, &e);
	if (rc == 0)
		return imap_no(c, "TRYCREATE", "no such mailbox");
	ap->adding = mailbox_adding_new(ap->mb, ap->a->freed, s->arena);
	return IMAP_OK;
}

/* RFC 5465, 5: this client knows. */
static void
added(struct imap_session *s, const struct appending *ap,
    const struct mailbox_new_result *r)
{
	if (ap->mb == s->mb) {
		s->added = r->uids;
		s->nadded = ap->n;
	} else
		imap_notify_own_messages(s, ap->a->box.full, r->uidvalidity,
		    r->uids, ap->n);
}

enum imap_result
imap_append(struct imap_session *s, struct imap_command *c,
    const struct imap_append *a, struct mailbox_new_result *result_r,
    size_t *n_r)
{
	struct appending ap = { .a = a, .record = BUF_INIT(MSGREC_MAX) };
	enum imap_result rc = open_target(s, c, &ap);
	struct err e = ERR_INIT;
	enum store_code code;

	if (rc == IMAP_OK)
		rc = take_all(s, c, &ap);
	if (rc == IMAP_OK) {
		code = mailbox_adding_commit(ap.adding, result_r, &e);
		if (code == STORE_OK)
			added(s, &ap, result_r);
		else
			rc = imap_store_failed(c, code, &e);
	} else if (ap.adding)
		mailbox_adding_abort(ap.adding);
	if (ap.mb != s->mb)
		mailbox_close(&ap.mb);
	buf_free(&ap.record);
	*n_r = ap.n;
	return rc;
}
