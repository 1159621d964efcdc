/* talk - standard input and output over a connection. */
#include "tools/talk.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/file.h"

#define PIECE (16 * 1024) /* a TLS record */
#define QUIET_MS 2000

struct talk {
	struct conn *conn;
	char piece[PIECE]; /* of standard input */
	size_t at, n;      /* those from at to n are still to be sent */
	bool no_input;     /* standard input has ended */
	bool told;         /* and the peer knows */
};

void
talk_put_tls(struct json_out *j, const struct tls_facts *facts)
{
	json_put_str(j, "TLSVersion", slice_str(facts->version));
	json_put_str(j, "CipherSuite", slice_str(facts->cipher));
}

static int
print(struct slice s, struct err *e)
{
	return file_write(STDOUT_FILENO, s, e) < 0
	    ? err_prefix(e, "standard output")
	    : 0;
}

/* Print all that is here. 0 for more to come, 1 at the end, -1 with e. */
static int
receive(struct talk *t, struct err *e)
{
	char piece[PIECE];
	enum conn_status status;
	size_t n;

	while ((status = conn_try_read(t->conn, piece, PIECE, &n)) == CONN_OK)
		if (print(slice_of(piece, n), e) < 0)
			return -1;
	/* Servers that close behind QUIT do not read our end: a reset. */
	if (status == CONN_ERROR && !t->told)
		return err_set(e, ERR_TEMP, "connection lost: %s",
		    conn_error(t->conn));
	return status == CONN_AGAIN ? 0 : 1;
}

static int
read_input(struct talk *t, struct err *e)
{
	ssize_t n = read(STDIN_FILENO, t->piece, PIECE);

	if (n < 0 && errno != EINTR && errno != EAGAIN)
		return err_sys(e, "standard input");
	t->at = 0;
	t->n = n > 0 ? (size_t)n : 0;
	t->no_input = n == 0;
	return 0;
}

/* What waits. A peer that takes no more may still have said why: that shows
 * when it is read. */
static void
send_input(struct talk *t)
{
	enum conn_status status = CONN_OK;
	size_t n;

	while (t->at < t->n && status == CONN_OK) {
		status = conn_try_write(t->conn,
		    slice_of(t->piece + t->at, t->n - t->at), &n);
		t->at += n;
	}
	if (status != CONN_OK && status != CONN_AGAIN) {
		t->at = t->n = 0;
		t->no_input = t->told = true;
	}
}

/*
 * Wait for either side. After the end of input the peer is told once it has
 * been quiet: who answers to QUIT and closes at once would reset the connection
 * for the end that it did not read, and take back its answer.
 */
static int
await(struct talk *t, struct err *e)
{
	bool ending = t->no_input && t->at == t->n && !t->told;
	int n;
	struct pollfd fds[2] = { { conn_read_fd(t->conn),
				     conn_read_events(t->conn), 0 },
		{ STDIN_FILENO, POLLIN, 0 } };

	if (t->at < t->n)
		fds[0].events |= conn_write_events(t->conn);
	if (t->at < t->n || t->no_input)
		fds[1].fd = -1;
	n = poll(fds, 2, ending ? QUIET_MS : -1);
	if (n < 0)
		return errno == EINTR ? 0 : err_sys(e, "poll");
	if (n == 0) {
		conn_end_write(t->conn);
		t->told = true;
	}
	return fds[1].revents != 0 ? read_input(t, e) : 0;
}

int
talk_run(struct conn *c, struct err *e)
{
	struct talk t = { .conn = c };
	struct slice early = conn_buffered(c);
	int rc;

	signal(SIGPIPE, SIG_IGN); /* a reader that is gone is an error */
	rc = print(early, e);
	conn_consume(c, early.n);
	while (rc == 0) {
		send_input(&t);
		rc = receive(&t, e);
		if (rc == 0)
			rc = await(&t, e);
	}
	return rc < 0 ? -1 : 0;
}
