/*
 * mox-resolver - asks the DNS for the processes of a service, which have no
 * network.
 */
#include <sys/resource.h>

#include "base/log.h"
#include "base/opt.h"
#include "base/proc.h"
#include "host/host_dns.h"
#include "service/sandbox.h"
#include "service/user.h"

#define DESCRIPTORS 8192

static const char *opt_config;
static long opt_door = -1;
static bool opt_no_sandbox;

static const struct opt options[] = {
	{ "config", OPT_STRING, &opt_config, "file",
	    "mox.conf, for DNS and User; without it only the environment "
	    "counts" },
	{ "door", OPT_INT, &opt_door, "fd",
	    "socket through which those who ask send theirs" },
	{ "nosandbox", OPT_BOOL, &opt_no_sandbox, NULL,
	    "run where the system has no seccomp" },
	{ NULL, 0, NULL, NULL, NULL },
};

static const struct opt_program program = { "mox-resolver", "-door fd",
	"Ask the DNS for a service's processes. Services start it.", options };

/* Each who asks has a descriptor here, and each question some. */
static void
raise_descriptors(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) < 0)
		return;
	if (r.rlim_max > DESCRIPTORS)
		r.rlim_max = DESCRIPTORS;
	r.rlim_cur = r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r);
}

static int
enter(void *ctx, struct err *e)
{
	return sandbox_enter(ctx, e);
}

/* Only the folder of the trust anchor is read, at the first question. */
static struct sandbox *
new_jail(const struct resolver_conf *conf, struct arena *arena, struct err *e)
{
	struct slice file = slice_str(conf->trust_anchor ? conf->trust_anchor
							 : RESOLVER_ANCHOR);
	ssize_t slash = slice_rchr(file, '/');
	const struct sandbox_path path = { slash > 0
		    ? arena_cstr(arena, slice_head(file, (size_t)slash))
		    : ".",
		SANDBOX_READ };

	return sandbox_new(SANDBOX_CLIENT, &path, 1, e);
}

int
main(int argc, char **argv)
{
	int first = opt_parse(&program, argc, argv);
	struct arena *arena = arena_new(0);
	struct config *config = NULL;
	struct resolver_conf conf;
	struct sandbox *jail;
	struct err e = ERR_INIT;

	if (first != argc || opt_door < 0)
		opt_usage(&program, "services start it, with -door");
	if (opt_no_sandbox)
		sandbox_off();
	log_init(program.name, LOG_INFO);
	if (opt_config != NULL) {
		config = config_load_or_exit(opt_config);
		config_log_init(config, program.name);
	}
	user_limits();
	raise_descriptors();
	host_dns_conf(config, arena, &conf);
	jail = new_jail(&conf, arena, &e);
	if (jail == NULL ||
	    user_become(config ? config->mox.user : SLICE_NULL, &e) < 0 ||
	    resolver_serve(&conf, (int)opt_door, enter, jail, &e) < 0)
		proc_die(program.name, &e);
	sandbox_free(&jail);
	config_free(&config);
	arena_free(&arena);
	return EXIT_DONE;
}
