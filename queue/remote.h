/*
 * remote - what mox-remote knows: one destination, and a connection to it that
 * is used for message after message.
 *
 *	remote_init.c     the destination: a transport of mox.conf, or a domain
 *	remote_send.c     the items of one message, and what is told of them
 *	remote_server.c   to the server of a transport
 *	remote_domain.c   how the hosts of a domain are reached
 *	remote_mx.c       to them, one after the other
 *	remote_policy.c   what TLS one of them must have
 *	remote_connect.c  a connection to it
 *	remote_report.c   what came of it, for TLS reports
 */
#ifndef QUEUE_REMOTE_H
#define QUEUE_REMOTE_H

#include "config/config.h"
#include "dane/dane.h"
#include "host/rcpttls.h"
#include "mtasts/mtasts.h"
#include "net/dial.h"
#include "queue/group.h"
#include "smtp/client.h"
#include "smtp/gather.h"

#define REMOTE_IPS GATHER_IPS

/* Whom to trust: made when it is first needed, before the jail. */
struct remote_trust {
	struct tls_client *pkix; /* what the system and mox.conf say */
	struct tls_client *none; /* nobody */
};

struct remote {
	struct group group;
	const struct config *config;
	const struct conf_transport *transport; /* NULL: none was named */
	struct slice refuse; /* why nothing is sent, with its code: 4xx, 5xx */

	/* A server of its own: submission, smarthost. */
	const struct conf_transport_smtp *server; /* NULL: hosts of `domain` */
	bool immediate; /* TLS from the first byte on */
	uint16_t port;
	struct ip ips[REMOTE_IPS];
	size_t nips;
	struct err resolve;    /* why there are none */
	struct slice names[1]; /* that its certificate may be for */

	/* The hosts of a domain. */
	struct slice domain; /* ASCII, lower case; or an address literal */
	struct dns *dns;
	int dns_door, mtasts_door;                /* -1: none was given */
	int mtasts_fd, tlsresults_fd, rcpttls_fd; /* folders in data/ */
	struct dial_opts source; /* addresses of ours, a proxy */
	struct ip proxy[REMOTE_IPS];
	struct ip *own; /* where we take mail ourselves */
	size_t nown;
	struct slice hello; /* for EHLO */

	struct remote_trust trust;
	struct tls_client *tls; /* one of these */
	/* The connection, or the last attempt at one. */
	struct smtp_client *client; /* NULL: not connected */
	struct arena *session;      /* what it points to */
	struct rcpttls offered;     /* there */
	struct slice noted;         /* the account that this was noted for */
	char host[256];
	struct ip ip, local;
	unsigned sent; /* messages on this connection */
	bool dual;     /* the host has addresses of both families */
	bool verified; /* by a policy: good for REQUIRETLS */
	bool relaxed;  /* a policy was ignored */
	bool fallback; /* no TLS since it failed */
	/* Of the message at hand: it was delivered to somebody; a host did not
	 * want us now, or was silent. */
	bool delivered, trouble;
};

/* Open the folders below data_fd, making what is missing; r->group is ready. 0,
 * or -1 with e. */
int remote_open(struct remote *r, int data_fd, struct err *e);

/* Find the transport "transport NAME"; or "mx DOMAIN", which is "mx DOMAIN NAME"
 * if it is a transport's; resolve its host, load what TLS needs: all that no jail
 * allows. r->config and the doors are set. 0, or -1 with e. */
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

/* ---- remote_send.c, for the two ways ---- */

/* A recipient who is not told yet. */
struct transfer_rcpt {
	struct group_item *item;
	struct smtp_result
	    kept;          /* what a host said that is not the last word */
	struct slice host; /* that host */
};

#define TRANSFER_DIALED 16 /* addresses that are noted */

