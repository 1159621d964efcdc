/*
 * remote - what mox-remote knows: one destination, and a connection to it that
 * is used for message after message.
 */
#ifndef QUEUE_REMOTE_H
#define QUEUE_REMOTE_H

#include "config/config.h"
#include "net/dial.h"
#include "queue/group.h"
#include "smtp/client.h"

#define REMOTE_IPS 16

/* Whom to trust: made when it is first needed, before the jail. */
struct remote_trust {
	struct tls_client *pkix; /* what the system and mox.conf say */
	struct tls_client *none; /* nobody */
};

struct remote {
	struct group group;
	const struct config *config;
	const struct conf_transport *transport;
	/* Of its method, or NULL: then `refuse` says why nothing is sent. */
	const struct conf_transport_smtp *server;
	bool immediate;      /* TLS from the first byte on */
	struct slice refuse; /* with its code: 4xx or 5xx */
	char host[256];
	uint16_t port;
	struct ip ips[REMOTE_IPS];
	size_t nips;
	struct err resolve; /* why there are none */
	struct remote_trust trust;
	struct tls_client *tls;     /* one of these */
	struct slice names[1];      /* that its certificate may be for */
	struct smtp_client *client; /* NULL: not connected */
	unsigned sent;              /* messages on this connection */
};

/* Find the transport "transport NAME" or "mx DOMAIN", resolve its host, load
 * what TLS needs: all that no jail allows. 0, or -1 with e. */
int remote_init(struct remote *r, struct slice destination, struct arena *arena,
    struct err *e);

/* Before others are forked that call remote_init for the destination: load
 * what takes time. */
void remote_prepare(struct remote *r, struct slice destination);

/* For connections whose certificate is verified by PKIX, or not. NULL with
 * e. */
struct tls_client *remote_tls(struct remote *r, bool pkix, struct err *e);

/* A group: items of one message. *answer as in group_serve. */
int remote_send(struct remote *r, struct slice names, const char **answer);

/* End the connection. */
void remote_close(struct remote *r);

#endif
