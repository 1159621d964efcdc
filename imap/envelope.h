/*
 * envelope - read an ENVELOPE of a record (message/record.h): the first
 * address of a field, for sorting.
 */
#ifndef IMAP_ENVELOPE_H
#define IMAP_ENVELOPE_H

#include "base/arena.h"

enum envelope_field { /* by position, RFC 9051, 7.5.2 */
	ENVELOPE_FROM = 2,
	ENVELOPE_SENDER,
	ENVELOPE_REPLY_TO,
	ENVELOPE_TO,
	ENVELOPE_CC,
	ENVELOPE_BCC,
	ENVELOPE_IN_REPLY_TO, /* these two are texts */
	ENVELOPE_MESSAGE_ID,
};

/* As in the ENVELOPE: names may have encoded words. Of a group the name of the
 * group is the mailbox, and host is empty. */
struct envelope_address {
	struct slice name, mailbox, host; /* in the envelope or the arena */
};

/* False if the field is not there, or this is no envelope. */
bool imap_envelope_first(struct arena *arena, struct slice envelope,
    enum envelope_field field, struct envelope_address *address_r);

/* The same, only its mailbox; empty if that is NIL. */
bool imap_envelope_mailbox(struct arena *arena, struct slice envelope,
    enum envelope_field field, struct slice *mailbox_r);

/* The same for a text; 8-bit characters and encoded words are as in the field. */
bool imap_envelope_text(struct arena *arena, struct slice envelope,
    enum envelope_field field, struct slice *text_r);

#endif
