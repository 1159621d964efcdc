/* Unit test of lib/text/json_read.c and lib/text/json_write.c. */
#include "text/json_read.h"
#include "text/json_write.h"
#include "t/unit.h"

static void
test_grammar(void)
{
	static const char *const good[] = { "{}", "[]", " [ ] ", "0", "-0",
		"-1.5e+3", "10", "1E9", "\"\"", "\"\\u00e9\\n\\\"\\/\"", "true",
		"false", "null", "[1, 2 ,3]", "{\"a\":1,\"b\":{\"c\":[{}]}}",
		"[[],[[]],{}]", "\t{\r\n\"a\" : null}\n", "[\"[{\"]",
		"[[1],[2],{\"a\":[]},3]", "{\"a\":{},\"b\":[],\"c\":\"\"}",
		"{\"a\":1,\"a\":2}" };
	static const char *const bad[] = { "", " ", "{", "[", "]", "}", "[}",
		"{]", "[1,]", "[,1]", "[1 2]", "[1,,2]", "{\"a\"}", "{\"a\":}",
		"{\"a\":1,}", "{\"a\" 1}", "{a:1}", "{1:1}",
		"{\"a\":1 \"b\":2}", "{\"a\":\"b\" \"c\"}",
		"{\"a\":\"b\":\"c\"}", "[1:2]", "[:1]", "{:1}", "{,}",
		"[\"a\"\"b\"]", "01", "+1", "1.", ".5", "1e", "-", "0x1", "nul",
		"truex", "True", "NaN", "'a'", "\"a", "\"\\x\"", "\"\\u12\"",
		"\"\n\"", "\"\x01\"", "\"\xff\"", "1 2", "{} {}", "{}x", "x{}",
		"[1]]", "{\"a\":1}}", "[1,[2]", "{\"a\":[1}", "// c\n1",
		"{\"a\":{\"b\"}}", "{{}:1}", "{[]:1}", "\"a\":1", "1,2",
		"\xef\xbb\xbf{}" };
	struct arena *a = arena_new(0);
	struct json v;
	struct err e = ERR_INIT;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ROW(good[i]);
		CHECK_EQ(json_parse(a, slice_str(good[i]), &v, &e), 0);
		CHECK(json_type(v) != JSON_NONE);
		CHECK_SLICE(json_raw(v), slice_trim(slice_str(good[i])));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ROW(bad[i]);
		CHECK_EQ(json_parse(a, slice_str(bad[i]), &v, &e), -1);
		CHECK_EQ(e.kind, ERR_SYNTAX);
		CHECK_EQ(json_type(v), JSON_NONE);
	}
	ROW("NUL");
	CHECK_EQ(json_parse(a, SLICE("{}\0"), &v, &e), -1);
	CHECK_EQ(json_parse(a, SLICE("\"\\u1\0\""), &v, &e), -1);
	CHECK_EQ(json_parse(a, SLICE("\"a\0b\""), &v, &e), -1);
	arena_free(&a);
}

static void
test_values(void)
{
	struct arena *a = arena_new(0);
	struct json root, v;
	struct slice s;
	int64_t i;
	uint64_t u;
	bool b;

	CHECK_EQ(json_parse(a,
		     SLICE("{\"s\":\"a\\u00e9\\ud83d\\ude00\\ud800x\\t\","
			   "\"i\":-5,\"u\":18446744073709551615,\"t\":true,"
			   "\"f\":1.5,\"n\":null,\"o\":{\"i\":7,\"x\":[]},"
			   "\"d\":1,\"d\":2}"),
		     &root, NULL),
	    0);
	CHECK_EQ(json_count(root), 9);
	CHECK(json_str(a, json_get(root, "s"), &s));
	CHECK_SLICE(s, SLICE("a\u00e9\U0001f600\ufffdx\t"));
	CHECK(json_i64(json_get(root, "i"), &i) && i == -5);
	CHECK(!json_u64(json_get(root, "i"), &u));
	CHECK(json_u64(json_get(root, "u"), &u) && u == UINT64_MAX);
	CHECK(!json_i64(json_get(root, "u"), &i));
	CHECK(!json_i64(json_get(root, "f"), &i));
	CHECK(!json_i64(json_get(root, "s"), &i));
	CHECK(json_bool(json_get(root, "t"), &b) && b);
	CHECK(!json_bool(json_get(root, "n"), &b));
	CHECK_EQ(json_type(json_get(root, "n")), JSON_NULL);
	CHECK(json_i64(json_get(json_get(root, "o"), "i"), &i) && i == 7);
	CHECK_EQ(json_type(json_get(json_get(root, "i"), "i")), JSON_NONE);
	CHECK_EQ(json_type(json_get(json_get(root, "no"), "i")), JSON_NONE);
	CHECK(!json_str(a, json_get(root, "no"), &s));
	CHECK(json_i64(json_get(root, "d"), &i) && i == 2);
	CHECK_EQ(json_count(json_get(root, "s")), 0);
	v = json_first(json_get(json_get(root, "o"), "x"));
	CHECK(v.at < 0);
	CHECK_EQ(json_raw(v).n, 0);
	CHECK(!json_name(a, v, &s));
	CHECK(!json_name(a, root, &s));
	arena_free(&a);
}

