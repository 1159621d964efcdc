/*
 * told - what backs say of themselves, in messages of a fixed size with bytes
 * that the parent keeps or passes on; and sessions that were parked go on.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "service/fdmsg.h"
#include "service/parent.h"

#define CONTROL_BATCH 256

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
	parent_set_group(p, slot, getpgid(pid));
}

/* Fork a back for the connection, in the group of its relay or one of its own.
 * In the child 0, with the client to serve. */
static pid_t
fork_back(struct parent *p, struct slot *slot)
{
	pid_t pid;

	parent_refresh_if_due(p);
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
	    got->nfds < 2 || c->park.folders_n > state.n ||
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

/* The session goes on in a fresh back at once, as if it came back from being
 * parked. The first descriptor is for the answer, then the connection, and what
 * it watches. */
static void
renew(struct parent *p, struct slot *slot, const struct control *c,
    struct slice state, const struct fdmsg *got)
{
	struct service_parked parked = { .fd = got->fds[1],
		.watch_fd = c->park.has_watch ? got->fds[2] : -1,
		.look_fd = -1,
		.end_ms = c->park.end_ms,
		.state = state };
	pid_t pid;

	if (p->stop_ms != 0 || p->sv->service->resume == NULL ||
	    slot->who.n == 0 || got->nfds != 2u + c->park.has_watch)
		return;
	pid = fork_back(p, slot);
	if (pid == 0)
		_exit(child_resumed(p->sv, &slot->client, &parked));
	if (pid < 0)
		return;
	send(got->fds[0], "+", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	set_back(p, slot, pid);
}

static void
take_message(struct parent *p, const struct control *c, struct slice rest,
    const struct fdmsg *got)
{
	pid_t pid = got->pid;
	struct worker *worker = pool_find(p->sv->pool, pid);
	struct slot *slot = parent_slot(p, pid);

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
	else if (c->type == CONTROL_RENEW && c->park.has_watch <= 1)
		renew(p, slot, c, rest, got);
	else if (c->type == CONTROL_ERRAND)
		parent_errand(p, slot, c, rest, got);
}

void
parent_read_control(struct parent *p)
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
		parent_close_slot(p, slot);
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
		.state = slice_skip(state, m->park.folders_n) };
	char name[METRICS_NAME + 1];

	if (slot == NULL || m->why >= PARK_WHYS || m->park.folders_n > state.n)
		return;
	snprintf(name, sizeof(name), "mox_service_resumed_total{reason=\"%s\"}",
	    why[m->why]);
	metrics_add(metrics_get(p->sv->metrics, name), 1);
	if (m->why == PARK_GONE || got->nfds != 1u + m->park.has_watch) {
		log_set_cid(m->cid);
		log_line(SERVICE_TOPIC, LOG_INFO, "parked client is gone");
		log_set_cid(0);
		parent_close_slot(p, slot);
	} else if (p->stop_ms != 0) {
		const char *text =
		    p->sv->service->refuse(&slot->client, SERVICE_STOPPING);
		send(parked.fd, text, strlen(text),
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		parent_close_slot(p, slot);
	} else {
		resume(p, slot, &parked);
	}
}

void
parent_read_parking(struct parent *p)
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
