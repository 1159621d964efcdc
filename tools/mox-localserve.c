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
#include "tools/localserve_init.h"
#include "tools/services.h"

static const char *opt_dir, *opt_ip, *opt_loglevel;
static bool opt_initonly, opt_nosandbox;
static const char *opt_park, *opt_messagelimit;

static const struct opt options[] = {
	{ "dir", OPT_STRING, &opt_dir, "folder",
	    "where everything is kept; default ~/.config/mox-localserve" },
	{ "ip", OPT_STRING, &opt_ip, "address",
	    "listen on this address; default 127.0.0.1 and ::1" },
	{ "initonly", OPT_BOOL, &opt_initonly, NULL,
	    "make the folder and exit" },
	{ "loglevel", OPT_STRING, &opt_loglevel, "level",
	    "in place of LogLevel of the configuration" },
	{ "messagelimit", OPT_STRING, &opt_messagelimit, "n",
	    "of mox-imapd: most messages for one command" },
	{ "park", OPT_STRING, &opt_park, "seconds",
	    "of mox-imapd: sessions that wait for so long are parked" },
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

static void
say_ready(void *ctx, enum supervise_event event)
{
	const char *dir = ctx;

	if (event != SUPERVISE_READY)
		return;
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

int
main(int argc, char **argv)
{
	struct arena *arena = arena_new(0);
	struct err e = ERR_INIT;
	struct bind_list bound = { 0 };
	struct services_opts services = {
		.localserve = true, .bound = &bound, .commands = -1
	};
	struct config *config;

	if (opt_parse(&program, argc, argv) != argc)
		opt_usage(&program, "unexpected argument");
	if (!opt_dir)
		opt_dir = default_dir(arena);
	log_init(program.name, LOG_INFO);
	services_use_own_folder();
	if (opt_loglevel)
		setenv("MOX_LOGLEVEL", opt_loglevel, 1);
	umask(077);
	first_run(opt_dir);
	if (opt_initonly)
		return EXIT_DONE;
	services.conf = arena_printf(arena, "%s/mox.conf", opt_dir).p;
	services.nosandbox = opt_nosandbox;
	services.park = opt_park;
	services.messagelimit = opt_messagelimit;
	services.tell = say_ready;
	services.ctx = (void *)opt_dir;
	config = config_load_or_exit(services.conf);
	if (bind_listeners(config, NULL, arena, &bound, &e) < 0 ||
	    services_run(&services, &e) < 0)
		proc_die(program.name, &e);
	return EXIT_DONE;
}
