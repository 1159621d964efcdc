/* Unit tests of lib/tlsrpt. */
#include "tlsrpt/tlsrpt.h"

#include <zlib.h>

#include "dns/zone.h"
#include "t/scratch.h"
#include "text/base64.h"
#include "text/gzip.h"

#define ROWS(rows) (sizeof(rows) / sizeof((rows)[0]))
#define NOW INT64_C(1796053800000000) /* 2026-11-30T15:50:00Z */
#define DAY (86400 * INT64_C(1000000))

static struct arena *arena;

/* ---- the record ---- */

static void
test_record(void)
{
	static const struct {
		const char *text, *rua; /* NULL: no record */
		const char *error;
	} rows[] = {
		/* RFC 8460, 3.1 */
		{ "v=TLSRPTv1;rua=mailto:reports@example.com",
		    "mailto:reports@example.com ", "" },
		{ "v=TLSRPTv1; rua=https://reporting.example.com/v1/tlsrpt",
		    "https://reporting.example.com/v1/tlsrpt ", "" },
		{ "v=TLSRPTv1 ; rua=mailto:a@b.example , https://c.example/?x=y "
		  "; x=1;",
		    "mailto:a@b.example https://c.example/?x=y ", "" },
		{ "v=TLSRPTv1; rua=mailto:a@b; rua=mailto:c@d; rua=x",
		    "mailto:a@b ", "" },
		{ "v=TLSRPTv1; rua=a@b.example", NULL,
		    "tlsrpt record: no address at \"a@b.example\"" },
		{ "v=TLSRPTv1; rua=mailto:", NULL,
		    "tlsrpt record: no address at \"mailto:\"" },
		{ "v=TLSRPTv1; rua=mailto:a@b,", NULL,
		    "tlsrpt record: no address at \"\"" },
		{ "v=TLSRPTv1; rua=mailto:a b", NULL,
		    "tlsrpt record: no address at \"mailto:a b\"" },
		{ "v=TLSRPTv1; rua", NULL,
		    "tlsrpt record: no field name= at \"\"" },
		{ "v=TLSRPTv1; =x", NULL,
		    "tlsrpt record: no field name= at \"=x\"" },
		{ "v=TLSRPTv1;", NULL, "tlsrpt record: no rua=" },
		{ "v=TLSRPTv1", NULL,
		    "tlsrpt record: does not begin with v=TLSRPTv1;" },
		{ "v=TLSRPTv2; rua=mailto:a@b", NULL,
		    "tlsrpt record: does not begin with v=TLSRPTv1;" },
		{ "", NULL, "tlsrpt record: does not begin with v=TLSRPTv1;" },
	};
	struct buf rua = BUF_INIT(1000);

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct tlsrpt_record r;
		struct err e = ERR_INIT;

		ROW(rows[i].text);
		CHECK_EQ(tlsrpt_record_parse(slice_str(rows[i].text), arena, &r,
			     &e),
		    rows[i].rua == NULL ? -1 : 0);
		CHECK_STR(e.text, rows[i].error);
		if (rows[i].rua == NULL)
			continue;
		buf_reset(&rua);
		for (size_t j = 0; j < r.nrua; j++)
			buf_addf(&rua, "%.*s ", SLICE_FMT(r.rua[j]));
		CHECK_STR(buf_cstr(&rua), rows[i].rua);
	}
	buf_free(&rua);
}

static void
test_lookup(void)
{
	static const char zone[] =
	    "_smtp._tls.one.example TXT \"v=TLSRPTv1; rua=mailto:a@b\"\n"
	    "_smtp._tls.one.example TXT \"other\"\n"
	    "_smtp._tls.two.example TXT \"v=TLSRPTv1; rua=mailto:a@b\"\n"
	    "_smtp._tls.two.example TXT \"v=TLSRPTv1; rua=mailto:a@c\"\n"
	    "_smtp._tls.bad.example TXT \"v=TLSRPTv1; rua=\"\n"
	    "_smtp._tls.fail.example FAIL\n";
	static const struct {
		const char *domain;
		int rc;
		enum err_kind kind;
		bool text;
	} rows[] = {
		{ "one.example", 1, ERR_NONE, true },
		{ "two.example", 0, ERR_NONE, false },
		{ "none.example", 0, ERR_NONE, false },
		{ "a..example", 0, ERR_NONE, false },
		{ "bad.example", -1, ERR_SYNTAX, true },
		{ "fail.example", -1, ERR_TEMP, false },
	};
	struct dns *dns = dns_zone_new(slice_str(zone), NULL);

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct tlsrpt_record r;
		struct err e = ERR_INIT;
		struct slice text;

		ROW(rows[i].domain);
		CHECK_EQ(tlsrpt_lookup(dns, arena, slice_str(rows[i].domain),
			     &r, &text, &e),
		    rows[i].rc);
		CHECK_EQ(e.kind, rows[i].kind);
		CHECK_EQ(text.n > 0, rows[i].text);
		CHECK_EQ(r.nrua, rows[i].rc == 1);
	}
	dns_free(&dns);
}

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

