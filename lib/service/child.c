/*
 * child - the two processes of a connection.
 *
 * The back is forked by the parent, and forks the front before it does
 * anything else; both then enter their jails. A signal to the back stops both:
 * it passes it on to its group.
 *
 * A shared back, a worker, is told by its parent of one connection after
 * another, whose fronts the parent forks.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/proc.h"
#include "net/proxy.h"
#include "service/fdmsg.h"
#include "service/service_int.h"

#define TICK_MS 250
#define STOP_TICKS 12 /* 3 s */
/* For a front to write out what a session said last, to a slow client. */
#define DRAIN_S 600
#define PROXY_MS 5000 /* a proxy speaks first, and at once */
/* What a front may allocate in all: it holds a few buffers and a parser, so
 * this is out of reach unless something runs wild. */
#define FRONT_MEMORY (256L * 1024 * 1024)

/* ---- being told to stop ---- */

/* Handlers have no other way out. */
volatile sig_atomic_t service_stop;
static volatile sig_atomic_t stop_signal;
static volatile sig_atomic_t has_group; /* a back: the front is told by it */

enum service_refusal
service_stop_reason(void)
{
	if (service_stop == 0)
		return SERVICE_ADMIT;
	return stop_signal == SIGUSR1 ? SERVICE_TOO_MANY : SERVICE_STOPPING;
}

/*
 * Waits end by the signal. Should it come just before one begins, a tick of
 * the timer ends it. After the last tick nothing waits any longer.
 */
static void
on_stop(int number)
{
	const struct itimerval ticks = { { 0, TICK_MS * 1000 },
		{ 0, TICK_MS * 1000 } };
	int saved = errno;

	if (stop_signal == 0) {
		stop_signal = number;
		service_stop = 1;
		setitimer(ITIMER_REAL, &ticks, NULL);
		if (has_group)
			kill(0, number);
	}
	errno = saved;
}

static void
on_tick(int number)
{
	(void)number;
	if (service_stop++ >= STOP_TICKS)
		_exit(EXIT_DONE);
}

static void
handle_stop(void)
{
	struct sigaction stop = { .sa_handler = on_stop,
		.sa_flags = SA_RESTART };
	struct sigaction tick = { .sa_handler = on_tick,
		.sa_flags = SA_RESTART };

	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGUSR1, &stop, NULL);
	sigaction(SIGALRM, &tick, NULL);
}

static void
unblock_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

bool
service_is_crash(int status)
{
	if (WIFEXITED(status))
		return WEXITSTATUS(status) == EXIT_FRONT_CRASHED;
	switch (WTERMSIG(status)) {
	case SIGSEGV:
	case SIGBUS:
	case SIGILL:
	case SIGFPE:
	case SIGABRT:
	case SIGTRAP:
	case SIGSYS: /* seccomp */
		return true;
	default:
		return false;
	}
}

/* ---- the PROXY protocol ---- */

static int
read_proxy(int fd, struct proxy *proxy_r, struct err *e)
{
	int64_t end_ms = clock_mono_ms(NULL) + PROXY_MS;
	char bytes[PROXY_MAX];
	size_t n = 0;
	int need;

	while ((need = proxy_parse(slice_of(bytes, n), proxy_r, e)) > 0) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };
		int64_t left = end_ms - clock_mono_ms(NULL);
		ssize_t got;
		if (left <= 0 || poll(&pfd, 1, (int)left) <= 0)
			return err_set(e, ERR_TEMP, "proxy: time-out");
		got = recv(fd, bytes + n, (size_t)need, MSG_DONTWAIT);
		if (got == 0)
			return err_set(e, ERR_TEMP, "proxy: closed");
		if (got < 0 && errno != EAGAIN)
			return err_sys(e, "proxy");
		n += got > 0 ? (size_t)got : 0;
	}
	return need;
}

/* Learn from a proxy who the client is. 0, or -1 to close. */
static int
take_proxied(struct server *sv, struct service_client *client)
{
	struct err e = ERR_INIT;
	struct proxy proxy;
	enum service_refusal why;
	const char *text;

	if (read_proxy(client->read_fd, &proxy, &e) < 0) {
		log_line(SERVICE_TOPIC, LOG_WARN, "proxy", LOG_E(&e));
		return -1;
	}
	if (proxy.local) /* a health check of the proxy itself */
		return 0;
	client->ip = proxy.source;
	client->port = proxy.source_port;
	client->local_ip = proxy.destination;
	client->local_port = proxy.destination_port;
	why = admit_rates(sv, client->listener, &client->ip);
	if (why == SERVICE_ADMIT) {
		control_send(sv, CONTROL_PROXIED, &client->ip, SLICE_NULL);
		return 0;
	}
	text = sv->service->refuse(client, why);
	if (!client->listener->kind->tls)
		send(client->write_fd, text, strlen(text), MSG_NOSIGNAL);
	return -1;
}

/* ---- the front ---- */

/* Close all descriptors but these. Programs with sanitizers keep the one they
 * complain to. */
