/* Unit test of lib/store/sent.c. */
#include "store/sent.h"
#include "t/scratch.h"

static struct clock fake;
static struct store_env env = {
	.run_fd = -1, .hostname = "h", .clock = &fake, .file_mode = 0600
};
static const struct sent_limits limits = { .messages = 10, .first_time = 3 };

static struct store *store;
static struct sent *sent;

static enum sent_code
take(const char *a, const char *b)
{
	struct slice rcpts[] = { slice_str(a), slice_str(b) };

	return sent_take(sent, rcpts, b ? 2 : 1, &limits, NULL);
}

static void
test_first_time(void)
{
	CHECK_EQ(take("a@x", "b@x"), SENT_OK);
	CHECK_EQ(take("c@x", NULL), SENT_OK);
	CHECK_EQ(take("d@x", NULL), SENT_FIRST_TIME);
	/* Those known are not limited by it; nothing of the refused stayed. */
	CHECK_EQ(take("A@X", "b@x"), SENT_OK);
	CHECK_EQ(take("a@x", "e@x"), SENT_FIRST_TIME);
	CHECK_EQ(sent_last(sent, SLICE("e@x")), 0);
	CHECK_EQ(sent_last(sent, SLICE("C@x")), fake.fake_us / 1000000);
}

static void
test_messages(void)
{
	for (int i = 0; i < 5; i++)
		CHECK_EQ(take("a@x", NULL), SENT_OK);
	CHECK_EQ(take("a@x", NULL), SENT_MESSAGES);
	fake.fake_us += INT64_C(3600000000) * 12;
	CHECK_EQ(take("a@x", NULL), SENT_MESSAGES);
	fake.fake_us += INT64_C(3600000000) * 12;
	CHECK_EQ(take("a@x", NULL), SENT_OK);
	CHECK_EQ(take("d@x", "e@x"), SENT_OK);
}

/* Two processes of an account see each other's counts. */
static void
test_shared(void)
{
	struct sent *other = sent_open(store, NULL);
	struct slice rcpt = SLICE("a@x");
	int n = 0;

	fake.fake_us += INT64_C(3600000000) * 48;
	for (; n < 20; n++)
		if (sent_take(n % 2 ? other : sent, &rcpt, 1, &limits, NULL) !=
		    SENT_OK)
			break;
	CHECK_EQ(n, 10);
	sent_close(&other);
	sent_tidy(sent);
}

int
main(void)
{
	scratch_begin();
	env.data_fd = scratch_fd;
	clock_fake(&fake, INT64_C(1796051045000000));
	CHECK_EQ(mkdirat(scratch_fd, "accounts", 0700), 0);
	CHECK_EQ(store_create(&store, &env, SLICE("a"), NULL, 0, NULL), 0);
	sent = sent_open(store, NULL);
	RUN(test_first_time);
	RUN(test_messages);
	RUN(test_shared);
	sent_close(&sent);
	store_close(&store);
	scratch_end();
	return unit_done();
}
