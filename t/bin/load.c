/*
 * load - an IMAP client for measuring: small, so that the server is what is
 * measured. See usage() for what it can do; every figure goes to stdout.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/slice.h"
#include "t/bin/bench.h"

struct target {
	const char *ip, *user, *password;
	uint16_t port;
	bool tls;
};

struct client {
	int fd;
	SSL *ssl;
	char in[16 << 20]; /* a line: a SEARCH that finds a million */
	size_t start, end; /* unread part of in */
	uint64_t octets;   /* received */
	unsigned tag;
};

static SSL_CTX *tls_context;

static void __attribute__((format(printf, 1, 2), noreturn))
fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("load: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

static struct client *
client_open(const struct target *to)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons(to->port) };
	struct client *c = calloc(1, sizeof(*c));
	int on = 1;

	if (!c || inet_pton(AF_INET, to->ip, &sin.sin_addr) != 1)
		fail("bad address %s", to->ip);
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(c->fd, (struct sockaddr *)&sin, sizeof(sin)) < 0)
		fail("connect %s:%u: %s", to->ip, to->port, strerror(errno));
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (to->tls) {
		c->ssl = SSL_new(tls_context);
		SSL_set_fd(c->ssl, c->fd);
		if (SSL_connect(c->ssl) != 1)
			fail("TLS handshake failed");
	}
	return c;
}

static void
client_close(struct client *c)
{
	if (c->ssl) {
		SSL_shutdown(c->ssl);
		SSL_free(c->ssl);
	}
	close(c->fd);
	free(c);
}

static void
client_write(struct client *c, struct slice s)
{
	while (s.n) {
		ssize_t n = c->ssl ? SSL_write(c->ssl, s.p, (int)s.n)
				   : write(c->fd, s.p, s.n);
		if (n <= 0)
			fail("write: %s", strerror(errno));
		s = slice_skip(s, (size_t)n);
	}
}

static void
client_fill(struct client *c)
{
	ssize_t n;

	if (c->start == c->end)
		c->start = c->end = 0;
	else if (c->end == sizeof(c->in)) {
		memmove(c->in, c->in + c->start, c->end - c->start);
		c->end -= c->start;
		c->start = 0;
		if (c->end == sizeof(c->in))
			fail("line too long");
	}
	n = c->ssl
	    ? SSL_read(c->ssl, c->in + c->end, (int)(sizeof(c->in) - c->end))
	    : read(c->fd, c->in + c->end, sizeof(c->in) - c->end);
	if (n <= 0)
		fail("the server closed the connection");
	c->end += (size_t)n;
	c->octets += (uint64_t)n;
}

/* The next line, without CRLF; literals stay in the stream behind it. */
static struct slice
client_line(struct client *c)
{
	size_t looked = 0;

	for (;;) {
		char *p = c->in + c->start + looked;
		char *lf = memchr(p, '\n', c->end - c->start - looked);
		if (lf) {
			struct slice line = { c->in + c->start,
				(size_t)(lf - (c->in + c->start)) };
			c->start += line.n + 1;
			if (line.n && line.p[line.n - 1] == '\r')
				line.n--;
			return line;
		}
		looked = c->end - c->start;
		client_fill(c);
	}
}

static void
client_skip(struct client *c, uint64_t n)
{
	while (n) {
		size_t have = c->end - c->start;
		if (!have) {
			client_fill(c);
			continue;
		}
		if (have > n)
			have = (size_t)n;
		c->start += have;
		n -= have;
	}
}

/*
 * Read lines until one begins with the prefix; literals are passed over. A
 * tagged NO or BAD ends the program: what is measured must work.
 */
static void
client_until(struct client *c, const char *prefix)
{
	struct slice want = slice_str(prefix);

	for (;;) {
		struct slice line = client_line(c);
		ssize_t brace;
		uint64_t n;
		if (slice_starts(line, want))
			return;
		if (slice_find(line, SLICE(" NO ")) > 0 && *line.p != '*')
			fail("%.*s", SLICE_FMT(line));
		if (slice_find(line, SLICE(" BAD ")) > 0)
			fail("%.*s", SLICE_FMT(line));
		if (line.n && line.p[line.n - 1] == '}' &&
		    (brace = slice_rchr(line, '{')) >= 0 &&
		    slice_u64(slice_sub(line, (size_t)brace + 1, line.n - 1),
			&n))
			client_skip(c, n);
	}
}

