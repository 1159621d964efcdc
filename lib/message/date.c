/* date - dates of header fields. */
#include "message/date.h"

#include <stdio.h>

#include "message/lex.h"

static const char month_names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char day_names[] = "SunMonTueWedThuFriSat";

#define DAY_S (24 * 60 * 60)

/* RFC 5322, 4.3. Military letters and all others are -0000. */
static const struct {
	const char *name;
	int hours;
} zone_names[] = {
	{ "UT", 0 },
	{ "GMT", 0 },
	{ "UTC", 0 },
	{ "EST", -5 },
	{ "EDT", -4 },
	{ "CST", -6 },
	{ "CDT", -5 },
	{ "MST", -7 },
	{ "MDT", -6 },
	{ "PST", -8 },
	{ "PDT", -7 },
	{ "CET", 1 },
	{ "CEST", 2 },
};

struct parts {
	int year, month, day;
	int hour, minute, second;
	int zone_s;
	bool has_year, has_month, has_day, has_time, has_zone;
};

/* Days from 1970-01-01 in the Gregorian calendar, any year. */
static int64_t
days_of(int year, int month, int day)
{
	/* The year begins in March, so that leap days come last. */
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year =
	    (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 +
	    of_year - 719468;
}

static void
civil_of(int64_t days, int *year_r, int *month_r, int *day_r)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t of_era = z - era * 146097;
	int64_t year =
	    (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153;

	*day_r = (int)(of_year - (153 * month + 2) / 5 + 1);
	*month_r = (int)(month < 10 ? month + 3 : month - 9);
	*year_r = (int)(year + era * 400 + (*month_r <= 2));
}

static int
days_in_month(int year, int month)
{
	static const char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

/* ":" number, with comments and space around the colon (RFC 5322, 4.3). */
static bool
take_colon_number(struct scan *sc, uint32_t *v_r)
{
	struct scan at = *sc;

	lex_skip(&at);
	if (!scan_char(&at, ':'))
		return false;
	lex_skip(&at);
	if (!scan_u32(&at, v_r))
		return false;
	*sc = at;
	return true;
}

static bool
take_zone(struct scan *sc, struct parts *d)
{
	struct scan at = *sc;
	unsigned hours, minutes;
	bool west = scan_char(&at, '-');

	if (!west && !scan_char(&at, '+'))
		return false;
	if (!scan_digits(&at, 2, &hours))
		return false;
	scan_char(&at, ':');
	if (!scan_digits(&at, 2, &minutes) || minutes > 59)
		return false;
	d->zone_s = (int)(hours * 3600 + minutes * 60) * (west ? -1 : 1);
	d->has_zone = true;
	*sc = at;
	return true;
}

static bool
take_number(struct scan *sc, struct parts *d)
{
	const char *from = sc->p;
	uint32_t v, minute, second = 0;
	long digits;

	if (!scan_u32(sc, &v))
		return false;
	digits = sc->p - from;
	if (!d->has_time && take_colon_number(sc, &minute)) {
		take_colon_number(sc, &second);
		if (v > 23 || minute > 59 || second > 60)
			return false;
		d->hour = (int)v;
		d->minute = (int)minute;
		d->second = (int)second;
		d->has_time = true;
	} else if (!d->has_day && digits <= 2) {
		d->day = (int)v;
		d->has_day = true;
	} else if (!d->has_year && v <= 9999) {
		/* RFC 5322, 4.3: two and three digits. */
		if (digits == 2)
			v += v < 50 ? 2000 : 1900;
		else if (digits == 3)
			v += 1900;
		d->year = (int)v;
		d->has_year = true;
	}
	return true;
}

static void
take_word(struct slice word, struct parts *d)
{
	/* Up to the year, a later one counts: "Mar, 6 Nov" is Spanish. */
	if (!d->has_year && word.n >= 3) {
		for (int m = 0; m < 12; m++)
			if (slice_eqi(slice_head(word, 3),
				slice_of(month_names + 3 * m, 3))) {
				d->month = m + 1;
				d->has_month = true;
				return;
			}
	}
	if (!d->has_time || d->has_zone)
		return;
	for (size_t i = 0; i < sizeof(zone_names) / sizeof(*zone_names); i++)
		if (slice_isi(word, zone_names[i].name)) {
			d->zone_s = zone_names[i].hours * 3600;
			d->has_zone = true;
		}
}

bool
date_parse(struct slice value, struct date *date_r)
{
	struct scan sc = scan_of(value);
	struct parts d = { .zone_s = 0 };
	struct slice word;

	for (lex_skip(&sc); !scan_end(&sc); lex_skip(&sc)) {
		if (scan_take(&sc, scan_alpha, &word))
			take_word(word, &d);
		else if (scan_digit[(unsigned char)*sc.p]) {
			if (!take_number(&sc, &d))
				return false;
		} else if (!d.has_time || d.has_zone || !take_zone(&sc, &d))
			sc.p++; /* "21-Nov-1997" and what is no date */
	}
	if (!d.has_year || !d.has_month || !d.has_day || !d.has_time)
		return false;
	if (d.day < 1 || d.day > days_in_month(d.year, d.month))
		return false;
	date_r->s = days_of(d.year, d.month, d.day) * DAY_S + d.hour * 3600 +
	    d.minute * 60 + d.second - d.zone_s;
	date_r->zone_s = d.zone_s;
	date_r->year = d.year;
	date_r->month = d.month;
	date_r->day = d.day;
	return true;
}

struct slice
date_format(char text[DATE_TEXT], int64_t s, int zone_s)
{
	int64_t local = s + zone_s;
	int64_t days = local / DAY_S - (local % DAY_S < 0);
	int of_day = (int)(local - days * DAY_S);
	int weekday = (int)(((days + 4) % 7 + 7) % 7); /* 1970: Thursday */
	int zone_min = (zone_s < 0 ? -zone_s : zone_s) / 60;
	int year, month, day, n;

	civil_of(days, &year, &month, &day);
	n = snprintf(text, DATE_TEXT,
	    "%.3s, %d %.3s %04d %02d:%02d:%02d %c%02d%02d",
	    day_names + (size_t)weekday * 3, day,
	    month_names + (size_t)(month - 1) * 3, year, of_day / 3600,
	    of_day / 60 % 60, of_day % 60, zone_s < 0 ? '-' : '+',
	    zone_min / 60 % 100, zone_min % 60);
	return slice_of(text, n < DATE_TEXT ? (size_t)n : DATE_TEXT - 1);
}
