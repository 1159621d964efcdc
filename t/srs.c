/* Unit tests of lib/srs. */
#include "srs/srs.h"

#include <string.h>

#include "t/unit.h"

#define ROWS(rows) (sizeof(rows) / sizeof((rows)[0]))
#define NOW (INT64_C(1796000000))
#define DAY INT64_C(86400)

static const struct srs srs = { "0123456789abcdef0123456789abcde" };
static const struct srs other = { "0123456789abcdef0123456789abcdf" };

static struct slice
forward(struct slice local, struct slice domain, struct slice by,
    struct buf *out)
{
	struct err e = ERR_INIT;

	buf_reset(out);
	CHECK_EQ(srs_forward(&srs, local, domain, by, NOW, out, &e), 0);
	CHECK_STR(e.text, "");
	return buf_slice(out);
}

static enum srs_status
reverse(struct slice local, struct slice by, int64_t now, char address[600])
{
	struct buf b = BUF_INIT(1000);
	struct slice l = SLICE_NULL, d = SLICE_NULL;
	enum srs_status status = srs_reverse(&srs, local, by, now, &b, &l, &d);

	snprintf(address, 600, "%.*s@%.*s", SLICE_FMT(l), SLICE_FMT(d));
	buf_free(&b);
	return status;
}

static void
test_there_and_back(void)
{
	static const struct {
		const char *local, *domain;
	} rows[] = {
		{ "anna", "example.org" },
		{ "anna=bob", "example.org" },
		{ "a b\"c", "example.org" },
		{ "", "example.org" },
		{ "SRS", "example.org" },
		{ "SRS0", "example.org" },
		{ "srs2=x", "example.org" },
		{ "\xc3\xa9", "xn--9ca.example" },
	};
	struct buf b = BUF_INIT(1000);
	char address[600], want[600];

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct slice s;

		ROW(rows[i].local);
		s = forward(slice_str(rows[i].local), slice_str(rows[i].domain),
		    SLICE("fwd.example"), &b);
		snprintf(want, sizeof(want), "%s@%s", rows[i].local,
		    rows[i].domain);
		CHECK_EQ(reverse(s, SLICE("fwd.example"), NOW, address),
		    SRS_OK);
		CHECK_STR(address, want);
		CHECK_EQ(reverse(s, SLICE("FWD.Example"), NOW, address),
		    SRS_OK);
	}
	/* What it looks like, for ever: addresses are out there. */
	CHECK_SLICE(forward(SLICE("Anna"), SLICE("example.org"),
			SLICE("fwd.example"), &b),
	    SLICE("SRS0=F62VS3B4=JT=example.org=Anna"));
	buf_free(&b);
}

/* Forwarded again, by others and by us. */
static void
test_chain(void)
{
	struct buf b = BUF_INIT(1000);
	char address[600];
	struct slice s;

	s = forward(SLICE("SRS0=ab1C=XY=example.org=anna"),
	    SLICE("first.example"), SLICE("second.example"), &b);
	CHECK(slice_starts(s, SLICE("SRS1=")));
	CHECK(slice_ends(s, SLICE("=first.example==ab1C=XY=example.org=anna")));
	CHECK_EQ(reverse(s, SLICE("second.example"), NOW, address), SRS_OK);
	CHECK_STR(address, "SRS0=ab1C=XY=example.org=anna@first.example");
	/* of a third, the first host stays */
	s = forward(SLICE("srs1=ZZZZ=first.example=+ab1C=XY=example.org=anna"),
	    SLICE("second.example"), SLICE("third.example"), &b);
	CHECK(slice_ends(s, SLICE("=first.example=+ab1C=XY=example.org=anna")));
	CHECK_EQ(reverse(s, SLICE("third.example"), NOW, address), SRS_OK);
	CHECK_STR(address, "SRS0+ab1C=XY=example.org=anna@first.example");
	/* years later: it is the first host's to say */
	CHECK_EQ(reverse(s, SLICE("third.example"), NOW + 999 * DAY, address),
	    SRS_OK);
	/* one that is none is an address like others */
	s = forward(SLICE("SRS1=x"), SLICE("odd.example"), SLICE("f.example"),
	    &b);
	CHECK(slice_starts(s, SLICE("SRS0=")));
	CHECK_EQ(reverse(s, SLICE("f.example"), NOW, address), SRS_OK);
	CHECK_STR(address, "SRS1=x@odd.example");
	buf_free(&b);
}

/* Case may be lost. */
static void
test_lower_case(void)
{
	struct buf b = BUF_INIT(1000);
	char address[600];

	forward(SLICE("Anna"), SLICE("Example.ORG"), SLICE("f.example"), &b);
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] >= 'A' && b.p[i] <= 'Z')
			b.p[i] += 32;
	CHECK_EQ(reverse(buf_slice(&b), SLICE("f.example"), NOW, address),
	    SRS_OK);
	CHECK_STR(address, "anna@example.org");
	buf_free(&b);
}

