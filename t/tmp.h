/*
 * tmp - where tests put what they make: in TMPDIR, or /tmp.
 */
#ifndef T_TMP_H
#define T_TMP_H

#include <stdio.h>
#include <stdlib.h>

#define TMP_PATH 256

/* For mkdtemp and mkstemp: TMPDIR/NAME.XXXXXX. Returns path_r. */
static inline char *
tmp_template(char path_r[TMP_PATH], const char *name)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(path_r, TMP_PATH, "%s/%s.XXXXXX",
	    tmp != NULL && *tmp != '\0' ? tmp : "/tmp", name);
	return path_r;
}

#endif
