/*
 * smtpd - what mox-smtpd loads, for front and back.
 */
#ifndef SMTP_SMTPD_H
#define SMTP_SMTPD_H

#include "host/host.h"
#include "smtp/receivedid.h"

/* Bytes of a submitted header that are looked into for Message-Id and Date:
 * more than any mail program writes. */
#define SMTP_HEADER_LOOK (256 * 1024)

struct smtpd {
	struct host host; /* first */
	struct receivedid receivedid;
	bool localserve;  /* every address is ours, special ones fail */
};

/* struct service's back; client->ctx is the struct smtpd. */
int smtp_back(const struct service_client *client, struct split *split);

#endif
