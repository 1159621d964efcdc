/*
 * record_int - what lib/message needs beyond record.h to make a record.
 */
#ifndef MESSAGE_RECORD_INT_H
#define MESSAGE_RECORD_INT_H

#include "message/record.h"

struct msgrec_draft {
	uint64_t wire_size;
	unsigned flags;
	int64_t date;
	unsigned received, froms;
	struct slice texts[MSGREC_TEXTS];
	struct msgrec_part *parts;
	uint32_t nparts;
};

void msgrec_write(struct buf *out, const struct msgrec_draft *draft);

/* Is anything of this header field of a message in its record? */
bool msgrec_field_matters(struct slice name);

#endif