/* One message on its way. */
struct transfer {
	struct group_item *items;
	size_t n;
	struct smtp_client_mail mail;
	/* Those not told yet. The first `now` of them are for the host at hand,
	 * what it said about the others was kept. */
	struct smtp_client_rcpt *rcpts;
	struct transfer_rcpt *who;
	size_t left, now;
	bool first; /* none of them was tried before */
	/* Addresses that did not take it: for the next attempt. */
	struct item_dialed dialed[TRANSFER_DIALED];
	size_t ndialed;
};

/* Transactions on the connection until everybody is told or put off, or it is
 * gone: then some are left for `now`. The other end closed it between two
 * messages, which is nobody's failure. */
void transfer_pass(struct remote *r, struct transfer *t);
/* Put off everybody who is left for now, for this reason. */
void transfer_put_off(struct remote *r, struct transfer *t,
    const struct smtp_result *result);
/* Those put off are for the next host. */
void transfer_next(struct transfer *t);
/* Tell everybody who is left what was kept. */
void transfer_end(struct remote *r, struct transfer *t);

/* ---- remote_server.c, remote_mx.c ---- */

/* Send to whoever is left. True: nobody was there; others need not try. */
bool remote_server(struct remote *r, struct transfer *t);
bool remote_mx(struct remote *r, struct transfer *t);

/* ---- remote_domain.c ---- */

/* The rest of remote_init for r->domain. */
int remote_init_domain(struct remote *r, struct arena *arena, struct err *e);

/* ---- remote_mx.c ---- */

/* A host of a domain. */
struct remote_host {
	struct slice name;
	uint16_t preference;
	struct gather_addresses addresses;
	struct dane_result dane;
};

/* What is known of the domain while a message is on its way. */
struct remote_route {
	const struct transfer *t;
	const struct item *item; /* the first: those of a message are alike */
	struct gather gather;
	struct mtasts_result sts;
	struct remote_host *hosts;
	size_t n;
};

/* ---- remote_policy.c ---- */

/* How to connect to a host. Slices live as long as the session. */
struct remote_plan {
	enum smtp_tls_mode mode;
	bool pkix;     /* the trust anchors are needed */
	bool verified; /* what it demands is enough for REQUIRETLS */
	bool relaxed;  /* policies are ignored: "TLS-Required: No" */
	bool clear;    /* once TLS has failed, it may go without */
	struct slice *names;
	struct tls_expect expect;
};

/* The domain's MTA-STS policy, into route->sts; it was started before. */
void remote_policy_start(struct remote *r);
void remote_policy_get(struct remote *r, struct remote_route *route);
/* May a message go over the connection there is? */
bool remote_policy_suits(const struct remote *r, const struct item *it);
/* 0, or -1 with *result_r: nothing may be sent there. */
int remote_policy_plan(struct remote *r, struct remote_route *route,
    struct remote_host *host, struct remote_plan *plan_r,
    struct smtp_result *result_r);

/* ---- remote_connect.c ---- */

/* Connect to a host. 0, or -1 with *result_r, texts in the group's arena. */
int remote_connect(struct remote *r, struct remote_route *route,
    struct remote_host *host, struct smtp_result *result_r);
/* A result of our own; texts are copied. Returns -1. */
int remote_fail(struct remote *r, struct smtp_result *result_r,
    enum smtp_outcome outcome, const char *enhanced, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* ---- remote_report.c ---- */

/* The domain's policy could not be had: once for a message. */
void remote_report_policy(struct remote *r, const struct remote_route *route);
/* A host's policy, or TLSA records, forbid what would come next. failure and
 * reason as in tlsrpt_result. */
void remote_report_host(struct remote *r, const struct remote_route *route,
    const struct remote_host *host, bool tlsa, const char *failure,
    const char *reason);
/* A session has begun, or failed for its TLS. */
void remote_report_session(struct remote *r, const struct remote_route *route,
    const struct remote_host *host, const struct remote_plan *plan,
    const struct smtp_result *result);
/* Remember r->offered for an account. */
void remote_note_offers(struct remote *r, struct slice account);

#endif