/* ---- reports ---- */

/* RFC 8460, appendix B */
static const char example[] =
    "{\"organization-name\": \"Company-X\","
    " \"date-range\": {"
    "  \"start-datetime\": \"2016-04-01T00:00:00Z\","
    "  \"end-datetime\": \"2016-04-01T23:59:59Z\"},"
    " \"contact-info\": \"sts-reporting@company-x.example\","
    " \"report-id\": \"5065427c-23d3-47ca-b6e0-946ea0e8c4be\","
    " \"policies\": [{"
    "  \"policy\": {"
    "   \"policy-type\": \"sts\","
    "   \"policy-string\": [\"version: STSv1\",\"mode: testing\","
    "     \"mx: *.mail.company-y.example\",\"max_age: 86400\"],"
    "   \"policy-domain\": \"company-y.example\","
    "   \"mx-host\": [\"*.mail.company-y.example\"]},"
    "  \"summary\": {"
    "   \"total-successful-session-count\": 5326,"
    "   \"total-failure-session-count\": 303},"
    "  \"failure-details\": [{"
    "   \"result-type\": \"certificate-expired\","
    "   \"sending-mta-ip\": \"2001:db8:abcd:0012::1\","
    "   \"receiving-mx-hostname\": \"mx1.mail.company-y.example\","
    "   \"failed-session-count\": 100"
    "  }, {"
    "   \"result-type\": \"starttls-not-supported\","
    "   \"sending-mta-ip\": \"2001:db8:abcd:0013::1\","
    "   \"receiving-mx-hostname\": \"mx2.mail.company-y.example\","
    "   \"receiving-ip\": \"203.0.113.56\","
    "   \"failed-session-count\": 200,"
    "   \"additional-information\": \"https://reports.company-x.example/"
    "report_info?id=5065427c-23d3#StarttlsNotSupported\""
    "  }, {"
    "   \"result-type\": \"validation-failure\","
    "   \"sending-mta-ip\": \"198.51.100.62\","
    "   \"receiving-ip\": \"203.0.113.58\","
    "   \"receiving-mx-hostname\": \"mx-backup.mail.company-y.example\","
    "   \"failed-session-count\": 3,"
    "   \"failure-reason-code\": \"X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED\""
    "  }]"
    " }]}";

static void
check_example(const struct tlsrpt_report *r)
{
	const struct tlsrpt_sum *p = r->policies;

	CHECK_SLICE(r->organization, SLICE("Company-X"));
	CHECK_SLICE(r->contact, SLICE("sts-reporting@company-x.example"));
	CHECK_SLICE(r->id, SLICE("5065427c-23d3-47ca-b6e0-946ea0e8c4be"));
	CHECK_SLICE(r->start, SLICE("2016-04-01T00:00:00Z"));
	CHECK_SLICE(r->end, SLICE("2016-04-01T23:59:59Z"));
	CHECK_EQ(r->npolicies, 1);
	if (r->npolicies != 1)
		return;
	CHECK_EQ(p->type, TLSRPT_STS);
	CHECK_SLICE(p->domain, SLICE("company-y.example"));
	CHECK_EQ(p->npolicy, 4);
	CHECK_SLICE(p->policy[3], SLICE("max_age: 86400"));
	CHECK_EQ(p->nmx, 1);
	CHECK_SLICE(p->mx[0], SLICE("*.mail.company-y.example"));
	CHECK_EQ(p->success, 5326);
	CHECK_EQ(p->failure, 303);
	CHECK_EQ(p->nfailures, 3);
	if (p->nfailures != 3)
		return;
	CHECK_SLICE(p->failures[0].type, SLICE("certificate-expired"));
	CHECK_EQ(p->failures[0].sessions, 100);
	CHECK_SLICE(p->failures[1].receiving_ip, SLICE("203.0.113.56"));
	CHECK(slice_starts(p->failures[1].more, SLICE("https://reports.")));
	CHECK_SLICE(p->failures[2].reason,
	    SLICE("X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED"));
	CHECK_SLICE(p->failures[2].sending_ip, SLICE("198.51.100.62"));
}

