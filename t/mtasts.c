/* Unit tests of lib/mtasts. */
#include "mtasts/mtasts.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include "base/fdpass.h"
#include "dns/zone.h"
#include "mtasts/mtasts_door.h"
#include "t/scratch.h"

#define ROWS(rows) (sizeof(rows) / sizeof((rows)[0]))
#define SECOND INT64_C(1000000)
#define DAY (86400 * SECOND)
#define NOW INT64_C(1796053800000000) /* 2026-11-30T15:50:00Z */

static struct arena *arena;

/* ---- records ---- */

static void
test_record(void)
{
	static const struct {
		const char *text, *id; /* NULL: no record */
	} rows[] = {
		/* RFC 8461, 3.1 */
		{ "v=STSv1; id=20160831085700Z;", "20160831085700Z" },
		{ "v=STSv1;id=1", "1" },
		{ "v=STSv1 ; id=1 ; ", "1" },
		{ "v=STSv1; x-y.z_1=a/b:c; id=a", "a" },
		{ "v=STSv1; id=12345678901234567890123456789012",
		    "12345678901234567890123456789012" },
		{ "v=STSv1; id=a; id=b", "a" }, /* 3.2 */
		{ "v=STSv1; id=a; id=-", "a" },
		{ "v=STSv1; id=123456789012345678901234567890123", NULL },
		{ "v=STSv1; id=", NULL },
		{ "v=STSv1; id=a-b", NULL },
		{ "v=STSv1; id=a=b", NULL },
		{ "v=STSv1; id = a", NULL },
		{ "v=STSv1; id=a; ;", NULL },
		{ "v=STSv1; id=a b", NULL },
		{ "v=STSv1; -x=y; id=a", NULL },
		{ "v=STSv1; idx=a", NULL },
		{ "v=STSv1;", NULL },
		{ "v=STSv1", NULL },
		{ "v=STSv10; id=a", NULL },
		{ "v=stsv1; id=a", NULL },
		{ " v=STSv1; id=a", NULL },
		{ "id=a; v=STSv1", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct slice id;
		bool ok = mtasts_record_parse(slice_str(rows[i].text), &id);

		ROW(rows[i].text);
		CHECK_EQ(ok, rows[i].id != NULL);
		if (ok)
			CHECK_SLICE(id, slice_str(rows[i].id));
	}
}

static const char zone[] = "_mta-sts.one.example TXT \"v=STSv1; id=1\"\n"
			   "_mta-sts.two.example TXT \"v=STSv1; id=1\"\n"
			   "_mta-sts.two.example TXT \"v=STSv1; id=2\"\n"
			   "_mta-sts.beside.example TXT \"other\"\n"
			   "_mta-sts.beside.example TXT \"v=STSv1; id=3\"\n"
			   "_mta-sts.bad.example TXT \"v=STSv1; id=-\"\n"
			   "_mta-sts.fail.example FAIL\n"
			   "none.example A 192.0.2.1\n";

static void
test_lookup(void)
{
	static const struct {
		const char *domain;
		enum mtasts_record status;
		const char *id, *why;
	} rows[] = {
		{ "one.example", MTASTS_RECORD_OK, "1", "" },
		{ "beside.example", MTASTS_RECORD_OK, "3", "" },
		{ "two.example", MTASTS_RECORD_NONE, "", "several records" },
		{ "none.example", MTASTS_RECORD_NONE, "", "no record" },
		{ "bad.example", MTASTS_RECORD_INVALID, "",
		    "the record is malformed" },
		{ "fail.example", MTASTS_RECORD_TEMP, "",
		    "_mta-sts.fail.example: dns: TXT of _mta-sts.fail.example: "
		    "SERVFAIL" },
		{ "a..example", MTASTS_RECORD_NONE, "",
		    "no name that can have a record" },
	};
	struct dns *dns = dns_zone_new(slice_str(zone), NULL);

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct slice text, id, why;

		ROW(rows[i].domain);
		CHECK_EQ(mtasts_record_lookup(dns, arena,
			     slice_str(rows[i].domain), &text, &id, &why),
		    rows[i].status);
		CHECK_SLICE(id, slice_str(rows[i].id));
		if (rows[i].status == MTASTS_RECORD_TEMP)
			CHECK(slice_starts(why,
			    SLICE("_mta-sts.fail.example: ")));
		else
			CHECK_SLICE(why, slice_str(rows[i].why));
		CHECK_EQ(text.n > 0,
		    rows[i].status == MTASTS_RECORD_OK ||
			rows[i].status == MTASTS_RECORD_INVALID);
	}
	dns_free(&dns);
}

