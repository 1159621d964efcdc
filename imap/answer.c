/* answer - results of commands and untagged lines. */
#include <stdarg.h>

#include "base/log.h"
#include "imap/imap.h"

static struct slice
format(struct imap_command *c, const char *fmt, va_list ap)
{
	return arena_vprintf(c->p.arena, fmt, ap);
}

enum imap_result
imap_no(struct imap_command *c, const char *code, const char *fmt, ...)
{
	va_list ap;

	c->code = slice_str(code);
	va_start(ap, fmt);
	c->text = format(c, fmt, ap);
	va_end(ap);
	return IMAP_NO;
}

enum imap_result
imap_bad(struct imap_command *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	c->text = format(c, fmt, ap);
	va_end(ap);
	return IMAP_BAD;
}

enum imap_result
imap_bad_args(struct imap_command *c)
{
	const char *wrong = c->p.wrong ? c->p.wrong : "bad arguments";

	/* RFC 9586, 3.2 has BAD for it. */
	if (c->p.code && slice_is(slice_str(c->p.code), "UIDREQUIRED")) {
		imap_code(c, "UIDREQUIRED");
		return imap_bad(c, "%s", wrong);
	}
	if (c->p.code)
		return imap_no(c, c->p.code, "%s", wrong);
	return imap_bad(c, "unrecognized syntax/command: %s", wrong);
}

enum imap_result
imap_store_failed(struct imap_command *c, enum store_code code,
    const struct err *e)
{
	switch (code) {
	case STORE_EXISTS:
		return imap_no(c, "ALREADYEXISTS", "mailbox already exists");
	case STORE_NONEXISTENT:
		return imap_no(c, "NONEXISTENT", "no such mailbox");
	case STORE_HASCHILDREN:
		return imap_no(c, "HASCHILDREN", "mailbox has children");
	case STORE_CANNOT:
		return imap_no(c, "CANNOT", "%s",
		    e->text[0] ? e->text : "not allowed");
	case STORE_OVERQUOTA:
		return imap_no(c, "OVERQUOTA", "account is over quota");
	case STORE_OK:
	case STORE_FAILED:
		break;
	}
	log_line("imapserver", LOG_ERROR, "command failed",
	    LOG_S("cmd", c->name), LOG_E(e));
	/* RFC 5530: limits are the client's, the rest passes or is ours. */
	return imap_no(c,
	    e->kind == ERR_LIMIT      ? "LIMIT"
		: e->kind == ERR_TEMP ? "UNAVAILABLE"
				      : "SERVERBUG",
	    "%s", e->text);
}

void
imap_code(struct imap_command *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	c->code = format(c, fmt, ap);
	va_end(ap);
}

void
imap_line(struct imap_session *s, const char *fmt, ...)
{
	va_list ap;

	buf_addz(&s->out, "* ");
	va_start(ap, fmt);
	buf_addv(&s->out, fmt, ap);
	va_end(ap);
	buf_addz(&s->out, "\r\n");
}

void
imap_flush_large(struct imap_session *s)
{
	if (s->out.n >= IMAP_OUT_LARGE)
		imap_flush(s);
}

void
imap_flush(struct imap_session *s)
{
	/* Over: something larger than any answer; what is there makes no
	 * sense. */
	if (!s->dead && imap_reader_flush(&s->in) < 0)
		s->dead = true;
	buf_reset(&s->out);
}
