/* Unit test of lib/store/threads.c. */
#include "message/parse.h"
#include "message/record.h"
#include "store/store_int.h"
#include "t/scratch.h"

#define DAY 86400

static struct store_env env = {
	.run_fd = -1, .hostname = "h", .file_mode = 0600
};

/* Messages in order of arrival; same is the row whose thread it has, itself
 * for one of its own. */
static const struct {
	const char *header;
	int day;
	size_t same;
} rows[] = {
	{ "Message-ID: <a@x>\r\nSubject: hello\r\n", 0, 0 },
	{ "Message-ID: <b@x>\r\nIn-Reply-To: <a@x>\r\nSubject: Re: hello\r\n",
	    1, 0 },
	{ "Message-ID: <c@x>\r\nReferences: <a@x> <b@x>\r\n"
	  "Subject: RE: hello\r\n",
	    2, 0 },
	/* The last that is known counts. */
	{ "Message-ID: <d@x>\r\nReferences: <c@x> <gone@x>\r\n"
	  "Subject: fwd: hello\r\n",
	    3, 0 },
	/* Another subject is another thread. */
	{ "Message-ID: <e@x>\r\nIn-Reply-To: <a@x>\r\nSubject: other\r\n", 4,
	    4 },
	{ "Message-ID: <f@x>\r\nReferences: <a@x> <e@x>\r\n"
	  "Subject: Re: other\r\n",
	    5, 4 },
	/* The same id again: the same message. */
	{ "Message-ID: <A@X>\r\nSubject: entirely different\r\n", 6, 0 },
	/* A reply without references: by subject, within 28 days. */
	{ "Message-ID: <g@x>\r\nSubject: Re: other\r\n", 7, 4 },
	{ "Message-ID: <h@x>\r\nSubject: other\r\n", 8, 8 },
	{ "Message-ID: <i@x>\r\nSubject: Re: other\r\n", 9, 8 },
	{ "Message-ID: <j@x>\r\nSubject: Re: hello\r\n", 3 + 29, 10 },
	/* No id, no subject. */
	{ "From: x@x\r\n", 40, 11 },
	{ "From: x@x\r\n", 40, 12 },
	{ "Subject: Re:\r\n", 40, 13 },
	/* A DSN has its own subject. */
	{ "Message-ID: <k@x>\r\nReferences: <a@x>\r\nSubject: failure\r\n"
	  "Content-Type: multipart/report; report-type=delivery-status;"
	  " boundary=x\r\n",
	    41, 0 },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static uint64_t
assign(struct store *st, const char *header, int64_t received)
{
	struct buf message = BUF_INIT(SIZE_MAX), record = BUF_INIT(MSGREC_MAX);
	uint64_t thread;

	buf_addf(&message, "%s\r\nbody\r\n", header);
	msgparse_all(buf_slice(&message), NULL, &record);
	thread = threads_assign(st, buf_slice(&record), received);
	CHECK(thread != 0);
	buf_free(&message);
	buf_free(&record);
	return thread;
}

static void
assign_all(struct store *st, uint64_t threads[ROWS])
{
	for (size_t i = 0; i < ROWS; i++) {
		ROW(rows[i].header);
		threads[i] =
		    assign(st, rows[i].header, 1700000000 + rows[i].day * DAY);
		for (size_t k = 0; k <= i; k++)
			CHECK_EQ(threads[k] == threads[i],
			    rows[k].same == rows[i].same);
	}
	ROW("");
}

static void
test_rules(void)
{
	uint64_t threads[ROWS], again[ROWS];
	struct store *st = NULL;

	CHECK_EQ(store_create(&st, &env, SLICE("rules"), NULL, 0, NULL), 0);
	assign_all(st, threads);
	/* What was assigned is still known to another process. */
	store_close(&st);
	CHECK_EQ(store_open(&st, &env, SLICE("rules"), NULL), 1);
	CHECK_EQ(assign(st, "References: <f@x>\r\nSubject: other\r\n",
		     1800000000),
	    threads[4]);
	threads_tidy(st);
	store_close(&st);
	/* A lost table: roots have the same number again. */
	CHECK_EQ(store_create(&st, &env, SLICE("again"), NULL, 0, NULL), 0);
	assign_all(st, again);
	CHECK_EQ(again[0], threads[0]);
	CHECK_EQ(again[4], threads[4]);
	store_close(&st);
}

static void
test_enter(void)
{
	struct buf record = BUF_INIT(MSGREC_MAX);
	struct store *st = NULL;

	CHECK_EQ(store_create(&st, &env, SLICE("enter"), NULL, 0, NULL), 0);
	msgparse_all(SLICE("Message-ID: <a@x>\r\nSubject: s\r\n\r\n"), NULL,
	    &record);
	threads_enter(st, buf_slice(&record), 4711, 1000);
	CHECK_EQ(assign(st, "In-Reply-To: <a@x>\r\nSubject: Re: s\r\n", 2000),
	    4711);
	CHECK_EQ(assign(st, "Subject: Re: s\r\n", 3000), 4711);
	buf_free(&record);
	store_close(&st);
}

/* A table that cannot be used does not stop mail. */
static void
test_no_table(void)
{
	struct store *st = NULL;
	uint64_t one, two;

	CHECK_EQ(store_create(&st, &env, SLICE("none"), NULL, 0, NULL), 0);
	CHECK_EQ(mkdirat(st->fd, "threads.log", 0700), 0);
	one = assign(st, "Message-ID: <a@x>\r\n", 1);
	two = assign(st, "Message-ID: <a@x>\r\n", 1);
	CHECK_EQ(one, two);
	CHECK(one != assign(st, "Message-ID: <b@x>\r\n", 1));
	store_close(&st);
}

static void
test_many_references(void)
{
	struct buf header = BUF_INIT(SIZE_MAX);
	struct store *st = NULL;

	CHECK_EQ(store_create(&st, &env, SLICE("refs"), NULL, 0, NULL), 0);
	buf_addz(&header, "Message-ID: <x@x>\r\nReferences:");
	for (int i = 0; i < 5000; i++)
		buf_addf(&header, " <%d@x>\r\n", i);
	CHECK(assign(st, buf_cstr(&header), 1) ==
	    assign(st, "Message-ID: <x@x>\r\n", 2));
	buf_free(&header);
	store_close(&st);
}

int
main(void)
{
	scratch_begin();
	env.data_fd = scratch_fd;
	RUN(test_rules);
	RUN(test_enter);
	RUN(test_no_table);
	RUN(test_many_references);
	scratch_end();
	return unit_done();
}