/* ---- policies ---- */

#define POLICY \
	"version: STSv1\nmode: enforce\nmx: mx.example\nmax_age: 604800\n"

static const struct {
	const char *name, *text, *error; /* error NULL: fine */
	enum mtasts_mode mode;
	uint32_t max_age;
	const char *mx; /* with spaces between */
} policies[] = {
	{ "RFC 8461, 3.2",
	    "version: STSv1\nmode: enforce\nmx: mail.example.com\n"
	    "mx: *.example.net\nmx: backupmx.example.com\nmax_age: 604800\n",
	    NULL, MTASTS_MODE_ENFORCE, 604800,
	    "mail.example.com *.example.net backupmx.example.com " },
	{ "RFC 8461, A",
	    "version: STSv1\r\nmode: testing\r\nmx: mx1.example.com\r\n"
	    "mx: mx2.example.com\r\nmx: mx.backup-example.com\r\n"
	    "max_age: 1296000\r\n",
	    NULL, MTASTS_MODE_TESTING, 1296000,
	    "mx1.example.com mx2.example.com mx.backup-example.com " },
	{ "RFC 8461, 8.3", "version: STSv1\nmode: none\nmax_age: 86400", NULL,
	    MTASTS_MODE_NONE, 86400, "" },
	{ "the first counts, others are passed over",
	    "x-a: b: c\nmode: testing\nmode: enforce\nversion: STSv1\n"
	    "version: 2\nmax_age: 1\nmax_age: x\nmx: A.example\n\n",
	    NULL, MTASTS_MODE_TESTING, 1, "a.example " },
	{ "blanks", "version:STSv1 \nmode:\tenforce\nmx:  *.b\nmax_age:0", NULL,
	    MTASTS_MODE_ENFORCE, 0, "*.b " },
	{ "max_age has a maximum",
	    "version: STSv1\nmode: none\nmax_age: 4000000000\n", NULL,
	    MTASTS_MODE_NONE, MTASTS_AGE_MAX, "" },
	{ "U-labels",
	    "version: STSv1\nmode: enforce\nmx: *.b\xc3\xbc"
	    "cher.example\nmax_age: 1\n",
	    NULL, MTASTS_MODE_ENFORCE, 1, "*.xn--bcher-kva.example " },
	{ "version", "version: STSv2\n", "policy, line 1: version is not STSv1",
	    0, 0, "" },
	{ "no version", "mode: none\nmax_age: 1\n", "policy without version", 0,
	    0, "" },
	{ "no mode", "version: STSv1\nmax_age: 1\nmx: a\n",
	    "policy without mode", 0, 0, "" },
	{ "no max_age", "version: STSv1\nmode: none\n",
	    "policy without max_age", 0, 0, "" },
	{ "no mx", "version: STSv1\nmode: enforce\nmax_age: 1\n",
	    "policy without mx", 0, 0, "" },
	{ "mode", "version: STSv1\nmode: Enforce\n",
	    "policy, line 2: mode is none of enforce, testing, none", 0, 0,
	    "" },
	{ "max_age", "max_age: -1\n",
	    "policy, line 1: max_age is no number of seconds", 0, 0, "" },
	{ "max_age is too long", "max_age: 00000000001\n",
	    "policy, line 1: max_age is no number of seconds", 0, 0, "" },
	{ "mx alone", "mx: *\n", "policy, line 1: mx is no host name", 0, 0,
	    "" },
	{ "mx inside", "mx: a.*.example\n",
	    "policy, line 1: mx is no host name", 0, 0, "" },
	{ "mx empty", "mx: *.\n", "policy, line 1: mx is no host name", 0, 0,
	    "" },
	{ "HTML", "<!DOCTYPE html>\n", "policy, line 1: no \"key: value\"", 0,
	    0, "" },
	{ "empty", "", "policy without version", 0, 0, "" },
};

