/*
 * Begin, commit and cancel an edit.
 */
#include "config/edit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "config/domains_cdb.h"
#include "config/edit_int.h"
#include "db/newfile.h"
#include "db/sync.h"
#include "service/user.h"
#include "text/idna.h"

#define LOCK_FILE "edit.lock"
#define SWEEP_S 3600 /* older temporary files are of crashes */

/* ---- begin ---- */

/* The lease, which is a file among those of the services. */
static int
lock(struct edit *edit, struct err *e)
{
	const char *dir = config_data(edit->config, edit->arena, "lookup");
	int fd = -1, rc = -1;

	if (user_act_as_owner(edit->config->data_dir, e) < 0)
		return -1;
	if (file_mkdirs(AT_FDCWD, dir, 0700, e) == 0) {
		fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			err_sys(e, "%s", dir);
		else
			rc = db_lock(&edit->state->lock, fd, LOCK_FILE,
			    DB_LOCK_LEASE, DB_LOCK_MS, e);
	}
	user_act_end();
	if (fd >= 0)
		close(fd);
	return rc == 1 ? 0 : -1;
}

static struct edit *
new_edit(const struct config *config)
{
	struct arena *arena = arena_new(0);
	struct edit *edit = arena_alloc(arena, sizeof(*edit));

	edit->config = config;
	edit->arena = arena;
	edit->state = arena_alloc(arena, sizeof(*edit->state));
	edit->state->lock = (struct db_lock)DB_LOCK_INIT;
	return edit;
}

static void
free_edit(struct edit **edit)
{
	struct arena *arena;

	if (!*edit)
		return;
	arena = (*edit)->arena;
	config_domains_free(&(*edit)->state->before);
	db_unlock(&(*edit)->state->lock);
	arena_free(&arena);
	*edit = NULL;
}

int
edit_begin(const struct config *config, struct edit **edit_r,
    struct sconf_errors *errors, struct err *e)
{
	struct edit *edit = new_edit(config);
	size_t before = errors->n;

	*edit_r = NULL;
	if (lock(edit, e) < 0 ||
	    config_domains_load(config, errors, &edit->state->before) < 0) {
		free_edit(&edit);
		return -1;
	}
	errors->n = before; /* warnings about what was there are not news */
	edit->before = edit->state->before;
	schema_copy(&domains_conf_schema, &edit->before->conf, edit->arena,
	    &edit->conf);
	*edit_r = edit;
	return 0;
}

void
edit_cancel(struct edit **edit)
{
	if (*edit)
		edit_keys_undo(*edit);
	free_edit(edit);
}

/* ---- commit ---- */

/*
 * Does the new text say what was wanted? It does not if a value has a line
 * break, or a key a colon.
 */
static bool
says(const struct domains_conf *got, const struct domains_conf *want)
{
	struct buf a = BUF_INIT(SCONF_FILE_MAX), b = BUF_INIT(SCONF_FILE_MAX);
	bool same;

	if (schema_equal(&domains_conf_schema, got, want))
		return true;
	/* Maps may be in another order. */
	schema_write(&domains_conf_schema, got, &a);
	schema_write(&domains_conf_schema, want, &b);
	same = !a.over && !b.over && slice_eq(buf_slice(&a), buf_slice(&b));
	buf_free(&a);
	buf_free(&b);
	return same;
}

/* As the file that it replaces: its mode, and if possible its owner. */
static int
take_after(int fd, const struct stat *old, struct err *e)
{
	if (fchown(fd, old->st_uid, old->st_gid) < 0 && geteuid() == 0)
		return err_sys(e, "owner of domains.conf");
	if (fchmod(fd, old->st_mode & 0777) < 0)
		return err_sys(e, "mode of domains.conf");
	return 0;
}

static bool
is_unchanged(int dirfd, const char *name, const struct stat *old)
{
	struct stat st;

	return fstatat(dirfd, name, &st, 0) == 0 && st.st_ino == old->st_ino &&
	    st.st_size == old->st_size &&
	    st.st_mtim.tv_sec == old->st_mtim.tv_sec &&
	    st.st_mtim.tv_nsec == old->st_mtim.tv_nsec;
}

/* *st_r: of the new file. */
static int
replace(int dirfd, const char *name, const struct stat *old, struct slice text,
    struct stat *st_r, struct err *e)
{
	struct db_newfile f = DB_NEWFILE_INIT;
	int rc = -1;

	if (db_newfile_begin(&f, dirfd, name, 0600, e) == 0 &&
	    file_write(f.fd, text, e) == 0 && take_after(f.fd, old, e) == 0 &&
	    db_newfile_sync(&f, e) == 0) {
		if (fstat(f.fd, st_r) < 0)
			err_sys(e, "fstat");
		else if (is_unchanged(dirfd, name, old))
			rc = db_newfile_replace(&f, name, e);
		else
			err_set(e, ERR_TEMP,
			    "changed by another program "
			    "meanwhile: try again");
	}
	db_newfile_end(&f);
	return rc;
}

