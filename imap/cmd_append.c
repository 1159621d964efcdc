/*
 * APPEND (RFC 9051, 6.3.12): literals, literal8 (RFC 3516), UTF8 (RFC 6855).
 *
 * The reader stops before the literal with the message, so that its bytes go
 * straight into the spool and memory does not grow with it.
 */
#include "base/clock.h"
#include "imap/imap.h"
#include "message/parse.h"
#include "message/record.h"

struct append {
	struct slice mailbox;
	struct store_flags flags;
	int64_t received;
	bool utf8; /* "UTF8 (" literal8 ")" */
};

/* What stands before the literal. */
static bool
append_head(struct imap_session *s, struct imap_parse *p, struct append *a)
{
	a->received = clock_s(store_env_of(s->store)->clock);
	if (!imap_sp(p) || !imap_mailbox(p, &a->mailbox) || !imap_sp(p))
		return false;
	if (imap_peek(p, '(') &&
	    (!imap_flags(p, false, &a->flags) || !imap_sp(p)))
		return false;
	if (imap_peek(p, '"') &&
	    (!imap_date_time(p, &a->received) || !imap_sp(p)))
		return false;
	if (imap_word(p, "UTF8")) {
		if (!(s->enabled & IMAP_UTF8))
			return imap_wrong(p, "UTF8 is not enabled");
		if (!imap_sp(p) || !imap_char(p, '('))
			return imap_wrong(p, "expected UTF8 (");
		a->utf8 = true;
	}
	/* RFC 6855, 4: what may be UTF-8 is a literal8. */
	if (!imap_char(p, '~') && a->utf8)
		return imap_wrong(p, "expected ~{");
	return imap_end(p);
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

/* What stands behind it: nothing, or the end of "UTF8 (". */
static bool
take_tail(struct imap_session *s, const struct append *a)
{
	struct slice line;

	if (imap_reader_rest(&s->in, &line) != IMAP_READ_OK) {
		s->dead = true;
		return false;
	}
	return !s->in.literal && (a->utf8 ? slice_is(line, ")") : line.n == 0);
}

static enum imap_result
append_store(struct imap_session *s, struct imap_command *c,
    const struct append *a, struct spool *spool, struct slice record)
{
	struct mailbox_new message = { .spool = spool,
		.record = record,
		.flags = a->flags,
		.received = a->received };
	struct mailbox_new_result result;
	struct mailbox *mb = s->mb;
	struct err e = ERR_INIT;
	enum store_code code;
	int rc = 1;

	if (!mb || !slice_eq(mailbox_name(mb), a->mailbox)) {
		mb = NULL;
		rc = mailbox_open(&mb, s->store, a->mailbox, &e);
	}
	if (rc < 0)
		return imap_store_failed(c, STORE_FAILED, &e);
	if (rc == 0)
		return imap_no(c, "TRYCREATE", "no such mailbox");
	code = mailbox_add(mb, &message, 1, s->arena, &result, &e);
	if (mb != s->mb)
		mailbox_close(&mb);
	if (code != STORE_OK)
		return imap_store_failed(c, code, &e);
	imap_code(c, "APPENDUID %u %u", result.uidvalidity, result.uids[0]);
	return IMAP_OK;
}

/* Refuse before the client sends what we would not take. */
static enum imap_result
append_refuse(struct imap_session *s, struct imap_command *c,
    const struct append *a)
{
	struct store_mailbox mb;
	struct err e = ERR_INIT;
	uint64_t size = imap_reader_literal_size(&s->in);
	enum store_code code;
	int rc;

	if (size == 0)
		return imap_no(c, NULL, "empty message");
	if (size > IMAP_APPEND_MAX)
		return imap_no(c, "TOOBIG", "message is larger than %llu bytes",
		    (unsigned long long)IMAP_APPEND_MAX);
	rc = store_find(s->store, a->mailbox, s->arena, &mb, &e);
	if (rc < 0)
		return imap_store_failed(c, STORE_FAILED, &e);
	if (rc == 0 || !mb.exists)
		return imap_no(c, "TRYCREATE", "no such mailbox");
	/* A line end may be stored as one byte. */
	code = store_quota_check(s->store, (size + 1) / 2, &e);
	return code == STORE_OK ? IMAP_OK : imap_store_failed(c, code, &e);
}

enum imap_result
imap_cmd_append(struct imap_session *s, struct imap_command *c)
{
	struct append a = { 0 };
	struct buf record = BUF_INIT(MSGREC_MAX);
	struct err e = ERR_INIT;
	struct msgparse *parse;
	struct spool *spool;
	enum imap_result rc;
	int stored;

	if (!imap_reader_has_literal(&s->in) || !append_head(s, &c->p, &a))
		return imap_bad_args(c);
	rc = append_refuse(s, c, &a);
	if (rc != IMAP_OK)
		return rc;
	spool = spool_new(store_env_of(s->store), 0);
	parse = msgparse_new(NULL);
	stored = take_literal(s, spool, parse, &e);
	if (s->dead)
		rc = IMAP_ANSWERED;
	else if (!take_tail(s, &a))
		rc = imap_bad(c, "unexpected text after message");
	else if (stored < 0)
		rc = imap_store_failed(c, STORE_FAILED, &e);
	else {
		msgparse_finish(parse, &record);
		rc = append_store(s, c, &a, spool, buf_slice(&record));
	}
	buf_free(&record);
	msgparse_free(&parse);
	spool_free(&spool);
	return rc;
}
