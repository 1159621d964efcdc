/* ask - DNS through the resolver process of a service. */
#include "dns/ask.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fdpass.h"
#include "dns/ask_int.h"
#include "dns/resolver.h"
#include "dns/slots.h"

/* The resolver has its own limit; this is for one that does not answer. */
#define GRACE_MS 2000
#define CONNECTS_MAX 3 /* to resolvers that die, for one question */

struct ask {
	struct dns_slots slots; /* first: a handle is one */
	int door;
	int fd; /* -1: not connected */
	unsigned connects;
	char *in; /* room for an answer */
};

#define IN_SIZE (sizeof(struct ask_answer) + ASK_WHY_MAX + ASK_PACKET_MAX)

/* Send one end of our pair through the door. */
static int
pass(int door, int fd, struct err *e)
{
	if (fd_pass(door, "", 1, fd) == 0)
		return 0;
	err_sys(e, "dns: no resolver");
	if (e != NULL)
		e->kind = ERR_TEMP;
	return -1;
}

static int
connect_pair(struct ask *a, struct err *e)
{
	int pair[2], rc;

	if (a->fd >= 0)
		return 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "dns: socketpair");
	rc = pass(a->door, pair[1], e);
	close(pair[1]);
	if (rc < 0)
		close(pair[0]);
	else
		a->fd = pair[0];
	return rc;
}

/* Blocks for as long as the resolver does not read, which is not long. */
static int
put(struct ask *a, const struct dns_slot *slot, int ms, struct err *e)
{
	struct ask_question q = {
		.id = slot->id, .ms = (uint32_t)ms, .type = (uint16_t)slot->type
	};
	struct iovec iov[2] = { { &q, sizeof(q) },
		{ slot->name, strlen(slot->name) } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

	if (sendmsg(a->fd, &msg, MSG_NOSIGNAL) >= 0)
		return 0;
	return err_sys(e, "dns: asking the resolver");
}

/* Ask what is under way. */
static bool
put_all(struct ask *a)
{
	struct dns_slots *s = &a->slots;

	for (size_t i = 0; i < DNS_SLOTS; i++)
		if (s->v[i].id != 0 && !s->v[i].done &&
		    put(a, &s->v[i], s->timeout_ms - GRACE_MS, NULL) < 0)
			return false;
	return true;
}

/* The resolver is gone: make a new pair, ask again. */
static int
again(struct ask *a, struct err *e)
{
	do {
		if (a->fd >= 0)
			close(a->fd);
		a->fd = -1;
		if (++a->connects >= CONNECTS_MAX) {
			a->connects = 0;
			return err_set(e, ERR_TEMP, "dns: the resolver ended");
		}
		if (connect_pair(a, e) < 0)
			return -1;
	} while (!put_all(a));
	return 0;
}

static int
ask_send(struct dns_slots *s, const struct dns_slot *slot, int ms,
    struct err *e)
{
	struct ask *a = (struct ask *)s;

	if (ms > s->timeout_ms - GRACE_MS)
		ms = s->timeout_ms - GRACE_MS;
	if (connect_pair(a, e) < 0)
		return -1;
	/* If this fails, the new pair has been told of the slot as well. */
	return put(a, slot, ms, NULL) < 0 ? again(a, e) : 0;
}

/* A message of n bytes in a->in. False if it is none. */
static bool
take(struct ask *a, size_t n)
{
	struct dns_reply reply;
	struct ask_answer head;
	struct slice rest;

	if (n < sizeof(head))
		return false;
	memcpy(&head, a->in, sizeof(head));
	rest = slice_of(a->in + sizeof(head), n - sizeof(head));
	if (head.why > rest.n)
		return false;
	reply = (struct dns_reply){
		.rcode = head.rcode,
		.secure = head.flags & ASK_SECURE,
		.bogus = head.flags & ASK_BOGUS,
		.timeout = head.flags & ASK_TIMEOUT,
		.why = slice_head(rest, head.why),
		.packet = slice_skip(rest, head.why),
	};
	dns_slots_put(&a->slots, head.id, &reply);
	a->connects = 0;
	return true;
}

static int
ask_wait(struct dns_slots *s, int ms, struct err *e)
{
	struct ask *a = (struct ask *)s;
	struct pollfd pfd = { .fd = a->fd, .events = POLLIN };
	ssize_t n;

	if (a->fd < 0)
		return again(a, e);
	if (poll(&pfd, 1, ms) <= 0)
		return 0; /* time is up, or a signal came */
	n = recv(a->fd, a->in, IN_SIZE, MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN)
		return 0;
	return n > 0 && take(a, (size_t)n) ? 0 : again(a, e);
}

static void
ask_close(struct dns_slots *s)
{
	struct ask *a = (struct ask *)s;

	if (a->fd >= 0)
		close(a->fd);
	free(a->in);
	free(a);
}

struct dns *
ask_new(int door)
{
	struct ask *a = xcalloc(1, sizeof(*a));

	dns_slots_init(&a->slots, RESOLVER_MS + GRACE_MS);
	a->slots.send = ask_send;
	a->slots.wait = ask_wait;
	a->slots.close = ask_close;
	a->door = door;
	a->fd = -1;
	a->in = xmalloc(IN_SIZE);
	return &a->slots.dns;
}
