/* Unit test of queue/item.c and the names of queue/add.c. */
#include "queue/item.h"
#include "t/scratch.h"

#define HEAD "mox-item 1\nqueued 2026-11-30T15:04:05.123Z\naccount anna\n"

static const struct {
	const char *name, *text, *error; /* error NULL: fine */
	enum item_state state;
	unsigned tries, told;
} rows[] = {
	{ "fresh", HEAD "to b@x\n", NULL, ITEM_WAITING, 0, 0 },
	{ "unknown keys", HEAD "to b@x\ncolour blue\n", NULL, ITEM_WAITING, 0,
	    0 },
	{ "trying", HEAD "to b@x\ntrying 2026-11-30T15:04:06Z\n", NULL,
	    ITEM_TRYING, 0, 0 },
	{ "delayed twice",
	    HEAD "to b@x\ntrying 2026-11-30T15:04:06Z\n"
		 "delayed 2026-11-30T15:04:07Z mx.x 451 4.0.0 no\n"
		 "lost 2026-11-30T15:14:07Z ended by signal 9\n",
	    NULL, ITEM_WAITING, 2, 0 },
	{ "told",
	    HEAD "to b@x\nfailed 2026-11-30T15:04:07Z - 550 no\n"
		 "dsn failure 2026-11-30T15:04:08Z anna\n",
	    NULL, ITEM_FAILED, 0, ITEM_TOLD_FAILURE },
	{ "canceled", HEAD "to b@x\ncancel 2026-11-30T15:04:07Z by admin\n",
	    NULL, ITEM_CANCELED, 0, 0 },
	{ "cut off", HEAD "to b@x\ndelivered 2026-11-30T15:04:0", NULL,
	    ITEM_WAITING, 0, 0 },
	{ "not an item", "hello\nto b@x\n", "line 1: not mox-item 1", 0, 0, 0 },
	{ "no recipient", HEAD, "no recipient", 0, 0, 0 },
	{ "two recipients", HEAD "to b@x\nto c@x\n", "line 5: bad value of to",
	    0, 0, 0 },
	{ "bad time", HEAD "to b@x\ntrying soon\n",
	    "line 5: bad value of trying", 0, 0, 0 },
	{ "bad address",
	    HEAD "to b@x\ndialed 2026-11-30T15:04:07Z mx.x 1.2.3\n",
	    "line 5: bad value of dialed", 0, 0, 0 },
	{ "bad size", HEAD "size -1\n", "line 4: bad value of size", 0, 0, 0 },
	{ "notify of nobody", HEAD "notify never\n",
	    "line 4: bad value of notify", 0, 0, 0 },
	{ "bad notify", HEAD "to b@x\nnotify always\n",
	    "line 5: bad value of notify", 0, 0, 0 },
	{ "empty", "", "no recipient", 0, 0, 0 },
};

static void
test_dialed(void)
{
	static const char text[] =
	    HEAD "to b@x\ntrying 2026-11-30T15:04:06Z\n"
		 "dialed 2026-11-30T15:04:07Z mx1.x 2001:db8::1\n"
		 "dialed 2026-11-30T15:04:08Z mx2.x 192.0.2.1\n";
	struct arena *arena = arena_new(0);
	struct err e = ERR_INIT;
	char ip[IP_TEXT];
	struct item it;

	CHECK_EQ(item_parse(slice_str(text), arena, &it, &e), 0);
	CHECK_EQ(it.state, ITEM_TRYING); /* still: it says nothing of that */
	CHECK_EQ(it.ndialed, 2);
	CHECK_SLICE(it.dialed[0].host, SLICE("mx1.x"));
	CHECK_STR(ip_text(&it.dialed[1].ip, ip), "192.0.2.1");
	arena_free(&arena);
}

static void
test_parse(void)
{
	struct arena *arena = arena_new(0);

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct err e = ERR_INIT;
		struct item it;
		int rc;
		ROW(rows[i].name);
		rc = item_parse(slice_str(rows[i].text), arena, &it, &e);
		CHECK_EQ(rc, rows[i].error ? -1 : 0);
		CHECK_STR(e.text, rows[i].error ? rows[i].error : "");
		if (rc == 0) {
			CHECK_EQ(it.state, rows[i].state);
			CHECK_EQ(it.tries, rows[i].tries);
			CHECK_EQ(it.told, rows[i].told);
			CHECK_SLICE(it.rcpt.to, SLICE("b@x"));
		}
	}
	arena_free(&arena);
}

