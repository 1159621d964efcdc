/*
 * sasl_int - what the files of lib/sasl share.
 *
 * Both ends are a chain of steps: each handles one message and names the
 * function for the next one.
 */
#ifndef SASL_SASL_INT_H
#define SASL_SASL_INT_H

#include "sasl/sasl.h"

/* in is NULL for the first message of a client that sent none. */
typedef enum sasl_status sasl_server_fn(struct sasl_server *s,
    const struct slice *in);
typedef enum sasl_status sasl_client_fn(struct sasl_client *c,
    struct slice challenge, struct err *e);

enum {
	SASL_CLIENT_FIRST = 1,
	SASL_CLEARTEXT = 2, /* shows the password to whoever listens */
	SASL_PLUS = 4,      /* binds to the TLS connection */
	SASL_CERT = 8,      /* needs a client certificate */
};

struct sasl_mech {
	const char *name;
	unsigned flags;
	enum sasl_hash hash; /* of SCRAM */
	sasl_server_fn *server;
	sasl_client_fn *client;
};

/* All, strongest first, ended by a NULL name. */
extern const struct sasl_mech sasl_mechs[];

bool sasl_mech_usable(const struct sasl_mech *mech,
    const struct sasl_channel *channel, bool cert_known);

/* What both ends of a SCRAM exchange keep. */
struct scram {
	struct buf gs2;   /* header, then channel binding data: what c= says */
	struct buf auth;  /* AuthMessage as far as it goes */
	struct buf nonce; /* the client's, then the server's behind it */
};

struct sasl_server {
	const struct sasl_mech *mech;
	struct sasl_server_opts opts;
	struct sasl_result result;
	sasl_server_fn *next;
	bool prompted;  /* an empty challenge asked for the first message */
	struct buf out; /* the challenge to send */
	struct buf challenge; /* of CRAM-MD5, once sent */
	struct sasl_creds creds;
	struct scram scram;
};

struct sasl_client {
	const struct sasl_mech *mech;
	struct sasl_client_opts opts;
	sasl_client_fn *next;
	struct buf out;      /* the response */
	struct buf password; /* prepared */
	struct scram scram;
	unsigned char server_signature[SHA_MAX];
};

/* ---- for the server's mechanisms (sasl_server.c) ---- */

enum sasl_status sasl_server_fail(struct sasl_server *s,
    enum sasl_reason reason, const char *why);
/* The login name is known: fill s->creds. 0, or -1 with the result set. */
int sasl_server_lookup(struct sasl_server *s, struct slice login);
/* The credentials match: may this account log in here and now? 0, or -1 with
 * the result set. */
int sasl_server_admit(struct sasl_server *s);
enum sasl_status sasl_server_succeed(struct sasl_server *s);
/* Look up, check the password, admit. */
enum sasl_status sasl_server_password(struct sasl_server *s, struct slice login,
    struct slice password);

sasl_server_fn sasl_plain_server, sasl_login_server, sasl_cram_server,
    sasl_external_server, sasl_scram_server;
sasl_client_fn sasl_plain_client, sasl_login_client, sasl_cram_client,
    sasl_external_client, sasl_scram_client;

/* ---- pieces ---- */

/* The password as it is hashed: OpaqueString (RFC 8265, 4.2), or as it is if
 * that does not allow it. */
void sasl_prepare_password(struct slice typed, struct buf *prepared);

/* RFC 2195, 2: HMAC-MD5 in lower case hex. */
void sasl_cram_digest(const struct sasl_cram *c, struct slice challenge,
    char hex[33]);

size_t sasl_hash_size(enum sasl_hash hash);
enum sha_alg sasl_hash_alg(enum sasl_hash hash);
/* SaltedPassword (RFC 5802, 3). */
void sasl_scram_salted(const struct sasl_scram *s, enum sasl_hash hash,
    struct slice password, unsigned char salted[32]);

/*
 * Binding data by name ("tls-exporter", RFC 9266; "tls-unique",
 * "tls-server-end-point", RFC 5929); empty if not available. The client asks
 * for the best name.
 */
struct slice sasl_binding(const struct sasl_channel *channel,
    struct slice name);
const char *sasl_best_binding(const struct sasl_channel *channel);

void scram_init(struct scram *sc);
void scram_wipe(struct scram *sc);

#endif
