/* Unit tests of lib/message/encword. */
#include "message/encword.h"

#include "text/unicode.h"
#include "t/unit.h"

static void
test_decode(void)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		/* RFC 2047, 8 */
		{ "=?US-ASCII?Q?Keith_Moore?= <moore@cs.utk.edu>",
		    "Keith Moore <moore@cs.utk.edu>" },
		{ "=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?=",
		    "Keld Jørn Simonsen" },
		{ "=?ISO-8859-1?Q?Andr=E9?= Pirard", "André Pirard" },
		{ "=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?= "
		  "=?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=",
		    "If you can read this you understand the example." },
		{ "(=?ISO-8859-1?Q?a?=)", "(a)" },
		{ "(=?ISO-8859-1?Q?a?= b)", "(a b)" },
		{ "(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)" },
		{ "(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)", "(ab)" },
		{ "(=?ISO-8859-1?Q?a_b?=)", "(a b)" },
		{ "(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)" },
		/* RFC 2231, 5 */
		{ "=?US-ASCII*EN?Q?Keith_Moore?=", "Keith Moore" },
		/* not decodable: stays */
		{ "=?x-nowhere?Q?a?=", "=?x-nowhere?Q?a?=" },
		{ "=?utf-8?X?a?=", "=?utf-8?X?a?=" },
		{ "=?utf-8?Q?a", "=?utf-8?Q?a" },
		{ "=?utf-8?Q", "=?utf-8?Q" },
		{ "=?", "=?" },
		{ "=?=?utf-8?q?a?=", "=?a" },
		{ "", "" },
		/* seen in mail */
		{ "=?utf-8?q?=C3?= =?utf-8?q?=A4?=", "ä" },
		{ "=?UTF-8?B?w6Q?=", "ä" },
		{ "=?utf-8?q?a b?=", "a b" },
		{ "=?utf-8?q?=zz=4?=", "=zz=4" },
		{ "a=?utf-8?q?b?=c", "abc" },
		{ "=?utf-8?q?=0D=0AX:_y?=", "  X: y" },
		{ "\xe4 b", "\xef\xbf\xbd b" },
		{ "=?utf-8?q?=E4?=", "\xef\xbf\xbd" },
		{ "=?utf-8?q?"
		  "?= x",
		    " x" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf b = BUF_INIT(1000);

		ROW(rows[i].text);
		encword_decode(&b, slice_str(rows[i].text));
		CHECK_SLICE(buf_slice(&b), slice_str(rows[i].want));
		buf_free(&b);
	}
}

static void
test_encode(void)
{
	static const struct {
		const char *text;
		size_t first;
		const char *want;
	} rows[] = {
		{ "a b", 75, "=?utf-8?q?a_b?=" },
		{ "Jürgen", 75, "=?utf-8?q?J=C3=BCrgen?=" },
		{ "äöü", 75, "=?utf-8?b?w6TDtsO8?=" },
		{ "\xff", 75, "=?utf-8?q?=EF=BF=BD?=" },
		{ "aaaaaaaaaaaaaaaa", 24,
		    "=?utf-8?q?aaaaaaaaaaaa?= =?utf-8?q?aaaa?=" },
		{ "ääääääääää", 24,
		    "=?utf-8?b?w6TDpMOkw6Q=?= =?utf-8?b?w6TDpMOkw6TDpMOk?=" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf b = BUF_INIT(1000);

		ROW(rows[i].text);
		encword_encode(&b, slice_str(rows[i].text), rows[i].first);
		CHECK_SLICE(buf_slice(&b), slice_str(rows[i].want));
		buf_free(&b);
	}
}

/* Any text comes back, in words that are not too long. */
static void
test_round(void)
{
	for (uint32_t step = 1; step < 5000; step += 97) {
		struct buf text = BUF_INIT(10000), b = BUF_INIT(100000);
		struct buf back = BUF_INIT(10000);
		struct slice rest, word;

		for (uint32_t c = ' '; text.n < 500; c += step)
			unicode_put(&text, c == 0x7f ? ' ' : c);
		encword_encode(&b, buf_slice(&text), 40);
		for (rest = buf_slice(&b); slice_next(&rest, ' ', &word);)
			CHECK(word.n <= ENCWORD_MAX);
		encword_decode(&back, buf_slice(&b));
		CHECK_SLICE(buf_slice(&back), buf_slice(&text));
		buf_free(&text);
		buf_free(&b);
		buf_free(&back);
	}
}

int
main(void)
{
	RUN(test_decode);
	RUN(test_encode);
	RUN(test_round);
	return unit_done();
}