static void
test_report(void)
{
	struct tlsrpt_report r, again;
	struct buf b = BUF_INIT(100000);
	struct err e = ERR_INIT;

	CHECK_EQ(tlsrpt_report_parse(slice_str(example), arena, &r, &e), 0);
	CHECK_STR(e.text, "");
	check_example(&r);
	tlsrpt_report_write(&b, &r);
	CHECK_EQ(tlsrpt_report_parse(buf_slice(&b), arena, &again, &e), 0);
	check_example(&again);
	buf_free(&b);
}

static void
test_report_odd(void)
{
	static const struct {
		const char *json, *error; /* NULL: fine */
	} rows[] = {
		{ "{\"policies\":[]}", NULL },
		{ "{\"policies\":[],\"contact-info\":null,\"new\":[1]}", NULL },
		/* as one sends them: strings in place of arrays */
		{ "{\"policies\":[{\"policy\":{\"policy-type\":\"tlsa\","
		  "\"policy-string\":\"3 1 1 00\",\"mx-host\":\"mx.example\"}}]}",
		    NULL },
		{ "{\"policies\":[{\"policy\":{\"policy-type\":"
		  "\"no-policy-found\",\"policy-domain\":\"x\"}}]}",
		    NULL },
		{ "{}", "TLS report: policies is no array" },
		{ "[]", "TLS report: the whole is no object" },
		{ "{\"policies\":[{}]}", "TLS report: policy is no object" },
		{ "{\"policies\":[{\"policy\":{\"policy-type\":\"x\"}}]}",
		    "TLS report: policy-type is none of tlsa, sts, "
		    "no-policy-found" },
		{ "{\"policies\":[],\"report-id\":1}",
		    "TLS report: report-id is no string" },
		{ "{\"policies\":[{\"policy\":{\"policy-type\":\"sts\"},"
		  "\"summary\":{\"total-failure-session-count\":-1}}]}",
		    "TLS report: total-failure-session-count is no count" },
		{ "{\"policies\":[{\"policy\":{\"policy-type\":\"sts\","
		  "\"mx-host\":[1]}}]}",
		    "TLS report: mx-host is no array of strings" },
		{ "{\"policies\":[{\"policy\":{\"policy-type\":\"sts\"},"
		  "\"failure-details\":[{}]}]}",
		    "TLS report: result-type is missing" },
		{ "{\"policies\":[{\"policy\":{\"policy-type\":\"sts\"},"
		  "\"failure-details\":[1]}]}",
		    "TLS report: failure-details is no array of objects" },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct tlsrpt_report r;
		struct err e = ERR_INIT;

		ROW(rows[i].json);
		CHECK_EQ(tlsrpt_report_parse(slice_str(rows[i].json), arena, &r,
			     &e),
		    rows[i].error == NULL ? 0 : -1);
		CHECK_STR(e.text, rows[i].error ? rows[i].error : "");
	}
}

/* ---- messages ---- */

static void
gzip_make(struct slice s, struct buf *out)
{
	z_stream z = { .next_in = (unsigned char *)s.p, .avail_in = (uInt)s.n };
	size_t room = s.n + 1000;

	CHECK_EQ(deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 9,
		     Z_DEFAULT_STRATEGY),
	    Z_OK);
	z.next_out = (unsigned char *)buf_space(out, room);
	z.avail_out = (uInt)room;
	CHECK_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
	out->n += room - z.avail_out;
	deflateEnd(&z);
}

/* RFC 8460, 5.3, with the body as it is; end: of lines. */
static void
message(struct buf *out, const char *type, struct slice body, const char *end)
{
	struct buf b = BUF_INIT(SIZE_MAX);
	struct slice rest, line;

	buf_addf(&b,
	    "From: tlsrpt@mail.sender.example.com\n"
	    "To: mts-sts-tlsrpt@example.net\n"
	    "Subject: Report Domain: example.net\n"
	    "TLS-Report-Domain: example.net\n"
	    "TLS-Report-Submitter: mail.sender.example.com\n"
	    "MIME-Version: 1.0\n"
	    "Content-Type: multipart/report; report-type=\"tlsrpt\";\n"
	    "\tboundary=\"----=_NextPart_000_024E_01CC9B0A.AFE54C00\"\n\n"
	    "------=_NextPart_000_024E_01CC9B0A.AFE54C00\n"
	    "Content-Type: text/plain; charset=\"us-ascii\"\n\n"
	    "This is an aggregate TLS report from mail.sender.example.com\n\n"
	    "------=_NextPart_000_024E_01CC9B0A.AFE54C00\n"
	    "Content-Type: %s\n"
	    "Content-Transfer-Encoding: base64\n\n",
	    type);
	for (rest = body; rest.n > 0; rest = slice_skip(rest, 57)) {
		base64_encode(&b, slice_head(rest, 57));
		buf_addc(&b, '\n');
	}
	buf_addz(&b, "\n------=_NextPart_000_024E_01CC9B0A.AFE54C00--\n");
	for (rest = buf_slice(&b); slice_line(&rest, &line);) {
		buf_add(out, line);
		buf_addz(out, end);
	}
	buf_free(&b);
}

