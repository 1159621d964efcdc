/*
 * client - the client side of SMTP: one connection, any number of messages.
 *
 *	fd = net_dial(...);
 *	c = smtp_client_new(fd, &opts);
 *	if (smtp_client_open(c, arena, &result) == 0 &&
 *	    (!login || smtp_client_auth(c, login, arena, &result) == 0))
 *		do
 *			smtp_client_send(c, &mail, rcpts, n, arena, &result);
 *		while (recipients are left with SMTP_RES_AGAIN);
 *	smtp_client_quit(c);
 *	smtp_client_free(&c);
 *
 * Results say what the server answered, for each recipient. Nothing is tried
 * again in here, and no name is looked up. Reentrant; every wait has a
 * deadline, every answer a limit. Works in a jail that has the descriptor and
 * the message. Transcript: topic "smtpclient" at the trace levels. Depends on
 * lib/base, lib/net and lib/sasl.
 */
#ifndef SMTP_CLIENT_H
#define SMTP_CLIENT_H

#include <signal.h>

#include "base/arena.h"
#include "base/err.h"
#include "net/tls.h"
#include "net/tls_client.h"
#include "smtp/esmtp.h"

/* ---- results ---- */

/* An answer: 5.1.1 is "5.1.1", "" if the server gave none. Lines of the text
 * are joined by LF; it is as sent, any bytes but CR, LF and NUL. */
struct smtp_answer {
	int code; /* 200 to 599; 0: the server said nothing */
	struct slice enhanced;
	struct slice text;
};

enum smtp_outcome {
	SMTP_RES_NONE, /* nothing was decided: not asked */
	SMTP_RES_OK,
	/* A recipient that was not taken in this transaction, but may be in
	 * another: 452 or 552 behind others that were taken, or more than the
	 * server's LIMITS RCPTMAX. The others' outcome does not depend on it. */
	SMTP_RES_AGAIN,
	SMTP_RES_CONNECT,  /* not from here: for callers of net_dial */
	SMTP_RES_TLS,      /* no TLS as the policy demands: `tls` says why */
	SMTP_RES_PROTOCOL, /* what came is no SMTP, or without end */
	SMTP_RES_LOST,     /* connection lost or silent: nothing was taken */
	SMTP_RES_UNKNOWN,  /* the same behind the end of the message: perhaps
	                    * it was taken */
	/* The server's 4xx or 5xx. With code 0 our own: the message cannot be
	 * read now; or cannot go to this server, answer.enhanced says why
	 * (5.6.7 no SMTPUTF8, 5.7.30 no REQUIRETLS, 5.3.4 over its SIZE, 5.6.0
	 * bare CR or LF, 5.7.4 no mechanism to log in with). */
	SMTP_RES_TEMP,
	SMTP_RES_PERM,
};

const char *smtp_outcome_name(enum smtp_outcome outcome); /* "temp" */

/* What was last asked. */
enum smtp_step {
	SMTP_STEP_CONNECT,
	SMTP_STEP_TLS, /* the handshake */
	SMTP_STEP_GREETING,
	SMTP_STEP_HELLO,
	SMTP_STEP_STARTTLS,
	SMTP_STEP_AUTH,
	SMTP_STEP_MAIL,
	SMTP_STEP_RCPT,
	SMTP_STEP_DATA,
	SMTP_STEP_END, /* the message was sent */
	SMTP_STEP_RSET,
};

const char *smtp_step_name(enum smtp_step step); /* "RCPT TO" */

struct smtp_result {
	enum smtp_outcome outcome;
	enum smtp_step step;
	struct smtp_answer answer;
	enum tls_failure tls; /* for SMTP_RES_TLS */
	struct slice why;     /* a sentence for people, of every failure */
};

/* ---- a connection ---- */

enum smtp_tls_mode {
	SMTP_TLS_NONE,          /* STARTTLS is not used */
	SMTP_TLS_OPPORTUNISTIC, /* where it is offered; never verified. If the
	                         * handshake fails, so does the open: the
	                         * caller may come again without */
	SMTP_TLS_REQUIRED,      /* not verified (DANE without usable records) */
	SMTP_TLS_PKIX,          /* expect.names */
	SMTP_TLS_DANE,          /* expect.tlsa */
};

struct smtp_client_opts {
	struct slice hello; /* our name, or address literal, for EHLO */
	enum smtp_tls_mode tls_mode;
	bool tls_immediate;       /* before the greeting: submissions */
	bool starttls_unoffered;  /* ask for it all the same */
	struct tls_client *tls;   /* NULL only with SMTP_TLS_NONE */
	struct tls_expect expect; /* its `verify` is set by tls_mode */
	int step_ms;              /* each answer, each write; 0: 30 s */
	int end_ms;               /* the answer to a message; 0: 10 min */
	bool no_pipelining;       /* even if offered */
	bool no_chunking;         /* even if offered: DATA */
	/* 1: give up, but wait for the answer to a message that was sent;
	 * CONN_STOP_ALL (net/conn.h): at once. May be NULL. */
	const volatile sig_atomic_t *stop;
};

/* RFC 5321, 4.1.1.1: what the server offers now. */
struct smtp_offers {
	bool esmtp; /* EHLO was taken */
	bool pipelining, starttls, eightbitmime, smtputf8, enhanced, dsn,
	    chunking, binarymime, requiretls, size;
	uint64_t max_size; /* RFC 1870; 0: not said */
	uint32_t rcpt_max; /* RFC 9422; 0: not said */
	uint32_t mail_max; /* RFC 9422: transactions on a connection */
	struct slice auth; /* mechanisms, separated by spaces */
};

