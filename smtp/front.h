/*
 * front - the SMTP dialogue: what the phases share. The state a client's
 * commands go through, and how they are answered.
 */
#ifndef SMTP_FRONT_H
#define SMTP_FRONT_H

#include "host/login.h"
#include "message/parse.h"
#include "smtp/data.h"
#include "smtp/params.h"
#include "smtp/request.h"
#include "smtp/verify.h"

#define SMTP_TOPIC "smtpserver"
#define SMTP_LINE_MAX 2048       /* RFC 5321, 4.5.3.1.4 asks for 512 */
#define SMTP_AUTH_LINE_MAX 12288 /* RFC 4954, 4 */
#define SMTP_RCPT_MAX 1000       /* LIMITS RCPTMAX (RFC 9422) */
#define SMTP_WAIT_MS (30 * 1000)
#define SMTP_TLS_MS (60 * 1000)
#define SMTP_DATA_MS (30 * 60 * 1000) /* for the whole message */

enum { SMTP_KIND_SMTP, SMTP_KIND_SUBMISSION, SMTP_KIND_SUBMISSIONS };

struct smtp_front {
	const struct service_client *client;
	const struct conf_listener *conf;
	struct conn *conn;
	struct login_front login;
	struct slice hostname; /* of the listener */
	bool pedantic, submission;
	bool starttls; /* offered as long as there is no TLS */
	uint64_t max_size;
	struct arena *arena; /* of the command */

	char helo_text[SMTPADDR_DOMAIN_MAX + 1];
	struct slice helo; /* empty: not greeted */
	bool esmtp;
	bool authenticated; /* by AUTH or by a client certificate */
	bool auth_done;     /* by AUTH */
	bool spoke_smtp;    /* some command was known */

	/* The transaction: */
	bool mail;
	struct smtp_mail params;
	unsigned rcpts;
	bool bdat; /* BDAT chunks have come */
	struct msgparse *parse;
	struct smtp_verify *verify; /* NULL: not wanted */
	uint64_t size;              /* of the message so far */
	unsigned body_seen;         /* bytes of CR LF CR LF: 4 is all */
	bool pass;                  /* it may be passed on */
	struct buf head;            /* then, or of a submission: fields.c */
	int64_t data_end_ms;

	bool done; /* the connection ends */
};

/* ---- reply.c ---- */

/* "550 5.1.1 text (id)": errors quote the connection's id. */
void smtp_reply(struct smtp_front *f, int code, const char *enhanced,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* One line of several: "250-text". last: "250 text". */
void smtp_reply_line(struct smtp_front *f, int code, bool last, const char *fmt,
    ...) __attribute__((format(printf, 4, 5)));
void smtp_reply_refusal(struct smtp_front *f, const struct smtp_refusal *why);
void smtp_reply_verdict(struct smtp_front *f, const struct smtp_verdict *v,
    struct slice text);

/* ---- session.c ---- */

/*
 * A request of request.h whose reply is a verdict; text_r lives until the next.
 * False: the back is gone, the client was told 421 and f->done is set.
 */
bool smtp_ask(struct smtp_front *f, enum smtp_request type,
    const struct slice *v, size_t n, struct smtp_verdict *verdict_r,
    struct slice *text_r);
/* One way. */
bool smtp_tell(struct smtp_front *f, enum smtp_request type,
    const struct slice *v, size_t n);
/* The back failed: 421, end. */
void smtp_lost(struct smtp_front *f, const struct err *e);
/* A wait for the client failed: tell it why, end. */
void smtp_read_failed(struct smtp_front *f, enum conn_status status);
/* Forget the transaction (not the greeting). */
void smtp_reset(struct smtp_front *f);
/* Tell the back as well. */
void smtp_reset_all(struct smtp_front *f);

/* Begin TLS if tls, and say hello to the back. False: the connection ends. */
bool smtp_hello(struct smtp_front *f, bool tls);

int smtp_front_run(const struct service_client *client, struct conn *conn,
    struct split *split);

/* ---- fields.c ---- */

#define SMTP_HEAD_MAX (256 * 1024) /* bytes of a header that is looked at */

/* Fields of a submission that are for us; extras: lines "KEY VALUE". */
void smtp_find_fields(struct slice head, struct smtp_fields *fields_r,
    struct buf *extras);

/* Fields of what may be passed on; lines: values of Delivered-To. */
void smtp_find_hops(struct slice head, struct smtp_fields *fields_r,
    struct buf *lines);

/* ---- commands ---- */

struct smtp_command {
	const char *name;
	/* args: the line behind the name, as sent. */
	void (*run)(struct smtp_front *f, struct slice args);
	unsigned flags;
};

enum {
	SMTP_NO_ARGS = 1,
	SMTP_GREETED = 2,     /* after EHLO or HELO */
	SMTP_SUBMISSION = 4,  /* on submission only */
	SMTP_NOT_IN_BDAT = 8, /* between chunks only BDAT, RSET, NOOP, QUIT */
};

const struct smtp_command *smtp_find_command(struct slice name);

void smtp_cmd_helo(struct smtp_front *f, struct slice args);
void smtp_cmd_ehlo(struct smtp_front *f, struct slice args);
void smtp_cmd_starttls(struct smtp_front *f, struct slice args);
void smtp_cmd_auth(struct smtp_front *f, struct slice args);
void smtp_cmd_mail(struct smtp_front *f, struct slice args);
void smtp_cmd_rcpt(struct smtp_front *f, struct slice args);
void smtp_cmd_data(struct smtp_front *f, struct slice args);
void smtp_cmd_bdat(struct smtp_front *f, struct slice args);

/* What this connection offers, for params.h. */
struct smtp_offer smtp_offer_of(const struct smtp_front *f);

#endif
