/*
 * back - the trusted half of an SMTP connection: decides about addresses and
 * stores messages. It keeps the state of the transaction itself.
 */
#ifndef SMTP_BACK_H
#define SMTP_BACK_H

#include "message/record.h"
#include "smtp/request.h"
#include "smtp/smtpd.h"
#include "store/mailbox.h"

/* Where a message goes, in the end: aliases are expanded, each once. */
struct smtp_target {
	struct slice account, mailbox;
	struct slice address; /* for Delivered-To */
	struct slice member;  /* if only an alias leads there: by which name */
};

/* A recipient, as in RCPT. */
struct smtp_to {
	struct slice local, domain;
	struct smtp_rcpt params;
	struct slice orcpt;
	const struct conf_alias *alias; /* NULL: none */
	struct slice address;           /* the one spelling: lookup.h */
};

#define SMTP_TARGETS_MAX 10000 /* mailboxes that one message goes to */
#define SMTP_OPEN_MAX 8        /* mailboxes kept open over a connection */

struct smtp_open {
	struct slice account; /* malloced */
	struct store *store;
	struct mailbox *mailbox;
	bool used; /* by the message just delivered */
};

struct smtp_back {
	struct login_back login; /* first: its handlers get this */
	struct smtpd *d;
	const struct conf_listener *conf;
	bool submission;
	char id[RECEIVEDID_TEXT];
	unsigned bad,
	    good; /* transactions begun but not delivered; delivered */

	/* The transaction: */
	struct arena *arena;
	unsigned rest; /* state of the split before and after */
	struct slice helo;
	struct smtp_mail mail;
	struct slice from_local, from_domain, envid;
	struct smtp_to *to;
	size_t nto;
	struct smtp_target *targets;
	size_t ntargets;
	bool unknown;        /* nobody has the recipients: said behind DATA */
	struct slice author; /* the one spelling of From, if it is ours */
	struct spool *spool;
	struct buf record;
	struct err spool_err; /* kind ERR_NONE: all bytes were taken */

	struct smtp_open open[SMTP_OPEN_MAX];
	size_t next_open; /* to be replaced next */
};

/* ---- back.c ---- */

/* Answer a request; what is 400 and above is logged. */
int smtp_verdict(struct smtp_back *b, int code, const char *enhanced,
    struct err *e, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* The same, and the connection ends. */
int smtp_verdict_last(struct smtp_back *b, int code, const char *enhanced,
    struct err *e, const char *text);
/* Forget the transaction. */
void smtp_back_reset(struct smtp_back *b);
/* Add to the counter mox_smtpserver_NAME. */
void smtp_count(struct smtp_back *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/*
 * Submission: may the account send as this address? 1; or 0 when the client
 * was answered, -1.
 */
int smtp_may_send(struct smtp_back *b, struct slice local, struct slice domain,
    const char *what, struct err *e);

/* ---- back_rcpt.c ---- */

int smtp_on_mail(void *ctx, const struct split_msg *msg, struct err *e);
int smtp_on_rcpt(void *ctx, const struct split_msg *msg, struct err *e);
/* The mailbox that r says becomes a target, by address; member as in struct
 * smtp_target. */
void smtp_add_target(struct smtp_back *b, const struct lookup_result *r,
    struct slice address, struct slice member);

/* ---- alias.c: 1, or 0 when the client was answered, -1 ---- */

int smtp_alias_expand(struct smtp_back *b, const struct conf_alias *alias,
    struct slice address, struct err *e);
/* Of all recipients, by the From of the message; fills author. */
int smtp_alias_check(struct smtp_back *b, struct err *e);

/* ---- special.c ---- */

/*
 * localserve: localparts with special endings fail (man page): the code to
 * answer with. 0 for others, after an hour's sleep for "timeout".
 */
enum smtp_special { SPECIAL_MAIL, SPECIAL_RCPT, SPECIAL_DELIVER };
int smtp_special(const struct smtp_back *b, enum smtp_special when,
    struct slice local, const char **enhanced_r);

/* ---- deliver.c ---- */

int smtp_on_data(void *ctx, const struct split_msg *msg, struct err *e);
int smtp_on_chunk(void *ctx, const struct split_msg *msg, struct err *e);
int smtp_on_record(void *ctx, const struct split_msg *msg, struct err *e);
int smtp_on_deliver(void *ctx, const struct split_msg *msg, struct err *e);

/* ---- prefix.c ---- */

/* The header lines that are put before a message for one target. */
void smtp_prefix(const struct smtp_back *b, const struct smtp_target *target,
    struct buf *out);

/* ---- opened.c ---- */

/* The mailbox of a target, made if it is missing; kept open. */
int smtp_open_mailbox(struct smtp_back *b, const struct smtp_target *t,
    struct smtp_open **open_r, struct err *e);
void smtp_close_mailbox(struct smtp_open *o);
/* Housekeeping of those used, once the client has its answer. */
void smtp_tidy(struct smtp_back *b);
void smtp_close_all(struct smtp_back *b);

#endif
