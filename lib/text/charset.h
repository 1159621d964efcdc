/*
 * charset - text in any character set of mail to UTF-8.
 *
 * The names taken are a fixed table: all sets that mail has been seen in,
 * with the usual aliases, and mislabelled ones read as what they mostly are
 * (ISO-8859-1 as Windows-1252, GB2312 as GB18030, as web browsers do). The
 * rarer converters of iconv(3) are not reachable: some have looped or aborted.
 *
 * Output is always UTF-8. What cannot be converted becomes U+FFFD.
 */
#ifndef TEXT_CHARSET_H
#define TEXT_CHARSET_H

#include "base/buf.h"

/* Case and surrounding white space do not matter. The empty name and
 * US-ASCII are known, and read as UTF-8. */
bool charset_known(struct slice name);

/*
 * Load all converters, and keep them: from here on the functions below open
 * no file, so they work in a jail and in children. Costs 2 ms and 0.3 MB.
 */
void charset_warm(void);

/* Append text, complete, as UTF-8. False if the charset is unknown (nothing
 * was added). */
bool charset_decode(struct buf *out, struct slice charset, struct slice text);

/* A stream in pieces of any size. NULL if the charset is unknown. */
struct charset *charset_new(struct slice name);
void charset_push(struct charset *c, struct slice text, struct buf *out);
/* The end: half a character left over becomes U+FFFD. */
void charset_end(struct charset *c, struct buf *out);
void charset_free(struct charset **c);

#endif
