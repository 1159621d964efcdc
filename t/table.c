/* Unit test of lib/db/table.c. */
#include "db/table.h"

#include <sys/wait.h>

#include "db/pair.h"
#include "t/scratch.h"

static struct db_table *
open_table(const char *name)
{
	struct db_table *t = NULL;

	CHECK_EQ(db_table_open(&t, scratch_fd, name, 0600, NULL), 0);
	return t;
}

static void
set(struct db_table *t, const char *key, const char *value)
{
	CHECK_EQ(db_table_begin(t, NULL), 0);
	if (value != NULL)
		db_table_put(t, slice_str(key), slice_str(value));
	else
		db_table_delete(t, slice_str(key));
	CHECK_EQ(db_table_commit(t, NULL), 0);
}

/* want NULL: not there. */
static void
check(struct db_table *t, const char *key, const char *want)
{
	struct slice value;
	int found = db_table_get(t, slice_str(key), &value, NULL);

	ROW(key);
	CHECK_EQ(found, want != NULL);
	if (found == 1 && want != NULL)
		CHECK_SLICE(value, slice_str(want));
	ROW("");
}

static size_t
count(const struct db_table *t)
{
	struct db_table_iter it = DB_TABLE_ITER;
	struct slice key, value;
	size_t n = 0;

	while (db_table_next(t, &it, &key, &value))
		n++;
	return n;
}

static void
test_set_and_fold(void)
{
	struct db_table *a = open_table("t"), *b = open_table("t");

	check(a, "k", NULL);
	set(a, "k", "1");
	set(a, "empty", "");
	set(a, "odd key\n/%", "odd\tvalue\n");
	check(a, "k", "1");
	check(a, "empty", "");
	check(a, "odd key\n/%", "odd\tvalue\n");
	check(b, "k", NULL);
	CHECK_EQ(db_table_refresh(b, NULL), 0);
	check(b, "k", "1");
	CHECK_EQ(count(b), 3);
	for (int i = 0; i < 3000; i++)
		set(a, "filler", "a value of some length, so that it is due");
	CHECK_EQ(db_table_tidy(a, NULL), 0);
	CHECK(scratch_has("t.cdb"));
	check(a, "k", "1");
	check(a, "odd key\n/%", "odd\tvalue\n");
	CHECK_EQ(count(a), 4);
	set(b, "k", NULL);
	set(b, "new", "2");
	check(b, "k", NULL);
	CHECK_EQ(count(b), 4);
	db_table_close(&a);
	a = open_table("t");
	check(a, "k", NULL);
	check(a, "new", "2");
	check(a, "empty", "");
	db_table_close(&a);
	db_table_close(&b);
}

static void
test_transaction(void)
{
	struct db_table *a = open_table("x");
	struct err e = ERR_INIT;
	char long_key[DB_KEY_MAX + 2];

	memset(long_key, 'k', sizeof(long_key));
	set(a, "k", "1");
	CHECK_EQ(db_table_begin(a, &e), 0);
	db_table_put(a, SLICE("k"), SLICE("2"));
	db_table_put(a, SLICE("k"), SLICE("3"));
	db_table_put(a, SLICE("l"), SLICE("4"));
	check(a, "k", "3");
	db_table_cancel(a);
	check(a, "k", "1");
	check(a, "l", NULL);

	CHECK_EQ(db_table_begin(a, &e), 0);
	db_table_put(a, SLICE("l"), SLICE("4"));
	db_table_put(a, slice_of(long_key, DB_KEY_MAX + 1), SLICE("5"));
	CHECK_EQ(db_table_commit(a, &e), -1);
	CHECK_EQ(e.kind, ERR_LIMIT);
	check(a, "l", NULL);

	CHECK_EQ(db_table_begin(a, &e), 0);
	CHECK_EQ(db_table_commit(a, &e), 0); /* nothing to do */
	CHECK_EQ(db_table_begin(a, &e), 0);
	db_table_put(a, SLICE("\0n"), SLICE("5"));
	CHECK_EQ(db_table_commit(a, &e), -1);
	db_table_close(&a);
}

/* Damaged beyond use: begun anew, the old files kept. */
static void
test_lost(void)
{
	struct db_table *a = open_table("y");

	set(a, "k", "1");
	db_table_close(&a);
	scratch_put("y.log", SLICE("garbage\n"));
	a = open_table("y");
	check(a, "k", NULL);
	set(a, "k", "2");
	db_table_close(&a);
	a = open_table("y");
	check(a, "k", "2");
	db_table_close(&a);
}

/* Read, add one, write, in several processes: no addition is lost. */
static void
count_up(void)
{
	struct db_table *t = open_table("n");
	struct slice value;
	char text[20];
	uint32_t n;

	for (int i = 0; i < 100; i++) {
		CHECK_EQ(db_table_begin(t, NULL), 0);
		n = 0;
		if (db_table_get(t, SLICE("n"), &value, NULL) == 1)
			CHECK(slice_u32(value, &n));
		snprintf(text, sizeof(text), "%u", n + 1);
		db_table_put(t, SLICE("n"), slice_str(text));
		CHECK_EQ(db_table_commit(t, NULL), 0);
	}
	db_table_close(&t);
	_exit(unit_failures != 0);
}

static void
test_parallel(void)
{
	struct db_table *t;
	int status;

	for (int i = 0; i < 4; i++)
		if (fork() == 0)
			count_up();
	while (wait(&status) > 0)
		CHECK_EQ(status, 0);
	t = open_table("n");
	check(t, "n", "400");
	db_table_close(&t);
}

int
main(void)
{
	scratch_begin();
	RUN(test_set_and_fold);
	RUN(test_transaction);
	RUN(test_lost);
	RUN(test_parallel);
	scratch_end();
	return unit_done();
}
