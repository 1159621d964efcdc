/*
 * clock - time through a handle, so that tests set it.
 *
 * A NULL handle is the real clock everywhere.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#include "base/slice.h"

struct clock {
	/* Wall time in microseconds since 1970, monotonic in milliseconds. */
	int64_t (*wall_us)(const struct clock *c);
	int64_t (*mono_ms)(const struct clock *c);
	int64_t fake_us; /* for clock_fake only */
};

int64_t clock_us(const struct clock *c); /* wall, microseconds */
int64_t clock_s(const struct clock *c);  /* wall, seconds */
int64_t clock_mono_ms(const struct clock *c);

/* A clock that stands still at wall_us until the test changes c->fake_us;
 * its monotonic time is fake_us / 1000. */
void clock_fake(struct clock *c, int64_t wall_us);

/*
 * The clock a program should use: NULL, or a fake one whose wall time is
 * read from the file named by MOX_FAKE_TIME (decimal seconds) at each call,
 * so that tests move time under running programs.
 */
const struct clock *clock_program(void);

/* Length of the buffer for the formatters below. */
#define CLOCK_TEXT 32

/* Seconds since 1970 in UTC, as strftime(3) has them. Returns text. */
const char *clock_format(int64_t s, const char *format, char text[CLOCK_TEXT])
    __attribute__((format(strftime, 2, 0)));
/* "2006-01-02T15:04:05.000Z" (RFC 3339, UTC). */
void clock_rfc3339(int64_t us, char text[CLOCK_TEXT]);
/* The same from 1970 on, of any zone, with any fraction of a second or none
 * (RFC 3339, 5.6); true if it is that. */
bool clock_rfc3339_parse(struct slice text, int64_t *us_r);

/* Seconds east of UTC that local time had at t. */
int clock_zone_s(int64_t s);

/* Sleep ms of monotonic time; returns early on a signal. */
void clock_sleep_ms(int64_t ms);

#endif