struct smtp_client;
struct conn;

/* Takes fd, and closes it at last. Slices and pointers of opts must live as
 * long as the client. */
struct smtp_client *smtp_client_new(int fd,
    const struct smtp_client_opts *opts);
/* Closes the connection, without a word: see smtp_client_quit. */
void smtp_client_free(struct smtp_client **c);

/* All that follows must be over in ms from now; 0: no limit. Failures by it
 * are LOST or UNKNOWN. */
void smtp_client_limit_ms(struct smtp_client *c, int64_t ms);

/*
 * Greeting, EHLO (HELO if that is answered 500 to 504), STARTTLS and EHLO
 * again as the mode says. Returns 0, or -1 with *result_r: then nothing can be
 * sent; the facts below, quit and free are of use. Bytes behind the answer to STARTTLS are a
 * failure (CVE-2011-0411 and kin).
 */
int smtp_client_open(struct smtp_client *c, struct arena *arena,
    struct smtp_result *result_r);

/* ---- facts, from open on ---- */

const struct smtp_offers *smtp_client_offers(const struct smtp_client *c);
/* STARTTLS was offered; REQUIRETLS was, perhaps before TLS (RFC 8689 has it
 * after). For what the queue remembers. */
bool smtp_client_had_starttls(const struct smtp_client *c);
/* NULL without TLS. */
const struct tls_facts *smtp_client_tls(const struct smtp_client *c);
/* Was the peer verified as the mode says? With NONE, OPPORTUNISTIC, REQUIRED:
 * would PKIX have held, with expect.names? (MTA-STS testing.) NONE: yes. */
enum tls_failure smtp_client_tls_failure(const struct smtp_client *c);
/* The name the server gave itself in its greeting; may be empty. */
struct slice smtp_client_greeting(const struct smtp_client *c);
/* For a dialogue of one's own after open: the client's, and freed with it. */
struct conn *smtp_client_conn(struct smtp_client *c);
/* May another message be sent on it? */
bool smtp_client_usable(const struct smtp_client *c);

/* ---- logging in ---- */

struct smtp_login {
	struct slice login;
	struct slice password; /* empty: EXTERNAL, by the certificate of tls */
	/* Mechanisms in the order of preference; none: EXTERNAL, the -PLUS and
	 * other SCRAM, CRAM-MD5. PLAIN and LOGIN must be listed. */
	const struct slice *mechanisms;
	size_t nmechanisms;
	bool plain_without_tls; /* PLAIN and LOGIN may go in the clear */
};

/*
 * By the first mechanism of the list that the server offers and that can be
 * used; a -PLUS that was taken off the offer in between is noticed by the
 * server (RFC 5802, 6). Another one is not tried. 0, or -1 with *result_r.
 * *mechanism_r (may be NULL) is its name, NULL if there is none.
 */
int smtp_client_auth(struct smtp_client *c, const struct smtp_login *login,
    const char **mechanism_r, struct arena *arena,
    struct smtp_result *result_r);

/* ---- messages ---- */

/*
 * The bytes to send: prefix, then size bytes of fd from offset, or `content`
 * where fd is -1. Either part has LF line ends, made CRLF on the way, unless
 * there is a CR in it: then it is sent as it is, and a bare CR or LF is refused
 * where the server does not offer CHUNKING and BINARYMIME. A missing last line
 * end is added. The file must not change.
 */
struct smtp_source {
	struct slice prefix;
	struct slice content;
	int fd;
	uint64_t offset, size;
};

/* What a pass over it finds. */
struct smtp_source_facts {
	uint64_t wire_size; /* without dots */
	bool bare;          /* CR or LF alone */
	bool eightbit;
	bool verbatim; /* content is sent as it is */
};

/* 0, or -1 with e. Slices of the source and fd as above. */
int smtp_source_scan(const struct smtp_source *source,
    struct smtp_source_facts *facts_r, struct err *e);

struct smtp_client_mail {
	struct slice from;  /* as it stands between < and >; empty: <> */
	bool smtputf8;      /* needed by addresses or headers (RFC 6531) */
	bool requiretls;    /* RFC 8689; refused over TLS not verified */
	bool need_8bitmime; /* refuse 8-bit content where it is not offered */
	enum smtp_ret ret;  /* RFC 3461; not sent where DSN is not offered */
	struct slice envid; /* xtext */
	struct smtp_source source;
};

struct smtp_client_rcpt {
	struct slice to;    /* as it stands between < and > */
	unsigned notify;    /* SMTP_NOTIFY_*, 0: none */
	struct slice orcpt; /* "rfc822;" and xtext; empty: none */
	/* Set by smtp_client_send, for every recipient. */
	struct smtp_result result;
};

/*
 * One transaction for n recipients. Each one's result says what became of it:
 * OK when the message was taken for it, AGAIN, or why not; one that was taken
 * shares the result of MAIL, DATA or of the message if that failed. *result_r
 * is that of the transaction: OK if the message was taken for anybody, else
 * the first failure. Returns 0 for OK, else -1. A transaction before it that
 * ended early is reset by RSET. Texts live in arena.
 */
int smtp_client_send(struct smtp_client *c, const struct smtp_client_mail *mail,
    struct smtp_client_rcpt *rcpts, size_t n, struct arena *arena,
    struct smtp_result *result_r);

/* QUIT, if the connection is of use, and wait shortly for its answer. */
void smtp_client_quit(struct smtp_client *c);

#endif
