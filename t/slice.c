/* Unit test of lib/base/slice.c. */
#include "t/unit.h"

#define S(lit) SLICE(lit)

static void
test_compare(void)
{
	CHECK(slice_eq(S("ab"), S("ab")));
	CHECK(!slice_eq(S("ab"), S("aB")));
	CHECK(slice_eq(SLICE_NULL, S("")));
	CHECK(slice_eqi(S("[a]Z"), S("[A]z")));
	CHECK(!slice_eqi(S("@"), S("`"))); /* 0x40 and 0x60 are no letters */
	CHECK(!slice_eqi(S("\xc3"), S("\xe3")));
	CHECK(slice_is(S("x"), "x") && !slice_is(S("x"), "xy"));
	CHECK(slice_isi(S("INBOX"), "Inbox"));
	CHECK(slice_cmp(S("a"), S("b")) < 0);
	CHECK(slice_cmp(S("ab"), S("a")) > 0);
	CHECK(slice_cmp(S("\xff"), S("a")) > 0); /* unsigned */
	CHECK_EQ(slice_cmp(S(""), SLICE_NULL), 0);
	CHECK(slice_starts(S("abc"), S("ab")) &&
	    !slice_starts(S("a"), S("ab")));
	CHECK(slice_startsi(S("AbC"), S("aB")));
	CHECK(slice_ends(S("abc"), S("bc")) && !slice_ends(S("c"), S("bc")));
	CHECK(slice_endsi(S("aBC"), S("bc")) && slice_ends(S("a"), S("")));
	CHECK(slice_eq_secret(S("key"), S("key")));
	CHECK(!slice_eq_secret(S("key"), S("kez")));
	CHECK(!slice_eq_secret(S("key"), S("keyy")));
	CHECK(slice_eq_secret(SLICE_NULL, S("")));
}

static void
test_find(void)
{
	CHECK_EQ(slice_chr(S("a,b,c"), ','), 1);
	CHECK_EQ(slice_rchr(S("a,b,c"), ','), 3);
	CHECK_EQ(slice_chr(SLICE_NULL, ','), -1);
	CHECK_EQ(slice_rchr(S("abc"), ','), -1);
	CHECK_EQ(slice_find(S("hello"), S("llo")), 2);
	CHECK_EQ(slice_find(S("hello"), S("lla")), -1);
	CHECK_EQ(slice_find(S("hello"), S("")), 0);
	CHECK_EQ(slice_find(SLICE_NULL, S("x")), -1);
	CHECK_EQ(slice_findi(S("Content-Type"), S("-tYPE")), 7);
	CHECK_EQ(slice_findi(S("aab"), S("AB")), 1);
	CHECK_EQ(slice_findi(S("a"), S("ab")), -1);
}

static void
test_parts(void)
{
	CHECK_SLICE(slice_head(S("abc"), 2), S("ab"));
	CHECK_SLICE(slice_head(S("abc"), 9), S("abc"));
	CHECK_SLICE(slice_skip(S("abc"), 2), S("c"));
	CHECK_SLICE(slice_skip(S("abc"), 9), S(""));
	CHECK_SLICE(slice_skip(SLICE_NULL, 1), S(""));
	CHECK_SLICE(slice_sub(S("abcdef"), 2, 4), S("cd"));
	CHECK_SLICE(slice_sub(S("abcdef"), 4, 99), S("ef"));
	CHECK_SLICE(slice_sub(S("abcdef"), 4, 2), S(""));
	CHECK_SLICE(slice_trim(S(" \t a b\r\n")), S("a b"));
	CHECK_SLICE(slice_trim(S(" \n ")), S(""));
}

/* All parts that slice_next gives, with | behind each. */
static struct slice
tokens(struct slice s, char *text)
{
	struct slice token;
	size_t n = 0;

	while (slice_next(&s, ',', &token)) {
		memcpy(text + n, token.p, token.n);
		n += token.n;
		text[n++] = '|';
	}
	return slice_of(text, n);
}

