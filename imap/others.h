/*
 * others - making, removing and renaming mailboxes of other accounts, by the
 * rights k and x of RFC 4314: the account does it (errand.h).
 *
 * That the user has the rights, as far as this session can see, is for the
 * caller to look at; the account looks again. What comes up this way is not yet
 * in the jail of the session, which goes on in a fresh process for it (park.h).
 */
#ifndef IMAP_OTHERS_H
#define IMAP_OTHERS_H

#include "imap/box.h"

/* All write to the client what belongs to success; else the result of the
 * command. name: as clients know it, below "Other Users". */
enum imap_result imap_others_create(struct imap_session *s,
    struct imap_command *c, struct slice name, bool use);
enum imap_result imap_others_delete(struct imap_session *s,
    struct imap_command *c, const struct imap_box *box);
/* to_r: to as it is in the account of box. CANNOT between accounts. */
enum imap_result imap_others_rename(struct imap_session *s,
    struct imap_command *c, const struct imap_box *box, struct slice to,
    struct slice *to_r);

/* cmd_mailbox.c: a LIST line for each mailbox that was made, and is subscribed. */
void imap_tell_created(struct imap_session *s, const struct slice *made,
    size_t n);

#endif
