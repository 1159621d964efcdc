/*
 * url - IMAP URLs of messages and their parts (RFC 5092), as CATENATE (RFC
 * 4469) and URLAUTH (RFC 4467) need them.
 */
#ifndef IMAP_URL_H
#define IMAP_URL_H

#include "imap/imap.h"

/* Who may use a URL (RFC 4467, 3). */
enum imap_url_access {
	IMAP_URL_PLAIN,    /* it says nothing of that */
	IMAP_URL_SUBMIT,   /* submission servers, for access_user */
	IMAP_URL_USER,     /* access_user */
	IMAP_URL_AUTHUSER, /* who is logged in */
	IMAP_URL_ANONYMOUS,
};

#define IMAP_URL_FOREVER INT64_MAX

/*
 *	imap://fred@example.org/Drafts;UIDVALIDITY=385759045/;UID=20
 *	/;SECTION=1.2/;PARTIAL=0.100;EXPIRE=2026-12-01T00:00:00Z
 *	;URLAUTH=submit+fred:internal:91354a473744909de610943775f92038
 *
 * or, relative, the same from "/Drafts" on, or from ";UID=" on for the selected
 * mailbox. What is not there is empty or 0. Slices are decoded and in the
 * session's arena, but for those that are said to be of the text.
 */
struct imap_url {
	bool absolute;
	struct slice user; /* whose mailbox it is */
	struct slice mailbox;
	uint32_t uidvalidity, uid;
	struct slice section;
	struct slice partial; /* of the text: "0.100" or "0" */
	int64_t expire_us;    /* since 1970, or IMAP_URL_FOREVER */
	enum imap_url_access access;
	struct slice access_user;
	struct slice rump;             /* of the text: up to the access */
	struct slice mechanism, token; /* of the text: what follows it */
};

/* NULL, or what is wrong with it. That the mailbox is there is not looked at. */
const char *imap_url_parse(struct imap_session *s, struct slice text,
    struct imap_url *url_r);

/*
 * The line of URLFETCH for a URL that this session's account signed, if s->asks may
 * use it; wants as in errand.h. 1, 0 there is none: nothing is written, -1 with e
 * set, or the client is gone.
 */
int imap_url_tell(struct imap_session *s, struct slice text, unsigned wants,
    struct err *e);

struct fetch_item;

/* The part that the URL means, as FETCH BODY.PEEK would ask for it; NULL: the
 * section is none. */
struct fetch_item *imap_url_item(struct imap_session *s,
    const struct imap_url *url);

/* Number of its message in its mailbox, which is open; 0 if it is not there. */
uint32_t imap_url_seq(const struct mailbox *mb, const struct imap_url *url);

/* Open the mailbox of the URL, as another than the selected one in any case: 1,
 * 0 it is not there or the user may not read it now, -1 with e set. */
int imap_url_open(struct imap_session *s, const struct imap_url *url,
    struct mailbox **mb_r, struct err *e);

/*
 * Give the octets that a relative url means to put(), piece by piece; no other
 * forms, so never another server or account. \Seen stays as it is. Returns 1, 0
 * when there is no such thing (put may have got some), -1 with e set. Stops
 * with -1 when put returns that.
 */
int imap_url_read(struct imap_session *s, struct slice url,
    int (*put)(void *ctx, struct slice wire, struct err *e), void *ctx,
    struct err *e);

#endif
