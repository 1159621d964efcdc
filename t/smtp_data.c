/* Unit tests of smtp/data: the end of DATA and nothing else ends it. */
#include "smtp/data.h"

#include "unit.h"

static const struct row {
	const char *name, *in, *text;
	bool end, bare;
	size_t rest; /* bytes behind the end */
} rows[] = {
	{ "plain", "a\r\nb\r\n.\r\n", "a\r\nb\r\n", true, false, 0 },
	{ "empty", ".\r\n", "", true, false, 0 },
	{ "pipelined", "a\r\n.\r\nQUIT\r\n", "a\r\n", true, false, 6 },
	{ "stuffed dot", "..a\r\n.\r\n", ".a\r\n", true, false, 0 },
	{ "stuffed alone", "..\r\n.\r\n", ".\r\n", true, false, 0 },
	{ "dot within", "a.\r\nb.c\r\n.\r\n", "a.\r\nb.c\r\n", true, false, 0 },
	{ "not yet", "a\r\n.", "a\r\n", false, false, 0 },
	{ "not yet, CR", "a\r\n.\r", "a\r\n", false, false, 0 },
	/* Smuggling: whatever some server takes for an end. */
	{ "LF dot LF", "a\n.\nMAIL\r\n", "a\n.\nMAIL\r\n", false, true, 0 },
	{ "LF dot CRLF", "a\n.\r\nMAIL\r\n", "a\n.\r\nMAIL\r\n", false, true,
	    0 },
	{ "CRLF dot LF", "a\r\n.\nMAIL\r\n", "a\r\n\nMAIL\r\n", false, true,
	    0 },
	{ "CRLF dot CR", "a\r\n.\rMAIL\r\n", "a\r\n\rMAIL\r\n", false, true,
	    0 },
	{ "CR dot CR", "a\r.\rMAIL\r\n", "a\r.\rMAIL\r\n", false, true, 0 },
	{ "CR dot CRLF", "a\r.\r\nMAIL\r\n", "a\r.\r\nMAIL\r\n", false, true,
	    0 },
	{ "CR CRLF dot", "a\r\r\n.\r\n", "a\r\r\n", true, true, 0 },
	{ "CRLF dot CR CRLF", "a\r\n.\r\r\nb\r\n.\r\n", "a\r\n\r\r\nb\r\n",
	    true, true, 0 },
	{ "LF alone, then end", "a\nb\r\n.\r\n", "a\nb\r\n", true, true, 0 },
};

/* In pieces of n bytes. */
static void
push(const struct row *r, size_t n, struct smtp_data *d, struct buf *out,
    size_t *rest)
{
	struct slice in = slice_str(r->in);

	while (in.n && d->state != DATA_END) {
		struct slice piece = slice_head(in, n);
		in = slice_skip(in, smtp_data_push(d, piece, out));
	}
	*rest = in.n;
}

static void
test_rows(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		for (size_t n = 1; n < 20; n++) {
			struct smtp_data d = SMTP_DATA_INIT;
			struct buf out = BUF_INIT(1000);
			size_t rest;
			ROW(rows[i].name);
			push(&rows[i], n, &d, &out, &rest);
			CHECK_SLICE(buf_slice(&out), slice_str(rows[i].text));
			CHECK_EQ(d.state == DATA_END, rows[i].end);
			CHECK_EQ(d.bare, rows[i].bare);
			CHECK_EQ(rest, rows[i].rest);
			buf_free(&out);
		}
}

int
main(void)
{
	RUN(test_rows);
	return unit_done();
}
