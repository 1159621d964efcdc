/* Unit test of lib/db/cdb.c, against tinycdb both ways. */
#include "db/cdb.h"

#include <cdb.h>

#include "t/scratch.h"

static struct slice
numbered(const char *what, int i)
{
	static char text[2][64];
	static int turn;

	turn = !turn;
	return slice_of(text[turn],
	    (size_t)snprintf(text[turn], sizeof(text[turn]), "%s%d", what, i));
}

static void
test_round_trip(void)
{
	struct db_cdb_make *m;
	struct db_cdb *c;
	struct slice key, value;
	unsigned pos = 0;
	int n = 0;

	CHECK_EQ(db_cdb_open(&c, scratch_fd, "t.cdb", NULL), 0);
	CHECK_EQ(db_cdb_make_start(&m, scratch_fd, "t.cdb", 0600, NULL), 0);
	for (int i = 0; i < 5000; i++)
		db_cdb_make_add(m, numbered("key", i), numbered("value", i));
	db_cdb_make_add(m, SLICE("twice"), SLICE("first"));
	db_cdb_make_add(m, SLICE("twice"), SLICE("second"));
	db_cdb_make_add(m, SLICE("none"), SLICE_NULL);
	CHECK_EQ(db_cdb_make_commit(m, NULL), 0);
	db_cdb_make_free(&m);

	CHECK_EQ(db_cdb_open(&c, scratch_fd, "t.cdb", NULL), 1);
	for (int i = 0; i < 5000; i++) {
		CHECK_EQ(db_cdb_get(c, numbered("key", i), &value, NULL), 1);
		CHECK_SLICE(value, numbered("value", i));
	}
	CHECK_EQ(db_cdb_get(c, SLICE("key5000"), &value, NULL), 0);
	CHECK_EQ(db_cdb_get(c, SLICE(""), &value, NULL), 0);
	CHECK_EQ(db_cdb_get(c, SLICE("twice"), &value, NULL), 1);
	CHECK_SLICE(value, SLICE("first"));
	CHECK_EQ(db_cdb_get(c, SLICE("none"), &value, NULL), 1);
	CHECK_EQ(value.n, 0);
	while (db_cdb_next(c, &pos, &key, &value)) {
		if (n < 5000)
			CHECK_SLICE(key, numbered("key", n));
		n++;
	}
	CHECK_EQ(n, 5003);
	db_cdb_close(&c);
	db_cdb_close(&c);
}

/* tinycdb reads what we write. */
static void
test_ours_to_tinycdb(void)
{
	int fd = openat(scratch_fd, "t.cdb", O_RDONLY);
	struct cdb c;
	unsigned pos;
	int n = 0;

	CHECK_EQ(cdb_init(&c, fd), 0);
	CHECK_EQ(cdb_find(&c, "key4711", 7), 1);
	CHECK_SLICE(slice_of(cdb_getdata(&c), cdb_datalen(&c)),
	    SLICE("value4711"));
	for (cdb_seqinit(&pos, &c); cdb_seqnext(&pos, &c) > 0;)
		n++;
	CHECK_EQ(n, 5003);
	cdb_free(&c);
	close(fd);
}

static void
test_tinycdb_to_ours(void)
{
	int fd = openat(scratch_fd, "u.cdb", O_RDWR | O_CREAT, 0600);
	struct slice value;
	struct cdb_make m;
	struct db_cdb *c;

	CHECK_EQ(cdb_make_start(&m, fd), 0);
	CHECK_EQ(cdb_make_add(&m, "k", 1, "v1", 2), 0);
	CHECK_EQ(cdb_make_finish(&m), 0);
	close(fd);
	CHECK_EQ(db_cdb_open(&c, scratch_fd, "u.cdb", NULL), 1);
	CHECK_EQ(db_cdb_get(c, SLICE("k"), &value, NULL), 1);
	CHECK_SLICE(value, SLICE("v1"));
	db_cdb_close(&c);
}

/* A streamed value is aligned whatever stands before it, and a private map
 * of it can be written without changing the file. */