static void
close_others(int a, int b, int c)
{
	const int keep[] = { a, b, c };
#ifdef SANDBOX_SANITIZERS
	unsigned from = STDERR_FILENO + 1;
#else
	unsigned from = 0;
#endif

	for (;;) {
		unsigned next = ~0U; /* the lowest to keep, from there on */
		for (size_t i = 0; i < 3; i++)
			if ((unsigned)keep[i] >= from &&
			    (unsigned)keep[i] < next)
				next = (unsigned)keep[i];
		if (next == ~0U)
			break;
		if (next > from)
			close_range(from, next - 1, 0);
		from = next + 1;
	}
	close_range(from, ~0U, 0);
}

static void
limit_memory(void)
{
#ifndef SANDBOX_SANITIZERS
	const struct rlimit memory = { FRONT_MEMORY, FRONT_MEMORY };

	setrlimit(RLIMIT_DATA, &memory);
#endif
}

/* For ps: who it is. */
static void
set_name(const struct server *sv, const char *role)
{
	char name[16]; /* prctl(2) */

	snprintf(name, sizeof(name), "%s:%s", sv->service->name, role);
	prctl(PR_SET_NAME, name);
}

/* What it must not know. */
static void
forget(struct server *sv)
{
	if (sv->service->forget != NULL)
		sv->service->forget(sv->setup.ctx);
	limit_close(&sv->limit);
	metrics_close(&sv->metrics);
}

static void
dies_with(pid_t parent)
{
	if (parent == 0)
		return; /* tcpserver's, inetd's, systemd's */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent) /* it died before that */
		_exit(EXIT_LATER);
}

/* Into a jail of no files, with no descriptors but these. */
static void
enter_bare(struct server *sv, const char *role, const struct sandbox *jail,
    pid_t parent, int a, int b, int c)
{
	struct err e = ERR_INIT;

	has_group = 0;
	dies_with(parent);
	set_name(sv, role);
	forget(sv);
	limit_memory();
	if (sandbox_enter(jail, &e) < 0) {
		log_line(SERVICE_TOPIC, LOG_FATAL, "no jail", LOG_E(&e));
		_exit(EXIT_FAILED);
	}
	close_others(a, b, c);
	unblock_signals();
}

static void
enter_front(struct server *sv, pid_t parent, int a, int b, int c)
{
	enter_bare(sv, "front", sv->front_jail, parent, a, b, c);
}

static _Noreturn void
run_front(const struct service_client *client, int pair)
{
	struct split *split = split_new(pair);
	struct conn *conn = conn_new(client->read_fd, client->write_fd);

	split_log(split);
	conn_set_stop(conn, &service_stop);
	_exit(client->server->service->front(client, conn, split));
}

/* ---- the back ---- */

/* Wait for the front, which is about to end, and see how it did. */
static int
front_ended(pid_t front, int rc)
{
	const struct itimerval drain = { { 0, 0 }, { DRAIN_S, 0 } };
	int status = 0;

	if (stop_signal == 0) {
		service_stop = STOP_TICKS; /* the next tick is the last */
		setitimer(ITIMER_REAL, &drain, NULL);
	}
	waitpid(front, &status, 0);
	if (!service_is_crash(status))
		return rc;
	log_line(SERVICE_TOPIC, LOG_ERROR, "front crashed",
	    LOG_I("signal", WTERMSIG(status)));
	return EXIT_FRONT_CRASHED;
}

/* From here on without rights, and with signals. */
static int
enter_back(struct server *sv, const char *role)
{
	struct err e = ERR_INIT;

	set_name(sv, role);
	if (sandbox_enter(sv->back_jail, &e) < 0) {
		log_line(SERVICE_TOPIC, LOG_FATAL, "no jail", LOG_E(&e));
		return -1;
	}
	sandbox_free(&sv->front_jail);
	sandbox_free(&sv->back_jail);
	sandbox_free(&sv->park_jail);
	unblock_signals();
	return 0;
}

/* A relay that another back left, if there is one: it writes out what it has for
 * a slow client, and closes its end. */
static void
await_relay(int fd)
{
	int64_t end_ms = clock_mono_ms(NULL) + DRAIN_S * 1000;
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	char bytes[512];
	int domain = 0;
	socklen_t n = sizeof(domain);

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &n) < 0 ||
	    domain != AF_UNIX)
		return;
	shutdown(fd, SHUT_WR);
	while (service_stop == 0 && clock_mono_ms(NULL) < end_ms &&
	    poll(&pfd, 1, DRAIN_S * 1000) > 0 &&
	    recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
}

