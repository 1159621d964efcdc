/* charset_int - the table that charset.c shares with charset_single.c. */
#ifndef TEXT_CHARSET_INT_H
#define TEXT_CHARSET_INT_H

#include "base/slice.h"

struct charset_single {
	const char *names; /* lower case, a space before and behind each */
	const char *chars; /* the last 128, or 96, characters in UTF-8 */
};

extern const struct charset_single charset_singles[];
extern const size_t charset_nsingles;

#endif
