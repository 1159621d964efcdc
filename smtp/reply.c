/* reply - answers of the server (RFC 5321, 4.2; RFC 2034). */
#include <stdarg.h>
#include <string.h>

#include "base/log.h"
#include "smtp/front.h"

#define LINE_OCTETS 510  /* RFC 5321, 4.5.3.1.5, without CRLF */
#define BREAK_COLUMN 400 /* a long line is broken at a space behind this */

static void
put_line(struct smtp_front *f, int code, char more, const char *enhanced,
    struct slice text)
{
	struct slice line = arena_printf(f->arena, "%d%c%s%s%.*s", code, more,
	    enhanced, *enhanced ? " " : "", SLICE_FMT(text));

	conn_write(f->conn, line);
	conn_writez(f->conn, "\r\n");
	log_trace(SMTP_TOPIC, code == 334 ? LOG_TRACEAUTH : LOG_TRACE, '>',
	    line);
}

/* "550-5.1.1 ..." lines of text, broken where too long. */
static void
put(struct smtp_front *f, int code, const char *enhanced, struct slice text,
    bool last)
{
	size_t room = LINE_OCTETS - 4 - strlen(enhanced) - 1;

	while (text.n > room) {
		ssize_t space =
		    slice_chr(slice_sub(text, BREAK_COLUMN, room), ' ');
		size_t n = space < 0 ? room : BREAK_COLUMN + (size_t)space + 1;
		put_line(f, code, '-', enhanced, slice_head(text, n));
		text = slice_skip(text, n);
	}
	put_line(f, code, last ? ' ' : '-', enhanced, text);
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
smtp_reply_line(struct smtp_front *f, int code, bool last, const char *fmt, ...)
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
	f->done |= v->close;
}
