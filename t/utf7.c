/* Unit test of lib/text/utf7.c. */
#include "text/utf7.h"
#include "t/unit.h"

static void
test_both_ways(void)
{
	static const char *const rows[][2] = {
		/* RFC 3501, 5.1.3 */
		{ "~peter/mail/\u53f0\u5317/\u65e5\u672c\u8a9e",
		    "~peter/mail/&U,BTFw-/&ZeVnLIqe-" },
		{ "", "" },
		{ "Inbox", "Inbox" },
		{ "&", "&-" },
		{ "a&b&&c", "a&-b&-&-c" },
		{ "\u00e9", "&AOk-" },
		{ "\u00e9&\u00e9", "&AOk-&-&AOk-" },
		{ "Entw\u00fcrfe", "Entw&APw-rfe" },
		{ "\U0001f600", "&2D3eAA-" },
		{ "\u00ffx\u0100", "&AP8-x&AQA-" },
		{ "a\tb", "a&AAk-b" },
		{ "~", "~" },
		{ "\x7f", "&AH8-" },
		{ "\u00bf\u00bf\u00bf", "&AL8AvwC,-" },
	};
	struct buf b = BUF_INIT(1000);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ROW(rows[i][1]);
		buf_reset(&b);
		CHECK(utf7_encode(&b, slice_str(rows[i][0])));
		CHECK_STR(buf_cstr(&b), rows[i][1]);
		buf_reset(&b);
		CHECK(utf7_decode(&b, slice_str(rows[i][1])));
		CHECK_STR(buf_cstr(&b), rows[i][0]);
	}
	buf_free(&b);
}

static void
test_refused(void)
{
	static const struct {
		const char *name, *input;
	} rows[] = {
		{ "RFC 3501: superfluous shift", "&U,BTFw-&ZeVnLIqe-" },
		{ "not ended", "&AOk" },
		{ "not begun", "&" },
		{ "not ended, in text", "&AOk x" },
		{ "printable", "&AGE-" },
		{ "printable among others", "&AOkAYQ-" },
		{ "ampersand", "&ACY-" },
		{ "8 bit", "\xc3\xa9" },
		{ "control", "a\tb" },
		{ "delete", "\x7f" },
		{ "bits left", "&AOl-" },
		{ "half a unit", "&AOkA-" },
		{ "one digit", "&A-" },
		{ "half a byte", "&AO-" },
		{ "padding", "&AOk=-" },
		{ "slash", "&U/BTFw-" },
		{ "url alphabet", "&U_BTFw-" },
		{ "high alone", "&2D0-" },
		{ "low alone", "&3gA-" },
		{ "high twice", "&2D3YPQ-" },
		{ "high and other", "&2D0A6Q-" },
	};
	struct buf b = BUF_INIT(1000);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ROW(rows[i].name);
		CHECK(!utf7_decode(&b, slice_str(rows[i].input)));
	}
	ROW("encode");
	CHECK(!utf7_encode(&b, SLICE("\xff")));
	CHECK(!utf7_encode(&b, SLICE("\xed\xa0\x80")));
	CHECK(utf7_encode(&b, SLICE("\0")));
	buf_free(&b);
}

int
main(void)
{
	RUN(test_both_ways);
	RUN(test_refused);
	return unit_done();
}
