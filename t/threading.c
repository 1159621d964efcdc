/* Unit tests of imap/threading: trees of RFC 5256. */
#include "imap/threading.h"

#include "unit.h"

static struct arena *arena;

static uint32_t
number_of(void *ctx, const struct thread_message *m)
{
	(void)ctx;
	return m->number;
}

#define ALL 20

/* Numbers are in the order of the rows; when: seconds. */
static const struct {
	const char *name;
	enum thread_algorithm how;
	struct {
		uint32_t number;
		int64_t when;
		const char *id, *refs, *subject;
		bool reply;
	} in[ALL];
	const char *out;
} rows[] = {
	{ "none", THREAD_REFERENCES, { { 0 } }, "" },
	/* RFC 5256, 4: the examples of THREAD responses. */
	{ "RFC, example 1", THREAD_REFERENCES,
	    { { 2, 1, "2", "", "a", 0 }, { 3, 2, "3", "", "b", 0 },
		{ 4, 4, "4", "3 6", "b", 1 }, { 6, 3, "6", "3", "b", 1 },
		{ 7, 7, "7", "3 6 44", "b", 1 }, { 23, 5, "23", "4", "b", 1 },
		{ 44, 6, "44", "6", "b", 1 }, { 96, 8, "96", "7", "b", 1 } },
	    "(2)(3 6 (4 23)(44 7 96))" },
	{ "RFC, example 2: parent is not there", THREAD_REFERENCES,
	    { { 3, 1, "3", "x", "a", 1 }, { 5, 2, "5", "x", "a", 1 } },
	    "((3)(5))" },
	{ "one child of a dummy", THREAD_REFERENCES,
	    { { 1, 1, "1", "x y", "", 0 } }, "(1)" },
	{ "dummies within go", THREAD_REFERENCES,
	    { { 1, 1, "1", "", "", 0 }, { 2, 2, "2", "1 x y", "", 0 },
		{ 3, 3, "3", "1 x z", "", 0 } },
	    "(1 (2)(3))" },
	{ "no ids", THREAD_REFERENCES,
	    { { 1, 3, "", "", "", 0 }, { 2, 1, "", "", "", 0 },
		{ 3, 2, "", "", "", 0 } },
	    "(2)(3)(1)" },
	{ "the same time: by number", THREAD_REFERENCES,
	    { { 1, 1, "1", "", "", 0 }, { 2, 1, "2", "", "", 0 } }, "(1)(2)" },
	{ "the same id: the first has it", THREAD_REFERENCES,
	    { { 1, 1, "1", "", "", 0 }, { 2, 2, "1", "", "", 0 },
		{ 3, 3, "3", "1", "", 0 } },
	    "(1 3)(2)" },
	{ "loops", THREAD_REFERENCES,
	    { { 1, 1, "1", "2", "", 0 }, { 2, 2, "2", "1", "", 0 },
		{ 3, 3, "3", "3", "", 0 } },
	    "(2 1)(3)" },
	{ "a loop of three", THREAD_REFERENCES,
	    { { 1, 1, "1", "3", "", 0 }, { 2, 2, "2", "1", "", 0 },
		{ 3, 3, "3", "2", "", 0 } },
	    "(3 1 2)" },
	{ "own references count more than others'", THREAD_REFERENCES,
	    { { 1, 1, "1", "", "", 0 }, { 2, 5, "5", "1 4", "", 0 },
		{ 3, 3, "3", "1", "", 0 }, { 4, 4, "4", "1 3", "", 0 } },
	    "(1 3 4 2)" },
	{ "a parent that comes later", THREAD_REFERENCES,
	    { { 1, 9, "1", "2", "", 0 }, { 2, 1, "2", "", "", 0 } }, "(2 1)" },
	/* Step 5 */
	{ "a reply by subject", THREAD_REFERENCES,
	    { { 1, 1, "1", "", "s", 0 }, { 2, 2, "2", "", "s", 1 } }, "(1 2)" },
	{ "the reply is older", THREAD_REFERENCES,
	    { { 1, 1, "1", "", "s", 1 }, { 2, 2, "2", "", "s", 0 } }, "(2 1)" },
	{ "no reply: siblings", THREAD_REFERENCES,
	    { { 1, 1, "1", "", "s", 0 }, { 2, 2, "2", "", "s", 0 },
		{ 3, 3, "3", "", "s", 0 } },
	    "((1)(2)(3))" },
	{ "two replies: siblings", THREAD_REFERENCES,
	    { { 1, 1, "1", "", "s", 1 }, { 2, 2, "2", "", "s", 1 } },
	    "((1)(2))" },
	{ "two dummies", THREAD_REFERENCES,
	    { { 1, 1, "1", "x", "s", 1 }, { 2, 2, "2", "x", "s", 1 },
		{ 3, 3, "3", "y", "s", 1 }, { 4, 4, "4", "y", "s", 1 } },
	    "((1)(2)(3)(4))" },
	{ "a dummy and another", THREAD_REFERENCES,
	    { { 1, 1, "1", "", "s", 0 }, { 2, 2, "2", "y", "s", 1 },
		{ 3, 3, "3", "y", "s", 1 } },
	    "((1)(2)(3))" },
	{ "empty subjects are not the same", THREAD_REFERENCES,
	    { { 1, 1, "1", "", "", 0 }, { 2, 2, "2", "", "", 1 } }, "(1)(2)" },
	/* draft-ietf-morg-inthread */
	{ "REFS: subjects do not count", THREAD_REFS,
	    { { 1, 1, "1", "", "s", 0 }, { 2, 2, "2", "", "s", 1 } },
	    "(1)(2)" },
	{ "REFS: by the newest", THREAD_REFS,
	    { { 1, 1, "1", "", "", 0 }, { 2, 2, "2", "", "", 0 },
		{ 3, 3, "3", "1", "", 0 } },
	    "(2)(1 3)" },
	{ "ORDEREDSUBJECT", THREAD_ORDEREDSUBJECT,
	    { { 1, 5, "", "", "b", 0 }, { 2, 2, "", "", "a", 0 },
		{ 3, 3, "", "", "a", 0 }, { 4, 4, "", "", "a", 0 },
		{ 5, 1, "", "", "c", 0 }, { 6, 6, "", "", "b", 0 } },
	    "(5)(2 (3)(4))(1 6)" },
};

