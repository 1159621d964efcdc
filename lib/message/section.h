/*
 * section - which octets of a message an IMAP section means (RFC 9051, 6.4.5).
 *
 * Works on a record; the message itself is not looked at, except that
 * section_fields filters header bytes the caller has read.
 */
#ifndef MESSAGE_SECTION_H
#define MESSAGE_SECTION_H

#include "message/record.h"

enum section_kind {
	SECTION_WHOLE,  /* BODY[], BODY[1.2] */
	SECTION_HEADER, /* also for HEADER.FIELDS */
	SECTION_TEXT,
	SECTION_MIME,
};

struct section {
	struct msgrec_pos from;
	uint64_t size; /* octets in wire form */
	uint32_t part; /* index of the part it belongs to */
};

/*
 * Range of the section path[0].path[1]...KIND of the message. False if there
 * is no such part, or the kind does not apply to it (HEADER and TEXT of a
 * part that is no message, MIME of no part).
 */
bool section_find(struct slice record, const uint32_t *path, size_t n,
    enum section_kind kind, struct section *section_r);

/*
 * BODY[HEADER.FIELDS (names)], or .NOT (except): the fields of header (either
 * line end) whose names are (not) listed, case ignored, then the empty line,
 * all in wire form, appended to out.
 */
void section_fields(struct slice header, const struct slice *names, size_t n,
    bool except, struct buf *out);

#endif
