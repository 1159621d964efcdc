/*
 * TLS client keys: @tls/FINGERPRINT, `name value` a line, values escaped as
 * file names are (a space is %20).
 *
 *   account NAME
 *   login ADDRESS
 *   type ed25519
 *   name My%20laptop
 *   created 1700000000
 *   preauth no             yes: IMAP with TLS from the start is logged in
 *   cert BASE64            the certificate, DER
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "auth/auth_int.h"
#include "base/file.h"
#include "base/scan.h"
#include "db/escape.h"
#include "db/newfile.h"
#include "db/sync.h"
#include "text/base64.h"

/* 43 characters of base64url, so it is safe as a file name. */
static bool
key_file(struct slice fingerprint, char name[NAME_MAX + 1])
{
	for (size_t i = 0; i < fingerprint.n; i++) {
		unsigned char c = (unsigned char)fingerprint.p[i];
		if (!scan_alnum[c] && c != '-' && c != '_')
			return false;
	}
	return fingerprint.n == AUTH_FINGERPRINT &&
	    slice_cstr(fingerprint, name, NAME_MAX + 1);
}

/* The folder of keys: 1, 0 there is none, -1. */
static int
open_keys(struct auth *auth, int *fd_r, struct err *e)
{
	*fd_r =
	    openat(auth->dirfd, AUTH_KEYS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd_r >= 0)
		return 1;
	return errno == ENOENT ? 0 : err_sys(e, "auth: open %s", AUTH_KEYS);
}

/* ---- the file ---- */

static bool
parse_text(struct arena *arena, struct slice value, struct slice *text_r)
{
	struct buf b = BUF_INIT(AUTH_KEY_FILE_MAX);
	bool ok = db_unescape(&b, value);

	if (ok)
		*text_r = arena_dup(arena, buf_slice(&b));
	buf_free(&b);
	return ok;
}

static bool
parse_cert(struct arena *arena, struct slice value, struct slice *cert_r)
{
	struct buf b = BUF_INIT(AUTH_KEY_FILE_MAX);
	bool ok = base64_decode(&b, value);

	if (ok)
		*cert_r = arena_dup(arena, buf_slice(&b));
	buf_free(&b);
	return ok;
}

static bool
parse_line(struct arena *arena, struct slice name, struct slice value,
    struct auth_key *k)
{
	if (slice_is(name, "account"))
		return parse_text(arena, value, &k->account);
	if (slice_is(name, "login"))
		return parse_text(arena, value, &k->login);
	if (slice_is(name, "type"))
		return parse_text(arena, value, &k->type);
	if (slice_is(name, "name"))
		return parse_text(arena, value, &k->name);
	if (slice_is(name, "created"))
		return slice_i64(value, &k->created);
	if (slice_is(name, "preauth")) {
		k->no_imap_preauth = slice_is(value, "no");
		return k->no_imap_preauth || slice_is(value, "yes");
	}
	if (slice_is(name, "cert"))
		return parse_cert(arena, value, &k->cert);
	return true; /* of a later version */
}

int
auth_parse_key(struct slice text, struct arena *arena, struct auth_key *key_r,
    struct err *e)
{
	struct slice line, name, value;

	*key_r = (struct auth_key){ 0 };
	while (slice_line(&text, &line)) {
		slice_cut(line, ' ', &name, &value);
		if (!parse_line(arena, name, value, key_r))
			return err_set(e, ERR_SYNTAX, "damaged %.*s line",
			    SLICE_FMT(slice_head(name, 20)));
	}
	if (key_r->account.n == 0 || key_r->login.n == 0)
		return err_set(e, ERR_SYNTAX, "no account or login");
	return 0;
}

static void
add_text(struct buf *b, const char *name, struct slice value)
{
	buf_addf(b, "%s ", name);
	db_escape(b, value);
	buf_addc(b, '\n');
}

void
auth_format_key(struct buf *b, const struct auth_key *k)
{
	add_text(b, "account", k->account);
	add_text(b, "login", k->login);
	add_text(b, "type", k->type);
	add_text(b, "name", k->name);
	buf_addf(b, "created %" PRId64 "\n", k->created);
	buf_addf(b, "preauth %s\n", k->no_imap_preauth ? "no" : "yes");
	buf_addz(b, "cert ");
	base64_encode(b, k->cert);
	buf_addc(b, '\n');
}

/* ---- look up ---- */

