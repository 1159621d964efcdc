/*
 * date - dates of header fields (RFC 5322, 3.3 and 4.3).
 */
#ifndef MESSAGE_DATE_H
#define MESSAGE_DATE_H

#include "base/slice.h"

struct date {
	int64_t s;  /* seconds since 1970, UTC */
	int zone_s; /* seconds east of UTC; 0 if unknown (-0000) */
	/* as written, before the zone is taken off; for SENTON */
	int year, month, day;
};

/* Forgiving: comments, obsolete zones and years, a missing zone (UTC). False
 * if there is no date in it. */
bool date_parse(struct slice value, struct date *date_r);

#define DATE_TEXT 40
/* "Mon, 2 Jan 2006 15:04:05 -0700", NUL-terminated. */
struct slice date_format(char text[DATE_TEXT], int64_t s, int zone_s);

#endif
