/* Unit test of lib/host/rcpttls: noted, changed, grown old. */
#include "host/rcpttls.h"

#include "t/scratch.h"

#define DAY (86400 * INT64_C(1000000))

static struct clock now;

static void
note(const char *account, const char *domain, bool starttls, bool requiretls)
{
	const struct rcpttls tls = { starttls, requiretls, 0 };
	struct err e = ERR_INIT;

	CHECK_EQ(rcpttls_note(scratch_fd, &now, slice_str(account),
		     slice_str(domain), &tls, &e),
	    0);
	CHECK_STR(e.text, "");
}

static int
look(const char *account, const char *domain, struct rcpttls *tls)
{
	return rcpttls_read(scratch_fd, slice_str(account), slice_str(domain),
	    tls, NULL);
}

static void
test_note(void)
{
	struct rcpttls tls;

	CHECK_EQ(look("anna", "example.org", &tls), 0);
	note("anna", "example.org", true, false);
	note("anna", "other.example", true, true);
	CHECK_EQ(look("anna", "example.org", &tls), 1);
	CHECK(tls.starttls && !tls.requiretls);
	CHECK_EQ(tls.us, clock_us(&now));
	CHECK_EQ(look("anna", "other.example", &tls), 1);
	CHECK(tls.starttls && tls.requiretls);
	CHECK_EQ(look("bob", "example.org", &tls), 0);
	note("../odd name/", "example.org", false, false);
	CHECK_EQ(look("../odd name/", "example.org", &tls), 1);
	CHECK(!tls.starttls && !tls.requiretls);
}

/* What is known already is written once a day. */
static void
test_once_a_day(void)
{
	int64_t start = clock_us(&now);
	struct rcpttls tls;

	note("anna", "a.example", true, false);
	clock_fake(&now, start + DAY / 2);
	note("anna", "a.example", true, false);
	CHECK_EQ(look("anna", "a.example", &tls), 1);
	CHECK_EQ(tls.us, start);
	note("anna", "a.example", false, false);
	CHECK_EQ(look("anna", "a.example", &tls), 1);
	CHECK(!tls.starttls);
	CHECK_EQ(tls.us, start + DAY / 2);
	clock_fake(&now, start + 2 * DAY);
	note("anna", "a.example", false, false);
	CHECK_EQ(look("anna", "a.example", &tls), 1);
	CHECK_EQ(tls.us, start + 2 * DAY);
}

int
main(void)
{
	scratch_begin();
	clock_fake(&now, INT64_C(1764515045) * 1000000);
	RUN(test_note);
	RUN(test_once_a_day);
	scratch_end();
	return unit_done();
}
