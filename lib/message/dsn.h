/*
 * dsn - delivery status notifications: what became of a message, for its
 * sender (RFC 3464 and 6533; 3461, 3462).
 *
 * Written as a stream of three parts: text for people, fields for programs,
 * what it is about. Read from a message by way of its record. Reentrant.
 */
#ifndef MESSAGE_DSN_H
#define MESSAGE_DSN_H

#include "base/arena.h"
#include "base/err.h"
#include "base/rand.h"
#include "message/record.h"

enum dsn_action {
	DSN_FAILED,
	DSN_DELAYED,
	DSN_DELIVERED,
	DSN_RELAYED,  /* to a host that does not notify */
	DSN_EXPANDED, /* to several, as a list does */
	DSN_ACTIONS
};
const char *dsn_action_name(enum dsn_action action); /* "failed" */
bool dsn_action_parse(struct slice name, enum dsn_action *action_r);

/* "type; text", e.g. rfc822 and an address, smtp and a reply. */
struct dsn_typed {
	struct slice type; /* empty for the usual one, see each */
	struct slice text; /* decoded; empty: the field is not there */
};

struct dsn_recipient {
	struct dsn_typed original; /* rfc822, or utf-8 if not ASCII */
	struct dsn_typed final;    /* likewise */
	enum dsn_action action;
	struct slice status;         /* "5.1.1" */
	struct dsn_typed remote_mta; /* dns */
	struct dsn_typed diagnostic; /* smtp */
	int64_t last_attempt;        /* seconds since 1970; 0: not there */
	int64_t will_retry_until;    /* likewise */
};

/* The fields for programs. */
struct dsn_status {
	struct slice envid;             /* ENVID, decoded */
	struct dsn_typed reporting_mta; /* dns: the host that says so */
	struct dsn_typed received_from; /* dns: EHLO name of the client */
	int64_t arrival;                /* seconds since 1970; 0: not there */
	struct slice future_release;    /* RFC 4865, 6; "until;..." */
	struct dsn_recipient *rcpts;
	size_t nrcpts;
};

/* ---- writing ---- */

/* Longer texts of a recipient are cut, more of the header is left out. */
#define DSN_TEXT_MAX 800
#define DSN_HEADER_MAX (64 * 1024)

struct dsn_letter {
	const struct dsn_status *status; /* one recipient or more */
	struct slice from, to;           /* addresses */
	struct slice msgid;              /* of the notification, without <> */
	struct slice subject;            /* empty: by what is to be said */
	int64_t date;
	int zone_s;
	struct slice about_msgid; /* of the message, without <>; or empty */
	/* Its header, either line end, or what was read of it. */
	struct slice header;
	/*
	 * RET=FULL: a function for all of it, in wire form: 1 and a piece, 0
	 * at the end, -1. NULL: the header will do. is_8bit, binary: other
	 * than 7-bit text, or lines that are too long, are in its body.
	 */
	int (*read)(void *ctx, struct slice *wire_r, struct err *e);
	void *ctx;
	bool is_8bit, binary;
	struct rand *rand; /* NULL: the real one */
};

typedef int dsn_write_fn(void *ctx, struct slice wire, struct err *e);

/*
 * Write the notification, in wire form, by calls of write. What must be
 * notified is said with the worst first: failed, delayed, others. Whatever
 * the texts hold, none starts a header line of its own. 0, or -1 with e from
 * read or write.
 */
int dsn_write(const struct dsn_letter *letter, dsn_write_fn *write, void *ctx,
    struct err *e);

/* ---- reading ---- */

#define DSN_STATUS_MAX (256 * 1024) /* of the part that dsn_parse gets */
#define DSN_RCPTS_MAX 1000

/* Where in a message the status is, and what it is about (MSGREC_NONE if it
 * is left out). False if the message is no notification. */
bool dsn_find(struct slice record, uint32_t *status_r, uint32_t *about_r);

/*
 * Parse the body of the status part, decoded. Forgiving: unknown fields, bad
 * dates and the like are passed over. Strings are in the arena. 0, or -1 with
 * e: ERR_SYNTAX without any recipient, or one without address or action,
 * ERR_LIMIT.
 */
int dsn_parse(struct arena *arena, struct slice text,
    struct dsn_status *status_r, struct err *e);

/* Both, of a whole message in wire form. */
int dsn_parse_message(struct arena *arena, struct slice record,
    struct slice message, struct dsn_status *status_r, struct err *e);

/* ---- parameters of SMTP ---- */

/* ENVID, and "type;address" of ORCPT, as they came in MAIL and RCPT
 * (RFC 3461, 4; RFC 6533, 3), decoded. What is malformed stays as it is. */
struct slice dsn_envid(struct arena *arena, struct slice xtext);
struct dsn_typed dsn_orcpt(struct arena *arena, struct slice orcpt);

#endif
