/* Unit test of lib/net/conn.c, without TLS. */
#include "net/conn.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "t/unit.h"

static int peer; /* the other end */
static struct conn *c;
static int fd;

static void
begin(void)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		abort();
	peer = pair[0];
	fd = pair[1];
	c = conn_new(fd, fd);
	conn_set_read_ms(c, 50);
	conn_set_write_ms(c, 50);
}

static void
end(void)
{
	conn_free(&c);
	close(peer);
	close(fd);
}

static void
say(struct slice s)
{
	if (write(peer, s.p, s.n) != (ssize_t)s.n)
		UNIT_FAIL("write");
}

#define HEAR(status, expected, is_bare) \
	do { \
		struct slice line_; \
		bool bare_ = false; \
		CHECK_EQ(conn_line(c, 10, &line_, &bare_), status); \
		CHECK_SLICE(line_, SLICE(expected)); \
		CHECK_EQ(bare_, is_bare); \
	} while (0)

static void
test_lines(void)
{
	begin();
	say(SLICE("one\r\n\r\ntwo\n\n1234567890\r\na\rb\r\r\nx\0y\r\npart"));
	HEAR(CONN_OK, "one", false);
	CHECK(conn_has_line(c));
	HEAR(CONN_OK, "", false);
	HEAR(CONN_OK, "two", true);
	HEAR(CONN_OK, "", true);
	HEAR(CONN_OK, "1234567890", false);
	HEAR(CONN_OK, "a\rb\r", false);
	HEAR(CONN_OK, "x\0y", false);
	CHECK(!conn_has_line(c));
	HEAR(CONN_TIMEOUT, "", false);
	say(SLICE("ly\r\n"));
	HEAR(CONN_OK, "partly", false);
	say(SLICE("last"));
	shutdown(peer, SHUT_WR);
	HEAR(CONN_EOF, "", false);
	CHECK_SLICE(conn_buffered(c), SLICE("last"));
	/* It may still be told something. */
	conn_writez(c, "bye");
	CHECK_EQ(conn_flush(c), CONN_OK);
	CHECK_EQ(conn_bytes_out(c), 3);
	end();
}

static void
test_too_long(void)
{
	static char big[2 * CONN_BUFFER];
	struct slice line;

	begin();
	say(SLICE("12345678901\r\n"));
	HEAR(CONN_TOO_LONG, "", false);
	HEAR(CONN_TOO_LONG, "", false);
	conn_consume(c, 13);
	say(SLICE("123456789012")); /* no end in sight */
	HEAR(CONN_TOO_LONG, "", false);
	conn_consume(c, conn_buffered(c).n);
	memset(big, 'x', sizeof(big));
	say(slice_of(big, sizeof(big)));
	CHECK_EQ(conn_line(c, CONN_BUFFER - 2, &line, NULL), CONN_TOO_LONG);
	CHECK_EQ(conn_buffered(c).n, CONN_BUFFER);
	end();
}

static void
test_fill(void)
{
	char big[CONN_BUFFER];

	begin();
	say(SLICE("line\r\n12345"));
	HEAR(CONN_OK, "line", false);
	CHECK_EQ(conn_fill(c, 3), CONN_OK);
	CHECK(conn_buffered(c).n >= 3);
	conn_consume(c, 3);
	CHECK_EQ(conn_fill(c, 3), CONN_TIMEOUT);
	say(SLICE("6"));
	CHECK_EQ(conn_fill(c, 3), CONN_OK);
	CHECK_SLICE(conn_buffered(c), SLICE("456"));
	memset(big, 'b', sizeof(big));
	say(slice_of(big, CONN_BUFFER - 3));
	CHECK_EQ(conn_fill(c, CONN_BUFFER), CONN_OK);
	conn_consume(c, CONN_BUFFER);
	say(SLICE("cd\r\n"));
	CHECK(conn_unread(c, SLICE("ab")));
	HEAR(CONN_OK, "abcd", false);
	CHECK(!conn_unread(c, slice_of(big, CONN_BUFFER + 1)));
	end();
}

static size_t
drain(char *p, size_t n)
{
	size_t got = 0;
	ssize_t r;

	while (got < n && (r = recv(peer, p + got, n - got, MSG_DONTWAIT)) > 0)
		got += (size_t)r;
	return got;
}

