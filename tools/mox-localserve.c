/*
 * mox-localserve - a complete mail server for trying out: makes a folder with
 * configuration, certificate and account if there is none, binds the
 * listeners and keeps the services running.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/opt.h"
#include "base/proc.h"
#include "config/config.h"
#include "service/supervise.h"
#include "tools/bind.h"
#include "tools/localserve_init.h"

static const char *opt_dir, *opt_ip, *opt_loglevel;
static bool opt_initonly, opt_nosandbox;

static const struct opt options[] = {
	{ "dir", OPT_STRING, &opt_dir, "folder",
	    "where everything is kept; default ~/.config/mox-localserve" },
	{ "ip", OPT_STRING, &opt_ip, "address",
	    "listen on this address; default 127.0.0.1 and ::1" },
	{ "initonly", OPT_BOOL, &opt_initonly, NULL,
	    "make the folder and exit" },
	{ "loglevel", OPT_STRING, &opt_loglevel, "level",
	    "in place of LogLevel of the configuration" },
	{ "nosandbox", OPT_BOOL, &opt_nosandbox, NULL,
	    "start services on a kernel without seccomp" },
	{ NULL, 0, NULL, NULL, NULL },
};

static const struct opt_program program = { "mox-localserve", "[options]",
	"Start a complete mail server for trying out, on loopback.", options };

static const char *
default_dir(struct arena *arena)
{
	const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (base && *base)
		return arena_printf(arena, "%s/mox-localserve", base).p;
	if (!home || !*home)
		opt_usage(&program, "HOME is not set: say -dir");
	return arena_printf(arena, "%s/.config/mox-localserve", home).p;
}

/* The programs beside this one, wherever they were built or installed. */
static void
use_own_folder(void)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const char *path = getenv("PATH");
	struct buf b = BUF_INIT(1 << 20);
	ssize_t slash;

	if (n <= 0)
		return;
	slash = slice_rchr(slice_of(self, (size_t)n), '/');
	if (slash <= 0)
		return;
	buf_add(&b, slice_of(self, (size_t)slash));
	if (path && *path)
		buf_addf(&b, ":%s", path);
	setenv("PATH", buf_cstr(&b), 1);
	buf_free(&b);
}

static void
say_ready(void *ctx)
{
	const char *dir = ctx;

	printf("mox is ready: mail for mox@localhost is read with password %s\n"
	       "files are in %s\n",
	    LOCALSERVE_PASSWORD, dir);
	fflush(stdout);
}

static void
first_run(const char *dir)
{
	struct err e = ERR_INIT;
	int rc = localserve_init(dir, opt_ip, &e);

	if (rc < 0)
		proc_die(program.name, &e);
	if (rc > 0)
		printf("made %s\n", dir);
}

/* mox-smtpd and mox-imapd with the sockets of their kinds. */
static int
run_services(const char *dir, const struct bind_list *bound, struct err *e)
{
	struct arena *arena = arena_new(0);
	const char *conf = arena_printf(arena, "%s/mox.conf", dir).p;
	const char *sandbox = opt_nosandbox ? "-nosandbox" : "-nosandbox=false";
	const char *smtpd[] = { "mox-smtpd", "-config", conf, "-localserve",
		sandbox, NULL };
	const char *imapd[] = { "mox-imapd", "-config", conf, sandbox, NULL };
	struct supervise_service services[] = {
		{ "mox-smtpd", smtpd, NULL, 0 },
		{ "mox-imapd", imapd, NULL, 0 },
	};
	int rc;

	bind_pick(bound, bind_smtp_kinds, arena, &services[0].sockets,
	    &services[0].nsockets);
	bind_pick(bound, bind_imap_kinds, arena, &services[1].sockets,
	    &services[1].nsockets);
	rc = supervise_run(services, 2, say_ready, (void *)dir, e);
	arena_free(&arena);
	return rc;
}

int
main(int argc, char **argv)
{
	struct arena *arena = arena_new(0);
	struct err e = ERR_INIT;
	struct bind_list bound = { 0 };
	struct config *config;

	if (opt_parse(&program, argc, argv) != argc)
		opt_usage(&program, "unexpected argument");
	if (!opt_dir)
		opt_dir = default_dir(arena);
	log_init(program.name, LOG_INFO);
	use_own_folder();
	if (opt_loglevel)
		setenv("MOX_LOGLEVEL", opt_loglevel, 1);
	umask(077);
	first_run(opt_dir);
	if (opt_initonly)
		return EXIT_DONE;
	config =
	    config_load_or_exit(arena_printf(arena, "%s/mox.conf", opt_dir).p);
	if (bind_listeners(config, arena, &bound, &e) < 0 ||
	    run_services(opt_dir, &bound, &e) < 0)
		proc_die(program.name, &e);
	return EXIT_DONE;
}
