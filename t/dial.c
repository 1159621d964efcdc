/* Unit test of lib/net/dial.c, on loopback. */
#include "net/dial.h"

#include <netinet/in.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "t/unit.h"

/* An address of this process alone, as own_ip of helper.bash. */
static struct ip
own_ip(unsigned n)
{
	unsigned pid = (unsigned)getpid() * 7 + n;
	unsigned char b[4] = { 127, (unsigned char)(64 + (pid >> 16) % 64),
		(unsigned char)(pid >> 8), (unsigned char)(1 + n % 250) };

	return ip_from_bytes(4, b);
}

/* A listening socket; *port_r is the kernel's choice. */
static int
listen_on(const struct ip *ip, uint16_t *port_r)
{
	struct sockaddr_storage sa;
	socklen_t n = ip_to_sockaddr(ip, 0, &sa);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct ip got;

	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, n) < 0 ||
	    listen(fd, 5) < 0 || !ip_local(fd, &got, port_r))
		abort();
	return fd;
}

static void
test_direct(void)
{
	struct ip ips[3] = { own_ip(1), own_ip(2), own_ip(3) };
	struct dial_opts o = { .ips = ips, .n = 3, .local4 = own_ip(9) };
	int server = listen_on(&ips[1], &o.port), fd, peer;
	struct ip from;
	uint16_t port;
	struct err e = ERR_INIT;
	size_t which = 99;

	fd = net_dial(&o, &which, &e);
	CHECK(fd >= 0);
	CHECK_EQ(which, 1); /* nobody listens at the first */
	peer = accept(server, NULL, NULL);
	CHECK(ip_peer(peer, &from, &port) && ip_eq(&from, &o.local4));
	close(peer);
	close(fd);
	close(server);

	fd = net_dial(&o, &which, &e);
	CHECK_EQ(fd, -1);
	CHECK_EQ(which, 2);
	CHECK_EQ(e.kind, ERR_TEMP);
	CHECK(slice_endsi(slice_str(e.text), SLICE("Connection refused")));
	o.n = 0;
	CHECK_EQ(net_dial(&o, NULL, &e), -1);
	CHECK_STR(e.text, "no address to connect to");
}

/* Nobody accepts, and the queue is full: the next one waits. */
static void
test_deadline(void)
{
	struct ip ip = own_ip(4);
	struct dial_opts o = { .ips = &ip, .n = 1, .ms = 300 };
	int server = listen_on(&ip, &o.port), fds[20], n = 0;
	volatile sig_atomic_t stop = 1;
	struct err e = ERR_INIT;
	int64_t before;

	listen(server, 0);
	while (n < 20 && (fds[n] = net_dial(&o, NULL, &e)) >= 0)
		n++;
	CHECK(n < 20);
	CHECK(slice_endsi(slice_str(e.text), SLICE("no answer in time")));
	before = clock_mono_ms(NULL);
	o.ms = 20000;
	o.stop = &stop;
	CHECK_EQ(net_dial(&o, NULL, &e), -1);
	CHECK(clock_mono_ms(NULL) - before < 10000);
	while (n > 0)
		close(fds[--n]);
	close(server);
}

static void
test_source_unknown(void)
{
	static const unsigned char test_net[4] = { 192, 0, 2, 1 };
	struct ip ip = own_ip(5);
	struct dial_opts o = { .ips = &ip,
		.n = 1,
		.port = 1,
		.local4 = ip_from_bytes(4, test_net) };
	struct err e = ERR_INIT;

	CHECK_EQ(net_dial(&o, NULL, &e), -1);
	CHECK(slice_find(slice_str(e.text), SLICE("from 192.0.2.1: ")) >= 0);
}

static void
test_resolve(void)
{
	struct ip ips[4];
	struct err e = ERR_INIT;

	CHECK_EQ(net_resolve("127.0.0.9", ips, 4, &e), 1);
	CHECK_EQ(ips[0].b[3], 9);
	CHECK_EQ(net_resolve("::1", ips, 4, &e), 1);
	CHECK_EQ(ips[0].family, 6);
	CHECK_EQ(net_resolve("", ips, 4, &e), -1);
}

/* ---- SOCKS5 ---- */

/* Answers with `answer` to the greeting and the request, then sends "hi". What
 * it was asked is sent to log. */
struct socks {
	const char *row, *hello;
	size_t nhello;
	const char *answer;
	size_t nanswer;
	const char *want; /* end of the error; NULL: connected */
};

