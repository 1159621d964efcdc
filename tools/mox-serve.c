/*
 * mox-serve - run the mail server that mox.conf describes: bind its
 * addresses, open its keys, become its user, and keep the services running.
 */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/opt.h"
#include "base/proc.h"
#include "host/host.h"
#include "service/notify.h"
#include "service/user.h"
#include "tools/serve_control.h"
#include "tools/serve_perms.h"
#include "tools/services.h"

static const char *opt_config;
static long opt_notify_fd = -1;
static bool opt_nosandbox;

static const struct opt options[] = {
	{ "config", OPT_STRING, &opt_config, "file",
	    "mox.conf; default $MOXCONF or config/mox.conf" },
	{ "nosandbox", OPT_BOOL, &opt_nosandbox, NULL,
	    "start services on a kernel without seccomp" },
	{ "notify-fd", OPT_INT, &opt_notify_fd, "fd",
	    "write a newline there when all is ready, as s6 has it" },
	{ NULL, 0, NULL, NULL, NULL },
};

static const struct opt_program program = { "mox-serve", "[options]",
	"Run the mail server that mox.conf describes.", options };

struct serve {
	struct arena *arena;
	struct config *config;
	const char *run_dir;
	uid_t uid; /* of the User of mox.conf, */
	gid_t gid; /* or ours if we are not root */
	struct db_lock lock;
	struct bind_list bound;
	struct bind_list files; /* certificates and keys */
};

/* ---- as root ---- */

static int
find_user(struct serve *s, struct err *e)
{
	s->uid = getuid();
	s->gid = getgid();
	if (geteuid() != 0)
		return 0;
	if (user_ids(s->config->mox.user, &s->uid, &s->gid, e) < 0)
		return err_prefix(e, "%s: User", s->config->path);
	return serve_check_owner(s->config, s->uid, s->gid, e);
}

/* Files in run/ are made by the user they belong to. */
static int
take_lock(struct serve *s, struct err *e)
{
	bool root = geteuid() == 0;
	int rc;

	if (root && (setegid(s->gid) < 0 || seteuid(s->uid) < 0))
		return err_sys(e, "seteuid");
	rc = serve_lock(s->run_dir, &s->lock, e);
	if (root && (seteuid(0) < 0 || setegid(0) < 0))
		return err_sys(e, "seteuid");
	return rc == 1 ? 0 : -1;
}

static int
open_file(struct serve *s, struct slice name, struct err *e)
{
	const char *path =
	    host_absolute(s->arena, config_file(s->config, s->arena, name));
	struct bind_list *l = &s->files;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "%s", path);
	l->v = arena_grow(s->arena, l->v, l->n, l->n + 1, sizeof(*l->v));
	l->v[l->n++] = (struct supervise_socket){ fd, path };
	return 0;
}

/* Certificates and keys, which may be for root only. */
static int
open_files(struct serve *s, struct err *e)
{
	const struct conf_listeners *all = &s->config->mox.listeners;

	for (size_t i = 0; i < all->n; i++) {
		const struct conf_tls *tls = all->v[i].tls;
		for (size_t k = 0; tls && k < tls->key_certs.n; k++)
			if (open_file(s, tls->key_certs.v[k].cert_file, e) <
				0 ||
			    open_file(s, tls->key_certs.v[k].key_file, e) < 0)
				return err_prefix(e, "listener %.*s",
				    SLICE_FMT(all->v[i].name));
	}
	return 0;
}

/* ---- as the user ---- */

/* Keep those descriptors that services could not open themselves. */
static int
keep_unreadable(struct serve *s, struct err *e)
{
	struct bind_list *l = &s->files;
	size_t kept = 0;

	for (size_t i = 0; i < l->n; i++) {
		if (access(l->v[i].name, R_OK) == 0) {
			close(l->v[i].fd);
			continue;
		}
		if (strchr(l->v[i].name, ':'))
			return err_set(e, ERR_SYNTAX,
			    "%s: only root may read it, and a name with a "
			    "colon cannot be handed down",
			    l->v[i].name);
		log_line("serve", LOG_INFO,
		    "readable by root only: a new one takes a restart",
		    LOG_Z("file", l->v[i].name));
		l->v[kept++] = l->v[i];
	}
	l->n = kept;
	return 0;
}

static int
drop_rights(struct serve *s, struct err *e)
{
	if (user_become(s->config->mox.user, e) < 0)
		return -1;
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	user_limits();
	return keep_unreadable(s, e);
}

static void
tell(void *ctx, enum supervise_event event)
{
	(void)ctx;
	if (event == SUPERVISE_READY) {
		log_line("serve", LOG_PRINT, "ready");
		notify_ready((int)opt_notify_fd);
	} else {
		log_line("serve", LOG_PRINT, "stopping");
		notify_systemd("STOPPING=1");
	}
}

static int
run(struct serve *s, struct err *e)
{
	struct services_opts o = { .conf = s->config->path,
		.nosandbox = opt_nosandbox,
		.bound = &s->bound,
		.files = &s->files,
		.tell = tell };
	int rc;

	o.commands = serve_open(s->run_dir, e);
	if (o.commands < 0)
		return -1;
	rc = services_run(&o, e);
	serve_close(s->run_dir);
	return rc;
}

int
main(int argc, char **argv)
{
	struct serve s = { .arena = arena_new(0), .lock = DB_LOCK_INIT };
	struct err e = ERR_INIT;

	if (opt_parse(&program, argc, argv) != argc)
		opt_usage(&program, "unexpected argument");
	log_init(program.name, LOG_INFO);
	umask(077);
	services_use_own_folder();
	s.config = config_load_or_exit(opt_config);
	s.run_dir = serve_run_dir(s.config, s.arena);
	if (find_user(&s, &e) < 0 ||
	    serve_make_folders(s.config, s.run_dir, s.uid, s.gid, &e) < 0 ||
	    take_lock(&s, &e) < 0)
		proc_die(program.name, &e);
	if (geteuid() == 0 && !s.config->mox.no_fix_permissions)
		serve_fix_permissions(s.config, s.run_dir, s.uid, s.gid);
	if (bind_listeners(s.config, s.arena, &s.bound, &e) < 0 ||
	    open_files(&s, &e) < 0 || drop_rights(&s, &e) < 0 ||
	    run(&s, &e) < 0)
		proc_die(program.name, &e);
	return EXIT_DONE;
}