static int
read_key(int keys_fd, struct slice fingerprint, struct arena *arena,
    struct auth_key *key_r, struct err *e)
{
	struct buf b = BUF_INIT(AUTH_KEY_FILE_MAX);
	char name[NAME_MAX + 1];
	int rc = 0;

	if (key_file(fingerprint, name))
		rc = file_read(keys_fd, name, &b, e);
	if (rc == 1 && auth_parse_key(buf_slice(&b), arena, key_r, e) < 0)
		rc = err_prefix(e, "auth: %s/%s", AUTH_KEYS, name);
	if (rc == 1)
		key_r->fingerprint = arena_dup(arena, fingerprint);
	buf_free(&b);
	return rc;
}

int
auth_key_find(struct auth *auth, struct arena *arena, struct slice fingerprint,
    struct auth_key *key_r, struct err *e)
{
	int fd, rc = open_keys(auth, &fd, e);

	if (rc != 1)
		return rc;
	rc = read_key(fd, fingerprint, arena, key_r, e);
	close(fd);
	return rc;
}

int
auth_key_list(struct auth *auth, struct arena *arena, struct slice account,
    struct auth_key **keys_r, size_t *n_r, struct err *e)
{
	struct slice *names;
	size_t names_n;
	int fd, rc;

	*keys_r = NULL;
	*n_r = 0;
	rc = file_list(auth->dirfd, AUTH_KEYS, arena, &names, &names_n, e);
	if (rc != 1 || (rc = open_keys(auth, &fd, e)) != 1)
		return rc < 0 ? -1 : 0;
	*keys_r = arena_array(arena, names_n, sizeof(**keys_r));
	for (size_t i = 0; i < names_n && rc >= 0; i++) {
		struct auth_key *k = &(*keys_r)[*n_r];
		/* 0: removed meanwhile, or a temporary file */
		rc = read_key(fd, names[i], arena, k, e);
		if (rc == 1 &&
		    (account.n == 0 || slice_eq(k->account, account)))
			(*n_r)++;
	}
	close(fd);
	return rc < 0 ? -1 : 0;
}

/* ---- change ---- */

int
auth_key_add(struct auth *auth, const struct auth_key *key, struct err *e)
{
	struct buf b = BUF_INIT(AUTH_KEY_FILE_MAX);
	char name[NAME_MAX + 1];
	int fd, rc = -1;

	if (!key_file(key->fingerprint, name))
		return err_set(e, ERR_SYNTAX, "auth: bad fingerprint");
	if (key->account.n == 0 || key->login.n == 0)
		return err_set(e, ERR_SYNTAX, "auth: no account or login");
	if (mkdirat(auth->dirfd, AUTH_KEYS, 0700) == 0) {
		if (db_fsync_dir(auth->dirfd, "auth", e) < 0)
			return -1;
	} else if (errno != EEXIST)
		return err_sys(e, "auth: mkdir %s", AUTH_KEYS);
	if (open_keys(auth, &fd, e) != 1)
		return -1;
	auth_format_key(&b, key);
	if (b.over)
		err_set(e, ERR_LIMIT, "auth: certificate too large");
	else
		rc = db_create_file(fd, name, buf_slice(&b), 0600, e);
	if (rc == 0)
		err_set(e, ERR_PERM, "auth: key %s exists", name);
	buf_free(&b);
	close(fd);
	return rc == 1 ? 0 : -1;
}

int
auth_key_remove(struct auth *auth, struct slice fingerprint, struct err *e)
{
	char name[NAME_MAX + 1];
	int fd, rc;

	if (!key_file(fingerprint, name))
		return 0;
	if ((rc = open_keys(auth, &fd, e)) != 1)
		return rc;
	rc = db_unlink(fd, name, e);
	if (rc == 1 && db_fsync_dir(fd, AUTH_KEYS, e) < 0)
		rc = -1;
	close(fd);
	return rc;
}

/* Keys first: without them the account may be removed again after a crash. */
int
auth_remove(struct auth *auth, struct slice account, struct err *e)
{
	struct arena *arena = arena_new(0);
	struct auth_key *keys;
	char name[NAME_MAX + 1];
	size_t n;
	int rc;

	rc = auth_file_name(account, name, e) < 0 ||
		auth_key_list(auth, arena, account, &keys, &n, e) < 0
	    ? -1
	    : 0;
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (auth_key_remove(auth, keys[i].fingerprint, e) < 0)
			rc = -1;
	if (rc == 0 && (rc = db_unlink(auth->dirfd, name, e)) == 1)
		rc = db_fsync_dir(auth->dirfd, "auth", e);
	arena_free(&arena);
	return rc;
}