static void
test_write(void)
{
	static char big[100000], in[200000];

	begin();
	memset(big, 'x', sizeof(big));
	conn_writez(c, "one ");
	conn_writef(c, "%d", 2);
	CHECK_EQ(drain(in, sizeof(in)), 0); /* nothing yet */
	conn_write(c, slice_of(big, sizeof(big)));
	CHECK_EQ(conn_flush(c), CONN_OK);
	CHECK_EQ(drain(in, sizeof(in)), sizeof(big) + 5);
	CHECK(memcmp(in, "one 2xxx", 8) == 0);
	/* A peer that takes nothing: the failure sticks. */
	for (int i = 0; i < 100; i++)
		conn_write(c, slice_of(big, sizeof(big)));
	CHECK_EQ(conn_flush(c), CONN_TIMEOUT);
	drain(in, sizeof(in));
	conn_writez(c, "more");
	CHECK_EQ(conn_flush(c), CONN_TIMEOUT);
	CHECK_STR(conn_error(c), "time-out");
	say(SLICE("still read\r\n"));
	HEAR(CONN_OK, "still read", false);
	end();
}

static void
test_gone(void)
{
	begin();
	close(peer);
	conn_writez(c, "text");
	CHECK_EQ(conn_flush(c), CONN_ERROR);
	CHECK_STR(conn_error(c), "Broken pipe");
	peer = dup(fd);
	end();
}

static void
test_stop(void)
{
	static volatile sig_atomic_t stop;
	int64_t begun = clock_mono_ms(NULL);

	begin();
	conn_set_read_ms(c, 5000);
	conn_set_stop(c, &stop);
	say(SLICE("one\r\ntwo\r\nthr"));
	HEAR(CONN_OK, "one", false);
	stop = 1;
	HEAR(CONN_OK, "two", false); /* it is here already */
	conn_set_read_ms(c, 20);
	HEAR(CONN_TIMEOUT, "", false); /* it has begun */
	stop = CONN_STOP_ALL;
	conn_set_read_ms(c, 5000);
	HEAR(CONN_STOP, "", false);
	conn_consume(c, 3);
	stop = 1;
	HEAR(CONN_STOP, "", false);
	conn_writez(c, "bye");
	CHECK_EQ(conn_flush(c), CONN_OK);
	CHECK(clock_mono_ms(NULL) - begun < 1000);
	end();
	stop = 0;
}

static void
on_alarm(int number)
{
	(void)number;
}

/* A signal wakes, and the waiting goes on. */
static void
test_signal(void)
{
	struct sigaction sa = { .sa_handler = on_alarm };

	begin();
	sigaction(SIGALRM, &sa, NULL);
	ualarm(10000, 0);
	HEAR(CONN_TIMEOUT, "", false);
	end();
}

static void
test_slow(void)
{
	int64_t begun;
	char in[10];

	begin();
	conn_set_slow(c, true);
	conn_set_write_ms(c, 6500); /* so two bytes, then the rest */
	begun = clock_mono_ms(NULL);
	conn_writez(c, "12345");
	CHECK_EQ(conn_flush(c), CONN_OK);
	CHECK(clock_mono_ms(NULL) - begun >= 1900);
	CHECK_EQ(drain(in, sizeof(in)), 5);
	begun = clock_mono_ms(NULL);
	conn_set_read_ms(c, 2000);
	say(SLICE("x\r\n"));
	HEAR(CONN_OK, "x", false);
	CHECK(clock_mono_ms(NULL) - begun >= 950);
	end();
}

static void
count_idle(void *ctx)
{
	(*(int *)ctx)++;
}

static void
test_idle(void)
{
	int n = 0;

	begin();
	conn_set_idle(c, count_idle, &n);
	conn_set_read_ms(c, 1500);
	say(SLICE("par"));
	CHECK_EQ(conn_fill(c, 3), CONN_OK);
	HEAR(CONN_TIMEOUT, "", false);
	CHECK_EQ(n, 1);
	say(SLICE("t\r\n"));
	HEAR(CONN_OK, "part", false); /* nothing was lost */
	HEAR(CONN_TIMEOUT, "", false);
	CHECK_EQ(n, 2);
	say(SLICE("more\r\n"));
	HEAR(CONN_OK, "more", false);
	end();
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	RUN(test_lines);
	RUN(test_too_long);
	RUN(test_fill);
	RUN(test_write);
	RUN(test_gone);
	RUN(test_stop);
	RUN(test_signal);
	RUN(test_slow);
	RUN(test_idle);
	return unit_done();
}
