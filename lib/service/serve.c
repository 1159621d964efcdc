/*
 * serve - the accepting parent: accepts, counts, forks, reaps.
 *
 * It parses nothing: what it reads is signals, fixed structs of its own
 * children, and bytes that it keeps or passes on. A connection is a process
 * group, that of its first back, and is over when the last process of the group
 * is; but a connection that is parked has no back, and its group is its relay,
 * or nobody.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/proc.h"
#include "service/parent.h"

#define ACCEPT_BATCH 64 /* then signals and children have their turn */
#define SWEEP_MS 500
#define RETRY_MS 100 /* no descriptor or process to be had */
#define LOG_REFUSED_PER_S 10
#define KEEPALIVE_S 300

static void
count(struct parent *p, const char *what, const struct service_kind *kind,
    const char *reason)
{
	char name[METRICS_NAME + 1];

	snprintf(name, sizeof(name), "mox_service_%s_total{kind=\"%s\"%s%s%s}",
	    what, kind->name, reason != NULL ? ",reason=\"" : "",
	    reason != NULL ? reason : "", reason != NULL ? "\"" : "");
	metrics_add(metrics_get(p->sv->metrics, name), 1);
}

/* ---- files that change ---- */

static void
refresh(struct parent *p)
{
	const struct service_setup *setup = &p->sv->setup;
	struct err e = ERR_INIT;
	bool changed = false;

	for (size_t i = 0; i < setup->nlisteners; i++) {
		const struct service_listener *l = &setup->listeners[i];
		int rc = l->tls == NULL ? 0 : tls_server_reload(l->tls, &e);
		changed |= rc > 0;
		if (rc != 0)
			log_line(SERVICE_TOPIC, rc < 0 ? LOG_ERROR : LOG_INFO,
			    rc < 0 ? "certificate not loaded"
				   : "certificate loaded anew",
			    LOG_S("listener", l->name), LOG_E(&e));
	}
	if (p->sv->service->refresh != NULL &&
	    p->sv->service->refresh(setup->ctx)) {
		pool_renew(p->sv->pool);
		changed = true;
	}
	if (changed)
		shared_drop(p->sv);
	log_levels_refresh(); /* fronts cannot read the file themselves */
	p->refreshed_ms = clock_mono_ms(NULL);
}

/* Before a fork. */
void
parent_refresh_if_due(struct parent *p)
{
	if (clock_mono_ms(NULL) - p->refreshed_ms >= 1000)
		refresh(p);
}

/* ---- connections begin ---- */

static void
log_refused(struct parent *p, const struct service_client *client,
    enum service_refusal why)
{
	int64_t now = clock_s(NULL);
	char text[IP_TEXT];

	if (now != p->refused_s) {
		if (p->refused_n > LOG_REFUSED_PER_S)
			log_line(SERVICE_TOPIC, LOG_INFO, "refused more",
			    LOG_U("n", p->refused_n - LOG_REFUSED_PER_S));
		p->refused_n = 0;
	}
	p->refused_s = now;
	if (++p->refused_n <= LOG_REFUSED_PER_S)
		log_line(SERVICE_TOPIC, LOG_INFO, "refused",
		    LOG_Z("kind", client->listener->kind->name),
		    LOG_Z("ip", ip_text(&client->ip, text)),
		    LOG_Z("reason", admit_reason(why)));
}

