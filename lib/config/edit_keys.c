/*
 * Files of DKIM keys: made for a new domain, put aside with an old one.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "config/edit_int.h"
#include "db/newfile.h"
#include "db/sync.h"
#include "dkim/dkim_key.h"

#define SECRETS "../secret" /* beside the folder of the configuration */
#define OLD "old"

/* Keys are with the other secrets if these have a folder. */
static struct slice
keys_folder(const struct edit *edit)
{
	if (access(config_file(edit->config, edit->arena, SLICE(SECRETS)),
		F_OK) == 0)
		return SLICE(SECRETS "/dkim");
	return SLICE("dkim");
}

static int
open_folder(const struct edit *edit, struct slice folder, bool make,
    struct err *e)
{
	const char *path = config_file(edit->config, edit->arena, folder);
	int fd;

	if (make && file_mkdirs(AT_FDCWD, path, 0700, e) < 0)
		return -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? fd : err_sys(e, "%s", path);
}

/* Made by root, a folder or file is for those who sign, who own the data. */
static int
give_to_owner(const struct edit *edit, int dirfd, const char *name,
    struct err *e)
{
	struct stat st;

	if (geteuid() != 0)
		return 0;
	if (stat(edit->config->data_dir, &st) < 0 ||
	    fchownat(dirfd, name, st.st_uid, st.st_gid, AT_EMPTY_PATH) < 0)
		return err_sys(e, "owner of %s", *name ? name : "DKIM keys");
	return 0;
}

static int
write_key(const struct edit *edit, struct slice folder, const char *name,
    struct slice pem, struct err *e)
{
	int fd = open_folder(edit, folder, true, e), rc;

	if (fd < 0)
		return -1;
	rc = db_create_file(fd, name, pem, 0600, e);
	if (rc == 0)
		err_set(e, ERR_PERM, "%s exists already", name);
	else if (rc > 0 &&
	    (give_to_owner(edit, fd, "", e) < 0 ||
		give_to_owner(edit, fd, name, e) < 0))
		rc = -1;
	close(fd);
	return rc > 0 ? 0 : -1;
}

/* As mox names them: NAME._domainkey.DOMAIN.TIME.rsa2048.privatekey.pkcs8.pem. */
static struct slice
file_name(struct edit *edit, struct slice selector, struct slice domain)
{
	struct slice ascii = domain;
	char date[CLOCK_TEXT];

	name_domain(edit->arena, domain, &ascii);
	clock_format(clock_s(clock_program()), "%Y%m%dT%H%M%S", date);
	return arena_printf(edit->arena,
	    "%.*s._domainkey.%.*s.%s.rsa2048.privatekey.pkcs8.pem",
	    SLICE_FMT(selector), SLICE_FMT(ascii), date);
}

int
edit_key_make(struct edit *edit, struct slice selector, struct slice domain,
    struct slice *file_r, struct err *e)
{
	struct slice folder = keys_folder(edit);
	struct slice name = file_name(edit, selector, domain);
	struct buf pem = BUF_INIT(DKIM_PEM_MAX);
	struct dkim_key *key = dkim_key_new(DKIM_RSA, e);
	int rc = -1;

	if (key && dkim_key_write_pem(key, &pem, e) == 0 &&
	    write_key(edit, folder, arena_cstr(edit->arena, name),
		buf_slice(&pem), e) == 0) {
		*file_r = name_glue(edit->arena, folder, '/', name);
		*EDIT_APPEND(edit, &edit->state->made) = *file_r;
		rc = 0;
	}
	dkim_key_free(&key);
	buf_wipe(&pem);
	return rc;
}

void
edit_keys_undo(struct edit *edit)
{
	const struct conf_strings *made = &edit->state->made;

	for (size_t i = 0; i < made->n; i++)
		db_unlink(AT_FDCWD,
		    config_file(edit->config, edit->arena, made->v[i]), NULL);
}

/* FOLDER/NAME to FOLDER/old/NAME. */
static int
put_aside(const struct edit *edit, struct slice file, struct err *e)
{
	ssize_t slash = slice_rchr(file, '/');
	struct slice folder =
	    slash > 0 ? slice_head(file, (size_t)slash) : SLICE(".");
	const char *name =
	    arena_cstr(edit->arena, slice_skip(file, (size_t)(slash + 1)));
	int from = open_folder(edit, folder, false, e), to = -1, rc = -1;

	if (from >= 0)
		to = open_folder(edit,
		    name_glue(edit->arena, folder, '/', SLICE(OLD)), true, e);
	if (to >= 0 && give_to_owner(edit, to, "", e) == 0) {
		rc = db_move(from, name, to, name, e);
		if (rc == 1)
			rc = db_fsync_dir(to, OLD, e) < 0 ||
				db_fsync_dir(from, name, e) < 0
			    ? -1
			    : 0;
	}
	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
	return rc < 0 ? -1 : 0;
}

void
edit_keys_put_aside(struct edit *edit, struct sconf_errors *errors)
{
	const struct sconf_file conf = { slice_str(edit->config->domains_path),
		SLICE_NULL, errors };
	const struct conf_strings *unused = &edit->state->unused;
	struct err e = ERR_INIT;

	for (size_t i = 0; i < unused->n; i++)
		if (put_aside(edit, unused->v[i], &e) < 0)
			sconf_warning(&conf, SLICE_NULL,
			    "key %.*s not moved to old/: %s",
			    SLICE_FMT(unused->v[i]), e.text);
}
