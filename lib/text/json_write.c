/* json_write - JSON text, appended to a buf. */
#include "text/json_write.h"

#include "base/clock.h"
#include "text/unicode.h"

/* The line of the next member or of a closing bracket. */
static void
new_line(struct json_out *j)
{
	if (!j->indent)
		return;
	buf_addc(j->out, '\n');
	for (unsigned i = 0; i < j->depth; i++)
		buf_addc(j->out, '\t');
}

/* Characters between quotes (RFC 8259, 7). */
static void
put_quoted(struct buf *out, struct slice s)
{
	static const char plain[] = "\"\\bfnrt", meant[] = "\"\\\b\f\n\r\t";
	struct slice rest = s;

	buf_addc(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		ssize_t at = slice_chr(slice_str(meant), s.p[i]);

		if (c >= 0x20 && c != 0x7f && at < 0)
			continue;
		unicode_repair(out, slice_head(rest, i - (s.n - rest.n)));
		rest = slice_skip(s, i + 1);
		if (at >= 0)
			buf_addf(out, "\\%c", plain[at]);
		else
			buf_addf(out, "\\u%04x", c);
	}
	unicode_repair(out, rest);
	buf_addc(out, '"');
}

void
json_put_name(struct json_out *j, struct slice name)
{
	if (j->begun)
		buf_addc(j->out, ',');
	new_line(j);
	put_quoted(j->out, name);
	buf_add(j->out, j->indent ? SLICE(": ") : SLICE(":"));
	j->named = true;
}

/* What stands before a value. */
static void
begin_value(struct json_out *j, const char *name)
{
	if (name != NULL)
		json_put_name(j, slice_str(name));
	if (!j->named && j->depth > 0) {
		if (j->begun)
			buf_addc(j->out, ',');
		new_line(j);
	}
	j->named = false;
	j->begun = true;
}

static void
open_bracket(struct json_out *j, const char *name, char open, char close)
{
	begin_value(j, name);
	if (j->depth == JSON_OUT_DEPTH) {
		j->out->over = true;
		return;
	}
	buf_addc(j->out, open);
	j->close[j->depth++] = close;
	j->begun = false;
}

void
json_put_object(struct json_out *j, const char *name)
{
	open_bracket(j, name, '{', '}');
}

void
json_put_array(struct json_out *j, const char *name)
{
	open_bracket(j, name, '[', ']');
}

void
json_put_end(struct json_out *j)
{
	if (j->depth == 0)
		return;
	j->depth--;
	if (j->begun)
		new_line(j);
	buf_addc(j->out, j->close[j->depth]);
	if (j->depth == 0)
		buf_addc(j->out, '\n');
	j->begun = true;
}

void
json_put_raw(struct json_out *j, const char *name, struct slice json)
{
	begin_value(j, name);
	buf_add(j->out, json);
}

void
json_put_str(struct json_out *j, const char *name, struct slice s)
{
	begin_value(j, name);
	put_quoted(j->out, s);
}

void
json_put_u64(struct json_out *j, const char *name, uint64_t v)
{
	begin_value(j, name);
	buf_addu(j->out, v);
}

void
json_put_i64(struct json_out *j, const char *name, int64_t v)
{
	begin_value(j, name);
	buf_addf(j->out, "%lld", (long long)v);
}

void
json_put_bool(struct json_out *j, const char *name, bool v)
{
	json_put_raw(j, name, v ? SLICE("true") : SLICE("false"));
}

void
json_put_null(struct json_out *j, const char *name)
{
	json_put_raw(j, name, SLICE("null"));
}

void
json_put_time(struct json_out *j, const char *name, int64_t us)
{
	char text[CLOCK_TEXT];

	clock_rfc3339(us, text);
	json_put_str(j, name, slice_str(text));
}
