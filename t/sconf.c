#include "config/schema.h"
#include "t/unit.h"

static struct arena *arena;
static struct sconf_errors errors;

static struct sconf_file
file_of(const char *text)
{
	arena_reset(arena);
	sconf_errors_init(&errors, arena);
	return sconf_file(SLICE("f"), slice_str(text), &errors);
}

/* All problems, a line each. */
static struct slice
problems(void)
{
	static struct buf all = BUF_INIT(100000);

	buf_reset(&all);
	sconf_errors_sort(&errors);
	for (size_t i = 0; i < errors.n; i++) {
		buf_add(&all, sconf_error_format(&errors.v[i], arena));
		buf_addc(&all, '\n');
	}
	return buf_slice(&all);
}

/* ---- lines ---- */

static void
test_lines(void)
{
	struct sconf_file file = file_of("# first\n"
					 "a:\n"
					 "\tb: 1\n"
					 "\n"
					 "  # indented with blanks, a comment\n"
					 "\tc:\n"
					 "\t\t- x\n"
					 "\t\t- # no comment\n"
					 "d: e: f # g");
	struct sconf sc = sconf_start(&file);
	struct slice line, key, value;

	CHECK_EQ(sconf_count(&sc, 0), 2);
	CHECK(sconf_next(&sc, 0, &line));
	CHECK_SLICE(line, SLICE("a:"));
	CHECK(sconf_more(&sc, 1));
	CHECK_EQ(sconf_count(&sc, 1), 2);
	CHECK(sconf_next(&sc, 1, &line));
	CHECK(sconf_key(&sc, line, &key, &value));
	CHECK_SLICE(key, SLICE("b"));
	CHECK_SLICE(value, SLICE("1"));
	CHECK(!sconf_more(&sc, 2));
	CHECK(sconf_next(&sc, 1, &line));
	CHECK(sconf_next(&sc, 2, &line));
	CHECK(sconf_item(&sc, line, &value));
	CHECK_SLICE(value, SLICE("x"));
	CHECK(sconf_next(&sc, 2, &line));
	CHECK(sconf_item(&sc, line, &value));
	CHECK_SLICE(value, SLICE("# no comment"));
	CHECK(!sconf_next(&sc, 2, &line));
	CHECK(!sconf_next(&sc, 1, &line));
	CHECK(sconf_next(&sc, 0, &line));
	CHECK(sconf_key(&sc, line, &key, &value));
	CHECK_SLICE(key, SLICE("d"));
	CHECK_SLICE(value, SLICE("e: f # g"));
	CHECK(!sconf_next(&sc, 0, &line));
	CHECK_SLICE(problems(), SLICE(""));
}

static void
test_find(void)
{
	struct sconf_file file = file_of("a:\n\tx: 1\n\tb:\n\t\tx: 2\nx: 3\n");
	struct slice b, text = file.text;

	CHECK_EQ(sconf_find(&file, SLICE_NULL, "x").p - text.p, 20);
	b = sconf_find(&file, slice_head(text, 1), "b");
	CHECK_SLICE(b, SLICE("b:"));
	CHECK_SLICE(sconf_find(&file, b, "x"), SLICE("x: 2"));
	CHECK_SLICE(sconf_find(&file, b, "y"), b);
	CHECK_SLICE(sconf_find(&file, SLICE("elsewhere"), "x"),
	    SLICE("elsewhere"));
}

/* ---- a schema with every type ---- */

struct inner {
	struct slice name;
	int number;
	bool flag;
};

struct inners {
	struct inner *v;
	size_t n;
};

struct outer {
	struct slice name;
	struct slice text;
	bool flag;
	enum schema_tri tri;
	int number;
	int64_t size;
	double ratio;
	int64_t period;
	struct conf_strings strings;
	struct conf_pairs pairs;
	struct inner *inner;
	struct inners list, map;
};

static const char *
check_number(const void *value)
{
	return *(const int *)value < 100 ? NULL : "must be below 100";
}

#define IN inner
static const struct schema_field inner_fields[] = {
	{ "Number", INT(number), SCHEMA_OPTIONAL, "7", check_number,
	    "A number." },
	{ "Flag", BOOL(flag), SCHEMA_LATER, NULL, NULL, "A flag." },
};
#undef IN
static const struct schema inner = SCHEMA_OF(inner, inner_fields);

