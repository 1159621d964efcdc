/* service - options, loading, warming, and which way connections come. */
#include "service/service.h"

#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/proc.h"
#include "service/service_int.h"
#include "service/user.h"
#include "text/charset.h"

/* ---- options ---- */

struct options {
	const char *kind, *listener;
	long notify_fd;
	bool no_sandbox;
};

static void
parse_options(const struct service *service, int argc, char **argv,
    struct options *o)
{
	const struct opt own[] = {
		{ "kind", OPT_STRING, &o->kind, "kind",
		    "what the connection on descriptor 0 speaks, or sockets "
		    "without a name" },
		{ "listener", OPT_STRING, &o->listener, "name",
		    "its listener in mox.conf (public)" },
		{ "notify-fd", OPT_INT, &o->notify_fd, "fd",
		    "write a newline there when ready, as s6 has it" },
		{ "nosandbox", OPT_BOOL, &o->no_sandbox, NULL,
		    "run where the system has no seccomp" },
		{ .name = NULL },
	};
	struct opt_program program = {
		.name = service->name, .args = "[options]", .doc = service->doc
	};
	struct opt *all;
	size_t n = 0, first;

	while (service->opts != NULL && service->opts[n].name != NULL)
		n++;
	all = xcalloc(n + sizeof(own) / sizeof(own[0]), sizeof(*all));
	for (size_t i = 0; i < n; i++)
		all[i] = service->opts[i];
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		all[n + i] = own[i];
	program.opts = all;
	first = (size_t)opt_parse(&program, argc, argv);
	if (first != (size_t)argc)
		opt_usage(&program, "no arguments are taken");
	free(all);
}

/* ---- loading ---- */

