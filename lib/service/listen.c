/* listen - sockets and files from the service manager, addresses from its
 * environment. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "service/service_int.h"

#define FIRST_FD 3 /* SD_LISTEN_FDS_START */
#define FDS_MAX 64

static bool
is_listening(int fd)
{
	int on = 0;
	socklen_t n = sizeof(on);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &n) == 0 && on;
}

static uint32_t
env_number(const char *name)
{
	uint32_t v;

	return slice_u32(slice_str(getenv(name)), &v) ? v : 0;
}

static const struct service_kind *
find_kind(const struct service *service, struct slice name)
{
	for (const struct service_kind *k = service->kinds; k->name; k++)
		if (slice_is(name, k->name))
			return k;
	return NULL;
}

/* "submission.public", or the flags for a socket that has no such name. */
static int
name_listener(const struct service *service, struct service_listener *l,
    struct slice name, const char *kind, const char *listener, struct err *e)
{
	struct slice kind_name;

	if (!slice_cut(name, '.', &kind_name, &l->name)) {
		kind_name = slice_str(kind);
		l->name = slice_str(listener);
	}
	l->kind = find_kind(service, kind_name);
	if (l->kind == NULL)
		return err_set(e, ERR_SYNTAX,
		    "socket \"%.*s\": name it KIND.LISTENER or say -kind",
		    SLICE_FMT(name));
	return 0;
}

static int
take_listener(struct server *sv, int fd, struct slice name, const char *kind,
    const char *listener, struct err *e)
{
	struct service_setup *setup = &sv->setup;
	struct service_listener *l = &setup->listeners[setup->nlisteners++];

	l->fd = fd;
	return name_listener(sv->service, l, name, kind, listener, e);
}

/* LISTEN_FDS: listening sockets or one connection, and files. */
static int
take_descriptors(struct server *sv, uint32_t n, const char *kind,
    const char *listener, struct err *e)
{
	struct service_setup *setup = &sv->setup;
	struct slice names = slice_str(sv->listen_names), one;

	for (uint32_t i = 0; i < n; i++) {
		int fd = FIRST_FD + (int)i;
		slice_cut(names, ':', &one, &names);
		if (slice_starts(one, SLICE("/")))
			setup->files[setup->nfiles++] =
			    (struct service_file){ one, fd };
		else if (take_listener(sv, fd, one, kind, listener, e) < 0)
			return -1;
	}
	return 0;
}

/* All listen, or there is one that is a connection. */
static int
check_sockets(const struct service_setup *setup, bool *connected_r,
    struct err *e)
{
	*connected_r = !is_listening(setup->listeners[0].fd);
	if (*connected_r && setup->nlisteners > 1)
		return err_set(e, ERR_PERM,
		    "descriptor %d is no listening socket",
		    setup->listeners[0].fd);
	for (size_t i = 0; !*connected_r && i < setup->nlisteners; i++) {
		if (!is_listening(setup->listeners[i].fd))
			return err_set(e, ERR_PERM,
			    "descriptor %d is no listening socket",
			    setup->listeners[i].fd);
		file_nonblock(setup->listeners[i].fd, true);
	}
	return 0;
}

static const char *
keep_environment(struct server *sv, const char *name)
{
	const char *value = getenv(name);

	return value == NULL ? NULL
			     : arena_cstr(sv->setup.arena, slice_str(value));
}

int
listen_take(struct server *sv, const char *kind, const char *name,
    bool *connected_r, int *read_fd_r, int *write_fd_r, struct err *e)
{
	struct service_setup *setup = &sv->setup;
	uint32_t n = env_number("LISTEN_FDS"), pid = env_number("LISTEN_PID");

	if (n > FDS_MAX)
		return err_set(e, ERR_LIMIT, "more than %d sockets", FDS_MAX);
	if (pid != 0 && pid != (uint32_t)getpid())
		n = 0; /* meant for another process: sd_listen_fds(3) */
	if (n > 0) {
		sv->listen_fds = keep_environment(sv, "LISTEN_FDS");
		sv->listen_names = keep_environment(sv, "LISTEN_FDNAMES");
	}
	setup->listeners =
	    arena_array(setup->arena, n + 1, sizeof(*setup->listeners));
	setup->files = arena_array(setup->arena, n, sizeof(*setup->files));
	if (take_descriptors(sv, n, kind, name, e) < 0)
		return -1;
	if (setup->nlisteners == 0) { /* inetd, tcpserver */
		if (kind == NULL)
			return err_set(e, ERR_SYNTAX,
			    "no sockets: LISTEN_FDS or -kind is needed");
		if (take_listener(sv, STDIN_FILENO, SLICE_NULL, kind, name, e) <
		    0)
			return -1;
	}
	if (check_sockets(setup, connected_r, e) < 0)
		return -1;
	*read_fd_r = setup->listeners[0].fd;
	*write_fd_r = *read_fd_r == STDIN_FILENO ? STDOUT_FILENO : *read_fd_r;
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDNAMES");
	return 0;
}

void
listen_environment(const struct server *sv)
{
	if (sv->listen_fds == NULL)
		return; /* inetd's, found there again */
	setenv("LISTEN_FDS", sv->listen_fds, 1);
	if (sv->listen_names != NULL)
		setenv("LISTEN_FDNAMES", sv->listen_names, 1);
}

/* ---- addresses ---- */

/* The first of the variables that holds an address, and its port. */
static void
env_address(const char *const names[][2], size_t n, struct ip *ip_r,
    uint16_t *port_r)
{
	for (size_t i = 0; i < n && ip_r->family == 0; i++)
		if (ip_parse(slice_str(getenv(names[i][0])), ip_r))
			*port_r = (uint16_t)env_number(names[i][1]);
}

void
listen_addresses(struct service_client *client)
{
	/* ucspi-tcp, ucspi-ssl and s6-networking; systemd. */
	static const char *const remote[][2] = {
		{ "TCPREMOTEIP", "TCPREMOTEPORT" },
		{ "REMOTE_ADDR", "REMOTE_PORT" },
	};
	static const char *const local[][2] = {
		{ "TCPLOCALIP", "TCPLOCALPORT" },
	};

	if (!ip_peer(client->read_fd, &client->ip, &client->port))
		env_address(remote, 2, &client->ip, &client->port);
	if (!ip_local(client->read_fd, &client->local_ip, &client->local_port))
		env_address(local, 1, &client->local_ip, &client->local_port);
}
