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

#define LINE_MAX_BYTES (256 * 1024) /* thousands of items */

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

static int
open_folders(struct local *l, struct err *e)
{
	int active;

	l->queue_fd = openat(l->host.env.data_fd, "queue",
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (l->queue_fd < 0)
		return err_sys(e, "queue");
	active =
	    openat(l->queue_fd, "active", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (active < 0)
		return err_sys(e, "queue/active");
	l->dir = openat(active, opt_runner, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (l->dir < 0)
		err_sys(e, "queue/active/%s", opt_runner);
	close(active);
	return l->dir < 0 ? -1 : 0;
}

/* Stores, the items of this runner, waking up; no network, no program. */
static int
enter_jail(const struct local *l, struct arena *arena, struct err *e)
{
	const struct config *c = l->host.config;
	const struct sandbox_path paths[] = {
		{ config_data(c, arena, "accounts"),
		    SANDBOX_READ | SANDBOX_WRITE },
		{ config_data(c, arena, "tmp"), SANDBOX_READ | SANDBOX_WRITE },
		{ config_data(c, arena, "lookup"), SANDBOX_READ },
		{ config_data(c, arena, "queue/msg"), SANDBOX_READ },
		{ arena_printf(arena, "%s/queue/active/%s", c->data_dir,
		      opt_runner)
			.p,
		    SANDBOX_READ | SANDBOX_WRITE },
		{ arena_printf(arena, "%s/../run", c->data_dir).p,
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
	    open_folders(l, e) < 0)
		return -1;
	tzset();
	l->deliver = deliver_new(&l->host);
	l->arena = arena_new(0);
	l->localserve = opt_localserve;
	return enter_jail(l, arena, e);
}

/* ---- groups ---- */

static int
take_group(struct local *l, struct slice line, struct err *e)
{
	struct slice word, kind, names;
	int rc = 0;

	lookup_refresh(l->host.lookup, clock_mono_ms(NULL) * 1000000);
	slice_cut(line, ' ', &word, &names);
	if (slice_is(word, "send"))
		rc = local_send(l, names, e);
	else if (slice_is(word, "dsn")) {
		slice_cut(names, ' ', &kind, &names);
		rc = local_tell(l, kind, names, e);
	} else
		log_line(QUEUE_TOPIC, LOG_ERROR, "unknown command",
		    LOG_S("line", line));
	if (rc < 0)
		return -1;
	puts("ready");
	if (fflush(stdout) != 0)
		return err_sys(e, "stdout");
	deliver_tidy(l->deliver);
	arena_reset(l->arena);
	return 0;
}

static int
take_groups(struct local *l, struct err *e)
{
	struct buf in = BUF_INIT(LINE_MAX_BYTES);
	struct slice line, rest;
	int rc = 0;

	while (rc == 0) {
		char *p = buf_space(&in, 4096);
		ssize_t n = p ? read(STDIN_FILENO, p, 4096)
			      : err_set(e, ERR_LIMIT, "stdin: line too long");
		if (n <= 0) {
			rc = n < 0 && p ? err_sys(e, "stdin") : (int)n;
			break;
		}
		in.n += (size_t)n;
		while (rc == 0 &&
		    slice_cut(buf_slice(&in), '\n', &line, &rest)) {
			size_t used = line.n + 1;
			rc = take_group(l, line, e);
			buf_consume(&in, used);
		}
	}
	buf_free(&in);
	return rc;
}

int
main(int argc, char **argv)
{
	struct arena *arena = arena_new(0);
	struct local local = { .queue_fd = -1, .dir = -1 };
	struct err e = ERR_INIT;
	struct config *config;

	if (opt_parse(&program, argc, argv) != argc)
		opt_usage(&program, "unexpected argument");
	if (!opt_runner || slice_chr(slice_str(opt_runner), '/') >= 0 ||
	    *opt_runner == '.')
		opt_usage(&program, "-runner needs the name of a folder");
	if (opt_nosandbox)
		sandbox_off();
	log_init(program.name, LOG_INFO);
	user_limits();
	config = config_load_or_exit(opt_config);
	config_log_init(config, program.name);
	if (user_become(config->mox.user, &e) < 0 ||
	    start(&local, arena, config, &e) < 0 || take_groups(&local, &e) < 0)
		proc_die(program.name, &e);
	deliver_free(&local.deliver);
	return EXIT_DONE;
}
