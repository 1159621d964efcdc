/*
 * request - what the front of an SMTP connection tells its back, besides
 * logging in (host/login.h).
 *
 *	HELO	name; not for EHLO              reply: struct smtp_verdict, text
 *	MAIL	struct smtp_mail, helo, localpart, domain, envid
 *	                                        reply: struct smtp_verdict, text
 *	RCPT	struct smtp_rcpt, localpart, domain, orcpt
 *	                                        reply: struct smtp_verdict, text
 *	DATA	                                reply: struct smtp_verdict, text
 *	CHUNK	bytes of the message            one way
 *	RECORD	bytes of its record             one way
 *	START	name: its TXT will be asked for one way
 *	ASK	name                            reply: struct smtp_answer, why,
 *	                                               texts of its TXT records
 *	DKIM	struct smtp_signature, domain, selector, identity, algorithm,
 *		beginning of b=, why            one way, a signature each
 *	ARC	struct smtp_arc, domain, why    one way, behind DKIM
 *	SEAL_HEADER, SEAL_CHAIN	bytes           one way, behind ARC
 *	SEAL	struct arc_draft_facts          one way, behind these
 *	DELIVER	struct smtp_fields, lines      reply: struct smtp_verdict, text
 *		(submission: lines "KEY VALUE" of extras; delivery: values of
 *		Delivered-To if the verdict of DATA has pass, else no slices)
 *	RSET	                                one way
 *
 * The back keeps the order: MAIL after HELLO, RCPT after MAIL, DATA after an
 * accepted RCPT, the others after DATA. From START to ARC is said only if the
 * verdict of DATA has verify, a draft of a seal only if it has seal (and may be
 * left out even then: not all can be sealed).
 */
#ifndef SMTP_REQUEST_H
#define SMTP_REQUEST_H

#include "host/login.h"
#include "smtp/checks.h"
#include "smtp/esmtp.h"

enum smtp_request {
	SMTP_REQ_HELO = LOGIN_FIRST_OTHER,
	SMTP_REQ_MAIL,
	SMTP_REQ_RCPT,
	SMTP_REQ_DATA,
	SMTP_REQ_CHUNK,
	SMTP_REQ_RECORD,
	SMTP_REQ_START,
	SMTP_REQ_ASK,
	SMTP_REQ_DKIM,
	SMTP_REQ_ARC,
	SMTP_REQ_SEAL_HEADER,
	SMTP_REQ_SEAL_CHAIN,
	SMTP_REQ_SEAL,
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
#define SMTP_RESULT_MAX 512 /* bytes of a name or reason in a result */

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

/* What the header of a submission, or of what is passed on, says to us, found
 * by the front. */
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
	bool verify;       /* tell DKIM and ARC of a message */
	bool seal;         /* and what a seal signs of it */
	bool pass;         /* and who had it (Delivered-To) */
};

struct smtp_answer { /* of dns_query */
	int rc;
	enum err_kind kind; /* for -1 */
	bool secure, nxdomain;
};

struct smtp_signature {
	enum dkim_status status;
	bool secure, testing;
};

#endif
