/* login - what the processes of a connection tell about log-ins, and the
 * hand-over of the connection after one. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/proc.h"
#include "service/fdmsg.h"
#include "service/relay.h"
#include "service/service_int.h"

#define HAND_OVER_MS 30000 /* the session opens the account meanwhile */

void
control_send(const struct server *sv, enum control_type type,
    const struct ip *ip, struct slice rest)
{
	struct control c = { .type = type, .serial = sv->serial };

	if (ip != NULL)
		c.ip = *ip;
	if (sv->control >= 0 &&
	    !fdmsg_send(sv->control, SPLIT_OF(c), rest, NULL, 0, 0))
		log_line(SERVICE_TOPIC, LOG_WARN, "control socket",
		    LOG_Z("err", strerrordesc_np(errno)));
}

/* ---- log-ins ---- */

void
service_authenticated(const struct service_client *client, struct slice who)
{
	struct limit_rule rule = admit_auth_rule(client->limits);

	control_send(client->server, CONTROL_AUTHENTICATED, NULL, who);
	limit_reset(client->limit, &rule, &client->ip, clock_s(NULL));
}

bool
service_auth_allowed(const struct service_client *client)
{
	struct limit_rule rule = admit_auth_rule(client->limits);

	return admit_is_exempt(client->server, &client->ip) ||
	    limit_check(client->limit, &rule, &client->ip, clock_s(NULL));
}

bool
service_auth_failed(const struct service_client *client)
{
	struct limit_rule rule = admit_auth_rule(client->limits);

	return admit_is_exempt(client->server, &client->ip) ||
	    (limit_add(client->limit, &rule, &client->ip, clock_s(NULL)) &&
		service_auth_allowed(client));
}

/* ---- hand-over ---- */

int
service_hand_over(struct conn *conn, struct split **split, unsigned type,
    const struct slice *v, size_t n, struct err *e)
{
	struct slice all[SPLIT_SLICES], unread = conn_buffered(conn);
	struct split_msg reply;
	int fd;

	if (n >= SPLIT_SLICES)
		return err_set(e, ERR_LIMIT, "hand-over: too many slices");
	for (size_t i = 0; i < n; i++)
		all[i] = v[i];
	all[n] = unread;
	/* The back may park, which is to end it and not this; else the end of
	 * the pair says enough. */
	prctl(PR_SET_PDEATHSIG, 0);
	if (split_call(*split, type, all, n + 1, HAND_OVER_MS, &reply, e) < 0)
		return -1;
	conn_consume(conn, unread.n);
	log_set_sink(NULL, NULL); /* the pair is no longer for messages */
	if (!conn_is_tls(conn)) {
		split_free(split, NULL);
		return 0;
	}
	conn_write(conn, split_rest(*split));
	split_free(split, &fd);
	if (conn_flush(conn) == CONN_OK)
		relay_run(conn, fd);
	close(fd);
	return 0;
}

struct conn *
service_take_over(const struct service_client *client, struct split **split,
    bool tls, struct slice unread, struct err *e)
{
	struct conn *conn = tls ? conn_new(split_fd(*split), split_fd(*split))
				: conn_new(client->read_fd, client->write_fd);
	int fd;

	if (!tls)
		signal(SIGCHLD, SIG_IGN); /* the front ends now: reaped so */
	conn_set_stop(conn, &service_stop);
	if (!conn_unread(conn, unread)) {
		err_set(e, ERR_LIMIT, "hand-over: too many unread bytes");
		conn_free(&conn);
	} else if (split_reply(*split, NULL, 0, e) < 0) {
		conn_free(&conn);
	} else {
		split_free(split, &fd);
		if (!tls) {
			close(fd);
			client->server->pair = -1;
		}
	}
	return conn;
}

/* ---- parking ---- */

bool
service_can_park(const struct service_client *client)
{
	return client->server->control >= 0 &&
	    client->server->service->resume != NULL && !client->shared;
}

