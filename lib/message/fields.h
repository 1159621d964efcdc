/*
 * fields - the header fields that a record says something of, gathered line
 * by line from one header block. Internal to lib/message.
 */
#ifndef MESSAGE_FIELDS_H
#define MESSAGE_FIELDS_H

#include "base/buf.h"

enum field {
	/* of messages */
	FIELD_DATE,
	FIELD_SUBJECT,
	FIELD_FROM,
	FIELD_SENDER,
	FIELD_REPLY_TO,
	FIELD_TO,
	FIELD_CC,
	FIELD_BCC,
	FIELD_IN_REPLY_TO,
	FIELD_MESSAGE_ID,
	FIELD_REFERENCES,
	FIELD_RECEIVED,
	FIELD_LIST_ID,
	FIELD_LIST_POST,
	/* of all parts (RFC 2045) */
	FIELD_TYPE,
	FIELD_ENCODING,
	FIELD_ID,
	FIELD_DESCRIPTION,
	FIELD_MD5,
	FIELD_DISPOSITION,
	FIELD_LANGUAGE,
	FIELD_LOCATION,
	FIELDS
};

/* Bytes of a value that are kept: 3,000 recipients. */
#define FIELD_MAX (128 * 1024)

struct fields {
	struct buf value[FIELDS]; /* unfolded, trimmed at its begin */
	unsigned count[FIELDS];
	struct buf *open; /* value that the next line may go on with */
};

void fields_init(struct fields *f);
void fields_reset(struct fields *f); /* for the next block */
void fields_free(struct fields *f);

/* The first line of a field, as far as it is there (LINE_HEAD bytes of parse.c
 * or all); its value is taken if it matters. mime_only: this is no header of a message. */
void fields_start(struct fields *f, struct slice line, bool mime_only);
/* More of the line, or a continuation line. */
void fields_more(struct fields *f, struct slice text);

/* SLICE_NULL if the field was not there. */
struct slice fields_get(const struct fields *f, enum field which);
bool fields_cut(const struct fields *f); /* a value was too long */

#endif
