/* Unit test of lib/store/quota.c. */
#include <sys/stat.h>

#include "store/store_int.h"
#include "t/scratch.h"

static struct store_env env = {
	.run_fd = -1, .hostname = "h", .file_mode = 0600
};
static struct store *st;
static struct arena *arena;

#define FILE_NAME "accounts/q/Maildir/maildirsize"

static struct slice
content(void)
{
	struct buf b = BUF_INIT(SIZE_MAX);
	struct slice s = arena_dup(arena, scratch_get(FILE_NAME, &b));

	buf_free(&b);
	return s;
}

/* Put a message of so many stored bytes into a mailbox. */
static enum store_code
add(const char *mailbox, size_t size)
{
	struct spool *sp = spool_new(&env, 0);
	struct mailbox_new m = { .spool = sp };
	struct mailbox_new_result result;
	struct mailbox *mb = NULL;
	enum store_code code;
	struct err e = ERR_INIT;

	spool_add(sp, SLICE("\r\n"), NULL);
	for (size_t i = 1; i < size; i++)
		spool_add(sp, SLICE("x"), NULL);
	CHECK_EQ(spool_end(sp, NULL), 0);
	CHECK_EQ(mailbox_open(&mb, st, slice_str(mailbox), &e), 1);
	code = mailbox_add(mb, &m, 1, arena, &result, &e);
	if (code == STORE_FAILED)
		UNIT_FAIL("add: %s", e.text);
	mailbox_close(&mb);
	spool_free(&sp);
	return code;
}

static void
check_used(uint64_t bytes, uint64_t count)
{
	uint64_t b = 0, c = 0;

	CHECK_EQ(store_quota_used(st, &b, &c, NULL), 0);
	CHECK_EQ(b, bytes);
	CHECK_EQ(c, count);
}

static void
test_none(void)
{
	check_used(0, 0);
	CHECK_EQ(add("Inbox", 100), STORE_OK);
	CHECK(!scratch_has(FILE_NAME));
	check_used(100, 1);
	CHECK_EQ(store_quota_check(st, UINT64_MAX, NULL), STORE_OK);
}

static void
test_limit(void)
{
	store_set_quota(st, 1000);
	check_used(100, 1);
	CHECK_SLICE(content(), SLICE("1000S\n100 1\n"));
	CHECK_EQ(add("Inbox", 200), STORE_OK);
	CHECK_SLICE(content(), SLICE("1000S\n100 1\n200 1\n"));
	CHECK_EQ(add("Sent", 701), STORE_OVERQUOTA);
	check_used(300, 2);
	CHECK_EQ(add("Sent", 700), STORE_OK);
	check_used(1000, 3);
	CHECK_EQ(add("Sent", 1), STORE_OVERQUOTA);
	CHECK_EQ(store_quota_check(st, 0, NULL), STORE_OK);
	CHECK_EQ(store_mailbox_delete(st, SLICE("Sent"), NULL), STORE_OK);
	check_used(300, 2);
	CHECK_EQ(store_quota_check(st, UINT64_MAX, NULL), STORE_OVERQUOTA);
	CHECK_EQ(store_quota_check(st, 700, NULL), STORE_OK);
	/* Another limit is written down at once. */
	store_set_quota(st, 2000);
	check_used(300, 2);
	CHECK_SLICE(content(), SLICE("2000S\n300 2\n"));
}

/* Files of others, and what is wrong, against the truth of 300 and 2. */
static void
test_foreign(void)
{
	static const struct {
		const char *text;
		uint64_t bytes, count;
	} rows[] = {
		{ "2000S,50C\n100 3\n    -40           -1\n", 60, 2 },
		{ "5C,2000S\n10 1", 10, 1 },
		{ "2000S\n-10 -1\n", 0, 0 },
		{ "1000S\n10 1\n", 300, 2 },
		{ "50C\n10 1\n", 300, 2 },
		{ "2000S\n", 300, 2 },
		{ "2000S\n10\n", 300, 2 },
		{ "2000S\nx 1\n", 300, 2 },
		{ "2000S\n9223372036854775807 1\n9223372036854775807 1\n", 300,
		    2 },
		{ "", 300, 2 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ROW(rows[i].text);
		scratch_put(FILE_NAME, slice_str(rows[i].text));
		check_used(rows[i].bytes, rows[i].count);
	}
	ROW("");
}

/* Before a refusal the figures are made anew, if they may be stale. */
static void
test_stale(void)
{
	struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };

	scratch_put(FILE_NAME, SLICE("2000S\n1000 5\n1000 5\n"));
	CHECK_EQ(store_quota_check(st, 1700, NULL), STORE_OK);
	CHECK_SLICE(content(), SLICE("2000S\n300 2\n"));
	scratch_put(FILE_NAME, SLICE("2000S\n2000 10\n"));
	CHECK_EQ(store_quota_check(st, 1, NULL), STORE_OVERQUOTA);
	CHECK_EQ(utimensat(scratch_fd, FILE_NAME, old, 0), 0);
	CHECK_EQ(store_quota_check(st, 1, NULL), STORE_OK);
}

static void
test_tidy(void)
{
	for (int i = 0; i < 1000; i++)
		quota_add(st, 10, 1);
	quota_add(st, 0, 0);
	CHECK_EQ(content().n, strlen("2000S\n300 2\n") + 5000);
	quota_tidy(st);
	CHECK_EQ(content().n, strlen("2000S\n300 2\n") + 5000);
	for (int i = 0; i < 100; i++)
		quota_add(st, -10, -1);
	quota_tidy(st);
	CHECK_SLICE(content(), SLICE("2000S\n300 2\n"));
	/* A program that was not told the limit keeps it. */
	store_set_quota(st, 0);
	for (int i = 0; i < 1100; i++)
		quota_add(st, 10, 1);
	quota_tidy(st);
	CHECK_SLICE(content(), SLICE("2000S\n300 2\n"));
}

int
main(void)
{
	const struct store_initial sent = { SLICE("Sent"), STORE_USE_SENT };

	scratch_begin();
	env.data_fd = scratch_fd;
	arena = arena_new(0);
	CHECK_EQ(store_create(&st, &env, SLICE("q"), &sent, 1, NULL), 0);
	RUN(test_none);
	RUN(test_limit);
	RUN(test_foreign);
	RUN(test_stale);
	RUN(test_tidy);
	store_close(&st);
	arena_free(&arena);
	scratch_end();
	return unit_done();
}