static void
test_policy(void)
{
	struct buf mx = BUF_INIT(1000);

	for (size_t i = 0; i < ROWS(policies); i++) {
		struct mtasts_policy p;
		struct err e = ERR_INIT;
		int rc;

		ROW(policies[i].name);
		rc = mtasts_policy_parse(slice_str(policies[i].text), arena, &p,
		    &e);
		CHECK_EQ(rc, policies[i].error == NULL ? 0 : -1);
		CHECK_STR(e.text, policies[i].error ? policies[i].error : "");
		if (rc < 0)
			continue;
		CHECK_EQ(p.mode, policies[i].mode);
		CHECK_EQ(p.max_age, policies[i].max_age);
		buf_reset(&mx);
		for (size_t j = 0; j < p.nmx; j++)
			buf_addf(&mx, "%.*s ", SLICE_FMT(p.mx[j]));
		CHECK_STR(buf_cstr(&mx), policies[i].mx);
	}
	buf_free(&mx);
}

static void
test_policy_limits(void)
{
	struct buf b = BUF_INIT(SIZE_MAX);
	struct mtasts_policy p;
	struct err e = ERR_INIT;

	buf_addz(&b, POLICY);
	for (int i = 1; i < MTASTS_MX_MAX; i++)
		buf_addf(&b, "mx: mx%d.example\n", i);
	CHECK_EQ(mtasts_policy_parse(buf_slice(&b), arena, &p, &e), 0);
	CHECK_EQ(p.nmx, MTASTS_MX_MAX);
	buf_addz(&b, "mx: one.too.many\n");
	CHECK_EQ(mtasts_policy_parse(buf_slice(&b), arena, &p, &e), -1);
	CHECK_STR(e.text, "policy, line 1004: too many lines mx");
	buf_reset(&b);
	buf_addz(&b, POLICY "x: ");
	while (b.n < MTASTS_POLICY_MAX)
		buf_addc(&b, 'x');
	CHECK_EQ(mtasts_policy_parse(buf_slice(&b), arena, &p, &e), 0);
	buf_addc(&b, 'x');
	CHECK_EQ(mtasts_policy_parse(buf_slice(&b), arena, &p, &e), -1);
	CHECK_STR(e.text, "policy of more than 65536 bytes");
	buf_free(&b);
}

static void
test_matches(void)
{
	static const struct {
		const char *pattern, *host;
		bool yes;
	} rows[] = {
		/* RFC 8461, 4.1 */
		{ "mail.example.com", "mail.example.com", true },
		{ "*.example.com", "mail.example.com", true },
		{ "*.example.com", "example.com", false },
		{ "*.example.com", "foo.bar.example.com", false },
		{ "*.example.com", ".example.com", false },
		{ "mail.example.com", "MAIL.Example.COM", true },
		{ "*.example.com", "mail.EXAMPLE.com", true },
		{ "mail.example.com", "xmail.example.com", false },
		{ "mail.example.com", "example.com", false },
		{ "*.example.com", "mailexample.com", false },
		{ "*.example.com", "", false },
	};
	struct slice ascii;
	struct mtasts_policy p;

	for (size_t i = 0; i < ROWS(rows); i++) {
		ROW(rows[i].host);
		CHECK_EQ(mtasts_mx_matches(slice_str(rows[i].pattern),
			     slice_str(rows[i].host)),
		    rows[i].yes);
	}
	mtasts_policy_parse(slice_str(policies[0].text), arena, &p, NULL);
	CHECK(mtasts_matches(&p, SLICE("mx.example.net")));
	CHECK(mtasts_matches(&p, SLICE("backupmx.example.com")));
	CHECK(!mtasts_matches(&p, SLICE("mx.example.com")));
	mtasts_policy_parse(slice_str(policies[2].text), arena, &p, NULL);
	CHECK(!mtasts_matches(&p, SLICE("mx.example.net")));
	CHECK(mtasts_mx_ascii(arena,
	    SLICE("*.B\xc3\xbc"
		  "cher.example"),
	    &ascii));
	CHECK_SLICE(ascii, SLICE("*.xn--bcher-kva.example"));
	CHECK(!mtasts_mx_ascii(arena, SLICE("*."), &ascii));
	CHECK(!mtasts_mx_ascii(arena, SLICE_NULL, &ascii));
}

