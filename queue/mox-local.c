/*
 * mox-local - deliver items of the queue to accounts of this host, and tell
 * senders what became of theirs. Started by mox-queued.
 */
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/opt.h"
#include "base/proc.h"
#include "queue/local.h"
#include "service/sandbox.h"
#include "service/user.h"

static const char *opt_config, *opt_runner;
static bool opt_localserve, opt_nosandbox;

static const struct opt options[] = {
	{ "config", OPT_STRING, &opt_config, "file",
	    "mox.conf; default $MOXCONF or config/mox.conf" },
	{ "localserve", OPT_BOOL, &opt_localserve, NULL,
	    "every address is that of the account mox; special ones fail" },
	{ "nosandbox", OPT_BOOL, &opt_nosandbox, NULL,
	    "start on a kernel without seccomp" },
	{ "runner", OPT_STRING, &opt_runner, "name",
	    "the folder below queue/active that items are in" },
	{ NULL, 0, NULL, NULL, NULL },
};

static const struct opt_program program = { "mox-local",
	"[options] -runner name",
	"Deliver items of the queue to accounts of this host.", options };

/* ---- start ---- */

/* Stores, the items of this runner, new messages for the queue, waking up; no
 * network, no program. */
static int
enter_jail(const struct local *l, struct arena *arena, struct err *e)
{
	const struct config *c = l->host.config;
	const struct sandbox_path paths[] = {
		{ config_data(c, arena, "accounts"),
		    SANDBOX_READ | SANDBOX_WRITE },
		{ config_data(c, arena, "tmp"), SANDBOX_READ | SANDBOX_WRITE },
		{ config_data(c, arena, "shared"),
		    SANDBOX_READ | SANDBOX_WRITE },
		{ config_data(c, arena, "lookup"), SANDBOX_READ },
		{ config_data(c, arena, "queue/msg"), SANDBOX_READ },
		{ config_data(c, arena, "queue/tmp"),
		    SANDBOX_READ | SANDBOX_WRITE },
		{ config_data(c, arena, "queue/todo"),
		    SANDBOX_READ | SANDBOX_WRITE },
		{ arena_printf(arena, "%s/queue/active/%s", c->data_dir,
		      opt_runner)
			.p,
		    SANDBOX_READ | SANDBOX_WRITE },
		{ arena_printf(arena, "%s/../run", c->data_dir).p,
		    SANDBOX_READ },
		{ arena_printf(arena, "%s/../run/watch", c->data_dir).p,
		    SANDBOX_READ | SANDBOX_WRITE },
	};
	struct sandbox *jail =
	    sandbox_new(SANDBOX_BACK, paths, sizeof(paths) / sizeof(*paths), e);

	return jail ? sandbox_enter(jail, e) : -1;
}

static int
start(struct local *l, struct arena *arena, struct config *config,
    struct err *e)
{
	/* Before anything is open: the parser shall have none of it. */
	if (local_parser_start(&l->parser, e) < 0 ||
	    host_load_mail(&l->host, config, arena, e) < 0 ||
	    group_init(&l->group, l->host.env.data_fd, opt_runner,
		l->host.env.clock, e) < 0 ||
	    queue_open(&l->queue, l->host.env.data_fd, l->host.env.run_fd,
		l->host.env.clock, l->host.env.rand, e) < 0)
		return -1;
	if (local_signing_start(&l->signing, &l->host, arena, e) < 0)
		return -1;
	tzset();
	log_levels_file(arena_printf(arena, "%s/../run/loglevels",
	    config->data_dir)
			    .p);
	l->deliver = deliver_new(&l->host);
	l->localserve = opt_localserve;
	return enter_jail(l, arena, e);
}

/* ---- groups ---- */

static int
take_group(void *ctx, struct slice word, struct slice rest, const char **answer,
    struct err *e)
{
	struct local *l = ctx;
	struct slice kind, names;

	(void)answer;
	lookup_refresh(l->host.lookup, clock_mono_ms(NULL) * 1000000);
	if (slice_is(word, "send"))
		return local_send(l, rest, e);
	if (slice_is(word, "dsn")) {
		slice_cut(rest, ' ', &kind, &names);
		return local_tell(l, kind, names, e);
	}
	log_line(QUEUE_TOPIC, LOG_ERROR, "unknown command",
	    LOG_S("command", word));
	return 0;
}

static void
tidy(void *ctx)
{
	deliver_tidy(((struct local *)ctx)->deliver);
}

int
main(int argc, char **argv)
{
	struct arena *arena = arena_new(0);
	struct local local = { .parser = -1 };
	struct err e = ERR_INIT;
	struct config *config;

	if (opt_parse(&program, argc, argv) != argc)
		opt_usage(&program, "unexpected argument");
	if (!group_runner_ok(opt_runner))
		opt_usage(&program, "-runner needs the name of a folder");
	if (opt_nosandbox)
		sandbox_off();
	log_init(program.name, LOG_INFO);
	user_limits();
	config = config_load_or_exit(opt_config);
	config_log_init(config, program.name);
	if (user_become(config->mox.user, &e) < 0 ||
	    start(&local, arena, config, &e) < 0 ||
	    group_serve(&local.group, take_group, tidy, &local, &e) < 0)
		proc_die(program.name, &e);
	deliver_free(&local.deliver);
	return EXIT_DONE;
}
