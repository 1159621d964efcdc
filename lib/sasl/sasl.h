/*
 * sasl - authentication exchanges (RFC 4422), server and client side.
 *
 * SCRAM-SHA-256 and SCRAM-SHA-1 with and without -PLUS (RFC 5802, 7677,
 * channel bindings of RFC 5929 and 9266), CRAM-MD5 (RFC 2195), PLAIN (RFC
 * 4616), LOGIN (draft-murchison-sasl-login), EXTERNAL (RFC 4422, appendix A).
 *
 * Messages are the decoded bytes; base64, "*" and "=" are the protocol's. The
 * server asks for credentials through a handle, so this folder knows neither
 * files nor accounts. Never blocks itself. Depends on lib/base and lib/text.
 */
#ifndef SASL_SASL_H
#define SASL_SASL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/rand.h"
#include "base/sha.h"
#include "base/slice.h"

/* Longest message of a client, decoded: longer ones fail as BADPROTOCOL. A
 * SCRAM message holds a name, a nonce and a channel binding. */
#define SASL_MESSAGE_MAX 4096
/* Longest login name: RFC 5321, 4.5.3.1: 64 + 1 + 255, in UTF-8. */
#define SASL_LOGIN_MAX 1024
/* Longest password: PLAIN has room for two of the former and this. */
#define SASL_PASSWORD_MAX 1024

/* ---- mechanisms ---- */

struct sasl_mech; /* of a constant table */

/* By name, case ignored; NULL if unknown. */
const struct sasl_mech *sasl_mech_find(struct slice name);
const char *sasl_mech_name(const struct sasl_mech *mech); /* "CRAM-MD5" */
/* The client speaks first: a client without an initial response is sent an
 * empty challenge (RFC 4954, 4). */
bool sasl_mech_client_first(const struct sasl_mech *mech);

/* What is known of the connection below. Slices may be empty. */
struct sasl_channel {
	bool tls;          /* TLS is active */
	bool tls_required; /* refuse PLAIN and LOGIN without it */
	/* Channel binding data: exporter for TLS 1.3 (RFC 9266, or 1.2 with
	 * extended master secret), unique only for TLS 1.2, end_point the digest
	 * of the server's certificate (RFC 5929, 4.1). Empty: not available. */
	struct slice tls_exporter;
	struct slice tls_unique;
	struct slice tls_server_end_point;
};

/*
 * Append the mechanisms to announce, strongest first, each behind prefix:
 * " " for SMTP, " AUTH=" for IMAP. -PLUS needs a channel binding, PLAIN and
 * LOGIN need TLS unless it is not required, EXTERNAL a known client
 * certificate (then it comes first). A server that wants to announce nothing
 * before STARTTLS does not call this.
 */
void sasl_announce(struct buf *b, const struct sasl_channel *channel,
    bool cert_known, const char *prefix);

/* ---- credentials ---- */

#define SASL_SALT_MAX 64

enum sasl_hash { SASL_SHA1, SASL_SHA256 };

struct sasl_scram { /* RFC 5802, 3 */
	uint32_t iterations;
	size_t salt_n;
	unsigned char salt[SASL_SALT_MAX];
	unsigned char stored_key[32]; /* the hash's size is used */
	unsigned char server_key[32];
};

struct sasl_cram { /* MD5 states after the key block (RFC 2104, 4) */
	unsigned char outer[16];
	unsigned char inner[16];
};

/*
 * What a look-up gives. `known` is false for a login nobody has: everything
 * below is then made up (sasl_creds_fake), the exchange takes its course and
 * fails at the end. The same holds for a scheme that `has` leaves out.
 * Contains secrets: wiped by sasl_server_free.
 */
struct sasl_creds {
	bool known;
	struct slice account;
	struct slice disabled; /* not empty: refused with this text if right */
	struct {
		bool scram[2], cram, crypt;
	} has;
	struct sasl_scram scram[2]; /* by enum sasl_hash */
	struct sasl_cram cram;
	char crypt[128]; /* crypt(3) hash; for a backend that checks it */
	unsigned char version[32]; /* changes with the credentials */
};

#define SASL_ITERATIONS_SHA1 8192
#define SASL_ITERATIONS_SHA256 4096
/* More would let one login cost a second (0.3 us each). */
#define SASL_ITERATIONS_MAX 1000000

/* Derive from a prepared password (RFC 8265 done by the caller). salt_n and
 * salt are set by the caller. */
void sasl_scram_derive(struct sasl_scram *s, enum sasl_hash hash,
    struct slice password);
void sasl_cram_derive(struct sasl_cram *c, struct slice password);

/*
 * Fill what creds does not have with values nobody can match, the same each
 * time for the same name: salt = HMAC(secret, name).
 */
void sasl_creds_fake(struct sasl_creds *creds, struct slice secret,
    struct slice name);

/*
 * Does the prepared password match? One PBKDF2 against the SCRAM-SHA-256 key
 * (SCRAM-SHA-1 if only that is known), also for unknown logins; the
 * comparison takes constant time.
 */
bool sasl_creds_check(const struct sasl_creds *creds, struct slice password);

