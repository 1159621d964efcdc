/*
 * UNAUTHENTICATE (RFC 8437): the session ends, its connection is one where
 * nobody has logged in. What this process may reach cannot grow again, so
 * another one goes on, as with a new connection; it writes the answer.
 */
#include "imap/imap.h"
#include "service/service.h"

enum imap_result
imap_cmd_unauthenticate(struct imap_session *s, struct imap_command *c)
{
	struct buf text = BUF_INIT(IMAP_LINE_MAX + 100);

	if (!imap_end(&c->p))
		return imap_bad_args(c);
	if (!s->client || !service_can_park(s->client))
		return imap_no(c, "CANNOT", "not on this connection");
	/* It would have to end here and at the client at the same byte. */
	if (conn_is_deflated(s->in.conn))
		return imap_no(c, "CANNOT", "not with COMPRESS");
	if (s->mb)
		imap_unselect(s); /* nothing is expunged */
	imap_flush(s);
	if (s->dead)
		return IMAP_ANSWERED;
	buf_add(&text, c->tag);
	buf_addz(&text, " OK UNAUTHENTICATE nobody is logged in\r\n");
	service_restart(s->client, conn_read_fd(s->in.conn), buf_slice(&text),
	    conn_buffered(s->in.conn));
	buf_free(&text);
	imap_line(s, "BYE cannot begin again, please come back");
	s->logout = true;
	return imap_no(c, "UNAVAILABLE", "cannot begin again");
}