static void
test_split(void)
{
	static const struct {
		const char *name, *input, *expected;
	} rows[] = {
		{ "none", "", "" },
		{ "one", "a", "a|" },
		{ "two", "a,b", "a|b|" },
		{ "empty last", "a,b,", "a|b|" },
		{ "empty first", ",a", "|a|" },
		{ "empty between", "a,,b", "a||b|" },
	};
	struct slice head, rest;
	char text[32];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ROW(rows[i].name);
		CHECK_SLICE(tokens(slice_str(rows[i].input), text),
		    slice_str(rows[i].expected));
	}
	ROW("cut");
	CHECK(slice_cut(S("k=v=w"), '=', &head, &rest));
	CHECK_SLICE(head, S("k"));
	CHECK_SLICE(rest, S("v=w"));
	CHECK(!slice_cut(S("kv"), '=', &head, &rest));
	CHECK_SLICE(head, S("kv"));
	CHECK_SLICE(rest, S(""));
}

static void
test_line(void)
{
	struct slice rest = S("a\r\n\nb\r\r\nc\r"), line;
	static const char *const want[] = { "a", "", "b\r", "c\r" };

	for (size_t i = 0; i < 4; i++) {
		CHECK(slice_line(&rest, &line));
		CHECK_SLICE(line, slice_str(want[i]));
	}
	CHECK(!slice_line(&rest, &line));
}

static void
test_numbers(void)
{
	uint64_t u = 7;
	int64_t i;
	uint32_t w;

	CHECK(slice_u64(S("18446744073709551615"), &u) && u == UINT64_MAX);
	CHECK(slice_u64(S("007"), &u) && u == 7);
	CHECK(!slice_u64(S("18446744073709551616"), &u));
	CHECK(!slice_u64(S("99999999999999999999"), &u));
	CHECK(!slice_u64(S(""), &u) && !slice_u64(S("1 "), &u));
	CHECK(!slice_u64(S("+1"), &u) && !slice_u64(S("-1"), &u));
	CHECK_EQ(u, 7); /* untouched by failures */
	CHECK(slice_u32(S("4294967295"), &w) && w == UINT32_MAX);
	CHECK(!slice_u32(S("4294967296"), &w));
	CHECK(slice_i64(S("-9223372036854775808"), &i) && i == INT64_MIN);
	CHECK(slice_i64(S("9223372036854775807"), &i) && i == INT64_MAX);
	CHECK(!slice_i64(S("9223372036854775808"), &i));
	CHECK(!slice_i64(S("-9223372036854775809"), &i));
	CHECK(!slice_i64(S("-"), &i) && !slice_i64(S("--1"), &i));
	CHECK(slice_hex64(S("fFfF"), &u) && u == 0xffff);
	CHECK(slice_hex64(S("00000000000000000001"), &u) && u == 1);
	CHECK(!slice_hex64(S("10000000000000000"), &u));
	CHECK(!slice_hex64(S("0x1"), &u) && !slice_hex64(S("g"), &u));
}

static void
test_others(void)
{
	char text[4];

	CHECK(slice_hash(S("")) == 0xcbf29ce484222325);
	CHECK(slice_hash(S("foobar")) == 0x85944171f73967e8);
	CHECK(slice_cstr(S("abc"), text, sizeof(text)));
	CHECK_STR(text, "abc");
	CHECK(!slice_cstr(S("abcd"), text, sizeof(text)));
	CHECK(!slice_cstr(S("a\0b"), text, sizeof(text)));
	CHECK(slice_cstr(SLICE_NULL, text, sizeof(text)));
	CHECK_STR(text, "");
}

int
main(void)
{
	RUN(test_compare);
	RUN(test_find);
	RUN(test_parts);
	RUN(test_split);
	RUN(test_line);
	RUN(test_numbers);
	RUN(test_others);
	return unit_done();
}
