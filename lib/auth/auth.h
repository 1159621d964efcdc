/*
 * auth - credentials of accounts and TLS keys, as files under data/auth.
 *
 * A file per account, a file per client key: README has the formats. Needs
 * read rights on data/auth to check, and write rights to change. Depends on
 * lib/base, lib/text, lib/db and lib/sasl; who has a login name is asked
 * through a function, so lib/config stays out.
 */
#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H

#include "auth/passcache.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/rand.h"
#include "base/slice.h"
#include "sasl/sasl.h"

/* Bytes, after preparation; at most SASL_PASSWORD_MAX. */
#define AUTH_PASSWORD_MIN 8

/* What auth_opts.resolve says of a login name. */
struct auth_login {
	struct slice account;
	struct slice disabled; /* LoginDisabled of the account */
	/*
	 * For a login that nobody has: one spelling for all logins that would
	 * be the same address (case, separator). Made-up salts depend on it;
	 * empty means the login in lower case.
	 */
	struct slice canonical;
};

struct auth_opts {
	int data_fd; /* the data folder */
	/* Whose is login (NFC)? 1, 0 nobody's, -1 with e. NULL in tools. */
	int (*resolve)(void *ctx, struct arena *arena, struct slice login,
	    struct auth_login *login_r, struct err *e);
	void *ctx;
	struct passcache *cache; /* NULL: none */
	struct rand *rand;       /* NULL: the real one */
};

struct auth;

/*
 * Open data/auth; makes the folder and the file of made-up credentials if they
 * are missing and may be made. A service opens before it forks. Returns 0, or
 * -1 with e.
 */
int auth_open(const struct auth_opts *opts, struct auth **auth_r,
    struct err *e);
void auth_close(struct auth **auth);

/* For sasl_server_opts: look-ups with resolve, checks through the cache.
 * Valid as long as auth. */
struct sasl_backend auth_backend(struct auth *auth);

/* ---- passwords ---- */

enum { AUTH_WITH_BCRYPT = 1 }; /* for what reads only crypt(3) hashes */

/*
 * PRECIS OpaqueString of a password as typed (RFC 8265, 4.2), into *b, a buf
 * the caller wipes. -1 with ERR_SYNTAX when it is not allowed or shorter than
 * AUTH_PASSWORD_MIN.
 */
int auth_prepare_password(struct slice typed, struct buf *b, struct err *e);

/*
 * Set the password of an account, whether or not it has one: durable on
 * return, in effect for the next login. About 4 ms (60 with bcrypt). -1:
 * ERR_SYNTAX for a bad password, or why it was not written.
 */
int auth_set_password(struct auth *auth, struct slice account,
    struct slice typed, unsigned flags, struct err *e);

/* The bcrypt hash of a prepared password, as crypt(3) writes it, into out of
 * AUTH_BCRYPT_SIZE bytes or more: for adminpasswd. rand: NULL the real one. */
#define AUTH_BCRYPT_SIZE 64
void auth_bcrypt(struct rand *rand, struct slice password, char *out,
    size_t size);

/* Credentials of an account: 1, 0 none (creds_r->known false), -1. */
int auth_load(struct auth *auth, struct slice account,
    struct sasl_creds *creds_r, struct err *e);

/* Is this the account's password (as typed)? 1, 0, -1. Uses no cache. */
int auth_verify_password(struct auth *auth, struct slice account,
    struct slice typed, struct err *e);

/* Forget an account: password and keys. Durable on return. */
int auth_remove(struct auth *auth, struct slice account, struct err *e);

/* ---- TLS client keys ---- */

#define AUTH_FINGERPRINT 43 /* raw base64url of SHA-256 of the SPKI */

struct auth_key {
	struct slice fingerprint;
	struct slice type; /* "ed25519", "ecdsa-p256", "rsa-2048" */
	struct slice name;
	struct slice account;
	struct slice login;   /* address the key logs in as */
	bool no_imap_preauth; /* not logged in by the handshake alone */
	int64_t created;      /* seconds */
	struct slice cert;    /* DER */
};

/* The key with a fingerprint, in the arena: 1, 0 unknown, -1. One open. */
int auth_key_find(struct auth *auth, struct arena *arena,
    struct slice fingerprint, struct auth_key *key_r, struct err *e);
/* Durable on return. An existing key with that fingerprint: ERR_PERM. */
int auth_key_add(struct auth *auth, const struct auth_key *key, struct err *e);
/* 1, 0 there was none, -1. */
int auth_key_remove(struct auth *auth, struct slice fingerprint, struct err *e);
/* Keys of an account, or all when account is empty, by fingerprint. Reads
 * every key: for tools. */
int auth_key_list(struct auth *auth, struct arena *arena, struct slice account,
    struct auth_key **keys_r, size_t *n_r, struct err *e);

#endif
