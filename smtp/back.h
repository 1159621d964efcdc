/*
 * back - the trusted half of an SMTP connection: decides about addresses and
 * stores messages. It keeps the state of the transaction itself.
 */
#ifndef SMTP_BACK_H
#define SMTP_BACK_H

#include "host/deliver.h"
#include "host/host_sign.h"
#include "host/special.h"
#include "message/record.h"
#include "smtp/checks.h"
#include "smtp/request.h"
#include "smtp/smtpd.h"
#include "store/sent.h"
#include "store/mailbox.h"

/* A recipient, as in RCPT. */
struct smtp_to {
	struct slice local, domain;
	struct smtp_rcpt params;
	struct slice orcpt;
	size_t first, n; /* targets of it: those no recipient before has */
	const struct conf_alias *alias; /* NULL: none */
	struct slice address;           /* the one spelling: lookup.h */
	enum lookup_reports reports;
	/* The account takes mail of confirmed authors only, and says this to
	 * others; empty: it does not mind. */
	struct slice confirm;
};

/* Seals of a message, one for each domain that passes it on. */
struct smtp_seals {
	bool wanted;    /* some recipient's mail is passed on */
	bool has_draft; /* the front could make one */
	struct arc_draft draft;
	struct buf header, chain; /* of the draft */
	struct smtp_sealed {
		struct slice domain, text;
	} * v; /* made so far, in the arena of the transaction */
	size_t n;
};
#define SMTP_SEALS_INIT \
	{ \
		.header = BUF_INIT(ARC_DRAFT_MAX), \
		.chain = BUF_INIT(ARC_DRAFT_MAX), \
	}
#define SMTP_SEAL_MAX (64 * 1024) /* bytes of a set */

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
	struct deliver_targets targets;
	struct smtp_delivered {
		const struct deliver_target *target;
		struct delivered what;
	} * delivered; /* to those who have it */
	size_t ndelivered;
	bool unknown; /* nobody has the recipients: said behind DATA */
	bool passes;  /* an account of them forwards, or pass_back: */
	struct slice pass_back;      /* whose notification it is (lib/srs) */
	struct lookup_result author; /* who has From, once that is known */
	struct spool *spool;
	struct buf record;
	struct err spool_err; /* kind ERR_NONE: all bytes were taken */

	struct smtp_checks checks;
	struct smtp_seals seals;
	struct deliver *deliver; /* mailboxes kept open over the messages */
	struct store *store;     /* submission: of the account, once needed */
	struct sent *sent;
	struct smtp_signing *signing;
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

/* local@domain, quoted where needed; in the arena of the transaction. */
struct slice smtp_address_text(struct smtp_back *b, struct slice local,
    struct slice domain);

/* ---- back_rcpt.c ---- */

int smtp_on_mail(void *ctx, const struct split_msg *msg, struct err *e);
int smtp_on_rcpt(void *ctx, const struct split_msg *msg, struct err *e);
/* localserve: the code a localpart is to fail with, or 0 (host/special.h). */
int smtp_special(const struct smtp_back *b, enum special_when when,
    struct slice local, const char **enhanced_r);

/* ---- checks.c: on port 25, where DNS is asked ---- */

/* For a connection, and its end; smtp_back_reset has the third. */
void smtp_checks_begin(struct smtp_back *b);
void smtp_checks_end(struct smtp_back *b);
void smtp_checks_reset(struct smtp_back *b);
int smtp_on_helo(void *ctx, const struct split_msg *msg, struct err *e);
/* May this be its sender; may it have one more recipient; what is to be known
 * of a message that is there, and does its author's domain want it? 1; 0 when
 * the client was answered, -1. */
int smtp_check_mail(struct smtp_back *b, struct err *e);
int smtp_check_second_rcpt(struct smtp_back *b, struct err *e);
int smtp_check_sender(struct smtp_back *b, struct err *e);

/* ---- checks_signed.c ---- */

int smtp_on_start(void *ctx, const struct split_msg *msg, struct err *e);
int smtp_on_ask(void *ctx, const struct split_msg *msg, struct err *e);
int smtp_on_dkim(void *ctx, const struct split_msg *msg, struct err *e);
int smtp_on_arc(void *ctx, const struct split_msg *msg, struct err *e);

/* ---- checks_headers.c ---- */

/* What was found, in the arena of the transaction. for_seal: with what ARC
 * wants to be said besides (RFC 8617, 4.1.1). */
