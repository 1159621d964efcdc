/*
 * back - the trusted half of an IMAP connection: checks logins for its front,
 * then narrows itself to the account and becomes the session.
 */
#ifndef IMAP_BACK_H
#define IMAP_BACK_H

#include "host/host.h"

/* As struct service's back and front; client->ctx is the struct host. */
int imap_back(const struct service_client *client, struct split *split);
/*
 * Open the account, and have neither credentials nor other accounts from here on:
 * all that s may reach is set. Everybody who becomes a session comes through
 * here. arena: of the connection. 0, or -1 with e set.
 */
struct imap_session;
int imap_become_account(struct host *host, struct arena *arena,
    struct slice account, struct imap_session *s, struct err *e);
/* A session that was parked goes on: as struct service's resume. */
int imap_resume(const struct service_client *client,
    const struct service_parked *parked);
/* Sessions are parked when they have waited for so long; 0: never. */
extern int imap_park_ms;
int imap_front(const struct service_client *client, struct conn *conn,
    struct split *split);

/*
 * Without service and log-in: be a session of this account on conn, greeted by
 * PREAUTH, to its end. login: an address of the account, for the log. Narrows
 * the process. Returns an exit code; why there is no session is logged, and
 * the client is told.
 */
int imap_serve_as(struct host *host, struct slice account, struct slice login,
    struct conn *conn);

/* Mechanisms and state dependent capabilities before login are the front's;
 * commands.c has the rest. */

#endif
