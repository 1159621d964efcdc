/*
 * DATA and BDAT (RFC 5321, 4.1.1.4; RFC 3030): bytes to the back as they
 * come, parsed as they pass.
 */
#include "base/clock.h"
#include "base/log.h"
#include "message/record.h"
#include "smtp/front.h"

/* ---- a message's bytes ---- */

/* Both begin with the back's consent. False: answered. */
static bool
begin_data(struct smtp_front *f)
{
	struct smtp_verdict verdict;
	struct slice text;

	if (!f->mail || f->rcpts == 0) {
		smtp_reply(f, f->mail ? 554 : 503, "5.5.1",
		    f->mail ? "no valid recipients" : "say MAIL first");
		return false;
	}
	if (!smtp_ask(f, SMTP_REQ_DATA, NULL, 0, &verdict, &text))
		return false;
	if (verdict.code >= 400) {
		smtp_reply_verdict(f, &verdict, text);
		return false;
	}
	f->parse = msgparse_new(NULL);
	f->verify = verdict.verify
	    ? smtp_verify_new(f->login.split, verdict.seal)
	    : NULL;
	f->pass = verdict.pass;
	f->size = 0;
	f->head = (struct buf)BUF_INIT(SMTP_HEAD_MAX);
	f->body_seen = 2; /* the message may begin with its body */
	f->data_end_ms = clock_mono_ms(NULL) + SMTP_DATA_MS;
	return true;
}

/* Look for the empty line behind the header. */
static void
see_body(struct smtp_front *f, struct slice bytes)
{
	size_t i = 0;

	for (; i < bytes.n && f->body_seen < 4; i++)
		if (bytes.p[i] == "\r\n\r\n"[f->body_seen])
			f->body_seen++;
		else
			f->body_seen = bytes.p[i] == '\r';
	if (f->submission || f->pass)
		buf_add(&f->head, slice_head(bytes, i));
}

static bool
tell_pieces(struct smtp_front *f, enum smtp_request type, struct slice bytes)
{
	while (bytes.n) {
		struct slice piece = slice_head(bytes, SMTP_CHUNK_MAX);
		if (!smtp_tell(f, type, &piece, 1))
			return false;
		bytes = slice_skip(bytes, piece.n);
	}
	return true;
}

/* Bytes of the message go to the parser and the back; of one that is too
 * large no more than is needed to know. */
static bool
pass_on(struct smtp_front *f, struct slice bytes)
{
	log_trace(SMTP_TOPIC, LOG_TRACEDATA, '<', bytes);
	f->size += bytes.n;
	if (f->size > f->max_size)
		return true;
	see_body(f, bytes);
	msgparse_push(f->parse, bytes);
	if (f->verify)
		smtp_verify_push(f->verify, bytes);
	return tell_pieces(f, SMTP_REQ_CHUNK, bytes);
}

/* Wait for bytes; false: the connection is over. */
static bool
more_bytes(struct smtp_front *f)
{
	enum conn_status status = CONN_TIMEOUT;

	if (conn_buffered(f->conn).n)
		return true;
	if (conn_flush(f->conn) != CONN_OK)
		status = CONN_ERROR;
	else if (clock_mono_ms(NULL) < f->data_end_ms)
		status = conn_fill(f->conn, 1);
	if (status != CONN_OK)
		smtp_read_failed(f, status);
	return status == CONN_OK;
}

static void
too_large(struct smtp_front *f)
{
	smtp_reply(f, 552, f->max_size < SMTP_BIG ? "5.2.3" : "5.3.4",
	    "message too large");
}

/* Tell what was found of its signatures. */
static bool
tell_verified(struct smtp_front *f)
{
	struct err e = ERR_INIT;

	if (!f->verify || smtp_verify_finish(f->verify, &e) == 0)
		return true;
	smtp_lost(f, &e);
	return false;
}

