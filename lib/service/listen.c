/* listen - sockets from the service manager, addresses from its environment. */
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

int
listen_take(const struct service *service, struct service_setup *setup,
    const char *kind, const char *name, bool *connected_r, int *read_fd_r,
    int *write_fd_r, struct err *e)
{
	uint32_t n = env_number("LISTEN_FDS"), pid = env_number("LISTEN_PID");
	struct slice names = slice_str(getenv("LISTEN_FDNAMES")), one;
	int first = FIRST_FD;

	if (n > FDS_MAX)
		return err_set(e, ERR_LIMIT, "more than %d sockets", FDS_MAX);
	if (pid != 0 && pid != (uint32_t)getpid())
		n = 0; /* meant for another process: sd_listen_fds(3) */
	if (n == 0) {  /* inetd, tcpserver */
		if (kind == NULL)
			return err_set(e, ERR_SYNTAX,
			    "no sockets: LISTEN_FDS or -kind is needed");
		n = 1;
		first = STDIN_FILENO;
	}
	*connected_r = !is_listening(first);
	*read_fd_r = first;
	*write_fd_r = first == STDIN_FILENO ? STDOUT_FILENO : first;
	setup->nlisteners = *connected_r ? 1 : n;
	setup->listeners = arena_array(setup->arena, setup->nlisteners,
	    sizeof(*setup->listeners));
	for (size_t i = 0; i < setup->nlisteners; i++) {
		struct service_listener *l = &setup->listeners[i];
		slice_cut(names, ':', &one, &names);
		l->fd = first + (int)i;
		one = arena_dup(setup->arena, one);
		if (name_listener(service, l, one, kind, name, e) < 0)
			return -1;
		if (!*connected_r) {
			if (!is_listening(l->fd))
				return err_set(e, ERR_PERM,
				    "descriptor %d is no listening socket",
				    l->fd);
			file_nonblock(l->fd, true);
		}
	}
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDNAMES");
	return 0;
}

void
listen_environment(const struct service_setup *setup)
{
	struct buf b = BUF_INIT(FDS_MAX * 256);

	if (setup->listeners[0].fd != FIRST_FD)
		return; /* inetd's, found there again */
	buf_addu(&b, setup->nlisteners);
	setenv("LISTEN_FDS", buf_cstr(&b), 1);
	buf_reset(&b);
	for (size_t i = 0; i < setup->nlisteners; i++)
		buf_addf(&b, "%s%s.%.*s", i > 0 ? ":" : "",
		    setup->listeners[i].kind->name,
		    SLICE_FMT(setup->listeners[i].name));
	setenv("LISTEN_FDNAMES", buf_cstr(&b), 1);
	buf_free(&b);
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
