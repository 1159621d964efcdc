/*
 * login - logging in over the split of a connection, for every service: the
 * requests, the front that passes on what the client says, and the back that
 * checks it.
 *
 *	HELLO	TLS facts (empty without TLS)   reply: struct login_hello
 *	AUTH	mechanism [initial response]    reply: struct login_reply, text
 *	STEP	response                        reply: struct login_reply, text
 *	ABORT	                                reply: struct login_reply, text
 *	PLAIN	login, password                 reply: struct login_reply, text
 *
 * HELLO comes first, and once more after STARTTLS. STEP and ABORT need an AUTH
 * under way. The back keeps the order itself, counts failures itself, and
 * sleeps before it checks another guess.
 */
#ifndef HOST_LOGIN_H
#define HOST_LOGIN_H

#include "host/host.h"

enum login_request {
	LOGIN_HELLO = SPLIT_FIRST,
	LOGIN_AUTH,
	LOGIN_STEP,
	LOGIN_ABORT,
	LOGIN_PLAIN,
	LOGIN_FIRST_OTHER, /* types of the services begin here */
};

/* States of the split, bits; services add their own from 16 on. */
enum {
	LOGIN_NEW = 1,
	LOGIN_READY = 2,
	LOGIN_EXCHANGE = 4,
	LOGIN_DONE = 8, /* logged in: no further AUTH */
};

/* Longest wait for a reply: the back sleeps after failed logins. */
#define LOGIN_REQUEST_MS (5 * 60 * 1000)
/* From this failure on the client is served slowly. */
#define LOGIN_SLOW_FAILURES 3

struct login_hello {
	bool cert_known; /* EXTERNAL may be used */
	bool preauth;    /* logged in by the certificate: no AUTH needed */
	char id[32];     /* of the connection, for the client to quote */
};

struct login_reply {
	enum sasl_status status; /* the text is the challenge if CONTINUE */
	enum sasl_reason reason;
	unsigned failures; /* so far, of this connection */
	bool close;        /* too many of this address */
};

/* ---- back ---- */

struct login_back {
	const struct service_client *client;
	struct host *host;
	struct split *split;
	struct arena *arena; /* of the connection */
	const char *topic;   /* for the log */
	bool preauth;        /* a certificate may log in by itself, */
	bool auth_too;       /* and AUTH may follow, for the same account:
				 * SMTP, where no_imap_preauth is no matter */
	const char *id;      /* put into login_hello, may be NULL */

	struct tls_facts facts; /* version "" without TLS */
	struct sasl_channel channel;
	struct auth_key key; /* of the client certificate */
	bool key_known;
	bool relayed; /* TLS ends elsewhere: the connection here is plain */
	struct slice account, login; /* after success */
	/* its own: */
	struct sasl_server *sasl;
	const struct sasl_mech *mech;
	unsigned failures;
};

/* Handlers for a table of split_op whose ctx begins with a login_back. */
#define LOGIN_OPS \
	{ LOGIN_HELLO, LOGIN_NEW | LOGIN_READY, 1, 1, \
		sizeof(struct tls_facts), login_on_hello }, \
	    { LOGIN_AUTH, LOGIN_READY, 1, 2, SASL_MESSAGE_MAX, \
		    login_on_auth }, \
	    { LOGIN_STEP, LOGIN_EXCHANGE, 1, 1, SASL_MESSAGE_MAX, \
		    login_on_step }, \
	    { LOGIN_ABORT, LOGIN_EXCHANGE, 0, 0, 0, login_on_abort }, \
	{ \
		LOGIN_PLAIN, LOGIN_READY, 2, 2, SASL_MESSAGE_MAX, \
		    login_on_plain \
	}

int login_on_hello(void *ctx, const struct split_msg *msg, struct err *e);
int login_on_auth(void *ctx, const struct split_msg *msg, struct err *e);
int login_on_step(void *ctx, const struct split_msg *msg, struct err *e);
int login_on_abort(void *ctx, const struct split_msg *msg, struct err *e);
int login_on_plain(void *ctx, const struct split_msg *msg, struct err *e);
/* Release an exchange that was under way. */
void login_back_end(struct login_back *b);
/*
 * Who logged in when this connection's first back did: client->who, of a back
 * that goes on for another one. Sets client, account, login, facts, channel.
 * False if there is none.
 */
bool login_back_resume(struct login_back *b);
/* The same of TLS alone; false if there was none. After service_restart they
 * still hold: TLS ends at the relay. In fronts, too. */
bool login_facts(const struct service_client *client,
    struct tls_facts *facts_r);

/* ---- front ---- */

struct login_front {
	const struct service_client *client;
	struct conn *conn;
	struct split *split;
	struct sasl_channel channel; /* for sasl_announce */
	struct tls_facts facts;      /* TLS that ends at a relay */
	struct login_hello hello;
};

/* Tell the back of the connection or its new TLS: channel and hello are
 * filled. -1 with e: the connection must end. */
int login_front_hello(struct login_front *f, struct err *e);

/*
 * A request of the list above; text_r (challenge or text for the client) lives
 * until the next one. -1 with e: the connection must end.
 */
int login_front_call(struct login_front *f, enum login_request type,
    const struct slice *v, size_t n, struct login_reply *reply_r,
    struct slice *text_r, struct err *e);

/*
 * A whole exchange with mechanism mech. initial: NULL if the client sent none.
 * ask() sends the challenge to the client and appends its decoded response to
 * message: 1, 0 it aborts or what it sent is no base64, -1 it is gone.
 * Returns 0 with the reply that ended it, 1 when the client is gone, -1 with
 * e.
 */
int login_front_exchange(struct login_front *f, const struct sasl_mech *mech,
    const struct slice *initial,
    int (*ask)(void *ctx, struct slice challenge, struct buf *message),
    void *ctx, struct login_reply *reply_r, struct slice *text_r,
    struct err *e);

#endif
