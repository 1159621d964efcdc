/*
 * mox-remote - deliver items of the queue to one destination over SMTP.
 * Started by mox-queued.
 */
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/opt.h"
#include "base/proc.h"
#include "queue/remote.h"
#include "service/sandbox.h"
#include "service/user.h"

#define LIFE_MS (10 * 60 * 1000) /* then addresses are looked up anew */

static const char *opt_config, *opt_runner, *opt_destination;
static long opt_dns = -1, opt_mtasts = -1;
static bool opt_nosandbox;

static const struct opt options[] = {
	{ "config", OPT_STRING, &opt_config, "file",
	    "mox.conf; default $MOXCONF or config/mox.conf" },
	{ "destination", OPT_STRING, &opt_destination, "where",
	    "\"transport NAME\" or \"mx DOMAIN\"" },
	{ "dns", OPT_INT, &opt_dns, "fd",
	    "the door of a mox-resolver" },
	{ "mtasts", OPT_INT, &opt_mtasts, "fd",
	    "the door of mox-mtasts serve" },
	{ "nosandbox", OPT_BOOL, &opt_nosandbox, NULL,
	    "start on a kernel without seccomp" },
	{ "runner", OPT_STRING, &opt_runner, "name",
	    "the folder below queue/active that items are in" },
	{ NULL, 0, NULL, NULL, NULL },
};

static const struct opt_program program = { "mox-remote",
	"[options] -runner name -destination where",
	"Deliver items of the queue to one destination over SMTP.", options };

/* Its items and their messages, and the network. */
static int
enter_jail(const struct remote *r, struct arena *arena, struct err *e)
{
	const struct config *c = r->config;
	const struct sandbox_path paths[] = {
		{ config_data(c, arena, "queue/msg"), SANDBOX_READ },
		{ arena_printf(arena, "%s/queue/active/%s", c->data_dir,
		      opt_runner)
			.p,
		    SANDBOX_READ | SANDBOX_WRITE },
		{ arena_printf(arena, "%s/../run", c->data_dir).p,
		    SANDBOX_READ },
	};
	struct sandbox *jail = sandbox_new(SANDBOX_CLIENT, paths,
	    sizeof(paths) / sizeof(*paths), e);

	return jail ? sandbox_enter(jail, e) : -1;
}

static int
start(struct remote *r, struct arena *arena, struct err *e)
{
	int data =
	    open(r->config->data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (data < 0)
		return err_sys(e, "%s", r->config->data_dir);
	if (group_init(&r->group, data, opt_runner, clock_program(), e) < 0 ||
	    remote_init(r, slice_str(opt_destination), arena, e) < 0)
		return -1;
	close(data);
	tzset();
	return enter_jail(r, arena, e);
}

struct program_state {
	struct remote remote;
	int64_t end_ms;
};

static int
take_group(void *ctx, struct slice word, struct slice rest, const char **answer,
    struct err *e)
{
	struct program_state *s = ctx;

	(void)e;
	if (slice_is(word, "send"))
		remote_send(&s->remote, rest, answer);
	else
		log_line(QUEUE_TOPIC, LOG_ERROR, "unknown command",
		    LOG_S("command", word));
	if (clock_mono_ms(NULL) >= s->end_ms)
		*answer = NULL;
	return 0;
}

int
main(int argc, char **argv)
{
	struct arena *arena = arena_new(0);
	struct program_state s = { .end_ms = clock_mono_ms(NULL) + LIFE_MS };
	struct err e = ERR_INIT;

	if (opt_parse(&program, argc, argv) != argc)
		opt_usage(&program, "unexpected argument");
	if (!group_runner_ok(opt_runner))
		opt_usage(&program, "-runner needs the name of a folder");
	if (!opt_destination)
		opt_usage(&program, "-destination is needed");
	if (opt_nosandbox)
		sandbox_off();
	log_init(program.name, LOG_INFO);
	user_limits();
	s.remote.config = config_load_or_exit(opt_config);
	config_log_init(s.remote.config, program.name);
	if (user_become(s.remote.config->mox.user, &e) < 0 ||
	    start(&s.remote, arena, &e) < 0 ||
	    group_serve(&s.remote.group, take_group, NULL, &s, &e) < 0)
		proc_die(program.name, &e);
	remote_close(&s.remote);
	return EXIT_DONE;
}