/* Send a command and read to its tagged answer, which must be OK. */
static void __attribute__((format(printf, 2, 3)))
client_command(struct client *c, const char *fmt, ...)
{
	struct buf b = BUF_INIT(1 << 20);
	char tag[32];
	va_list ap;

	snprintf(tag, sizeof(tag), "t%u ", ++c->tag);
	buf_addz(&b, tag);
	va_start(ap, fmt);
	buf_addv(&b, fmt, ap);
	va_end(ap);
	buf_addz(&b, "\r\n");
	client_write(c, buf_slice(&b));
	snprintf(tag, sizeof(tag), "t%u OK", c->tag);
	client_until(c, tag);
	buf_free(&b);
}

static struct client *
client_login(const struct target *to)
{
	struct client *c = client_open(to);

	client_until(c, "* ");
	client_command(c, "LOGIN \"%s\" \"%s\"", to->user, to->password);
	return c;
}

/* login, logout, again: how many a second with so many clients at once. */
static void
run_logins(const struct target *to, unsigned clients, double seconds)
{
	uint64_t *done = mmap(NULL, sizeof(*done) * clients,
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	double begin = now();
	uint64_t sum = 0;

	for (unsigned i = 0; i < clients; i++) {
		if (fork() != 0)
			continue;
		while (now() - begin < seconds) {
			struct client *c = client_login(to);
			client_command(c, "LOGOUT");
			client_close(c);
			done[i]++;
		}
		_exit(0);
	}
	while (wait(NULL) > 0)
		;
	for (unsigned i = 0; i < clients; i++)
		sum += done[i];
	printf("%.1f\n", (double)sum / (now() - begin));
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* One command repeated on one selected mailbox: median ms, octets. */
static void
run_command(const struct target *to, const char *mailbox, unsigned repeat,
    const char *command)
{
	struct client *c = client_login(to);
	double *ms = calloc(repeat, sizeof(*ms));
	uint64_t before = 0;

	if (!ms || !repeat)
		fail("repeat must be at least 1");
	if (*mailbox)
		client_command(c, "SELECT \"%s\"", mailbox);
	for (unsigned i = 0; i < repeat; i++) {
		double begin = now();
		before = c->octets;
		client_command(c, "%s", command);
		ms[i] = (now() - begin) * 1e3;
	}
	qsort(ms, repeat, sizeof(*ms), by_value);
	printf("%.3f %llu\n", ms[repeat / 2],
	    (unsigned long long)(c->octets - before));
	client_command(c, "LOGOUT");
	client_close(c);
	free(ms);
}

static void
make_message(struct buf *b, size_t size, unsigned n)
{
	buf_addf(b,
	    "From: <a%u@example.org>\r\nTo: <mox@localhost>\r\n"
	    "Subject: message %u\r\nMessage-Id: <%u.load@example.org>\r\n"
	    "Date: Sat, 21 Nov 2026 07:00:00 +0000\r\n\r\n",
	    n % 100, n, n);
	while (b->n + 72 <= size)
		buf_addz(b,
		    "The quick brown fox jumps over the lazy dog, and "
		    "again, and once more..\r\n");
	while (b->n + 2 < size)
		buf_addc(b, 'x');
	buf_addz(b, "\r\n");
}

/* APPEND so many messages, one after the other: how many a second. */
static void
run_append(const struct target *to, const char *mailbox, unsigned count,
    size_t size)
{
	struct client *c = client_login(to);
	double begin = now();

	for (unsigned i = 0; i < count; i++) {
		struct buf b = BUF_INIT(size + 4096);
		char head[256];
		make_message(&b, size, i);
		int n = snprintf(head, sizeof(head),
		    "a%u APPEND \"%s\" {%zu}\r\n", i, mailbox, b.n);
		client_write(c, slice_of(head, (size_t)n));
		client_until(c, "+");
		client_write(c, buf_slice(&b));
		client_write(c, SLICE("\r\n"));
		snprintf(head, sizeof(head), "a%u OK", i);
		client_until(c, head);
		buf_free(&b);
	}
	printf("%.1f\n", count / (now() - begin));
	client_command(c, "LOGOUT");
	client_close(c);
}

/* What clients ask for, in so many of 20 times; %u is some message. */
static const struct {
	unsigned of20;
	const char *command;
} mix[] = {
	{ 6, "FETCH %u:%u (UID FLAGS ENVELOPE)" },
	{ 5, "FETCH %u BODY.PEEK[]" },
	{ 2, "STORE %u +FLAGS (\\Flagged)" },
	{ 1, "STORE %u -FLAGS (\\Flagged)" },
	{ 2, "NOOP" },
	{ 2, "SEARCH UNSEEN FLAGGED" },
	{ 1, "STATUS INBOX (MESSAGES UNSEEN)" },
	{ 1, "FETCH %u BODYSTRUCTURE" },
};

#define MIX_RANGE 50u

static void
run_client(struct client *c, const char *mailbox, unsigned messages,
    unsigned seed, double until, uint64_t *done)
{
	client_command(c, "SELECT \"%s\"", mailbox);
	while (now() < until) {
		unsigned n = (unsigned)rand_r(&seed) % 20, i = 0;
		unsigned at = (unsigned)rand_r(&seed) % messages + 1;
		unsigned to =
		    at + MIX_RANGE < messages ? at + MIX_RANGE : messages;

		while (n >= mix[i].of20)
			n -= mix[i++].of20;
		client_command(c, mix[i].command, at, to);
		(*done)++;
	}
}

/* So many clients at once, each with a session of its own: commands a second. */
static void
run_mixed(const struct target *to, const char *mailbox, unsigned clients,
    double seconds, unsigned messages)
{
	uint64_t *done = mmap(NULL, sizeof(*done) * clients,
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct client *c;
	uint64_t sum = 0;
	double begin;

	for (unsigned i = 0; i < clients; i++) {
		if (fork() != 0)
			continue;
		c = client_login(to);
		begin = now();
		run_client(c, mailbox, messages, i, begin + seconds, &done[i]);
		client_command(c, "LOGOUT");
		client_close(c);
		_exit(0);
	}
	while (wait(NULL) > 0)
		;
	for (unsigned i = 0; i < clients; i++)
		sum += done[i];
	printf("%.1f\n", (double)sum / seconds);
}

/* So many connections in IDLE; "ready", then wait until stdin ends. */
static void
run_idle(const struct target *to, unsigned count)
{
	char byte;

	for (unsigned i = 0; i < count; i++) {
		struct client *c = client_login(to);
		client_command(c, "SELECT INBOX");
		client_write(c, SLICE("i IDLE\r\n"));
		client_until(c, "+");
	}
	puts("ready");
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
}

static void __attribute__((noreturn)) usage(void)
{
	fputs("usage: load ADDRESS PORT plain|tls USER PASSWORD ...\n"
	      "  logins CLIENTS SECONDS         logins a second\n"
	      "  command MAILBOX REPEAT COMMAND median ms, octets received\n"
	      "  append MAILBOX COUNT SIZE      messages a second\n"
	      "  mixed MAILBOX CLIENTS SECONDS MESSAGES\n"
	      "                                 commands a second\n"
	      "  idle COUNT                     hold idle connections\n",
	    stderr);
	exit(2);
}

static unsigned
number(const char *text)
{
	uint32_t v;

	if (!slice_u32(slice_str(text), &v))
		usage();
	return v;
}

int
main(int argc, char **argv)
{
	struct target to;

	if (argc < 7)
		usage();
	signal(SIGPIPE, SIG_IGN);
	to = (struct target){ argv[1], argv[4], argv[5],
		(uint16_t)number(argv[2]),
		slice_is(slice_str(argv[3]), "tls") };
	if (to.tls)
		tls_context = SSL_CTX_new(TLS_client_method());
	argv += 6, argc -= 6;
	if (slice_is(slice_str(argv[0]), "logins") && argc == 3)
		run_logins(&to, number(argv[1]), number(argv[2]));
	else if (slice_is(slice_str(argv[0]), "command") && argc == 4)
		run_command(&to, argv[1], number(argv[2]), argv[3]);
	else if (slice_is(slice_str(argv[0]), "append") && argc == 4)
		run_append(&to, argv[1], number(argv[2]), number(argv[3]));
	else if (slice_is(slice_str(argv[0]), "mixed") && argc == 5)
		run_mixed(&to, argv[1], number(argv[2]), number(argv[3]),
		    number(argv[4]));
	else if (slice_is(slice_str(argv[0]), "idle") && argc == 2)
		run_idle(&to, number(argv[1]));
	else
		usage();
	return 0;
}