int
child_back(struct server *sv, struct service_client *client)
{
	pid_t self = getpid(), front;
	int pair[2], rc;

	/* One that begins again is of its relay's group, or has one. */
	if (!client->again)
		setpgid(0, 0);
	has_group = client->again || getpgrp() == self;
	handle_stop();
	dies_with(sv->parent);
	log_set_cid(client->cid);
	client->server = sv;
	if (!client->again && admit_is_proxy(client->listener, &client->ip) &&
	    take_proxied(sv, client) < 0)
		return EXIT_DONE;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return EXIT_LATER;
	front = fork();
	if (front < 0)
		return EXIT_LATER;
	if (front == 0) {
		enter_front(sv, self, client->read_fd, client->write_fd,
		    pair[1]);
		run_front(client, pair[1]);
	}
	close(pair[1]);
	sv->pair = pair[0];
	if (enter_back(sv, "back") < 0)
		return EXIT_FAILED;
	client->limit = sv->limit;
	client->metrics = sv->metrics;
	client->door = sv->door;
	rc = sv->service->back(client, split_new(pair[0]));
	if (sv->pair >= 0) /* or the front would wait */
		close(sv->pair);
	if (client->again)
		await_relay(client->read_fd);
	return front_ended(front, rc);
}

/* ---- parked sessions ---- */

_Noreturn void
child_park(struct server *sv, int fd)
{
	struct rlimit files;

	handle_stop();
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	/* What it may have to say of itself goes to standard error. */
	enter_bare(sv, "park", sv->park_jail, sv->parent, STDERR_FILENO, fd,
	    fd);
	park_run(sv, fd);
	_exit(EXIT_DONE);
}

int
child_resumed(struct server *sv, struct service_client *client,
    const struct service_parked *parked)
{
	int rc;

	has_group = 1; /* of its own, or with its relay */
	handle_stop();
	dies_with(sv->parent);
	log_set_cid(client->cid);
	client->server = sv;
	client->read_fd = client->write_fd = parked->fd;
	sv->pair = -1;
	if (enter_back(sv, "back") < 0)
		return EXIT_FAILED;
	client->limit = sv->limit;
	client->metrics = sv->metrics;
	client->door = sv->door;
	rc = sv->service->resume(client, parked);
	await_relay(parked->fd);
	return rc;
}

/* ---- errands ---- */

int
child_errand(struct server *sv, struct service_client *client,
    const struct service_errand *errand)
{
	handle_stop();
	dies_with(sv->parent);
	log_set_cid(client->cid);
	client->server = sv;
	client->read_fd = client->write_fd = -1;
	sv->pair = -1;
	if (enter_back(sv, "errand") < 0)
		return EXIT_FAILED;
	/* An errand has none. */
	close(sv->control);
	sv->control = -1;
	client->limit = sv->limit;
	client->metrics = sv->metrics;
	client->door = -1;
	return sv->service->errand(client, errand);
}

/* ---- shared backs ---- */

#define HIRE_FDS 2

/* The next connection: its n descriptors. -1 when there is none more. */
static int
be_hired(int fd, struct hire *hire_r, int *fds_r, size_t n)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	struct fdmsg m;

	while (service_stop == 0 && poll(&pfd, 1, -1) <= 0)
		;
	if (service_stop != 0 ||
	    fdmsg_receive(fd, hire_r, sizeof(*hire_r), NULL, 0, &m, 0) != 0)
		return -1;
	if (m.nfds != n) {
		fdmsg_close(&m);
		return -1;
	}
	memcpy(fds_r, m.fds, n * sizeof(int));
	return 0;
}

static struct service_client
client_of(struct server *sv, const struct hire *hire)
{
	log_set_cid(hire->cid);
	sv->serial = hire->serial;
	return (struct service_client){
		.server = sv,
		.listener = &sv->setup.listeners[hire->listener],
		.ip = hire->ip,
		.local_ip = hire->local_ip,
		.port = hire->port,
		.local_port = hire->local_port,
		.cid = hire->cid,
		.read_fd = -1,
		.write_fd = -1,
		.ctx = sv->setup.ctx,
		.limit = sv->limit,
		.metrics = sv->metrics,
		.limits = &sv->setup.limits,
		.door = sv->door,
		.shared = true,
	};
}

_Noreturn void
child_front(struct server *sv, int fd)
{
	struct service_client client;
	struct hire hire = { 0 };
	int fds[HIRE_FDS];

	handle_stop();
	enter_front(sv, sv->parent, fd, fd, fd);
	if (be_hired(fd, &hire, fds, HIRE_FDS) < 0)
		_exit(EXIT_DONE);
	close(fd);
	client = client_of(sv, &hire);
	client.read_fd = client.write_fd = fds[1];
	client.door = -1;
	run_front(&client, fds[0]);
}

static int
serve_hired(struct server *sv, const struct hire *hire, int pair)
{
	struct service_client client = client_of(sv, hire);
	struct split *split = split_new(pair);
	int rc = sv->service->back(&client, split);

	split_free(&split, NULL);
	log_set_cid(0);
	return rc;
}

int
child_worker(struct server *sv, int fd)
{
	struct hire hire = { 0 };
	int pair;

	handle_stop();
	dies_with(sv->parent);
	if (enter_back(sv, "back") < 0)
		return EXIT_FAILED;
	/* After an error a new one is better; the parent sees it end. */
	while (be_hired(fd, &hire, &pair, 1) == 0 &&
	    serve_hired(sv, &hire, pair) == 0)
		control_send(sv, CONTROL_DONE, NULL, SLICE_NULL);
	return EXIT_DONE;
}
