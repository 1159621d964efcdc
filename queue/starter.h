/*
 * starter - starts the programs of the runner, which itself may not: a fixed
 * list, told over a socket that passes descriptors.
 *
 * It also keeps the two programs that deliveries ask, each behind a door whose
 * end is passed to every mox-remote: mox-resolver for DNS, and `mox-mtasts
 * serve`, which fetches policies. One of each serves all, and remembers.
 *
 * The starter has no jail, since jails outlive exec; it reads nothing but
 * struct starter_request from the runner, and parses nothing but domains.conf:
 * the runner may not, and its routes change there.
 */
#ifndef QUEUE_STARTER_H
#define QUEUE_STARTER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/slice.h"
#include "config/config.h"
#include "service/door.h"

enum starter_program { STARTER_REMOTE, STARTER_LOCAL, STARTER_PROGRAMS };

#define STARTER_NAME_MAX 300 /* of a transport or domain */

struct starter_request {
	uint32_t program;            /* enum starter_program */
	uint32_t n;                  /* bytes of dest */
	char dest[STARTER_NAME_MAX]; /* "transport NAME", "mx DOMAIN" */
};

struct starter {
	const struct config *config;
	const char *runner; /* name of the folder below active/ */
	bool localserve, nosandbox;
	pid_t runner_pid;
	struct door dns, mtasts;
};

/* In the starter: make its doors. self: our argv[0]. 0, or -1 with e. */
int starter_open(struct starter *s, const char *self, struct err *e);

/*
 * In the starter: serve requests that come on fd, forward SIGTERM, SIGINT and
 * SIGHUP that come as bytes on signals, log how programs end, compile a changed
 * domains.conf, until the runner has ended. Returns the runner's exit code, or -1 with e.
 */
int starter_run(struct starter *s, int fd, int signals, struct err *e);

/*
 * In the runner: start a program with these ends of pipes as stdin and
 * stdout, and hold as a descriptor it keeps open. 0, or -1 with e.
 */
int starter_ask(int fd, enum starter_program program, struct slice dest, int in,
    int out, int hold, struct err *e);

#endif
