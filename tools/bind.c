#include "tools/bind.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Connections the kernel holds while the parent is busy: a burst of a queue
 * runner's. The kernel's somaxconn caps it. */
#define BACKLOG 1024

const char *const bind_smtp_kinds[] = { "smtp", "submission", "submissions",
	NULL };
const char *const bind_imap_kinds[] = { "imap", "imaps", NULL };

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t
address_of(const char *ip, int port, union address *a_r)
{
	memset(a_r, 0, sizeof(*a_r));
	if (inet_pton(AF_INET, ip, &a_r->v4.sin_addr) == 1) {
		a_r->v4.sin_family = AF_INET;
		a_r->v4.sin_port = htons((uint16_t)port);
		return sizeof(a_r->v4);
	}
	if (inet_pton(AF_INET6, ip, &a_r->v6.sin6_addr) == 1) {
		a_r->v6.sin6_family = AF_INET6;
		a_r->v6.sin6_port = htons((uint16_t)port);
		return sizeof(a_r->v6);
	}
	return 0;
}

/* Why an address could not be bound, and what to do. */
static void
refused(int number, const char *ip, int port, struct err *e)
{
	static const struct {
		int number;
		const char *advice;
	} advice[] = {
		{ EADDRNOTAVAIL,
		    "; this host has no such address: if it is behind "
		    "NAT, put its own address in IPs and the public one in "
		    "NATIPs" },
		{ EADDRINUSE,
		    "; another program or listener has it: ss -ltnp "
		    "shows which" },
		{ EACCES, "; ports below 1024 need root" },
	};
	const char *more = "";

	for (size_t i = 0; i < sizeof(advice) / sizeof(advice[0]); i++)
		if (advice[i].number == number)
			more = advice[i].advice;
	err_set(e, ERR_PERM, "listen on %s port %d: %s%s", ip, port,
	    strerrordesc_np(number), more);
}

static int
bind_one(const char *ip, int port, struct err *e)
{
	union address a;
	socklen_t len = address_of(ip, port, &a);
	int on = 1, fd;

	if (!len)
		return err_set(e, ERR_SYNTAX, "%s is not an IP address", ip);
	fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(e, "socket for %s", ip);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (a.any.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, &a.any, len) < 0 || listen(fd, BACKLOG) < 0) {
		refused(errno, ip, port, e);
		close(fd);
		return -1;
	}
	return fd;
}

struct wanted {
	const char *kind;
	int port; /* 0: not enabled */
};

/* What a listener enables, with its port. */
static size_t
listener_kinds(const struct conf_listener *l, struct wanted w[5])
{
	w[0] = (struct wanted){ "smtp",
		l->smtp && l->smtp->enabled ? l->smtp->port : 0 };
	w[1] = (struct wanted){ "submission",
		l->submission && l->submission->enabled ? l->submission->port
							: 0 };
	w[2] = (struct wanted){ "submissions",
		l->submissions && l->submissions->enabled ? l->submissions->port
							  : 0 };
	w[3] = (struct wanted){ "imap",
		l->imap && l->imap->enabled ? l->imap->port : 0 };
	w[4] = (struct wanted){ "imaps",
		l->imaps && l->imaps->enabled ? l->imaps->port : 0 };
	return 5;
}

static bool
kind_among(const char *name, const char *const *kinds)
{
	struct slice kind, rest;

	slice_cut(slice_str(name), '.', &kind, &rest);
	for (; *kinds; kinds++)
		if (slice_is(kind, *kinds))
			return true;
	return false;
}

static int
bind_listener(const struct conf_listener *l, const char *const *kinds,
    struct arena *arena, struct bind_list *list, struct err *e)
{
	struct wanted w[5];
	size_t n = listener_kinds(l, w);

	for (size_t i = 0; i < n; i++) {
		const char *name;
		if (!w[i].port || (kinds && !kind_among(w[i].kind, kinds)))
			continue;
		name = arena_printf(arena, "%s.%.*s", w[i].kind,
		    SLICE_FMT(l->name))
			   .p;
		for (size_t k = 0; k < l->ips.n; k++) {
			int fd = bind_one(arena_cstr(arena, l->ips.v[k]),
			    w[i].port, e);
			if (fd < 0)
				return err_prefix(e, "listener %.*s",
				    SLICE_FMT(l->name));
			list->v = arena_grow(arena, list->v, list->n,
			    list->n + 1, sizeof(*list->v));
			list->v[list->n++] =
			    (struct supervise_socket){ fd, name };
		}
	}
	return 0;
}

int
bind_listeners(const struct config *config, const char *const *kinds,
    struct arena *arena, struct bind_list *list_r, struct err *e)
{
	const struct conf_listeners *listeners = &config->mox.listeners;

	*list_r = (struct bind_list){ NULL, 0 };
	for (size_t i = 0; i < listeners->n; i++)
		if (bind_listener(&listeners->v[i], kinds, arena, list_r, e) <
		    0)
			return -1;
	return 0;
}

void
bind_pick(const struct bind_list *list, const char *const *kinds,
    struct arena *arena, const struct supervise_socket **v_r, size_t *n_r)
{
	struct supervise_socket *v = arena_array(arena, list->n, sizeof(*v));

	*n_r = 0;
	for (size_t i = 0; i < list->n; i++)
		if (kind_among(list->v[i].name, kinds))
			v[(*n_r)++] = list->v[i];
	*v_r = v;
}
