/* Unit test of lib/text/base64.c. */
#include "text/base64.h"
#include "t/unit.h"

static void
test_rfc(void)
{
	/* RFC 4648, 10 */
	static const char *const rows[][2] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
	};
	struct buf b = BUF_INIT(100);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice plain = slice_str(rows[i][0]);
		struct slice text = slice_str(rows[i][1]);

		ROW(rows[i][1]);
		buf_reset(&b);
		base64_encode(&b, plain);
		CHECK_SLICE(buf_slice(&b), text);
		CHECK_EQ(base64_size(plain.n), text.n);
		buf_reset(&b);
		CHECK(base64_decode(&b, text));
		CHECK_SLICE(buf_slice(&b), plain);
	}
	buf_free(&b);
}

static void
test_alphabets(void)
{
	struct buf b = BUF_INIT(100);

	base64_encode(&b, SLICE("\xfb\xff\xbe"));
	CHECK_STR(buf_cstr(&b), "+/++");
	buf_reset(&b);
	base64_encode_url(&b, SLICE("\xfb\xff\xbe\xff"));
	CHECK_STR(buf_cstr(&b), "-_--_w");
	buf_reset(&b);
	CHECK(base64_decode_url(&b, SLICE("-_--_w")));
	CHECK(base64_decode_url(&b, SLICE("_w==")));
	CHECK_SLICE(buf_slice(&b), SLICE("\xfb\xff\xbe\xff\xff"));
	CHECK(!base64_decode_url(&b, SLICE("+/++")));
	CHECK(!base64_decode(&b, SLICE("-_--")));
	buf_free(&b);
}

static void
test_strict(void)
{
	static const char *const bad[] = { "Z", "Zg", "Zg=", "Zm9",
		"Zg===", "====", "=", "==", "Zg=a",
		"Zm9v=", "Zm9v==", "Zm9v====", "Zm9vZg==Zm9v", "Zm 9v",
		"Zm9v\r\n", "Zh==", "Zm9=", "Zm9\x80", "Zm9v!" };
	struct buf b = BUF_INIT(100);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ROW(bad[i]);
		CHECK(!base64_decode(&b, slice_str(bad[i])));
		CHECK_EQ(b.n, 0);
		CHECK(!b.over);
	}
	ROW("url");
	CHECK(!base64_decode_url(&b, SLICE("Zg=")));
	CHECK(!base64_decode_url(&b, SLICE("Zh")));
	CHECK(!base64_decode_url(&b, SLICE("Z")));
	buf_free(&b);

	ROW("limit");
	b = (struct buf)BUF_INIT(5); /* to the byte */
	CHECK(base64_decode(&b, SLICE("Zm9vYmE=")) && !b.over);
	CHECK_STR(buf_cstr(&b), "fooba");
	CHECK(base64_decode(&b, SLICE("Zg==")) && b.over);
	buf_free(&b);
}

static void
test_lines(void)
{
	char data[BASE64_LINE + 1];
	struct buf b = BUF_INIT(1000);

	memset(data, 0, sizeof(data));
	base64_encode_lines(&b, SLICE_NULL);
	CHECK_EQ(b.n, 0);
	base64_encode_lines(&b, slice_of(data, BASE64_LINE));
	CHECK_EQ(b.n, 78);
	buf_reset(&b);
	base64_encode_lines(&b, slice_of(data, BASE64_LINE + 1));
	CHECK_EQ(b.n, 78 + 6);
	CHECK(slice_ends(buf_slice(&b), SLICE("AAAA\r\nAA==\r\n")));
	buf_free(&b);
}

static void
test_stream(void)
{
	static const struct {
		const char *name, *input;
		struct slice expected;
		bool bad;
	} rows[] = {
		{ "lines", "Zm9v\r\nYmFy\r\n", SLICE("foobar"), false },
		{ "odd lines", "Zm9vY\nmFy\n", SLICE("foobar"), false },
		{ "glued", "Zg==Zm8=Zm9v", SLICE("ffofoo"), false },
		{ "no padding", "Zm9vYg", SLICE("foob"), false },
		{ "one left", "Zm9vY", SLICE("foo"), true },
		{ "foreign", "Z!m-9\xffv", SLICE("foo"), true },
		{ "bits left", "Zh==", SLICE("f"), false },
		{ "padding only", "====", SLICE(""), false },
		{ "nothing", "", SLICE(""), false },
	};
	struct buf b = BUF_INIT(100);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t size = 1; size < 9; size++) {
			struct base64_dec d = BASE64_DEC_INIT;
			struct slice in = slice_str(rows[i].input);

			ROW(rows[i].name);
			buf_reset(&b);
			for (; in.n > 0; in = slice_skip(in, size))
				base64_dec_push(&d, slice_head(in, size), &b);
			base64_dec_end(&d, &b);
			CHECK_SLICE(buf_slice(&b), rows[i].expected);
			CHECK_EQ(d.bad, rows[i].bad);
		}
	buf_free(&b);

	ROW("limit");
	struct base64_dec d = BASE64_DEC_INIT;
	b = (struct buf)BUF_INIT(6);
	base64_dec_push(&d, SLICE("Zm9v\r\nYmFy\r\n"), &b);
	CHECK(!b.over);
	CHECK_STR(buf_cstr(&b), "foobar");
	base64_dec_push(&d, SLICE("Zm9v"), &b);
	CHECK(b.over);
	buf_free(&b);
}

int
main(void)
{
	RUN(test_rfc);
	RUN(test_alphabets);
	RUN(test_strict);
	RUN(test_lines);
	RUN(test_stream);
	return unit_done();
}
