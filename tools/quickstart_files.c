/*
 * quickstart_files - keys, passwords and files. Nothing is ever overwritten;
 * what was made is removed if something fails.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/auth.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/rand.h"
#include "base/sha.h"
#include "config/check.h"
#include "db/newfile.h"
#include "dkim/dkim_key.h"
#include "net/cert.h"
#include "service/user.h"
#include "tools/quickstart.h"
#include "tools/service_unit.h"

#define PEM_MAX (64 * 1024)
#define CONF_MAX (256 * 1024)
#define CERT_DAYS (4 * 365)
#define CERTBOT "/etc/letsencrypt/live"

/* What to remove when it fails, newest last. */
struct quickstart_made {
	struct quickstart_made *before;
	const char *path;
	bool folder;
};

static void
remember(struct quickstart *q, const char *path, bool folder)
{
	struct quickstart_made *m = arena_alloc(q->arena, sizeof(*m));

	*m = (struct quickstart_made){ q->made, path, folder };
	q->made = m;
}

void
quickstart_undo(struct quickstart *q)
{
	for (struct quickstart_made *m = q->made; m; m = m->before)
		if (m->folder)
			file_remove_tree(AT_FDCWD, m->path, NULL);
		else
			db_unlink(AT_FDCWD, m->path, NULL);
	q->made = NULL;
}

/* ---- may it be made? ---- */

static int
check_missing(const char *path, struct err *e)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT || errno == ENOTDIR
		    ? 0
		    : err_sys(e, "%s", path);
	return err_set(e, ERR_PERM,
	    "%s is there already: quickstart overwrites nothing; move it away, "
	    "or use another folder",
	    path);
}

/* The user of the services has to get here. */
static int
check_reachable(const struct quickstart *q, struct err *e)
{
	char *here = getcwd(NULL, 0);
	int rc = 0;

	if (!here)
		return err_sys(e, "working folder");
	if (geteuid() == 0 && q->uid != 0) {
		if (setegid(q->gid) < 0 || seteuid(q->uid) < 0)
			rc = err_sys(e, "becoming user %s", q->user);
		else if (faccessat(AT_FDCWD, here, X_OK, AT_EACCESS) < 0)
			rc = err_set(e, ERR_PERM,
			    "user %s cannot get to %s: use another folder, "
			    "such as /var/lib/mox, or chmod a+x those above",
			    q->user, here);
		if (seteuid(0) < 0 || setegid(0) < 0)
			abort();
	}
	free(here);
	return rc;
}

int
quickstart_check(struct quickstart *q, struct err *e)
{
	static const char *const paths[] = { "config/mox.conf",
		"config/domains.conf", "secret/adminpasswd", "mox.service",
		"quickstart.log" };
	const char *account =
	    arena_printf(q->arena, "data/accounts/%.*s", SLICE_FMT(q->account))
		.p;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (check_missing(paths[i], e) < 0)
			return -1;
	if (check_missing(account, e) < 0)
		return -1;
	return check_reachable(q, e);
}

/* ---- folders and files ---- */

static int
give(const struct quickstart *q, const char *path, uid_t uid, struct err *e)
{
	if (geteuid() == 0 && lchown(path, uid, q->gid) < 0)
		return err_sys(e, "chown %s", path);
	return 0;
}

static int
make_folder(struct quickstart *q, const char *path, uid_t uid, mode_t mode,
    struct err *e)
{
	if (mkdir(path, 0700) < 0)
		return errno == EEXIST ? 0 : err_sys(e, "mkdir %s", path);
	remember(q, path, true);
	if (give(q, path, uid, e) < 0)
		return -1;
	return chmod(path, mode) < 0 ? err_sys(e, "chmod %s", path) : 0;
}

/* folder/name, for the user unless root is to keep it. */
static int
make_file(struct quickstart *q, const char *folder, const char *name,
    struct slice content, uid_t uid, mode_t mode, struct err *e)
{
	const char *path = arena_printf(q->arena, "%s/%s", folder, name).p;
	int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	if (dir < 0)
		return err_sys(e, "%s", folder);
	rc = db_create_file(dir, name, content, mode, e);
	close(dir);
	if (rc == 0)
		err_set(e, ERR_PERM, "%s is there already", path);
	if (rc <= 0)
		return -1;
	remember(q, path, false);
	if (give(q, path, uid, e) < 0)
		return -1;
	return chmod(path, mode) < 0 ? err_sys(e, "chmod %s", path) : 0;
}

