/*
 * UNAUTHENTICATE (RFC 8437): the session ends, its connection is one where
 * nobody has logged in. What this process may reach cannot grow again, so
 * another one goes on, as with a new connection; it writes the answer.
 */
#include "imap/imap.h"
#include "service/service.h"

#define END_MS 10000 /* for the end of compressed data, which is under way */

/*
 * RFC 8437, 4.1: what the client compresses ends with this command, what the
 * server does with the answer. What it said after that is plain.
 */
static bool
end_compression(struct imap_session *s, struct buf *text)
{
	struct buf plain = *text;

	if (!conn_is_deflated(s->in.conn))
		return true;
	if (conn_inflate_end(s->in.conn, END_MS) != CONN_OK)
		return false;
	*text = (struct buf)BUF_INIT(2 * IMAP_LINE_MAX);
	conn_deflate_last(s->in.conn, buf_slice(&plain), text);
	buf_free(&plain);
	return true;
}

/* NO is no answer to it (RFC 8437, 3): who may have it gets it, or BYE. */
enum imap_result
imap_cmd_unauthenticate(struct imap_session *s, struct imap_command *c)
{
	struct buf text = BUF_INIT(IMAP_LINE_MAX + 100);

	if (!imap_end(&c->p))
		return imap_bad_args(c);
	if (!s->client || !service_can_park(s->client) ||
	    imap_disabled(s, SLICE("UNAUTHENTICATE")))
		return imap_bad(c, "not on this connection");
	if (s->mb)
		imap_unselect(s); /* nothing is expunged */
	imap_flush(s);
	if (s->dead)
		return IMAP_ANSWERED;
	buf_add(&text, c->tag);
	buf_addz(&text, " OK UNAUTHENTICATE nobody is logged in\r\n");
	if (end_compression(s, &text))
		service_restart(s->client, conn_read_fd(s->in.conn),
		    buf_slice(&text), conn_buffered(s->in.conn));
	buf_free(&text);
	imap_line(s, "BYE cannot begin again, please come back");
	s->logout = true;
	return IMAP_ANSWERED;
}
