/* Unit tests of lib/message/date. */
#include "message/date.h"

#include "t/unit.h"

#include <time.h>

#define BAD INT64_MIN

static void
test_parse(void)
{
	static const struct {
		const char *text;
		int64_t s;
		int zone_s;
	} rows[] = {
		/* RFC 5322, appendix A */
		{ "Fri, 21 Nov 1997 09:55:06 -0600", 880127706, -21600 },
		{ "Tue, 1 Jul 2003 10:52:37 +0200", 1057049557, 7200 },
		{ "Thu,\r\n      13\r\n        Feb\r\n          1969\r\n"
		  "      23:32\r\n               -0330 (Newfoundland Time)",
		    -27723480, -12600 },
		{ "21 Nov 97 09:55:06 GMT", 880106106, 0 },
		{ "Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", 880127706,
		    -21600 },
		{ "Thu, 1 Jan 1970 00:00:00 +0000", 0, 0 },
		{ "1 Jan 1970 00:00 +0000", 0, 0 },
		{ "1 Jan 70 00:00:00 EST", 18000, -18000 },
		{ "1 Jan 1970 00:00:00 Z", 0, 0 },
		{ "1 Jan 1970 00:00:00 A", 0, 0 },
		{ "1 Jan 1970 00:00:00", 0, 0 },
		{ "1 Jan 100 00:00:00 -0000", 946684800, 0 },
		{ "1 Jan 49 00:00:00 -0000", 2493072000, 0 },
		{ "29 Feb 2000 12:00:00 +0000", 951825600, 0 },
		{ "Sat, 31 Dec 2016 23:59:60 +0000", 1483228800, 0 },
		{ "Mon Jan  2 15:04:05 2006", 1136214245, 0 },
		{ "02-Jan-2006 15:04:05 -07:00", 1136239445, -25200 },
		{ "Mar, 6 Nov 2007 00:00:00 +0000", 1194307200, 0 },
		{ "Wed, 22 Sep 2010 02:30:53 -0500 (CDT)", 1285140653, -18000 },
		{ "29 Feb 2001 12:00:00 +0000", BAD, 0 },
		{ "0 Jan 2001 12:00:00 +0000", BAD, 0 },
		{ "1 Jan 2001 24:00:00 +0000", BAD, 0 },
		{ "Whenever", BAD, 0 },
		{ "Pn, 29 paX 2007 21:13:00 +0100", BAD, 0 },
		{ "1 Jan 2001", BAD, 0 },
		{ "(1 Jan 2001 12:00:00 +0000", BAD, 0 },
		{ "99999999999999999999 Jan 2001 12:00:00", BAD, 0 },
		{ "", BAD, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct date d;

		ROW(rows[i].text);
		CHECK_EQ(date_parse(slice_str(rows[i].text), &d),
		    rows[i].s != BAD);
		if (rows[i].s == BAD)
			continue;
		CHECK_EQ(d.s, rows[i].s);
		CHECK_EQ(d.zone_s, rows[i].zone_s);
	}
}

static void
test_format(void)
{
	char text[DATE_TEXT];

	CHECK_SLICE(date_format(text, 880127706, -21600),
	    SLICE("Fri, 21 Nov 1997 09:55:06 -0600"));
	CHECK_SLICE(date_format(text, 0, 0),
	    SLICE("Thu, 1 Jan 1970 00:00:00 +0000"));
	CHECK_SLICE(date_format(text, -1, 5 * 3600 + 1800),
	    SLICE("Thu, 1 Jan 1970 05:29:59 +0530"));
	CHECK_SLICE(date_format(text, -1, 0),
	    SLICE("Wed, 31 Dec 1969 23:59:59 +0000"));
	CHECK(date_format(text, INT64_MAX / 2, 0).n < DATE_TEXT);
}

/* Against libc, and back again. */
static void
test_round(void)
{
	for (int64_t s = -70000000000; s < 250000000000; s += 98765432109) {
		for (int64_t i = 0; i < 400; i++) {
			time_t t = (time_t)(s + i * 86399);
			char text[DATE_TEXT], want[DATE_TEXT];
			struct tm tm;
			struct date d;

			gmtime_r(&t, &tm);
			strftime(want, sizeof(want),
			    "%a, %-d %b %Y %H:%M:%S +0000", &tm);
			if (tm.tm_year + 1900 < 1000)
				continue;
			CHECK_SLICE(date_format(text, t, 0), slice_str(want));
			CHECK(date_parse(slice_str(text), &d));
			CHECK_EQ(d.s, t);
			CHECK_EQ(d.year, tm.tm_year + 1900);
		}
	}
}

int
main(void)
{
	RUN(test_parse);
	RUN(test_format);
	RUN(test_round);
	return unit_done();
}
