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
#include "base/map.h"
#include "base/proc.h"
#include "service/fdmsg.h"
#include "service/service_int.h"

#define ACCEPT_BATCH 64 /* then signals and children have their turn */
#define CONTROL_BATCH 256
#define STOP_MS 3500 /* clients get 3 s: child.c */
#define SWEEP_MS 500
#define RETRY_MS 100 /* no descriptor or process to be had */
#define LOG_REFUSED_PER_S 10
#define KEEPALIVE_S 300 /* imap.md 1 */

/* A connection. */
struct slot {
	pid_t pid;   /* the back, or a shared back's front; 0: none (parked) */
	pid_t group; /* 0: no process is left (parked) */
	uint32_t serial;
	struct service_client client; /* as it was accepted */
	struct ip ip;                 /* that it counts for */
	struct slice who;             /* logged in; told once (service.h) */
	bool unauthenticated;
	bool proxy;     /* ip is a proxy's and not counted */
	bool parked;    /* no back has it */
	bool gone;      /* the back was reaped, the front not yet */
	int64_t end_ms; /* gone: when to kill the rest */
};

struct parent {
	struct server *sv;
	struct admit *admit;
	struct map *slots;  /* group to struct slot */
	struct map *parked; /* cid to those that are parked */
	int signals;
	int64_t stop_ms; /* when to kill those left; 0: not stopping */
	int64_t refreshed_ms;
	uint64_t last_cid;
	uint32_t serial;
	size_t gone;       /* slots whose back is */
	int64_t refused_s; /* lines of this second */
	unsigned refused_n;
};

/* Of a process, which may have ended but is not reaped. */
static struct slot *
find_slot(const struct parent *p, pid_t pid)
{
	pid_t group = getpgid(pid);

	return group < 0 ? NULL : map_get(p->slots, SPLIT_OF(group));
}

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
static void
refresh_if_due(struct parent *p)
{
	if (clock_mono_ms(NULL) - p->refreshed_ms >= 1000)
		refresh(p);
}

/* ---- connections end ---- */