/* ---- the cache ---- */

static struct clock fake;

static void
test_cache(void)
{
	struct mtasts_entry entry = { .id = SLICE("a1"),
		.have = true,
		.fetched_us = NOW,
		.used_us = NOW,
		.text = SLICE(POLICY) };
	struct mtasts_entry got;
	struct buf b = BUF_INIT(10000);
	struct err e = ERR_INIT;

	CHECK_EQ(mtasts_cache_read(scratch_fd, SLICE("x.example"), arena, &got,
		     &e),
	    0);
	CHECK_EQ(mtasts_cache_write(scratch_fd, SLICE("X.example"), &entry, &e),
	    0);
	CHECK_SLICE(scratch_get("x.example", &b),
	    SLICE("mox-mtasts 1\nid a1\nfetched 2026-11-30T15:50:00.000Z\n"
		  "\n" POLICY));
	CHECK_EQ(mtasts_cache_read(scratch_fd, SLICE("x.example"), arena, &got,
		     &e),
	    1);
	CHECK_SLICE(got.id, entry.id);
	CHECK(got.have);
	CHECK_EQ(got.fetched_us, NOW);
	CHECK_EQ(got.used_us, NOW);
	CHECK_EQ(got.end_us, NOW + 604800 * SECOND);
	CHECK_EQ(got.policy.nmx, 1);
	CHECK_SLICE(got.text, SLICE(POLICY));
	CHECK_EQ(got.failed_us, 0);

	entry.failed_us = NOW + SECOND;
	entry.failure_type = SLICE("sts-policy-fetch-error");
	entry.failure = SLICE("what\nid forged");
	CHECK_EQ(mtasts_cache_write(scratch_fd, SLICE("x.example"), &entry, &e),
	    0);
	mtasts_cache_read(scratch_fd, SLICE("x.example"), arena, &got, &e);
	CHECK_SLICE(got.id, entry.id);
	CHECK_EQ(got.failed_us, NOW + SECOND);
	CHECK_SLICE(got.failure_type, entry.failure_type);
	CHECK_SLICE(got.failure, SLICE("what id forged"));
	CHECK_SLICE(got.text, SLICE(POLICY));
	CHECK_EQ(mtasts_cache_remove(scratch_fd, SLICE("x.example"), &e), 0);
	CHECK(!scratch_has("x.example"));
	buf_free(&b);
}

static void
test_cache_damaged(void)
{
	static const struct {
		const char *text;
		const char *error; /* NULL: fine */
	} rows[] = {
		{ "mox-mtasts 1\n", NULL },
		{ "mox-mtasts 1\nnew yes\nfailed 2026-11-30T15:50:00Z\n",
		    NULL },
		{ "", "mtasts/d.example: not of the cache" },
		{ "mox-mtasts 2\n", "mtasts/d.example: not of the cache" },
		{ "mox-mtasts 1\nfetched yesterday\n",
		    "mtasts/d.example: bad line fetched" },
		{ "mox-mtasts 1\nfetched 2026-11-30T15:50:00Z\n\nversi",
		    "mtasts/d.example: policy, line 1: no \"key: value\"" },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct mtasts_entry got;
		struct err e = ERR_INIT;

		ROW(rows[i].text);
		scratch_put("d.example", slice_str(rows[i].text));
		CHECK_EQ(mtasts_cache_read(scratch_fd, SLICE("d.example"),
			     arena, &got, &e),
		    rows[i].error == NULL ? 1 : -1);
		CHECK_STR(e.text, rows[i].error ? rows[i].error : "");
		CHECK(!got.have);
	}
	mtasts_cache_remove(scratch_fd, SLICE("d.example"), NULL);
}

