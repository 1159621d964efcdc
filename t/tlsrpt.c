/* Unit tests of lib/tlsrpt. */
#include "tlsrpt/tlsrpt.h"

#include "t/scratch.h"

#define ROWS(rows) (sizeof(rows) / sizeof((rows)[0]))
#define NOW INT64_C(1796053800000000) /* 2026-11-30T15:50:00Z */
#define DAY (86400 * INT64_C(1000000))

static struct arena *arena;

/* ---- results ---- */

static struct slice policy[] = {
	{ "version: STSv1", 14 },
	{ "mode: testing", 13 },
	{ "mx: *.mail.company-y.example", 28 },
	{ "max_age: 86400", 14 },
};
static struct slice mx[] = { { "*.mail.company-y.example", 24 } };

/* Sessions as those in RFC 8460, appendix B. */
static const struct tlsrpt_result sts = { .type = TLSRPT_STS,
	.policy_domain = SLICE("Company-Y.example"),
	.rcpt_domain = SLICE("company-y.example"),
	.policy = policy,
	.npolicy = 4,
	.mx = mx,
	.nmx = 1,
	.sending_ip = SLICE("198.51.100.62"),
	.mx_host = SLICE("mx1.mail.company-y.example"),
	.receiving_ip = SLICE("203.0.113.58") };

static struct clock fake;

static int
note(const struct tlsrpt_result *r)
{
	struct err e = ERR_INIT;
	int rc = tlsrpt_note(scratch_fd, &fake, r, &e);

	CHECK_STR(e.text, "");
	return rc;
}

static int
read_sums(const char *domain, const char *rcpt, struct tlsrpt_results *r)
{
	struct err e = ERR_INIT;
	int rc = tlsrpt_results_read(scratch_fd, "20261130", slice_str(domain),
	    slice_str(rcpt), arena, r, &e);

	CHECK_STR(e.text, "");
	return rc;
}

static void
test_note(void)
{
	struct tlsrpt_result failed = sts,
			     none = { .type = TLSRPT_NO_POLICY,
				     .policy_domain =
					 SLICE("company-y.example"),
				     .rcpt_domain = SLICE("company-y.example"),
				     .failure = SLICE("starttls-not-supported"),
				     .reason = SLICE("said \"no\"\r\n\\\x01") };
	struct tlsrpt_results r;
	struct buf b = BUF_INIT(10000);

	clock_fake(&fake, NOW);
	failed.failure = SLICE("certificate-expired");
	CHECK_EQ(note(&sts), 0);
	CHECK_EQ(note(&failed), 0);
	CHECK_EQ(note(&sts), 0);
	CHECK_EQ(note(&failed), 0);
	failed.receiving_ip = SLICE("203.0.113.59");
	CHECK_EQ(note(&failed), 0);
	CHECK_EQ(note(&none), 0);
	CHECK(slice_starts(scratch_get("20261130/company-y.example", &b),
	    SLICE("n=1 type=sts rcpt-domain=company-y.example "
		  "policy=\"version: STSv1\" policy=\"mode: testing\" "
		  "policy=\"mx: *.mail.company-y.example\" "
		  "policy=\"max_age: 86400\" mx=*.mail.company-y.example "
		  "sending-ip=198.51.100.62 "
		  "mx-host=mx1.mail.company-y.example "
		  "receiving-ip=203.0.113.58\n"
		  "n=1 type=sts ")));

	CHECK_EQ(read_sums("COMPANY-y.example", "", &r), 1);
	CHECK_EQ(r.n, 2);
	CHECK_EQ(r.nrcpt_domains, 1);
	CHECK(!r.is_host);
	CHECK_EQ(r.sums[0].type, TLSRPT_STS);
	CHECK_EQ(r.sums[0].npolicy, 4);
	CHECK_SLICE(r.sums[0].policy[2], policy[2]);
	CHECK_SLICE(r.sums[0].mx[0], mx[0]);
	CHECK_EQ(r.sums[0].success, 2);
	CHECK_EQ(r.sums[0].failure, 3);
	CHECK_EQ(r.sums[0].nfailures, 2);
	CHECK_EQ(r.sums[0].failures[0].sessions, 2);
	CHECK_SLICE(r.sums[0].failures[0].type, SLICE("certificate-expired"));
	CHECK_SLICE(r.sums[0].failures[1].receiving_ip, failed.receiving_ip);
	CHECK_EQ(r.sums[1].type, TLSRPT_NO_POLICY);
	CHECK_EQ(r.sums[1].failure, 1);
	CHECK_SLICE(r.sums[1].failures[0].reason, none.reason);
	buf_free(&b);
}

/* Of an MX host, for several recipients' domains. */
static void
test_note_host(void)
{
	struct slice records[] = { SLICE("3 1 1 0102"), SLICE("2 0 1 0304") };
	struct tlsrpt_result tlsa = { .type = TLSRPT_TLSA,
		.policy_domain = SLICE("mx.example"),
		.rcpt_domain = SLICE("a.example"),
		.policy = records,
		.npolicy = 2,
		.is_host = true };
	struct tlsrpt_results r;

	note(&tlsa);
	tlsa.rcpt_domain = SLICE("b.example");
	note(&tlsa);
	note(&tlsa);
	CHECK_EQ(read_sums("mx.example", "", &r), 1);
	CHECK(r.is_host);
	CHECK_EQ(r.n, 1);
	CHECK_EQ(r.sums[0].success, 3);
	CHECK_EQ(r.nrcpt_domains, 2);
	CHECK_EQ(read_sums("mx.example", "b.example", &r), 1);
	CHECK_EQ(r.sums[0].success, 2);
	CHECK_EQ(r.nrcpt_domains, 1);
	CHECK_EQ(read_sums("none.example", "", &r), 0);
	CHECK_EQ(r.n, 0);
}

