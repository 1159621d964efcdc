/* clock - time through a handle. */
#include "base/clock.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/scan.h"

static int64_t
real_wall_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int64_t
real_mono_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
clock_us(const struct clock *c)
{
	return c == NULL ? real_wall_us() : c->wall_us(c);
}

int64_t
clock_s(const struct clock *c)
{
	int64_t us = clock_us(c);
	return us / 1000000 - (us % 1000000 < 0);
}

int64_t
clock_mono_ms(const struct clock *c)
{
	return c == NULL ? real_mono_ms() : c->mono_ms(c);
}

/* ---- standing still ---- */

static int64_t
fake_wall_us(const struct clock *c)
{
	return c->fake_us;
}

static int64_t
fake_mono_ms(const struct clock *c)
{
	return c->fake_us / 1000;
}

void
clock_fake(struct clock *c, int64_t wall_us)
{
	*c = (struct clock){ fake_wall_us, fake_mono_ms, wall_us };
}

/* ---- from the file of MOX_FAKE_TIME ---- */

static int64_t
file_wall_us(const struct clock *c)
{
	struct buf b = BUF_INIT(64);
	int64_t s, us;

	(void)c;
	us = file_read(AT_FDCWD, getenv("MOX_FAKE_TIME"), &b, NULL) == 1 &&
		slice_i64(slice_trim(buf_slice(&b)), &s)
	    ? s * 1000000
	    : real_wall_us();
	buf_free(&b);
	return us;
}

/* Time-outs go on: nobody could wait for a clock that stands still. */
static int64_t
file_mono_ms(const struct clock *c)
{
	(void)c;
	return real_mono_ms();
}

const struct clock *
clock_program(void)
{
	static const struct clock from_file = { file_wall_us, file_mono_ms, 0 };

	return getenv("MOX_FAKE_TIME") == NULL ? NULL : &from_file;
}

/* ---- text, zone, sleep ---- */

const char *
clock_format(int64_t s, const char *format, char text[CLOCK_TEXT])
{
	time_t t = (time_t)s;
	struct tm tm = { 0 };

	gmtime_r(&t, &tm);
	if (strftime(text, CLOCK_TEXT, format, &tm) == 0)
		text[0] = '\0';
	return text;
}

void
clock_rfc3339(int64_t us, char text[CLOCK_TEXT])
{
	int ms = (int)((us % 1000000 + 1000000) % 1000000 / 1000);
	int64_t s = us / 1000000 - (us % 1000000 < 0);
	size_t n = strlen(clock_format(s, "%Y-%m-%dT%H:%M:%S", text));

	snprintf(text + n, CLOCK_TEXT - n, ".%03dZ", ms);
}

/* Days since 1970 of a date, proleptic Gregorian. */
static int64_t
days_of(int64_t year, unsigned month, unsigned day)
{
	struct tm tm = { .tm_year = (int)year - 1900,
		.tm_mon = (int)month - 1,
		.tm_mday = (int)day };

	return timegm(&tm) / 86400;
}

/* A fraction of a second as microseconds: up to 6 digits count. */
static int64_t
fraction(struct scan *sc)
{
	int64_t us = 0, scale = 100000;
	struct slice digits;

	if (!scan_char(sc, '.') || !scan_take(sc, scan_digit, &digits))
		return 0;
	for (size_t i = 0; i < digits.n; i++, scale /= 10)
		us += (digits.p[i] - '0') * scale;
	return us;
}

/* "Z" or "+01:00": minutes east of UTC. */
static bool
zone(struct scan *sc, int *minutes_r)
{
	bool west = scan_peek(sc) == '-';
	unsigned hours, minutes;

	*minutes_r = 0;
	if (scan_liti(sc, SLICE("Z")))
		return true;
	if ((!scan_char(sc, '-') && !scan_char(sc, '+')) ||
	    !scan_digits(sc, 2, &hours) || !scan_char(sc, ':') ||
	    !scan_digits(sc, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*minutes_r = (int)(hours * 60 + minutes) * (west ? -1 : 1);
	return true;
}

bool
clock_rfc3339_parse(struct slice text, int64_t *us_r)
{
	struct scan sc = scan_of(text);
	unsigned year, month, day, hour, minute, second;
	int64_t us;
	int east;

	if (!scan_digits(&sc, 4, &year) || !scan_char(&sc, '-') ||
	    !scan_digits(&sc, 2, &month) || !scan_char(&sc, '-') ||
	    !scan_digits(&sc, 2, &day) || !scan_liti(&sc, SLICE("T")) ||
	    !scan_digits(&sc, 2, &hour) || !scan_char(&sc, ':') ||
	    !scan_digits(&sc, 2, &minute) || !scan_char(&sc, ':') ||
	    !scan_digits(&sc, 2, &second))
		return false;
	us = fraction(&sc);
	if (!zone(&sc, &east) || !scan_end(&sc) || year < 1970 || month < 1 ||
	    month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 ||
	    second > 60)
		return false;
	*us_r = ((days_of(year, month, day) * 24 + hour) * 60 + minute - east) *
		60000000 +
	    second * INT64_C(1000000) + us;
	return *us_r >= 0;
}

int
clock_zone_s(int64_t s)
{
	time_t t = s;
	struct tm tm = { 0 };

	localtime_r(&t, &tm);
	return (int)tm.tm_gmtoff;
}

void
clock_sleep_ms(int64_t ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	if (ms > 0)
		clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
}