static void
test_array(void)
{
	static const uint64_t numbers[1000] = { 1, 2, 3 };
	struct slice value, array;
	struct db_cdb_make *m;
	struct db_cdb *c;

	for (int i = 0; i < 9; i++) {
		CHECK_EQ(db_cdb_make_start(&m, scratch_fd, "a.cdb", 0600, NULL),
		    0);
		db_cdb_make_add(m, SLICE("x"),
		    slice_head(SLICE("12345678"), (size_t)i));
		db_cdb_make_begin(m, SLICE("array"), 100 * sizeof(numbers));
		for (int k = 0; k < 100; k++)
			db_cdb_make_write(m,
			    slice_of((const char *)numbers, sizeof(numbers)));
		db_cdb_make_add(m, SLICE("y"), SLICE("after"));
		CHECK_EQ(db_cdb_make_commit(m, NULL), 0);
		db_cdb_make_free(&m);

		CHECK_EQ(db_cdb_open_private(&c, scratch_fd, "a.cdb", NULL), 1);
		CHECK_EQ(db_cdb_get(c, SLICE("array"), &array, NULL), 1);
		CHECK_EQ(array.n, 100 * sizeof(numbers));
		CHECK_EQ((uintptr_t)array.p % 8, 0);
		CHECK(memcmp(array.p, numbers, sizeof(numbers)) == 0);
		((uint64_t *)(uintptr_t)array.p)[1] = 77;
		CHECK_EQ(db_cdb_get(c, SLICE("y"), &value, NULL), 1);
		CHECK_SLICE(value, SLICE("after"));
		db_cdb_close(&c);
		CHECK_EQ(db_cdb_open(&c, scratch_fd, "a.cdb", NULL), 1);
		CHECK_EQ(db_cdb_get(c, SLICE("array"), &array, NULL), 1);
		CHECK(memcmp(array.p, numbers, sizeof(numbers)) == 0);
		db_cdb_close(&c);
	}
}

static void
test_misuse(void)
{
	struct err e = ERR_INIT;
	struct db_cdb_make *m;

	CHECK_EQ(db_cdb_make_start(&m, scratch_fd, "m.cdb", 0600, &e), 0);
	db_cdb_make_begin(m, SLICE("k"), 10);
	db_cdb_make_write(m, SLICE("123456789"));
	CHECK_EQ(db_cdb_make_finish(m, &e), -1);
	CHECK_STR(e.text, "m.cdb: value too short");
	db_cdb_make_free(&m);
	CHECK_EQ(db_cdb_make_start(&m, scratch_fd, "m.cdb", 0600, &e), 0);
	db_cdb_make_begin(m, SLICE("k"), 2);
	db_cdb_make_write(m, SLICE("123"));
	db_cdb_make_begin(m, SLICE("k"), UINT32_MAX);
	CHECK_EQ(db_cdb_make_finish(m, &e), -1);
	CHECK_STR(e.text, "m.cdb: value too long");
	db_cdb_make_free(&m);
	CHECK_EQ(db_cdb_make_start(&m, scratch_fd, "m.cdb", 0600, &e), 0);
	db_cdb_make_begin(m, SLICE("k"), UINT32_MAX);
	CHECK_EQ(db_cdb_make_finish(m, &e), -1);
	CHECK_EQ(e.kind, ERR_LIMIT);
	db_cdb_make_free(&m);
	CHECK(!scratch_has("m.cdb"));
}

static void
test_damaged(void)
{
	struct buf b = BUF_INIT(1 << 20);
	struct err e = ERR_INIT;
	struct slice key, value;
	struct db_cdb *c;
	unsigned pos;

	scratch_put("short.cdb", SLICE("too short"));
	CHECK_EQ(db_cdb_open(&c, scratch_fd, "short.cdb", &e), -1);
	CHECK_EQ(e.kind, ERR_SYNTAX);

	/* A record whose lengths add up to -8: it would be its own successor,
	 * and with the empty key nobody would stop. */
	scratch_get("u.cdb", &b);
	memcpy(b.p + 2048, "\0\0\0\0\xf8\xff\xff\xff", 8);
	scratch_put("loop.cdb", buf_slice(&b));
	CHECK_EQ(db_cdb_open(&c, scratch_fd, "loop.cdb", NULL), 1);
	pos = 0;
	CHECK(!db_cdb_next(c, &pos, &key, &value));
	db_cdb_close(&c);

	/* Any byte wrong: no crash, whatever is found. */
	scratch_get("u.cdb", &b);
	for (size_t i = 0; i < b.n; i++) {
		b.p[i] = (char)~b.p[i];
		scratch_put("d.cdb", buf_slice(&b));
		b.p[i] = (char)~b.p[i];
		CHECK_EQ(db_cdb_open(&c, scratch_fd, "d.cdb", NULL), 1);
		db_cdb_get(c, SLICE("k"), &value, NULL);
		for (pos = 0; db_cdb_next(c, &pos, &key, &value);)
			CHECK(value.n <= b.n);
		db_cdb_close(&c);
	}
	buf_free(&b);
}

int
main(void)
{
	scratch_begin();
	RUN(test_round_trip);
	RUN(test_ours_to_tinycdb);
	RUN(test_tinycdb_to_ours);
	RUN(test_array);
	RUN(test_misuse);
	RUN(test_damaged);
	scratch_end();
	return unit_done();
}