static int
make_folders(struct quickstart *q, struct err *e)
{
	/* The user may make files in config/, but not replace root's. */
	uid_t root = geteuid();

	return make_folder(q, "config", root, 01770, e) < 0 ||
		make_folder(q, "secret", q->uid, 0700, e) < 0 ||
		make_folder(q, "secret/dkim", q->uid, 0700, e) < 0 ||
		make_folder(q, "secret/hostkeys", q->uid, 0700, e) < 0 ||
		make_folder(q, "secret/tls", q->uid, 0700, e) < 0 ||
		make_folder(q, "data", q->uid, 0700, e) < 0 ||
		make_folder(q, "run", q->uid, 0700, e) < 0
	    ? -1
	    : 0;
}

/* ---- keys ---- */

static struct slice
now_text(struct arena *arena, const char *format)
{
	char text[CLOCK_TEXT];

	return arena_dup(arena,
	    slice_str(clock_format(clock_s(clock_program()), format, text)));
}

static int
write_key(struct quickstart *q, const char *folder, struct slice name,
    struct slice pem, struct slice *file_r, struct err *e)
{
	const char *path = arena_printf(q->arena, "secret/%s", folder).p;

	*file_r = arena_printf(q->arena, "%s/%.*s", folder, SLICE_FMT(name));
	return make_file(q, path, arena_cstr(q->arena, name), pem, q->uid, 0600,
	    e);
}

static int
make_rsa(struct quickstart *q, const char *folder, struct slice name,
    struct slice *file_r, struct err *e)
{
	struct dkim_key *key = dkim_key_new(DKIM_RSA, e);
	struct buf pem = BUF_INIT(PEM_MAX);
	int rc = -1;

	if (key && dkim_key_write_pem(key, &pem, e) == 0)
		rc = write_key(q, folder, name, buf_slice(&pem), file_r, e);
	dkim_key_free(&key);
	buf_wipe(&pem);
	return rc;
}

/* Host keys stay when certificates change, so TLSA records do too. */
static int
make_host_keys(struct quickstart *q, struct slice date, struct err *e)
{
	const struct slice names[] = { q->hostname_ascii,
		arena_printf(q->arena, "mail.%.*s",
		    SLICE_FMT(q->domain_ascii)) };
	struct buf cert = BUF_INIT(PEM_MAX), key = BUF_INIT(PEM_MAX);
	const char *host = arena_cstr(q->arena, q->hostname_ascii);
	const char *cert_name = arena_printf(q->arena, "%s.crt.pem", host).p;
	struct slice name =
	    arena_printf(q->arena, "%s.%.*s", host, SLICE_FMT(date));
	int rc = -1;

	if (cert_self_signed(names, 2, CERT_DAYS, &cert, &key, e) == 0 &&
	    write_key(q, "hostkeys",
		arena_printf(q->arena, "%.*s.ecdsap256.privatekey.pkcs8.pem",
		    SLICE_FMT(name)),
		buf_slice(&key), &q->ec_key, e) == 0 &&
	    make_rsa(q, "hostkeys",
		arena_printf(q->arena, "%.*s.rsa2048.privatekey.pkcs8.pem",
		    SLICE_FMT(name)),
		&q->rsa_key, e) == 0)
		rc = !q->self_signed ? 0
				     : make_file(q, "secret/tls", cert_name,
					   buf_slice(&cert), q->uid, 0644, e);
	if (q->self_signed) {
		q->cert = arena_printf(q->arena, "../secret/tls/%s", cert_name);
		q->cert_key = arena_printf(q->arena, "../secret/%.*s",
		    SLICE_FMT(q->ec_key));
	}
	buf_wipe(&key);
	buf_free(&cert);
	return rc;
}

static int
make_dkim_keys(struct quickstart *q, struct slice date, struct err *e)
{
	q->year = now_text(q->arena, "%Y");
	for (int i = 0; i < 2; i++) {
		struct slice name = arena_printf(q->arena,
		    "%.*s%c._domainkey.%.*s.%.*s.rsa2048.privatekey.pkcs8.pem",
		    SLICE_FMT(q->year), 'a' + i, SLICE_FMT(q->domain_ascii),
		    SLICE_FMT(date));
		if (make_rsa(q, "dkim", name, &q->dkim_keys[i], e) < 0)
			return -1;
	}
	return 0;
}

/* A certificate that certbot keeps for the host name is better than ours. */
static void
find_certificate(struct quickstart *q)
{
	const char *host = arena_cstr(q->arena, q->hostname_ascii);

	q->cert = arena_printf(q->arena, CERTBOT "/%s/fullchain.pem", host);
	q->cert_key = arena_printf(q->arena, CERTBOT "/%s/privkey.pem", host);
	q->self_signed =
	    access(q->cert.p, R_OK) != 0 || access(q->cert_key.p, R_OK) != 0;
}

