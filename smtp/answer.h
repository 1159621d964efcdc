/*
 * answer - what a server says: replies of several lines (RFC 5321, 4.2), and
 * what it offers in the one to EHLO.
 *
 * Pure: lines come from the caller, who reads them.
 */
#ifndef SMTP_ANSWER_H
#define SMTP_ANSWER_H

#include "base/buf.h"
#include "smtp/client.h"

/* RFC 5321, 4.5.3.1.5 has 512 bytes for a line; some say more. */
#define SMTP_ANSWER_LINE 2048
#define SMTP_ANSWER_LINES 256
/* Text of all lines: what is longer is passed over. */
#define SMTP_ANSWER_TEXT (16 * 1024)

struct smtp_answer_parse {
	int code;
	unsigned lines;
	char enhanced[12]; /* "5.123.123", of the first line that has one */
	struct buf text;
};

#define SMTP_ANSWER_INIT \
	{ \
		0, 0, "", BUF_INIT(SMTP_ANSWER_TEXT) \
	}

/* 1: that was the last line. 0: others follow. -1 with e: no reply, another
 * code than in the line before, or too many lines. line has no line end. */
int smtp_answer_line(struct smtp_answer_parse *a, struct slice line,
    struct err *e);

/*
 * The text of a reply to EHLO. Mechanisms are collected in auth, which
 * offers_r->auth points into; what is not understood is passed over.
 */
void smtp_offers_parse(struct slice text, struct buf *auth,
    struct smtp_offers *offers_r);

#endif
