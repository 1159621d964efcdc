/*
 * use - special-use attributes of mailboxes (RFC 6154).
 */
#ifndef IMAP_USE_H
#define IMAP_USE_H

#include "base/buf.h"

/* STORE_USE_* bit of a name without backslash ("Sent"); 0 if there is none. */
unsigned imap_use_of(struct slice name);
/* " \Sent \Trash" for the bits. */
void imap_put_use(struct buf *b, unsigned use);

#endif
