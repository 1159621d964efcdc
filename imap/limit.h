/*
 * limit - how many messages a command may work on (RFC 9738): of more it takes
 * those with the highest UIDs, and tells the lowest; what is done for all or
 * none is refused. EXPUNGE and CLOSE, which cannot say of which messages, have no
 * limit (RFC 9738, 3.1), and what is not listed, as COUNT, is not limited.
 */
#ifndef IMAP_LIMIT_H
#define IMAP_LIMIT_H

#include "imap/search.h"
#include "imap/seqset.h"

/* Most messages for one command; 0: any number. Option -messagelimit. */
extern uint32_t imap_message_limit;
bool imap_over_limit(uint32_t n);
/* Of n messages of the walk (UINT32_MAX: all) go to the highest that may be;
 * returns how many. */
uint32_t imap_limit_walk(struct imap_command *c, struct imap_walk *w,
    uint32_t n);
/* Leave the highest messages of the view in *uids; those of "$" stay as they
 * are. */
void imap_limit_uids(struct imap_session *s, struct imap_command *c,
    struct uidset *uids);
/* The same for UID EXPUNGE, for which only those count that are \Deleted. */
void imap_limit_deleted(struct imap_session *s, struct imap_command *c,
    struct uidset *uids);
/* How many of those found are listed or saved. */
uint32_t imap_limit_listed(const struct search_return *ret,
    const struct search_found *found);
/* Leave the highest of what was found, in the order of the mailbox, if they are
 * listed or saved. NO if PARTIAL asks for more than there may be. */
enum imap_result imap_limit_found(struct imap_session *s,
    struct imap_command *c, const struct search_return *ret,
    struct search_found *found);
/* NO, for a command that is done for all messages or none. */
enum imap_result imap_limit_refuse(struct imap_command *c);
/* Before the tagged line of an OK: tell if there was a limit; by an untagged NO
 * if that line has another code. */
void imap_limit_tell(struct imap_session *s, struct imap_command *c);

#endif
