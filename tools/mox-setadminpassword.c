/*
 * mox-setadminpassword - set the password of the admin pages, read from
 * standard input.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/auth.h"
#include "base/file.h"
#include "base/opt.h"
#include "base/proc.h"
#include "base/sha.h"
#include "config/config.h"
#include "db/newfile.h"
#include "db/sync.h"
#include "tools/ask.h"

#define FILE_MODE 0660 /* the group may belong to who administers */

static const char *opt_config;

static const struct opt options[] = {
	{ "config", OPT_STRING, &opt_config, "file",
	    "mox.conf; default $MOXCONF or config/mox.conf" },
	{ NULL, 0, NULL, NULL, NULL },
};

static const struct opt_program program = { "mox-setadminpassword",
	"[-config file]",
	"Set the password of the admin pages, read from standard input.",
	options };

/* As root: the owner of the file before, else of the data folder, who reads
 * it. */
static int
give_to_owner(const struct config *config, int dirfd, const char *name, int fd,
    struct err *e)
{
	struct stat st;

	if (geteuid() != 0)
		return 0;
	if ((fstatat(dirfd, name, &st, 0) < 0 &&
		stat(config->data_dir, &st) < 0) ||
	    fchown(fd, st.st_uid, st.st_gid) < 0)
		return err_sys(e, "owner of %s", name);
	return 0;
}

static int
replace(const struct config *config, int dirfd, const char *name,
    struct slice content, struct err *e)
{
	struct db_newfile f = DB_NEWFILE_INIT;
	int rc = -1;

	if (db_newfile_begin(&f, dirfd, name, 0600, e) == 0 &&
	    file_write(f.fd, content, e) == 0 &&
	    give_to_owner(config, dirfd, name, f.fd, e) == 0) {
		if (fchmod(f.fd, FILE_MODE) < 0)
			err_sys(e, "mode of %s", name);
		else if (db_newfile_sync(&f, e) == 0 &&
		    db_newfile_replace(&f, name, e) == 0)
			rc = db_fsync_dir(dirfd, name, e);
	}
	db_newfile_end(&f);
	return rc;
}

static int
write_hash(const struct config *config, struct slice hash, struct err *e)
{
	struct slice file = config->mox.admin_password_file;
	struct arena *arena = arena_new(0);
	char *path, *slash;
	int dirfd, rc;

	path = arena_cstr(arena, slice_str(config_file(config, arena, file)));
	slash = strrchr(path, '/');
	*slash = '\0';
	dirfd = open(*path ? path : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		rc = err_sys(e, "%s", path);
	else {
		rc = replace(config, dirfd, slash + 1, hash, e);
		close(dirfd);
	}
	arena_free(&arena);
	return rc;
}

int
main(int argc, char **argv)
{
	struct buf typed = BUF_INIT(SASL_MESSAGE_MAX);
	struct buf password = BUF_INIT(SASL_MESSAGE_MAX);
	char hash[AUTH_BCRYPT_SIZE];
	struct err e = ERR_INIT;
	struct config *config;
	int rc;

	if (opt_parse(&program, argc, argv) != argc)
		opt_usage(&program, "no arguments are taken");
	config = config_load_or_exit(opt_config);
	if (config->mox.admin_password_file.n == 0) {
		err_set(&e, ERR_PERM,
		    "%s: AdminPasswordFile is not set: it says where the "
		    "password goes",
		    config->path);
		proc_die(program.name, &e);
	}
	ask_password(program.name, &typed);
	rc = auth_prepare_password(buf_slice(&typed), &password, &e);
	if (rc == 0) {
		auth_bcrypt(NULL, buf_slice(&password), hash, sizeof(hash));
		rc = write_hash(config, slice_str(hash), &e);
	}
	buf_wipe(&typed);
	buf_wipe(&password);
	sha_wipe(hash, sizeof(hash));
	config_free(&config);
	if (rc < 0)
		proc_die(program.name, &e);
	return EXIT_DONE;
}
