/*
 * supervise - keep a few services running: start, restart with back-off, stop.
 *
 * For mox-localserve and mox-serve; a service manager does the same with the
 * units in conf/. Services get listening sockets and opened files in the way
 * of systemd (LISTEN_FDS, LISTEN_FDNAMES, from descriptor 3 on) and say that
 * they are ready in the way of s6 (a newline on the descriptor of -notify-fd).
 * Depends on lib/base. Keeps the process's SIGINT, SIGTERM, SIGHUP and
 * SIGCHLD to itself while it runs.
 */
#ifndef SERVICE_SUPERVISE_H
#define SERVICE_SUPERVISE_H

#include "base/err.h"
#include "base/slice.h"

struct supervise_socket {
	int fd;
	const char *name; /* KIND.LISTENER, as in LISTEN_FDNAMES; of a file,
			   * its absolute path */
};

struct supervise_service {
	const char *name;        /* for messages: "mox-smtpd" */
	const char *const *argv; /* argv[0] is looked up in PATH; "-notify-fd
				     * N" is added at the end */
	const struct supervise_socket *sockets;
	size_t nsockets;
};

enum supervise_event {
	SUPERVISE_READY,    /* every service has said that it is ready; once */
	SUPERVISE_STOPPING, /* they are about to be stopped */
};

struct supervise {
	const struct supervise_service *services;
	size_t n;
	/* Commands, a byte each: SUPERVISE_STOP, SUPERVISE_RELOAD; others are
	 * passed over. A descriptor that never reads end of file, or -1. */
	int commands;
	void (*tell)(void *ctx, enum supervise_event event); /* or NULL */
	void *ctx;
};

#define SUPERVISE_STOP 't'   /* as SIGTERM */
#define SUPERVISE_RELOAD 'h' /* as SIGHUP */

/*
 * Start all services and keep them running until SIGINT, SIGTERM or a command
 * says stop: then SIGTERM to all, and SIGKILL to what is left after
 * SUPERVISE_STOP_MS. SIGHUP is passed on. A service that ends by itself is
 * started again, at once the first time, later after 1, 2, 4 ... 60 seconds.
 * They die with this process.
 *
 * Returns 0 when it was told to stop, or -1 with e set when a service ends
 * before it was ever ready: its own message says why.
 */
#define SUPERVISE_STOP_MS 5000 /* services give their clients 3 s */
int supervise_run(const struct supervise *s, struct err *e);

#endif
