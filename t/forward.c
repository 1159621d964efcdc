/* Unit tests of lib/store/forward: the file of addresses of an account. */
#include "store/forward.h"

#include "base/buf.h"

#include "t/unit.h"

#define ROWS(rows) (sizeof(rows) / sizeof((rows)[0]))

static struct arena *arena;

/* "keep a@b c@d", or "! ERROR". */
static struct slice
parsed(struct slice text)
{
	struct slice s = SLICE_NULL;
	struct err e = ERR_INIT;
	struct forward f;

	if (forward_parse(arena, text, &f, &e) < 0)
		return arena_printf(arena, "! %s", e.text);
	if (f.keep)
		s = SLICE(" keep");
	for (size_t i = 0; i < f.n; i++)
		s = arena_printf(arena, "%.*s %.*s", SLICE_FMT(s),
		    SLICE_FMT(f.to[i]));
	return slice_skip(s, 1);
}

static void
test_parse(void)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "", "keep" },
		{ "# nothing\n\n", "keep" },
		{ "keep", "keep" },
		{ "a@example.org", "a@example.org" },
		{ "a@example.org\nkeep\n", "keep a@example.org" },
		{ "  a@example.org \r\n\t# b@example.org\n&c@example.net\n",
		    "a@example.org c@example.net" },
		{ "a@example.org\nA@EXAMPLE.ORG\na@example.org",
		    "a@example.org" },
		{ "\"a b\"@example.org", "\"a b\"@example.org" },
		{ "\"ab\"@example.org", "ab@example.org" },
		{ "\xc3\xa9@\xc3\xa9.example", "\xc3\xa9@\xc3\xa9.example" },
	};
	static const char *const bad[] = {
		"a",
		"Keep",
		"keep it",
		"a@b.example c@d.example",
		"a@b.example, c@d.example",
		"|vacation",
		"./Maildir/",
		"<a@example.org>",
		"a@example.org # office",
		"&",
		"a@",
		"@example.org",
		"a@exa mple.org",
		"a@example.org\x01",
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		ROW(rows[i].text);
		CHECK_SLICE(parsed(slice_str(rows[i].text)),
		    slice_str(rows[i].want));
	}
	for (size_t i = 0; i < ROWS(bad); i++) {
		ROW(bad[i]);
		CHECK(slice_starts(parsed(arena_printf(arena, "# one\n%s\n",
				       bad[i])),
		    SLICE("! forward, line 2: ")));
	}
}

static void
test_limit(void)
{
	struct buf b = BUF_INIT(100000);
	struct err e = ERR_INIT;
	struct forward f;

	for (int i = 0; i < FORWARD_MAX; i++)
		buf_addf(&b, "a%d@example.org\n", i);
	CHECK_EQ(forward_parse(arena, buf_slice(&b), &f, &e), 0);
	CHECK_EQ(f.n, FORWARD_MAX);
	buf_addz(&b, "a0@example.org\n");
	CHECK_EQ(forward_parse(arena, buf_slice(&b), &f, &e), 0);
	buf_addz(&b, "more@example.org\n");
	CHECK_EQ(forward_parse(arena, buf_slice(&b), &f, &e), -1);
	CHECK_EQ(e.kind, ERR_LIMIT);
	buf_free(&b);
}

int
main(void)
{
	arena = arena_new(0);
	RUN(test_parse);
	RUN(test_limit);
	arena_free(&arena);
	return unit_done();
}
