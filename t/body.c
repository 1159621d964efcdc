/* Unit tests of lib/message/body. */
#include "message/body.h"

#include "t/unit.h"

static const struct {
	enum msgrec_encoding encoding;
	const char *charset, *wire, *want;
} rows[] = {
	{ MSGREC_7BIT, "", "a\r\nb", "a\r\nb" },
	{ MSGREC_8BIT, "", "\xe4\xff", "\xe4\xff" },
	{ MSGREC_8BIT, "iso-8859-1", "\xe4", "ä" },
	{ MSGREC_BINARY, "utf-8", "\xe4x", "\xef\xbf\xbdx" },
	{ MSGREC_BASE64, "", "aGVs\r\nbG8=\r\n", "hello" },
	{ MSGREC_BASE64, "", "aGVsbG", "hell" },
	{ MSGREC_BASE64, "iso-8859-15", "pKQ=", "€€" },
	{ MSGREC_BASE64, "utf-16", "/v8ATgCk", "N¤" },
	{ MSGREC_QP, "", "a=\r\nb=E4 \r\n", "ab\xe4\r\n" },
	{ MSGREC_QP, "utf-8", "=C3=\r\n=A4=", "ä" },
	{ MSGREC_QP, "iso-2022-jp", "=1B$B%F=1B(B", "テ" },
	{ MSGREC_8BIT, "x-unknown", "ä\xff", "ä\xef\xbf\xbd" },
};

static void
test_rows(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct slice wire = slice_str(rows[i].wire);

		ROW(rows[i].wire);
		for (size_t step = 1; step <= 100; step += 99) {
			struct body *b = body_new(rows[i].encoding,
			    slice_str(rows[i].charset));
			struct buf out = BUF_INIT(1000);

			for (size_t n = 0; n < wire.n; n += step)
				body_push(b, slice_sub(wire, n, n + step),
				    &out);
			body_end(b, &out);
			CHECK_SLICE(buf_slice(&out), slice_str(rows[i].want));
			body_free(&b);
			buf_free(&out);
		}
	}
	CHECK(body_new(MSGREC_ENCODING_OTHER, SLICE_NULL) == NULL);
}

/* More than any buffer inside, of a charset that grows it. */
static void
test_large(void)
{
	struct buf in = BUF_INIT(SIZE_MAX), out = BUF_INIT(SIZE_MAX);
	struct body *b = body_new(MSGREC_8BIT, SLICE("windows-1252"));

	for (int i = 0; i < 1000000; i++)
		buf_addc(&in, (char)0x80);
	body_push(b, buf_slice(&in), &out);
	body_end(b, &out);
	CHECK_EQ(out.n, 3000000);
	CHECK(slice_ends(buf_slice(&out), SLICE("€")));
	body_free(&b);
	buf_free(&in);
	buf_free(&out);
}

int
main(void)
{
	RUN(test_rows);
	RUN(test_large);
	return unit_done();
}
