/*
 * smtpd - what mox-smtpd loads, for front and back.
 */
#ifndef SMTP_SMTPD_H
#define SMTP_SMTPD_H

#include "host/deliver.h"
#include "queue/queue.h"
#include "smtp/receivedid.h"
#include "srs/srs.h"

struct smtpd {
	struct host host;   /* first */
	struct queue queue; /* for submission */
	struct receivedid receivedid;
	struct srs srs;          /* not in fronts */
	bool ask_dns;            /* and check who sends */
	bool localserve;         /* every address is ours, special ones fail */
	struct deliver *deliver; /* in a shared back, between connections */
};

/* struct service's back; client->ctx is the struct smtpd. */
int smtp_back(const struct service_client *client, struct split *split);

#endif
