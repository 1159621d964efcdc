/* dial - connect to one of a list of addresses. */
#include "net/dial.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

/* One attempt at one address. */
struct attempt {
	int fd;
	int64_t end_ms; /* monotonic */
	const volatile sig_atomic_t *stop;
};

/* ---- waiting ---- */

static int
await(const struct attempt *a, short events, struct err *e)
{
	struct pollfd pfd = { .fd = a->fd, .events = events };
	int n;

	do {
		int64_t left = a->end_ms - clock_mono_ms(NULL);
		if (a->stop != NULL && *a->stop)
			return err_set(e, ERR_TEMP, "told to stop");
		n = poll(&pfd, 1, left < 0 ? 0 : (int)left);
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		return err_set(e, ERR_TEMP, "no answer in time");
	return n < 0 ? err_sys(e, "poll") : 0;
}

/* ---- a socket ---- */

/* The source address, if there is one of the family. */
static int
bind_local(int fd, const struct dial_opts *o, unsigned char family,
    struct err *e)
{
	const struct ip *local = family == 4 ? &o->local4 : &o->local6;
	struct sockaddr_storage sa;
	char text[IP_TEXT];
	socklen_t n;

	if (local->family != family)
		return 0;
	n = ip_to_sockaddr(local, 0, &sa);
	if (bind(fd, (const struct sockaddr *)&sa, n) < 0)
		return err_sys(e, "from %s", ip_text(local, text));
	return 0;
}

static int
finish(const struct attempt *a, struct err *e)
{
	int error = 0;
	socklen_t n = sizeof(error);

	if (await(a, POLLOUT, e) < 0)
		return -1;
	if (getsockopt(a->fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0)
		error = errno;
	if (error != 0)
		return err_set(e, ERR_TEMP, "%s", strerrordesc_np(error));
	return 0;
}

/* a->fd becomes a connected socket. */
static int
connect_to(struct attempt *a, const struct dial_opts *o, const struct ip *ip,
    struct err *e)
{
	struct sockaddr_storage sa;
	socklen_t n = ip_to_sockaddr(ip, o->port, &sa);
	int on = 1;

	a->fd =
	    socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (a->fd < 0)
		return err_sys(e, "socket");
	if (bind_local(a->fd, o, ip->family, e) < 0)
		return -1;
	setsockopt(a->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(a->fd, (const struct sockaddr *)&sa, n) == 0)
		return 0;
	if (errno != EINPROGRESS && errno != EINTR)
		return err_sys(e, "connect");
	return finish(a, e);
}

/* ---- SOCKS5 (RFC 1928) ---- */

static int
socks_write(const struct attempt *a, const unsigned char *p, size_t n,
    struct err *e)
{
	ssize_t put = send(a->fd, p, n, MSG_NOSIGNAL);

	/* A few bytes always fit into the buffer of a new socket. */
	if (put < 0)
		return err_sys(e, "socks: write");
	return (size_t)put == n ? 0
				: err_set(e, ERR_TEMP, "socks: short write");
}

static int
socks_read(const struct attempt *a, unsigned char *p, size_t n, struct err *e)
{
	while (n > 0) {
		ssize_t got = read(a->fd, p, n);
		if (got < 0 && errno == EAGAIN) {
			if (await(a, POLLIN, e) < 0)
				return err_prefix(e, "socks");
			continue;
		}
		if (got < 0 && errno != EINTR)
			return err_sys(e, "socks: read");
		if (got == 0)
			return err_set(e, ERR_TEMP, "socks: closed");
		if (got > 0) {
			p += got;
			n -= (size_t)got;
		}
	}
	return 0;
}

/* RFC 1928, 6. */
static const char *
socks_text(unsigned char reply)
{
	static const char *const texts[] = { NULL, "general failure",
		"not allowed by its rules", "network unreachable",
		"host unreachable", "connection refused", "TTL expired",
		"command not supported", "address type not supported" };

	if (reply == 0 || reply >= sizeof(texts) / sizeof(texts[0]))
		return "unknown failure";
	return texts[reply];
}

/* The answer to a request: its address is passed over. */
static int
socks_answer(const struct attempt *a, struct err *e)
{
	unsigned char b[256 + 2];
	size_t n;

	if (socks_read(a, b, 4, e) < 0)
		return -1;
	if (b[0] != 5 || b[2] != 0)
		return err_set(e, ERR_TEMP, "socks: answer is not SOCKS5");
	if (b[1] != 0)
		return err_set(e, ERR_TEMP, "socks: %s", socks_text(b[1]));
	switch (b[3]) {
	case 1:
		n = 4;
		break;
	case 3:
		if (socks_read(a, b, 1, e) < 0)
			return -1;
		n = b[0];
		break;
	case 4:
		n = 16;
		break;
	default:
		return err_set(e, ERR_TEMP, "socks: unknown type of address");
	}
	return socks_read(a, b, n + 2, e); /* and the port */
}

/* Ask the server at the other end for a connection to ip. */
static int
socks_connect(const struct attempt *a, const struct ip *ip, uint16_t port,
    struct err *e)
{
	static const unsigned char hello[] = { 5, 1, 0 };
	unsigned char b[4 + 16 + 2] = { 5, 1, 0, ip->family == 4 ? 1 : 4 };
	size_t n = ip->family == 4 ? 4 : 16;

	if (socks_write(a, hello, sizeof(hello), e) < 0 ||
	    socks_read(a, b + 4, 2, e) < 0)
		return -1;
	if (b[4] != 5 || b[5] != 0)
		return err_set(e, ERR_TEMP,
		    "socks: not without authentication");
	memcpy(b + 4, ip->b, n);
	b[4 + n] = (unsigned char)(port >> 8);
	b[5 + n] = (unsigned char)port;
	if (socks_write(a, b, 6 + n, e) < 0)
		return -1;
	return socks_answer(a, e);
}

/* ---- the list ---- */

static int
try_one(struct attempt *a, const struct dial_opts *o, const struct ip *ip,
    struct err *e)
{
	const struct dial_opts *first = o->socks != NULL ? o->socks : o;
	char text[IP_TEXT];
	int rc = -1;

	for (size_t i = 0; i < (o->socks != NULL ? first->n : 1); i++) {
		const struct ip *to = o->socks != NULL ? &first->ips[i] : ip;
		rc = connect_to(a, first, to, e);
		if (rc == 0)
			break;
		err_prefix(e, "%s%s port %u",
		    o->socks != NULL ? "socks server " : "", ip_text(to, text),
		    first->port);
		if (a->fd >= 0)
			close(a->fd);
		a->fd = -1;
	}
	if (rc < 0 || o->socks == NULL)
		return rc;
	if (socks_connect(a, ip, o->port, e) == 0)
		return 0;
	close(a->fd);
	return err_prefix(e, "%s port %u", ip_text(ip, text), o->port);
}

int
net_dial(const struct dial_opts *o, size_t *which_r, struct err *e)
{
	int64_t end_ms = clock_mono_ms(NULL) + (o->ms > 0 ? o->ms : DIAL_MS);
	struct err why = ERR_INIT;

	for (size_t i = 0; i < o->n; i++) {
		int64_t now = clock_mono_ms(NULL);
		struct attempt a = { .fd = -1,
			.end_ms = now + (end_ms - now) / (int64_t)(o->n - i),
			.stop = o->stop };
		if (which_r != NULL)
			*which_r = i;
		if (try_one(&a, o, &o->ips[i], &why) == 0)
			return a.fd;
		if (o->stop != NULL && *o->stop)
			break;
	}
	if (o->n == 0)
		return err_set(e, ERR_TEMP, "no address to connect to");
	return err_set(e, ERR_TEMP, "%s", why.text);
}

ssize_t
net_resolve(const char *host, struct ip *ips, size_t max, struct err *e)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *all;
	uint16_t port;
	size_t n = 0;
	int rc = getaddrinfo(host, NULL, &hints, &all);

	if (rc != 0)
		return err_set(e, rc == EAI_NONAME ? ERR_PERM : ERR_TEMP,
		    "%s: %s", host, gai_strerror(rc));
	for (const struct addrinfo *a = all; a != NULL && n < max;
	     a = a->ai_next)
		if (ip_from_sockaddr(a->ai_addr, &ips[n], &port))
			n++;
	freeaddrinfo(all);
	if (n == 0)
		return err_set(e, ERR_PERM, "%s: no address", host);
	return (ssize_t)n;
}