/* Ask the parent, with descriptors, and end if it has done so. */
static void
ask_parent(const struct server *sv, const struct control *c, struct slice rest,
    const int *fds, size_t n)
{
	int answer[2], all[FDMSG_FDS];
	ssize_t got = 0;
	char byte;

	/* The parent writes a byte there when it is done, or just closes it. */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, answer) < 0)
		return;
	all[0] = answer[1];
	memcpy(all + 1, fds, n * sizeof(*fds));
	if (fdmsg_send(sv->control, SPLIT_OF(*c), rest, all, n + 1, 0)) {
		close(answer[1]);
		do
			got = read(answer[0], &byte, 1);
		while (got < 0 && errno == EINTR);
	} else
		close(answer[1]);
	close(answer[0]);
	if (got == 1)
		_exit(EXIT_DONE);
}

void
service_park(const struct service_client *client,
    const struct service_parked *parked)
{
	const struct server *sv = client->server;
	struct control c = { .type = CONTROL_PARK,
		.serial = sv->serial,
		.park = { .look = parked->look,
		    .end_ms = parked->end_ms,
		    .has_watch = parked->watch_fd >= 0,
		    .has_look = parked->look_fd >= 0,
		    .folders_n = (uint32_t)parked->folders.n } };
	struct buf rest = BUF_INIT(CONTROL_REST);
	int fds[FDMSG_FDS - 1];
	size_t n = 0;

	fds[n++] = parked->fd;
	if (parked->watch_fd >= 0)
		fds[n++] = parked->watch_fd;
	if (parked->look_fd >= 0)
		fds[n++] = parked->look_fd;
	buf_add(&rest, parked->folders);
	buf_add(&rest, parked->state);
	if (!rest.over)
		ask_parent(sv, &c, buf_slice(&rest), fds, n);
	buf_free(&rest);
}

void
service_renew(const struct service_client *client,
    const struct service_parked *parked)
{
	const struct server *sv = client->server;
	struct control c = { .type = CONTROL_RENEW,
		.serial = sv->serial,
		.park = { .end_ms = parked->end_ms,
		    .has_watch = parked->watch_fd >= 0 } };
	const int fds[] = { parked->fd, parked->watch_fd };

	ask_parent(sv, &c, parked->state, fds, 1u + c.park.has_watch);
}

/* ---- errands ---- */

int
service_errand(const struct service_client *client, struct slice account,
    struct slice request, struct err *e)
{
	struct buf rest = BUF_INIT(CONTROL_REST);
	struct control c = { .type = CONTROL_ERRAND,
		.text_n = (uint32_t)account.n };
	int pair[2], fd = -1;

	if (client == NULL || client->server->control < 0 ||
	    client->server->service->errand == NULL)
		return err_set(e, ERR_PERM,
		    "other accounts cannot be asked by this process");
	c.serial = client->server->serial;
	buf_add(&rest, account);
	buf_add(&rest, request);
	if (rest.over)
		err_set(e, ERR_LIMIT, "too long for another account");
	else if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		err_sys(e, "socketpair");
	else {
		fd = pair[0];
		if (!fdmsg_send(client->server->control, SPLIT_OF(c),
			buf_slice(&rest), &pair[1], 1, 0)) {
			err_sys(e, "control socket");
			close(fd);
			fd = -1;
		}
		close(pair[1]);
	}
	buf_free(&rest);
	return fd;
}

/* ---- starting again ---- */

void
service_restart(const struct service_client *client, int fd, struct slice text,
    struct slice unread)
{
	const struct server *sv = client->server;
	struct control c = { .type = CONTROL_RESTART,
		.serial = sv->serial,
		.text_n = (uint32_t)text.n };
	struct buf rest = BUF_INIT(CONTROL_REST);

	buf_add(&rest, text);
	buf_add(&rest, unread);
	if (!rest.over)
		ask_parent(sv, &c, buf_slice(&rest), &fd, 1);
	buf_free(&rest);
}
