/*
 * url - what an IMAP URL of this account means (RFC 5092, as RFC 4469 needs it).
 */
#ifndef IMAP_URL_H
#define IMAP_URL_H

#include "imap/imap.h"

/*
 * Give the octets that url means to put(), piece by piece:
 *
 *	/Drafts;UIDVALIDITY=385759045/;UID=20/;SECTION=1.MIME/;PARTIAL=0.100
 *
 * or the same from ";UID=" on for the selected mailbox; no other forms, so
 * never another server or account. \Seen stays as it is. Returns 1, 0 when
 * there is no such thing (put may have got some), -1 with e set. Stops with -1
 * when put returns that.
 */
int imap_url_read(struct imap_session *s, struct slice url,
    int (*put)(void *ctx, struct slice wire, struct err *e), void *ctx,
    struct err *e);

#endif
