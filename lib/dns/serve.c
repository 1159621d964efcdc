/*
 * serve - the resolver process: what comes through the door, and over the
 * sockets that came (dns/ask.h).
 */
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fdpass.h"
#include "base/log.h"
#include "dns/ask_int.h"
#include "dns/unbound.h"

#define CLIENTS_MAX 4000   /* descriptors: a back each */
#define QUESTIONS_MAX 1000 /* under way: each has sockets of its own */
#define OF_ONE_MAX 64      /* of one client; then it is not read from */
#define READ_BATCH 16      /* then others have their turn */

struct server {
	struct event_base *base;
	struct unbound *unbound;
	struct event *door;
	size_t clients, questions;
};

/* An answer that the client's socket had no room for. */
struct unsent {
	struct unsent *next;
	size_t n;
	char bytes[];
};

/* A process that asks. Not read from while it has many questions under way, or
 * answers that it has not taken. */
struct client {
	struct server *sv;
	unsigned refs; /* one of the connection, one of each question */
	int fd;        /* -1: gone */
	struct event *readable, *writable;
	size_t questions;
	struct unsent *first, **last;
};

struct question {
	struct client *client;
	uint32_t id;
	struct event *timer;
	bool answered; /* the client has something, if only "too late" */
};

/* ---- clients ---- */

static void
stop_if_alone(struct server *sv)
{
	if (sv->door == NULL && sv->clients == 0)
		event_base_loopbreak(sv->base);
}

static void
release(struct client *c)
{
	if (--c->refs == 0)
		free(c);
}

/* The caller has a reference besides the connection's, or forgets c. */
static void
hang_up(struct client *c)
{
	struct server *sv = c->sv;

	if (c->fd < 0)
		return;
	if (c->readable != NULL)
		event_free(c->readable);
	if (c->writable != NULL)
		event_free(c->writable);
	close(c->fd);
	c->fd = -1;
	while (c->first != NULL) {
		struct unsent *next = c->first->next;
		free(c->first);
		c->first = next;
	}
	sv->clients--;
	stop_if_alone(sv);
	release(c);
}

/* Read from it, or not. */
static void
regulate(struct client *c)
{
	if (c->fd < 0)
		return;
	if (c->questions < OF_ONE_MAX && c->first == NULL)
		event_add(c->readable, NULL);
	else
		event_del(c->readable);
}

/* ---- answers ---- */

static void
keep_unsent(struct client *c, const struct iovec *v, size_t n)
{
	struct unsent *u;
	size_t size = 0, at = 0;

	for (size_t i = 0; i < n; i++)
		size += v[i].iov_len;
	u = xmalloc(sizeof(*u) + size);
	u->next = NULL;
	u->n = size;
	for (size_t i = 0; i < n; at += v[i++].iov_len)
		if (v[i].iov_len > 0)
			memcpy(u->bytes + at, v[i].iov_base, v[i].iov_len);
	if (c->first == NULL)
		c->last = &c->first;
	*c->last = u;
	c->last = &u->next;
	event_add(c->writable, NULL);
}