static void
refuse(struct parent *p, const struct service_client *client,
    enum service_refusal why)
{
	log_refused(p, client, why);
	count(p, "refused", client->listener->kind, admit_reason(why));
	if (!client->listener->kind->tls) {
		const char *text = p->sv->service->refuse(client, why);
		char unread[512];
		/* It fits into the socket's buffer, or is lost. With unread
		 * bytes, close would take it back by a reset. */
		send(client->read_fd, text, strlen(text),
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		recv(client->read_fd, unread, sizeof(unread), MSG_DONTWAIT);
	}
	close(client->read_fd);
}

static enum service_refusal
admit(struct parent *p, const struct service_client *client, bool proxy)
{
	enum service_refusal why =
	    admit_total(p->sv, p->admit, client->listener);

	if (why == SERVICE_ADMIT && !proxy)
		why = admit_rates(p->sv, client->listener, &client->ip);
	if (why == SERVICE_ADMIT && !proxy)
		why = admit_networks(p->sv, p->admit, &client->ip);
	return why;
}

/* Microseconds since 1970, so that ids of restarts and services differ. */
static uint64_t
new_cid(struct parent *p)
{
	uint64_t now = (uint64_t)clock_us(NULL);

	p->last_cid = now > p->last_cid ? now : p->last_cid + 1;
	return p->last_cid;
}

static _Noreturn void
be_back(struct parent *p, struct service_client *client)
{
	shared_leave_parent(p->sv);
	p->sv->serial = p->serial;
	_exit(child_back(p->sv, client));
}

static void
add_slot(struct parent *p, pid_t pid, const struct service_client *client,
    bool proxy)
{
	struct slot *slot = xcalloc(1, sizeof(*slot));

	slot->pid = slot->group = pid;
	slot->serial = p->serial;
	slot->client = *client;
	slot->client.read_fd = slot->client.write_fd = -1;
	slot->proxy = proxy;
	slot->unauthenticated = client->listener->kind->login;
	if (!proxy)
		slot->ip = client->ip;
	map_set(p->slots, SPLIT_OF(pid), slot);
	admit_open(p->admit, &slot->ip, slot->unauthenticated);
}

/* The back, which forks its front. */
static bool
start_back(struct parent *p, struct service_client *client, bool proxy)
{
	pid_t pid = shared_fork(0);

	if (pid == 0)
		be_back(p, client);
	if (pid > 0)
		add_slot(p, pid, client, proxy);
	return pid > 0;
}

/* The front, which has a shared back. */
static bool
start_front(struct parent *p, const struct service_client *client)
{
	pid_t pid = shared_start(p->sv, client, p->serial);

	if (pid > 0)
		add_slot(p, pid, client, false);
	return pid > 0;
}

/* Fork what serves a connection; false if that cannot be. */
static bool
start(struct parent *p, struct service_client *client, bool proxy)
{
	parent_refresh_if_due(p);
	client->cid = new_cid(p);
	p->serial++;
	/* What a proxy says first is for the back to read. */
	return client->listener->kind->shared && !proxy
	    ? start_front(p, client)
	    : start_back(p, client, proxy);
}

static void
accepted(struct parent *p, const struct service_listener *l, int fd,
    const struct sockaddr_storage *sa)
{
	struct service_client client = { .listener = l,
		.read_fd = fd,
		.write_fd = fd,
		.ctx = p->sv->setup.ctx,
		.limits = &p->sv->setup.limits };
	enum service_refusal why;
	bool proxy;
	int one = 1, keep_s = KEEPALIVE_S;

	ip_from_sockaddr((const struct sockaddr *)sa, &client.ip, &client.port);
	ip_local(fd, &client.local_ip, &client.local_port);
	/* Else a TLS 1.3 server answers 40 ms late. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	/* Clients that are gone without a word: idle ones wait for long. */
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &keep_s, sizeof(keep_s));
	proxy = admit_is_proxy(l, &client.ip);
	why = admit(p, &client, proxy);
	if (why != SERVICE_ADMIT) {
		refuse(p, &client, why);
		return;
	}
	if (!start(p, &client, proxy)) {
		log_line(SERVICE_TOPIC, LOG_ERROR, "fork",
		    LOG_Z("err", strerrordesc_np(errno)));
		refuse(p, &client, SERVICE_BUSY);
		return;
	}
	count(p, "connections", l->kind, NULL);
	close(fd);
}

static void
accept_some(struct parent *p, const struct service_listener *l)
{
	for (int i = 0; i < ACCEPT_BATCH; i++) {
		struct sockaddr_storage sa = { 0 };
		socklen_t n = sizeof(sa);
		int fd =
		    accept4(l->fd, (struct sockaddr *)&sa, &n, SOCK_CLOEXEC);
		if (fd >= 0) {
			accepted(p, l, fd, &sa);
		} else if (errno == EMFILE || errno == ENFILE ||
		    errno == ENOMEM || errno == ENOBUFS) {
			log_line(SERVICE_TOPIC, LOG_ERROR, "accept",
			    LOG_Z("err", strerrordesc_np(errno)));
			clock_sleep_ms(RETRY_MS);
			return;
		} else if (errno == EAGAIN) {
			return;
		} /* others are about one connection: accept(2) */
	}
}

/* ---- signals ---- */

