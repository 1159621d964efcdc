/*
 * escape.c - %XX for what file names and log fields cannot hold.
 */
#include "db/escape.h"

#include "base/file.h"

static bool
must_escape(unsigned char c, bool first)
{
	return c <= ' ' || c == 0x7f || c == '%' || c == '/' ||
	    (first && (c == '.' || c == '@'));
}

void
db_escape(struct buf *b, struct slice raw)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t plain = 0;

	if (raw.n == 0)
		buf_addc(b, '%');
	for (size_t i = 0; i < raw.n; i++) {
		unsigned char c = (unsigned char)raw.p[i];

		if (!must_escape(c, i == 0))
			continue;
		buf_add(b, slice_sub(raw, plain, i));
		buf_addc(b, '%');
		buf_addc(b, hex[c >> 4]);
		buf_addc(b, hex[c & 15]);
		plain = i + 1;
	}
	buf_add(b, slice_skip(raw, plain));
}

void
db_escape_lower(struct buf *b, struct slice raw)
{
	struct buf lower = BUF_INIT(SIZE_MAX);

	for (size_t i = 0; i < raw.n; i++)
		buf_addc(&lower,
		    raw.p[i] >= 'A' && raw.p[i] <= 'Z' ? (char)(raw.p[i] | 0x20)
						       : raw.p[i]);
	db_escape(b, buf_slice(&lower));
	buf_free(&lower);
}

bool
db_unescape(struct buf *b, struct slice escaped)
{
	struct slice plain, rest = escaped;
	uint64_t c;

	if (slice_is(escaped, "%"))
		return true;
	while (slice_cut(rest, '%', &plain, &rest)) {
		if (rest.n < 2 || !slice_hex64(slice_head(rest, 2), &c))
			return false;
		buf_add(b, plain);
		buf_addc(b, (char)c);
		rest = slice_skip(rest, 2);
	}
	buf_add(b, plain);
	return escaped.n > 0;
}

int
db_escaped_list(int dirfd, const char *path, struct arena *arena,
    struct slice **raw_r, size_t *n_r, struct err *e)
{
	struct slice *names = NULL;
	size_t n = 0, kept = 0;
	int rc = file_list(dirfd, path, arena, &names, &n, e);

	for (size_t i = 0; rc == 1 && i < n; i++) {
		struct buf raw = BUF_INIT(SIZE_MAX);

		if (names[i].p[0] != '.' && db_unescape(&raw, names[i]))
			names[kept++] = arena_dup(arena, buf_slice(&raw));
		buf_free(&raw);
	}
	*raw_r = names;
	*n_r = kept;
	return rc < 0 ? -1 : 0;
}
