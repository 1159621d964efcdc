/* Unit test of queue/suppress.c. */
#include "queue/suppress.h"
#include "t/scratch.h"

static struct clock fake;
static struct queue queue;
static struct suppress *s;
static struct arena *arena;

static const struct slice anna = { "anna", 4 };

static void
test_base(void)
{
	static const struct {
		const char *address, *base;
	} rows[] = {
		{ "bob@example.org", "bob@example.org" },
		{ "Bob.Smith+list-x@Example.ORG", "bobsmith@example.org" },
		{ "bob-x+y@example.org", "bob@example.org" },
		{ "bob+x-y@example.org", "bob@example.org" },
		{ "\"a b\"@example.org", "a b@example.org" },
		{ "+x@example.org", "+x@example.org" },
		{ "-@example.org", "-@example.org" },
		{ "b@b\xc3\xbc"
		  "cher.example",
		    "b@xn--bcher-kva.example" },
		{ "no address", "no address" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		ROW(rows[i].address);
		CHECK_SLICE(suppress_base(arena, slice_str(rows[i].address)),
		    slice_str(rows[i].base));
	}
}

static int
find(const char *account, const char *address)
{
	return suppress_find(s, slice_str(account), slice_str(address), arena,
	    NULL, NULL);
}

static void
test_list(void)
{
	struct suppress_entry entry, *v;
	struct slice *names, a = SLICE("Bob.x+y@example.org");
	size_t n;

	CHECK_EQ(find("anna", "bob@example.org"), 0);
	CHECK_EQ(suppress_add(s, anna, a, true, SLICE("no\nmore"), NULL), 1);
	CHECK_EQ(suppress_add(s, anna, a, false, SLICE_NULL, NULL), 0);
	CHECK_EQ(find("anna", "BOBX@example.org"), 1);
	CHECK_EQ(find("anna", "bob@example.org"), 0);
	CHECK_EQ(find("bob", "bobx@example.org"), 0);
	CHECK_EQ(suppress_find(s, anna, a, arena, &entry, NULL), 1);
	CHECK_SLICE(entry.base, SLICE("bobx@example.org"));
	CHECK_SLICE(entry.address, a);
	CHECK_SLICE(entry.reason, SLICE("no more"));
	CHECK_EQ(entry.created_us, fake.fake_us);
	CHECK(entry.manual);
	CHECK_EQ(suppress_add(s, anna, SLICE("c@x"), false,
		     SLICE("550 5.1.1 no"), NULL),
	    1);
	CHECK_EQ(suppress_add(s, SLICE("b/o"), SLICE("c@x"), true, SLICE_NULL,
		     NULL),
	    1);
	CHECK_EQ(suppress_accounts(s, arena, &names, &n, NULL), 0);
	CHECK_EQ(n, 2);
	CHECK_SLICE(names[1], SLICE("b/o"));
	CHECK_EQ(suppress_list(s, anna, arena, &v, &n, NULL), 0);
	CHECK_EQ(n, 2);
	CHECK_SLICE(v[1].base, SLICE("c@x"));
	CHECK(!v[1].manual);
	CHECK_SLICE(v[1].reason, SLICE("550 5.1.1 no"));
	CHECK_EQ(suppress_remove(s, anna, SLICE("bobx+z@EXAMPLE.org"), NULL),
	    1);
	CHECK_EQ(suppress_remove(s, anna, a, NULL), 0);
	CHECK_EQ(find("anna", "bobx@example.org"), 0);
	CHECK_EQ(find("anna", "c@x"), 1);
	CHECK_EQ(suppress_remove(s, anna, SLICE("c@x"), NULL), 1);
	CHECK(!scratch_has("queue/suppress/anna"));
	CHECK_EQ(suppress_drop(s, SLICE("b/o"), NULL), 0);
	CHECK_EQ(suppress_drop(s, SLICE("b/o"), NULL), 0);
	CHECK_EQ(find("b/o", "c@x"), 0);
}

/* What scripts and people do with the file. */
static void
test_edited(void)
{
	scratch_put("queue/suppress/anna",
	    SLICE("# by hand\n\na@x\nb@x 2026-01-01T00:00:00Z\n"));
	CHECK_EQ(find("anna", "a@x"), 1);
	CHECK_EQ(find("anna", "B@X"), 1);
	CHECK_EQ(find("anna", "c@x"), 0);
	scratch_append("queue/suppress/anna", SLICE("c@x\nd@"));
	CHECK_EQ(find("anna", "c@x"), 1);
	CHECK_EQ(find("anna", "d@x"), 0);
	scratch_append("queue/suppress/anna", SLICE("x\n"));
	CHECK_EQ(find("anna", "d@x"), 1);
	/* In place, of the same size; then shorter, longer. */
	scratch_put("queue/suppress/anna",
	    SLICE("# by hand\n\ne@x\nb@x 2026-01-01T00:00:00Z\nc@x\nf@x\n"));
	CHECK_EQ(find("anna", "f@x"), 1);
	CHECK_EQ(find("anna", "d@x"), 0);
	scratch_put("queue/suppress/anna", SLICE("g@x\n"));
	CHECK_EQ(find("anna", "g@x"), 1);
	CHECK_EQ(find("anna", "c@x"), 0);
	scratch_put("queue/suppress/anna", SLICE("# longer\nh@x\ni@x\n"));
	CHECK_EQ(find("anna", "g@x"), 0);
	CHECK_EQ(find("anna", "i@x"), 1);
	/* A torn line is ended by the next. */
	scratch_append("queue/suppress/anna", SLICE("j@x 2026"));
	CHECK_EQ(suppress_add(s, anna, SLICE("k@x"), false, SLICE_NULL, NULL),
	    1);
	CHECK_EQ(find("anna", "k@x"), 1);
	CHECK_EQ(find("anna", "j@x"), 1);
	CHECK_EQ(suppress_drop(s, anna, NULL), 0);
	CHECK_EQ(find("anna", "k@x"), 0);
}

static int
failed(const char *address, const char *reply)
{
	return suppress_failed(s, anna, slice_str(address), slice_str(reply),
	    NULL);
}

static void
test_codes(void)
{
	static const struct {
		const char *reply;
		int added;
	} rows[] = {
		{ "550 5.1.1 no such user", 1 },
		{ "550 no", 1 },
		{ "551 5.7.0 moved", 1 },
		{ "521 5.0.0 no mail here", 1 },
		{ "553 x", 1 },
		{ "556 5.1.10 null MX", 1 },
		{ "554 5.1.6 moved", 1 },
		{ "554 5.2.1 disabled", 1 },
		{ "554 5.7.1 you may not", 1 },
		{ "552 5.1.2 x", 1 },
		{ "554 5.1.3 x", 1 },
		{ "554 5.7.26 x", 0 },
		{ "554 5.1.10 x", 0 },
		{ "554 no", 0 },
		{ "552 5.2.2 full", 0 },
		{ "450 4.1.1 later", 0 },
		{ "after 8 attempts: 550 5.1.1 x", 0 },
		{ "the delivery ended without a result", 0 },
		{ "", 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *to = arena_printf(arena, "code%zu@x", i).p;
		ROW(rows[i].reply);
		CHECK_EQ(failed(to, rows[i].reply), rows[i].added);
		CHECK_EQ(find("anna", to), rows[i].added);
	}
}

/* Three in a row, to the very address. */
static void
test_in_a_row(void)
{
	CHECK_EQ(failed("r.r@x", "554 no"), 0);
	CHECK_EQ(failed("rr@x", "554 no"), 0);
	CHECK_EQ(failed("r.R@x", "after 8 attempts: 450 busy"), 0);
	CHECK_EQ(suppress_delivered(s, anna, SLICE("r.r@x"), NULL), 0);
	CHECK_EQ(failed("r.r@x", "554 no"), 0);
	CHECK_EQ(failed("r.r@x", "after 8 attempts: 450 busy"), 0);
	CHECK_EQ(failed("r.r@x", "450 busy"), 0);
	CHECK_EQ(failed("r.r@x", "554 no"), 1);
	CHECK_EQ(find("anna", "r.r@x"), 1);
	/* Once removed, it begins anew. */
	CHECK_EQ(suppress_remove(s, anna, SLICE("r.r@x"), NULL), 1);
	CHECK_EQ(failed("r.r@x", "554 no"), 0);
	CHECK_EQ(failed("r.r@x", "554 no"), 0);
	CHECK_EQ(failed("r.r@x", "554 no"), 1);
	CHECK_EQ(suppress_delivered(s, anna, SLICE("never@x"), NULL), 0);
}

/* However many fail, the file is bounded. */
static void
test_many(void)
{
	struct buf text = BUF_INIT(SUPPRESS_FILE_MAX);

	for (int i = 0; i < 25000; i++) {
		const char *to = arena_printf(arena, "many%d@x", i).p;
		if (failed(to, "554 no") != 0) {
			UNIT_FAIL("%s", to);
			break;
		}
	}
	CHECK(scratch_get("queue/failures/anna", &text).n < 1500000);
	CHECK_EQ(failed("many24999@x", "554 no"), 0);
	CHECK_EQ(failed("many24999@x", "554 no"), 1);
	buf_free(&text);
}

int
main(void)
{
	scratch_begin();
	arena = arena_new(0);
	clock_fake(&fake, INT64_C(1796051045000000));
	CHECK_EQ(queue_open(&queue, scratch_fd, -1, &fake, NULL, NULL), 0);
	s = suppress_new(&queue);
	RUN(test_base);
	RUN(test_list);
	RUN(test_edited);
	RUN(test_codes);
	RUN(test_in_a_row);
	RUN(test_many);
	suppress_free(&s);
	queue_close(&queue);
	arena_free(&arena);
	scratch_end();
	return unit_done();
}