static void
stop(struct parent *p)
{
	const struct service_setup *setup = &p->sv->setup;
	struct slice key;
	void *value;

	if (p->stop_ms != 0)
		return;
	p->stop_ms = clock_mono_ms(NULL) + PARENT_STOP_MS;
	for (size_t i = 0; i < setup->nlisteners; i++)
		close(setup->listeners[i].fd);
	for (size_t i = 0; map_next(p->slots, &i, &key, &value);)
		if (((struct slot *)value)->pid != 0)
			kill(((struct slot *)value)->pid, SIGTERM);
	pool_kill(p->sv->pool, SIGTERM);
	parking_stop(p->sv->parking);
	shared_drop(p->sv);
	log_line(SERVICE_TOPIC, LOG_INFO, "stopping",
	    LOG_U("connections", admit_count(p->admit)));
}

static void
kill_all(struct parent *p)
{
	struct slice key;
	void *value;

	for (size_t i = 0; map_next(p->slots, &i, &key, &value);)
		kill(-((struct slot *)value)->group, SIGKILL);
	pool_kill(p->sv->pool, SIGKILL);
	parent_errands_kill(p);
	parking_kill(p->sv->parking);
}

static void
take_signals(struct parent *p)
{
	unsigned char number;

	while (read(p->signals, &number, 1) == 1) {
		if (number == SIGCHLD)
			parent_reap(p);
		else if (number == SIGHUP)
			refresh(p);
		else
			stop(p);
	}
}

/* ---- the loop ---- */

/* Of two waits; -1 is for ever. */
static int
sooner(int a, int b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

static int
until_next(struct parent *p)
{
	int64_t now = clock_mono_ms(NULL), left = p->stop_ms - now;

	if (p->stop_ms != 0)
		return left < 0 ? 0 : (int)left;
	left = sooner(pool_expire(p->sv->pool, now), shared_expire(p->sv, now));
	left = sooner((int)left, parent_errands_expire(p, now));
	return sooner((int)left, p->gone > 0 ? SWEEP_MS : -1);
}

#define OTHER_FDS 3

static void
turn(struct parent *p, struct pollfd *fds)
{
	const struct service_setup *setup = &p->sv->setup;
	size_t n = p->stop_ms == 0 ? setup->nlisteners : 0;
	int got;

	fds[0] = (struct pollfd){ .fd = p->signals, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = p->sv->control_in, .events = POLLIN };
	fds[2] = (struct pollfd){ .fd = parking_fd(p->sv->parking),
		.events = POLLIN };
	for (size_t i = 0; i < n; i++)
		fds[OTHER_FDS + i] =
		    (struct pollfd){ .fd = setup->listeners[i].fd,
			    .events = POLLIN };
	got = poll(fds, OTHER_FDS + n, until_next(p));
	if (got < 0)
		return; /* interrupted: the signal is in the pipe */
	if (got == 0 && p->stop_ms == 0)
		shared_prepare(p->sv);
	if (fds[1].revents != 0)
		parent_read_control(p);
	if (fds[2].revents != 0)
		parent_read_parking(p);
	if (fds[0].revents != 0)
		take_signals(p);
	parent_sweep(p);
	for (size_t i = 0; i < n && p->stop_ms == 0; i++)
		if (fds[OTHER_FDS + i].revents != 0)
			accept_some(p, &setup->listeners[i]);
}

static int
open_control(struct parent *p, struct err *e)
{
	int pair[2], one = 1;

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) < 0 ||
	    setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)) < 0)
		return err_sys(e, "control socket");
	p->sv->control_in = pair[0];
	p->sv->control = pair[1];
	return 0;
}

int
serve(struct server *sv, int ready_fd)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD, 0 };
	struct parent p = { .sv = sv,
		.admit = admit_new(),
		.slots = map_new(),
		.parked = map_new(),
		.refreshed_ms = clock_mono_ms(NULL) };
	struct pollfd *fds =
	    xcalloc(sv->setup.nlisteners + OTHER_FDS, sizeof(*fds));
	struct err e = ERR_INIT;

	sv->pool = pool_new();
	if (sv->service->resume != NULL)
		sv->parking = parking_new();
	p.signals = proc_signals(signals, &e);
	if (p.signals < 0 || open_control(&p, &e) < 0 ||
	    sandbox_enter(sv->parent_jail, &e) < 0)
		proc_die(sv->service->name, &e);
	sv->parent = getpid();
	prctl(PR_SET_PDEATHSIG, SIGTERM); /* forgotten when the user changed */
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	if (write(ready_fd, "", 1) == 1)
		close(ready_fd);
	while (p.stop_ms == 0 ||
	    (admit_count(p.admit) + pool_count(p.sv->pool) > 0 &&
		clock_mono_ms(NULL) < p.stop_ms))
		turn(&p, fds);
	kill_all(&p);
	return EXIT_DONE;
}
