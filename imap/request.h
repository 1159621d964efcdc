/*
 * request - what the front of an IMAP connection asks its back before login.
 *
 *	HELLO	TLS facts (empty without TLS)      reply: struct imap_hello
 *	AUTH	mechanism [initial response]       reply: imap_auth, text
 *	STEP	response                           reply: imap_auth, text
 *	ABORT	                                   reply: imap_auth, text
 *	LOGIN	login, password                    reply: imap_auth, text
 *	SESSION	tag, command                       hand-over
 *
 * HELLO comes once before anything else and once more after STARTTLS. STEP
 * and ABORT need an AUTH under way, SESSION a success. The back keeps the
 * order itself.
 */
#ifndef IMAP_REQUEST_H
#define IMAP_REQUEST_H

#include <stdbool.h>

#include "sasl/sasl.h"
#include "service/split.h"

enum imap_request {
	IMAP_REQ_HELLO = SPLIT_FIRST,
	IMAP_REQ_AUTH,
	IMAP_REQ_STEP,
	IMAP_REQ_ABORT,
	IMAP_REQ_LOGIN,
	IMAP_REQ_SESSION,
};

/* Longest wait for a reply: the back may sleep for failed logins. */
#define IMAP_REQ_MS (5 * 60 * 1000)

struct imap_hello {
	bool cert_known; /* EXTERNAL may be used */
	bool preauth;    /* logged in by the certificate: hand over now */
};

struct imap_auth {
	enum sasl_status status; /* the text is the challenge if CONTINUE */
	enum sasl_reason reason;
	unsigned failures;       /* so far, of this connection */
	bool close;              /* too many of this address */
};

#endif
