/*
 * starter - starts the programs of the runner, which itself may not: a fixed
 * list, told over a socket that passes descriptors.
 *
 * It also keeps the two programs that deliveries ask, each behind a door whose
 * end is passed to every mox-remote: mox-resolver for DNS, and `mox-mtasts
 * serve`, which fetches policies. One of each serves all, and remembers. And it
 * starts programs that are to run once a day or so.
 *
 * The starter has no jail, since jails outlive exec; it reads nothing but
 * struct starter_request from the runner, and parses nothing but domains.conf:
 * the runner may not, and its routes change there.
 */
#ifndef QUEUE_STARTER_H
#define QUEUE_STARTER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/slice.h"
#include "config/config.h"
#include "service/door.h"

enum starter_program { STARTER_REMOTE, STARTER_LOCAL, STARTER_PROGRAMS };

#define STARTER_NAME_MAX 600 /* of a domain, a transport */

struct starter_request {
	uint32_t program; /* enum starter_program */
	uint32_t n;       /* bytes of dest */
	char dest
	    [STARTER_NAME_MAX]; /* "transport NAME", "mx DOMAIN", "mx DOMAIN NAME" */
};

#define STARTER_FDS 3 /* descriptors of a request: stdin, stdout, the lock */

/*
 * A program takes 4 ms to start. So the starter keeps a mox-remote -warm, which
 * has loaded what all destinations need, and hands requests on to it as they
 * are, over a socket that is its STARTER_FD: it forks a child for each. It says
 * that it is ready by a byte. As long as there is none, because it died or
 * mox.conf has changed, programs are started.
 */
#define STARTER_FD 3

struct starter_warm {
	pid_t pid;        /* the last that was started */
	int fd;           /* its socket; -1: there is none */
	bool ready;       /* it has said so */
	bool unable;      /* another program of that name, without -warm */
	int64_t next_ms;  /* not started before */
	struct stat conf; /* of the mox.conf it has loaded */
};

#define STARTER_PERIODIC 1 /* programs started from time to time */

struct starter_periodic {
	int64_t next_ms; /* by clock_mono_ms; 0: not known yet */
	pid_t pid;       /* while it runs; one at a time */
};

struct starter {
	const struct config *config;
	const char *runner; /* name of the folder below active/ */
	bool localserve, nosandbox;
	pid_t runner_pid;
	struct door dns, mtasts;
	struct starter_warm warm;
	struct starter_periodic periodic[STARTER_PERIODIC];
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

/* In the starter: hand a request on, with descriptors that stay the caller's.
 * flags: of sendmsg. 0, or -1 with e. */
int starter_send(int fd, const struct starter_request *req,
    const int fds[STARTER_FDS], int flags, struct err *e);

/* In the starter and mox-remote -warm: wait for a request. 1 with its
 * descriptors, close-on-exec, which the caller closes; 0 who asks is gone; -1
 * with e. */
int starter_receive(int fd, struct starter_request *req, int fds[STARTER_FDS],
    struct err *e);

/* ---- starter_periodic.c ---- */

/* Start what is due: first five minutes after the first call. */
void starter_periodic_start(struct starter *s, int64_t now_ms);
/* A child ended; false if it was another one. A failure is logged. */
bool starter_periodic_ended(struct starter *s, pid_t pid, int status);

/* ---- starter_warm.c ---- */

/* Start the warm mox-remote, if there is none and it is time. */
void starter_warm_start(struct starter *s, int64_t now_ms);
/* Poll found its first byte, or its end. */
void starter_warm_heard(struct starter_warm *w);
/* A child of the starter has ended: perhaps this one. */
void starter_warm_ended(struct starter_warm *w, pid_t pid, int status);
/* Hand a request on. False: it cannot take it now. */
bool starter_warm_take(struct starter *s, const struct starter_request *req,
    const int fds[STARTER_FDS]);

#endif
