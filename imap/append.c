/* append - messages of APPEND (RFC 9051, 6.3.12; RFC 3502), literals and
 * literal8 (RFC 3516), UTF8 (RFC 6855). */
#include "imap/append.h"

#include "base/clock.h"
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
	bool utf8; /* "UTF8 (" literal8 ")" */
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
	code = store_quota_check(s->store, least - ap->a->freed, &e);
	return code == STORE_OK ? IMAP_OK : imap_store_failed(c, code, &e);
}

/* Take the literal into the spool, parsing as it passes. */
static int
take_literal(struct imap_session *s, struct spool *spool,
    struct msgparse *parse, struct err *e)
{
	enum imap_read rc;
	struct slice piece;
	int failed = 0;

	imap_reader_continue(&s->in);
	while ((rc = imap_reader_literal(&s->in, &piece)) == IMAP_READ_OK &&
	    piece.n) {
		msgparse_push(parse, piece);
		if (!failed && spool_add(spool, piece, e) < 0)
			failed = -1; /* read on: the client is sending */
	}
	if (rc != IMAP_READ_OK)
		s->dead = true;
	return failed || s->dead ? -1 : spool_end(spool, e);
}

static enum imap_result
take_message(struct imap_session *s, struct imap_command *c,
    struct appending *ap, const struct head *h)
{
	struct spool *spool = spool_new(store_env_of(s->store), 0);
	struct msgparse *parse = msgparse_new(NULL);
	struct mailbox_new message = {
		.spool = spool, .flags = h->flags, .received = h->received
	};
	struct err e = ERR_INIT;
	enum store_code code = STORE_FAILED;

	if (take_literal(s, spool, parse, &e) == 0) {
		buf_reset(&ap->record);
		msgparse_finish(parse, &ap->record);
		message.record = buf_slice(&ap->record);
		code = mailbox_adding_message(ap->adding, &message, &e);
	}
	msgparse_free(&parse);
	spool_free(&spool);
	if (s->dead)
		return IMAP_ANSWERED;
	return code == STORE_OK ? IMAP_OK : imap_store_failed(c, code, &e);
}

/*
 * What stands behind the literal, but the end of "UTF8 (": nothing, or the head
 * of the next one, which then is in c->p.
 */
static enum imap_result
take_tail(struct imap_session *s, struct imap_command *c, struct appending *ap,
    const struct head *h, bool *more_r)
{
	struct slice line;

	if (imap_reader_rest(&s->in, &line) != IMAP_READ_OK) {
		s->dead = true;
		return IMAP_ANSWERED;
	}
	if (h->utf8 && !slice_starts(line, SLICE(")")))
		return imap_bad(c, "expected ) after message");
	line = slice_skip(line, h->utf8);
	*more_r = ap->a->many && s->in.literal;
	if (!*more_r)
		return line.n == 0 && !s->in.literal
		    ? IMAP_OK
		    : imap_bad(c, "unexpected text after message");
	ap->heads += line.n;
	if (ap->heads > HEADS_MAX)
		return imap_no(c, "LIMIT", "too many flags in one command");
	c->p.sc = scan_of(arena_dup(s->arena, line));
	return IMAP_OK;
}

/* ---- all ---- */

static enum imap_result
take_all(struct imap_session *s, struct imap_command *c, struct appending *ap)
{
	bool more = true;
	enum imap_result rc = IMAP_OK;
	struct head h;

	while (rc == IMAP_OK && more) {
		if (!imap_reader_has_literal(&s->in) ||
		    !parse_head(s, &c->p, &h))
			return imap_bad_args(c);
		rc = refuse(s, c, ap);
		if (rc == IMAP_OK)
			rc = take_message(s, c, ap, &h);
		if (rc == IMAP_OK)
			rc = take_tail(s, c, ap, &h, &more);
		ap->n++;
	}
	return rc;
}

static enum imap_result
open_target(struct imap_session *s, struct imap_command *c,
    struct appending *ap)
{
	struct err e = ERR_INIT;
	int rc = 1;

	ap->mb = s->mb;
	if (!ap->mb || !slice_eq(mailbox_name(ap->mb), ap->a->mailbox)) {
		ap->mb = NULL;
		rc = mailbox_open(&ap->mb, s->store, ap->a->mailbox, &e);
	}
	if (rc < 0)
		return imap_store_failed(c, STORE_FAILED, &e);
	if (rc == 0)
		return imap_no(c, "TRYCREATE", "no such mailbox");
	ap->adding = mailbox_adding_new(ap->mb, ap->a->freed, s->arena);
	return IMAP_OK;
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
		if (code != STORE_OK)
			rc = imap_store_failed(c, code, &e);
	} else if (ap.adding)
		mailbox_adding_abort(ap.adding);
	if (ap.mb != s->mb)
		mailbox_close(&ap.mb);
	buf_free(&ap.record);
	*n_r = ap.n;
	return rc;
}