/* NUL bytes that a power cut left where a line was to be. */
static void
test_zeros(void)
{
	static const char text[] =
	    HEAD "to b@x\ndelayed 2026-11-30T15\0\0\0\n"
		 "delayed 2026-11-30T15:04:07Z mx.x 451 later\n";
	struct arena *arena = arena_new(0);
	struct item it;

	CHECK_EQ(item_parse(slice_of(text, sizeof(text) - 1), arena, &it, NULL),
	    0);
	CHECK_EQ(it.tries, 1);
	CHECK_SLICE(it.last.host, SLICE("mx.x"));
	CHECK_SLICE(it.last.text, SLICE("451 later"));
	arena_free(&arena);
}

static const struct queue_rcpt rcpts[] = {
	{ .to = { "b@x", 3 },
	    .notify = QUEUE_NOTIFY_SUCCESS | QUEUE_NOTIFY_DELAY,
	    .orcpt = { "rfc822;b@x", 10 },
	    .done = { "expanded 250 2.1.5 ok\nto evil@x", 31 } },
	{ .to = { "\"a b\"@y", 7 }, .fromid = { "f1", 2 } },
};
static const struct queue_pair extra[] = {
	{ { "Order", 5 }, { "12 of\n3", 7 } },
};
static const struct slice via[] = { { "c@z", 3 }, { "d@z\nto evil@x", 13 } };
static const struct queue_message message = {
	.account = { "anna", 4 },
	.from = { "anna@z", 6 },
	.bounce = { "eve@w", 5 },
	.via = via,
	.nvia = 2,
	.rcpts = rcpts,
	.nrcpts = 2,
	.utf8 = true,
	.eightbit = true,
	.report = true,
	.requiretls = QUEUE_TLS_NO,
	.ret = QUEUE_RET_HDRS,
	.envid = { "e1", 2 },
	.source = { "s", 1 },
	.msgid = { "m@z", 3 },
	.subject = { "two\r\nto evil@x", 14 },
	.transport = { "smart", 5 },
	.until_us = 1796051045123000,
	.attempts = 5,
	.extra = extra,
	.nextra = 1,
};

/* What is written is read; nothing in a value makes a line of its own. */
static void
test_round(void)
{
	struct arena *arena = arena_new(0);
	struct buf text = BUF_INIT(ENVELOPE_MAX),
		   again = BUF_INIT(ENVELOPE_MAX);
	struct item it = { .m = message,
		.size = 7,
		.verbatim = true,
		.queued_us = 1796051045123000 },
		    read;
	size_t at = 0;

	item_write_envelope(&text, &it);
	buf_addz(&text, "Subject: x\n\nbody\n");
	CHECK_EQ(item_parse_envelope(buf_slice(&text), arena, &read, &at, NULL),
	    0);
	CHECK_SLICE(slice_skip(buf_slice(&text), at),
	    SLICE("Subject: x\n\nbody\n"));
	CHECK_EQ(read.m.nrcpts, 2);
	CHECK_SLICE(read.m.subject, SLICE("two  to evil@x"));
	CHECK_SLICE(read.m.extra[0].value, SLICE("12 of 3"));
	CHECK_SLICE(read.m.bounce, SLICE("eve@w"));
	CHECK_EQ(read.m.nvia, 2);
	CHECK_SLICE(read.m.via[1], SLICE("d@z to evil@x"));
	item_write_envelope(&again, &read);
	buf_addz(&again, "Subject: x\n\nbody\n");
	CHECK_SLICE(buf_slice(&again), buf_slice(&text));

	read.offset = 512;
	buf_reset(&again);
	item_write(&again, &read, 1);
	CHECK_EQ(item_parse(buf_slice(&again), arena, &it, NULL), 0);
	CHECK_SLICE(it.rcpt.to, SLICE("\"a b\"@y"));
	CHECK_SLICE(it.rcpt.fromid, SLICE("f1"));
	CHECK_EQ(it.rcpt.notify, 0);
	CHECK_EQ(it.state, ITEM_WAITING);
	CHECK_EQ(it.offset, 512);
	CHECK_EQ(it.m.requiretls, QUEUE_TLS_NO);
	/* Who has it already is only told of. */
	buf_reset(&again);
	item_write(&again, &read, 0);
	CHECK_EQ(item_parse(buf_slice(&again), arena, &it, NULL), 0);
	CHECK_EQ(it.state, ITEM_DELIVERED);
	CHECK_EQ(it.last.us, 1796051045123000);
	CHECK_SLICE(it.last.text, SLICE("250 2.1.5 ok to evil@x"));
	CHECK_SLICE(it.last.host, SLICE_NULL);
	buf_free(&text);
	buf_free(&again);
	arena_free(&arena);
}

