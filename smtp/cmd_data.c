/*
 * DATA and BDAT (RFC 5321, 4.1.1.4; RFC 3030): bytes to the back as they
 * come, parsed as they pass.
 */
#include "base/clock.h"
#include "message/header.h"
#include "message/record.h"
#include "smtp/front.h"
#include "smtp/smtpd.h"

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
	f->size = 0;
	f->header_done = !f->submission;
	f->data_deadline_ms = clock_mono_ms(NULL) + SMTP_DATA_MS;
	return true;
}

/* Keep the header of a submitted message, to see what it lacks. */
static void
keep_header(struct smtp_front *f, struct slice bytes)
{
	if (f->header_done)
		return;
	buf_add(&f->header, slice_head(bytes,
	    SMTP_HEADER_LOOK - f->header.n));
	f->header_done = f->header.n == SMTP_HEADER_LOOK ||
	    slice_find(buf_slice(&f->header), SLICE("\r\n\r\n")) >= 0;
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
	f->size += bytes.n;
	if (f->size > f->max_size)
		return true;
	keep_header(f, bytes);
	msgparse_push(f->parse, bytes);
	return tell_pieces(f, SMTP_REQ_CHUNK, bytes);
}

/* Wait for bytes; false: the connection is over. */
static bool
more_bytes(struct smtp_front *f)
{
	enum conn_status status = CONN_TIMEOUT;

	if (conn_buffered(f->conn).n)
		return true;
	if (clock_mono_ms(NULL) < f->data_deadline_ms)
		status = conn_fill(f->conn, 1);
	if (status == CONN_OK)
		return true;
	smtp_read_failed(f, status);
	return false;
}

/* What is wrong with the message itself; false: answered. */
static bool
acceptable(struct smtp_front *f, struct slice record, bool bare)
{
	unsigned flags = msgrec_flags(record);

	if (bare)
		smtp_reply(f, 500, "5.5.2", "bare carriage return or line feed:"
		    " looks like smtp smuggling");
	else if (f->size > f->max_size)
		smtp_reply(f, 552, "5.3.4", "message too large");
	else if (flags & MSGREC_8BIT_HEADER && !f->params.smtputf8 &&
	    f->pedantic)
		smtp_reply(f, 554, "5.6.7", "8-bit header needs SMTPUTF8");
	else
		return true;
	return false;
}

/* All bytes are there: have it delivered. */
static void
deliver(struct smtp_front *f, bool bare)
{
	struct smtp_deliver d = { 0 };
	struct buf record = BUF_INIT(MSGREC_MAX);
	struct header_field field;
	struct smtp_verdict verdict;
	struct slice text, v = SPLIT_OF(d);
	bool ok = false;

	msgparse_finish(f->parse, &record);
	if (!acceptable(f, buf_slice(&record), bare)) {
		smtp_tell(f, SMTP_REQ_RSET, NULL, 0);
		goto out;
	}
	if (f->submission) {
		struct slice header = buf_slice(&f->header);
		d.no_message_id = !header_find(header, "Message-Id", &field);
		d.no_date = !header_find(header, "Date", &field);
	}
	if (tell_pieces(f, SMTP_REQ_RECORD, buf_slice(&record)) &&
	    smtp_ask(f, SMTP_REQ_DELIVER, &v, 1, &verdict, &text)) {
		ok = verdict.code < 300;
		smtp_reply_verdict(f, &verdict, text);
	}
out:
	smtp_count(f, ok);
	buf_free(&record);
	smtp_reset(f);
}

/* ---- DATA ---- */

void
smtp_cmd_data(struct smtp_front *f, struct slice args)
{
	struct smtp_data d = SMTP_DATA_INIT;
	struct buf text = BUF_INIT(2 * CONN_BUFFER);

	(void)args;
	if (f->params.body == SMTP_BODY_BINARYMIME && f->mail) {
		/* RFC 3030, 3 */
		smtp_reply(f, 503, "5.5.1", "BINARYMIME needs BDAT");
		return;
	}
	if (!begin_data(f))
		return;
	smtp_reply(f, 354, NULL, "go on, end with <CRLF>.<CRLF>");
	if (conn_flush(f->conn) != CONN_OK)
		f->done = true;
	while (!f->done && d.state != DATA_END && more_bytes(f)) {
		struct slice in = conn_buffered(f->conn);
		size_t used = smtp_data_push(&d, in, &text);
		conn_consume(f->conn, used);
		if (!pass_on(f, buf_slice(&text)))
			break;
		buf_reset(&text);
	}
	buf_free(&text);
	if (!f->done)
		deliver(f, d.bare);
}

/* ---- BDAT ---- */

/* Take the bytes of a chunk that is not wanted, or end the connection when
 * that would be long (RFC 3030, 2: they come in any case). */
static void
discard_chunk(struct smtp_front *f, uint64_t size)
{
	f->data_deadline_ms = clock_mono_ms(NULL) + SMTP_DATA_MS;
	if (size > f->max_size) {
		f->done = true;
		return;
	}
	while (size && more_bytes(f)) {
		struct slice in = slice_head(conn_buffered(f->conn),
		    size < CONN_BUFFER ? (size_t)size : CONN_BUFFER);
		conn_consume(f->conn, in.n);
		size -= in.n;
	}
}

static void
take_chunk(struct smtp_front *f, uint64_t size)
{
	while (size && !f->done && more_bytes(f)) {
		struct slice in = slice_head(conn_buffered(f->conn),
		    size < CONN_BUFFER ? (size_t)size : CONN_BUFFER);
		if (!pass_on(f, in))
			return;
		conn_consume(f->conn, in.n);
		size -= in.n;
	}
}

void
smtp_cmd_bdat(struct smtp_front *f, struct slice args)
{
	uint64_t size;
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
	take_chunk(f, size);
	if (f->done)
		return;
	if (f->size > f->max_size) {
		smtp_reply(f, 552, "5.3.4", "message too large");
		smtp_reset_all(f);
		smtp_count(f, false);
	} else if (last)
		deliver(f, false);
	else
		smtp_reply(f, 250, "2.0.0", "%llu octets received",
		    (unsigned long long)size);
}