static void
test_iterate(void)
{
	struct arena *a = arena_new(0);
	struct buf b = BUF_INIT(100);
	struct json root;
	struct slice name;

	json_parse(a, SLICE("[[1,2],{\"x\":[3]},\"4\",[]]"), &root, NULL);
	for (struct json it = json_first(root); it.at >= 0;
	     it = json_next(it)) {
		buf_add(&b, json_raw(it));
		buf_addc(&b, '|');
	}
	CHECK_STR(buf_cstr(&b), "[1,2]|{\"x\":[3]}|\"4\"|[]|");
	buf_reset(&b);
	json_parse(a, SLICE("{\"a\":[1],\"b\\n\":{\"c\":2},\"\":3}"), &root,
	    NULL);
	for (struct json it = json_first(root); it.at >= 0;
	     it = json_next(it)) {
		CHECK(json_name(a, it, &name));
		buf_add(&b, name);
		buf_addc(&b, '=');
		buf_add(&b, json_raw(it));
		buf_addc(&b, '|');
	}
	CHECK_STR(buf_cstr(&b), "a=[1]|b\n={\"c\":2}|=3|");
	CHECK(json_next(root).at < 0);
	buf_free(&b);
	arena_free(&a);
}

static void
test_limits(void)
{
	struct arena *a = arena_new(0);
	struct err e = ERR_INIT;
	struct json v;
	static char text[200000];

	memset(text, '[', sizeof(text));
	CHECK_EQ(json_parse(a, slice_of(text, sizeof(text)), &v, &e), -1);
	CHECK_EQ(e.kind, ERR_LIMIT);
	memset(text + JSON_DEPTH, ']', JSON_DEPTH);
	CHECK_EQ(json_parse(a, slice_of(text, 2 * JSON_DEPTH), &v, &e), 0);
	memset(text + JSON_DEPTH + 1, ']', JSON_DEPTH + 1);
	text[JSON_DEPTH] = '[';
	CHECK_EQ(json_parse(a, slice_of(text, 2 * JSON_DEPTH + 2), &v, &e), -1);
	CHECK_EQ(e.kind, ERR_LIMIT);
	/* A quote that would hide the depth from us. */
	memset(text, '[', sizeof(text) / 2);
	memset(text + sizeof(text) / 2, ']', sizeof(text) / 2);
	memcpy(text, "[a\" ", 4);
	CHECK_EQ(json_parse(a, slice_of(text, sizeof(text)), &v, &e), -1);
	CHECK_EQ(e.kind, ERR_SYNTAX);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = ",1"[i % 2];
	text[0] = '[';
	text[sizeof(text) - 2] = ']';
	CHECK_EQ(json_parse(a, slice_of(text, sizeof(text) - 1), &v, &e), 0);
	CHECK_EQ(json_count(v), sizeof(text) / 2 - 1);
	arena_free(&a);
}

static void
write_some(struct json_out *j)
{
	json_put_object(j, NULL);
	json_put_str(j, "s", SLICE("\"\\/\n\x01\x7f\u00e9\xff"));
	json_put_u64(j, "u", UINT64_MAX);
	json_put_i64(j, "i", INT64_MIN);
	json_put_bool(j, "b", true);
	json_put_null(j, "n");
	json_put_time(j, "t", 0);
	json_put_array(j, "e");
	json_put_end(j);
	json_put_array(j, "a");
	json_put_bool(j, NULL, false);
	json_put_object(j, NULL);
	json_put_end(j);
	json_put_end(j);
	json_put_name(j, SLICE("k\n"));
	json_put_raw(j, NULL, SLICE("1.5"));
	json_put_end(j);
}

static void
test_write(void)
{
	struct buf b = BUF_INIT(1000);
	struct json_out j = JSON_OUT(&b, false);

	write_some(&j);
	CHECK_STR(buf_cstr(&b),
	    "{\"s\":\"\\\"\\\\/\\n\\u0001\\u007f\u00e9\ufffd\","
	    "\"u\":18446744073709551615,\"i\":-9223372036854775808,"
	    "\"b\":true,\"n\":null,\"t\":\"1970-01-01T00:00:00.000Z\","
	    "\"e\":[],\"a\":[false,{}],\"k\\n\":1.5}\n");
	buf_reset(&b);
	j = (struct json_out)JSON_OUT(&b, true);
	json_put_array(&j, NULL);
	json_put_u64(&j, NULL, 1);
	json_put_object(&j, NULL);
	json_put_u64(&j, "x", 2);
	json_put_end(&j);
	json_put_array(&j, NULL);
	json_put_end(&j);
	json_put_end(&j);
	CHECK_STR(buf_cstr(&b), "[\n\t1,\n\t{\n\t\t\"x\": 2\n\t},\n\t[]\n]\n");
	buf_reset(&b);
	j = (struct json_out)JSON_OUT(&b, false);
	for (int i = 0; i < JSON_OUT_DEPTH; i++)
		json_put_array(&j, NULL);
	CHECK(!b.over);
	json_put_array(&j, NULL);
	CHECK(b.over);
	buf_free(&b);
}

static void
test_round_trip(void)
{
	struct arena *a = arena_new(0);
	struct buf b = BUF_INIT(1000);
	struct json_out j = JSON_OUT(&b, true);
	struct json root;
	struct slice s;

	write_some(&j);
	CHECK_EQ(json_parse(a, buf_slice(&b), &root, NULL), 0);
	CHECK(json_str(a, json_get(root, "s"), &s));
	CHECK_SLICE(s, SLICE("\"\\/\n\x01\x7f\u00e9\ufffd"));
	buf_free(&b);
	arena_free(&a);
}

int
main(void)
{
	RUN(test_grammar);
	RUN(test_values);
	RUN(test_iterate);
	RUN(test_limits);
	RUN(test_write);
	RUN(test_round_trip);
	return unit_done();
}