static int64_t
used_us(const char *domain)
{
	struct mtasts_entry got;

	mtasts_cache_read(scratch_fd, slice_str(domain), arena, &got, NULL);
	return got.used_us;
}

static void
test_cache_used(void)
{
	const struct mtasts_fetched good = { .text = SLICE(POLICY) };

	clock_fake(&fake, NOW);
	CHECK_EQ(mtasts_cache_take(scratch_fd, SLICE("u.example"), SLICE("1"),
		     &fake, &good, NULL),
	    1);
	fake.fake_us = NOW + DAY - 1;
	CHECK_EQ(mtasts_cache_used(scratch_fd, SLICE("u.example"), &fake, NULL),
	    0);
	CHECK_EQ(used_us("u.example"), NOW);
	fake.fake_us = NOW + DAY;
	CHECK_EQ(mtasts_cache_used(scratch_fd, SLICE("u.example"), &fake, NULL),
	    0);
	CHECK_EQ(used_us("u.example"), NOW + DAY);
	/* fetching it is no use of it */
	fake.fake_us = NOW + 9 * DAY;
	mtasts_cache_take(scratch_fd, SLICE("u.example"), SLICE("1"), &fake,
	    &good, NULL);
	CHECK_EQ(used_us("u.example"), NOW + DAY);
	CHECK_EQ(mtasts_cache_used(scratch_fd, SLICE("no.example"), &fake,
		     NULL),
	    0);
	CHECK(!scratch_has("no.example"));
	mtasts_cache_remove(scratch_fd, SLICE("u.example"), NULL);
}

