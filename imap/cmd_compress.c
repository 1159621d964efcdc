/* COMPRESS (RFC 4978). With TLS the front goes on as before: what it relays is
 * compressed here. */
#include "imap/imap.h"

enum imap_result
imap_cmd_compress(struct imap_session *s, struct imap_command *c)
{
	struct slice method;

	if (!imap_sp(&c->p) || !imap_atom(&c->p, &method) || !imap_end(&c->p))
		return imap_bad_args(c);
	if (!slice_isi(method, "DEFLATE"))
		return imap_no(c, "CANNOT", "DEFLATE is the only method");
	if (conn_is_deflated(s->in.conn))
		return imap_no(c, "COMPRESSIONACTIVE", "DEFLATE is active");
	imap_updates(s, true);
	buf_add(&s->out, c->tag);
	buf_addz(&s->out, " OK COMPRESS DEFLATE is active\r\n");
	imap_flush(s);
	/* RFC 4978, 3: compressed is what follows this line, both ways. */
	if (!s->dead)
		conn_deflate(s->in.conn);
	return IMAP_ANSWERED;
}
