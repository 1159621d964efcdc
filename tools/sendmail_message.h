/*
 * sendmail_message - what a program gave to mox-sendmail, made ready: whom it
 * goes to, and its header.
 */
#ifndef TOOLS_SENDMAIL_MESSAGE_H
#define TOOLS_SENDMAIL_MESSAGE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

#define SENDMAIL_HEADER_MAX (1024 * 1024) /* and no more is looked at */
#define SENDMAIL_RCPTS_MAX 1000

struct sendmail_wish {
	struct slice from; /* replaces what From says */
	struct slice
	    default_rcpt;    /* for recipients without "@"; may be empty */
	struct slice *rcpts; /* of the command line */
	size_t n;
	bool extract;          /* and those of To, Cc and Bcc */
	bool tls_not_required; /* add TLS-Required: No (RFC 8689, 5) */
};

struct sendmail_message {
	struct slice header; /* with its empty line, all line ends LF */
	size_t body;         /* where it begins in the input */
	struct slice *rcpts; /* local@domain, as RCPT has it, each once */
	size_t n;
	bool utf8; /* something in the header or addresses is not ASCII */
	bool utf8_needed; /* an address is not */
};

/*
 * Of the first bytes of a message with LF line ends: all, or
 * SENDMAIL_HEADER_MAX of them. Bcc is taken out, To added if it is missing.
 * Results are in arena. -1 with e: a wrong recipient, or none.
 */
int sendmail_message_make(struct arena *arena, struct slice head,
    const struct sendmail_wish *wish, struct sendmail_message *message_r,
    struct err *e);

#endif