static void
crashed(struct parent *p, uint64_t cid, const struct ip *ip, int status)
{
	char text[IP_TEXT];

	log_set_cid(cid);
	log_line(SERVICE_TOPIC, LOG_ERROR, "connection crashed",
	    LOG_Z("ip", ip_text(ip, text)),
	    LOG_I("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0));
	log_set_cid(0);
	admit_crashed(p->sv, ip);
	metrics_add(metrics_get(p->sv->metrics, "mox_service_crashes_total"),
	    1);
}

static void
end_slot(struct parent *p, struct slot *slot)
{
	admit_close(p->admit, &slot->ip, slot->unauthenticated);
	p->gone -= slot->gone;
	if (slot->group != 0)
		map_del(p->slots, SPLIT_OF(slot->group));
	free((char *)(uintptr_t)slot->who.p);
	free(slot);
}

/*
 * Reap what ended of the group of a slot that has no back. Such fronts are
 * ours, this process being subreaper. True when the group is empty. As long as
 * it is not, its number cannot be another's.
 */
static bool
reap_group(struct parent *p, struct slot *slot)
{
	int status;
	pid_t pid;

	if (slot->group == 0)
		return true;
	while ((pid = waitpid(-slot->group, &status, WNOHANG)) > 0) {
		if (service_is_crash(status))
			crashed(p, slot->client.cid, &slot->ip, status);
		if (pid == slot->pid)
			slot->pid = 0;
	}
	return pid < 0;
}

/* Groups whose back is gone: over, or to be killed. */
static void
sweep(struct parent *p)
{
	int64_t now = clock_mono_ms(NULL);
	struct slice key;
	void *value;

	for (size_t i = 0;
	     p->gone > 0 && map_next(p->slots, &i, &key, &value);) {
		struct slot *slot = value;
		if (!slot->gone)
			continue;
		if (reap_group(p, slot))
			end_slot(p, slot);
		else if (now >= slot->end_ms)
			kill(-slot->group, SIGKILL);
	}
}

/* It has no back, and will have none. */
static void
close_slot(struct parent *p, struct slot *slot)
{
	if (slot->parked)
		map_del(p->parked, SPLIT_OF(slot->client.cid));
	slot->parked = false;
	slot->gone = true;
	slot->end_ms = clock_mono_ms(NULL) + STOP_MS;
	p->gone++;
	if (reap_group(p, slot))
		end_slot(p, slot);
}

/* The connection is of this group from here on. */
static void
set_group(struct parent *p, struct slot *slot, pid_t group)
{
	if (group == slot->group)
		return;
	if (slot->group != 0)
		map_del(p->slots, SPLIT_OF(slot->group));
	slot->group = group;
	if (group != 0)
		map_set(p->slots, SPLIT_OF(group), slot);
}

/* Its number may be another's from here on. */
static void
drop_empty_group(struct parent *p, struct slot *slot)
{
	if (reap_group(p, slot))
		set_group(p, slot, 0);
}

/* The back, or a relay that another back left. */
static void
member_ended(struct parent *p, struct slot *slot, pid_t pid, int status)
{
	bool leader = pid == slot->pid;

	if (service_is_crash(status)) {
		crashed(p, slot->client.cid, &slot->ip, status);
		if (leader)
			pool_distrust(p->sv->pool, slot->client.cid);
	}
	if (leader)
		slot->pid = 0;
	if (slot->gone && reap_group(p, slot))
		end_slot(p, slot);
	else if (slot->parked)
		drop_empty_group(p, slot);
	else if (leader && !slot->gone)
		close_slot(p, slot);
}

static void
worker_ended(struct parent *p, struct worker *w, int status)
{
	const struct slot *slot = find_slot(p, w->front);

	if (service_is_crash(status) && w->serial != 0)
		crashed(p, w->cid, &w->ip, status);
	/* Its front is told at once, as PDEATHSIG tells others. */
	if (slot != NULL && slot->client.cid == w->cid)
		kill(w->front, SIGTERM);
	pool_del(p->sv->pool, w);
}

/* All that was parked is lost with the process that had it. */
static void
parking_lost(struct parent *p, int status)
{
	struct slice key;
	void *value;

	if (p->stop_ms == 0)
		log_line(SERVICE_TOPIC, LOG_ERROR,
		    "the process with parked sessions died: they end",
		    LOG_U("sessions", map_count(p->parked)),
		    LOG_I("signal",
			WIFSIGNALED(status) ? WTERMSIG(status) : 0));
	for (size_t i = 0; map_next(p->parked, &i, &key, &value);)
		close_slot(p, value);
}

static void
reap(struct parent *p)
{
	siginfo_t info;

	/* Look before reaping: until then it has its group. */
	for (;;) {
		struct worker *worker;
		struct slot *slot;
		int status;
		info.si_pid = 0;
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
		    info.si_pid == 0)
			return;
		slot = find_slot(p, info.si_pid);
		worker = pool_find(p->sv->pool, info.si_pid);
		waitpid(info.si_pid, &status, 0);
		if (slot != NULL)
			member_ended(p, slot, info.si_pid, status);
		else if (worker != NULL)
			worker_ended(p, worker, status);
		else if (parking_ended(p->sv->parking, info.si_pid))
			parking_lost(p, status);
		else /* or nothing is left to be known of it */
			shared_ended(p->sv, info.si_pid);
	}
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
	refresh_if_due(p);
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

/* ---- what backs say ---- */

/* The client behind a proxy is known: now its limits hold. */
static void
proxied(struct parent *p, struct slot *slot, const struct ip *ip)
{
	if (!slot->proxy)
		return;
	slot->proxy = false;
	admit_close(p->admit, &slot->ip, slot->unauthenticated);
	/* SIGUSR1 says to the client that it has too many. */
	if (admit_networks(p->sv, p->admit, ip) != SERVICE_ADMIT)
		kill(slot->pid, SIGUSR1);
	slot->ip = slot->client.ip = *ip;
	admit_open(p->admit, &slot->ip, slot->unauthenticated);
}

/* The connection has this back from here on; there may be another one that is
 * about to end, and what that does now counts for nobody. */
static void
set_back(struct parent *p, struct slot *slot, pid_t pid)
{
	if (slot->pid != 0)
		kill(slot->pid, SIGKILL);
	slot->pid = pid;
	set_group(p, slot, getpgid(pid));
}

/* Fork a back for the connection, in the group of its relay or one of its own.
 * In the child 0, with the client to serve. */
static pid_t
fork_back(struct parent *p, struct slot *slot)
{
	pid_t pid;

	refresh_if_due(p);
	slot->client.who = slot->who;
	slot->serial = ++p->serial;
	pid = shared_fork(slot->group);
	if (pid < 0)
		log_line(SERVICE_TOPIC, LOG_ERROR, "fork",
		    LOG_Z("err", strerrordesc_np(errno)));
	if (pid != 0)
		return pid;
	shared_leave_parent(p->sv);
	p->sv->serial = slot->serial;
	return 0;
}

/* Once, or once more after a restart. */
static void
authenticated(struct parent *p, struct slot *slot, struct slice who)
{
	char *copy;

	if (!slot->unauthenticated)
		return;
	slot->unauthenticated = false;
	admit_authenticated(p->admit);
	if (p->sv->parking == NULL || who.n == 0 || who.n > SERVICE_WHO_MAX)
		return;
	copy = xmalloc(who.n);
	memcpy(copy, who.p, who.n);
	slot->who = slice_of(copy, who.n);
}

/* The first descriptor is for the answer, the others go along. */
static void
park(struct parent *p, struct slot *slot, const struct control *c,
    struct slice state, const struct fdmsg *got)
{
	struct parking_msg m = { .cid = slot->client.cid, .park = c->park };

	if (p->stop_ms != 0 || p->sv->parking == NULL || slot->who.n == 0 ||
	    got->nfds < 2 ||
	    !parking_send(p->sv, &m, state, got->fds + 1, got->nfds - 1))
		return;
	slot->parked = true;
	map_set(p->parked, SPLIT_OF(slot->client.cid), slot);
	send(got->fds[0], "+", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	metrics_add(metrics_get(p->sv->metrics, "mox_service_parked_total"), 1);
}

/* Nobody is logged in any more. The first descriptor is for the answer, the
 * second the connection. */
static void
restart(struct parent *p, struct slot *slot, const struct control *c,
    struct slice rest, const struct fdmsg *got)
{
	pid_t pid;

	if (p->stop_ms != 0 || slot->who.n == 0 || got->nfds != 2 ||
	    c->text_n > rest.n)
		return;
	pid = fork_back(p, slot);
	if (pid == 0) {
		struct service_client *client = &slot->client;
		client->read_fd = client->write_fd = got->fds[1];
		client->again = true;
		client->text = slice_head(rest, c->text_n);
		client->unread = slice_skip(rest, c->text_n);
		_exit(child_back(p->sv, client));
	}
	if (pid < 0)
		return;
	send(got->fds[0], "+", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	set_back(p, slot, pid);
	free((char *)(uintptr_t)slot->who.p);
	slot->who = SLICE_NULL;
	slot->unauthenticated = true;
	admit_unauthenticated(p->admit);
}

static void
take_message(struct parent *p, const struct control *c, struct slice rest,
    const struct fdmsg *got)
{
	pid_t pid = got->pid;
	struct worker *worker = pool_find(p->sv->pool, pid);
	struct slot *slot = find_slot(p, pid);

	if (worker != NULL && c->type == CONTROL_DONE &&
	    worker->serial == c->serial) {
		pool_put(p->sv->pool, worker, clock_mono_ms(NULL));
		return;
	}
	if (slot == NULL || slot->pid != pid || slot->gone || slot->parked ||
	    slot->serial != c->serial)
		return;
	if (c->type == CONTROL_AUTHENTICATED)
		authenticated(p, slot, rest);
	else if (c->type == CONTROL_PROXIED && ip_bits(&c->ip) != 0)
		proxied(p, slot, &c->ip);
	else if (c->type == CONTROL_PARK)
		park(p, slot, c, rest, got);
	else if (c->type == CONTROL_RESTART)
		restart(p, slot, c, rest, got);
}

static void
read_control(struct parent *p)
{
	char rest[CONTROL_REST];
	struct control c = { 0 };
	struct fdmsg got;

	for (int i = 0; i < CONTROL_BATCH; i++) {
		ssize_t n = fdmsg_receive(p->sv->control_in, &c, sizeof(c),
		    rest, sizeof(rest), &got, MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			continue;
		take_message(p, &c, slice_of(rest, (size_t)n), &got);
		fdmsg_close(&got);
	}
}

/* ---- parked sessions go on ---- */

static void
resume(struct parent *p, struct slot *slot, const struct service_parked *parked)
{
	pid_t pid = fork_back(p, slot);

	if (pid == 0)
		_exit(child_resumed(p->sv, &slot->client, parked));
	if (pid < 0) {
		close_slot(p, slot);
		return;
	}
	map_del(p->parked, SPLIT_OF(slot->client.cid));
	slot->parked = false;
	set_back(p, slot, pid);
}

static void
come_back(struct parent *p, const struct parking_msg *m, struct slice state,
    const struct fdmsg *got)
{
	static const char *const why[PARK_WHYS] = { "input", "change", "end",
		"gone" };
	struct slot *slot = map_get(p->parked, SPLIT_OF(m->cid));
	struct service_parked parked = { .fd = got->fds[0],
		.watch_fd = m->park.has_watch ? got->fds[1] : -1,
		.look_fd = -1,
		.end_ms = m->park.end_ms,
		.state = state };
	char name[METRICS_NAME + 1];

	if (slot == NULL || m->why >= PARK_WHYS)
		return;
	snprintf(name, sizeof(name), "mox_service_resumed_total{reason=\"%s\"}",
	    why[m->why]);
	metrics_add(metrics_get(p->sv->metrics, name), 1);
	if (m->why == PARK_GONE || got->nfds != 1u + m->park.has_watch) {
		log_set_cid(m->cid);
		log_line(SERVICE_TOPIC, LOG_INFO, "parked client is gone");
		log_set_cid(0);
		close_slot(p, slot);
	} else if (p->stop_ms != 0) {
		const char *text =
		    p->sv->service->refuse(&slot->client, SERVICE_STOPPING);
		send(parked.fd, text, strlen(text),
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		close_slot(p, slot);
	} else {
		resume(p, slot, &parked);
	}
}

static void
read_parking(struct parent *p)
{
	char state[CONTROL_REST];
	struct parking_msg m = { 0 };
	struct fdmsg got;
	ssize_t n;

	for (int i = 0; i < CONTROL_BATCH; i++) {
		n = parking_receive(p->sv->parking, &m, state, &got);
		if (n < 0)
			return;
		come_back(p, &m, slice_of(state, (size_t)n), &got);
		fdmsg_close(&got);
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
	p->stop_ms = clock_mono_ms(NULL) + STOP_MS;
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
	parking_kill(p->sv->parking);
}

static void
take_signals(struct parent *p)
{
	unsigned char number;

	while (read(p->signals, &number, 1) == 1) {
		if (number == SIGCHLD)
			reap(p);
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
until_next(const struct parent *p)
{
	int64_t now = clock_mono_ms(NULL), left = p->stop_ms - now;

	if (p->stop_ms != 0)
		return left < 0 ? 0 : (int)left;
	left = sooner(pool_expire(p->sv->pool, now), shared_expire(p->sv, now));
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
		read_control(p);
	if (fds[2].revents != 0)
		read_parking(p);
	if (fds[0].revents != 0)
		take_signals(p);
	sweep(p);
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
