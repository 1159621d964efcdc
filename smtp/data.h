/*
 * data - the text behind DATA: dots undone, the end found (RFC 5321, 4.5.2).
 *
 * Only CR LF "." CR LF ends the text. A bare CR or LF anywhere, and dots
 * between other line ends, never end it and never are undone; that they were
 * there is remembered, since what one server takes for the end and another
 * does not lets a sender smuggle a second message (CVE-2023-51764 and kin).
 */
#ifndef SMTP_DATA_H
#define SMTP_DATA_H

#include "base/buf.h"

struct smtp_data {
	enum smtp_data_state {
		DATA_LINE, /* at the start of a line, behind CR LF */
		DATA_TEXT,
		DATA_CR,     /* behind a CR */
		DATA_DOT,    /* behind a dot at the start of a line */
		DATA_DOT_CR, /* behind that and a CR */
		DATA_END,
	} state;
	bool bare; /* bare CR or LF seen */
};

/* Start of the text: as behind CR LF. */
#define SMTP_DATA_INIT \
	{ \
		DATA_LINE, false \
	}

/*
 * Take bytes of in, appending the text to out. Returns how many were used:
 * all, unless d->state is DATA_END then; what follows is the next command.
 */
size_t smtp_data_push(struct smtp_data *d, struct slice in, struct buf *out);

#endif
