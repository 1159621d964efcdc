/* Unit tests of lib/message/thread. */
#include "message/thread.h"

#include "t/unit.h"

static void
test_base_subject(void)
{
	static const struct {
		const char *subject, *base;
		bool reply;
	} rows[] = {
		{ "Hello", "hello", false },
		{ "  a \t b  ", "a b", false },
		{ "Re: Hello", "hello", true },
		{ "RE : hello", "hello", true },
		{ "Re[2]: hello", "hello", true },
		{ "fwd: Fw: re:x", "x", true },
		{ "hello (fwd) ", "hello", true },
		{ "hello (FWD)(fwd)", "hello", true },
		{ "[list] hello", "hello", false },
		{ "[list] [b] Re: [c]d", "d", true },
		{ "Re: [list] Re: d", "d", true },
		{ "[only]", "[only]", false },
		{ "[a][only]", "[only]", false },
		{ "Re: [only]", "[only]", true },
		{ "[fwd: Re: hello]", "hello", true },
		{ "[Fwd: [Fwd: hello] ]", "hello", true },
		{ "[fwd:]", "", true },
		{ "re", "re", false },
		{ "Reply: x", "reply: x", false },
		{ "", "", false },
		{ "Re:", "", true },
		{ "[a [b] c", "[a [b] c", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf b = BUF_INIT(1000);

		ROW(rows[i].subject);
		CHECK_EQ(thread_base_subject(&b, slice_str(rows[i].subject)),
		    rows[i].reply);
		CHECK_SLICE(buf_slice(&b), slice_str(rows[i].base));
		buf_free(&b);
	}
}

static void
test_many_blobs(void)
{
	struct buf b = BUF_INIT(1000000), out = BUF_INIT(1000000);

	for (int i = 0; i < 100000; i++)
		buf_addz(&b, "[x]");
	thread_base_subject(&out, buf_slice(&b));
	CHECK_SLICE(buf_slice(&out), SLICE("[x]"));
	buf_free(&b);
	buf_free(&out);
}

static void
test_ids(void)
{
	struct slice rest = SLICE("<a@b> and <C@d>\r\n <\"x y\"@z>,<lost <e@f>"
				  " <> <g@h> <i@j");
	static const char *const want[] = { "a@b", "C@d", "\"x y\"@z", "e@f",
		"g@h" };
	struct slice id;
	size_t n = 0;

	for (; thread_next_id(&rest, &id); n++)
		if (n < 5)
			CHECK_SLICE(id, slice_str(want[n]));
	CHECK_EQ(n, 5);
}

static void
test_canonical(void)
{
	static const struct {
		const char *id, *canonical;
	} rows[] = {
		{ "A.b@Example.ORG", "a.b@example.org" },
		{ "\"x y\"@z", "xy@z" },
		{ "\"a\\\"b\"@z", "a\"b@z" },
		{ "no-at", "no-at" },
		{ "a b @ c", "ab@c" },
		{ "a@b@c", "a@b@c" },
		{ "\"@", "\"@" },
		{ "", "" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf b = BUF_INIT(1000);

		ROW(rows[i].id);
		thread_canonical_id(&b, slice_str(rows[i].id));
		CHECK_SLICE(buf_slice(&b), slice_str(rows[i].canonical));
		buf_free(&b);
	}
}

int
main(void)
{
	RUN(test_base_subject);
	RUN(test_many_blobs);
	RUN(test_ids);
	RUN(test_canonical);
	return unit_done();
}