static void
test_notify_on(void)
{
	static const struct {
		unsigned notify, among_several;
	} on[] = {
		{ 0, 0 },
		{ QUEUE_NOTIFY_NEVER, QUEUE_NOTIFY_NEVER },
		{ QUEUE_NOTIFY_FAILURE, QUEUE_NOTIFY_FAILURE },
		{ QUEUE_NOTIFY_SUCCESS, QUEUE_NOTIFY_NEVER },
		{ QUEUE_NOTIFY_SUCCESS | QUEUE_NOTIFY_DELAY,
		    QUEUE_NOTIFY_DELAY },
	};

	for (size_t i = 0; i < sizeof(on) / sizeof(*on); i++) {
		CHECK_EQ(queue_notify_on(on[i].notify, true), on[i].notify);
		CHECK_EQ(queue_notify_on(on[i].notify, false),
		    on[i].among_several);
	}
}

static void
test_append(void)
{
	struct arena *arena = arena_new(0);
	struct item it;
	int fd;

	scratch_put("a.1", SLICE(HEAD "to b@x\ndelayed 2026"));
	CHECK_EQ(item_open(scratch_fd, "a.1", &fd, NULL), 1);
	CHECK_EQ(item_append(fd, "failed", 1796051045123000, NULL,
		     "mx %d no\nfailed again", 550),
	    0);
	close(fd);
	CHECK_EQ(item_read(scratch_fd, "a.1", arena, &it, NULL), 1);
	CHECK_EQ(it.state, ITEM_FAILED);
	CHECK_EQ(it.tries, 0);
	CHECK_SLICE(it.last.text, SLICE("550 no failed again"));
	CHECK_EQ(item_open(scratch_fd, "none", &fd, NULL), 0);
	CHECK_EQ(item_read(scratch_fd, "none", arena, &it, NULL), 0);
	arena_free(&arena);
}

static const struct {
	const char *name;
	bool ok;
	unsigned n;
} names[] = {
	{ "0123456789abcdef01", true, 0 },
	{ "0123456789abcdef01.1", true, 1 },
	{ "0123456789abcdef01.10000", true, 10000 },
	{ "0123456789abcdef01.10001", false, 0 },
	{ "0123456789abcdef01.0", false, 0 },
	{ "0123456789abcdef01.01", false, 0 },
	{ "0123456789abcdef01.", false, 0 },
	{ "0123456789abcdef0", false, 0 },
	{ "0123456789ABCDEF01.1", false, 0 },
	{ ".lock", false, 0 },
	{ "", false, 0 },
};

static void
test_names(void)
{
	struct queue q = { .fd = -1, .run_fd = -1 };
	char id[QUEUE_ID + 1], bucket[QUEUE_BUCKET];
	struct slice got;
	int64_t us;
	unsigned n;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		ROW(names[i].name);
		CHECK_EQ(queue_name(slice_str(names[i].name), &got, &n),
		    names[i].ok);
		if (names[i].ok)
			CHECK_EQ(n, names[i].n);
	}
	ROW("");
	queue_new_id(&q, id);
	CHECK(queue_name(slice_str(id), &got, &n));
	queue_bucket(1796051045123000, bucket);
	CHECK_STR(bucket, "20261130T1505Z");
	CHECK(queue_bucket_time(slice_str(bucket), &us));
	CHECK_EQ(us, 1796051100000000);
	CHECK(queue_bucket_time(SLICE("now"), &us) && us == 0);
	CHECK(!queue_bucket_time(SLICE("20261330T1505Z"), &us));
	CHECK(!queue_bucket_time(SLICE("later"), &us));
	CHECK_SLICE(queue_domain(SLICE("\"a@b\"@x.example")),
	    SLICE("x.example"));
}

int
main(void)
{
	scratch_begin();
	RUN(test_parse);
	RUN(test_dialed);
	RUN(test_zeros);
	RUN(test_round);
	RUN(test_notify_on);
	RUN(test_append);
	RUN(test_names);
	scratch_end();
	return unit_done();
}
