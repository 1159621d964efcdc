/*
 * mox-remote - deliver items of the queue to one destination over SMTP.
 * Started by mox-queued: as the parent of such (-warm), or for one.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/opt.h"
#include "base/proc.h"
#include "db/lock.h"
#include "host/host_tls.h"
#include "queue/remote.h"
#include "queue/warm.h"
#include "service/sandbox.h"
#include "service/user.h"

#define TRUST_MAX 50             /* folders with CA files */
#define LOCK_FD 3                /* of the runner */
#define LIFE_MS (10 * 60 * 1000) /* then addresses are looked up anew */

static const char *opt_config, *opt_runner, *opt_destination;
static long opt_dns = -1, opt_mtasts = -1;
static bool opt_nosandbox, opt_warm;

static const struct opt options[] = {
	{ "config", OPT_STRING, &opt_config, "file",
	    "mox.conf; default $MOXCONF or config/mox.conf" },
	{ "destination", OPT_STRING, &opt_destination, "where",
	    "\"transport NAME\" or \"mx DOMAIN\"" },
	{ "dns", OPT_INT, &opt_dns, "fd", "the door of a mox-resolver" },
	{ "mtasts", OPT_INT, &opt_mtasts, "fd",
	    "the door of mox-mtasts serve" },
	{ "nosandbox", OPT_BOOL, &opt_nosandbox, NULL,
	    "start on a kernel without seccomp" },
	{ "runner", OPT_STRING, &opt_runner, "name",
	    "the folder below queue/active that items are in" },
	{ "warm", OPT_BOOL, &opt_warm, NULL,
	    "for mox-queued: a child for each destination told on fd 3" },
	{ NULL, 0, NULL, NULL, NULL },
};

static const struct opt_program program = { "mox-remote",
	"[options] -runner name -destination where",
	"Deliver items of the queue to one destination over SMTP.", options };

struct program_state {
	struct remote remote;
	struct sandbox *jail;
	struct arena *arena;
	int64_t end_ms;
};

/* Its items and their messages, what is known of domains, and the network. The
 * same for all destinations: made once. */
static int
make_jail(struct program_state *s, struct err *e)
{
	static const struct {
		const char *folder;
		int rights;
	} rows[] = {
		{ "queue/msg", SANDBOX_READ },
		{ "mtasts", SANDBOX_READ | SANDBOX_WRITE },
		{ "tlsresults", SANDBOX_READ | SANDBOX_WRITE },
		{ "rcpttls", SANDBOX_READ | SANDBOX_WRITE },
		{ "../run", SANDBOX_READ },
	};
	const struct config *c = s->remote.config;
	struct sandbox_path paths[sizeof(rows) / sizeof(*rows) + 1 + TRUST_MAX];
	const char *trust[TRUST_MAX];
	size_t n = 0, t;

	for (; n < sizeof(rows) / sizeof(*rows); n++)
		paths[n] = (struct sandbox_path){
			config_data(c, s->arena, rows[n].folder), rows[n].rights
		};
	paths[n++] =
	    (struct sandbox_path){ arena_printf(s->arena, "%s/queue/active/%s",
				       c->data_dir, opt_runner)
				       .p,
		    SANDBOX_READ | SANDBOX_WRITE };
	t = host_tls_folders(c, s->arena, trust, TRUST_MAX);
	for (size_t i = 0; i < t; i++)
		paths[n++] = (struct sandbox_path){ trust[i], SANDBOX_READ };
	s->jail = sandbox_new(SANDBOX_CLIENT, paths, n, e);
	return s->jail ? 0 : -1;
}

/* What all destinations need. */
static int
make_ready(struct program_state *s, struct err *e)
{
	struct remote *r = &s->remote;
	int data =
	    open(r->config->data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (data < 0)
		return err_sys(e, "%s", r->config->data_dir);
	if (group_init(&r->group, data, opt_runner, clock_program(), e) < 0 ||
	    remote_open(r, data, e) < 0)
		return -1;
	close(data);
	tzset();
	return make_jail(s, e);
}

/* The runner passes its lock on the folder; others lock it here, so that no
 * runner takes the items for those of somebody who is gone. */
static int
hold_folder(const struct program_state *s, struct err *e)
{
	static struct db_lock lock = DB_LOCK_INIT; /* until this process ends */
	int dir = s->remote.group.dir;
	struct stat passed, file;

	if (fstat(LOCK_FD, &passed) == 0 &&
	    fstatat(dir, ".lock", &file, 0) == 0 &&
	    passed.st_ino == file.st_ino && passed.st_dev == file.st_dev)
		return 0;
	return db_lock(&lock, dir, ".lock", DB_LOCK_LEASE, 0, e) == 1
	    ? 0
	    : err_prefix(e, "queue/active/%s", opt_runner);
}

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

/* Until stdin ends, or SIGTERM: then behind the message that is on its way,
 * since who breaks off cannot know whether it was taken. */
static int
deliver(struct program_state *s, struct slice destination, struct err *e)
{
	static const int numbers[] = { SIGTERM, 0 };
	struct remote *r = &s->remote;

	s->end_ms = clock_mono_ms(NULL) + LIFE_MS;
	r->group.signals = proc_signals(numbers, e);
	if (r->group.signals < 0 ||
	    remote_init(r, destination, s->arena, e) < 0 ||
	    sandbox_enter(s->jail, e) < 0 ||
	    group_serve(&r->group, take_group, NULL, s, e) < 0)
		return -1;
	remote_close(r);
	return 0;
}

/* ---- of many, a child each ---- */

static void
prepare(void *ctx, struct slice destination)
{
	struct program_state *s = ctx;

	remote_prepare(&s->remote, destination);
}

static int
deliver_in_child(void *ctx, struct slice destination, const int *fds)
{
	struct err e = ERR_INIT;

	(void)fds; /* the lock: held as long as this process lives */
	if (deliver(ctx, destination, &e) < 0)
		proc_die(program.name, &e);
	return EXIT_DONE;
}

int
main(int argc, char **argv)
{
	struct program_state s = { .arena = arena_new(0) };
	const struct warm_work work = { prepare, deliver_in_child, &s };
	struct err e = ERR_INIT;
	int rc;

	if (opt_parse(&program, argc, argv) != argc)
		opt_usage(&program, "unexpected argument");
	if (!group_runner_ok(opt_runner))
		opt_usage(&program, "-runner needs the name of a folder");
	if (!opt_destination == !opt_warm)
		opt_usage(&program, "-destination is needed");
	if (opt_nosandbox)
		sandbox_off();
	log_init(program.name, LOG_INFO);
	user_limits();
	s.remote.dns_door = (int)opt_dns;
	s.remote.mtasts_door = (int)opt_mtasts;
	s.remote.config = config_load_or_exit(opt_config);
	config_log_init(s.remote.config, program.name);
	if (user_become(s.remote.config->mox.user, &e) < 0 ||
	    make_ready(&s, &e) < 0 || (!opt_warm && hold_folder(&s, &e) < 0))
		proc_die(program.name, &e);
	rc = opt_warm ? warm_serve(STARTER_FD, &work, &e)
		      : deliver(&s, slice_str(opt_destination), &e);
	if (rc < 0)
		proc_die(program.name, &e);
	return EXIT_DONE;
}