#define IN outer
static const struct schema_field outer_fields[] = {
	{ "Text", STRING(text), SCHEMA_REQUIRED, NULL, NULL, "A text." },
	{ "Flag", BOOL(flag), 0, NULL, NULL, "A flag." },
	{ "Tri", TRI(tri), 0, NULL, NULL, "May be unset." },
	{ "Number", INT(number), 0, NULL, check_number, "A number." },
	{ "Size", INT64(size), 0, NULL, NULL, "A large number." },
	{ "Ratio", FLOAT(ratio), 0, NULL, NULL, "A ratio." },
	{ "Period", DURATION(period), 0, "1h0m0s", NULL, "A period." },
	{ "Strings", STRINGS(strings), 0, "p q", NULL, "Texts." },
	{ "Pairs", PAIRS(pairs), 0, NULL, NULL, "Pairs." },
	{ "Inner", STRUCT(inner, inner, inner), 0, NULL, NULL, "Inside." },
	{ "List", LIST(list, inner, inner), 0, NULL, NULL, "Several." },
	{ "Map", MAP(map, inner, inner), 0, NULL, NULL, "By name." },
};
#undef IN
static const struct schema outer = SCHEMA_OF(outer, outer_fields);

static struct outer
parse(const char *text)
{
	struct sconf_file file = file_of(text);
	struct outer o = { .number = 0 };

	schema_parse(&outer, &file, arena, &o);
	return o;
}

static void
test_types(void)
{
	struct outer o = parse("Text:  two blanks: # and more \n"
			       "Flag: true\n"
			       "Tri: false\n"
			       "Number: -5\n"
			       "Size: 9000000000\n"
			       "Ratio: 0.125\n"
			       "Period: 1h30m\n"
			       "Strings:\n"
			       "\t- a\n"
			       "\t-b\n"
			       "\t-\n"
			       "Pairs:\n"
			       "\tk: v\n"
			       "\tz: nil\n"
			       "Inner:\n"
			       "\tNumber: 3\n"
			       "List:\n"
			       "\t-\n"
			       "\t\tNumber: 4\n"
			       "\t-\n"
			       "\t\tFlag: true\n"
			       "Map:\n"
			       "\t-x y: nil\n"
			       "\tb:\n"
			       "\t\tFlag: true\n");

	CHECK_SLICE(problems(), SLICE(""));
	CHECK_SLICE(o.text, SLICE(" two blanks: # and more "));
	CHECK(o.flag);
	CHECK_EQ(o.tri, TRI_FALSE);
	CHECK_EQ(o.number, -5);
	CHECK_EQ(o.size, 9000000000);
	CHECK(o.ratio == 0.125);
	CHECK_EQ(o.period, 5400 * SCHEMA_SECOND);
	CHECK_EQ(o.strings.n, 3);
	CHECK_SLICE(o.strings.v[1], SLICE("b"));
	CHECK_SLICE(o.strings.v[2], SLICE(""));
	CHECK_EQ(o.pairs.n, 2);
	CHECK_SLICE(o.pairs.v[0].value, SLICE("v"));
	CHECK_SLICE(o.pairs.v[1].value, SLICE(""));
	CHECK_EQ(o.inner->number, 3);
	CHECK_EQ(o.list.n, 2);
	CHECK_EQ(o.list.v[1].number, 7);
	CHECK_EQ(o.map.n, 2);
	CHECK_SLICE(o.map.v[0].name, SLICE("-x y"));
	CHECK_EQ(o.map.v[0].number, 7);
	CHECK(o.map.v[1].flag);
}

static void
test_defaults(void)
{
	struct outer o = parse("Text:\n");

	CHECK_SLICE(problems(), SLICE(""));
	CHECK_EQ(o.period, SCHEMA_HOUR);
	CHECK_EQ(o.strings.n, 2);
	CHECK_SLICE(o.strings.v[1], SLICE("q"));
	CHECK_EQ(o.tri, TRI_UNSET);
	CHECK(!o.inner);
}

