/*
 * mox-queued - the queue runner: a jailed process that decides what is due,
 * and its parent, the starter of the programs that deliver.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/opt.h"
#include "base/proc.h"
#include "config/domains_cdb.h"
#include "queue/runner.h"
#include "service/notify.h"
#include "service/sandbox.h"
#include "service/user.h"

#define RANDOM_CHARS 12

static const char *opt_config;
static long opt_notify_fd = -1;
static bool opt_localserve, opt_nosandbox;

static const struct opt options[] = {
	{ "config", OPT_STRING, &opt_config, "file",
	    "mox.conf; default $MOXCONF or config/mox.conf" },
	{ "localserve", OPT_BOOL, &opt_localserve, NULL,
	    "every address is that of the account mox; special ones fail" },
	{ "nosandbox", OPT_BOOL, &opt_nosandbox, NULL,
	    "start on a kernel without seccomp" },
	{ "notify-fd", OPT_INT, &opt_notify_fd, "fd",
	    "write a newline there when ready (s6)" },
	{ NULL, 0, NULL, NULL, NULL },
};

static const struct opt_program program = { "mox-queued", "[options]",
	"Deliver the messages of the queue, in time and again.", options };

static int
open_folder(const char *path, struct err *e)
{
	int fd;

	if (file_mkdirs(AT_FDCWD, path, 0700, e) < 0)
		return -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "%s", path) : fd;
}

/* HOST.RANDOM: one to a process on any number of hosts. */
static void
name_runner(struct runner *r)
{
	char random[RANDOM_CHARS + 1];

	rand_text(NULL, random, RANDOM_CHARS);
	snprintf(r->name, sizeof(r->name), "%.*s.%s",
	    (int)(r->config->hostname.n < 100 ? r->config->hostname.n : 100),
	    r->config->hostname.p, random);
}

/* An old domains.cdb is better than no mail. */
static void
compile_domains(const struct config *config)
{
	struct arena *arena = arena_new(0);
	struct sconf_errors errors;

	sconf_errors_init(&errors, arena);
	if (domains_cdb_refresh(config, &errors) < 0)
		config_print_errors(&errors);
	arena_free(&arena);
}

static int
open_queue(struct runner *r, const char *run_dir, struct err *e)
{
	int data = open_folder(r->config->data_dir, e), run;

	if (data < 0 || (run = open_folder(run_dir, e)) < 0 ||
	    file_mkdirs(run, "watch", 0700, e) < 0 ||
	    queue_open(&r->q, data, run, clock_program(), NULL, e) < 0)
		return -1;
	name_runner(r);
	compile_domains(r->config);
	return lookup_open(r->config, &r->lookup, e) < 0 ? -1
							 : runner_open(r, e);
}

/* The queue, who an address is, waking up; no network, no program. */
static int
enter_jail(const struct runner *r, struct arena *arena, const char *run_dir,
    struct err *e)
{
	const struct sandbox_path paths[] = {
		{ config_data(r->config, arena, "queue"),
		    SANDBOX_READ | SANDBOX_WRITE },
		{ config_data(r->config, arena, "lookup"), SANDBOX_READ },
		{ run_dir, SANDBOX_READ | SANDBOX_WRITE },
	};
	struct sandbox *jail =
	    sandbox_new(SANDBOX_BACK, paths, sizeof(paths) / sizeof(*paths), e);

	return jail ? sandbox_enter(jail, e) : -1;
}

static const int runner_signals[] = { SIGTERM, SIGINT, SIGHUP, 0 };
static const int starter_signals[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD, 0 };

static _Noreturn void
run(struct runner *r, struct arena *arena, const char *run_dir, pid_t parent)
{
	struct err e = ERR_INIT;
	int signals;

	proc_signals_reset();
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		exit(EXIT_LATER);
	signals = proc_signals(runner_signals, &e);
	if (signals < 0 || enter_jail(r, arena, run_dir, &e) < 0)
		proc_die(program.name, &e);
	runner_run(r, signals);
	exit(EXIT_DONE);
}

int
main(int argc, char **argv)
{
	struct arena *arena = arena_new(0);
	struct err e = ERR_INIT;
	struct runner r = { .dir = -1 };
	struct starter s;
	const char *run_dir;
	int pair[2], signals, rc;
	pid_t self = getpid();

	if (opt_parse(&program, argc, argv) != argc)
		opt_usage(&program, "unexpected argument");
	if (opt_nosandbox)
		sandbox_off();
	log_init(program.name, LOG_INFO);
	user_limits();
	r.config = config_load_or_exit(opt_config);
	config_log_init(r.config, program.name);
	r.localserve = opt_localserve;
	run_dir = arena_printf(arena, "%s/../run", r.config->data_dir).p;
	if (user_become(r.config->mox.user, &e) < 0 ||
	    open_queue(&r, run_dir, &e) < 0 ||
	    (signals = proc_signals(starter_signals, &e)) < 0)
		proc_die(program.name, &e);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		err_sys(&e, "socketpair");
		proc_die(program.name, &e);
	}
	s = (struct starter){ .config = r.config,
		.runner = r.name,
		.localserve = opt_localserve,
		.nosandbox = opt_nosandbox,
		.runner_pid = fork() };
	if (s.runner_pid == 0) {
		r.starter = pair[0];
		close(pair[1]);
		run(&r, arena, run_dir, self);
	}
	close(pair[0]);
	if (s.runner_pid < 0)
		err_sys(&e, "fork");
	rc = s.runner_pid < 0 ? -1 : starter_open(&s, argv[0], &e);
	notify_ready((int)opt_notify_fd);
	if (rc == 0)
		rc = starter_run(&s, pair[1], signals, &e);
	if (rc < 0)
		proc_die(program.name, &e);
	return rc;
}