void smtp_checks_results(const struct smtp_back *b, bool for_seal,
    struct authres *results_r);
/* Authentication-Results and Received-SPF. */
void smtp_checks_headers(const struct smtp_back *b, struct buf *out);

/* ---- seal.c ---- */

int smtp_on_seal_header(void *ctx, const struct split_msg *msg, struct err *e);
int smtp_on_seal_chain(void *ctx, const struct split_msg *msg, struct err *e);
int smtp_on_seal(void *ctx, const struct split_msg *msg, struct err *e);
void smtp_seals_reset(struct smtp_seals *s);
/* The ARC set of a domain (of its address: any form) for the message; empty if
 * it does not sign, or the message cannot be sealed. */
struct slice smtp_seal(struct smtp_back *b, struct slice domain);

/* ---- deliver.c ---- */

int smtp_on_data(void *ctx, const struct split_msg *msg, struct err *e);
int smtp_on_chunk(void *ctx, const struct split_msg *msg, struct err *e);
int smtp_on_record(void *ctx, const struct split_msg *msg, struct err *e);
int smtp_on_deliver(void *ctx, const struct split_msg *msg, struct err *e);

/* ---- remember.c ---- */

/* What was delivered goes into the histories of its accounts. */
void smtp_remember(struct smtp_back *b);
/* Is the author who From says? */
enum history_validation smtp_from_validation(struct smtp_back *b);

/* ---- evaluate.c ---- */

/* For the report that From's domain may ask for: the message was accepted, or
 * rejected as its policy wants. */
void smtp_evaluate(struct smtp_back *b, bool rejected);

/* ---- pass.c ---- */

/* RCPT: what do the accounts of the targets from the first-th on want? 1, or
 * answered. */
int smtp_take_forwards(struct smtp_back *b, size_t first, struct err *e);
/* RCPT: is it an address that srs_forward made? Then it is taken, or refused:
 * *taken_r. 1, or answered. */
int smtp_route_back(struct smtp_back *b, struct slice local,
    struct slice domain, bool *taken_r, struct err *e);
/* DELIVER: what must not be passed on (once more) is not. hops: lines of
 * Delivered-To. 1, or answered. */
int smtp_check_pass(struct smtp_back *b, const struct smtp_fields *fields,
    struct slice hops, struct err *e);
/* Into the queue, durable. -1 with e: nothing was queued. */
int smtp_pass_on(struct smtp_back *b, const struct smtp_to *to,
    const struct deliver_target *target, const struct smtp_fields *fields,
    struct slice hops, struct err *e);
int smtp_pass_back(struct smtp_back *b, struct err *e);
/* All have it: who asked to be told is. */
void smtp_notify(struct smtp_back *b, const struct smtp_fields *fields);

/* ---- prefix.c ---- */

/* The header lines that are put before a message for one target. */
void smtp_prefix(struct smtp_back *b, const struct deliver_target *target,
    struct buf *out);
/* The same for what is passed on by an address, sealed by that domain. */
void smtp_pass_prefix(struct smtp_back *b, struct slice address,
    struct slice domain, struct buf *out);
/* The same for a submission, whoever it goes to. */
void smtp_submit_prefix(const struct smtp_back *b, struct buf *out);
/* Does the message need SMTPUTF8? What the client said of it is not always
 * so. */
bool smtp_is_utf8(const struct smtp_back *b);

/* ---- sign.c ---- */

/* The keys of a domain, of which *signers_r has none if it does not sign; local:
 * of the author, or empty. Valid until the next call. */
int smtp_signers(struct smtp_back *b, struct slice local, struct slice domain,
    const struct host_signers **signers_r, struct err *e);

/*
 * Append the DKIM-Signature fields for prefix and message, as the domain in
 * From says: none, one, several. 1, or 0 when the client was answered, -1.
 */
int smtp_sign(struct smtp_back *b, struct slice prefix, struct buf *out,
    struct err *e);
void smtp_signing_free(struct smtp_signing **s);

/* ---- submit.c ---- */

/* Checks and limits, then durable in the queue. 1, or 0 when the client was
 * answered, -1. */
int smtp_submit(struct smtp_back *b, const struct smtp_fields *fields,
    struct slice extras, struct err *e);
/* What the queue is told of the message, whoever it is from and goes to. */
void smtp_queue_message(const struct smtp_back *b,
    const struct smtp_fields *fields, struct queue_message *m_r);

#endif
