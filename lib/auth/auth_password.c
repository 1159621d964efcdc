/*
 * Passwords: prepare, set, check.
 */
#include <crypt.h>
#include <stdlib.h>
#include <string.h>

#include "auth/auth_int.h"
#include "base/file.h"
#include "db/newfile.h"
#include "db/sync.h"
#include "text/precis.h"

#define SALT_BYTES 16
#define BCRYPT_COST 10

int
auth_prepare_password(struct slice typed, struct buf *b, struct err *e)
{
	/* Room for all at once, so that growing leaves no copy behind. */
	buf_space(b, 2 * typed.n);
	if (b->over)
		return err_set(e, ERR_SYNTAX, "the password is too long");
	if (precis_password(b, typed, e) < 0)
		return err_prefix(e, "password");
	if (b->n < AUTH_PASSWORD_MIN)
		return err_set(e, ERR_SYNTAX,
		    "the password must have at least %d bytes",
		    AUTH_PASSWORD_MIN);
	if (b->n > SASL_PASSWORD_MAX)
		return err_set(e, ERR_SYNTAX,
		    "the password must have at most %d bytes",
		    SASL_PASSWORD_MAX);
	return 0;
}

static void
derive_scram(struct auth *auth, struct sasl_creds *c, enum sasl_hash hash,
    uint32_t iterations, struct slice password)
{
	struct sasl_scram *s = &c->scram[hash];

	s->iterations = iterations;
	s->salt_n = SALT_BYTES;
	rand_fill(auth->opts.rand, s->salt, s->salt_n);
	sasl_scram_derive(s, hash, password);
	c->has.scram[hash] = true;
}

/* bcrypt looks at the first 72 bytes; a NUL cannot be in a password. */
void
auth_bcrypt(struct rand *rand, struct slice password, char *out, size_t size)
{
	struct crypt_data *data = xcalloc(1, sizeof(*data));
	char text[SASL_PASSWORD_MAX + 1], salt[CRYPT_GENSALT_OUTPUT_SIZE];
	char random[SALT_BYTES];
	const char *hash;

	rand_fill(rand, random, sizeof(random));
	hash = slice_cstr(password, text, sizeof(text)) &&
		crypt_gensalt_rn("$2b$", BCRYPT_COST, random, sizeof(random),
		    salt, sizeof(salt)) != NULL
	    ? crypt_rn(text, salt, data, sizeof(*data))
	    : NULL;
	/* With these settings it fails only for want of memory. */
	if (hash == NULL || !slice_cstr(slice_str(hash), out, size))
		abort();
	sha_wipe(text, sizeof(text));
	sha_wipe(data, sizeof(*data));
	free(data);
}

static void
derive_crypt(struct auth *auth, struct sasl_creds *c, struct slice password)
{
	auth_bcrypt(auth->opts.rand, password, c->crypt, sizeof(c->crypt));
	c->has.crypt = true;
}

void
auth_make_creds(struct auth *auth, struct slice password, unsigned flags,
    struct buf *b)
{
	struct sasl_creds c = { 0 };

	derive_scram(auth, &c, SASL_SHA1, SASL_ITERATIONS_SHA1, password);
	derive_scram(auth, &c, SASL_SHA256, SASL_ITERATIONS_SHA256, password);
	sasl_cram_derive(&c.cram, password);
	c.has.cram = true;
	if (flags & AUTH_WITH_BCRYPT)
		derive_crypt(auth, &c, password);
	auth_format_creds(b, &c);
	sha_wipe(&c, sizeof(c));
}

int
auth_set_password(struct auth *auth, struct slice account, struct slice typed,
    unsigned flags, struct err *e)
{
	struct buf prepared = BUF_INIT(AUTH_FILE_MAX);
	struct buf text = BUF_INIT(AUTH_FILE_MAX);
	char name[NAME_MAX + 1];
	int rc = -1;

	if (auth_file_name(account, name, e) == 0 &&
	    auth_prepare_password(typed, &prepared, e) == 0) {
		auth_make_creds(auth, buf_slice(&prepared), flags, &text);
		rc =
		    db_write_file(auth->dirfd, name, buf_slice(&text), 0600, e);
	}
	buf_wipe(&prepared);
	buf_wipe(&text);
	return rc;
}

/* ---- check ---- */

static bool
check_crypt(const char *stored, struct slice password)
{
	struct crypt_data *data = xcalloc(1, sizeof(*data));
	char text[SASL_MESSAGE_MAX + 1];
	const char *hash = NULL;
	bool right;

	if (slice_cstr(password, text, sizeof(text)))
		hash = crypt_rn(text, stored, data, sizeof(*data));
	right =
	    hash != NULL && slice_eq_secret(slice_str(hash), slice_str(stored));
	sha_wipe(text, sizeof(text));
	sha_wipe(data, sizeof(*data));
	free(data);
	return right;
}

/* crypt(3) is slow by design (50 ms), so it is asked only where nothing else
 * is known, as for a hash taken over from /etc/shadow. */
bool
auth_check_creds(const struct sasl_creds *c, struct slice password)
{
	if (c->has.crypt && !c->has.scram[SASL_SHA1] &&
	    !c->has.scram[SASL_SHA256])
		return check_crypt(c->crypt, password);
	return sasl_creds_check(c, password);
}

int
auth_load(struct auth *auth, struct slice account, struct sasl_creds *creds_r,
    struct err *e)
{
	char name[NAME_MAX + 1];
	int rc;

	memset(creds_r, 0, sizeof(*creds_r));
	if (auth_file_name(account, name, e) < 0)
		return -1;
	rc = auth_read_creds(auth, name, creds_r, e);
	creds_r->known = rc == 1;
	creds_r->account = account;
	return rc;
}

int
auth_verify_password(struct auth *auth, struct slice account,
    struct slice typed, struct err *e)
{
	struct buf prepared = BUF_INIT(SASL_MESSAGE_MAX);
	struct sasl_creds creds;
	int rc;

	rc = auth_load(auth, account, &creds, e);
	sasl_creds_fake(&creds, SLICE_NULL, account);
	if (rc == 1)
		rc = precis_password(&prepared, typed, NULL) == 0 &&
		    auth_check_creds(&creds, buf_slice(&prepared));
	buf_wipe(&prepared);
	sha_wipe(&creds, sizeof(creds));
	return rc;
}
