/*
 * policyask - the policies of domains as a delivery asks for them: through a
 * door, behind which `mox-mtasts serve` is started when it is needed.
 *
 *	policyask mox.conf data/mtasts domain...
 *
 * Asks for all domains at the same time, a process each, and prints a line for
 * each in order: "domain status mode failure-type why". DNS is that of the
 * environment.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/proc.h"
#include "dns/resolver.h"
#include "mtasts/mtasts.h"
#include "service/door.h"
#include "service/user.h"

static void
ask(struct door *door, int mtasts_fd, const char *domain, int out)
{
	static const char *const names[] = { "none", "ok", "temp" };
	const struct mtasts_fetcher fetcher = { mtasts_ask, &door->ask };
	struct arena *arena = arena_new(0);
	struct resolver_conf conf = { 0 };
	struct mtasts_result r;
	struct err e = ERR_INIT;
	struct dns *dns;

	resolver_conf_env(&conf, arena);
	dns = resolver_new(&conf, &e);
	if (dns == NULL)
		proc_die("policyask", &e);
	mtasts_get(dns, mtasts_fd, &fetcher, clock_program(), arena,
	    slice_str(domain), &r);
	dprintf(out, "%s %s %s %.*s %.*s\n", domain, names[r.status],
	    r.text.n > 0 ? mtasts_mode_name(r.policy.mode) : "-",
	    r.failure_type.n > 0 ? (int)r.failure_type.n : 1,
	    r.failure_type.n > 0 ? r.failure_type.p : "-", SLICE_FMT(r.why));
	dns_free(&dns);
	arena_free(&arena);
}

/* One after the other: each pipe holds a line. */
static void
print_all(const int *fds, int n)
{
	char line[2000];

	for (int i = 0; i < n; i++) {
		ssize_t got = read(fds[i], line, sizeof(line));

		fwrite(line, 1, got < 0 ? 0 : (size_t)got, stdout);
		wait(NULL);
	}
}

int
main(int argc, char **argv)
{
	struct door door = { .program = "mox-mtasts",
		.self = argv[0],
		.args = { "serve", "-config", argc > 1 ? argv[1] : "",
		    "-timeout", "5" } };
	int fds[64], mtasts_fd, n = argc - 3;
	struct err e = ERR_INIT;

	if (n < 1 || n > 64)
		return EXIT_USAGE;
	log_init("policyask", LOG_INFO);
	user_limits();
	mtasts_fd = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mtasts_fd < 0 || door_keep_alone(&door, &e) < 0) {
		perror(argv[2]);
		return EXIT_FAILED;
	}
	for (int i = 0; i < n; i++) {
		int ends[2];

		if (pipe2(ends, O_CLOEXEC) < 0)
			return EXIT_FAILED;
		fds[i] = ends[0];
		if (fork() == 0) {
			ask(&door, mtasts_fd, argv[i + 3], ends[1]);
			_exit(0);
		}
		close(ends[1]);
	}
	print_all(fds, n);
	return EXIT_DONE;
}