static void
test_cache_names(void)
{
	static const char *const domains[] = { "a.example", "b/c%.example",
		".dot" };
	struct mtasts_entry entry = { .id = SLICE("1") };
	struct slice *names;
	char longest[254];
	size_t n;

	memset(longest, 'n', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	for (int i = 63; i < 253; i += 64)
		longest[i] = '.';
	scratch_put(".a.example.xyz.tmp", SLICE("x"));
	for (size_t i = 0; i < ROWS(domains); i++)
		CHECK_EQ(mtasts_cache_write(scratch_fd, slice_str(domains[i]),
			     &entry, NULL),
		    0);
	CHECK_EQ(mtasts_cache_write(scratch_fd, slice_str(longest), &entry,
		     NULL),
	    0);
	CHECK_EQ(mtasts_cache_list(scratch_fd, arena, &names, &n, NULL), 0);
	CHECK_EQ(n, 4);
	if (n == 4) {
		CHECK_STR(".dot", arena_cstr(arena, names[0]));
		CHECK_STR("a.example", arena_cstr(arena, names[1]));
		CHECK_STR("b/c%.example", arena_cstr(arena, names[2]));
		CHECK_STR(longest, arena_cstr(arena, names[3]));
	}
	for (size_t i = 0; i < n; i++)
		mtasts_cache_remove(scratch_fd, names[i], NULL);
}

/* ---- all of it ---- */

/* A fetcher that brings what is next; it writes to the cache as the real one
 * does. */
static struct {
	struct mtasts_fetched next;
	bool broken; /* could not even try */
	int calls;
	char id[40];
} web;

static int
fake_fetch(void *ctx, struct slice domain, struct slice id, struct err *e)
{
	(void)ctx;
	web.calls++;
	slice_cstr(id, web.id, sizeof(web.id));
	if (web.broken)
		return err_set(e, ERR_TEMP, "no fetcher");
	return mtasts_cache_take(scratch_fd, domain, id, &fake, &web.next, e) <
		0
	    ? -1
	    : 0;
}

static const struct mtasts_fetcher fetcher = { fake_fetch, NULL };

#define TESTING \
	"version: STSv1\nmode: testing\nmx: mx2.example\nmax_age: 86400\n"
#define OFF "version: STSv1\nmode: none\nmax_age: 86400\n"
#define RECORD(id) "_mta-sts.x.example TXT \"v=STSv1; id=" id "\"\n"

/* One after the other: what DNS and the web say, and what comes of it. */
static const struct {
	const char *name;
	int64_t after_s; /* since the row before */
	const char *zone, *text, *failure;
	bool broken;
	enum mtasts_status status;
	int calls;
	const char *type, *why;
	int mode;
} steps[] = {
	{ "no record", 0, "", NULL, NULL, false, MTASTS_NONE, 0, "",
	    "no record", -1 },
	{ "DNS fails", 0, "_mta-sts.x.example FAIL\n", NULL, NULL, false,
	    MTASTS_TEMP, 0, "", NULL, -1 },
	{ "a wrong record", 0, "_mta-sts.x.example TXT \"v=STSv1; id=\"\n",
	    NULL, NULL, false, MTASTS_NONE, 0, "sts-policy-invalid",
	    "the record is malformed", -1 },
	{ "we cannot fetch", 0, RECORD("1"), NULL, NULL, true, MTASTS_TEMP, 1,
	    "", "no fetcher", -1 },
	{ "the fetch fails", 0, RECORD("1"), NULL, "HTTP status 404", false,
	    MTASTS_NONE, 1, "sts-policy-fetch-error", "HTTP status 404", -1 },
	{ "not again at once", 299, RECORD("1"), POLICY, NULL, false,
	    MTASTS_NONE, 0, "sts-policy-fetch-error", "HTTP status 404", -1 },
	{ "but after 5 minutes; no policy", 1, RECORD("1"), "x\n", NULL, false,
	    MTASTS_NONE, 1, "sts-policy-invalid",
	    "policy, line 1: no \"key: value\"", -1 },
	{ "fetched", 300, RECORD("1"), POLICY, NULL, false, MTASTS_OK, 1, "",
	    "", MTASTS_MODE_ENFORCE },
	{ "cached", 86400, RECORD("1"), TESTING, NULL, false, MTASTS_OK, 0, "",
	    "", MTASTS_MODE_ENFORCE },
	{ "another id, but it cannot be fetched", 0, RECORD("2"), NULL,
	    "timed out", false, MTASTS_OK, 1, "sts-policy-fetch-error",
	    "timed out", MTASTS_MODE_ENFORCE },
	{ "nor at once", 10, RECORD("2"), TESTING, NULL, false, MTASTS_OK, 0,
	    "sts-policy-fetch-error", "timed out", MTASTS_MODE_ENFORCE },
	{ "the old id again", 0, RECORD("1"), TESTING, NULL, false, MTASTS_OK,
	    0, "", "", MTASTS_MODE_ENFORCE },
	{ "the record is gone", 0, "", NULL, NULL, false, MTASTS_OK, 0, "", "",
	    MTASTS_MODE_ENFORCE },
	{ "DNS is gone", 0, "_mta-sts.x.example FAIL\n", NULL, NULL, false,
	    MTASTS_OK, 0, "", "", MTASTS_MODE_ENFORCE },
	{ "another id", 300, RECORD("2"), TESTING, NULL, false, MTASTS_OK, 1,
	    "", "", MTASTS_MODE_TESTING },
	{ "it has ended: fetched again", 86400, RECORD("2"), OFF, NULL, false,
	    MTASTS_NONE, 1, "", "", MTASTS_MODE_NONE },
	{ "none is cached, too", 10, RECORD("2"), POLICY, NULL, false,
	    MTASTS_NONE, 0, "", "", MTASTS_MODE_NONE },
	{ "ended, and it cannot be fetched", 86400, RECORD("2"), NULL, "down",
	    false, MTASTS_NONE, 1, "sts-policy-fetch-error", "down", -1 },
	{ "ended, and the record is gone", 86400, "", NULL, NULL, false,
	    MTASTS_NONE, 0, "", "no record", -1 },
	{ "ended, and DNS fails", 0, "_mta-sts.x.example FAIL\n", NULL, NULL,
	    false, MTASTS_TEMP, 0, "", NULL, -1 },
};

static void
test_get(void)
{
	clock_fake(&fake, NOW);
	for (size_t i = 0; i < ROWS(steps); i++) {
		struct dns *dns = dns_zone_new(slice_str(steps[i].zone), NULL);
		struct mtasts_result r;

		ROW(steps[i].name);
		fake.fake_us += steps[i].after_s * SECOND;
		web.next = (struct mtasts_fetched){
			.text = slice_str(steps[i].text),
			.failure_type = steps[i].failure
			    ? SLICE("sts-policy-fetch-error")
			    : SLICE_NULL,
			.failure = slice_str(steps[i].failure),
		};
		web.broken = steps[i].broken;
		web.calls = 0;
		mtasts_get(dns, scratch_fd, &fetcher, &fake, arena,
		    SLICE("x.example"), &r);
		CHECK_EQ(r.status, steps[i].status);
		CHECK_EQ(web.calls, steps[i].calls);
		CHECK_SLICE(r.failure_type, slice_str(steps[i].type));
		if (steps[i].why != NULL)
			CHECK_SLICE(r.why, slice_str(steps[i].why));
		else
			CHECK(r.why.n > 0);
		CHECK_EQ(r.text.n > 0, steps[i].mode >= 0);
		if (steps[i].mode >= 0)
			CHECK_EQ(r.policy.mode, (unsigned)steps[i].mode);
		dns_free(&dns);
	}
	mtasts_cache_remove(scratch_fd, SLICE("x.example"), NULL);
}

/* Without a fetcher, and with a damaged file. */
static void
test_get_odd(void)
{
	struct dns *dns = dns_zone_new(SLICE(RECORD("1")), NULL);
	struct mtasts_result r;

	mtasts_get(dns, scratch_fd, NULL, &fake, arena, SLICE("x.example"), &r);
	CHECK_EQ(r.status, MTASTS_NONE);
	CHECK_SLICE(r.why, SLICE("the policy was not fetched"));
	scratch_put("x.example", SLICE("mox-mtasts 1\nfailed x\n"));
	web.next = (struct mtasts_fetched){ .text = SLICE(POLICY) };
	web.broken = false;
	mtasts_get(dns, scratch_fd, &fetcher, &fake, arena, SLICE("x.example"),
	    &r);
	CHECK_EQ(r.status, MTASTS_OK);
	CHECK_STR(web.id, "1");
	mtasts_cache_remove(scratch_fd, SLICE("x.example"), NULL);
	dns_free(&dns);
}

/* ---- keeping it fresh ---- */

static void
test_due(void)
{
	static const struct {
		const char *name;
		bool have;
		int64_t used, fetched, failed; /* ago; failed 0: never */
		enum mtasts_due due;
	} rows[] = {
		{ "new", true, 0, 0, 0, MTASTS_KEEP },
		{ "half a day", true, 0, DAY / 2, 0, MTASTS_KEEP },
		{ "more", true, 0, DAY / 2 + 1, 0, MTASTS_REFRESH },
		{ "ended", true, 0, 100 * DAY, 0, MTASTS_REFRESH },
		{ "just failed", true, 0, DAY, 300 * SECOND, MTASTS_KEEP },
		{ "failed before", true, 0, DAY, 301 * SECOND, MTASTS_REFRESH },
		{ "180 days", true, 180 * DAY, DAY, 0, MTASTS_REFRESH },
		{ "unused", true, 180 * DAY + 1, 0, 0, MTASTS_FORGET },
		{ "a failure", false, 0, 0, DAY, MTASTS_KEEP },
		{ "an old one", false, 0, 0, DAY + 1, MTASTS_FORGET },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct mtasts_entry entry = { .have = rows[i].have,
			.used_us = NOW - rows[i].used,
			.fetched_us = NOW - rows[i].fetched,
			.failed_us =
			    rows[i].failed != 0 ? NOW - rows[i].failed : 0 };

		ROW(rows[i].name);
		CHECK_EQ(mtasts_due(&entry, NOW), rows[i].due);
	}
}

static void
test_is_over(void)
{
	struct mtasts_entry entry = { .have = true, .end_us = NOW + 1 };

	entry.policy.mode = MTASTS_MODE_ENFORCE;
	CHECK(!mtasts_is_over(&entry, MTASTS_RECORD_NONE, NOW));
	CHECK(mtasts_is_over(&entry, MTASTS_RECORD_NONE, NOW + 1));
	CHECK(!mtasts_is_over(&entry, MTASTS_RECORD_TEMP, NOW + 1));
	entry.policy.mode = MTASTS_MODE_NONE;
	CHECK(mtasts_is_over(&entry, MTASTS_RECORD_NONE, NOW));
	CHECK(!mtasts_is_over(&entry, MTASTS_RECORD_OK, NOW));
	CHECK(!mtasts_is_over(&entry, MTASTS_RECORD_INVALID, NOW));
}

/* ---- the door ---- */

/* Answer once in a child: with e, or (NULL) die. */
static pid_t
serve_once(int door, const struct err *e)
{
	struct mtasts_asked a;
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	while (mtasts_door_take(door, &a) == 0)
		clock_sleep_ms(1);
	if (slice_is(slice_of(a.domain, a.ndomain), "x.example") &&
	    slice_is(slice_of(a.id, a.nid), "42") && e != NULL)
		mtasts_door_answer(&a, e);
	_exit(0);
}

static void
test_door(void)
{
	const struct err fine = ERR_INIT, bad = { ERR_PERM, "no room" };
	struct mtasts_asked a;
	struct err e = ERR_INIT;
	int pair[2], fd;

	CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair),
	    0);
	serve_once(pair[1], &fine);
	CHECK_EQ(mtasts_ask(&pair[0], SLICE("x.example"), SLICE("42"), &e), 0);
	wait(NULL);
	serve_once(pair[1], &bad);
	CHECK_EQ(mtasts_ask(&pair[0], SLICE("x.example"), SLICE("42"), &e), -1);
	CHECK_STR(e.text, "policy not fetched: no room");
	CHECK_EQ(e.kind, ERR_TEMP);
	wait(NULL);
	serve_once(pair[1], NULL);
	CHECK_EQ(mtasts_ask(&pair[0], SLICE("x.example"), SLICE("42"), &e), -1);
	CHECK_STR(e.text, "policy not fetched: mox-mtasts ended");
	wait(NULL);

	/* what is none of ours */
	CHECK_EQ(mtasts_door_take(pair[1], &a), 0);
	CHECK_EQ(send(pair[0], "x", 1, 0), 1);
	CHECK_EQ(mtasts_door_take(pair[1], &a), 0);
	fd = dup(0);
	CHECK_EQ(fd_pass(pair[0], "x", 1, fd), 0);
	close(fd);
	CHECK_EQ(mtasts_door_take(pair[1], &a), 0);
	CHECK_EQ(mtasts_door_take(pair[1], &a), 0);
	CHECK_EQ(mtasts_ask(&pair[0], SLICE_NULL, SLICE("42"), &e), -1);
	close(pair[0]);
	CHECK_EQ(mtasts_door_take(pair[1], &a), -1);
	close(pair[1]);
}

int
main(void)
{
	arena = arena_new(0);
	scratch_begin();
	RUN(test_record);
	RUN(test_lookup);
	RUN(test_policy);
	RUN(test_policy_limits);
	RUN(test_matches);
	RUN(test_cache);
	RUN(test_cache_damaged);
	RUN(test_cache_used);
	RUN(test_cache_names);
	RUN(test_get);
	RUN(test_get_odd);
	RUN(test_due);
	RUN(test_is_over);
	RUN(test_door);
	scratch_end();
	arena_free(&arena);
	return unit_done();
}