static const struct {
	const char *name, *text, *problems;
} broken[] = {
	{ "unknown key", "Text: a\nColour: red\n",
	    "f:2: unknown key \"Colour\"\n" },
	{ "case of key", "Text: a\nflag: true\n",
	    "f:2: unknown key \"flag\": write it \"Flag\"\n" },
	{ "unknown block is passed over", "Colour:\n\tx:\n\t\t- 1\nText: a\n",
	    "f:1: unknown key \"Colour\"\n" },
	{ "missing", "Flag: true\n", "f: Text: required field is missing\n" },
	{ "duplicate", "Text: a\nText: b\n", "f:2: duplicate key \"Text\"\n" },
	{ "no blank", "Text:a\n",
	    "f:1: Text: a space is needed after the colon\n" },
	{ "no colon", "Text: a\nFlag\n",
	    "f:2: expected \"Key: value\" or \"Key:\", not \"Flag\"\n" },
	{ "blanks indent", "Text: a\nInner:\n    Number: 1\n    Flag: true\n",
	    "f:3: space in the indentation: indent with tabs, one for each "
	    "level (2 lines)\n" },
	{ "tab and blank", "Text: a\nInner:\n\t Number: 1\n",
	    "f:3: space in the indentation: indent with tabs, one for each "
	    "level\n" },
	{ "blank line", "Text: a\n\t\nFlag: true\n",
	    "f:2: line of blanks only: remove it, or leave it empty\n" },
	{ "too deep", "Text: a\n\tFlag: true\n\tNumber: 1\n",
	    "f:2: indented too far: expected 0 tabs, found 1\n" },
	{ "deeper still", "Text: a\nInner:\n\t\tNumber: 1\n",
	    "f:3: indented too far: expected 1 tab, found 2\n" },
	{ "nothing below", "Text: a\nInner:\nFlag: true\n",
	    "f:2: Inner: expected indented lines below\n" },
	{ "value for a struct", "Text: a\nInner: 5\n",
	    "f:2: Inner: expected indented lines below, not \"5\"\n" },
	{ "bool", "Text: a\nFlag: yes\n",
	    "f:2: Flag: must be true or false, not \"yes\"\n" },
	{ "int", "Text: a\nNumber: 12x\n",
	    "f:2: Number: must be a number, not \"12x\"\n" },
	{ "int range", "Text: a\nNumber: 3000000000\n",
	    "f:2: Number: must be a number of at most 31 bits, not "
	    "\"3000000000\"\n" },
	{ "check", "Text: a\nNumber: 100\n",
	    "f:2: Number: must be below 100, not \"100\"\n" },
	{ "float", "Text: a\nRatio: .5\n",
	    "f:2: Ratio: must be a decimal number, not \".5\"\n" },
	{ "duration", "Text: a\nPeriod: 5 days\n",
	    "f:2: Period: must be a duration such as 72h, 1h30m or 15s, not "
	    "\"5 days\"\n" },
	{ "no item", "Text: a\nStrings:\n\tx\n",
	    "f:3: expected a list item, \"- value\", not \"x\"\n" },
	{ "item of structs", "Text: a\nList:\n\t- x\n\t\tNumber: 1\n",
	    "f:3: List: expected \"-\" alone, with the fields on the lines "
	    "below\n" },
	{ "map value", "Text: a\nMap:\n\tx: 1\n",
	    "f:3: x: expected indented lines below, or nil, not \"1\"\n" },
	{ "map without value", "Text: a\nMap:\n\tx:\n",
	    "f:3: x: expected indented lines below, or nil for none\n" },
	{ "map twice", "Text: a\nMap:\n\tx: nil\n\ty: nil\n\tx: nil\n",
	    "f:5: Map: duplicate key \"x\"\n" },
	{ "not UTF-8", "Text: \xff\n",
	    "f:1: not UTF-8: save the file in this encoding\n" },
	{ "CRLF", "Text: a\r\nFlag: true\r\n",
	    "f:1: carriage return: save the file with Unix line ends\n" },
	{ "control", "Text: a\001\n", "f:1: control character 0x01\n" },
	{ "all of them", "Flag: 1\nText:b\nNumber: x\n\tz\n",
	    "f:1: Flag: must be true or false, not \"1\"\n"
	    "f:2: Text: a space is needed after the colon\n"
	    "f:3: Number: must be a number, not \"x\"\n"
	    "f:4: indented too far: expected 0 tabs, found 1\n" },
};

static void
test_broken(void)
{
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		ROW(broken[i].name);
		parse(broken[i].text);
		CHECK_SLICE(problems(), slice_str(broken[i].problems));
	}
}

/* A file with more problems than are kept. */
static void
test_many(void)
{
	struct buf b = BUF_INIT(1 << 20);

	for (int i = 0; i < 1000; i++)
		buf_addz(&b, "Colour: red\n");
	parse(buf_cstr(&b));
	CHECK_EQ(errors.n, SCONF_ERRORS_MAX);
	CHECK_EQ(errors.errors, 1001); /* and Text is missing */
	CHECK_EQ(errors.v[150].line, 151);
	buf_free(&b);
}

