/* Unit test of lib/store/uidlist.c. */
#include "store/store_int.h"
#include "t/scratch.h"

/* Each list, then pairs of base name and UID wanted. */
static const struct {
	const char *name, *file, *text;
	int rc;
	uint32_t uidvalidity, uidnext;
	size_t n;
	struct {
		const char *base;
		uint32_t uid;
	} want[5];
} rows[] = {
	{ "version 3", "dovecot-uidlist",
	    "3 V1275660208 N25022 G3085f01b7f11094c501100008c4a11c1\n"
	    "25006 :1276528487.M364837P9451.kurkku,S=1355,W=1394:2,\n"
	    "25017 W2481 S2440 :1276533073.M242911P3632.kurkku:2,F\n",
	    1, 1275660208, 25022, 2,
	    { { "1276528487.M364837P9451.kurkku,S=1355,W=1394", 25006 },
		{ "1276533073.M242911P3632.kurkku", 25017 }, { "other", 0 } } },
	{ "version 1", "dovecot-uidlist", "1 7 4\n1 a\n3 b:2,S\n", 1, 7, 4, 2,
	    { { "a", 1 }, { "b", 3 } } },
	{ "Courier", "courierimapuiddb",
	    "1 1015917760 5\n1 1015917802.M95P26.host\n4 x\n", 1, 1015917760, 5,
	    2, { { "1015917802.M95P26.host", 1 }, { "x", 4 } } },
	{ "no end of line", "dovecot-uidlist", "3 V1 N9\n8 :a", 1, 1, 9, 1,
	    { { "a", 8 } } },
	{ "no messages", "dovecot-uidlist", "3 V1 N9\n", 1, 1, 9, 0,
	    { { "a", 0 } } },
	{ "nonsense between", "dovecot-uidlist",
	    "3 V1 N9\n\n1\nx :a\n2 a\n0 :b\n-1 :c\n4294967295 :d\n3 :\n4 :e\n",
	    1, 1, 9, 1, { { "e", 4 }, { "a", 0 }, { "b", 0 }, { "d", 0 } } },
	{ "first of two counts", "dovecot-uidlist",
	    "3 V1 N9\n2 :a\n2 :b\n3 :a\n1 :c\n", 1, 1, 9, 3,
	    { { "a", 2 }, { "b", 0 }, { "c", 1 } } },
	{ "next too low", "dovecot-uidlist", "3 V1 N2\n7 :a\n", 1, 1, 8, 1,
	    { { "a", 7 } } },
	{ "fields behind", "dovecot-uidlist", "1 7 4 x y\n1 a\n", 1, 7, 4, 1,
	    { { "a", 1 } } },
	{ "empty", "dovecot-uidlist", "", 0, 0, 0, 0, { { "a", 0 } } },
	{ "no UIDVALIDITY", "dovecot-uidlist", "3 N2\n1 :a\n", 0, 0, 0, 0,
	    { { "a", 0 } } },
	{ "UIDVALIDITY 0", "dovecot-uidlist", "1 0 2\n1 a\n", 0, 0, 0, 0,
	    { { "a", 0 } } },
	{ "unknown version", "dovecot-uidlist", "4 V1 N2\n1 :a\n", 0, 0, 0, 0,
	    { { "a", 0 } } },
	{ "too large", "dovecot-uidlist", "3 V1 N4294967295\n1 :a\n", 0, 0, 0,
	    0, { { "a", 0 } } },
};

static void
test_rows(void)
{
	struct uidlist u;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ROW(rows[i].name);
		scratch_put(rows[i].file, slice_str(rows[i].text));
		CHECK_EQ(uidlist_read(&u, scratch_fd, NULL), rows[i].rc);
		CHECK_EQ(u.uidvalidity, rows[i].uidvalidity);
		CHECK_EQ(u.uidnext, rows[i].uidnext);
		CHECK_EQ(u.n, rows[i].n);
		for (size_t k = 0; rows[i].want[k].base; k++)
			CHECK_EQ(uidlist_uid(&u,
				     slice_str(rows[i].want[k].base)),
			    rows[i].want[k].uid);
		uidlist_free(&u);
		unlinkat(scratch_fd, rows[i].file, 0);
	}
	ROW("");
	CHECK_EQ(uidlist_read(&u, scratch_fd, NULL), 0);
	uidlist_free(&u);
}

/* Dovecot's is the newer where both are. */
static void
test_both(void)
{
	struct uidlist u;

	scratch_put("courierimapuiddb", SLICE("1 5 9\n1 a\n"));
	scratch_put("dovecot-uidlist", SLICE("3 V6 N9\n2 :a\n"));
	CHECK_EQ(uidlist_read(&u, scratch_fd, NULL), 1);
	CHECK_EQ(u.uidvalidity, 6);
	CHECK_EQ(uidlist_uid(&u, SLICE("a")), 2);
	uidlist_free(&u);
	scratch_put("dovecot-uidlist", SLICE("bogus"));
	CHECK_EQ(uidlist_read(&u, scratch_fd, NULL), 1);
	CHECK_EQ(u.uidvalidity, 5);
	uidlist_free(&u);
}

static void
test_many(void)
{
	struct buf text = BUF_INIT(SIZE_MAX);
	struct uidlist u;
	char base[40];

	buf_addz(&text, "3 V1 N1\n");
	for (int i = 100000; i > 0; i--)
		buf_addf(&text, "%d W1 :%d.M1.host:2,S\n", i, i);
	scratch_put("dovecot-uidlist", buf_slice(&text));
	buf_free(&text);
	CHECK_EQ(uidlist_read(&u, scratch_fd, NULL), 1);
	CHECK_EQ(u.n, 100000);
	CHECK_EQ(u.uidnext, 100001);
	for (int i = 1; i <= 100000; i += 7) {
		snprintf(base, sizeof(base), "%d.M1.host", i);
		CHECK_EQ(uidlist_uid(&u, slice_str(base)), i);
	}
	uidlist_free(&u);
}

static struct buf seen = BUF_INIT(SIZE_MAX);

static void
note(void *arg, struct slice base, const struct slice *keywords, size_t n)
{
	CHECK(arg == &seen);
	buf_add(&seen, base);
	for (size_t i = 0; i < n; i++)
		buf_addf(&seen, "+%.*s", SLICE_FMT(keywords[i]));
	buf_addc(&seen, ' ');
}

static void
test_keywords(void)
{
	CHECK_EQ(uidlist_courier_keywords(scratch_fd, note, &seen, NULL), 0);
	CHECK_EQ(mkdirat(scratch_fd, "courierimapkeywords", 0700), 0);
	scratch_put("courierimapkeywords/:list",
	    SLICE("$Forwarded\nwork\n\n"
		  "1.x.h:0 1\n2.x.h:1\n3.x.h:\n4.x.h:7 x 0\n:1\nbad\n"));
	CHECK_EQ(uidlist_courier_keywords(scratch_fd, note, &seen, NULL), 1);
	CHECK_SLICE(buf_slice(&seen),
	    SLICE("1.x.h+$Forwarded+work "
		  "2.x.h+work 4.x.h+$Forwarded "));
	buf_free(&seen);
}

int
main(void)
{
	scratch_begin();
	RUN(test_rows);
	RUN(test_both);
	RUN(test_many);
	RUN(test_keywords);
	scratch_end();
	return unit_done();
}
