/* header - the fields of a header block. */
#include "message/header.h"

#include <string.h>

/* Printable ASCII without the colon. */
const bool header_ftext[256] = {
	['!' ... '9'] = true,
	[';' ... '~'] = true,
};

static bool
is_wsp(char c)
{
	return c == ' ' || c == '\t';
}

/* The next line of *rest with its line end; empty at the end. */
static struct slice
take_line(struct slice *rest)
{
	ssize_t i = slice_chr(*rest, '\n');
	struct slice line = i < 0 ? *rest : slice_head(*rest, (size_t)i + 1);

	*rest = slice_skip(*rest, line.n);
	return line;
}

bool
header_is_end(struct slice line)
{
	return slice_is(line, "\n") || slice_is(line, "\r\n");
}

bool
header_split(struct slice line, struct slice *name_r, struct slice *value_r)
{
	struct scan sc = scan_of(line);

	if (!scan_take(&sc, header_ftext, name_r))
		return false;
	scan_skip(&sc, scan_wsp); /* RFC 5322, 4.5 */
	if (!scan_char(&sc, ':'))
		return false;
	*value_r = scan_rest(&sc);
	return true;
}

bool
header_next(struct slice *rest, struct header_field *field_r)
{
	bool found = false;

	while (rest->n > 0) {
		struct slice before = *rest, line = take_line(rest);

		if (header_is_end(line)) {
			if (found)
				*rest = before; /* for the next call */
			break;
		}
		if (is_wsp(line.p[0])) {
			if (found)
				field_r->raw.n += line.n;
			continue;
		}
		if (found) {
			*rest = before;
			break;
		}
		found = header_split(line, &field_r->name, &field_r->value);
		field_r->raw = line;
	}
	if (found) {
		const char *end = field_r->raw.p + field_r->raw.n;
		const char *p = field_r->value.p;

		field_r->value = slice_trim(slice_of(p, (size_t)(end - p)));
	}
	return found;
}

bool
header_find(struct slice block, const char *name, struct header_field *field_r)
{
	while (header_next(&block, field_r))
		if (slice_isi(field_r->name, name))
			return true;
	return false;
}

size_t
header_size(struct slice message)
{
	struct slice rest = message;

	while (rest.n > 0)
		if (header_is_end(take_line(&rest)))
			break;
	return message.n - rest.n;
}

void
header_unfold(struct buf *out, struct slice value)
{
	while (value.n > 0) {
		size_t n = 0;

		while (n < value.n && value.p[n] != '\r' &&
		    value.p[n] != '\n' && value.p[n] != '\t')
			n++;
		buf_add(out, slice_head(value, n));
		if (n < value.n && value.p[n] == '\t')
			buf_addc(out, ' ');
		value = slice_skip(value, n + 1);
	}
}

bool
header_valid(struct slice name, struct slice value)
{
	struct scan sc = scan_of(name);

	if (scan_skip(&sc, header_ftext) == 0 || !scan_end(&sc))
		return false;
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] == '\0')
			return false;
		/* A fold is CRLF and white space (RFC 5322, 2.2.3). */
		if (value.p[i] == '\r' &&
		    (i + 2 >= value.n || value.p[i + 1] != '\n' ||
			!is_wsp(value.p[i + 2])))
			return false;
		if (value.p[i] == '\n' && (i == 0 || value.p[i - 1] != '\r'))
			return false;
	}
	return true;
}