/* What a crash cut off, and what others may add later. */
static void
test_torn(void)
{
	struct tlsrpt_result r1 = sts;
	struct tlsrpt_results r;

	r1.policy_domain = SLICE("torn.example");
	note(&r1);
	scratch_append("20261130/torn.example", SLICE("n=1 type=sts po"));
	note(&r1);
	scratch_append("20261130/torn.example",
	    SLICE("n=7 type=tlsa new=1 later=\"a b\"\n"
		  "n=0 type=tlsa\nn=x type=tlsa\nn=1\ntype=tlsa\n"
		  "n=1 type=other\nn=1 type=tlsa policy=\"no end\n"
		  "n=1 type=tlsa policy=\"\\xg0\"\n\n"));
	CHECK_EQ(read_sums("torn.example", "", &r), 1);
	CHECK_EQ(r.n, 2);
	CHECK_EQ(r.sums[0].success, 2);
	CHECK_EQ(r.sums[1].success, 7);
}

static off_t
file_size(const char *name)
{
	struct stat st = { .st_size = -1 };

	fstatat(scratch_fd, name, &st, 0);
	return st.st_size;
}

/* Many sessions, few kinds: the file stays small, and the sums are exact. */
static void
test_fold(void)
{
	struct tlsrpt_result many = sts;
	struct tlsrpt_results r;
	off_t most = 0;
	int n = 4000;

	many.policy_domain = SLICE("many.example");
	for (int i = 0; i < n; i++) {
		many.failure =
		    i % 4 == 0 ? SLICE("validation-failure") : SLICE_NULL;
		note(&many);
		if (file_size("20261130/many.example") > most)
			most = file_size("20261130/many.example");
	}
	CHECK(most >= TLSRPT_FOLD / 2 && most <= TLSRPT_FOLD);
	CHECK_EQ(read_sums("many.example", "", &r), 1);
	CHECK_EQ(r.n, 1);
	CHECK_EQ(r.sums[0].success, n / 4 * 3);
	CHECK_EQ(r.sums[0].failures[0].sessions, n / 4);
}

static void
test_full(void)
{
	struct tlsrpt_result full = sts;
	struct err e = ERR_INIT;
	int fd;

	full.policy_domain = SLICE("full.example");
	note(&full);
	fd = openat(scratch_fd, "20261130/full.example", O_WRONLY);
	CHECK_EQ(ftruncate(fd, TLSRPT_FILE_MAX), 0);
	close(fd);
	CHECK_EQ(tlsrpt_note(scratch_fd, &fake, &full, &e), -1);
	CHECK_EQ(e.kind, ERR_LIMIT);
	CHECK_STR(e.text,
	    "tlsresults/full.example is full: no more results of today");
}

/* A value of any length makes no line of any length. */
static void
test_long_values(void)
{
	struct tlsrpt_result l = sts;
	struct slice lines[1000];
	char text[1000];

	memset(text, '\x01', sizeof(text));
	for (size_t i = 0; i < ROWS(lines); i++)
		lines[i] = slice_of(text, sizeof(text));
	l.policy_domain = SLICE("long.example");
	l.policy = l.mx = lines;
	l.npolicy = l.nmx = ROWS(lines);
	l.reason = l.mx_host = l.mx_helo = lines[0];
	CHECK_EQ(note(&l), 0);
	CHECK(file_size("20261130/long.example") < 64 * 1024);
}

static void
test_days(void)
{
	struct slice *v;
	size_t n;

	fake.fake_us = NOW + DAY;
	note(&sts);
	fake.fake_us = NOW + TLSRPT_KEEP_DAYS * DAY;
	note(&sts);
	CHECK_EQ(tlsrpt_results_days(scratch_fd, arena, &v, &n, NULL), 0);
	CHECK_EQ(n, 3);
	CHECK_SLICE(v[0], SLICE("20261130"));
	CHECK_EQ(tlsrpt_results_domains(scratch_fd, "20261130", arena, &v, &n,
		     NULL),
	    0);
	CHECK_EQ(n, 6);
	CHECK_SLICE(v[0], SLICE("company-y.example"));
	fake.fake_us += DAY;
	note(&sts);
	CHECK(!scratch_has("20261130"));
	CHECK(scratch_has("20261201"));
	CHECK(scratch_has("20261214"));
	CHECK(scratch_has("20261215"));
}

int
main(void)
{
	arena = arena_new(0);
	scratch_begin();
	RUN(test_note);
	RUN(test_note_host);
	RUN(test_torn);
	RUN(test_fold);
	RUN(test_full);
	RUN(test_long_values);
	RUN(test_days);
	scratch_end();
	arena_free(&arena);
	return unit_done();
}
