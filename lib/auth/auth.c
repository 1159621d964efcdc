/*
 * The folder data/auth, and what lib/sasl asks of it.
 */
#include "auth/auth.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/auth_int.h"
#include "base/file.h"
#include "db/newfile.h"
#include "db/sync.h"
#include "text/precis.h"
#include "text/unicode.h"

/*
 * Credentials that a login nobody has is measured against: a real file, so
 * that it is read and parsed like any other, and what it holds is the secret
 * the made-up salts are derived from.
 */
static int
make_nobody(struct auth *auth, struct err *e)
{
	struct buf text = BUF_INIT(AUTH_FILE_MAX);
	char password[32];
	int rc;

	if (faccessat(auth->dirfd, AUTH_NOBODY, F_OK, 0) == 0)
		return 0;
	rand_fill(auth->opts.rand, password, sizeof(password));
	auth_make_creds(auth, slice_of(password, sizeof(password)), 0, &text);
	rc =
	    db_create_file(auth->dirfd, AUTH_NOBODY, buf_slice(&text), 0600, e);
	buf_wipe(&text);
	sha_wipe(password, sizeof(password));
	return rc < 0 ? -1 : 0;
}

int
auth_open(const struct auth_opts *opts, struct auth **auth_r, struct err *e)
{
	struct auth *auth = xcalloc(1, sizeof(*auth));

	auth->opts = *opts;
	if (mkdirat(opts->data_fd, "auth", 0700) == 0) {
		if (db_fsync_dir(opts->data_fd, "data", e) < 0)
			goto fail;
	} else if (errno != EEXIST) {
		err_sys(e, "auth: mkdir");
		goto fail;
	}
	auth->dirfd =
	    openat(opts->data_fd, "auth", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (auth->dirfd < 0) {
		err_sys(e, "auth: open");
		goto fail;
	}
	if (make_nobody(auth, e) < 0) {
		close(auth->dirfd);
		goto fail;
	}
	*auth_r = auth;
	return 0;
fail:
	free(auth);
	return -1;
}

void
auth_close(struct auth **auth)
{
	if (*auth == NULL)
		return;
	close((*auth)->dirfd);
	free(*auth);
	*auth = NULL;
}

/* ---- the backend of lib/sasl ---- */

/* What all logins of one address share, known or not. */
static struct slice
canonical(struct arena *arena, struct slice login)
{
	struct buf b = BUF_INIT(4 * SASL_LOGIN_MAX);
	struct slice lower;

	unicode_fold(&b, login);
	lower = arena_dup(arena, buf_slice(&b));
	buf_free(&b);
	return lower;
}

static int
find_creds(struct auth *auth, bool known, struct slice account,
    struct sasl_creds *c, struct err *e)
{
	int rc = known ? auth_load(auth, account, c, e) : 0;

	if (rc != 0)
		return rc;
	rc = auth_read_creds(auth, AUTH_NOBODY, c, e);
	if (rc == 0)
		return err_set(e, ERR_TEMP, "auth: no %s", AUTH_NOBODY);
	memset(&c->has, 0, sizeof(c->has));
	return rc;
}

static int
look_up(void *ctx, struct arena *arena, struct slice login,
    struct sasl_creds *c, struct err *e)
{
	struct auth *auth = ctx;
	struct auth_login found = { 0 };
	struct buf prepared = BUF_INIT(4 * SASL_LOGIN_MAX);
	struct slice name = login;
	int known = 0;

	if (precis_login(&prepared, login, NULL) == 0) {
		name = arena_dup(arena, buf_slice(&prepared));
		known =
		    auth->opts.resolve(auth->opts.ctx, arena, name, &found, e);
	}
	buf_free(&prepared);
	if (known < 0 || find_creds(auth, known, found.account, c, e) < 0)
		return -1;
	c->known = known;
	c->account = found.account;
	c->disabled = found.disabled;
	if (known)
		name = found.account;
	else if (found.canonical.n > 0)
		name = found.canonical;
	else
		name = canonical(arena, name);
	sasl_creds_fake(c, slice_of((char *)c->version, sizeof(c->version)),
	    name);
	return known;
}

static bool
check(void *ctx, const struct sasl_creds *c, struct slice password)
{
	struct auth *auth = ctx;
	bool right;

	if (passcache_has(auth->opts.cache, c->version, c->account, password))
		return true;
	right = auth_check_creds(c, password);
	if (right)
		passcache_add(auth->opts.cache, c->version, c->account,
		    password);
	return right;
}

struct sasl_backend
auth_backend(struct auth *auth)
{
	return (struct sasl_backend){ auth, look_up, check };
}