/* All bytes are there: have it delivered. */
static void
deliver(struct smtp_front *f)
{
	struct buf record = BUF_INIT(MSGREC_MAX);
	struct buf lines = BUF_INIT(SMTP_EXTRAS_MAX);
	struct smtp_fields fields = { .too_long = f->head.over };
	struct slice v[2] = { SPLIT_OF(fields), SLICE_NULL };
	struct smtp_verdict verdict;
	struct slice text;

	msgparse_finish(f->parse, &record);
	if (f->submission && !f->head.over)
		smtp_find_fields(buf_slice(&f->head), &fields, &lines);
	else if (f->pass && !f->head.over)
		smtp_find_hops(buf_slice(&f->head), &fields, &lines);
	v[1] = buf_slice(&lines);
	if (tell_pieces(f, SMTP_REQ_RECORD, buf_slice(&record)) &&
	    tell_verified(f) &&
	    smtp_ask(f, SMTP_REQ_DELIVER, v, f->submission || f->pass ? 2 : 0,
		&verdict, &text))
		smtp_reply_verdict(f, &verdict, text);
	buf_free(&record);
	buf_free(&lines);
	smtp_reset(f);
}

static void
end_data(struct smtp_front *f, bool bare)
{
	if (bare)
		smtp_reply(f, 500, "5.5.2",
		    "bare carriage return or line feed:"
		    " looks like smtp smuggling");
	else if (f->size > f->max_size)
		too_large(f);
	else if (f->submission && f->body_seen < 4)
		smtp_reply(f, 554, "5.6.0",
		    "message needs a header and a body");
	else {
		deliver(f);
		return;
	}
	smtp_reset_all(f);
}

/* ---- DATA ---- */

void
smtp_cmd_data(struct smtp_front *f, struct slice args)
{
	struct smtp_data d = SMTP_DATA_INIT;
	struct buf text = BUF_INIT(2 * CONN_BUFFER);

	(void)args;
	if (f->mail && f->params.body == SMTP_BODY_BINARYMIME) {
		/* RFC 3030, 3 */
		smtp_reply(f, 503, "5.5.1", "BINARYMIME needs BDAT");
		return;
	}
	if (!begin_data(f))
		return;
	smtp_reply(f, 354, NULL, "go on, end with <CRLF>.<CRLF>");
	while (d.state != DATA_END && more_bytes(f)) {
		struct slice in = conn_buffered(f->conn);
		conn_consume(f->conn, smtp_data_push(&d, in, &text));
		if (!pass_on(f, buf_slice(&text)))
			break;
		buf_reset(&text);
	}
	buf_free(&text);
	if (!f->done)
		end_data(f, d.bare);
}

/* ---- BDAT ---- */

/* The next bytes of a chunk, at least one. False: the connection is over. */
static bool
next_of_chunk(struct smtp_front *f, uint64_t *left, struct slice *bytes_r)
{
	if (!more_bytes(f))
		return false;
	*bytes_r = conn_buffered(f->conn);
	if (bytes_r->n > *left)
		bytes_r->n = (size_t)*left;
	*left -= bytes_r->n;
	conn_consume(f->conn, bytes_r->n); /* they stay until the next read */
	return true;
}

/* Pass over a chunk that is not wanted: it comes in any case (RFC 3030, 2). A
 * long one is not worth the wait. */
static void
discard_chunk(struct smtp_front *f, uint64_t left)
{
	struct slice bytes;

	f->data_end_ms = clock_mono_ms(NULL) + SMTP_DATA_MS;
	f->done |= left > f->max_size;
	while (left && !f->done && next_of_chunk(f, &left, &bytes))
		continue;
}

void
smtp_cmd_bdat(struct smtp_front *f, struct slice args)
{
	uint64_t size, left;
	struct slice bytes;
	bool last;

	if (!smtp_bdat_args(args, &size, &last)) {
		/* How much follows is not known. */
		smtp_reply(f, 501, "5.5.4", "syntax: BDAT size [LAST]");
		f->done = true;
		return;
	}
	if (!f->bdat && !begin_data(f)) {
		discard_chunk(f, size);
		return;
	}
	f->bdat = true;
	left = size;
	while (left && !f->done && next_of_chunk(f, &left, &bytes))
		if (!pass_on(f, bytes))
			return;
	if (f->done)
		return;
	if (last)
		end_data(f, false);
	else if (f->size <= f->max_size)
		smtp_reply(f, 250, "2.0.0", "%llu octets received",
		    (unsigned long long)size);
	else {
		too_large(f);
		smtp_reset_all(f);
	}
}
