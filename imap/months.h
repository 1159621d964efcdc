/*
 * months - dates in the form of IMAP: "2-Jan-2006".
 */
#ifndef IMAP_MONTHS_H
#define IMAP_MONTHS_H

#include <time.h>

#include "base/scan.h"

extern const char imap_months[12][4];

/* Day, month and year of tm_r, its other fields 0. False, cursor unmoved, for
 * anything else and for days that no month has. */
bool imap_scan_day(struct scan *sc, struct tm *tm_r);

#define IMAP_DATE_TIME 40
/* " 2-Jan-2006 15:04:05 +0000" with the zone of local time then; returns its
 * length. Fast: FETCH INTERNALDATE of a large mailbox is this. */
size_t imap_format_date_time(char text[IMAP_DATE_TIME], int64_t s);

#endif