#define B(text) text, sizeof(text) - 1

static const struct socks socks_rows[] = {
	{ "taken", B("\5\0"), B("\5\0\0\1\1\2\3\4\0\31"), NULL },
	{ "taken, address of IPv6", B("\5\0"),
	    B("\5\0\0\4"
	      "0123456789abcdef\0\31"),
	    NULL },
	{ "taken, a name", B("\5\0"), B("\5\0\0\3\3abc\0\31"), NULL },
	{ "with a password only", B("\5\377"), B(""),
	    "socks: not without authentication" },
	{ "not SOCKS", B("HT"), B("TP"), "socks: not without authentication" },
	{ "refused", B("\5\0"), B("\5\5\0\1\0\0\0\0\0\0"),
	    "socks: connection refused" },
	{ "not allowed", B("\5\0"), B("\5\2\0\1\0\0\0\0\0\0"),
	    "socks: not allowed by its rules" },
	{ "some code", B("\5\0"), B("\5\377\0\1\0\0\0\0\0\0"),
	    "socks: unknown failure" },
	{ "another version", B("\5\0"), B("\4\0\0\1\0\0\0\0\0\0"),
	    "socks: answer is not SOCKS5" },
	{ "odd address", B("\5\0"), B("\5\0\0\7\0\0\0\0\0\0"),
	    "socks: unknown type of address" },
	{ "cut", B("\5\0"), B("\5\0\0\1\0"), "socks: closed" },
	{ "a greeting of its own", B(""), B(""),
	    "socks: not without authentication" },
};

static _Noreturn void
socks_serve(int server, const struct socks *s, int log)
{
	int fd = accept(server, NULL, NULL);
	char ask[22];
	ssize_t n;

	if (fd < 0 || recv(fd, ask, 3, MSG_WAITALL) != 3)
		_exit(1);
	file_write(fd, slice_of(s->hello, s->nhello), NULL);
	if (s->nanswer > 2) {
		n = recv(fd, ask, 10, MSG_WAITALL);
		file_write(log, slice_of(ask, (size_t)n), NULL);
	}
	file_write(fd, slice_of(s->answer, s->nanswer), NULL);
	file_write(fd, SLICE("hi"), NULL);
	_exit(0);
}

/* "hi" must be the first thing behind the answer. */
static void
check_socks(const struct socks *s, struct dial_opts *o, int server)
{
	int log[2], fd;
	char got[3] = "", asked[10] = "";
	struct err e = ERR_INIT;

	if (pipe(log) < 0)
		abort();
	if (fork() == 0)
		socks_serve(server, s, log[1]);
	close(log[1]);
	fd = net_dial(o, NULL, &e);
	CHECK_EQ(fd >= 0, s->want == NULL);
	if (fd >= 0) {
		file_nonblock(fd, false);
		CHECK_EQ(recv(fd, got, 2, MSG_WAITALL), 2);
		CHECK_STR(got, "hi");
		CHECK_EQ(read(log[0], asked, 10), 10);
		CHECK_EQ(memcmp(asked, "\5\1\0\1\300\0\2\1\0\31", 10), 0);
		close(fd);
	} else {
		CHECK(slice_ends(slice_str(e.text), slice_str(s->want)));
	}
	close(log[0]);
	wait(NULL);
}

static void
test_socks(void)
{
	static const unsigned char test_net[4] = { 192, 0, 2, 1 };
	struct ip target = ip_from_bytes(4, test_net), proxy = own_ip(6);
	struct dial_opts socks = { .ips = &proxy, .n = 1 };
	struct dial_opts o = {
		.ips = &target, .n = 1, .port = 25, .socks = &socks
	};
	int server = listen_on(&proxy, &socks.port);
	struct err e = ERR_INIT;

	for (size_t i = 0; i < sizeof(socks_rows) / sizeof(socks_rows[0]);
	     i++) {
		ROW(socks_rows[i].row);
		check_socks(&socks_rows[i], &o, server);
	}
	close(server);
	ROW("nobody is there");
	CHECK_EQ(net_dial(&o, NULL, &e), -1);
	CHECK(slice_starts(slice_str(e.text), SLICE("socks server 127.")));
}

int
main(void)
{
	RUN(test_direct);
	RUN(test_deadline);
	RUN(test_source_unknown);
	RUN(test_resolve);
	RUN(test_socks);
	return unit_done();
}
