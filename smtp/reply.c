/* reply - answers of the server (RFC 5321, 4.2; RFC 2034). */
#include <stdarg.h>
#include <string.h>

#include "base/log.h"
#include "smtp/front.h"

#define LINE_OCTETS 510  /* RFC 5321, 4.5.3.1.5, without CRLF */
#define BREAK_COLUMN 400 /* a long line is broken at a space behind this */

/* "550-5.1.1 ..." lines of text, broken where too long. */
static void
put(struct smtp_front *f, int code, const char *enhanced, struct slice text,
    bool last)
{
	char head[32];
	int n;

	for (;;) {
		struct slice line = text;
		size_t room = LINE_OCTETS - 4 - strlen(enhanced) - 1;
		bool more = text.n > room;
		if (more) {
			ssize_t space = slice_chr(slice_sub(text, BREAK_COLUMN,
			    room), ' ');
			line.n = space < 0 ? room
					   : BREAK_COLUMN + (size_t)space + 1;
		}
		text = slice_skip(text, line.n);
		n = snprintf(head, sizeof(head), "%d%c%s%s", code,
		    more || !last ? '-' : ' ', enhanced, *enhanced ? " " : "");
		conn_write(f->conn, slice_of(head, (size_t)n));
		conn_write(f->conn, line);
		conn_writez(f->conn, "\r\n");
		log_trace(SMTP_TOPIC, LOG_TRACE, '>', line);
		if (!more)
			return;
	}
}

void
smtp_reply(struct smtp_front *f, int code, const char *enhanced,
    const char *fmt, ...)
{
	struct slice text;
	va_list ap;

	va_start(ap, fmt);
	text = arena_vprintf(f->arena, fmt, ap);
	va_end(ap);
	if (code >= 400 && f->login.hello.id[0])
		text = arena_printf(f->arena, "%.*s (%s)", SLICE_FMT(text),
		    f->login.hello.id);
	put(f, code, enhanced ? enhanced : "", text, true);
}

void
smtp_reply_line(struct smtp_front *f, int code, bool last, const char *fmt,
    ...)
{
	struct slice text;
	va_list ap;

	va_start(ap, fmt);
	text = arena_vprintf(f->arena, fmt, ap);
	va_end(ap);
	put(f, code, "", text, last);
}

void
smtp_reply_refusal(struct smtp_front *f, const struct smtp_refusal *why)
{
	smtp_reply(f, why->code, why->enhanced, "%s", why->text);
}

void
smtp_reply_verdict(struct smtp_front *f, const struct smtp_verdict *v,
    struct slice text)
{
	smtp_reply(f, v->code, v->enhanced, "%.*s", SLICE_FMT(text));
	if (v->slow)
		conn_set_slow(f->conn, true);
	if (v->close)
		f->done = true;
}