static void
test_rows(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct thread_message v[ALL];
		struct buf b = BUF_INIT(1000);
		size_t n = 0;

		ROW(rows[i].name);
		for (; n < ALL && rows[i].in[n].number; n++)
			v[n] = (struct thread_message){ rows[i].in[n].number,
				rows[i].in[n].when, slice_str(rows[i].in[n].id),
				slice_str(rows[i].in[n].refs),
				slice_str(rows[i].in[n].subject),
				rows[i].in[n].reply };
		imap_put_threads(&b, imap_thread(arena, rows[i].how, v, n),
		    number_of, NULL);
		CHECK_SLICE(buf_slice(&b), slice_str(rows[i].out));
		buf_free(&b);
		arena_reset(arena);
	}
}

/* Every message is told once, however deep, wide or looped its references. */
static void
check_large(enum thread_algorithm how, int shape)
{
	enum { N = 50000 };
	struct thread_message *v = arena_array(arena, N, sizeof(*v));
	struct buf b = BUF_INIT(16 << 20);
	size_t digits = 0;
	long depth = 0;

	for (uint32_t i = 0; i < N; i++) {
		uint32_t to = shape == 0 ? i - 1 /* a chain, oldest first */
		    : shape == 1         ? i + 1 /* the same from its end */
		    : shape == 2         ? i * 7 % N
					 : i / 2; /* a tree */
		v[i].number = i + 1;
		v[i].sent = i;
		v[i].id = arena_printf(arena, "%u", i);
		v[i].refs = arena_printf(arena, "%u", to);
		v[i].subject = arena_printf(arena, "%u", i % 100);
		v[i].reply = i % 3;
	}
	imap_put_threads(&b, imap_thread(arena, how, v, N), number_of, NULL);
	CHECK(!b.over);
	for (size_t i = 0; i < b.n; i++) {
		bool digit = b.p[i] >= '0' && b.p[i] <= '9';
		digits += digit && (i == 0 || b.p[i - 1] < '0');
		depth += b.p[i] == '(' ? 1 : b.p[i] == ')' ? -1 : 0;
	}
	CHECK_EQ(digits, N);
	CHECK_EQ(depth, 0);
	buf_free(&b);
	arena_reset(arena);
}

static void
test_large(void)
{
	for (int shape = 0; shape < 4; shape++) {
		check_large(THREAD_REFERENCES, shape);
		check_large(THREAD_REFS, shape);
		check_large(THREAD_ORDEREDSUBJECT, shape);
	}
}

int
main(void)
{
	arena = arena_new(0);
	RUN(test_rows);
	RUN(test_large);
	arena_free(&arena);
	return unit_done();
}
