/*
 * back - the trusted half of an IMAP connection: checks logins for its front,
 * then narrows itself to the account and becomes the session.
 */
#ifndef IMAP_BACK_H
#define IMAP_BACK_H

#include "service/service.h"

/* As struct service's back and front; client->ctx is the struct host. */
int imap_back(const struct service_client *client, struct split *split);
/* A session that was parked goes on: as struct service's resume. */
int imap_resume(const struct service_client *client,
    const struct service_parked *parked);
/* Sessions are parked when they have waited for so long; 0: never. */
extern int imap_park_ms;
int imap_front(const struct service_client *client, struct conn *conn,
    struct split *split);

/* Mechanisms and state dependent capabilities before login are the front's;
 * commands.c has the rest. */

#endif