/* Where domains.conf really is: a symbolic link stays one. */
static int
write_conf(const struct edit *edit, struct config_domains *after, struct err *e)
{
	const char *path = edit->config->domains_path;
	char *real = realpath(path, NULL), *name;
	int dirfd = -1, rc = -1;

	if (!real)
		return err_sys(e, "%s", path);
	name = strrchr(real, '/');
	*name++ = '\0';
	dirfd = open(*real ? real : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		err_sys(e, "%s", real);
	else {
		db_tmp_sweep(dirfd, SWEEP_S, NULL);
		rc = replace(dirfd, name, &edit->before->st, after->file.text,
		    &after->st, e);
		if (rc == 0)
			rc = db_fsync_dir(dirfd, real, e);
		close(dirfd);
	}
	free(real);
	return rc < 0 ? err_prefix(e, "%s", path) : 0;
}

/* For services to see it at once; they would by themselves. */
static void
compile(const struct edit *edit, const struct config_domains *after,
    struct sconf_errors *errors)
{
	const struct sconf_file file = { slice_str(edit->config->domains_path),
		SLICE_NULL, errors };
	struct err e = ERR_INIT;

	if (user_act_as_owner(edit->config->data_dir, &e) < 0 ||
	    domains_cdb_compile(edit->config, after, &e) < 0)
		sconf_warning(&file, SLICE_NULL,
		    "written, but domains.cdb could not be; services will try "
		    "again: %s",
		    e.text);
	user_act_end();
}

/* What the file shall be, checked: 1, 0 as it is, -1. */
static int
make_after(const struct edit *edit, struct config_domains **after_r,
    struct sconf_errors *errors, struct err *e)
{
	struct buf text = BUF_INIT(SCONF_FILE_MAX);
	int rc = 0;

	schema_splice(&domains_conf_schema, edit->before->file.text,
	    &edit->before->conf, &edit->conf, &text);
	if (text.over)
		rc = err_set(e, ERR_LIMIT, "%s: larger than %zu bytes",
		    edit->config->domains_path, SCONF_FILE_MAX);
	else if (!slice_eq(buf_slice(&text), edit->before->file.text)) {
		rc = config_domains_parse(edit->config, &text, errors, after_r);
		if (rc == 0 && !says(&(*after_r)->conf, &edit->conf))
			rc = err_set(e, ERR_SYNTAX,
			    "%s: a value has a line break, or a name a colon: "
			    "neither can be written",
			    edit->config->domains_path);
		rc = rc < 0 ? -1 : 1;
	}
	buf_free(&text);
	return rc;
}

int
edit_commit(struct edit **editp, struct sconf_errors *errors, struct err *e)
{
	struct edit *edit = *editp;
	struct config_domains *after = NULL;
	size_t before = errors->n;
	int rc = make_after(edit, &after, errors, e);

	if (rc == 1 && write_conf(edit, after, e) < 0)
		rc = -1;
	if (rc < 1)
		edit_keys_undo(edit);
	else {
		errors->n = before; /* warnings, which are not news */
		compile(edit, after, errors);
		edit_keys_put_aside(edit, errors);
	}
	config_domains_free(&after);
	free_edit(editp);
	return rc;
}

/* ---- addresses ---- */

int
edit_domain_text(struct edit *edit, struct slice domain, struct slice *text_r,
    struct err *e)
{
	struct err why = ERR_INIT;

	if (idna_unicode(edit->arena, domain, text_r, &why) < 0)
		return err_set(e, ERR_SYNTAX, "\"%.*s\" is no domain: %s",
		    SLICE_FMT(domain), why.text);
	return 0;
}

int
edit_address_text(struct edit *edit, struct slice address, struct slice *text_r,
    struct err *e)
{
	struct name_address parsed;
	struct slice domain;
	ssize_t at = slice_rchr(address, '@');

	if (at >= 0 &&
	    idna_unicode(edit->arena, slice_skip(address, (size_t)at + 1),
		&domain, NULL) == 0) {
		*text_r = name_join(edit->arena,
		    name_nfc(edit->arena, slice_head(address, (size_t)at)),
		    domain);
		if (name_parse(edit->arena, *text_r, true, &parsed))
			return 0;
	}
	return err_set(e, ERR_SYNTAX,
	    "\"%.*s\" is no address: expected localpart@domain, or @domain "
	    "for all others of the domain",
	    SLICE_FMT(address));
}

struct slice
edit_canonical(const struct edit *edit, struct slice address)
{
	const struct check_model *model = edit->before->model;
	const struct check_domain *domain;
	struct name_address parsed;
	struct slice text;

	if (edit_address_text((struct edit *)edit, address, &text, NULL) < 0 ||
	    !name_parse(edit->arena, text, true, &parsed))
		return SLICE_NULL;
	domain = map_get(model->domain_by_name, parsed.domain);
	if (!domain)
		return SLICE_NULL;
	if (parsed.local.n > 0)
		parsed.local =
		    name_canonical(edit->arena, &domain->rules, parsed.local);
	return name_join(edit->arena, parsed.local, domain->name);
}

const struct check_address *
edit_owner(const struct edit *edit, struct slice address)
{
	return map_get(edit->before->model->addresses,
	    edit_canonical(edit, address));
}

void
edit_protect(struct edit *edit, struct slice address, struct slice why)
{
	struct edit_state *state = edit->state;
	struct slice canonical = edit_canonical(edit, address);

	if (canonical.n == 0)
		return;
	state->protected =
	    arena_grow(edit->arena, state->protected, state->nprotected,
		state->nprotected + 1, sizeof(*state->protected));
	state->protected[state->nprotected++] =
	    (struct edit_protected){ canonical, arena_dup(edit->arena, why) };
}

int
edit_check_protected(const struct edit *edit, struct slice canonical,
    struct err *e)
{
	const struct edit_state *state = edit->state;

	for (size_t i = 0; i < state->nprotected; i++)
		if (slice_eq(state->protected[i].address, canonical))
			return err_set(e, ERR_PERM, "%.*s is used by %.*s",
			    SLICE_FMT(canonical),
			    SLICE_FMT(state->protected[i].why));
	return 0;
}