static void
test_age(void)
{
	static const struct {
		int days;
		enum srs_status status;
	} rows[] = {
		{ 0, SRS_OK },
		{ 1, SRS_OK },
		{ -1, SRS_OK },
		{ SRS_DAYS, SRS_OK },
		{ SRS_DAYS + 1, SRS_OLD },
		{ -2, SRS_OLD },
		{ 500, SRS_OLD },
		{ 1022, SRS_OLD },
	};
	struct buf b = BUF_INIT(1000);
	char address[600];
	struct slice s =
	    forward(SLICE("a"), SLICE("b.example"), SLICE("f.example"), &b);

	for (size_t i = 0; i < ROWS(rows); i++)
		CHECK_EQ(reverse(s, SLICE("f.example"),
			     NOW + rows[i].days * DAY, address),
		    rows[i].status);
	buf_free(&b);
}

/* Any other character anywhere, another domain, another key. */
static void
test_forged(void)
{
	struct buf b = BUF_INIT(1000), buf = BUF_INIT(1000);
	struct slice s = forward(SLICE("anna"), SLICE("example.org"),
	    SLICE("fwd.example"), &b);
	struct slice l, d;
	char address[600];

	for (size_t i = 5; i < s.n; i++) {
		char was = b.p[i];

		b.p[i] = was == 'q' ? 'w' : 'q';
		CHECK_EQ(reverse(s, SLICE("fwd.example"), NOW, address),
		    SRS_FORGED);
		b.p[i] = was;
		CHECK_EQ(reverse(slice_head(s, i), SLICE("fwd.example"), NOW,
			     address),
		    SRS_FORGED);
	}
	CHECK_EQ(reverse(s, SLICE("fwd.example"), NOW, address), SRS_OK);
	CHECK_EQ(reverse(s, SLICE("other.example"), NOW, address), SRS_FORGED);
	CHECK_EQ(srs_reverse(&other, s, SLICE("fwd.example"), NOW, &buf, &l,
		     &d),
	    SRS_FORGED);
	/* one kind for the other */
	b.p[3] = '1';
	CHECK_EQ(reverse(s, SLICE("fwd.example"), NOW, address), SRS_FORGED);
	buf_free(&b);
}

static void
test_not_ours(void)
{
	static const struct {
		const char *local;
		enum srs_status status;
	} rows[] = {
		{ "anna", SRS_NONE },
		{ "SRS0", SRS_NONE },
		{ "SRS0x", SRS_NONE },
		{ "SRS2=", SRS_NONE },
		{ "xSRS0=", SRS_NONE },
		{ "SRS0=", SRS_FORGED },
		{ "srs0+AAAA=BB=c=d", SRS_FORGED },
		{ "SRS1-", SRS_FORGED },
		{ "SRS0=AAAAAAAA=", SRS_FORGED },
		{ "SRS0=AAAAAAAA=AA=example.org=anna", SRS_FORGED },
	};
	char address[600];

	for (size_t i = 0; i < ROWS(rows); i++) {
		ROW(rows[i].local);
		CHECK_EQ(reverse(slice_str(rows[i].local), SLICE("f.example"),
			     NOW, address),
		    rows[i].status);
	}
}

static void
test_limits(void)
{
	struct buf b = BUF_INIT(1000);
	struct err e = ERR_INIT;
	char local[300];
	int fits = 0;

	memset(local, 'a', sizeof(local));
	for (size_t n = 0; n < sizeof(local); n++) {
		buf_reset(&b);
		if (srs_forward(&srs, slice_of(local, n), SLICE("example.org"),
			SLICE("f.example"), NOW, &b, &e) == 0) {
			fits++;
			CHECK(b.n + 1 + 9 <= SRS_ADDRESS_MAX);
		} else
			CHECK_EQ(b.n, 0);
	}
	CHECK_EQ(e.kind, ERR_LIMIT);
	CHECK_EQ(fits, SRS_ADDRESS_MAX - 10 - 5 - 9 - 3 - 12 + 1);
	e = (struct err)ERR_INIT;
	CHECK_EQ(srs_forward(&srs, SLICE("a"), SLICE(""), SLICE("f"), NOW, &b,
		     &e),
	    -1);
	CHECK_EQ(srs_forward(&srs, SLICE("a"), SLICE("b=c"), SLICE("f"), NOW,
		     &b, &e),
	    -1);
	buf_free(&b);
}

int
main(void)
{
	RUN(test_there_and_back);
	RUN(test_chain);
	RUN(test_lower_case);
	RUN(test_age);
	RUN(test_forged);
	RUN(test_not_ours);
	RUN(test_limits);
	return unit_done();
}
