/*
 * params - arguments of MAIL, RCPT and BDAT (RFC 5321, 4.1.2 and those of the
 * extensions).
 */
#ifndef SMTP_PARAMS_H
#define SMTP_PARAMS_H

#include "base/arena.h"
#include "base/err.h"
#include "message/smtpaddr.h"
#include "smtp/request.h"

/* What may be said on this connection. */
struct smtp_offer {
	bool esmtp;      /* EHLO was sent: parameters at all */
	bool pedantic;   /* no space after the colon */
	bool submission; /* HOLDFOR, HOLDUNTIL */
	bool requiretls; /* REQUIRETLS is announced (RFC 8689, 2) */
	bool tls;
	int64_t now_s;
	uint64_t max_size;
};

/* A refusal: code, enhanced code and text; code 0 is none. */
struct smtp_refusal {
	int code;
	const char *enhanced;
	const char *text;
};

struct smtp_mail_args {
	struct smtpaddr from;
	struct smtp_mail mail;
	struct slice envid; /* as sent, xtext (RFC 3461, 4.4) */
};

struct smtp_rcpt_args {
	struct smtpaddr to;
	struct smtp_rcpt rcpt;
	struct slice orcpt; /* as sent: "rfc822;xtext" (RFC 3461, 4.2) */
};

/* Text behind "MAIL" and "RCPT". Refusals are of the syntax, of parameters
 * not known, and of values that cannot be; results live in arena. */
bool smtp_mail_args(struct arena *arena, struct slice text,
    const struct smtp_offer *offer, struct smtp_mail_args *args_r,
    struct smtp_refusal *why_r);
bool smtp_rcpt_args(struct arena *arena, struct slice text,
    const struct smtp_offer *offer, bool smtputf8,
    struct smtp_rcpt_args *args_r, struct smtp_refusal *why_r);

/* "1000 LAST" (RFC 3030, 2). */
bool smtp_bdat_args(struct slice text, uint64_t *size_r, bool *last_r);

/* A limit of size below is this host's own choice: 5.2.3, not 5.3.4. */
#define SMTP_BIG (100 * 1024 * 1024)
/* FUTURERELEASE 60 days, as mox. */
#define SMTP_HOLD_MAX_S (60 * 24 * 3600)

#endif
