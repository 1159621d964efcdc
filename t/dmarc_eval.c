/* Unit test of lib/dmarc/dmarc_eval.c. */
#include "dmarc/dmarc_eval.h"
#include "t/scratch.h"

#define NOON INT64_C(1796040000) /* 2026-11-30 12:00 UTC */
#define DAY INT64_C(86400)
#define FILE_NAME "dmarcresults/20261130/example.org"

static struct dmarc_eval
sample(void)
{
	struct dmarc_eval ev = { .time = NOON,
		.dkim_aligned = true,
		.from = SLICE("sub.example.org"),
		.mail_from = SLICE("bounces.example.org"),
		.rcpt = SLICE("example.net"),
		.record = SLICE("v=DMARC1; p=reject; rua=mailto:d@example.org"),
		.spf_domain = SLICE("bounces.example.org"),
		.spf = SPF_SOFTFAIL,
		.dkim = { { SLICE("example.org"), SLICE("s1"), DKIM_PASS },
		    { SLICE("x.example"), SLICE("s.2"), DKIM_TEMPERROR } },
		.ndkim = 2 };

	CHECK(ip_parse(SLICE("2001:db8::1"), &ev.ip));
	return ev;
}

static void
test_line(void)
{
	struct arena *arena = arena_new(0);
	struct dmarc_eval ev = sample(), is;
	struct buf line = BUF_INIT(DMARC_EVAL_LINE),
		   again = BUF_INIT(DMARC_EVAL_LINE);

	CHECK(dmarc_eval_write(&line, &ev));
	CHECK_SLICE(buf_slice(&line),
	    SLICE("t=1796040000 ip=2001:db8::1 disposition=none"
		  " aligned.dkim=yes aligned.spf=no from=sub.example.org"
		  " mailfrom=bounces.example.org rcpt=example.net spf=softfail"
		  " spf.mfrom=bounces.example.org dkim=pass:example.org:s1"
		  " dkim=temperror:x.example:s.2 record=v=DMARC1;%20p=reject;"
		  "%20rua=mailto:d@example.org\n"));
	CHECK(dmarc_eval_parse(slice_head(buf_slice(&line), line.n - 1), arena,
	    &is));
	CHECK(dmarc_eval_write(&again, &is));
	CHECK_SLICE(buf_slice(&again), buf_slice(&line));
	buf_reset(&line);
	buf_reset(&again);
	ev.optional = ev.rejected = ev.spf_helo = ev.spf_aligned = true;
	ev.override = SLICE("sampled_out");
	CHECK(dmarc_eval_write(&line, &ev));
	CHECK(dmarc_eval_parse(slice_head(buf_slice(&line), line.n - 1), arena,
	    &is));
	CHECK(is.optional && is.rejected && is.spf_helo && is.spf_aligned);
	CHECK(dmarc_eval_write(&again, &is));
	CHECK_SLICE(buf_slice(&again), buf_slice(&line));
	/* What is no line; what a later version may add. */
	CHECK(!dmarc_eval_parse(SLICE(""), arena, &is));
	CHECK(!dmarc_eval_parse(SLICE("t=17 from=x"), arena, &is));
	CHECK(!dmarc_eval_parse(SLICE("t=1 from=x%zz record=v"), arena, &is));
	CHECK(dmarc_eval_parse(SLICE("t=1 new=2 from=x record=v dkim=pass"),
	    arena, &is));
	CHECK_EQ(is.ndkim, 0);
	buf_free(&line);
	buf_free(&again);
	arena_free(&arena);
}

static int
add(const struct dmarc_eval *ev)
{
	return dmarc_eval_add(scratch_fd, SLICE("example.org"), ev, NULL);
}

static void
test_files(void)
{
	struct dmarc_eval ev = sample();
	struct buf text = BUF_INIT(DMARC_EVAL_FILE + 1);
	struct err e = ERR_INIT;
	size_t n;

	CHECK_EQ(dmarc_eval_add(scratch_fd, SLICE("x.example"), &ev, &e), -1);
	CHECK(strstr(e.text, "dmarcresults"));
	CHECK_EQ(mkdirat(scratch_fd, "dmarcresults", 0700), 0);
	ev.optional = true;
	CHECK_EQ(add(&ev), 0);
	CHECK(!scratch_has(FILE_NAME));
	ev.optional = false;
	CHECK_EQ(add(&ev), 1);
	n = scratch_get(FILE_NAME, &text).n;
	ev.optional = true;
	CHECK_EQ(add(&ev), 1);
	CHECK(scratch_get(FILE_NAME, &text).n > 2 * n);
	/* The end of a line that a power cut took. */
	scratch_append(FILE_NAME, SLICE("t=17"));
	CHECK_EQ(add(&ev), 1);
	CHECK(slice_find(scratch_get(FILE_NAME, &text), SLICE("\nt=17\nt=")) >=
	    0);
	/* A name that is no file name. */
	CHECK_EQ(dmarc_eval_add(scratch_fd, SLICE("../x"), &ev, NULL), 0);
	ev.optional = false;
	CHECK_EQ(dmarc_eval_add(scratch_fd, SLICE("../x"), &ev, NULL), 1);
	CHECK(scratch_has("dmarcresults/20261130/%2E.%2Fx"));
	buf_free(&text);
}

static void
test_bounds(void)
{
	struct dmarc_eval ev = sample();
	struct buf text = BUF_INIT(2 * DMARC_EVAL_FILE);
	char record[DMARC_EVAL_LINE];
	int added = 0;

	memset(record, 'x', sizeof(record));
	ev.record = slice_of(record, sizeof(record));
	CHECK_EQ(add(&ev), 0);
	ev.record.n = 7000;
	while (add(&ev) == 1 && added < 1000)
		added++;
	CHECK(added > 100 && added < 160);
	CHECK(scratch_get(FILE_NAME, &text).n <= DMARC_EVAL_FILE);
	buf_free(&text);
}

static void
test_days(void)
{
	struct dmarc_eval ev = sample();

	scratch_put("dmarcresults/notes", SLICE("kept"));
	ev.time = NOON + DAY;
	CHECK_EQ(add(&ev), 1);
	ev.time = NOON + 2 * DAY;
	CHECK_EQ(add(&ev), 1);
	CHECK(scratch_has("dmarcresults/20261130"));
	ev.time = NOON + 3 * DAY;
	CHECK_EQ(add(&ev), 1);
	CHECK(!scratch_has("dmarcresults/20261130"));
	CHECK(scratch_has("dmarcresults/20261201/example.org"));
	CHECK(scratch_has("dmarcresults/notes"));
}

int
main(void)
{
	scratch_begin();
	RUN(test_line);
	RUN(test_files);
	RUN(test_bounds);
	RUN(test_days);
	scratch_end();
	return unit_done();
}