/* Where the server side asks. */
struct sasl_backend {
	void *ctx;
	/*
	 * Fill *creds_r for a login name (as sent, valid UTF-8 without NUL).
	 * Returns 1, 0 for nobody (with made-up credentials), -1 with e when it
	 * cannot be said now. Slices live until the end of the exchange.
	 */
	int (*lookup)(void *ctx, struct arena *arena, struct slice login,
	    struct sasl_creds *creds_r, struct err *e);
	/*
	 * Check a prepared password, perhaps from a cache: as
	 * sasl_creds_check, which is used where this is NULL.
	 */
	bool (*check)(void *ctx, const struct sasl_creds *creds,
	    struct slice password);
};

/* ---- server ---- */

enum sasl_status { SASL_CONTINUE, SASL_OK, SASL_FAIL };

/*
 * How an exchange ended. To the peer BADUSER, BADPASSWORD and BADCREDS must
 * look alike.
 */
enum sasl_reason {
	SASL_RUNNING,
	SASL_SUCCESS,
	SASL_BADUSER,     /* PLAIN, LOGIN, EXTERNAL: nobody has that login */
	SASL_BADPASSWORD, /* PLAIN, LOGIN: the password is wrong */
	SASL_BADCREDS,    /* SCRAM, CRAM-MD5: one of both, or the certificate */
	SASL_BADCHANBIND, /* -PLUS: other end of TLS, or a downgrade */
	SASL_BADAUTHZID,  /* wants to act as somebody else */
	SASL_BADPROTOCOL, /* message malformed or out of turn */
	SASL_NEEDTLS,     /* PLAIN or LOGIN on a connection without TLS */
	SASL_LOGINDISABLED, /* right, but the account is disabled */
	SASL_TEMP,          /* the look-up failed for now */
	SASL_ABORTED,       /* the client gave up */
};

/* As in login attempts: "ok", "baduser", "badpassword",
 * "badcreds", "badchanbind", "badprotocol", "logindisabled", "error",
 * "aborted"; BADAUTHZID is "badcreds", NEEDTLS "badprotocol". */
const char *sasl_reason_name(enum sasl_reason reason);

struct sasl_result {
	enum sasl_reason reason;
	struct slice login;   /* as the client gave it; empty if it did not */
	struct slice account; /* also after a failure, if the login has one */
	struct slice text;    /* LOGINDISABLED: what to tell */
	struct err err;       /* for the log: what was malformed, what failed */
};

struct sasl_server_opts {
	struct sasl_backend backend;
	struct sasl_channel channel;
	/* The client's certificate, if its key is known: EXTERNAL, and the
	 * only account the other mechanisms may then log in to. */
	struct slice cert_account;
	struct slice cert_login;
	struct slice hostname;     /* in the challenge of CRAM-MD5 */
	struct arena *arena;       /* results; no secrets go there */
	const struct clock *clock; /* NULL: the real one */
	struct rand *rand;         /* NULL: the real one */
	struct slice nonce;        /* for tests: instead of random bytes */
};

struct sasl_server;

/* Slices of opts must live until sasl_server_free, which wipes. */
struct sasl_server *sasl_server_new(const struct sasl_mech *mech,
    const struct sasl_server_opts *opts);
void sasl_server_free(struct sasl_server **s);

/*
 * Next message of the client; NULL only at the first call, for a client that
 * sent no initial response (an empty one is not the same). CONTINUE: send
 * *challenge_r, perhaps empty, which lives until the next call. OK, FAIL:
 * over, sasl_server_result says more. The caller wipes in.
 */
enum sasl_status sasl_server_step(struct sasl_server *s, const struct slice *in,
    struct slice *challenge_r);
/* The client sent "*", or the connection ended: reason ABORTED. */
void sasl_server_abort(struct sasl_server *s);
/* Lives as long as opts->arena. */
const struct sasl_result *sasl_server_result(const struct sasl_server *s);

/* IMAP LOGIN, HTTP basic authentication: as PLAIN in one call. */
enum sasl_status sasl_password_login(const struct sasl_server_opts *opts,
    struct slice login, struct slice password, struct sasl_result *result_r);

/* ---- client ---- */

struct sasl_client_opts {
	struct slice login;
	struct slice authzid;  /* usually empty */
	struct slice password; /* as typed; prepared where the RFC says so */
	struct sasl_channel channel;
	bool plus_announced; /* the server announces the -PLUS form: without it,
	                      * a client able to bind says so ("y") */
	struct rand *rand;   /* NULL: the real one */
	struct slice nonce;  /* for tests */
};

/*
 * The best mechanism of a list of names separated by spaces: EXTERNAL only if
 * there is no password, -PLUS only with a binding, PLAIN and LOGIN only over
 * TLS unless it is not required. NULL if none will do. Sets
 * opts->plus_announced.
 */
const struct sasl_mech *sasl_client_pick(struct slice announced,
    struct sasl_client_opts *opts);

struct sasl_client;

/* Slices of opts must live until sasl_client_free, which wipes. */
struct sasl_client *sasl_client_new(const struct sasl_mech *mech,
    const struct sasl_client_opts *opts);
void sasl_client_free(struct sasl_client **c);

/*
 * Next challenge; NULL asks for the initial response of a client-first
 * mechanism. CONTINUE and OK: send *response_r (lives until the next call; OK
 * means that the client has no more to say and, for SCRAM, that the server
 * proved to know the password). FAIL with e: send "*". A server that reports
 * success before this returned OK is not to be trusted.
 */
enum sasl_status sasl_client_step(struct sasl_client *c,
    const struct slice *challenge, struct slice *response_r, struct err *e);

#endif
