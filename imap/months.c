#include "imap/months.h"

#include <string.h>

#include "base/clock.h"

const char imap_months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
	"Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

static int
month_number(struct slice name)
{
	for (int i = 0; i < 12; i++)
		if (slice_isi(name, imap_months[i]))
			return i;
	return -1;
}

bool
imap_scan_day(struct scan *sc, struct tm *tm_r)
{
	static const unsigned char days[12] = { 31, 29, 31, 30, 31, 30, 31, 31,
		30, 31, 30, 31 };
	struct scan s = *sc;
	struct slice name;
	unsigned day, year;
	int month;

	if (!scan_digits(&s, 2, &day) && !scan_digits(&s, 1, &day))
		return false;
	if (!scan_char(&s, '-') || !scan_bytes(&s, 3, &name) ||
	    (month = month_number(name)) < 0 || !scan_char(&s, '-') ||
	    !scan_digits(&s, 4, &year) || day < 1 || day > days[month])
		return false;
	memset(tm_r, 0, sizeof(*tm_r));
	tm_r->tm_mday = (int)day;
	tm_r->tm_mon = month;
	tm_r->tm_year = (int)year - 1900;
	*sc = s;
	return true;
}

static char *
two(char *p, int v, char pad)
{
	*p++ = v < 10 ? pad : (char)('0' + v / 10);
	*p++ = (char)('0' + v % 10);
	return p;
}

size_t
imap_format_date_time(char text[IMAP_DATE_TIME], int64_t s)
{
	int zone = clock_zone_s(s);
	time_t local = (time_t)(s + zone);
	int east = zone < 0 ? -zone : zone, year;
	struct tm tm;
	char *p = text;

	gmtime_r(&local, &tm);
	year = tm.tm_year + 1900;
	p = two(p, tm.tm_mday, ' ');
	*p++ = '-';
	memcpy(p, imap_months[tm.tm_mon], 3);
	p += 3;
	*p++ = '-';
	p = two(p, year / 100 % 100, '0');
	p = two(p, year % 100, '0');
	*p++ = ' ';
	p = two(p, tm.tm_hour, '0');
	*p++ = ':';
	p = two(p, tm.tm_min, '0');
	*p++ = ':';
	p = two(p, tm.tm_sec, '0');
	*p++ = ' ';
	*p++ = zone < 0 ? '-' : '+';
	p = two(p, east / 3600, '0');
	p = two(p, east / 60 % 60, '0');
	return (size_t)(p - text);
}
