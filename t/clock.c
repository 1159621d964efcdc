/* Unit test of lib/base/clock.c and lib/base/rand.c. */
#include "base/clock.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/rand.h"
#include "t/tmp.h"
#include "t/unit.h"

static void
test_text(void)
{
	static const struct {
		int64_t us;
		const char *text;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ 1136214245123456, "2006-01-02T15:04:05.123Z" },
		{ -1, "1969-12-31T23:59:59.999Z" },
		{ -1000000, "1969-12-31T23:59:59.000Z" },
		{ 951782400000000, "2000-02-29T00:00:00.000Z" },
	};
	char text[CLOCK_TEXT];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		clock_rfc3339(rows[i].us, text);
		CHECK_STR(text, rows[i].text);
	}
	CHECK_STR(clock_format(1700000000, "%Y%m%dT%H%M%S", text),
	    "20231114T221320");
	CHECK_STR(clock_format(0, "%c %c %c %c", text), "");
}

static const struct {
	const char *text;
	int64_t us; /* -1: no time */
} times[] = {
	{ "1970-01-01T00:00:00Z", 0 },
	{ "1970-01-01T00:00:00.5Z", 500000 },
	{ "2026-11-30T15:04:05.123Z", 1796051045123000 },
	{ "2024-02-29T23:59:59.999999Z", 1709251199999999 },
	{ "2026-11-30t15:04:05.25z", 1796051045250000 },
	{ "2026-11-30T16:04:05+01:00", 1796051045000000 },
	{ "2026-11-30T06:34:05.000001-08:30", 1796051045000001 },
	{ "1969-12-31T23:30:00-01:00", -1 },
	{ "1970-01-01T00:30:00+01:00", -1 },
	{ "2026-11-30T15:04:05+0100", -1 },
	{ "2026-11-30T15:04:05+24:00", -1 },
	{ "2026-11-30T15:04:05+01:60", -1 },
	{ "2026-11-30T15:04:05+01:", -1 },
	{ "2026-11-30T15:04:05-", -1 },
	{ "2026-11-30T15:04:05", -1 },
	{ "2026-13-30T15:04:05Z", -1 },
	{ "0350-12-01T08:00:00Z", -1 },
	{ "2026-11-30T15:04:05Zx", -1 },
	{ "2026-11-30 15:04:05Z", -1 },
	{ "", -1 },
};

static void
test_parse(void)
{
	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
		int64_t us = -1;
		ROW(times[i].text);
		CHECK_EQ(clock_rfc3339_parse(slice_str(times[i].text), &us),
		    times[i].us >= 0);
		if (times[i].us >= 0)
			CHECK_EQ(us, times[i].us);
	}
}

static void
test_handles(void)
{
	struct clock c;
	int64_t before, mono = clock_mono_ms(NULL);

	clock_fake(&c, 5500000);
	CHECK_EQ(clock_us(&c), 5500000);
	CHECK_EQ(clock_s(&c), 5);
	CHECK_EQ(clock_mono_ms(&c), 5500);
	c.fake_us = -1;
	CHECK_EQ(clock_s(&c), -1);
	before = clock_us(NULL);
	CHECK(before > 1600000000000000);
	clock_sleep_ms(3);
	clock_sleep_ms(-1);
	CHECK(clock_us(NULL) >= before + 3000);
	CHECK(clock_mono_ms(NULL) >= mono + 3);
}

static void
test_program(void)
{
	char path[TMP_PATH];
	int fd = mkstemp(tmp_template(path, "mox-clock"));
	const struct clock *c;

	unsetenv("MOX_FAKE_TIME");
	CHECK(clock_program() == NULL);
	setenv("MOX_FAKE_TIME", path, 1);
	c = clock_program();
	CHECK(clock_s(c) > 1600000000); /* empty: real time */
	file_write(fd, SLICE("1234\n"), NULL);
	CHECK_EQ(clock_us(c), 1234000000);
	CHECK(pwrite(fd, "5", 1, 0) == 1);
	CHECK_EQ(clock_s(c), 5234);
	CHECK(clock_mono_ms(c) > 0);
	unlink(path);
	close(fd);
}

static void
test_zone(void)
{
	setenv("TZ", "Europe/Amsterdam", 1);
	tzset();
	if (access("/usr/share/zoneinfo/Europe/Amsterdam", R_OK) == 0) {
		CHECK_EQ(clock_zone_s(1700000000), 3600);
		CHECK_EQ(clock_zone_s(1690000000), 7200);
	}
	setenv("TZ", "MOX+3:30", 1);
	tzset();
	CHECK_EQ(clock_zone_s(0), -12600);
}

static void
test_rand(void)
{
	struct rand r, same;
	char a[33], b[33];
	unsigned seen[3] = { 0 };

	rand_text(NULL, a, 32);
	rand_text(NULL, b, 32);
	CHECK(strcmp(a, b) != 0);
	CHECK_EQ(strlen(a), 32);
	for (char *p = a; *p != '\0'; p++)
		CHECK(strspn(p,
			  "0123456789abcdefghijklmnopqrstuvwxyz"
			  "ABCDEFGHIJKLMNOPQRSTUVWXYZ") > 0);
	rand_fake(&r, 42);
	rand_fake(&same, 42);
	rand_text(&r, a, 32);
	rand_text(&same, b, 32);
	CHECK_STR(a, b);
	for (int i = 0; i < 3000; i++)
		seen[rand_below(&r, 3)]++;
	CHECK(seen[0] > 900 && seen[1] > 900 && seen[2] > 900);
	CHECK_EQ(rand_below(NULL, 1), 0);
	rand_text(NULL, a, 0);
	CHECK_STR(a, "");
}

int
main(void)
{
	RUN(test_text);
	RUN(test_parse);
	RUN(test_handles);
	RUN(test_program);
	RUN(test_zone);
	RUN(test_rand);
	return unit_done();
}
