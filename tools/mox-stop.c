/*
 * mox-stop - stop the running mox-serve, and wait until it has ended.
 */
#include <signal.h>
#include <stdio.h>

#include "base/opt.h"
#include "base/proc.h"
#include "config/config.h"
#include "service/supervise.h"
#include "service/user.h"
#include "tools/serve_control.h"

/* Clients get 3 s, services SUPERVISE_STOP_MS, the rest is for a busy host. */
#define WAIT_MS (SUPERVISE_STOP_MS + 10000)

static const char *opt_config;
static bool opt_reload;

static const struct opt options[] = {
	{ "config", OPT_STRING, &opt_config, "file",
	    "mox.conf; default $MOXCONF or config/mox.conf" },
	{ "reload", OPT_BOOL, &opt_reload, NULL,
	    "do not stop: have services look at certificates and "
	    "domains.conf now" },
	{ NULL, 0, NULL, NULL, NULL },
};

static const struct opt_program program = { "mox-stop", "[options]",
	"Stop the running mox-serve: clients are told, and get 3 seconds.",
	options };

int
main(int argc, char **argv)
{
	struct arena *arena = arena_new(0);
	struct err e = ERR_INIT;
	const char *run;
	struct config *config;
	int rc;

	if (opt_parse(&program, argc, argv) != argc)
		opt_usage(&program, "unexpected argument");
	signal(SIGPIPE, SIG_IGN);
	config = config_load_or_exit(opt_config);
	run = serve_run_dir(config, arena);
	if (user_become_owner(config->data_dir, &e) < 0)
		proc_die(program.name, &e);
	rc =
	    serve_send(run, opt_reload ? SUPERVISE_RELOAD : SUPERVISE_STOP, &e);
	if (rc == 0)
		err_set(&e, ERR_PERM,
		    "mox-serve is not running (no reader of "
		    "%s/serve)",
		    run);
	if (rc == 1 && !opt_reload) {
		rc = serve_wait(run, WAIT_MS, &e);
		if (rc == 0)
			err_set(&e, ERR_TEMP, "told to stop, still running");
	}
	if (rc != 1)
		proc_die(program.name, &e);
	if (!opt_reload)
		puts("mox stopped");
	return EXIT_DONE;
}
