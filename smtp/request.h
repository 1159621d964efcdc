/*
 * request - what the front of an SMTP connection tells its back, besides
 * logging in (host/login.h).
 *
 *	MAIL	struct smtp_mail, helo, localpart, domain, envid
 *	                                        reply: struct smtp_verdict, text
 *	RCPT	struct smtp_rcpt, localpart, domain, orcpt
 *	                                        reply: struct smtp_verdict, text
 *	DATA	                                reply: struct smtp_verdict, text
 *	CHUNK	bytes of the message            one way
 *	RECORD	bytes of its record             one way
 *	DELIVER	struct smtp_fields, extras     reply: struct smtp_verdict, text
 *		(without slices on delivery; extras: lines "KEY VALUE")
 *	RSET	                                one way
 *
 * The back keeps the order: MAIL after HELLO, RCPT after MAIL, DATA after an
 * accepted RCPT, the others after DATA.
 */
#ifndef SMTP_REQUEST_H
#define SMTP_REQUEST_H

#include "host/login.h"
#include "smtp/esmtp.h"

enum smtp_request {
	SMTP_REQ_MAIL = LOGIN_FIRST_OTHER,
	SMTP_REQ_RCPT,
	SMTP_REQ_DATA,
	SMTP_REQ_CHUNK,
	SMTP_REQ_RECORD,
	SMTP_REQ_DELIVER,
	SMTP_REQ_RSET,
};

/* States of the split besides those of host/login.h. */
enum {
	SMTP_ST_MAIL = 16, /* MAIL was accepted */
	SMTP_ST_RCPT = 32, /* and a RCPT */
	SMTP_ST_DATA = 64,
};

/* Delivery waits for locks and disks, localserve's "timeout" for an hour. */
#define SMTP_REQUEST_MS (61 * 60 * 1000)
#define SMTP_CHUNK_MAX (32 * 1024)

struct smtp_mail {
	bool esmtp;      /* EHLO, not HELO */
	bool empty;      /* <> */
	bool smtputf8;   /* RFC 6531 */
	bool requiretls; /* RFC 8689 */
	bool has_size;
	uint64_t size; /* RFC 1870 */
	enum smtp_body body;
	enum smtp_ret ret;
	int64_t hold_until; /* RFC 4865: seconds since 1970, 0: at once */
};

struct smtp_rcpt {
	unsigned notify;
};

/* What the header of a submission says to us, found by the front. */
struct smtp_fields {
	bool tls_required_no; /* TLS-Required: No (RFC 8689, 5), each of them */
	bool return_path;
	bool twice;    /* X-Mox-Extra-KEY */
	bool too_long; /* to look for them */
};
#define SMTP_EXTRAS_MAX 16384 /* bytes of all lines */

struct smtp_verdict {
	int code;
	char enhanced[12]; /* RFC 3463 */
	bool close;        /* the reply is the last one */
};

#endif
