/*
 * serve_perms - owners and modes, before root gives up its rights.
 *
 *	config/            root, group of the user, 1770: the user makes and
 *	                   replaces files of its own, but not mox.conf
 *	config/mox.conf    root, group of the user, not writable by others
 *	config/domains.conf, secret/, adminpasswd, dkim/, hostkeys/ in either
 *	                   the user; secret/tls/ may be for root only
 *	data/, run/        the user, all of it
 *
 * Others get no rights anywhere. What root walks through belongs to a user
 * whose programs may be broken into, so no name is trusted: files are opened
 * without following links, then looked at and changed by descriptor, and a
 * file with several links may be somebody else's.
 */
#include "tools/serve_perms.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"

#define TOPIC "serve"
#define OTHERS 07  /* mode bits */
#define DEPTH 64   /* as file_remove_tree */
#define ACCOUNTS 2 /* data/accounts/NAME: looked at, not into */

struct fix {
	uid_t uid;
	gid_t gid;
};

/* ---- may root act on this? ---- */

int
serve_check_owner(const struct config *config, uid_t uid, gid_t gid,
    struct err *e)
{
	struct stat st, folder;

	if (stat(config->path, &st) < 0)
		return err_sys(e, "%s", config->path);
	if (stat(config->dir, &folder) < 0)
		return err_sys(e, "%s", config->dir);
	if (st.st_uid != 0 || st.st_mode & (S_IWGRP | S_IWOTH))
		return err_set(e, ERR_PERM,
		    "%s can be changed by others than root, which acts on it: "
		    "chown root:%u %s; chmod 640 %s",
		    config->path, gid, config->path, config->path);
	/* In a folder with the sticky bit nobody replaces root's file. */
	if (folder.st_uid != 0 && folder.st_uid != uid)
		return err_set(e, ERR_PERM,
		    "%s belongs to user %u, who could replace mox.conf: "
		    "chown root %s",
		    config->dir, folder.st_uid, config->dir);
	return 0;
}

/* ---- folders that are missing ---- */

static int
make_folder(const char *path, uid_t uid, gid_t gid, struct err *e)
{
	if (mkdir(path, 0700) < 0)
		return errno == EEXIST ? 0 : err_sys(e, "mkdir %s", path);
	if (geteuid() == 0 && lchown(path, uid, gid) < 0)
		return err_sys(e, "chown %s", path);
	return 0;
}

int
serve_make_folders(const struct config *config, const char *run_dir, uid_t uid,
    gid_t gid, struct err *e)
{
	return make_folder(config->data_dir, uid, gid, e) < 0 ||
		make_folder(run_dir, uid, gid, e) < 0
	    ? -1
	    : 0;
}

/* ---- put right ---- */

static void
complain(const char *name)
{
	log_line(TOPIC, LOG_WARN, "owner or mode not fixed",
	    LOG_Z("name", name), LOG_Z("err", strerrordesc_np(errno)));
}

/* The mode without rights for others, and with those of its owner. */
static mode_t
wanted_mode(const struct stat *st)
{
	return (st->st_mode & 07777 & ~(mode_t)OTHERS) |
	    (S_ISDIR(st->st_mode) ? 0700 : 0600);
}

static bool
is_right(const struct fix *f, const struct stat *st)
{
	return st->st_uid == f->uid && st->st_gid == f->gid &&
	    (st->st_mode & 07777) == wanted_mode(st);
}

static void
fix_descriptor(const struct fix *f, int fd, const char *name)
{
	struct stat st;

	if (fstat(fd, &st) < 0) {
		complain(name);
		return;
	}
	if (!S_ISDIR(st.st_mode) && st.st_nlink > 1 && st.st_uid != f->uid) {
		log_line(TOPIC, LOG_WARN,
		    "left alone: it has several links and another owner",
		    LOG_Z("name", name));
		return;
	}
	if (fchown(fd, f->uid, f->gid) < 0 || fchmod(fd, wanted_mode(&st)) < 0)
		complain(name);
}

static void fix_entries(const struct fix *f, int dir, int level, bool forced);

/*
 * A file or folder. forced: what is in it is looked at in any depth, else as
 * deep as ACCOUNTS, or wherever the folder itself was wrong.
 */
static void
fix_name(const struct fix *f, int at, const char *name, int level, bool forced)
{
	struct stat st;
	int fd;

	if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
		return;
	if (is_right(f, &st)) {
		if (!S_ISDIR(st.st_mode) || (!forced && level >= ACCOUNTS))
			return;
	} else
		forced = true;
	fd = openat(at, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		complain(name);
		return;
	}
	if (!is_right(f, &st))
		fix_descriptor(f, fd, name);
	if (S_ISDIR(st.st_mode) && level < DEPTH)
		fix_entries(f, fd, level + 1, forced);
	close(fd);
}

static void
fix_entries(const struct fix *f, int dir, int level, bool forced)
{
	struct arena *arena = arena_new(0);
	struct err e = ERR_INIT;
	struct slice *names;
	size_t n;

	if (file_list(dir, ".", arena, &names, &n, &e) < 0)
		log_line(TOPIC, LOG_WARN, "owners not looked at", LOG_E(&e));
	else
		for (size_t i = 0; i < n; i++)
			fix_name(f, dir, arena_cstr(arena, names[i]), level,
			    forced);
	arena_free(&arena);
}

/* What has a well-known name in config/ or secret/. */
static void
fix_secrets(const struct fix *f, int dir)
{
	static const char *const names[] = { "domains.conf", "adminpasswd",
		"dkim", "hostkeys" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		fix_name(f, dir, names[i], 0, true);
}

static void
fix_secret_folder(const struct fix *f, int config)
{
	int fd = openat(config, "../secret",
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && !is_right(f, &st))
		fix_descriptor(f, fd, "secret");
	fix_secrets(f, fd);
	close(fd);
}

static void
fix_config(const struct fix *f, const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd < 0) {
		complain(dir);
		return;
	}
	if (fchown(fd, 0, f->gid) < 0 || fchmod(fd, 01770) < 0)
		complain(dir);
	/* serve_check_owner was satisfied with it. */
	if (fstatat(fd, "mox.conf", &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode) &&
	    (fchownat(fd, "mox.conf", 0, f->gid, AT_SYMLINK_NOFOLLOW) < 0 ||
		fchmodat(fd, "mox.conf", 0640, 0) < 0))
		complain("mox.conf");
	fix_secrets(f, fd);
	fix_secret_folder(f, fd);
	close(fd);
}

void
serve_fix_permissions(const struct config *config, const char *run_dir,
    uid_t uid, gid_t gid)
{
	const struct fix f = { uid, gid };

	fix_config(&f, config->dir);
	fix_name(&f, AT_FDCWD, config->data_dir, 0, false);
	fix_name(&f, AT_FDCWD, run_dir, 0, false);
}
