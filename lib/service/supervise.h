/*
 * supervise - keep a few services running: start, restart with back-off, stop.
 *
 * For mox-localserve and mox-serve; a service manager does the same with the
 * units in conf/. Services get listening sockets in the way of systemd
 * (LISTEN_FDS, LISTEN_FDNAMES, from descriptor 3 on) and say that they are
 * ready in the way of s6 (a newline on the descriptor of -notify-fd).
 * Depends on lib/base. Keeps the process's SIGINT, SIGTERM, SIGHUP and
 * SIGCHLD to itself while it runs.
 */
#ifndef SERVICE_SUPERVISE_H
#define SERVICE_SUPERVISE_H

#include "base/err.h"
#include "base/slice.h"

struct supervise_socket {
	int fd;
	const char *name; /* KIND.LISTENER, as in LISTEN_FDNAMES */
};

struct supervise_service {
	const char *name;        /* for messages: "mox-smtpd" */
	const char *const *argv; /* argv[0] is looked up in PATH; "-notify-fd
				     * N" is added at the end */
	const struct supervise_socket *sockets;
	size_t nsockets;
};

/*
 * Start all services and keep them running until SIGINT or SIGTERM, then stop
 * them: SIGTERM, and SIGKILL to what is left after SUPERVISE_STOP_MS. SIGHUP is
 * passed on. A service that ends by itself is started again, at once the first
 * time, later after 1, 2, 4 ... 60 seconds. They die with this process.
 *
 * ready (may be NULL) is called once, when every service has said that it is
 * ready. Returns the number of the signal that ended it, or -1 with e set when
 * a service ends before it was ever ready: its own message says why.
 */
#define SUPERVISE_STOP_MS 5000 /* services give their clients 3 s */
int supervise_run(const struct supervise_service *services, size_t n,
    void (*ready)(void *ctx), void *ctx, struct err *e);

#endif
