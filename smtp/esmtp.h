/*
 * esmtp - values of parameters of MAIL and RCPT, for server and client.
 */
#ifndef SMTP_ESMTP_H
#define SMTP_ESMTP_H

enum smtp_body { SMTP_BODY_7BIT, SMTP_BODY_8BITMIME, SMTP_BODY_BINARYMIME };

enum smtp_ret { SMTP_RET_NONE, SMTP_RET_FULL, SMTP_RET_HDRS }; /* RFC 3461 */

/* RFC 3461, 4.1 NOTIFY, bits; 0: not given. */
enum {
	SMTP_NOTIFY_NEVER = 1,
	SMTP_NOTIFY_SUCCESS = 2,
	SMTP_NOTIFY_FAILURE = 4,
	SMTP_NOTIFY_DELAY = 8
};

#endif