static int
open_shared(struct server *sv, struct err *e)
{
	const char *dir = sv->setup.run_dir;
	char path[4096];

	if (dir == NULL) {
		sv->limit = limit_private();
		return 0;
	}
	if (snprintf(path, sizeof(path), "%s/limits", dir) >= (int)sizeof(path))
		return err_set(e, ERR_LIMIT, "%s: name too long", dir);
	sv->limit = limit_open(path, e);
	if (sv->limit == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/counters", dir);
	sv->metrics = metrics_open(path, e);
	if (sv->metrics == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/loglevels", dir);
	log_levels_file(arena_cstr(sv->setup.arena, slice_str(path)));
	return 0;
}

/* The parent's jail is inherited by all, so it holds what backs may reach. */
static int
make_jails(struct server *sv, struct err *e)
{
	const struct service_setup *s = &sv->setup;
	size_t n = s->nback_paths + s->nparent_paths;
	struct sandbox_path *all = arena_array(s->arena, n, sizeof(*all));

	for (size_t i = 0; i < n; i++)
		all[i] = i < s->nback_paths
		    ? s->back_paths[i]
		    : s->parent_paths[i - s->nback_paths];
	sv->parent_jail = sandbox_new(SANDBOX_PARENT, all, n, e);
	sv->back_jail =
	    sandbox_new(SANDBOX_BACK, s->back_paths, s->nback_paths, e);
	sv->front_jail = sandbox_new(SANDBOX_FRONT, NULL, 0, e);
	sv->park_jail = sandbox_new(SANDBOX_PARK, NULL, 0, e);
	return sv->parent_jail == NULL || sv->back_jail == NULL ||
		sv->front_jail == NULL || sv->park_jail == NULL
	    ? -1
	    : 0;
}

/* Load everything, and become the user. */
static int
load(struct server *sv, struct err *e)
{
	sv->setup.limits = service_limits_default;
	if (sv->service->load(&sv->setup, e) < 0 ||
	    user_become(sv->setup.user, e) < 0)
		return -1;
	for (size_t i = 0; i < sv->setup.nfiles; i++)
		close(sv->setup.files[i].fd);
	return open_shared(sv, e) < 0 || make_jails(sv, e) < 0 ? -1 : 0;
}

#define HOLES_MAX (4 * 1024 * 1024) /* a heap is never so full of them */
/* What is larger goes back to the system when it is freed, always: glibc would
 * raise its limit with the first, and keep what one large message needed. */
#define LARGE (256 * 1024)

/*
 * Take the holes of the heap out of use. Children would else fill them, each in
 * its own copy of pages all over the heap; this way what they allocate lies
 * together behind its end, and what they free of it can be given back. Saves
 * about 100 KB an idle TLS connection.
 */
static void
fill_holes(void)
{
	static void **filled; /* a list, for leak checkers */
	const void *end;
	size_t sum = 0;

	malloc_trim(0);
	end = sbrk(0);
	for (size_t size = 64 * 1024; size >= 16;
	     size -= size > 1024 ? 512 : 16)
		for (;;) {
			void **p = malloc(size);
			if (p == NULL || (void *)p >= end ||
			    sum + size > HOLES_MAX) {
				free(p); /* no hole: it grew */
				break;
			}
			*p = filled;
			filled = p;
			sum += size;
		}
	malloc_trim(0);
}

/* What would else be done in every child, or not be allowed there. */
static int
warm(struct server *sv, struct err *e)
{
	const struct service_setup *s = &sv->setup;

	mallopt(M_MMAP_THRESHOLD, LARGE);
	tzset();
	OPENSSL_init_ssl(0, NULL);
	for (size_t i = 0; i < s->nlisteners; i++)
		if (s->listeners[i].tls != NULL &&
		    tls_server_warm(s->listeners[i].tls, e) < 0)
			return err_prefix(e, "listener %.*s",
			    SLICE_FMT(s->listeners[i].name));
	charset_warm();
	fill_holes();
	return 0;
}

/* ---- the two ways ---- */

static int
serve_one(struct server *sv, int read_fd, int write_fd)
{
	struct service_client client = { .listener = sv->setup.listeners,
		.read_fd = read_fd,
		.write_fd = write_fd,
		.ctx = sv->setup.ctx,
		.limits = &sv->setup.limits,
		.cid = (uint64_t)clock_us(NULL) };
	enum service_refusal why = SERVICE_ADMIT;
	sigset_t all;
	int one = 1;

	setsockopt(write_fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	listen_addresses(&client);
	if (!admit_is_proxy(client.listener, &client.ip))
		why = admit_rates(sv, client.listener, &client.ip);
	if (why != SERVICE_ADMIT) {
		const char *text = sv->service->refuse(&client, why);
		log_line(SERVICE_TOPIC, LOG_INFO, "refused",
		    LOG_Z("reason", admit_reason(why)));
		if (!client.listener->kind->tls &&
		    write(write_fd, text, slice_str(text).n) < 0)
			return EXIT_FAILED;
		return EXIT_DONE;
	}
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	return child_back(sv, &client);
}

/*
 * The C library's cache of freed chunks makes every child write to pages it
 * would share: without it an idle session takes 190 KB in place of 270, one
 * under TLS 430 in place of 610. It can be turned off at exec only; a process
 * for one connection does without, since that exec would cost more.
 */
static void
share_memory(char **argv)
{
	if (getenv("LISTEN_FDS") == NULL || getenv("GLIBC_TUNABLES") != NULL)
		return;
	setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0", 1);
	execv("/proc/self/exe", argv); /* if not, only memory is lost */
}

int
service_main(const struct service *service, int argc, char **argv)
{
	struct options o = { .listener = "public", .notify_fd = -1 };
	struct server sv = { .service = service,
		.argc = argc,
		.argv = argv,
		.control = -1,
		.setup.arena = arena_new(0) };
	struct err e = ERR_INIT;
	int read_fd, write_fd, ready_fd = -1;
	bool connected;

	share_memory(argv);
	prctl(PR_SET_NAME, service->name); /* it would be "exe" */
	parse_options(service, argc, argv, &o);
	log_init(service->name, LOG_INFO);
	user_limits();
	sv.no_sandbox = o.no_sandbox;
	if (o.no_sandbox)
		sandbox_off();
	if (listen_take(&sv, o.kind, o.listener, &connected, &read_fd,
		&write_fd, &e) < 0)
		proc_die(service->name, &e);
	if (!connected)
		ready_fd = keep(&sv, (int)o.notify_fd, &e);
	if ((connected ? resolver_keep_alone(&sv, &e) : ready_fd) < 0 ||
	    load(&sv, &e) < 0)
		proc_die(service->name, &e);
	if (connected)
		return serve_one(&sv, read_fd, write_fd);
	if (warm(&sv, &e) < 0)
		proc_die(service->name, &e);
	return serve(&sv, ready_fd);
}
