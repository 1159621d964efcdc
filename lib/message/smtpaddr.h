/*
 * smtpaddr - paths and mailboxes of SMTP commands (RFC 5321, 4.1.2; 6531).
 *
 * Strict. Domains are checked and returned as written (no IDNA here); local
 * parts are returned unquoted, with their case.
 */
#ifndef MESSAGE_SMTPADDR_H
#define MESSAGE_SMTPADDR_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/scan.h"

/* RFC 5321, 4.5.3.1. A local part may be longer in quoted form. */
#define SMTPADDR_LOCAL_MAX 64
#define SMTPADDR_DOMAIN_MAX 255
#define SMTPADDR_PATH_MAX 256

enum {
	SMTPADDR_UTF8 = 1,  /* RFC 6531: non-ASCII is allowed */
	SMTPADDR_EMPTY = 2, /* <> is allowed (MAIL FROM) */
	SMTPADDR_BARE = 4,  /* <postmaster> without domain is allowed (RCPT) */
	SMTPADDR_LONG = 8,  /* do not enforce the length of local parts */
};

struct smtpaddr {
	struct slice local;
	struct slice domain; /* a literal keeps its brackets */
	bool literal;
	bool utf8;  /* something is not ASCII: needs SMTPUTF8 to be sent */
	bool empty; /* <> */
};

/* "<" [source route ":"] mailbox ">"; the route is dropped. The cursor ends
 * behind it. 0, or -1 with e set (SYNTAX) and the cursor as it was. */
int smtpaddr_path(struct arena *arena, struct scan *sc, unsigned flags,
    struct smtpaddr *addr_r, struct err *e);
/* local@domain, the whole slice. */
int smtpaddr_mailbox(struct arena *arena, struct slice s, unsigned flags,
    struct smtpaddr *addr_r, struct err *e);
/* A domain, an address literal; the whole slice. EHLO takes both. */
bool smtpaddr_domain(struct slice s, bool utf8);
bool smtpaddr_literal(struct slice s);

/* local@domain with quoting where needed; "" if empty. */
void smtpaddr_write(struct buf *out, const struct smtpaddr *addr);
/* A local part, quoted if it is no dot-atom. */
void smtpaddr_write_local(struct buf *out, struct slice local);

#endif
