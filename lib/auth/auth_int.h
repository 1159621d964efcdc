/*
 * auth_int - what the files of lib/auth share.
 */
#ifndef AUTH_AUTH_INT_H
#define AUTH_AUTH_INT_H

#include <limits.h>

#include "auth/auth.h"
#include "base/buf.h"

/* Names that no account has: db_escape hides an '@' at the beginning. */
#define AUTH_NOBODY "@nobody" /* credentials of a password nobody knows */
#define AUTH_KEYS "@tls"      /* the folder of keys */

/* A credential file has four lines of below 200 bytes; more is for comments
 * of an admin. A key file holds a certificate. */
#define AUTH_FILE_MAX (16 * 1024)
#define AUTH_KEY_FILE_MAX (64 * 1024)

struct auth {
	struct auth_opts opts;
	int dirfd; /* data/auth */
};

/* The file of an account. -1 with e if the name is too long for one. */
int auth_file_name(struct slice account, char name[NAME_MAX + 1],
    struct err *e);

/*
 * Read a file of credentials into *creds_r: has, the values, version. 1, 0 no
 * such file, -1 (ERR_SYNTAX: a line is damaged; unknown schemes are skipped).
 */
int auth_read_creds(struct auth *auth, const char *name,
    struct sasl_creds *creds_r, struct err *e);

/* The same from memory, for the fuzzer: 0, or -1. */
int auth_parse_creds(struct slice text, struct sasl_creds *creds_r,
    struct err *e);
void auth_format_creds(struct buf *b, const struct sasl_creds *creds);

/* Credentials for a prepared password, with new salts, as a file's content. */
void auth_make_creds(struct auth *auth, struct slice password, unsigned flags,
    struct buf *b);

/* Does a prepared password match? Uses no cache. */
bool auth_check_creds(const struct sasl_creds *creds, struct slice password);

/* A key file's content; what key_r holds is in the arena. */
int auth_parse_key(struct slice text, struct arena *arena,
    struct auth_key *key_r, struct err *e);
void auth_format_key(struct buf *b, const struct auth_key *k);

#endif