static int
make_keys(struct quickstart *q, struct err *e)
{
	struct slice date = now_text(q->arena, "%Y%m%dT%H%M%S");

	find_certificate(q);
	return make_host_keys(q, date, e) < 0 || make_dkim_keys(q, date, e) < 0
	    ? -1
	    : 0;
}

/* ---- passwords ---- */

static void
make_password(char text[QUICKSTART_PASSWORD + 1])
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz"
				       "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "0123456789!@#$%^&*-_;:,<.>/";

	for (size_t i = 0; i < QUICKSTART_PASSWORD; i++)
		text[i] = alphabet[rand_below(NULL, sizeof(alphabet) - 1)];
	text[QUICKSTART_PASSWORD] = '\0';
}

static int
make_admin_password(struct quickstart *q, struct err *e)
{
	char hash[AUTH_BCRYPT_SIZE + 1];
	struct slice line;

	make_password(q->admin_password);
	auth_bcrypt(NULL, slice_str(q->admin_password), hash, AUTH_BCRYPT_SIZE);
	line = arena_printf(q->arena, "%s\n", hash);
	return make_file(q, "secret", "adminpasswd", line, q->uid, 0600, e);
}

/* Its mailboxes are made when they are first used. */
static int
make_account(struct quickstart *q, struct err *e)
{
	struct auth_opts opts = { 0 };
	struct auth *auth = NULL;
	int rc = -1;

	make_password(q->account_password);
	opts.data_fd = open("data", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (opts.data_fd < 0)
		return err_sys(e, "data");
	remember(q,
	    arena_printf(q->arena, "data/auth/%.*s", SLICE_FMT(q->account)).p,
	    false);
	if (user_act_as_owner("data", e) == 0) {
		if (auth_open(&opts, &auth, e) == 0)
			rc = auth_set_password(auth, q->account,
			    slice_str(q->account_password), 0, e);
		user_act_end();
	}
	auth_close(&auth);
	close(opts.data_fd);
	return rc;
}

/* ---- configuration ---- */

static int
make_conf(struct quickstart *q, struct err *e)
{
	struct buf mox = BUF_INIT(CONF_MAX), domains = BUF_INIT(CONF_MAX),
		   unit = BUF_INIT(CONF_MAX);
	char *here = getcwd(NULL, 0);
	int rc = here ? 0 : err_sys(e, "working folder");

	quickstart_mox_conf(q, &mox);
	quickstart_domains_conf(q, &domains);
	if (here)
		service_unit(here, &unit);
	if (rc < 0 ||
	    make_file(q, "config", "domains.conf", buf_slice(&domains), q->uid,
		0600, e) < 0 ||
	    make_file(q, "config", "mox.conf", buf_slice(&mox), geteuid(), 0640,
		e) < 0 ||
	    make_file(q, ".", "mox.service", buf_slice(&unit), geteuid(), 0644,
		e) < 0)
		rc = -1;
	free(here);
	buf_free(&mox);
	buf_free(&domains);
	buf_free(&unit);
	return rc;
}

/* What was written is what will be read: a bad name shows here. */
static int
check_conf(struct err *e)
{
	struct arena *arena = arena_new(0);
	struct config *config = NULL;
	struct config_domains *domains = NULL;
	struct sconf_errors errors;
	int rc = 0;

	sconf_errors_init(&errors, arena);
	if (config_load(CONFIG_DEFAULT_PATH, &config, &errors) == 0 &&
	    config_domains_load(config, &errors, &domains) == 0)
		check_files(config, &domains->file, &domains->conf);
	if (errors.errors > 0) {
		config_print_errors(&errors);
		rc = err_set(e, ERR_SYNTAX,
		    "the configuration would not be valid");
	}
	config_domains_free(&domains);
	config_free(&config);
	arena_free(&arena);
	return rc;
}

int
quickstart_make(struct quickstart *q, struct err *e)
{
	return make_folders(q, e) < 0 || make_keys(q, e) < 0 ||
		make_admin_password(q, e) < 0 || make_conf(q, e) < 0 ||
		check_conf(e) < 0 || make_account(q, e) < 0
	    ? -1
	    : 0;
}

int
quickstart_write_log(struct quickstart *q, struct err *e)
{
	return make_file(q, ".", "quickstart.log", buf_slice(&q->log),
	    geteuid(), 0600, e);
}
