/*
 * mox-serve - run the mail server that mox.conf describes: bind its
 * addresses, open its keys, become its user, and keep the services running.
 */
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/opt.h"
#include "base/proc.h"
#include "service/notify.h"
#include "tools/serve_control.h"
#include "tools/serve_perms.h"
#include "tools/serve_root.h"
#include "tools/services.h"

static const char *opt_config;
static long opt_notify_fd = -1;
static bool opt_nosandbox;
static const char *opt_park, *opt_messagelimit;

static const struct opt options[] = {
	{ "config", OPT_STRING, &opt_config, "file",
	    "mox.conf; default $MOXCONF or config/mox.conf" },
	{ "messagelimit", OPT_STRING, &opt_messagelimit, "n",
	    "of mox-imapd: most messages for one command" },
	{ "park", OPT_STRING, &opt_park, "seconds",
	    "of mox-imapd: sessions that wait for so long are parked" },
	{ "nosandbox", OPT_BOOL, &opt_nosandbox, NULL,
	    "start services on a kernel without seccomp" },
	{ "notify-fd", OPT_INT, &opt_notify_fd, "fd",
	    "write a newline there when all is ready, as s6 has it" },
	{ NULL, 0, NULL, NULL, NULL },
};

static const struct opt_program program = { "mox-serve", "[options]",
	"Run the mail server that mox.conf describes.", options };

/* Files in run/ are made by the user they belong to. */
static int
take_lock(const struct serve_root *s, struct db_lock *lock, struct err *e)
{
	bool root = geteuid() == 0;
	int rc;

	if (root && (setegid(s->gid) < 0 || seteuid(s->uid) < 0))
		return err_sys(e, "seteuid");
	rc = serve_lock(s->run_dir, lock, e);
	if (root && (seteuid(0) < 0 || setegid(0) < 0))
		return err_sys(e, "seteuid");
	return rc == 1 ? 0 : -1;
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
run(struct serve_root *s, struct err *e)
{
	struct services_opts o = { .conf = s->config->path,
		.nosandbox = opt_nosandbox,
		.park = opt_park,
		.messagelimit = opt_messagelimit,
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
	struct db_lock lock = DB_LOCK_INIT;
	struct serve_root s;
	struct err e = ERR_INIT;

	if (opt_parse(&program, argc, argv) != argc)
		opt_usage(&program, "unexpected argument");
	log_init(program.name, LOG_INFO);
	umask(077);
	services_use_own_folder();
	if (serve_root_begin(&s, opt_config, &e) < 0 ||
	    take_lock(&s, &lock, &e) < 0)
		proc_die(program.name, &e);
	if (geteuid() == 0 && !s.config->mox.no_fix_permissions)
		serve_fix_permissions(s.config, s.run_dir, s.uid, s.gid);
	if (serve_root_open(&s, NULL, &e) < 0 || serve_root_drop(&s, &e) < 0 ||
	    run(&s, &e) < 0)
		proc_die(program.name, &e);
	return EXIT_DONE;
}