static void
answer(struct client *c, uint32_t id, const struct dns_reply *r)
{
	struct slice why = slice_head(r->why, ASK_WHY_MAX);
	struct ask_answer head = { .id = id,
		.rcode = (uint8_t)r->rcode,
		.flags = (uint8_t)((r->secure ? ASK_SECURE : 0) |
		    (r->bogus ? ASK_BOGUS : 0) |
		    (r->timeout ? ASK_TIMEOUT : 0)),
		.why = (uint16_t)why.n };
	struct iovec iov[3] = { { &head, sizeof(head) },
		{ (char *)why.p, why.n },
		{ (char *)r->packet.p, r->packet.n } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 3 };

	if (c->fd < 0)
		return;
	if (c->first != NULL)
		keep_unsent(c, iov, 3);
	else if (sendmsg(c->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		if (errno == EAGAIN)
			keep_unsent(c, iov, 3);
		else
			hang_up(c);
	}
}

static void
on_writable(evutil_socket_t fd, short what, void *ctx)
{
	struct client *c = ctx;

	(void)what;
	while (c->first != NULL) {
		struct unsent *u = c->first;
		if (send((int)fd, u->bytes, u->n, MSG_DONTWAIT | MSG_NOSIGNAL) <
		    0) {
			if (errno == EAGAIN)
				event_add(c->writable, NULL);
			else
				hang_up(c);
			return;
		}
		c->first = u->next;
		free(u);
	}
	regulate(c);
}

/* ---- questions ---- */

static void
end_question(struct question *q)
{
	struct client *c = q->client;

	if (q->timer != NULL)
		event_free(q->timer);
	c->questions--;
	c->sv->questions--;
	free(q);
	regulate(c);
	release(c);
}

static void
answered(void *ctx, const struct dns_reply *reply)
{
	struct question *q = ctx;

	if (!q->answered)
		answer(q->client, q->id, reply);
	end_question(q);
}

/* libunbound goes on, and what it finds will be in its cache. */
static void
too_late(evutil_socket_t fd, short what, void *ctx)
{
	struct question *q = ctx;
	const struct dns_reply late = { .timeout = true };

	(void)fd;
	(void)what;
	q->answered = true;
	answer(q->client, q->id, &late);
}

static void
refuse(struct client *c, uint32_t id, const char *why)
{
	const struct dns_reply reply = { .rcode = DNS_SERVFAIL,
		.why = slice_str(why) };

	answer(c, id, &reply);
}

static void
ask(struct client *c, const struct ask_question *head, const char *name)
{
	struct server *sv = c->sv;
	uint32_t ms = head->ms < RESOLVER_MS ? head->ms : RESOLVER_MS;
	struct timeval tv = { ms / 1000, (suseconds_t)(ms % 1000 * 1000) };
	struct question *q;
	struct err e = ERR_INIT;

	if (sv->questions >= QUESTIONS_MAX) {
		refuse(c, head->id, "too many questions at a time");
		return;
	}
	q = xcalloc(1, sizeof(*q));
	q->client = c;
	q->id = head->id;
	q->timer = evtimer_new(sv->base, too_late, q);
	c->refs++;
	c->questions++;
	sv->questions++;
	if (q->timer != NULL)
		event_add(q->timer, &tv);
	if (unbound_ask(sv->unbound, name, (enum dns_type)head->type, answered,
		q, &e) < 0) {
		refuse(c, head->id, e.text);
		end_question(q);
	}
}

/* False when the client is gone, or says what it may not. */
static bool
read_question(struct client *c)
{
	struct {
		struct ask_question head;
		char name[ASK_NAME_MAX + 1];
	} q;
	ssize_t n =
	    recv(c->fd, &q, sizeof(q.head) + ASK_NAME_MAX, MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return true;
	if (n <= (ssize_t)sizeof(q.head))
		return false;
	((char *)&q)[n] = '\0';
	ask(c, &q.head, q.name);
	return true;
}

static void
on_readable(evutil_socket_t fd, short what, void *ctx)
{
	struct client *c = ctx;

	(void)fd;
	(void)what;
	c->refs++; /* it stays until we are done here */
	for (int i = 0; i < READ_BATCH && c->fd >= 0 &&
	     c->questions < OF_ONE_MAX && c->first == NULL;
	     i++)
		if (!read_question(c))
			hang_up(c);
	regulate(c);
	release(c);
}

/* ---- the door ---- */

static void
add_client(struct server *sv, int fd)
{
	struct client *c = xcalloc(1, sizeof(*c));

	c->sv = sv;
	c->refs = 1;
	c->fd = fd;
	c->readable =
	    event_new(sv->base, fd, EV_READ | EV_PERSIST, on_readable, c);
	c->writable = event_new(sv->base, fd, EV_WRITE, on_writable, c);
	sv->clients++;
	if (c->readable != NULL && c->writable != NULL)
		regulate(c);
	else
		hang_up(c);
}

/* A descriptor from the door. False when all other ends are closed. */
static bool
receive(struct server *sv, int door)
{
	char byte;
	int fd;
	ssize_t n = fd_take(door, &byte, 1, &fd);

	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR);
	if (fd < 0)
		return true;
	if (sv->clients >= CLIENTS_MAX)
		close(fd);
	else
		add_client(sv, fd);
	return true;
}

static void
on_door(evutil_socket_t fd, short what, void *ctx)
{
	struct server *sv = ctx;

	(void)what;
	if (receive(sv, (int)fd))
		return;
	event_free(sv->door);
	sv->door = NULL;
	stop_if_alone(sv);
}

/* Resolvers that drop signatures make all signed names bogus: say so once. */
static void
probed(void *ctx, const struct dns_reply *reply)
{
	(void)ctx;
	if (reply->bogus)
		log_line("dns", LOG_ERROR,
		    "the root cannot be validated: the resolvers asked pass on "
		    "no DNSSEC, or the trust anchor is another's",
		    LOG_S("why", reply->why));
	else if (reply->rcode != DNS_NOERROR)
		log_line("dns", LOG_WARN, "no answer about the root",
		    LOG_I("rcode", reply->rcode), LOG_S("why", reply->why));
}

int
resolver_serve(const struct resolver_conf *conf, int door,
    int (*enter)(void *ctx, struct err *e), void *ctx, struct err *e)
{
	struct server sv = { .base = event_base_new() };
	int rc = -1;

	if (sv.base != NULL)
		sv.door = event_new(sv.base, door, EV_READ | EV_PERSIST,
		    on_door, &sv);
	if (sv.door == NULL)
		return err_set(e, ERR_TEMP, "dns: no event loop");
	sv.unbound = unbound_new(conf, sv.base, e);
	if (sv.unbound != NULL && (enter == NULL || enter(ctx, e) == 0)) {
		event_add(sv.door, NULL);
		unbound_ask(sv.unbound, ".", DNS_NS, probed, NULL, NULL);
		rc = event_base_dispatch(sv.base) < 0
		    ? err_set(e, ERR_TEMP, "dns: event loop failed")
		    : 0;
	}
	unbound_free(&sv.unbound);
	if (sv.door != NULL)
		event_free(sv.door);
	event_base_free(sv.base);
	return rc;
}
