/*
 * rcpttls - what the servers of a recipient's domain offered, as far as an
 * account has sent mail there: to show it before the next message is sent.
 *
 * data/rcpttls/ACCOUNT.log and .cdb, a table (db/table.h): domain -> `TIME`,
 * then `starttls` and `requiretls` where they were offered. Not synced: it is
 * learned again. Depends on lib/db.
 */
#ifndef HOST_RCPTTLS_H
#define HOST_RCPTTLS_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"

struct rcpttls {
	bool starttls;
	bool requiretls; /* RFC 8689: messages may demand verified TLS */
	int64_t us;      /* when that was seen, to the day */
};

/* rcpttls_fd: the folder data/rcpttls. domain: ASCII. Writes what has changed,
 * or is older than a day. tls->us is set by the clock. 0, or -1 with e. */
int rcpttls_note(int rcpttls_fd, const struct clock *clock,
    struct slice account, struct slice domain, const struct rcpttls *tls,
    struct err *e);
/* 1, 0 nothing is known of the domain, -1 with e. */
int rcpttls_read(int rcpttls_fd, struct slice account, struct slice domain,
    struct rcpttls *tls_r, struct err *e);

#endif