/* Large maps find duplicates by hash. */
static void
test_large_map(void)
{
	struct buf b = BUF_INIT(1 << 20);
	struct outer o;

	buf_addz(&b, "Text: a\nMap:\n");
	for (int i = 0; i < 5000; i++)
		buf_addf(&b, "\tk%d: nil\n", i);
	buf_addz(&b, "\tk77: nil\n");
	o = parse(buf_cstr(&b));
	CHECK_EQ(o.map.n, 5000);
	CHECK_SLICE(problems(), SLICE("f:5003: Map: duplicate key \"k77\"\n"));
	buf_free(&b);
}

/* ---- writing ---- */

static void
test_write(void)
{
	struct buf b = BUF_INIT(10000);
	struct outer o = parse("Map:\n"
			       "\tz:\n\t\tFlag: true\n"
			       "\tb: nil\n"
			       "Number: 0\n"
			       "Inner:\n\tNumber: 7\n"
			       "# gone\n"
			       "Ratio: 0.95\n"
			       "Period: 24h\n"
			       "Pairs:\n\tq: nil\n\tp: v\n"
			       "Strings:\n\t- p\n\t- q\n"
			       "Text:\n");

	schema_write(&outer, &o, &b);
	CHECK_SLICE(buf_slice(&b),
	    SLICE("Text:\n"
		  "Ratio: 0.950000\n"
		  "Period: 24h0m0s\n"
		  "Pairs:\n\tp: v\n\tq:\n"
		  "Inner:\n\tNumber: 7\n"
		  "Map:\n\tb: nil\n\tz:\n\t\tFlag: true\n"));
	buf_free(&b);
}

static void
seen(void *ctx, struct slice parent, const char *name)
{
	struct buf *b = ctx;

	buf_addf(b, "%.*s/%s ", SLICE_FMT(parent), name);
}

static void
test_later(void)
{
	struct buf b = BUF_INIT(10000);
	struct outer o = parse("Text:\n"
			       "Map:\n"
			       "\ta: nil\n"
			       "\tb:\n\t\tFlag: true\n"
			       "\tc:\n\t\tFlag: true\n");

	schema_later(&outer, &o, seen, &b);
	CHECK_SLICE(buf_slice(&b), SLICE("b/Flag "));
	buf_free(&b);
}

static void
test_duration(void)
{
	static const struct {
		const char *text;
		int64_t ns;
		const char *formatted; /* NULL: is no duration */
	} rows[] = {
		{ "0", 0, "0s" },
		{ "0s", 0, "0s" },
		{ "72h", 72 * SCHEMA_HOUR, "72h0m0s" },
		{ "1h30m", 5400 * SCHEMA_SECOND, "1h30m0s" },
		{ "90m", 5400 * SCHEMA_SECOND, "1h30m0s" },
		{ "24h0m0s", 24 * SCHEMA_HOUR, "24h0m0s" },
		{ "15s", 15 * SCHEMA_SECOND, "15s" },
		{ "1m0.5s", 60500000000, "1m0.5s" },
		{ "1.5h", 5400 * SCHEMA_SECOND, "1h30m0s" },
		{ "500ms", 500000000, "500ms" },
		{ "1.25us", 1250, "1.25\xc2\xb5s" },
		{ "3\xc2\xb5s", 3000, "3\xc2\xb5s" },
		{ "7ns", 7, "7ns" },
		{ "-2s", -2 * SCHEMA_SECOND, "-2s" },
		{ "2540400h10m10.000000001s", 9145440610000000001,
		    "2540400h10m10.000000001s" },
		{ "", 0, NULL },
		{ "-", 0, NULL },
		{ "5", 0, NULL },
		{ "1d", 0, NULL },
		{ "1h ", 0, NULL },
		{ "h", 0, NULL },
		{ "1.h", 0, NULL },
		{ "3000000h", 0, NULL },
		{ "99999999999999999999s", 0, NULL },
	};
	struct buf b = BUF_INIT(100);
	int64_t ns;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool ok = schema_duration_parse(slice_str(rows[i].text), &ns);

		ROW(rows[i].text);
		CHECK_EQ(ok, rows[i].formatted != NULL);
		if (!ok)
			continue;
		CHECK_EQ(ns, rows[i].ns);
		buf_reset(&b);
		schema_duration_format(ns, &b);
		CHECK_SLICE(buf_slice(&b), slice_str(rows[i].formatted));
	}
	buf_free(&b);
}

int
main(void)
{
	arena = arena_new(0);
	RUN(test_lines);
	RUN(test_find);
	RUN(test_types);
	RUN(test_defaults);
	RUN(test_broken);
	RUN(test_many);
	RUN(test_large_map);
	RUN(test_write);
	RUN(test_later);
	RUN(test_duration);
	arena_free(&arena);
	return unit_done();
}
