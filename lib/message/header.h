/*
 * header - the fields of a header block (RFC 5322, 2.2).
 *
 * For blocks that are in memory; parse.h has its own for streams. Line ends
 * may be CRLF or LF. A line that is no field (no colon, or a name with bytes
 * outside printable ASCII) is skipped with its continuation lines.
 */
#ifndef MESSAGE_HEADER_H
#define MESSAGE_HEADER_H

#include "base/buf.h"
#include "base/scan.h"

extern const bool header_ftext[256]; /* RFC 5322, 3.6.8 */

struct header_field {
	struct slice raw;   /* all of it, with its last line end */
	struct slice name;  /* without white space before the colon */
	struct slice value; /* folded, trimmed at both ends */
};

/* The next field of *rest. False at the empty line (*rest is then the body)
 * or at the end. */
bool header_next(struct slice *rest, struct header_field *field_r);

/* The first field of that name, case ignored. */
bool header_find(struct slice block, const char *name,
    struct header_field *field_r);

/* Bytes of the block up to and with the empty line; all if there is none. */
size_t header_size(struct slice message);

/* For readers line by line. Is line, with its line end, the empty one? Split
 * a first line of a field at the colon; false if it is none. */
bool header_is_end(struct slice line);
bool header_split(struct slice line, struct slice *name_r,
    struct slice *value_r);

/* Append value on one line: line breaks dropped, the white space of a fold
 * kept as it is (RFC 5322, 2.2.3), a tab in it as a space. */
void header_unfold(struct buf *out, struct slice value);

/* Is name: value fit to be put into a header: a field name, no NUL, CR or LF
 * except in folds? */
bool header_valid(struct slice name, struct slice value);

#endif