static void
test_message(void)
{
	static const struct {
		const char *type, *end;
		bool gzip, found;
	} rows[] = {
		{ "application/tlsrpt+gzip", "\r\n", true, true },
		{ "application/tlsrpt+gzip", "\n", true, true },
		{ "application/tlsrpt+json", "\r\n", false, true },
		{ "application/tlsrpt+json", "\n", false, true },
		{ "application/gzip", "\n", true, true },
		{ "application/octet-stream", "\n", true, false },
	};
	struct buf gz = BUF_INIT(SIZE_MAX), m = BUF_INIT(SIZE_MAX);

	gzip_make(slice_str(example), &gz);
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct tlsrpt_report r;
		struct err e = ERR_INIT;

		ROW(rows[i].type);
		buf_reset(&m);
		message(&m, rows[i].type,
		    rows[i].gzip ? buf_slice(&gz) : slice_str(example),
		    rows[i].end);
		CHECK_EQ(tlsrpt_message_parse(buf_slice(&m), arena, &r, &e),
		    rows[i].found ? 0 : -1);
		CHECK_STR(e.text,
		    rows[i].found ? "" : "no TLS report in the message");
		if (rows[i].found)
			check_example(&r);
	}
	buf_free(&gz);
	buf_free(&m);
}

/* What unpacks to more than is sensible, or to nothing. */
static void
test_bombs(void)
{
	struct buf b = BUF_INIT(SIZE_MAX), gz = BUF_INIT(SIZE_MAX),
		   m = BUF_INIT(SIZE_MAX), out = BUF_INIT(100);
	struct tlsrpt_report r;
	struct err e = ERR_INIT;

	memset(buf_space(&b, 3 * TLSRPT_REPORT_MAX), ' ',
	    3 * TLSRPT_REPORT_MAX);
	b.n = 3 * TLSRPT_REPORT_MAX;
	gzip_make(buf_slice(&b), &gz);
	message(&m, "application/tlsrpt+gzip", buf_slice(&gz), "\n");
	CHECK_EQ(tlsrpt_message_parse(buf_slice(&m), arena, &r, &e), -1);
	CHECK_EQ(e.kind, ERR_LIMIT);
	CHECK_STR(e.text, "TLS report: gzip: more than 10485760 bytes");
	buf_reset(&gz);
	gzip_make(SLICE("hello"), &gz);
	CHECK_EQ(gzip_read(slice_head(buf_slice(&gz), gz.n - 1), &out, &e), -1);
	CHECK_STR(e.text, "gzip: ends too early");
	gzip_make(SLICE(" world"), &gz);
	buf_addz(&gz, "trailing");
	buf_reset(&out);
	CHECK_EQ(gzip_read(buf_slice(&gz), &out, &e), 0);
	CHECK_STR(buf_cstr(&out), "hello world");
	gz.p[gz.n - 10] ^= 1; /* in a checksum */
	buf_reset(&out);
	CHECK_EQ(gzip_read(buf_slice(&gz), &out, &e), -1);
	CHECK_EQ(e.kind, ERR_SYNTAX);
	CHECK_EQ(gzip_read(SLICE("no gzip"), &out, &e), -1);
	CHECK_EQ(gzip_read(SLICE_NULL, &out, &e), -1);
	buf_free(&b);
	buf_free(&gz);
	buf_free(&m);
	buf_free(&out);
}

int
main(void)
{
	arena = arena_new(0);
	scratch_begin();
	RUN(test_record);
	RUN(test_lookup);
	RUN(test_note);
	RUN(test_note_host);
	RUN(test_torn);
	RUN(test_fold);
	RUN(test_full);
	RUN(test_long_values);
	RUN(test_days);
	RUN(test_report);
	RUN(test_report_odd);
	RUN(test_message);
	RUN(test_bombs);
	scratch_end();
	arena_free(&arena);
	return unit_done();
}
